"""Operands that find mistakes in xfloat, and what their values are: exact fractions."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
from mpmath import mp, mpf

from grilly import xfloat
from grilly.xfloat import EXPONENT_LIMIT, X
from grilly.xfloat.tables import SQRT_HALF

# Words that make carries, ties and the widest guesses of a division likely.
WORDS = np.array(
    [0, 1, 2, 0x7FFFFFFF, 0x80000000, 0x80000001, 0x8000FFFF, 0xFFFEFFFF, 0xFFFF0000, 0xFFFFFFFE,
     0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF],
    np.uint64,
)  # fmt: skip
# Significands next to 1, to its square roots, and to where log2 and half_cosine change sides.
EDGES = np.array(
    [1 << 63, (1 << 63) + 1, (1 << 64) - 1, (1 << 64) - 2, 3 << 62, (3 << 62) + 1, 0x8000FFFF << 32,
     SQRT_HALF - 1, SQRT_HALF, SQRT_HALF + 1],
    np.uint64,
)  # fmt: skip
# Exponents: ordinary numbers, numbers near 1, float32's smallest and largest, the ends of X.
RANGES = {
    "ordinary": (-70, 70),
    "near one": (-2, 3),
    "small": (-155, -120),
    "large": (110, 135),
    "all": (-EXPONENT_LIMIT, EXPONENT_LIMIT + 1),
}
TOP = np.uint64(1 << 63)
UNIT = mpf(2) ** -64


def significands(rng: np.random.Generator, count: int) -> Any:
    """Return a quarter each: random, made of edge words, edges, numbers of few bits."""
    random = rng.integers(0, 1 << 64, count, np.uint64)
    words = rng.choice(WORDS, count) << np.uint64(32) | rng.choice(WORDS, count)
    few = random & ~np.uint64(0) << rng.integers(40, 64, count).astype(np.uint64)
    kinds = [random, words, rng.choice(EDGES, count), few]
    return np.choose(rng.integers(0, 4, count), kinds) | TOP


def numbers(rng: np.random.Generator, count: int, low: int, high: int) -> X:
    """Return numbers with exponents from ``low`` to below ``high``, a few zeros among them."""
    e = rng.integers(low, high, count)
    nonzero = rng.random(count) > 0.02
    s = rng.random(count) < 0.5
    m = np.where(nonzero, significands(rng, count), np.uint64(0))
    return X(m, np.where(nonzero, e, 0), s & nonzero)


def neighbours(rng: np.random.Generator, a: X) -> X:
    """Return numbers that nearly cancel ``a``, or end where its last place begins."""
    count = len(a.m)
    near = np.clip(a.e + rng.choice([0, 0, 0, 1, -1], count), -EXPONENT_LIMIT, EXPONENT_LIMIT)
    far = np.maximum(near - rng.integers(62, 68, count), -EXPONENT_LIMIT)
    nudged = a.m + rng.integers(-3, 4, count).astype(np.uint64) | TOP
    apart = rng.random(count) < 0.5
    m = np.where(apart, significands(rng, count), nudged)
    return X(m, np.where(apart, far, near), rng.random(count) < 0.5)


def pairs(rng: np.random.Generator, count: int, low: int, high: int) -> tuple[X, X]:
    """Return operands for a function of two: half of them have nothing to do with each other."""
    a, b = numbers(rng, count, low, high), numbers(rng, count, low, high)
    return a, xfloat.where(rng.random(count) < 0.5, b, neighbours(rng, a))


def fractions(x: X) -> list[Fraction]:
    """Return the exact values; only for exponents far from the ends of the range."""
    assert np.abs(x.e).max() < 10_000
    parts = zip(np.ravel(x.m), np.ravel(x.e), np.ravel(x.s), strict=True)
    return [(-1) ** int(s) * int(m) * Fraction(2) ** (int(e) - 64) for m, e, s in parts]


def reals(x: X) -> list[mpf]:
    """Return the values in mpmath, to its working precision."""
    return [mpf(value.numerator) / value.denominator for value in fractions(x)]


def relative_error(got: list[mpf], exact: list[mpf]) -> mpf:
    """Return the largest error relative to the value, in units of 2**-64; 0 must be exact."""
    rows = list(zip(got, exact, strict=True))
    assert all(value == 0 for value, truth in rows if truth == 0)
    return max(abs(value / truth - 1) / UNIT for value, truth in rows if truth != 0)


@cache
def near_right_angles() -> X:
    """Return the numbers below 2**1024 that come nearest to multiples of pi / 2, 8 an exponent.

    By continued fractions: q * 2**(e - 64) * 2 / pi is nearly whole for the denominators q of the
    best approximations of 2**(e - 64) * 2 / pi.
    """
    with mp.workprec(2200):
        bits = int(2 / mp.pi * mpf(2) ** 2100)
    m, e = [], []
    for exponent in range(1, 1025):
        best = _denominators((bits << exponent) % (1 << 2164), 1 << 2164)[-8:]
        m += best
        e += [exponent] * len(best)
    whole = xfloat.from_int(np.array(m, np.uint64))
    return X(whole.m, whole.e + np.array(e) - 64, np.zeros(len(m), bool))


def _denominators(p: int, q: int) -> list[int]:
    """Return those below 2**64 of the best approximations of p / q < 1."""
    found, before, last = [], 0, 1
    while last < 1 << 64:
        found.append(last)
        before, last = last, q // p * last + before
        p, q = q % p, p
    return found


def nearest(value: Fraction) -> Fraction:
    """Return ``value`` rounded to 64 significant bits, ties away from zero."""
    if value == 0:
        return value
    scale = Fraction(2) ** (64 - exponent(value))
    size = int(abs(value) * scale + Fraction(1, 2)) / scale
    return size if value > 0 else -size


def exponent(value: Fraction) -> int:
    """Return e with 2**(e - 1) <= |value| < 2**e."""
    size = abs(value)
    e = size.numerator.bit_length() - size.denominator.bit_length()
    return e + (size >= Fraction(2) ** e)
