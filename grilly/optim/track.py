"""Track: the numbers that a scheduler writes, over a window of steps, and the formulas behind them.

The scheduler walks along it; the optimizer asks it whether a number in a group is still the
formula's, to be computed on the device, or a hand edit.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..schedules import Schedule
from .options import Key
from .timeline import Source

# Per key, one formula a group.
Formulas = Mapping[Key, Sequence[Schedule]]


class Track:
    """float64 values of formulas: ``rows[key][at][i]`` is that of group i at step ``t``."""

    MOST_ROWS = 1024
    MOST_VALUES = 1 << 16

    def __init__(self) -> None:
        self.formulas: Formulas = {}
        self.rows: dict[Key, list[list[float]]] = {}
        self.t: float = 0
        self.at = self.end = 0
        self._next_rows = 1

    def lay(self, formulas: Formulas, t: float, last: float) -> None:
        """Stand at step ``t``, with the values from there on but not past step ``last``."""
        # After a change the next one may be near: a short window, then longer ones.
        self._next_rows = 1 if formulas is not self.formulas else 2 * self._next_rows
        most = self.MOST_VALUES // max(map(len, formulas.values()), default=1)
        size = max(1, min(self._next_rows, self.MOST_ROWS, most, int(min(last - t, 1e9)) + 1))
        steps = t + np.arange(size, dtype=np.float64)
        rows = {key: _rows(own, steps) for key, own in formulas.items()}
        self.formulas, self.rows, self.t, self.at, self.end = formulas, rows, t, 0, size
        self._next_rows = size

    def stand(self, formulas: Formulas, t: float, values: Mapping[Key, list[float]]) -> None:
        """Stand at step ``t``, where ``values`` were written; what follows is not known yet."""
        self.formulas, self.t, self.at, self.end = formulas, t, 0, 1
        self.rows = {key: [own] for key, own in values.items() if key in formulas}
        self._next_rows = 1

    def source(self, group: int, key: Key, value: float) -> Source | None:
        """Return the formula of a group's number if ``value`` is its own, else None."""
        rows = self.rows.get(key)
        if rows is None or group >= len(rows[self.at]) or rows[self.at][group] != value:
            return None
        return Source(self.formulas[key][group], self.t)


def _rows(schedules: Sequence[Schedule], steps: Any) -> list[list[float]]:
    """Return the values of every schedule, a list per step."""
    kinds = [type(schedule) for schedule in schedules]
    columns = np.empty((len(schedules), len(steps)))
    for kind in set(kinds):
        # A scheduler's formulas of one class differ in numbers only.
        members = [i for i, own in enumerate(kinds) if own is kind]
        with np.errstate(all="ignore"):
            values = _stacked([schedules[i] for i in members])(steps)
        if len(members) == len(kinds) and np.ndim(values) < 2:  # no number differs
            alike = np.broadcast_to(values, len(steps)).tolist()
            return [[value] * len(kinds) for value in alike]
        columns[members] = values
    rows = columns.T.tolist()
    # A row that is the one before is the same list: the scheduler then has nothing to write.
    for i in np.flatnonzero((columns[:, 1:] == columns[:, :-1]).all(axis=0)).tolist():
        rows[i + 1] = rows[i]
    return rows


def _stacked(schedules: Sequence[Any]) -> Any:
    """Return one schedule in whose fields the numbers that differ are columns, (n, 1) float64."""
    fields = dataclasses.fields(schedules[0])
    columns = {f.name: _column([getattr(s, f.name) for s in schedules]) for f in fields}
    return dataclasses.replace(schedules[0], **columns)


def _column(values: Sequence[Any]) -> Any:
    first = values[0]
    if all(value is first or value == first for value in values):
        return first
    if isinstance(first, tuple):
        return tuple(_column(column) for column in zip(*values, strict=True))
    if dataclasses.is_dataclass(first):
        return _stacked(values)
    return np.array(values, np.float64)[:, None]
