"""Powers, logarithms and the half cosine: polynomials in fixed point, as in xfloat.glsl."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .arithmetic import mul, where
from .number import (
    EXPONENT_LIMIT,
    LOG_OF_ZERO_EXPONENT,
    L,
    X,
    elementwise,
    make,
    normal,
    normal_log,
)
from .tables import EXP2, HALF_COSINE, HALF_COSINE_FIRST, LOG2, LOG2_WIDE, ROOTS, SQRT_HALF
from .wide import (
    ALL_ONES,
    I64,
    ONE,
    TOP,
    U64,
    U128,
    ZERO,
    Bools,
    divide,
    filled,
    leading_zeros,
    multiply,
    multiply_high,
    shift_left,
    shift_right,
    wide_add,
    wide_leading_zeros,
    wide_multiply_high,
    wide_shift_left,
    wide_shift_right,
    wide_subtract,
    wide_where,
)

_ROOTS = np.array(ROOTS, np.uint64)


def _polynomial(coefficients: Sequence[int], u: U64) -> U64:
    """Return the polynomial at ``u`` < 1 by Horner's rule, in its coefficients' fixed point."""
    value = filled(u, np.uint64(coefficients[-1]))
    for coefficient in coefficients[-2::-1]:
        value = np.uint64(coefficient) + multiply_high(u, value)
    return value


@elementwise
def exp2(x: X) -> X:
    """Return 2**x, within 2.5 units of 2**-64 of the value."""
    return _exp2_fixed((x.m, filled(x.m)), x.e, x.s)


@elementwise
def power_from_log(log: L, y: X) -> X:
    """Return 2**(log * y), the power of a number whose log2 is ``log``: within 2.5 units."""
    # 128 times 64 bits; of the 192, the lowest 64 lie behind 2**-102 of the product.
    product = multiply(log.high, y.m)
    product = wide_add(product, (filled(product[0]), multiply(log.low, y.m)[0]))
    zeros = wide_leading_zeros(product)
    product = wide_shift_left(product, zeros)
    return _exp2_fixed(product, log.e + y.e - zeros, log.s != y.s)


def power(a: X, y: X) -> X:
    """Return a**y for any real ``y``, within 2.5 units of 2**-64 of the value.

    A base below zero counts as zero; 0**0 is 1, and 0**y saturates for y < 0.
    """
    return power_from_log(log2(a), y)


def _exp2_fixed(v: U128, e: I64, s: Bools) -> X:
    """Return 2**(+-v * 2**(e - 128)); ``v`` is 0 or has its top bit set."""
    twice = wide_shift_right(v, np.clip(63 - e, 37, 128))
    one = filled(v[0]), filled(v[0], ONE)
    high, fraction = wide_shift_right(wide_add(twice, one), np.int64(1))
    whole = high.astype(np.int64)
    # Of a negative number the integer part is its floor. Too large a number saturates.
    whole = np.where(s, -whole - (fraction != ZERO), whole)
    fraction = np.where(s, ZERO - fraction, fraction)
    beyond = np.where(s, -4 * EXPONENT_LIMIT, 4 * EXPONENT_LIMIT)
    return _exp2_fraction(fraction, np.where((e > 26) & (v[0] != ZERO), beyond, whole))


def _exp2_fraction(fraction: U64, whole: I64) -> X:
    """Return 2**(whole + fraction / 2**64)."""
    root = _ROOTS[(fraction >> np.uint64(60)).astype(np.int64)]
    u = fraction << np.uint64(4)
    growth = multiply_high(root, multiply_high(u, _polynomial(EXP2, u)))
    m = root + ((growth + np.uint64(8)) >> np.uint64(4))
    carry = m < root
    return make(np.where(carry, TOP, m), whole + 1 + carry, np.zeros_like(carry))


@elementwise
def log2(a: X) -> L:
    """Return log2(a), within 2**-100 of its value, also next to 1.

    Of 0, and of a negative number, it is so far below zero that any power of it is 0.
    """
    below_one = a.m >= np.uint64(SQRT_HALF)  # is the significand taken from [1/2, 1) or [1, 2)?
    difference = np.where(below_one, ZERO - a.m, a.m & ~TOP)
    ratio, zeros = _wide_ratio(difference, np.where(below_one, a.m, difference))
    z = wide_shift_right(wide_multiply_high(ratio, ratio), 2 * zeros)
    fraction = normal_log(wide_multiply_high(ratio, _log2_slope(z)), 2 - zeros, below_one)
    log = _add_whole(a.e - ~below_one, fraction)
    zero = a.s | (a.m == ZERO)
    high, low = np.where(zero, TOP, log.high), np.where(zero, ZERO, log.low)
    return L(high, low, np.where(zero, LOG_OF_ZERO_EXPONENT, log.e), zero | log.s)


def _wide_ratio(n: U64, d: U64) -> tuple[U128, I64]:
    """Return n / (2**64 + d) as (ratio, zeros), ratio * 2**(-128 - zeros), to 120 bits."""
    zeros = leading_zeros(n)
    n = shift_left(n, zeros)
    # A reciprocal that is a little too small leaves a remainder of at most 68 bits, never below 0.
    reciprocal = divide(filled(d, TOP - ONE), filled(d, ALL_ONES), TOP | d >> ONE)[0]
    reciprocal = reciprocal - np.uint64(3)
    first = multiply(n, reciprocal)[0]
    left = wide_subtract((n - first, filled(n)), multiply(first, d))
    second = multiply_high(wide_shift_right(left, np.int64(4))[1], reciprocal)
    return (first + (second >> np.uint64(60)), second << np.uint64(4)), zeros


def _log2_slope(z: U128) -> U128:
    """Return log2((1 + y) / (1 - y)) / y for z = y**2: the high powers of z in 64 bits only."""
    tail = _polynomial(LOG2, z[0])
    value = tail, filled(tail)
    for coefficient in reversed(LOG2_WIDE):
        high, low = (np.uint64(half) for half in divmod(coefficient, 1 << 64))
        value = wide_add(wide_multiply_high(z, value), (filled(tail, high), filled(tail, low)))
    return value


def _add_whole(whole: I64, fraction: L) -> L:
    """Return whole + fraction; the fraction is below 1."""
    s = np.where(whole == 0, fraction.s, whole < 0)
    part = wide_shift_right((fraction.high, fraction.low), -fraction.e)
    opposite = (fraction.s != s) & ((part[0] | part[1]) != ZERO)
    part = wide_where(opposite, wide_subtract((filled(part[0]), filled(part[0])), part), part)
    size = np.abs(whole).astype(np.uint64) - opposite
    bits = 64 - leading_zeros(size)
    high, low = wide_shift_right(part, bits)
    total = normal_log((high | shift_left(size, 64 - bits), low), bits, s)
    alone = whole == 0  # then shifting the fraction right would lose bits
    m = wide_where(alone, (fraction.high, fraction.low), (total.high, total.low))
    return L(*m, np.where(alone, fraction.e, total.e), s)


@elementwise
def half_cosine(x: X) -> X:
    """Return (1 - cos(pi x)) / 2 for any ``x``, within 3.5 units of 2**-64 of the value.

    That is so next to its zeros too, the even integers: the argument is reduced exactly.
    """
    # x = n + f: the fraction in fixed point is exact where |x| >= 1/2.
    places = np.maximum(x.e, 0)
    f = shift_left(x.m, places)
    odd = (places <= 64) & ((shift_right(x.m, 64 - places) & ONE) != ZERO)
    upper = f > TOP
    distance = normal(np.where(upper, ZERO - f, f), np.zeros_like(x.e), np.zeros_like(x.s))
    near = _half_cosine_near(where(x.e < 0, X(x.m, x.e, np.zeros_like(x.s)), distance))
    return where((x.e >= 0) & (odd != upper), _one_less(near), near)


def _one_less(x: X) -> X:
    """Return 1 - x for 0 <= x <= 1/2, rounded half down."""
    up = shift_right(x.m, np.maximum(-1 - x.e, 0)) & ONE & (x.e < 0)
    rest = ZERO - (shift_right(x.m, np.maximum(-x.e, 0)) + up)
    whole = rest == ZERO
    return make(np.where(whole, TOP, rest), whole.astype(np.int64), x.s)


def _half_cosine_near(x: X) -> X:
    """Return half_cosine(x) for 0 <= x <= 1/2, as x**2 times a polynomial in 4 x**2."""
    z = mul(x, x)
    w = np.where(z.e > -2, ALL_ONES, shift_right(z.m, np.maximum(-2 - z.e, 0)))
    value = filled(w, np.uint64(HALF_COSINE[-1]))
    for coefficient in HALF_COSINE[-2::-1]:
        value = np.uint64(coefficient) - multiply_high(w, value)
    fall, first = multiply_high(w, value), np.uint64(HALF_COSINE_FIRST)
    excess = np.where(fall > first, ZERO, first - fall)  # over 2, which it reaches at x = 1/2
    factor = TOP | ((excess + np.uint64(2)) >> np.uint64(2))
    return mul(z, make(factor, np.full_like(z.e, 2), z.s))
