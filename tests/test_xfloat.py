"""xfloat's arithmetic against exact fractions: all of it is exact or rounded correctly."""

from __future__ import annotations

import operator
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from xfloat_operands import RANGES, exponent, fractions, nearest, numbers, pairs

from grilly import xfloat
from grilly.xfloat import EXPONENT_LIMIT, X

COUNT = 4_000
ALL_ONES = (1 << 64) - 1
NAMED_RANGES = [name for name in RANGES if name != "all"]  # whose fractions are of bearable size


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20)


ROUNDED: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
}
EXACT: dict[str, Callable[[Fraction, Fraction], Any]] = {
    "minimum": min,
    "maximum": max,
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "equal": operator.eq,
    "not_equal": operator.ne,
}
EXACT_OF_ONE: dict[str, Callable[[Fraction], Fraction]] = {
    "negative": operator.neg,
    "absolute": abs,
    "floor": lambda a: a // 1,
}


@pytest.mark.parametrize("span", NAMED_RANGES)
@pytest.mark.parametrize("name", ROUNDED)
def test_correctly_rounded(name: str, span: str, rng: np.random.Generator) -> None:
    a, b = pairs(rng, COUNT, *RANGES[span])
    if name == "div":
        b = xfloat.where(b.m == 0, xfloat.from_int(3), b)
    exact = map(ROUNDED[name], fractions(a), fractions(b))
    assert fractions(getattr(xfloat, name)(a, b)) == list(map(nearest, exact))


@pytest.mark.parametrize("name", EXACT)
def test_exact(name: str, rng: np.random.Generator) -> None:
    a, b = pairs(rng, COUNT, -5, 5)
    got = getattr(xfloat, name)(a, b)
    values = fractions(got) if isinstance(got, X) else got.tolist()
    assert values == list(map(EXACT[name], fractions(a), fractions(b)))


@pytest.mark.parametrize("name", EXACT_OF_ONE)
def test_exact_of_one(name: str, rng: np.random.Generator) -> None:
    a = numbers(rng, COUNT, -5, 70)
    got = getattr(xfloat, name)(a)
    assert fractions(got) == list(map(EXACT_OF_ONE[name], fractions(a)))


@pytest.mark.parametrize("span", NAMED_RANGES)
def test_sqrt_is_correctly_rounded(span: str, rng: np.random.Generator) -> None:
    a = xfloat.absolute(numbers(rng, COUNT, *RANGES[span]))
    for value, root in zip(fractions(a), fractions(xfloat.sqrt(a)), strict=True):
        half_unit = Fraction(2) ** (exponent(root) - 65) if root else 0
        assert (root - half_unit) ** 2 <= value <= (root + half_unit) ** 2


