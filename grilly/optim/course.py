"""Course: a schedule as a scheduler follows it, with rules and functions of any kind in it."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ..rules import State, advance, bind, starts
from ..rules.on_device import Member, held_of, member_of
from ..rules.phases import phase_of
from ..rules.tree import bind_live, coast, coasts, rules_in
from ..schedules import WINDOW, Function, Schedule, Text
from .functions_in import anew, written_in
from .lr_scheduler.functions import asked, number
from .rows import Values, values_of
from .sampling import Window, agrees, plain_step, sampled, traces

States = Mapping[str, State]
ON_HOST = (
    "a function in it is no formula, so the host must compute it with its rules: give step() a "
    "number, as in scheduler.step(loss.item())"
)


class _Known(NamedTuple):
    """A window of what ``tree`` gives from step ``start`` on."""

    tree: Schedule
    start: float
    window: Window

    def covers(self, t: float) -> bool:
        return self.start <= t <= self.window.last and (t - self.start) % 1 == 0


class Course:
    """A schedule with its rules' values put in, and where it cannot be traced a window of values.

    A function that cannot be traced makes the whole tree one that is computed on the host: each
    value is exactly what the tree gives there. So does one, or a text, whose formula turns out to
    have other values on the device than here: see ``agrees``.
    """

    MOST_TRACES = 3

    def __init__(self, tree: Schedule) -> None:
        self.tree = tree
        self.starts: States = starts(tree)
        self._last = tree.last_step()
        self._traced = tree
        self._on_host = not traces(self._bound(self.starts))
        written = [*written_in(tree)]
        self.watched = bool(written) and not self._on_host
        self._asked = not all(isinstance(one, Text) for one in written)
        self._traces_left = self.MOST_TRACES - 1 if self._asked else 0
        self._known: list[_Known] = []
        # The step up to which functions were seen to be their formulas, for tapes.
        self._looked: float = -np.inf

    def formula(
        self, states: States, t: float, where: str, token: str = ""
    ) -> tuple[Schedule, float]:
        """Return the formula from step ``t`` on, and the last step that it holds for.

        With a ``token`` the values of rules in it are the device's to change.

        Raises ValueError, with ``where``, past the end of a schedule that ends with an error; and
        what a function of the user's raises at step ``t``.
        """
        if t > self._last:
            end = f"the schedule ends at step {self._last:g}"
            raise ValueError(f"{where}: {end}, step {t:g} is past it")
        tree = self._bound(states, token)
        if not self._on_host:
            return tree, min(self._last, t + WINDOW - 1) if self.watched else self._last
        self._known = [known for known in self._known if known.covers(t)]
        window = next((known.window for known in self._known if known.tree == tree), None)
        if window is None:
            window = sampled(lambda step: _value(tree, step, where), t, self._last)
            self._known.append(_Known(tree, t, window))
        return window

    @property
    def on_host(self) -> bool:
        """Whether its values are computed on the host, a window of them ahead."""
        return self._on_host

    @property
    def last(self) -> float:
        """The last step that the schedule has a value for."""
        return self._last

    def reach(self, t: float) -> float:
        """Return for how many steps after ``t`` what ``formula`` gave holds."""
        if not self._on_host:
            return self._last - t
        return min((known.window.last - t for known in self._known if known.covers(t)), default=0)

    def forget(self) -> None:
        """Forget the values that were computed ahead on the host."""
        self._known.clear()

    def agrees(self, formula: Schedule, values: Values, steps: Values) -> bool:
        """Return whether ``formula`` has ``values`` on the device too, and its functions alone.

        If not, it must be asked for again: it is traced anew, for what a function depends on may
        have changed, or is computed on the host from now on.
        """
        if not self.watched or agrees(formula, values, steps, self._asked):
            return True
        self._on_host, self._looked = not self._traces_left, -np.inf
        if self._traces_left:
            self._traces_left -= 1
            self._traced = anew(self.tree)
            self._on_host = not traces(self._bound(self.starts))
        self.watched = not self._on_host
        return False

    def look(self, states: States, t: float, steps: int) -> bool:
        """Return whether the formula is that of the functions for so many steps after ``t``."""
        while self.watched and self._looked < min(t + steps, self._last):
            first = max(t, self._looked) + 1
            ahead = np.arange(first, min(first + WINDOW - 1, self._last) + 1)
            tree = self._bound(states)
            with np.errstate(all="ignore"):
                values = np.asarray(values_of([tree], ahead)[0], np.float64)
            if not self.agrees(tree, values, ahead):
                return False
            self._looked = ahead[-1]
        return True

    def advanced(self, states: States, t: float, metrics: Any) -> States:
        """Return the states of the rules after step ``t``."""
        return advance(self.tree, states, t, metrics)

    def values(self, states: States, steps: Values, where: str) -> Values:
        """Return the values at ``steps``, one after the other, if no metric comes.

        Raises ValueError, with ``where``, past the end of a schedule that ends with an error.
        """
        if len(steps) and steps[-1] > self._last:
            left = max(0, int(self._last - steps[0]) + 1)
            end = f"the schedule ends at step {self._last:g}, which leaves {left} steps"
            raise ValueError(f"{where}: {end}, got {len(steps)}")
        if not coasts(self.tree):
            return self._values(self._bound(states), steps)
        values = np.empty(len(steps))
        for i in range(len(steps)):
            values[i] = self._values(self._bound(states), steps[i : i + 1])[0]
            states = coast(self.tree, states, steps[i])
        return values

    def _values(self, tree: Schedule, steps: Values) -> Values:
        if not self._on_host:
            values = np.asarray(values_of([tree], steps)[0])
            windows = [slice(i, i + WINDOW) for i in range(0, len(steps), WINDOW)]
            if not self.watched or all(
                agrees(tree, values[own], steps[own], self._asked) for own in windows
            ):
                return values
        own = [_value(tree, plain_step(t), "the schedule") for t in steps.tolist()]
        return np.array(own, np.float64)

    def _bound(self, states: States, token: str = "") -> Schedule:
        if not self.starts:
            return self._traced
        bound: Schedule = (
            bind_live(self._traced, states, token) if token else bind(self._traced, states)
        )
        return bound

    def members(
        self, states: States, t: float, token: str, nonfinite: str, where: str
    ) -> list[Member]:
        """Return its rules as a device has them from step ``t`` on, in the order of ``starts``.

        Raises ValueError, with ``where``, for one that a device cannot count.
        """
        if self.starts and self._on_host:
            raise ValueError(f"{where}: {ON_HOST}")
        rules = dict(rules_in(self.tree))
        return [
            member_of(rules[path], states[path], f"{token}:{path}", nonfinite, where)._replace(
                held=replace(held_of(states[path]), waits=waits, left=left)
            )
            for path in self.starts
            for waits, left in [phase_of(self.tree, path, t)]
        ]


def _value(tree: Schedule, step: Any, where: str) -> float:
    what = "%s at step %s"
    return number(asked(tree, step, what, where, step), what, where, step)


def fingerprint(given: Any) -> str | None:
    """Return 16 hexadecimal digits that tell schedules apart; None where a function is in them.

    Of a list that has one schedule for all groups they are that schedule's.
    """
    if isinstance(given, list) and len(prints := {*map(fingerprint, given)}) == 1:
        return prints.pop()
    try:
        text = _text(given)
    except TypeError:
        return None
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _text(value: Any) -> str:
    if dataclasses.is_dataclass(value) and not isinstance(value, (type, Function)):
        fields = (f"{f.name}={_text(getattr(value, f.name))}" for f in dataclasses.fields(value))
        return f"{type(value).__qualname__}({', '.join(fields)})"
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(map(_text, value))}]"
    if value is None or isinstance(value, (str, bool)):
        return repr(value)
    if isinstance(value, (int, float, np.number)):
        return repr(float(value))
    raise TypeError(f"{value!r} cannot be saved")
