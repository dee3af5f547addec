"""exp, log, sin, cos, tanh: as in xfloat_transcendental.glsl."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .arithmetic import absolute, add, div, mul, negative, sub, where
from .functions import log2, power_from_log
from .number import L, X, elementwise, make, normal_rounded, one
from .tables import COS, HALF_PI, LN2, LOG2_E, LOG10_2, SIN, TANH, TURNS
from .wide import (
    ALL_ONES,
    I64,
    ONE,
    TOP,
    U64,
    U128,
    ZERO,
    Bools,
    filled,
    leading_zeros,
    multiply,
    multiply_high,
    shift_left,
    shift_right,
    wide_add,
    wide_multiply_high,
    wide_shift_left,
)

TURNS_EXPONENT = 1024  # sin and cos have as many bits of 2 / pi as numbers below 2**1024 need
_TURNS = np.array(TURNS, np.uint64)


def _wide(like: U64, constant: int) -> U128:
    """Return a 128-bit constant in the shape of ``like``."""
    high, low = divmod(constant, 1 << 64)
    return filled(like, np.uint64(high)), filled(like, np.uint64(low))


@elementwise
def exp(x: X) -> X:
    """Return e**x, within 2.5 units of 2**-64 of the value."""
    log2_e = L(*_wide(x.m, LOG2_E), np.ones_like(x.e), np.zeros_like(x.s))
    return power_from_log(log2_e, x)


@elementwise
def log(a: X) -> X:
    """Return the natural logarithm of ``a``, within 1.1 units of 2**-64 of it, also next to 1.

    Of 0, and of a negative number, it is the largest number below zero.
    """
    return _scaled_log(a, LN2)


@elementwise
def log10(a: X) -> X:
    """Return the logarithm to base 10: as exact as ``log``, with the same value at 0 and below."""
    return _scaled_log(a, LOG10_2)


@elementwise
def rounded_log2(a: X) -> X:
    """Return the logarithm to base 2: as exact as ``log``, with the same value at 0 and below."""
    binary = log2(a)
    return normal_rounded((binary.high, binary.low), binary.e, binary.s)


def _scaled_log(a: X, scale: int) -> X:
    """Return log2(a) * scale / 2**128."""
    binary = log2(a)
    product = wide_multiply_high((binary.high, binary.low), _wide(a.m, scale))
    return normal_rounded(product, binary.e, binary.s)


@elementwise
def sin(x: X) -> X:
    """Return the sine of ``x`` in radians within 3 units of 2**-64, 0 from 2**1024 on.

    That is so next to the multiples of pi too: 2 / pi is known to more bits than any X comes near.
    """
    return _odd(x, _sine(*_reduced(x)))


@elementwise
def cos(x: X) -> X:
    """Return the cosine of ``x`` in radians, as exact as ``sin``; 1 from 2**1024 on."""
    quadrant, angle = _reduced(x)
    return _sine(quadrant + ONE, angle)


@elementwise
def sinpi(x: X) -> X:
    """Return sin(pi x) for any ``x``, within 3 units of 2**-64, next to its zeros too."""
    return _odd(x, _sine(*_reduced_turns(x)))


@elementwise
def cospi(x: X) -> X:
    """Return cos(pi x) for any ``x``, within 3 units of 2**-64, next to its zeros too."""
    quadrant, angle = _reduced_turns(x)
    return _sine(quadrant + ONE, angle)


def _odd(x: X, a: X) -> X:
    """Return ``a`` or -a by the sign of ``x``: odd functions are computed of |x|."""
    return where(x.s, negative(a), a)


def _sine(quadrant: U64, angle: X) -> X:
    """Return sin(quadrant * pi / 2 + angle)."""
    odd = (quadrant & ONE) != ZERO
    w = _square(angle)
    factor = _one_minus(multiply_high(w, np.where(odd, _falling(COS, w), _falling(SIN, w))))
    value = mul(where(odd, one(w), angle), factor)
    return where((quadrant & np.uint64(2)) != ZERO, negative(value), value)


def _reduced(x: X) -> tuple[U64, X]:
    """Return (n, r) with |x| = n * pi / 2 + r modulo 2 pi and |r| <= pi / 4; r is x below 1/2.

    Of 2 / pi it takes the 256 bits that decide |x| * 2 / pi modulo 4, to 2**-190.
    """
    m = np.where(x.e <= TURNS_EXPONENT, x.m, ZERO)
    words = _turn_product(m, np.clip(x.e, 0, TURNS_EXPONENT))
    below = words[0] >> np.uint64(61) & ONE  # the next multiple of pi / 2?
    quadrant = (words[0] >> np.uint64(62)) + below
    # The distance is what stands behind these two bits; to the next multiple, its complement.
    high, low, behind = (word ^ (ZERO - below) for word in words[:3])
    high = high & (ALL_ONES >> np.uint64(2))
    zeros = leading_zeros(high)  # 64 at most: then 128 bits are still enough
    high, low = wide_shift_left((high, low), zeros)
    turned = _angle((high, low | shift_right(behind, 64 - zeros)), 2 - zeros, below != ZERO)
    small = x.e < 0
    return np.where(small, ZERO, quadrant), where(small, absolute(x), turned)


def _turn_product(m: U64, at: I64) -> list[U64]:
    """Return |x| * 2 / pi modulo 4 in four words, two bits of them before the point."""
    word, offset = at >> 6, at & 63
    words, carry = [filled(m)] * 4, filled(m)
    for k in range(3, -1, -1):
        bits = shift_left(_TURNS[word + k], offset)
        bits = bits | shift_right(_TURNS[word + k + 1], 64 - offset)
        carry, words[k] = wide_add(multiply(bits, m), (filled(m), carry))
    return words


def _reduced_turns(x: X) -> tuple[U64, X]:
    """Return (n, r) with |x| * pi = n * pi / 2 + r modulo 2 pi and |r| <= pi / 4.

    2 |x| modulo 4 is exact.
    """
    e = x.e + 1
    whole, part = wide_shift_left((filled(x.m), x.m), np.maximum(e, 0))
    below = (part >= TOP) & (e >= 0)
    distance = np.where(below, ZERO - part, part)
    zeros = leading_zeros(distance)
    wide = shift_left(distance, zeros), filled(x.m)
    return whole + below, _angle(wide, np.minimum(e, 0) - zeros, below)


def _angle(distance: U128, e: I64, s: Bools) -> X:
    """Return distance * 2**(e - 128) * pi / 2; the top bit of ``distance`` is set, or almost."""
    product = wide_multiply_high(distance, _wide(distance[0], HALF_PI))
    return normal_rounded(product, e + 1, s)


@elementwise
def tanh(x: X) -> X:
    """Return the hyperbolic tangent of ``x``, within 5 units of 2**-64 of it, also next to 0."""
    size = absolute(x)
    decay = exp(X(x.m, x.e + 1, x.m != ZERO))  # e**(-2 |x|)
    far = div(sub(one(x.m), decay), add(one(x.m), decay))
    w = _square(size)
    near = mul(size, _one_minus(multiply_high(w, _falling(TANH, w))))
    return _odd(x, where(x.e < 0, near, far))


def _square(x: X) -> U64:
    """Return x**2 < 1 in fixed point, 64 bits behind the point."""
    square = mul(x, x)
    return shift_right(square.m, -square.e)


def _falling(coefficients: Sequence[int], w: U64) -> U64:
    """Return the polynomial at ``w`` < 1 whose coefficients' signs alternate, in fixed point."""
    value = filled(w, np.uint64(coefficients[-1]))
    for coefficient in coefficients[-2::-1]:
        value = np.uint64(coefficient) - multiply_high(w, value)
    return value


def _one_minus(fall: U64) -> X:
    """Return 1 - fall for a fixed-point ``fall`` of at most 1/2; exact."""
    whole = fall == ZERO
    return make(np.where(whole, TOP, ZERO - fall), whole.astype(np.int64), np.zeros_like(whole))
