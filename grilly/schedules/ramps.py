"""Held, Ramp and Polynomial: over to a last value, which is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..mathfun import positive_power
from .base import Schedule
from .checks import check_number, check_numbers


@dataclass(frozen=True)
class Held(Schedule):
    """``value * factor`` before step ``end``, and ``value / over`` from it on.

    As in torch.optim.lr_scheduler.ConstantLR, where ``value`` is the initial rate; for a rate that
    was edited before ``end``, ``factor`` is 1 and ``over`` what its recurrence divides by.

    Raises TypeError or ValueError, naming the argument, for what is no finite number, and an
    ``over`` of 0.

    >>> Held(0.5, factor=0.5, end=2)(np.array([0, 1, 2, 3])).tolist()
    [0.25, 0.25, 0.5, 0.5]
    """

    value: float
    factor: float
    end: float
    over: float = 1.0

    def __post_init__(self) -> None:
        check_numbers(self, "value", "factor", "end", "over")
        if self.over == 0:
            raise ValueError("over divides and must not be 0, got 0")

    def __call__(self, t: Any) -> Any:
        return np.where(t < self.end, self.value * self.factor, self.value / self.over)

    def length(self) -> float:
        return self.end


@dataclass(frozen=True)
class Ramp(Schedule):
    """A line from ``value * start`` at step 0 to ``value * end`` at step ``steps``, then level.

    As in torch.optim.lr_scheduler.LinearLR.

    Raises TypeError or ValueError, naming the argument, for what is no finite number, and
    ``steps`` not above 0. (Linear has two values, and may have no steps.)

    >>> Ramp(0.5, start=0.5, end=1.0, steps=2)(np.array([0, 1, 2, 3])).tolist()
    [0.25, 0.375, 0.5, 0.5]
    """

    value: float
    start: float
    end: float
    steps: float

    def __post_init__(self) -> None:
        check_numbers(self, "value", "start", "end")
        check_number("steps", self.steps, above=0)

    def __call__(self, t: Any) -> Any:
        return self.value * self._weight(t) / self.steps

    def length(self) -> float:
        return self.steps

    def _weight(self, t: Any) -> Any:
        done = np.minimum(t, self.steps)
        return self.start * (self.steps - done) + self.end * done


@dataclass(frozen=True)
class EditedRamp(Ramp):
    """A Ramp that was set to ``value`` at step ``since``, before its end: in proportion from there.

    >>> EditedRamp(6.0, start=0.5, end=1.0, steps=2, since=1)(np.array([1, 2, 3])).tolist()
    [6.0, 8.0, 8.0]
    """

    since: float

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("since", self.since)

    def __call__(self, t: Any) -> Any:
        return self.value * self._weight(t) / self._weight(self.since)


@dataclass(frozen=True)
class Polynomial(Schedule):
    """``value`` times a power of the share of steps that is left: 0 from step ``steps`` on.

    It is ``value`` where ``over`` steps are left. As in torch.optim.lr_scheduler.PolynomialLR.

    Raises TypeError or ValueError, naming the argument, for what is no finite number, and
    ``steps`` or ``over`` not above 0.

    >>> Polynomial(0.5, steps=4, over=4, power=2)(np.array([0, 2, 4, 5])).tolist()
    [0.5, 0.125, 0.0, 0.0]
    """

    value: float
    steps: float
    over: float
    power: float

    def __post_init__(self) -> None:
        check_numbers(self, "value", "power")
        check_number("steps", self.steps, above=0)
        check_number("over", self.over, above=0)

    def __call__(self, t: Any) -> Any:
        left = self.steps - np.minimum(t, self.steps)
        return self.value * positive_power(left / self.over, self.power)

    def length(self) -> float:
        return self.steps
