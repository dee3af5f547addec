"""Plain formulas of annealing, in 60 digits, and how near to them float64 must be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from mpmath import mp, mpf

from grilly.schedules import (
    CosineDecay,
    Linear,
    PowerDecay,
    RatioDecay,
    Schedule,
    SqrtDecay,
    Tanh,
    Triangle,
    from_json,
)

DIGITS = 60
RELATIVE, OF_LARGEST = 1e-12, 4e-16
Shape = Callable[[mpf], mpf]  # the share of the first value, of how much is done
H, L, T = 0.3, 0.02, 37.0


def cosine(x: mpf) -> mpf:
    return (1 + mp.cos(mp.pi * x)) / 2


def tanh(x: mpf) -> mpf:
    return (1 - mp.tanh(-6 * (1 - x) + 4 * x)) / 2


SHAPES: dict[str, tuple[Callable[..., Schedule], Shape]] = {
    "linear": (Linear, lambda x: 1 - x),
    "triangle": (Triangle, lambda x: abs(1 - 2 * x)),
    "sqrt": (SqrtDecay, lambda x: 1 - mp.sqrt(x)),
    "power": (lambda *a: PowerDecay(*a, power=1.7), lambda x: 1 - x ** mpf(1.7)),
    "ratio": (
        lambda *a: RatioDecay(*a, ratio=0.1),
        lambda x: (mpf(0.1) ** x - mpf(0.1)) / (1 - mpf(0.1)),
    ),
    "megatron": (lambda *a: RatioDecay(*a, ratio=0.5), lambda x: 2 * mpf(0.5) ** x - 1),
    "tanh": (lambda *a: Tanh(*a, lower=-6, upper=4), tanh),
    "cosine": (CosineDecay, cosine),
    "exponent": (lambda *a: CosineDecay(*a, exponent=1.7), lambda x: cosine(x) ** mpf(1.7)),
    "k": (lambda *a: CosineDecay(*a, k_decay=1.7), lambda x: cosine(x ** mpf(1.7))),
    "both": (
        lambda *a: CosineDecay(*a, exponent=0.6, k_decay=1.7),
        lambda x: cosine(x ** mpf(1.7)) ** mpf(0.6),
    ),
}


def blended(high: float, low: float, share: mpf) -> mpf:
    return mpf(low) * (1 - share) + mpf(high) * share


def steps_of(total: float) -> list[float]:
    """Return steps before, in and behind a phase, some of them no whole ones."""
    inside = [0, 0.25, 1, 2, total / 2, total / 3, total - 1, total - 0.5, total - 2**-20]
    return [*inside, -1, -0.5, total, total + 0.5, total + 1, 10 * total]


def close(schedule: Schedule, plain: Callable[[float], Any], steps: list[float]) -> None:
    """Check numbers and arrays of steps: relative to each value or to the largest."""
    with mp.workdps(DIGITS):
        want = np.array([float(plain(t)) for t in steps])
    got = np.array([float(schedule(t)) for t in steps])
    np.testing.assert_allclose(
        got, want, rtol=RELATIVE, atol=OF_LARGEST * np.abs(want).max(), err_msg=str(schedule)
    )
    at_once = schedule(np.array(steps))
    np.testing.assert_allclose(at_once, got, rtol=1e-14, atol=0)
    np.testing.assert_array_equal(from_json(schedule.to_json())(np.array(steps)), at_once)
