"""Sign, comparison, choice, and the operations that are rounded correctly: + - * / sqrt."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .number import X, elementwise, largest, make, normal, normal_rounded, one, rounded, zero
from .wide import (
    I64,
    ONE,
    TOP,
    U64,
    U128,
    ZERO,
    Bools,
    divide,
    filled,
    multiply,
    shift_left,
    shift_right,
    wide_add,
    wide_subtract,
    wide_where,
)


def negative(a: X) -> X:
    """Return -a."""
    return X(a.m, a.e, ~a.s & (a.m != ZERO))


def absolute(a: X) -> X:
    """Return |a|."""
    return X(a.m, a.e, np.zeros_like(a.s))


def smaller(a: X, b: X) -> Bools:
    """Return whether |a| < |b|."""
    below: Bools = (a.e < b.e) | ((a.e == b.e) & (a.m < b.m))
    return np.where((a.m == ZERO) | (b.m == ZERO), a.m < b.m, below)


def less(a: X, b: X) -> Bools:
    """Return whether a < b."""
    result: Bools = np.where(a.s, ~b.s | smaller(b, a), ~b.s & smaller(a, b))
    return result


def less_equal(a: X, b: X) -> Bools:
    """Return whether a <= b."""
    return ~less(b, a)


def greater(a: X, b: X) -> Bools:
    """Return whether a > b."""
    return less(b, a)


def greater_equal(a: X, b: X) -> Bools:
    """Return whether a >= b."""
    return ~less(a, b)


def equal(a: X, b: X) -> Bools:
    """Return whether a == b."""
    same: Bools = (a.m == b.m) & (a.e == b.e) & (a.s == b.s)
    return same


def not_equal(a: X, b: X) -> Bools:
    """Return whether a != b."""
    return ~equal(a, b)


def where(condition: ArrayLike, a: X, b: X) -> X:
    """Return ``a`` where ``condition`` holds, else ``b``."""
    m, e, s = (np.where(condition, *pair) for pair in zip(a, b, strict=True))
    return X(m, e, s)


def minimum(a: X, b: X) -> X:
    """Return the lesser of ``a`` and ``b``."""
    return where(less(b, a), b, a)


def maximum(a: X, b: X) -> X:
    """Return the greater of ``a`` and ``b``."""
    return where(less(a, b), b, a)


@elementwise
def add(a: X, b: X) -> X:
    """Return a + b, correctly rounded."""
    if not np.any(b.m):  # as in the steps of a clock without an offset, and nothing is left to do
        return where(np.zeros_like(b.s), b, a)
    swap = smaller(a, b)
    a, b = where(swap, b, a), where(swap, a, b)
    shift = a.e - b.e
    tail = _shifted_tail(b.m, shift)
    opposite = a.s != b.s
    whole = a.m, filled(a.m)
    total = wide_where(opposite, wide_subtract(whole, tail), wide_add(whole, tail))
    carry = ~opposite & (total[0] < a.m)
    # Of 129 bits, the lowest cannot matter to a rounding that looks at the 65th.
    total = wide_where(carry, (total[0] >> ONE | TOP, total[0] << np.uint64(63)), total)
    result = normal_rounded(total, a.e + carry, a.s)
    # Beyond 65 places b is less than a quarter of the last place: it cannot change the rounding.
    return where((b.m == ZERO) | (shift > 65), a, result)


def _shifted_tail(m: U64, shift: I64) -> U128:
    """Return m * 2**(64 - shift) for shifts up to 65, the bit lost at 65 kept as a sticky bit."""
    low = np.where(shift > 64, m >> ONE | m & ONE, shift_left(m, 64 - shift))
    return shift_right(m, shift), low


def sub(a: X, b: X) -> X:
    """Return a - b, correctly rounded."""
    return add(a, negative(b))


@elementwise
def mul(a: X, b: X) -> X:
    """Return a * b, correctly rounded."""
    return normal_rounded(multiply(a.m, b.m), a.e + b.e, a.s != b.s)


@elementwise
def div(a: X, b: X) -> X:
    """Return a / b, correctly rounded; a / 0 saturates with the sign of a, and 0 / 0 is 0."""
    divisor = np.where(b.m == ZERO, TOP, b.m)
    halve = a.m >= divisor
    quotient, rest = divide(*_dividend(a.m, halve), divisor)
    result = rounded(quotient, rest >= divisor - rest, a.e - b.e + halve, a.s != b.s)
    return where(a.m == ZERO, a, where(b.m == ZERO, largest(a.s), result))


def _dividend(m: U64, halve: Bools) -> U128:
    """Return ``m``, or half of it, such that its quotient, or its root, fills 64 bits."""
    return np.where(halve, m >> ONE, m), np.where(halve, m << np.uint64(63), ZERO)


@elementwise
def floor(a: X) -> X:
    """Return the greatest integer that is not above ``a``; exact."""
    places = np.clip(64 - a.e, 0, 64)  # of the significand, behind the point
    whole = shift_left(shift_right(a.m, places), places)
    down = a.s & (whole != a.m)
    away = whole + shift_left(down.astype(np.uint64), places)
    carry = down & (away == ZERO)
    # From -1 on upwards there is no place before the point: what is left of it is -1.
    return make(np.where(carry, TOP, away), np.where(places == 64, 1, a.e + carry), a.s)


def _truncated_division(a: X, b: X) -> tuple[X, X]:
    """Return |a| // |b| and what remains, exact below 2**64; else the rounded quotient and 0."""
    shift = a.e - b.e
    divisor = np.where(b.m == ZERO, TOP, b.m)
    fits = (b.m != ZERO) & ((shift < 64) | ((shift == 64) & (a.m < divisor)))
    places = np.where(fits, np.maximum(shift, 0), 0)
    start = np.where(fits & (shift >= 0), a.m, ZERO)
    quotient, rest = divide(shift_right(start, 64 - places), shift_left(start, places), divisor)
    positive = np.zeros_like(fits)
    whole = normal(quotient, np.full_like(places, 64), positive)
    left = where(shift < 0, absolute(a), normal(rest, b.e, positive))
    return where(fits, whole, absolute(div(a, b))), where(fits, left, zero(quotient))


