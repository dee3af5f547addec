"""Sign, comparison, choice, and the operations that are rounded correctly: + - * / sqrt."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .number import X, make, normal, normal_rounded, rounded, saturated
from .wide import (
    I64,
    ONE,
    TOP,
    U64,
    U128,
    ZERO,
    Bools,
    divide,
    multiply,
    shift_left,
    shift_right,
    wide_add,
    wide_subtract,
)


def negative(a: X) -> X:
    """Return -a."""
    return X(a.m, a.e, ~a.s & (a.m != ZERO))


def absolute(a: X) -> X:
    """Return |a|."""
    return X(a.m, a.e, np.zeros_like(a.s))


def smaller(a: X, b: X) -> Bools:
    """Return whether |a| < |b|."""
    less_part = (a.e < b.e) | ((a.e == b.e) & (a.m < b.m))
    return (b.m != ZERO) & ((a.m == ZERO) | less_part)


def less(a: X, b: X) -> Bools:
    """Return whether a < b."""
    return np.where(a.s, ~b.s | smaller(b, a), ~b.s & smaller(a, b))


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
    return (a.m == b.m) & (a.e == b.e) & (a.s == b.s)


def not_equal(a: X, b: X) -> Bools:
    """Return whether a != b."""
    return ~equal(a, b)


def where(condition: ArrayLike, a: X, b: X) -> X:
    """Return ``a`` where ``condition`` holds, else ``b``."""
    return X(*(np.where(condition, *pair) for pair in zip(a, b, strict=True)))


def minimum(a: X, b: X) -> X:
    """Return the lesser of ``a`` and ``b``."""
    return where(less(b, a), b, a)


def maximum(a: X, b: X) -> X:
    """Return the greater of ``a`` and ``b``."""
    return where(less(a, b), b, a)


@np.errstate(over="ignore")
def add(a: X, b: X) -> X:
    """Return a + b, correctly rounded."""
    swap = smaller(a, b)
    a, b = where(swap, b, a), where(swap, a, b)
    shift = a.e - b.e
    tail = _shifted_tail(b.m, shift)
    opposite = a.s != b.s
    difference = wide_subtract((a.m, np.zeros_like(a.m)), tail)
    total = wide_add((a.m, np.zeros_like(a.m)), tail)
    carry = ~opposite & (total[0] < a.m)
    # With a carry the sum has 129 bits; the lowest of them cannot matter to a rounding half up.
    total = _where_wide(carry, (total[0] >> ONE | TOP, total[0] << np.uint64(63)), total)
    result = normal_rounded(_where_wide(opposite, difference, total), a.e + carry, a.s)
    # Beyond 65 places b is less than a quarter of the last place: it cannot change the rounding.
    return where((b.m == ZERO) | (shift > 65), a, result)


def _shifted_tail(m: U64, shift: I64) -> U128:
    """Return m * 2**(64 - shift) for shifts up to 65, the bit lost at 65 kept as a sticky bit."""
    low = np.where(shift > 64, m >> ONE | m & ONE, shift_left(m, 64 - shift))
    return shift_right(m, shift), low


def _where_wide(condition: Bools, a: U128, b: U128) -> U128:
    return np.where(condition, a[0], b[0]), np.where(condition, a[1], b[1])


def sub(a: X, b: X) -> X:
    """Return a - b, correctly rounded."""
    return add(a, negative(b))


@np.errstate(over="ignore")
def mul(a: X, b: X) -> X:
    """Return a * b, correctly rounded."""
    return normal_rounded(multiply(a.m, b.m), a.e + b.e, a.s != b.s)


@np.errstate(over="ignore")
def div(a: X, b: X) -> X:
    """Return a / b, correctly rounded; a / 0 saturates with the sign of a, and 0 / 0 is 0."""
    divisor = np.where(b.m == ZERO, TOP, b.m)
    halve = a.m >= divisor
    high = np.where(halve, a.m >> ONE, a.m)
    low = np.where(halve, a.m << np.uint64(63), ZERO)
    quotient, remainder = divide(high, low, divisor)
    up = remainder >= divisor - remainder
    result = rounded(quotient, up, a.e - b.e + halve, a.s != b.s)
    result = where(b.m == ZERO, saturated(a.s), result)
    return where(a.m == ZERO, a, result)


@np.errstate(over="ignore")
def floor(a: X) -> X:
    """Return the greatest integer that is not above ``a``; exact."""
    places = np.clip(64 - a.e, 0, 64)  # of the significand, behind the point
    whole = shift_left(shift_right(a.m, places), places)
    down = a.s & (whole != a.m)
    unit = np.where(places > 63, ZERO, shift_left(np.full_like(a.m, ONE), places))
    step = whole + np.where(down, unit, ZERO)
    carry = down & (step < whole)
    result = make(np.where(carry, TOP, step), a.e + carry, a.s)
    minus_one = X(np.full_like(a.m, TOP), np.ones_like(a.e), a.s)
    return where(down & (a.e <= 0), minus_one, result)


@np.errstate(over="ignore")
def _truncated_division(a: X, b: X) -> tuple[X, X]:
    """Return |a| // |b| and the remainder, exact below 2**64; else the rounded quotient and 0."""
    shift = a.e - b.e
    divisor = np.where(b.m == ZERO, TOP, b.m)
    fits = (b.m != ZERO) & ((shift < 64) | ((shift == 64) & (a.m < divisor)))
    places = np.where(fits, np.maximum(shift, 0), 0)
    start = np.where(fits & (shift >= 0), a.m, ZERO)
    quotient, rest = divide(shift_right(start, 64 - places), shift_left(start, places), divisor)
    no_sign = np.zeros_like(fits)
    whole = normal(quotient, np.full_like(places, 64), no_sign)
    left = where(shift < 0, absolute(a), normal(rest, b.e + 0 * places, no_sign))
    zero = X(np.zeros_like(quotient), np.zeros_like(places), no_sign)
    return where(fits, whole, absolute(div(a, b))), where(fits, left, zero)


def floor_divide(a: X, b: X) -> X:
    """Return floor(a / b), exact below 2**64; from there on a / b, correctly rounded.

    a // 0 saturates with the sign of a, and 0 // 0 is 0.
    """
    quotient, rest = _truncated_division(a, b)
    opposite = (a.s != b.s) & (b.m != ZERO)
    one = X(np.full_like(quotient.m, TOP), np.ones_like(quotient.e), np.zeros_like(quotient.s))
    quotient = where(opposite & (rest.m != ZERO), add(quotient, one), quotient)
    return where(opposite | ((b.m == ZERO) & a.s), negative(quotient), quotient)


def remainder(a: X, b: X) -> X:
    """Return a - b * floor(a / b), with the sign of b; 0 where |a / b| >= 2**64 or b is 0.

    Exact, but for signs that differ and |a| < |b|: there it is a + b, correctly rounded.
    """
    rest = _truncated_division(a, b)[1]
    rest = where(a.s, negative(rest), rest)
    return where((a.s != b.s) & (rest.m != ZERO), add(rest, b), rest)


@np.errstate(over="ignore")
def sqrt(a: X) -> X:
    """Return the square root of ``a``, correctly rounded; 0 where ``a`` is negative."""
    odd = (a.e & 1) != 0
    radicand = np.where(odd, a.m >> ONE, a.m), np.where(odd, a.m << np.uint64(63), ZERO)
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

