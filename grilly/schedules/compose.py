"""Schedules made of others: sums and products, one after the other, and moved, cut or ended.

A composition is traced as one formula, so it is one shader and one dispatch, whatever is inside.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add, mul, sub
from typing import Any

import numpy as np

from .base import Schedule
from .checks import check_choice, check_number, check_rising, numbers
from .function import schedule_of, schedules_of


@dataclass(frozen=True)
class _Combination(Schedule):
    """Of the same step of all parts, which schedule_of makes of numbers, texts and functions."""

    members: tuple[Schedule, ...]

    def __post_init__(self) -> None:
        members = schedules_of("members", self.members)
        if not members:
            raise ValueError(f"{type(self).__name__} needs at least one schedule, got none")
        object.__setattr__(self, "members", members)

    def _values(self, t: Any) -> Iterator[Any]:
        return (member(t) for member in self.members)


class Sum(_Combination):
    """The sum of schedules.

    >>> Sum((0.5, 0.25))(3)
    0.75
    """

    def __call__(self, t: Any) -> Any:
        return reduce(add, self._values(t))


class Difference(_Combination):
    """The first schedule less all others.

    >>> Difference((1.0, 0.25))(3)
    0.75
    """

    def __call__(self, t: Any) -> Any:
        return reduce(sub, self._values(t))


class Product(_Combination):
    """The product of schedules.

    >>> Product((0.5, 0.5))(3)
    0.25
    """

    def __call__(self, t: Any) -> Any:
        return reduce(mul, self._values(t))


class Quotient(_Combination):
    """The first schedule divided by all others.

    >>> Quotient((1.0, 4.0))(3)
    0.25
    """

    def __call__(self, t: Any) -> Any:
        return reduce(np.true_divide, self._values(t))  # of two floats, by 0: not an error


class Average(_Combination):
    """The mean of schedules.

    >>> Average((0.25, 0.75))(3)
    0.5
    """

    def __call__(self, t: Any) -> Any:
        return reduce(add, self._values(t)) / len(self.members)


@dataclass(frozen=True)
class Join(Schedule):
    """One schedule after the other: number i runs from step ``boundaries[i - 1]`` on.

    Each has a clock of its own that starts there at 0. Of two equal boundaries the phase between
    them has no length, and is left out. As optax's join_schedules.

    >>> from grilly.schedules import Ramp
    >>> warm_up = Ramp(1.0, start=0.0, end=1.0, steps=2)
    >>> Join((warm_up, Ramp(1.0, 1.0, 0.0, steps=4)), (2,))(np.arange(7)).tolist()
    [0.0, 0.5, 1.0, 0.75, 0.5, 0.25, 0.0]
    """

    phases: tuple[Schedule, ...]
    boundaries: tuple[float, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "phases", schedules_of("phases", self.phases))
        boundaries = numbers("boundaries", self.boundaries, at_least=0)
        object.__setattr__(self, "boundaries", boundaries)
        if len(self.phases) != len(self.boundaries) + 1:
            raise ValueError(
                f"Join needs one boundary less than schedules, got {len(self.phases)} schedules "
                f"and boundaries={self.boundaries}"
            )
        check_rising("boundaries", self.boundaries)

    def __call__(self, t: Any) -> Any:
        value = self.phases[0](t)
        for phase, boundary in zip(self.phases[1:], self.boundaries, strict=True):
            # Before its time a phase stands at its first step: it need not have earlier ones.
            value = np.where(t >= boundary, phase(np.maximum(t - boundary, 0)), value)
        return value

    def parts(self, t: float) -> Iterator[tuple[Schedule, float]]:
        begun = sum(t >= boundary for boundary in self.boundaries)
        yield self.phases[begun], t - self.boundaries[begun - 1] if begun else t

    def last_step(self) -> float:
        starts = (0.0, *self.boundaries)
        ends = (*self.boundaries, np.inf)
        for phase, start, end in zip(self.phases, starts, ends, strict=True):
            last = start + phase.last_step()
            if last < end - 1:  # the phase ends before its time
                return last
        return np.inf


@dataclass(frozen=True)
class Shift(Schedule):
    """The schedule ``by`` steps later: its step 0 is at step ``by``.

    >>> from grilly.schedules import Ramp
    >>> Shift(Ramp(1.0, 0.0, 1.0, steps=4), by=2)(np.array([2, 4, 6])).tolist()
    [0.0, 0.5, 1.0]
    """

    schedule: Schedule
    by: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "schedule", schedule_of(self.schedule))
        check_number("by", self.by)

    def __call__(self, t: Any) -> Any:
        return self.schedule(t - self.by)

    def parts(self, t: float) -> Iterator[tuple[Schedule, float]]:
        yield self.schedule, t - self.by

    def last_step(self) -> float:
        return self.schedule.last_step() + self.by


@dataclass(frozen=True)
class Stretch(Schedule):
    """The schedule on a clock that ticks once every ``by`` steps: floor(t / by) is its step.

    With ``whole=False`` the clock runs on evenly: t / by.

    >>> from grilly.schedules import Ramp
    >>> Stretch(Ramp(1.0, 0.0, 1.0, steps=4), by=2)(np.array([0, 1, 2, 8])).tolist()
    [0.0, 0.0, 0.25, 1.0]
    """

    schedule: Schedule
    by: float
    whole: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "schedule", schedule_of(self.schedule))
        check_number("by", self.by, above=0)

    def __call__(self, t: Any) -> Any:
        return self.schedule(t // self.by if self.whole else t / self.by)

    def parts(self, t: float) -> Iterator[tuple[Schedule, float]]:
        yield self.schedule, t // self.by if self.whole else t / self.by

    def last_step(self) -> float:
        last = self.schedule.last_step()
        return (last + 1) * self.by - 1 if self.whole else last * self.by


@dataclass(frozen=True)
class Clip(Schedule):
    """The schedule, but at least ``low`` and at most ``high``.

    >>> Clip(2.0, low=0.0, high=1.0)(5)
    1.0
    """

    schedule: Schedule
    low: float
    high: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "schedule", schedule_of(self.schedule))
        check_number("low", self.low)
        check_number("high", self.high)
        if self.low > self.high:
            raise ValueError(f"low must not be above high, got {self.low} and {self.high}")

    def __call__(self, t: Any) -> Any:
        return np.minimum(np.maximum(self.schedule(t), self.low), self.high)


ENDS = ("clamp", "hold", "cycle", "error")


@dataclass(frozen=True)
class End(Schedule):
    """What a schedule of ``steps`` steps (0 to steps - 1) does from step ``steps`` on.

    ``then`` is "clamp" (its clock stops at ``steps``), "hold" (it stops one earlier: the last
    value is kept), "cycle" (it begins again) or "error" (a scheduler raises ValueError).

    >>> from grilly.schedules import Ramp
    >>> ramp = Ramp(1.0, 0.0, 1.0, steps=8)
    >>> [float(End(ramp, 4, then)(6)) for then in ("clamp", "hold", "cycle")]
    [0.5, 0.375, 0.25]
    """

    schedule: Schedule
    steps: float
    then: str = "clamp"

    def __post_init__(self) -> None:
        object.__setattr__(self, "schedule", schedule_of(self.schedule))
        check_choice("then", self.then, ENDS)
        check_number("steps", self.steps, at_least=1)

    def __call__(self, t: Any) -> Any:
        return self.schedule(self._clock(t))

    def _clock(self, t: Any) -> Any:
        if self.then == "cycle":
            return t % self.steps
        if self.then == "error":
            return t
        return np.minimum(t, self.steps if self.then == "clamp" else self.steps - 1)

    def parts(self, t: float) -> Iterator[tuple[Schedule, float]]:
        yield self.schedule, self._clock(t)

    def last_step(self) -> float:
        last = self.schedule.last_step()
        if self.then == "error":
            return min(last, self.steps - 1)
        reach = self.steps if self.then == "clamp" else self.steps - 1
        return last if last < reach else np.inf


def join(schedules: Sequence[Any], boundaries: Sequence[float]) -> Join:
    """Return schedules one after the other, each with a clock of its own: a Join.

    Among them may be numbers, texts and functions of the step: see ``schedule_of``. Raises
    TypeError or ValueError, naming the argument: there is one boundary less than schedules, and
    boundaries are at least 0 and do not fall.

    >>> join([1.0, "0.5 ** t"], [10])(12)
    0.25
    """
    return Join(schedules_of("schedules", schedules), numbers("boundaries", boundaries))