@pytest.mark.parametrize("span", NAMED_RANGES)
def test_floor_divide_and_remainder(span: str, rng: np.random.Generator) -> None:
    a, b = pairs(rng, COUNT, *RANGES[span])
    b = xfloat.where(b.m == 0, xfloat.from_int(3), b)
    quotients, remainders = xfloat.floor_divide(a, b), xfloat.remainder(a, b)
    rows = zip(*map(fractions, (a, b, quotients, remainders)), strict=True)
    for x, y, quotient, remainder in rows:
        large = abs(x / y) >= 1 << 64
        assert quotient == (nearest(x / y) if large else x // y)
        assert remainder == (0 if large else nearest(x % y))


@pytest.mark.parametrize("a", [7, -7, 6, -6, 0, 2**64 - 1, 1 - 2**64])
@pytest.mark.parametrize("b", [3, -3, 1, -1, 2**64 - 1])
def test_division_of_integers_is_pythons(a: int, b: int) -> None:
    x, y = xfloat.from_int(a), xfloat.from_int(b)
    assert fractions(xfloat.floor_divide(x, y)) == [a // b]
    assert fractions(xfloat.remainder(x, y)) == [a % b]


# ---- Where there is no answer, and shapes --------------------------------------------------------


def power_of_two(e: int, s: bool = False) -> X:
    return X(np.array([1 << 63], np.uint64), np.array([e + 1]), np.array([s]))


LARGEST = (ALL_ONES, EXPONENT_LIMIT, False)
LOWEST = (ALL_ONES, EXPONENT_LIMIT, True)
ZERO = (0, 0, False)
HUGE, TINY = power_of_two(EXPONENT_LIMIT - 1), power_of_two(-EXPONENT_LIMIT - 1)
MINUS, NOTHING, SEVEN = (xfloat.from_int([n]) for n in (-1, 0, 7))
# (function, operands, fields of the result)
ENDS: list[tuple[str, tuple[X, ...], tuple[int, int, bool]]] = [
    ("add", (HUGE, HUGE), LARGEST),
    ("sub", (xfloat.negative(HUGE), HUGE), LOWEST),
    ("mul", (HUGE, MINUS), (1 << 63, EXPONENT_LIMIT, True)),
    ("mul", (HUGE, xfloat.from_int([-3])), LOWEST),
    ("mul", (TINY, power_of_two(-1)), ZERO),
    ("mul", (TINY, power_of_two(0, True)), (1 << 63, -EXPONENT_LIMIT, True)),
    ("div", (TINY, xfloat.from_int([-2])), ZERO),
    ("div", (HUGE, TINY), LARGEST),
    ("div", (SEVEN, NOTHING), LARGEST),
    ("div", (MINUS, NOTHING), LOWEST),
    ("div", (NOTHING, NOTHING), ZERO),
    ("floor_divide", (SEVEN, NOTHING), LARGEST),
    ("floor_divide", (MINUS, NOTHING), LOWEST),
    ("floor_divide", (NOTHING, NOTHING), ZERO),
    ("floor_divide", (MINUS, HUGE), (1 << 63, 1, True)),
    ("floor_divide", (xfloat.negative(HUGE), TINY), LOWEST),
    ("remainder", (SEVEN, NOTHING), ZERO),
    ("remainder", (HUGE, SEVEN), ZERO),
    ("sqrt", (MINUS,), ZERO),
    ("sqrt", (power_of_two(-EXPONENT_LIMIT),), (1 << 63, -EXPONENT_LIMIT // 2 + 1, False)),
    ("floor", (xfloat.negative(TINY),), (1 << 63, 1, True)),
    ("floor", (TINY,), ZERO),
    ("exp2", (HUGE,), LARGEST),
    ("exp2", (xfloat.negative(HUGE),), ZERO),
    ("exp2", (xfloat.from_int([EXPONENT_LIMIT]),), LARGEST),
    ("exp2", (xfloat.from_int([-EXPONENT_LIMIT - 2]),), ZERO),
    ("exp2", (xfloat.from_int([-EXPONENT_LIMIT - 1]),), (1 << 63, -EXPONENT_LIMIT, False)),
    ("exp2", (TINY,), (1 << 63, 1, False)),
    ("half_cosine", (HUGE,), ZERO),
    ("half_cosine", (TINY,), ZERO),
    ("power", (NOTHING, SEVEN), ZERO),
    ("power", (NOTHING, TINY), ZERO),
    ("power", (NOTHING, MINUS), LARGEST),
    ("power", (NOTHING, NOTHING), (1 << 63, 1, False)),
    ("power", (MINUS, SEVEN), ZERO),
    ("power", (HUGE, HUGE), LARGEST),
    ("power", (TINY, HUGE), ZERO),
    ("negative", (NOTHING,), ZERO),
]


@pytest.mark.parametrize(("name", "operands", "want"), ENDS)
def test_ends(name: str, operands: tuple[X, ...], want: tuple[int, int, bool]) -> None:
    got = getattr(xfloat, name)(*operands)
    assert tuple(field.item() for field in got) == want


def test_where_chooses() -> None:
    a, b = xfloat.from_int([1, 2]), xfloat.from_int([-1, -2])
    assert fractions(xfloat.where(np.array([True, False]), a, b)) == [1, -2]


SHAPES = [((), ()), ((3,), ()), ((), (3,)), ((2, 1), (3,)), ((0,), ())]


@pytest.mark.parametrize(("left", "right"), SHAPES)
def test_functions_broadcast(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    a, b = xfloat.from_float64(np.full(left, 2.5)), xfloat.from_float64(np.full(right, -1.5))
    both = np.broadcast_shapes(left, right)
    for name in ("add", "mul", "div", "floor_divide", "remainder", "minimum", "power"):
        got = getattr(xfloat, name)(a, b)
        assert [np.shape(field) for field in got] == [both] * 3, name
        assert [field.dtype for field in got] == [np.uint64, np.int64, np.bool_], name
    for name in ("sqrt", "floor", "exp2", "half_cosine", "negative", "log2"):
        assert {np.shape(field) for field in getattr(xfloat, name)(a)} == {left}, name
    assert np.shape(xfloat.to_float32(a)) == np.shape(xfloat.to_float64(a)) == left
    assert np.shape(xfloat.less(a, b)) == both
