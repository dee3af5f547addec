"""Decays: from ``high`` at step 0 to ``low`` at step ``steps``, each in a shape of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..mathfun import half_cosine, one_minus_power, positive_power
from .base import Schedule
from .checks import check_number
from .phase import progress


@dataclass(frozen=True)
class _Decay(Schedule):
    """What decays share: ``high`` until step 0, ``low`` from step ``steps`` on.

    A decay of 0 steps is over at once. ``low`` may be above ``high``: then it rises. A subclass
    gives the shape: the shares of ``high`` and ``low`` in the value. All raise TypeError or
    ValueError, naming the argument, for what is no finite number and for negative ``steps``.
    """

    high: float
    low: float
    steps: float

    def __post_init__(self) -> None:
        check_number("high", self.high)
        check_number("low", self.low)
        check_number("steps", self.steps, at_least=0)

    def __call__(self, t: Any) -> Any:
        left, gone = self._shares(*progress(t, self.steps))
        return self.low * gone + self.high * left

    def length(self) -> float:
        return self.steps

    def _shares(self, done: Any, total: Any) -> tuple[Any, Any]:
        """Return the shares of ``high`` and ``low``: they add up to 1, and neither cancels."""
        raise NotImplementedError


def _one_minus(share: Any, rest: Any, power: Any) -> Any:
    """Return 1 - share^power, where share + rest = 1: exactly near share = 0 and near 1."""
    return np.where(rest < 0.5, one_minus_power(rest, power), 1.0 - positive_power(share, power))


class Triangle(_Decay):
    """Lines from ``high`` at step 0 to ``low`` at step ``steps / 2`` and back to ``high``.

    As one cycle of ignite's LinearCyclicalScheduler.

    >>> Triangle(1.0, 0.5, steps=4)(np.array([0, 1, 2, 3, 4])).tolist()
    [1.0, 0.75, 0.5, 0.75, 1.0]
    """

    def __call__(self, t: Any) -> Any:
        done, total = progress(t, self.steps)
        left, gone = np.abs(total - 2.0 * done), 2.0 * np.minimum(done, total - done)
        return (self.low * gone + self.high * left) / total  # one division: ties stay ties


class SqrtDecay(_Decay):
    """``low + (high - low) (1 - sqrt(t / steps))``: fast at first, then slower and slower.

    Source: A. Hägele et al., arXiv:2405.18392 ("1-sqrt"); as in timm, Megatron-LM and Hugging Face.

    >>> SqrtDecay(1.0, 0.0, steps=16)(np.array([0, 1, 4, 9, 16])).tolist()
    [1.0, 0.75, 0.5, 0.25, 0.0]
    """

    def _shares(self, done: Any, total: Any) -> tuple[Any, Any]:
        root = np.sqrt(done / total)
        return (total - done) / total / (1.0 + root), root


@dataclass(frozen=True)
class PowerDecay(_Decay):
    """``low + (high - low) (1 - (t / steps)^power)``; ``power`` is above 0.

    As decay_fn="power" of timm's WSDLRScheduler.

    >>> PowerDecay(1.0, 0.0, steps=4, power=2.0)(np.array([0, 2, 4])).tolist()
    [1.0, 0.75, 0.0]
    """

    power: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("power", self.power, above=0)

    def _shares(self, done: Any, total: Any) -> tuple[Any, Any]:
        share, rest = done / total, (total - done) / total
        return _one_minus(share, rest, self.power), positive_power(share, self.power)


@dataclass(frozen=True)
class RatioDecay(_Decay):
    """An exponential that falls to ``ratio`` of its start, moved and scaled to reach ``low``.

    ``low + (high - low) (ratio^x - ratio) / (1 - ratio)`` with x = t / steps; ``ratio`` is above 0
    and not 1. As decay_fn="exp" of timm's WSDLRScheduler; with ratio=0.5 it is Megatron-LM's
    "exponential", 2 * 0.5^x - 1.

    >>> RatioDecay(1.0, 0.0, steps=2, ratio=0.25)(np.array([0, 1, 2])).round(12).tolist()
    [1.0, 0.333333333333, 0.0]
    """

    ratio: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("ratio", self.ratio, above=0)
        if self.ratio == 1:
            raise ValueError("ratio=1 is no decay: give another, or use Linear, its limit")

    def _shares(self, done: Any, total: Any) -> tuple[Any, Any]:
        log, fall = np.log(self.ratio), 1.0 - self.ratio
        left = self.ratio * np.expm1((total - done) / total * -log) / fall
        return left, -np.expm1(done / total * log) / fall


@dataclass(frozen=True)
class Tanh(_Decay):
    """``low + (high - low) (1 - tanh(x)) / 2``, x from ``lower`` at step 0 to ``upper`` at the end.

    It is near ``high`` at first and near ``low`` at last, not there. Source: B. Hsueh et al.,
    arXiv:1806.01593; one cycle of timm's TanhLRScheduler, but clamped.

    >>> Tanh(1.0, 0.0, steps=10)(np.array([0, 7, 10])).round(6).tolist()
    [0.999999, 0.5, 0.002473]
    """

    lower: float = -7.0
    upper: float = 3.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("lower", self.lower)
        check_number("upper", self.upper)
        if self.upper <= self.lower:
            raise ValueError(f"upper must be above lower={self.lower!r}, got {self.upper!r}")

    def _shares(self, done: Any, total: Any) -> tuple[Any, Any]:
        twice = 2.0 * (self.lower * (total - done) + self.upper * done) / total
        small = np.exp(-np.abs(twice))  # (1 - tanh(x)) / 2 is 1 / (1 + exp(2 x))
        less, more = small / (1.0 + small), 1.0 / (1.0 + small)
        return np.where(twice > 0, less, more), np.where(twice > 0, more, less)


@dataclass(frozen=True)
class CosineDecay(_Decay):
    """Half a cosine from ``high`` at step 0 to ``low``, the value from step ``steps`` on.

    The share of ``high`` is h = (1 + cos(pi x)) / 2 with x = t / steps. Then, each if it is given:
    ``exponent`` takes h^exponent (optax's cosine_decay_schedule), ``k_decay`` takes x^k_decay
    (timm's CosineLRScheduler; T. Zhang and W. Li, arXiv:2004.05909), both above 0, 1 being none;
    ``cycles`` is how many waves there are before step ``steps``, instead of half a one, and with
    ``clamped=False`` they go on for ever (Hugging Face's cosine schedules, num_cycles).

    >>> CosineDecay(1.0, 0.2, steps=10)(np.array([0, 5, 10, 20])).round(12).tolist()
    [1.0, 0.6, 0.2, 0.2]
    >>> CosineDecay(1.0, 0.0, steps=10, exponent=2.0)(np.array([0, 5, 10])).round(12).tolist()
    [1.0, 0.25, 0.0]

    Raises ValueError for numbers out of these ranges, for ``k_decay`` with ``cycles`` or without
    a clamp, and for no ``steps`` without one.
    """

    exponent: float | None = None
    k_decay: float | None = None
    cycles: float = 0.5
    clamped: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("exponent", "k_decay"):
            value = getattr(self, name)
            if value is not None:
                check_number(name, value, above=0)
                if not isinstance(value, np.ndarray) and value == 1:
                    object.__setattr__(self, name, None)
        check_number("cycles", self.cycles, at_least=0)
        if not self.clamped:
            check_number("steps", self.steps, above=0)
        if self.k_decay is not None and not (self.clamped and self.cycles == 0.5):
            raise ValueError(
                f"k_decay={self.k_decay!r} bends half a wave that ends: leave cycles at 0.5 and "
                f"clamped at True, got cycles={self.cycles!r} and clamped={self.clamped!r}"
            )

    def __call__(self, t: Any) -> Any:
        if self.clamped:
            return np.where(t < self.steps, super().__call__(t), self.low)
        left, gone = self._shares(t, self.steps)
        return self.low * gone + self.high * left

    def _shares(self, done: Any, total: Any) -> tuple[Any, Any]:
        if self.k_decay is None:
            waved = 2.0 * self.cycles * done
            left, gone = half_cosine((total - waved) / total), half_cosine(waved / total)
        else:
            share, rest = done / total, (total - done) / total
            left = half_cosine(_one_minus(share, rest, self.k_decay))
            gone = half_cosine(positive_power(share, self.k_decay))
        if self.exponent is None:
            return left, gone
        return positive_power(left, self.exponent), _one_minus(left, gone, self.exponent)


@dataclass(frozen=True)
class CosineRestarts(Schedule):
    """``cycles`` half cosines from ``high`` to ``low``, all of one length, within ``steps``.

    Each begins at ``high`` again, and from step ``steps`` on it is ``low``. As Hugging Face's
    cosine_with_restarts. For cycles of growing length there is ``restarts``.

    >>> CosineRestarts(1.0, 0.0, steps=8, cycles=2)(np.array([0, 2, 4, 6, 8])).round(12).tolist()
    [1.0, 0.5, 1.0, 0.5, 0.0]

    Raises ValueError if ``steps`` is negative or ``cycles`` is not above 0.
    """

    high: float
    low: float
    steps: float
    cycles: float = 1.0

    def __post_init__(self) -> None:
        check_number("high", self.high)
        check_number("low", self.low)
        check_number("steps", self.steps, at_least=0)
        check_number("cycles", self.cycles, above=0)

    def __call__(self, t: Any) -> Any:
        done, total = progress(t, self.steps)
        at = self.cycles * done % total
        value = self.low * half_cosine(at / total) + self.high * half_cosine((total - at) / total)
        return np.where(t < self.steps, value, self.low)

    def length(self) -> float:
        return self.steps
