"""Exponential, Geometric and their slower kin: InverseTime, InverseSqrt, InversePower, Noam.

Each is level before step ``begin``, where its clock starts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..mathfun import positive_power
from .base import Schedule
from .checks import check_number
from .phase import blend, check_shape, progress


@dataclass(frozen=True)
class Exponential(Schedule):
    """``value``, multiplied by ``rate`` in the course of every ``steps`` steps.

    The value is value * rate^(c / steps), with c = t - begin. With ``staircase=True`` c / steps is
    rounded down. It does not pass ``end``: below it if ``rate`` is less than 1, else above it. As
    optax's exponential_decay and Keras's ExponentialDecay.

    Raises TypeError or ValueError, naming the argument, for what is no finite number, a negative
    ``rate``, and ``steps`` not above 0.

    >>> Exponential(1.0, rate=0.25, steps=2)(np.array([0, 1, 2, 4])).tolist()
    [1.0, 0.5, 0.25, 0.0625]
    >>> Exponential(1.0, 0.25, 2, begin=2, staircase=True, end=0.1)(np.arange(3, 8)).tolist()
    [1.0, 0.25, 0.25, 0.1, 0.1]
    """

    value: float
    rate: float
    steps: float = 1
    begin: float = 0
    staircase: bool = False
    end: float | None = None

    def __post_init__(self) -> None:
        check_number("value", self.value)
        check_number("rate", self.rate, at_least=0)
        check_number("steps", self.steps, above=0)
        check_number("begin", self.begin)
        if self.end is not None:
            check_number("end", self.end)

    def __call__(self, t: Any) -> Any:
        clock = np.maximum(t - self.begin, 0)
        n = clock // self.steps if self.staircase else clock / self.steps
        value = self.value * self.rate**n
        if self.end is None:
            return value
        return np.where(self.rate < 1, np.maximum(value, self.end), np.minimum(value, self.end))


@dataclass(frozen=True)
class Geometric(Schedule):
    """From ``start`` to ``end`` by the same factor at every one of ``steps`` steps; level outside.

    The value is start^(1 - p) end^p, with p = c / steps: fastai's SchedExp, and the range test of
    the learning rate (L. N. Smith, arXiv:1506.01186) as its LRFinder has it.

    With ``steps=0`` the end is reached at once. Raises TypeError or ValueError, naming the
    argument: ``start`` and ``end`` have one sign and are not 0.

    >>> Geometric(start=1e-4, end=1.0, steps=4)(np.array([0, 1, 2, 4, 5])).round(9).tolist()
    [0.0001, 0.001, 0.01, 1.0, 1.0]
    """

    start: float
    end: float
    steps: float
    begin: float = 0

    def __post_init__(self) -> None:
        for name in ("start", "end", "begin"):
            check_number(name, getattr(self, name))
        check_number("steps", self.steps, at_least=0)
        check_shape("shape", "exponential", self.start, self.end)

    def __call__(self, t: Any) -> Any:
        return blend("exponential", self.start, self.end, *progress(t, self.steps, self.begin))

    def length(self) -> float:
        return self.begin + self.steps


@dataclass(frozen=True)
class InverseTime(Schedule):
    """value / (1 + rate c / steps), with c = t - begin; ``staircase=True`` rounds c / steps down.

    As Keras's InverseTimeDecay. Raises TypeError or ValueError, naming the argument, for what is
    no finite number, a negative ``rate``, and ``steps`` not above 0.

    >>> InverseTime(1.0, rate=0.5, steps=2)(np.array([0, 4, 12])).tolist()
    [1.0, 0.5, 0.25]
    """

    value: float
    rate: float
    steps: float = 1
    staircase: bool = False
    begin: float = 0

    def __post_init__(self) -> None:
        check_number("value", self.value)
        check_number("rate", self.rate, at_least=0)
        check_number("steps", self.steps, above=0)
        check_number("begin", self.begin)

    def __call__(self, t: Any) -> Any:
        clock = np.maximum(t - self.begin, 0)
        if self.staircase:
            return self.value / (1 + self.rate * (clock // self.steps))
        return self.value * self.steps / (self.steps + self.rate * clock)


@dataclass(frozen=True)
class InverseSqrt(Schedule):
    """value * sqrt(timescale / (timescale + c)), with c = t - begin.

    As Hugging Face's inverse_sqrt and timm's rsqrt after their warm-up. Megatron-LM's
    value * sqrt(W / t) from step W on has ``timescale`` and ``begin`` W. Raises TypeError or
    ValueError, naming the argument, for what is no finite number, and ``timescale`` not above 0.

    >>> InverseSqrt(1.0, timescale=4, begin=4)(np.array([0, 4, 16, 64])).tolist()
    [1.0, 1.0, 0.5, 0.25]
    """

    value: float
    timescale: float
    begin: float = 0

    def __post_init__(self) -> None:
        for name in ("value", "begin"):
            check_number(name, getattr(self, name))
        check_number("timescale", self.timescale, above=0)

    def __call__(self, t: Any) -> Any:
        # One division, last: the root of a quotient would be inexact where this is rational.
        whole = self.timescale + np.maximum(t - self.begin, 0)
        return self.value * np.sqrt(self.timescale * whole) / whole


@dataclass(frozen=True)
class InversePower(Schedule):
    """value * (1 + c / timescale)^-power, with c = t - begin.

    As timm's ``stable_fn="power"``. Raises TypeError or ValueError, naming the argument, for what
    is no finite number, and ``timescale`` not above 0.

    >>> InversePower(1.0, timescale=4, power=2)(np.array([0, 4, 12])).tolist()
    [1.0, 0.25, 0.0625]
    """

    value: float
    timescale: float
    power: float = 0.5
    begin: float = 0

    def __post_init__(self) -> None:
        for name in ("value", "power", "begin"):
            check_number(name, getattr(self, name))
        check_number("timescale", self.timescale, above=0)

    def __call__(self, t: Any) -> Any:
        whole = self.timescale + np.maximum(t - self.begin, 0)
        return self.value * positive_power(self.timescale / whole, self.power)


@dataclass(frozen=True)
class Noam(Schedule):
    """factor * model_size^-1/2 * min(k^-1/2, k warmup_steps^-3/2), with k = t + 1.

    It rises for ``warmup_steps`` steps, then falls as an inverse square root. Source: A. Vaswani
    et al., arXiv:1706.03762, equation 3. Raises TypeError or ValueError, naming the argument, for
    what is no finite number, negative ``warmup_steps``, and ``model_size`` not above 0.

    >>> Noam(1.0, warmup_steps=4, model_size=16)(np.array([0, 3, 15])).tolist()
    [0.03125, 0.125, 0.0625]
    """

    factor: float
    warmup_steps: float = 4000
    model_size: float = 512

    def __post_init__(self) -> None:
        check_number("factor", self.factor)
        check_number("warmup_steps", self.warmup_steps, at_least=0)
        check_number("model_size", self.model_size, above=0)

    def __call__(self, t: Any) -> Any:
        k = np.maximum(t, 0) + 1
        later = np.maximum(k, self.warmup_steps)
        return self.factor * k / (later * np.sqrt(later * self.model_size))
