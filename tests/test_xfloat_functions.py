"""xfloat's powers, logarithms and half cosine against mpmath: the error of each, in 2**-64."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mp, mpf
from xfloat_operands import EDGES, UNIT, fractions, numbers, reals, relative_error

from grilly import xfloat
from grilly.xfloat import L, X

COUNT = 4_000


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(30)


def wide_reals(log: L) -> list[mpf]:
    m = [(int(high) << 64) + int(low) for high, low in zip(log.high, log.low, strict=True)]
    parts = zip(m, log.e.tolist(), log.s.tolist(), strict=True)
    return [(-1) ** s * mpf(m) * mpf(2) ** (e - 128) for m, e, s in parts]


def half_cosine(x: X) -> list[mpf]:
    """Reduce by the period with fractions: the argument may be as large as it wants."""
    turns = [min(value % 2, -value % 2) for value in fractions(x)]
    return [mp.sinpi(mpf(turn.numerator) / turn.denominator / 2) ** 2 for turn in turns]


# (function, exponents of its arguments, worst error allowed in units of 2**-64)
MEASURED_OF_ONE = [
    ("exp2", -70, -5, 2.5),
    ("exp2", -5, 2, 2.5),
    ("exp2", 2, 13, 2.5),
    ("half_cosine", -70, -5, 3.5),
    ("half_cosine", -5, 0, 3.5),
    ("half_cosine", 0, 3, 3.5),
    ("half_cosine", 3, 70, 3.5),
]
ORACLES: dict[str, Callable[[X], list[mpf]]] = {
    "exp2": lambda x: [mpf(2) ** value for value in reals(x)],
    "half_cosine": half_cosine,
}


def measured_of_one(name: str, low: int, high: int, rng: np.random.Generator, count: int) -> mpf:
    with mp.workprec(300):
        x = numbers(rng, count, low, high)
        return relative_error(reals(getattr(xfloat, name)(x)), ORACLES[name](x))


@pytest.mark.parametrize(("name", "low", "high", "bound"), MEASURED_OF_ONE)
def test_error_of_one(
    name: str, low: int, high: int, bound: float, rng: np.random.Generator
) -> None:
    assert measured_of_one(name, low, high, rng, COUNT) <= bound


# (exponents of the base, exponents of y, worst error allowed in units of 2**-64)
MEASURED_POWERS = [
    (0, 2, -70, 0, 2.5),
    (0, 2, 0, 12, 2.5),
    (0, 2, 12, 23, 2.5),
    (-60, 60, -5, 8, 2.5),
]


def measured_power(
    base: tuple[int, int], y: tuple[int, int], rng: np.random.Generator, count: int
) -> mpf:
    a, b = xfloat.absolute(numbers(rng, count, *base)), numbers(rng, count, *y)
    a = xfloat.where(a.m == 0, xfloat.from_int(3), a)
    with mp.workprec(300):
        logs = [mp.log(x, 2) * z for x, z in zip(reals(a), reals(b), strict=True)]
        keep = np.array([abs(log) < 9_000 for log in logs])
        exact = [mpf(2) ** log for log, kept in zip(logs, keep, strict=True) if kept]
        got = xfloat.power(X(*(f[keep] for f in a)), X(*(f[keep] for f in b)))
        assert len(exact) > count // 10
        return relative_error(reals(got), exact)


@pytest.mark.parametrize(("a_low", "a_high", "y_low", "y_high", "bound"), MEASURED_POWERS)
def test_error_of_power(
    a_low: int, a_high: int, y_low: int, y_high: int, bound: float, rng: np.random.Generator
) -> None:
    assert measured_power((a_low, a_high), (y_low, y_high), rng, COUNT) <= bound


# Powers near 1 of huge exponents: (base, y), and the value to be met within 3 units.
HUGE = [(1 - 1e-6, 1e9), (1 + 2.0**-40, 2.0**49), (0.9999, 2_000_000), (2.0, 0.5), (3.0, 10_000)]


@pytest.mark.parametrize(("base", "y"), HUGE)
def test_power_of_huge_exponents(base: float, y: float) -> None:
    with mp.workprec(300):
        got = xfloat.power(xfloat.from_float64(base), xfloat.from_float64(y))
        m = mpf(int(got.m)) * mpf(2) ** (int(got.e) - 64)
        assert abs(m / mpf(base) ** mpf(y) - 1) <= 3 * UNIT


LOG2_BOUND = mpf(2) ** -100
LOG2_ARGUMENTS = {
    "ordinary": lambda rng: xfloat.absolute(numbers(rng, COUNT, -70, 70)),
    "near one": lambda rng: xfloat.absolute(numbers(rng, COUNT, 0, 2)),
    "next above one": lambda rng: X(
        (1 << 63) + _steps(), np.ones(COUNT, np.int64), np.zeros(COUNT, bool)
    ),
    "next below one": lambda rng: X(-_steps(), np.zeros(COUNT, np.int64), np.zeros(COUNT, bool)),
    "large": lambda rng: xfloat.absolute(numbers(rng, COUNT, 2000, 9000)),
}


def _steps() -> Any:
    """Return distances from 1, from one unit on up to 2**62."""
    return np.floor(2.0 ** np.linspace(0, 61.9, COUNT)).astype(np.uint64)


def measured_log2(a: X) -> mpf:
    a = xfloat.where(a.m == 0, xfloat.from_int(3), a)
    with mp.workprec(500):
        exact = [mp.log(value, 2) for value in reals(a)]
        return relative_error(wide_reals(xfloat.log2(a)), exact) * UNIT


@pytest.mark.parametrize("arguments", LOG2_ARGUMENTS)
def test_error_of_log2(arguments: str, rng: np.random.Generator) -> None:
    assert measured_log2(LOG2_ARGUMENTS[arguments](rng)) <= LOG2_BOUND


@pytest.mark.heavy
def test_errors_are_within_bounds_on_many_more(rng: np.random.Generator) -> None:
    """Prints what docs/xfloat.md states; run with -s."""
    for name, low, high, bound in MEASURED_OF_ONE:
        error = measured_of_one(name, low, high, rng, 25 * COUNT)
        print(f"{name}, exponents {low} to {high}: {float(error):.2f}")
        assert error <= bound
    for a_low, a_high, y_low, y_high, bound in MEASURED_POWERS:
        error = measured_power((a_low, a_high), (y_low, y_high), rng, 25 * COUNT)
        print(f"power, exponents {a_low} to {a_high}, {y_low} to {y_high}: {float(error):.2f}")
        assert error <= bound
    for name, arguments in LOG2_ARGUMENTS.items():
        error = max(measured_log2(arguments(rng)) for _ in range(25))
        print(f"log2, {name}: 2**{float(mpmath.log(error, 2)):.1f}")
        assert error <= LOG2_BOUND


def test_landmarks_are_exact() -> None:
    """Where the value of a function is simple, it is met."""
    halves = xfloat.from_float64(np.arange(-6, 7) / 2)
    assert xfloat.to_float64(xfloat.half_cosine(halves)).tolist() == [1, 0.5, 0, 0.5] * 3 + [1]
    whole = np.arange(-1000, 1001)
    assert fractions(xfloat.exp2(xfloat.from_int(whole))) == [Fraction(2) ** int(n) for n in whole]
    powers = X(np.full(200, 1 << 63, np.uint64), np.arange(-99, 101), np.zeros(200, bool))
    assert wide_reals(xfloat.log2(powers)) == list(range(-100, 100))
    assert fractions(xfloat.sqrt(xfloat.from_int(np.arange(99) ** 2))) == list(range(99))
    edges = X(EDGES, np.ones(len(EDGES), np.int64), np.zeros(len(EDGES), bool))
    assert fractions(xfloat.power(edges, xfloat.from_int(0))) == [1] * len(EDGES)
