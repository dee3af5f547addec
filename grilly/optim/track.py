"""Track: the numbers that a scheduler writes, over a window of steps, and the formulas behind them.

The scheduler walks along it; the optimizer asks it whether a number in a group is still the
formula's, to be computed on the device, or a hand edit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..schedules import Schedule
from .lanes import Source
from .options import Key, option
from .rows import Stacked, Values, rows_of

# Per key, one formula a group; None is that of a group which is left alone.
Formulas = Mapping[Key, Sequence[Schedule]]
SomeFormulas = Mapping[Key, Sequence[Schedule | None]]
# Tells of a key's values, (groups, steps), at how many of the steps they are sound.
Check = Callable[[Key, Values, Values], int]


class Leaps(NamedTuple):
    """The rows at ``number`` steps, the first at ``first`` and each ``by`` further on."""

    formulas: SomeFormulas
    first: float
    by: int
    number: int
    rows: dict[Key, list[list[float]]]


class Track:
    """float64 values of formulas: ``rows[key][at][i]`` is that of group i at step ``t``.

    It is nan where the group has no formula.
    """

    MOST_ROWS = 1024
    MOST_VALUES = 1 << 16
    MOST_LEAPS = 64

    def __init__(self) -> None:
        self.formulas: SomeFormulas = {}
        self.rows: dict[Key, list[list[float]]] = {}
        self.t: float = 0
        self.at = self.end = 0
        self._next_rows = 1
        self._leaps: Leaps | None = None
        self._stacked: tuple[SomeFormulas, dict[Key, Stacked]] = self.formulas, {}

    def lay(
        self, formulas: SomeFormulas, t: float, last: float, check: Check | None = None
    ) -> None:
        """Stand at step ``t``, with the values from there on but not past step ``last``.

        Nor past the steps that ``check`` finds sound; where it raises, nothing has changed.
        """
        # After a change the next one may be near: a short window, then longer ones.
        wanted = 1 if formulas is not self.formulas else 2 * self._next_rows
        most = self.MOST_VALUES // max(1, *map(len, formulas.values()))
        size = max(1, min(wanted, self.MOST_ROWS, most, int(min(last - t, 1e9)) + 1))
        steps = t + np.arange(size, dtype=np.float64)
        stacked = self._stacked_for(formulas)
        values = {key: own.at(steps) for key, own in stacked.items()}
        checked = [check(key, own, steps) for key, own in values.items()] if check else []
        rows = {key: rows_of(own) for key, own in values.items()}
        self.formulas, self.rows, self.t, self.at = formulas, rows, t, 0
        self.end = min([size, *checked])
        self._next_rows = size
        self._stacked = formulas, stacked

    def _stacked_for(self, formulas: SomeFormulas) -> dict[Key, Stacked]:
        known, stacked = self._stacked
        if known is formulas:
            return stacked
        return {key: Stacked(own) for key, own in formulas.items()}

    def leap(self, t: float, steps: int, last: Callable[[], float]) -> None:
        """Stand at step ``t``, ``steps`` further on along the same formulas.

        The second time by so many, what the next leaps will find is computed at once. The formulas
        hold until step ``last()``.
        """
        leaps = self._leaps
        if leaps is None or leaps.formulas is not self.formulas or steps != leaps.by:
            leaps = self._leapt(t, steps, 1)
        at = round((t - leaps.first) / steps) if steps else 0
        if not (0 <= at < leaps.number and leaps.first + at * steps == t):
            most = min(self.MOST_LEAPS, (last() - t) / steps + 1) if steps > 0 else 1
            leaps, at = self._leapt(t, steps, max(1, int(most))), 0
        self.rows = {key: [rows[at]] for key, rows in leaps.rows.items()}
        self.t, self.at, self.end, self._next_rows, self._leaps = t, 0, 1, 1, leaps

    def _leapt(self, t: float, steps: int, count: int) -> Leaps:
        stacked = self._stacked_for(self.formulas)
        self._stacked = self.formulas, stacked
        found = t + steps * np.arange(count, dtype=np.float64)
        rows = {key: rows_of(own.at(found)) for key, own in stacked.items()}
        return Leaps(self.formulas, t, steps, count, rows)

    def stand(self, formulas: Formulas, t: float, values: Mapping[Key, list[float]]) -> None:
        """Stand at step ``t``, where ``values`` were written; what follows is not known yet."""
        self.formulas, self.t, self.at, self.end = formulas, t, 0, 1
        self.rows = {key: [own] for key, own in values.items() if key in formulas}
        self._next_rows = 1

    def holds(self, groups: Sequence[dict[str, Any]]) -> bool:
        """Whether the groups hold what was written into them at this step."""
        for key, rows in self.rows.items():
            row = rows[self.at]
            held = [option(group, key) for group in groups]
            if held != row and not all(v != v or h == v for h, v in zip(held, row, strict=False)):
                return False
        return True

    def wrote(self, group: int, key: Key, values: dict[str, Any]) -> bool:
        """Whether the group, which holds ``values``, still has what was written at this step."""
        rows = self.rows.get(key)
        row = rows[self.at] if rows else []
        return group < len(row) and option(values, key) == row[group]

    def source(self, group: int, key: Key, value: float) -> Source | None:
        """Return the formula of a group's number if ``value`` is its own, else None."""
        rows = self.rows.get(key)
        if rows is None or group >= len(rows[self.at]) or rows[self.at][group] != value:
            return None
        schedule = self.formulas[key][group]
        return None if schedule is None else Source(schedule, self.t)