@elementwise
def floor_divide(a: X, b: X) -> X:
    """Return floor(a / b), exact below 2**64; from there on a / b, correctly rounded.

    a // 0 saturates with the sign of a, and 0 // 0 is 0.
    """
    quotient, rest = _truncated_division(a, b)
    opposite = (a.s != b.s) & (b.m != ZERO)
    above = add(quotient, one(quotient.m))
    quotient = where(opposite & (rest.m != ZERO), above, quotient)
    return where(opposite | ((b.m == ZERO) & a.s), negative(quotient), quotient)


@elementwise
def remainder(a: X, b: X) -> X:
    """Return a - b * floor(a / b), with the sign of b; 0 where |a / b| >= 2**64 or b is 0.

    Exact, but for signs that differ and |a| < |b|: there it is a + b, correctly rounded.
    """
    rest = _truncated_division(a, b)[1]
    rest = where(a.s, negative(rest), rest)
    return where((a.s != b.s) & (rest.m != ZERO), add(rest, b), rest)


@elementwise
def sqrt(a: X) -> X:
    """Return the square root of ``a``, correctly rounded; 0 where ``a`` is negative."""
    odd = (a.e & 1) != 0
    radicand = _dividend(a.m, odd)
    # A float64 root is 2**11 units off at most, and one step of Heron's leaves less than one.
    seed = np.minimum(np.sqrt(radicand[0].astype(np.float64)) * 2.0**32, 2.0**64 - 2.0**13)
    seed = np.maximum(seed.astype(np.uint64) + np.uint64((1 << 13) - 1), TOP)
    quotient, _ = divide(*radicand, seed)
    root = (seed & quotient) + ((seed ^ quotient) >> ONE)
    high, low = wide_subtract(radicand, multiply(root, root))
    below = high >= TOP  # the root is too large: the true one lies below it
    up = ~below & ((high != ZERO) | (low > root))
    down = below & (ZERO - low >= root)
    nonzero = (a.m != ZERO) & ~a.s
    root = np.where(nonzero, np.where(down, root - ONE, root), ZERO)
    return rounded(root, up & nonzero, (a.e + odd) >> 1, np.zeros_like(a.s))
