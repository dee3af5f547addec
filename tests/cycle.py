"""torch's one-cycle schedule and Adam's corrections, written out in mpmath: no grilly in it."""

from __future__ import annotations

from functools import cache

import numpy as np
from mpmath import mp, mpf
from plain import F
from truth import float32_bits

STEPS = 10_000
MAX_LR, TOTAL = 0.01, STEPS + 1


def rounded(value: mpf) -> F:
    return np.uint32(float32_bits(value)).view(F)  # type: ignore[no-any-return]


def annealed(start: float, end: float, share: mpf) -> mpf:
    return start * mp.sinpi((1 - share) / 2) ** 2 + end * mp.sinpi(share / 2) ** 2


def cycled(t: int, first: float, second: float, third: float) -> mpf:
    """Return torch's two-phase cosine cycle, exactly: pct_start 0.3 of TOTAL steps."""
    peak, last = mpf(float(0.3 * TOTAL) - 1), mpf(TOTAL - 1)
    if t <= peak:
        return annealed(first, second, t / peak)
    return annealed(second, third, (t - peak) / (last - peak))


@cache
def exact_rows(steps: int) -> list[tuple[F, ...]]:
    """Return (lr, beta1, 1 - beta1, debias1, debias2) of each step, from 50 digits."""
    rows = []
    with mp.workdps(50):
        for t in range(steps):
            start = MAX_LR / 25.0
            lr = cycled(t, start, MAX_LR, start / 1e4)
            beta1 = cycled(t, 0.95, 0.85, 0.95)
            debias1 = 1 / (1 - beta1 ** (t + 1))
            debias2 = 1 / mp.sqrt(1 - mpf(0.999) ** (t + 1))
            rows.append(tuple(map(rounded, (lr, beta1, 1 - beta1, debias1, debias2))))
    return rows
