"""Course: a schedule as a scheduler follows it, rules and functions of any kind included."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..program import program
from ..rules import State, advance, bind, starts
from ..schedules import Sampled, Schedule
from ..schedules.base import schedule_from
from .lr_scheduler.functions import number
from .rows import Values, values_of

# As many steps of a function that cannot be traced are computed ahead, and uploaded at once.
WINDOW = 256

States = Mapping[str, State]


@dataclass(frozen=True, eq=False)
class Function(Schedule):
    """Any function of the step."""

    function: Callable[[Any], Any]

    def __call__(self, t: Any) -> Any:
        return self.function(t)


def schedule_of(value: Any, name: str) -> Schedule:
    """Return a Schedule, a number or a function of the step as a Schedule."""
    if callable(value) and not isinstance(value, Schedule):
        return Function(value)
    try:
        return schedule_from(value)
    except TypeError:
        raise TypeError(
            f"{name} must be a schedule, a number or a function of the step, got {value!r}"
        ) from None


class _Window(NamedTuple):
    """Values of a function from step ``start`` to ``last``, and the tree that gave them."""

    tree: Schedule
    start: float
    last: float
    formula: Sampled


class Course:
    """A schedule with its rules' values put in, and where it cannot be traced a window of values.

    A function that cannot be traced makes the whole tree one that is computed on the host: each
    value is exactly what the tree gives there.
    """

    def __init__(self, tree: Schedule) -> None:
        self.tree = tree
        self.starts: States = starts(tree)
        self.needs_host = not _can_be_traced(bind(tree, self.starts))
        self._windows: list[_Window] = []

    def formula(self, states: States, t: float, where: str) -> tuple[Schedule, float]:
        """Return the formula from step ``t`` on, and the last step that it holds for.

        Raises ValueError, with ``where``, past the end of a schedule that ends with an error; and
        what a function of the user's raises at step ``t``.
        """
        last = self.tree.last_step()
        if t > last:
            raise ValueError(f"{where}: the schedule ends at step {last:g}, step {t:g} is past it")
        tree = bind(self.tree, states)
        if not self.needs_host:
            return tree, last
        window = self._window(tree, t) or self._sampled(tree, t, last, where)
        return window.formula, window.last

    def advanced(self, states: States, t: float, metrics: Any) -> States:
        """Return the states of the rules after step ``t``."""
        return advance(self.tree, states, t, metrics)

    def values(self, states: States, steps: Values) -> Values:
        """Return the values at ``steps`` with the rules as they are."""
        tree = bind(self.tree, states)
        if self.needs_host:
            return np.array([_value(tree, t, "the schedule") for t in steps.tolist()], np.float64)
        return np.asarray(values_of([tree], steps)[0])

    def _window(self, tree: Schedule, t: float) -> _Window | None:
        fitting = (w for w in self._windows if w.start <= t <= w.last and w.tree == tree)
        return next((w for w in fitting if (t - w.start) % 1 == 0), None)

    def _sampled(self, tree: Schedule, t: float, last: float, where: str) -> _Window:
        values = [_value(tree, t, where)]
        try:
            while len(values) < WINDOW and t + len(values) <= last:
                values.append(_value(tree, t + len(values), where))
        except Exception:  # of a later step: it is raised there, if that step is ever taken
            pass
        end = t + len(values) - 1
        # Of one length, whatever there is, so that all windows share one shader.
        padded = (*values, *[values[-1]] * (WINDOW - len(values)))
        window = _Window(tree, t, end, Sampled(float(t), padded))
        self._windows = [w for w in self._windows if w.start <= t <= w.last] + [window]
        return window


def _value(tree: Schedule, t: float, where: str) -> float:
    # A whole step is an int: a function may look something up by it.
    step = int(t) if t == math.floor(t) else t
    return number(tree(step), "%s at step %s", where, step)


def _can_be_traced(tree: Schedule) -> bool:
    """Return whether the device can compute ``tree``, and numpy all steps of a window at once."""
    try:
        program(tree)
        # A function that looks its step up in a dict or a set does not notice a symbol.
        with np.errstate(all="ignore"):
            values = np.asarray(tree(np.arange(2.0)), np.float64)
    except Exception:  # TraceError, or what else a function raises that is given no number
        return False
    return values.shape in ((), (2,))


def fingerprint(given: Any) -> str | None:
    """Return 16 hexadecimal digits that tell schedules apart; None where a function is in them."""
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
