"""Linear and PolynomialDecay, from a first value to a last one; RangeTest, which has no last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..mathfun import one_minus_power, positive_power
from .base import Schedule
from .checks import check_number
from .phase import blend, progress


@dataclass(frozen=True)
class Linear(Schedule):
    """A line from ``start`` at step ``begin`` to ``end``, ``steps`` steps later; level outside.

    As optax's linear_schedule and MLX's; with start < end it is a warm-up, a range test of the
    learning rate, or a ramp of the weight decay as Megatron-LM has it:

    >>> Linear(start=0.0, end=0.1, steps=4)(np.array([0, 1, 2, 4, 9])).tolist()
    [0.0, 0.025, 0.05, 0.1, 0.1]

    With ``steps=0`` the end is reached at once. Raises TypeError or ValueError, naming the
    argument, for what is no finite number, and if ``steps`` is below 0.
    """

    start: float
    end: float
    steps: float
    begin: float = 0

    def __post_init__(self) -> None:
        for name in ("start", "end", "begin"):
            check_number(name, getattr(self, name))
        check_number("steps", self.steps, at_least=0)

    def __call__(self, t: Any) -> Any:
        return blend("linear", self.start, self.end, *progress(t, self.steps, self.begin))

    def length(self) -> float:
        return self.begin + self.steps


@dataclass(frozen=True)
class PolynomialDecay(Schedule):
    """From ``start`` to ``end`` along a power of the share of steps that is left; level outside.

    The value is end + (start - end) (1 - c / steps)^power, with c = t - begin between 0 and
    ``steps``: optax's polynomial_schedule, Keras's PolynomialDecay. With ``cycle=True`` it does
    not stay at ``end``: ``steps`` is then the next multiple of itself that is not passed yet, as
    Keras has it. With ``k_decay`` c / steps is taken to that power first, as in timm's
    PolyLRScheduler (T. Zhang and W. Li, arXiv:2004.05909).

    With ``steps=0`` the end is reached at once; ``power=0`` stays at ``start``. Raises TypeError or
    ValueError, naming the argument, for what is no finite number, for ``steps`` or ``power`` below
    0, ``k_decay`` not above 0, and a cycle without length.

    >>> PolynomialDecay(1.0, 0.0, steps=4, power=2)(np.array([0, 1, 2, 4, 5])).tolist()
    [1.0, 0.5625, 0.25, 0.0, 0.0]
    >>> PolynomialDecay(1.0, 0.0, steps=4, cycle=True)(np.array([0, 4, 5, 8])).tolist()
    [1.0, 0.0, 0.375, 0.0]
    """

    start: float
    end: float
    steps: float
    power: float = 1.0
    begin: float = 0
    cycle: bool = False
    k_decay: float | None = None

    def __post_init__(self) -> None:
        for name in ("start", "end", "begin"):
            check_number(name, getattr(self, name))
        check_number("steps", self.steps, at_least=0, above=0 if self.cycle else None)
        check_number("power", self.power, at_least=0)
        if self.k_decay is not None:
            check_number("k_decay", self.k_decay, above=0)

    def __call__(self, t: Any) -> Any:
        steps = self.steps
        if self.cycle:
            steps = steps * np.maximum(-((self.begin - t) // steps), 1)
        done, whole = progress(t, steps, self.begin)
        left, gone = (whole - done) / whole, done / whole
        if self.k_decay is not None:
            left, gone = one_minus_power(left, self.k_decay), positive_power(gone, self.k_decay)
        left, gone = positive_power(left, self.power), one_minus_power(gone, self.power)
        return self.start * left + self.end * gone

    def length(self) -> float:
        return np.inf if self.cycle else self.begin + self.steps


@dataclass(frozen=True)
class RangeTest(Schedule):
    """From ``value`` at step 0 up by ``rate * value`` every ``steps`` steps, without an end.

    The value is value * (1 + rate t / steps); with ``staircase=True`` t / steps is rounded down.
    It finds the largest rate that a model can be trained with (L. N. Smith, arXiv:1506.01186); as
    DeepSpeed's LRRangeTest. Geometric rises by a factor instead.

    Raises TypeError or ValueError, naming the argument, for what is no finite number, a negative
    ``rate``, and ``steps`` not above 0.

    >>> RangeTest(0.5, rate=1.0, steps=4)(np.array([0, 1, 4, 8])).tolist()
    [0.5, 0.625, 1.0, 1.5]
    >>> RangeTest(0.5, rate=1.0, steps=4, staircase=True)(np.array([0, 3, 4, 8])).tolist()
    [0.5, 0.5, 1.0, 1.5]
    """

    value: float
    rate: float
    steps: float
    staircase: bool = False

    def __post_init__(self) -> None:
        check_number("value", self.value)
        check_number("rate", self.rate, at_least=0)
        check_number("steps", self.steps, above=0)

    def __call__(self, t: Any) -> Any:
        if self.staircase:
            return self.value * (1 + self.rate * (t // self.steps))
        return self.value * (self.steps + self.rate * t) / self.steps
