"""xfloat's exp, log, sin, cos and tanh against mpmath: the error of each, in 2**-64."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf
from xfloat_operands import fractions, near_right_angles, numbers, reals, relative_error

from grilly import xfloat
from grilly.program import evaluate, program
from grilly.xfloat import EXPONENT_LIMIT, X

COUNT = 2_000
PRECISION = 1_400  # the angle of 2**1024 needs 1024 bits of pi before the first that counts

LOGARITHMS = (xfloat.log, xfloat.log10, xfloat.rounded_log2)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(32)


ORACLES: dict[str, Callable[[mpf], mpf]] = {
    "exp": mp.exp,
    "expm1": mp.expm1,
    "log": mp.log,
    "log10": mp.log10,
    "log1p": mp.log1p,
    "rounded_log2": lambda a: mp.log(a) / mp.ln2,
    "sin": mp.sin,
    "cos": mp.cos,
    "sinpi": mp.sinpi,
    "cospi": mp.cospi,
    "tanh": mp.tanh,
}
# (function, exponents of its arguments, worst error allowed in units of 2**-64)
MEASURED = [
    ("exp", -200, -5, 2.5),
    ("exp", -5, 2, 2.5),
    ("exp", 2, 13, 2.5),
    ("log", -70, 70, 1.1),
    ("log", 0, 2, 1.1),
    ("log", 2000, 9000, 1.1),
    ("log10", -70, 70, 1.1),
    ("log10", 0, 2, 1.1),
    ("rounded_log2", -70, 70, 1.1),
    ("rounded_log2", 0, 2, 1.1),
    ("sin", -200, -5, 3),
    ("sin", -5, 1, 3),
    ("sin", 1, 70, 3),
    ("sin", 70, 1025, 3),
    ("cos", -200, -5, 3),
    ("cos", -5, 1, 3),
    ("cos", 1, 70, 3),
    ("cos", 70, 1025, 3),
    ("sinpi", -70, -5, 3),
    ("sinpi", -5, 1, 3),
    ("sinpi", 1, 70, 3),
    ("cospi", -70, -5, 3),
    ("cospi", -5, 1, 3),
    ("cospi", 1, 70, 3),
    ("tanh", -200, -5, 2.5),
    ("tanh", -5, 0, 2.5),
    ("tanh", 0, 1, 4.5),
    ("tanh", 1, 3, 3),
    ("tanh", 3, 70, 1.5),
    ("expm1", -80, -5, 6),
    ("expm1", -5, 2, 6),
    ("expm1", 2, 13, 6),
    ("log1p", -80, -5, 5),
    ("log1p", -5, 2, 5),
    ("log1p", 2, 70, 5),
]


def composed(function: Callable[..., Any]) -> Callable[[X], X]:
    """Return a function that numpy has and xfloat has not, as the language computes it."""
    p = program(lambda t: function(t))
    return lambda x: evaluate(p.structure, p.constants, x, xfloat.from_int(1))


def function_of(name: str) -> Callable[[X], X]:
    return getattr(xfloat, name) if hasattr(xfloat, name) else composed(getattr(np, name))


def arguments(name: str, low: int, high: int, rng: np.random.Generator, count: int) -> X:
    """Return numbers in the domain of the function."""
    x = numbers(rng, count, low, high)
    if name == "log1p":
        return xfloat.where(xfloat.less_equal(x, xfloat.from_int(-1)), xfloat.absolute(x), x)
    if "log" in name:
        return xfloat.absolute(xfloat.where(x.m == 0, xfloat.from_int(3), x))
    return x


def measured(name: str, x: X) -> mpf:
    with mp.workprec(PRECISION):
        return relative_error(reals(function_of(name)(x)), [ORACLES[name](v) for v in reals(x)])


@pytest.mark.parametrize(("name", "low", "high", "bound"), MEASURED)
def test_error(name: str, low: int, high: int, bound: float, rng: np.random.Generator) -> None:
    assert measured(name, arguments(name, low, high, rng, COUNT)) <= bound


@pytest.mark.heavy
def test_errors_over_many_more(rng: np.random.Generator) -> None:
    """The numbers that docs/xfloat.md states; run with -s."""
    for name, low, high, bound in MEASURED:
        error = measured(name, arguments(name, low, high, rng, 50 * COUNT))
        print(f"{name}, exponents {low} to {high}: {float(error):.2f}")
        assert error <= bound


@pytest.mark.parametrize("name", ["sin", "cos"])
def test_error_beside_the_zeros(name: str) -> None:
    """The numbers of all exponents that come nearest to a multiple of pi / 2."""
    x = near_right_angles()
    with mp.workprec(PRECISION):
        least = min(abs(ORACLES[name](value)) for value in reals(x))
    assert least < mpf(2) ** -70  # so near do some come
    assert measured(name, x) <= 3


def test_error_of_log_beside_one() -> None:
    steps = np.floor(2.0 ** np.linspace(0, 61.9, COUNT)).astype(np.uint64)
    above = X((1 << 63) + steps, np.ones(COUNT, np.int64), np.zeros(COUNT, bool))
    below = X(-steps, np.zeros(COUNT, np.int64), np.zeros(COUNT, bool))
    for name in ("log", "log10", "rounded_log2"):
        assert max(measured(name, above), measured(name, below)) <= 1.1


def test_landmarks_are_exact() -> None:
    """Where the value of a function is simple, it is met."""
    one, zero = xfloat.from_int(1), xfloat.from_int(0)
    assert [fractions(f(zero)) for f in (xfloat.sin, xfloat.tanh)] == [[0], [0]]
    assert [fractions(f(zero)) for f in (xfloat.cos, xfloat.exp)] == [[1], [1]]
    assert [fractions(f(one)) for f in LOGARITHMS] == [[0]] * 3
    halves = xfloat.from_float64(np.array([-2.5, -1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 2.0**63 + 2048]))
    assert fractions(xfloat.sinpi(halves)) == [-1, 0, 0, 1, 0, -1, 0, 0]
    assert fractions(xfloat.cospi(halves)) == [0, -1, 1, 0, -1, 0, 1, 1]
    tens = xfloat.from_int(np.array([10**n for n in range(20)], object))
    assert fractions(xfloat.log10(tens)) == list(range(20))
    powers = X(np.full(200, 1 << 63, np.uint64), np.arange(-99, 101), np.zeros(200, bool))
    assert fractions(xfloat.rounded_log2(powers)) == list(range(-100, 100))
    assert fractions(xfloat.tanh(xfloat.from_int([23, -23, 10**9]))) == [1, -1, 1]


def test_signs(rng: np.random.Generator) -> None:
    x = numbers(rng, COUNT, -70, 1030)
    for odd in (xfloat.sin, xfloat.sinpi, xfloat.tanh):
        assert xfloat.equal(odd(xfloat.negative(x)), xfloat.negative(odd(x))).all()
    for even in (xfloat.cos, xfloat.cospi):
        assert xfloat.equal(even(xfloat.negative(x)), even(x)).all()


def test_nothing_is_undefined() -> None:
    lowest = xfloat.negative(X(np.uint64((1 << 64) - 1), np.int64(EXPONENT_LIMIT), np.False_))
    for value in (0.0, -1.0, -1e300):
        for log in LOGARITHMS:
            assert xfloat.equal(log(xfloat.from_float64(value)), lowest)
    assert int(xfloat.exp(lowest).m) == 0
    assert xfloat.equal(xfloat.exp(xfloat.negative(lowest)), xfloat.negative(lowest))
    assert fractions(xfloat.tanh(lowest)) == [-1]
    beyond = X(
        np.full(3, 3 << 62, np.uint64), np.array([1025, 9000, EXPONENT_LIMIT]), np.zeros(3, bool)
    )
    assert fractions(xfloat.sin(beyond)) == [0] * 3
    assert fractions(xfloat.cos(beyond)) == [1] * 3


def test_every_float64_has_a_sine() -> None:
    """The largest one is still reduced."""
    with mp.workprec(PRECISION):
        largest = np.finfo(np.float64).max
        got = xfloat.sin(xfloat.from_float64(largest))
        assert abs(float(xfloat.to_float64(got)) - float(mp.sin(mpf(float(largest))))) < 1e-16


def test_composed_at_their_edges() -> None:
    log1p, expm1 = composed(np.log1p), composed(np.expm1)
    assert fractions(expm1(xfloat.from_float64([-65.0, -1e9, 0.0, 2.0**-70]))) == [
        -1,
        -1,
        0,
        Fraction(1, 2**70),
    ]
    assert fractions(log1p(xfloat.from_float64([0.0, -(2.0**-70)]))) == [0, Fraction(-1, 2**70)]
    assert int(log1p(xfloat.from_int(-1)).e) == EXPONENT_LIMIT
    assert bool(log1p(xfloat.from_int(-3)).s)
    values = xfloat.from_float64([-2.5, -2.0, -0.5, 0.0, 0.5, 2.0, 2.5])
    assert fractions(composed(np.ceil)(values)) == [-2, -2, 0, 0, 1, 2, 3]
    assert fractions(composed(np.trunc)(values)) == [-2, -2, 0, 0, 0, 2, 2]
    assert fractions(composed(np.sign)(values)) == [-1, -1, -1, 0, 1, 1, 1]
