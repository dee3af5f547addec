"""The two number types of xfloat, their normal forms and their words in memory."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple, ParamSpec, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .wide import (
    ALL_ONES,
    HALF_WORD,
    I64,
    TOP,
    U64,
    U128,
    WORD,
    ZERO,
    Bools,
    filled,
    leading_zeros,
    shift_left,
    wide_leading_zeros,
    wide_shift_left,
)

P = ParamSpec("P")
R = TypeVar("R")

EXPONENT_LIMIT = 1 << 24
LOG_OF_ZERO_EXPONENT = 1 << 25  # times the smallest X it is still below -EXPONENT_LIMIT


class X(NamedTuple):
    """(-1)**s * m * 2**(e - 64): m is uint64 with its top bit set, e int64, s bool.

    Zero is m = e = s = 0. The fields are arrays (or numpy scalars) of one shape.
    """

    m: U64
    e: I64
    s: Bools


class L(NamedTuple):
    """A wide logarithm, (-1)**s * (high * 2**64 + low) * 2**(e - 128): for powers.

    high and low are uint64, the top bit of high set; e is int64, s bool. Zero is all fields 0.
    """

    high: U64
    low: U64
    e: I64
    s: Bools


def elementwise(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function of X and L: of scalars it is computed in arrays of one element.

    Integers wrap around here on purpose, and numpy warns of that, for scalars only.
    """

    @wraps(function)
    def lifted(*numbers: Any, **options: Any) -> Any:
        arrays = [type(number)(*map(np.atleast_1d, number)) for number in numbers]
        result: Any = function(*arrays, **options)
        if any(np.ndim(number[0]) for number in numbers):
            return result
        if isinstance(result, tuple):
            return type(result)(*(field[0] for field in result))
        return result[0]

    return cast(Callable[P, R], lifted)


def make(m: U64, e: I64, s: Bools) -> X:
    """Return the X with significand ``m``, 0 or with its top bit set, its exponent in range.

    Below the range lies zero; above it stands the largest number of the same sign.
    """
    high = e > EXPONENT_LIMIT
    nonzero = (m != ZERO) & (e >= -EXPONENT_LIMIT)
    m = np.where(nonzero, np.where(high, ALL_ONES, m), ZERO)
    return X(m, np.where(nonzero, np.minimum(e, EXPONENT_LIMIT), 0), s & nonzero)


def rounded(m: U64, up: Bools, e: I64, s: Bools) -> X:
    """Return ``make`` of ``m`` + 1 where ``up``, else of ``m``."""
    m = m + up
    carry = up & (m == ZERO)
    return make(np.where(carry, TOP, m), e + carry, s)


def normal(m: U64, e: I64, s: Bools) -> X:
    """Return the X whose value is +-m * 2**(e - 64), for any ``m``."""
    n = leading_zeros(m)
    return make(shift_left(m, n), e - n, s)


def normal_rounded(wide: U128, e: I64, s: Bools) -> X:
    """Return the X nearest to +-wide * 2**(e - 128), ties away from zero."""
    n = wide_leading_zeros(wide)
    high, low = wide_shift_left(wide, n)
    return rounded(high, low >= TOP, e - n, s)


def normal_log(wide: U128, e: I64, s: Bools) -> L:
    """Return the L whose value is +-wide * 2**(e - 128)."""
    n = wide_leading_zeros(wide)
    nonzero = n < 128
    high, low = wide_shift_left(wide, n)
    return L(high, low, np.where(nonzero, e - n, 0), s & nonzero)


def one(like: U64) -> X:
    """Return 1 in the shape of ``like``."""
    return X(filled(like, TOP), np.ones_like(like, np.int64), np.zeros_like(like, np.bool_))


def zero(like: U64) -> X:
    """Return 0 in the shape of ``like``."""
    return X(filled(like), np.zeros_like(like, np.int64), np.zeros_like(like, np.bool_))


def largest(s: Bools) -> X:
    """Return the largest number of each sign."""
    return X(np.full_like(s, ALL_ONES, np.uint64), np.full_like(s, EXPONENT_LIMIT, np.int64), s)


def to_words(value: X | L) -> NDArray[np.uint32]:
    """Return ``value`` as uint32 words in a new last axis: 3 for an X, 5 for an L.

    The significand comes first, lowest word first; the last word is twice the exponent (modulo
    2**32) plus the sign.
    """
    last = ((value.e << 1) | value.s).astype(np.uint64) & WORD
    parts = (value.m,) if isinstance(value, X) else (value.low, value.high)
    words = [word for part in parts for word in (part & WORD, part >> HALF_WORD)]
    return np.stack([*words, last], axis=-1).astype(np.uint32)


def from_words(words: ArrayLike) -> X:
    """Return the X that ``to_words`` stored in the last axis of ``words``."""
    (low, high), e, s = _split(words, 3)
    return X(low | high << HALF_WORD, e, s)


def log_from_words(words: ArrayLike) -> L:
    """Return the L that ``to_words`` stored in the last axis of ``words``."""
    parts, e, s = _split(words, 5)
    return L(parts[2] | parts[3] << HALF_WORD, parts[0] | parts[1] << HALF_WORD, e, s)


def _split(words: ArrayLike, count: int) -> tuple[list[U64], I64, Bools]:
    array = np.asarray(words)
    if array.dtype != np.uint32 or array.ndim == 0 or array.shape[-1] != count:
        raise ValueError(
            f"words must be uint32 with {count} of them in the last axis, "
            f"got {array.dtype} of shape {array.shape}"
        )
    last = array[..., count - 1]
    parts = [array[..., i].astype(np.uint64) for i in range(count - 1)]
    return parts, last.view(np.int32).astype(np.int64) >> 1, (last & np.uint32(1)) != 0
