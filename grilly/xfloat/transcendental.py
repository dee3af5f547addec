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
    filled,
    leading_zeros,
    multiply,
    multiply_high,
    shift_left,
    shift_right,
    wide_add,
    wide_multiply_high,
    wide_shift_left,
    wide_where,
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
    value = _turned(x, ZERO)
    return where(x.s, negative(value), value)


@elementwise
def cos(x: X) -> X:
    """Return the cosine of ``x`` in radians, as exact as ``sin``; 1 from 2**1024 on."""
    return _turned(x, ONE)


def _turned(x: X, quarters: np.uint64) -> X:
    """Return sin(|x| + quarters * pi / 2)."""
    quadrant, angle = _reduced(x)
    quadrant = quadrant + quarters
    odd = (quadrant & ONE) != ZERO
    w = _square(angle)
    factor = _one_minus(multiply_high(w, np.where(odd, _falling(COS, w), _falling(SIN, w))))
    value = mul(where(odd, one(x.m), angle), factor)
    return where((quadrant & np.uint64(2)) != ZERO, negative(value), value)


def _reduced(x: X) -> tuple[U64, X]:
    """Return (n, r) with |x| = n * pi / 2 + r modulo 2 pi and |r| <= pi / 4; r is x below 1/2.

    Of 2 / pi it takes the 256 bits that decide |x| * 2 / pi modulo 4, to 2**-190.
    """
    m = np.where(x.e <= TURNS_EXPONENT, x.m, ZERO)
    words = _turn_product(m, np.clip(x.e, 0, TURNS_EXPONENT))
    below = words[0] >> np.uint64(61) & ONE  # the next multiple of pi / 2?
    quadrant = (words[0] >> np.uint64(62)) + below
    # The distance is what stands behind the quadrant's two bits; to the next one, its complement.
    words = [word ^ (ZERO - below) for word in words]
    words[0] = words[0] & (ALL_ONES >> np.uint64(2))
    angle, zeros = _leading(words)
    angle = wide_multiply_high(angle, _wide(x.m, HALF_PI))
    turned = normal_rounded(angle, 3 - zeros, below != ZERO)
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


def _leading(words: list[U64]) -> tuple[U128, I64]:
    """Return the first 128 bits from the first one on, and how many zeros stand before it.

    Of 256 bits; more than 127 zeros stand there for 0 only.
    """
    skip = words[0] == ZERO
    wide = wide_where(skip, (words[1], words[2]), (words[0], words[1]))
    behind = np.where(skip, words[3], words[2])
    zeros = leading_zeros(wide[0])
    high, low = wide_shift_left(wide, zeros)
    return (high, low | shift_right(behind, 64 - zeros)), zeros + np.where(skip, 64, 0)


@elementwise
def tanh(x: X) -> X:
    """Return the hyperbolic tangent of ``x``, within 5 units of 2**-64 of it, also next to 0."""
    size = absolute(x)
    decay = exp(X(x.m, x.e + 1, x.m != ZERO))  # e**(-2 |x|)
    far = div(sub(one(x.m), decay), add(one(x.m), decay))
    w = _square(size)
    near = mul(size, _one_minus(multiply_high(w, _falling(TANH, w))))
    value = where(x.e < 0, near, far)
    return where(x.s, negative(value), value)


def _square(x: X) -> U64:
    """Return x**2 < 1 in fixed point, 64 bits behind the point."""
    square = mul(x, x)
    return shift_right(square.m, np.maximum(-square.e, 0))


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
