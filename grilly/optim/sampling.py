"""What a device can compute itself, and what the host computes for it, a window of steps ahead."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..program import exact, program
from ..schedules import WINDOW, Sampled, Schedule

Array = npt.NDArray[np.float64]
# Roundings of one formula on numbers and on arrays differ by less, relative to the largest.
SAME = 1e-9
# And where the values of a window come near 0, relative to the largest of them.
NEAR_ZERO = 1e-12


def traces(schedule: Schedule) -> bool:
    """Return whether the device can compute ``schedule``, and numpy many steps of it at once.

    Each function in it is called four times for that: with a symbol, with an array of the steps 1
    and 2, and with each of these alone. A function that looks its step up in a dict, asks for its
    type or catches every error does not notice a symbol: these must agree.
    """
    try:
        return _traces(schedule)
    except (RecursionError, TypeError):  # nested too deep to be hashed, or with a list in it
        return False


@lru_cache(maxsize=1024)
def _traces(schedule: Schedule) -> bool:
    try:
        program(schedule)
        with np.errstate(all="ignore"):
            together = np.asarray(schedule(np.array([1.0, 2.0])), np.float64)
            alone = np.array([float(schedule(1)), float(schedule(2))])
    except Exception:  # TraceError, or what else a function raises that is given no number
        return False
    if together.shape not in ((), (2,)):
        return False
    largest = np.abs(alone[np.isfinite(alone)]).max(initial=0.0)
    return np.allclose(together, alone, rtol=SAME, atol=SAME * largest, equal_nan=True)


def agrees(schedule: Schedule, values: Array, steps: Array, asked: bool) -> bool:
    """Return whether ``values``, the host's at ``steps``, are those that the device computes.

    With ``asked`` the schedule's value at the first and the last step alone, a plain number as a
    training loop gives it, must be the same too: a function may ask for its step's type, and what
    it depends on may have changed since it was traced.
    """
    finite = np.isfinite(values)  # others are an error at their step, whatever the device has
    largest = np.abs(values[finite]).max(initial=0.0)

    def same(others: Any, own: Any) -> bool:
        return bool(np.allclose(others, own, rtol=SAME, atol=NEAR_ZERO * largest, equal_nan=True))

    ends = (0, -1) if asked and len(steps) else ()
    try:
        with np.errstate(all="ignore"):
            return same(exact(schedule, steps)[finite], values[finite]) and all(
                same(float(schedule(plain_step(float(steps[i])))), values[i]) for i in ends
            )
    except Exception:  # what a function raises that was traced once, and is another one now
        return False


class Window(NamedTuple):
    """Values that are known ahead: ``schedule`` has those from its start to step ``last``."""

    schedule: Sampled
    last: float

    def rest(self, t: float) -> Sequence[float]:
        """Return the values at step ``t`` and after it; none if that is no step of these."""
        at = t - self.schedule.start
        count = int(self.last - self.schedule.start) + 1
        return self.schedule.values[int(at) : count] if at >= 0 and at % 1 == 0 else ()


def window_of(start: float, values: Iterable[float]) -> Window:
    """Return a window of these values, at least one and at most WINDOW.

    The Sampled has WINDOW values always, so that all share one shader.
    """
    known = tuple(values)
    padding = (known[-1],) * (WINDOW - len(known))
    return Window(Sampled(float(start), (*known, *padding)), start + len(known) - 1)


def sampled(value_at: Callable[[Any], float], t: float, last: float = np.inf) -> Window:
    """Return the values at steps t, t + 1, ..., at most WINDOW of them and none past step ``last``.

    ``value_at`` is called step by step with a plain number, an int where the step is whole. What
    it raises at ``t`` goes to the caller; an error at a later step ends the window before it: that
    step may never be taken.
    """
    values = [value_at(plain_step(t))]
    try:
        while len(values) < WINDOW and t + len(values) <= last:
            values.append(value_at(plain_step(t + len(values))))
    except Exception:
        pass
    return window_of(t, values)


def plain_step(t: float) -> float:
    """Return step ``t`` as a plain number, an int if it is whole: a list may be looked into."""
    return int(t) if t == int(t) else float(t)
