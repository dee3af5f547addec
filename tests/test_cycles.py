"""Cycles and restarts in float64, beside loops over fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from annealing import SHAPES, H, L, T, blended, close, cosine, steps_of
from mpmath import mpf

from grilly.schedules import (
    CosineDecay,
    CosineRestarts,
    Linear,
    PolynomialDecay,
    restarts,
)
from grilly.schedules.steps import MOST_STEPS, NEVER


@pytest.mark.parametrize("cycles", [1, 2, 3, 7, 2.5])
def test_cosine_restarts_are_equal_parts_and_then_low(cycles: float) -> None:
    """Also where the parts are no whole number of steps, and their ends no exact quotients."""

    def plain(t: float) -> mpf:
        at = Fraction(t) * Fraction(cycles) % Fraction(T) / Fraction(T)
        return blended(H, L, cosine(mpf(at.numerator) / at.denominator)) if t < T else mpf(L)

    close(CosineRestarts(H, L, T, cycles), plain, [t for t in steps_of(T) if t >= 0])
    many = CosineRestarts(1.0, 0.0, 7 * 1001, cycles=7)
    assert [float(many(1001 * i)) for i in range(9)] == [1.0] * 7 + [0.0] * 2


class Loop:
    """Cycles one after the other, added up as fractions."""

    def __init__(self, first: str, stretch: str, limit: int, whole: bool = False) -> None:
        self.starts, length = [Fraction(0)], Fraction(first)
        while True:
            length = Fraction(length.numerator // length.denominator) if whole else length
            if length < 1 or len(self.starts) > limit:
                break
            self.starts.append(self.starts[-1] + length)
            length *= Fraction(stretch)

    def at(self, t: float) -> tuple[int, mpf] | None:
        """Return the number of the cycle of step ``t`` and how much of it is done."""
        for i, (start, end) in enumerate(zip(self.starts, self.starts[1:], strict=False)):
            if start <= t < end:
                done = (Fraction(t) - start) / (end - start)
                return i, mpf(done.numerator) / done.denominator
        return None


CYCLES = [("10", "2", 6), ("10", "1.5", 6), ("30", "1.1", 9), ("40", "0.7", 99), ("7.5", "1", 5)]


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize(("first", "stretch", "limit"), CYCLES)
@pytest.mark.parametrize("name", ["cosine", "k", "tanh", "triangle", "linear", "ratio"])
def test_cycles(name: str, first: str, stretch: str, limit: int, whole: bool) -> None:
    make, shape = SHAPES[name]
    loop = Loop(first, stretch, limit, whole)

    def plain(t: float) -> mpf:
        found = loop.at(t)
        i, done = found or (len(loop.starts) - 2, mpf(1))
        peak = L + (mpf(H) - L) * mpf(0.8) ** i
        low = mpf(L) * mpf(0.9) ** i
        return low if found is None else blended(peak, low, shape(done))

    cycles = restarts(
        make(H, L, float(first)), float(stretch), 0.8, toward=L, low_decay=0.9, limit=limit,
        whole=whole,
    )  # fmt: skip
    near = [float(s) + d for s in loop.starts for d in (0, 1, 2.5) if s == int(s)]
    close(cycles, plain, [*near, *range(0, 200, 7), 1e6])


@pytest.mark.parametrize("first", range(1, 13))
@pytest.mark.parametrize("stretch", range(2, 11))
def test_no_restart_is_missed(first: int, stretch: int) -> None:
    """floor(log()) misses one in 36 of these 108; so torch, timm and Keras in float32 do."""
    cycles = restarts(CosineDecay(1.0, 0.0, first), stretch)
    start, length = 0, first
    while start + length < 2**53:
        assert float(cycles(start)) == 1.0, start
        if length > 1:
            assert 0 < float(cycles(start + length - 1)) < 1, start
        start, length = start + length, length * stretch


def test_a_decimal_stretch_restarts_where_the_decimals_do() -> None:
    """1000, 2100, 3310, 4641: the float 1.1 is a little more, and would miss the last."""
    cycles = restarts(Linear(1.0, 0.0, 1000), 1.1)
    assert [float(cycles(t)) for t in (0, 1000, 2100, 3310, 4641)] == [1.0] * 5


def test_equal_cycles_never_end_and_shrinking_ones_do() -> None:
    assert float(restarts(CosineDecay(1.0, 0.0, 10))(10 * 2**45)) == 1.0
    shrinking = restarts(Linear(1.0, 0.0, 4), 0.5)  # of 4, 2 and 1 steps
    assert shrinking(np.arange(9)).tolist() == [1, 0.75, 0.5, 0.25, 1, 0.5, 1, 0, 0]


def test_no_cycle_begins_behind_the_last_step() -> None:
    """A limit beyond what a clock reaches asks for no start that would count as none."""
    starts = restarts(Linear(1.0, 0.0, 4), stretch=2.0, limit=100).starts
    assert starts[-2] <= MOST_STEPS < starts[-1] < NEVER


def test_polynomial_cycles_and_a_limit() -> None:
    cycles = restarts(PolynomialDecay(1.0, 0.0, 2, power=2.0), decay=0.5, limit=3)
    assert cycles(np.arange(8)).tolist() == [1, 0.25, 0.5, 0.125, 0.25, 0.0625, 0, 0]
