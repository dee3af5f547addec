"""Integers of 64 and 128 bits on numpy arrays: the counterparts of the u64_ and u128_ functions.

A 64-bit integer is a uint64 array; a 128-bit one is a pair (high, low) of them. Shift counts are
int64 arrays; where they reach the width the result is 0.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

U64: TypeAlias = NDArray[np.uint64]
I64: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]
U128: TypeAlias = tuple[U64, U64]
Count: TypeAlias = I64 | np.int64

ZERO, ONE, HALF_WORD = np.uint64(0), np.uint64(1), np.uint64(32)
WORD = np.uint64(0xFFFFFFFF)
TOP = np.uint64(1 << 63)
ALL_ONES = np.uint64((1 << 64) - 1)


def filled(like: U64, value: np.uint64 = ZERO) -> U64:
    """Return an array of the shape of ``like`` that holds ``value`` everywhere."""
    return np.full_like(like, value)


def leading_zeros(a: U64) -> I64:
    """Return how many zeros stand before the first one of ``a``; 64 for 0."""
    high = a >> HALF_WORD
    # Half a word is exact in float64, so the exponent that frexp gives is its bit length.
    length = np.frexp(np.where(high != ZERO, high, a).astype(np.float64))[1]
    return np.where(high != ZERO, 32, 64) - length.astype(np.int64)


def shift_left(a: U64, n: Count) -> U64:
    """Return ``a`` * 2**n modulo 2**64."""
    return np.where(n > 63, ZERO, a << (n & 63).astype(np.uint64))


def shift_right(a: U64, n: Count) -> U64:
    """Return ``a`` // 2**n."""
    return np.where(n > 63, ZERO, a >> (n & 63).astype(np.uint64))


def multiply(a: U64, b: U64) -> U128:
    """Return all 128 bits of ``a`` * ``b``."""
    a_low, a_high, b_low, b_high = a & WORD, a >> HALF_WORD, b & WORD, b >> HALF_WORD
    low, cross, other = a_low * b_low, a_low * b_high, a_high * b_low
    middle = (low >> HALF_WORD) + (cross & WORD) + (other & WORD)
    high = a_high * b_high + (cross >> HALF_WORD) + (other >> HALF_WORD) + (middle >> HALF_WORD)
    return high, (middle << HALF_WORD) | (low & WORD)


def multiply_high(a: U64, b: U64) -> U64:
    """Return ``a`` * ``b`` / 2**64, rounded to nearest."""
    high, low = multiply(a, b)
    return high + (low >> np.uint64(63))


def divide(high: U64, low: U64, divisor: U64) -> tuple[U64, U64]:
    """Return quotient and remainder of the 128-bit (high, low) by ``divisor``.

    The top bit of ``divisor`` must be set and ``high`` must be less than ``divisor``.
    """
    first, remainder = _divide_digit(high, low >> HALF_WORD, divisor)
    second, remainder = _divide_digit(remainder, low & WORD, divisor)
    return (first << HALF_WORD) | second, remainder


def _divide_digit(remainder: U64, digit: U64, divisor: U64) -> tuple[U64, U64]:
    """Return one digit of the quotient in base 2**32 (Knuth's algorithm D), and what remains."""
    divisor_high, divisor_low = divisor >> HALF_WORD, divisor & WORD
    guess: U64 = np.minimum(remainder // divisor_high, WORD)
    rest = remainder - guess * divisor_high
    for _ in range(2):  # a guess from the leading digits is at most 2 too large
        # With a rest of more than 32 bits the guess fits, and shifting it up would overflow.
        large = (rest <= WORD) & (guess * divisor_low > ((rest << HALF_WORD) | digit))
        guess = guess - np.where(large, ONE, ZERO)
        rest = rest + np.where(large, divisor_high, ZERO)
    return guess, ((remainder << HALF_WORD) | digit) - guess * divisor


def wide_add(a: U128, b: U128) -> U128:
    """Return ``a`` + ``b`` modulo 2**128."""
    low = a[1] + b[1]
    return a[0] + b[0] + (low < a[1]), low


def wide_subtract(a: U128, b: U128) -> U128:
    """Return ``a`` - ``b`` modulo 2**128."""
    return a[0] - b[0] - (a[1] < b[1]), a[1] - b[1]


def wide_shift_left(a: U128, n: Count) -> U128:
    """Return ``a`` * 2**n modulo 2**128."""
    crossing = np.where(n > 63, shift_left(a[1], n - 64), shift_right(a[1], 64 - n))
    return shift_left(a[0], n) | crossing, shift_left(a[1], n)


def wide_shift_right(a: U128, n: Count) -> U128:
    """Return ``a`` // 2**n."""
    crossing = np.where(n > 63, shift_right(a[0], n - 64), shift_left(a[0], 64 - n))
    return shift_right(a[0], n), shift_right(a[1], n) | crossing


def wide_leading_zeros(a: U128) -> I64:
    """Return how many zeros stand before the first one of ``a``; 128 for 0."""
    return np.where(a[0] != ZERO, leading_zeros(a[0]), 64 + leading_zeros(a[1]))


def wide_where(condition: Bools, a: U128, b: U128) -> U128:
    """Return ``a`` where ``condition`` holds, else ``b``."""
    return np.where(condition, a[0], b[0]), np.where(condition, a[1], b[1])


def wide_multiply_high(a: U128, b: U128) -> U128:
    """Return ``a`` * ``b`` / 2**128, up to 3 units too low: the lowest product is left out."""
    high = multiply(a[0], b[0])
    for crossed in (multiply(a[0], b[1]), multiply(a[1], b[0])):
        high = wide_add(high, (filled(high[0]), crossed[0]))
    return high
