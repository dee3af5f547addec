"""Conversions between X and the numbers of numpy and Python."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .number import X, elementwise, make, normal
from .wide import ONE, U64, ZERO, filled, shift_left, shift_right

# A significand this near to the middle between two float32, in units of its last place, is taken as
# the middle: the exact value was a tie, and the error of the formula (under 10 units) moved it.
SNAP = 64


def from_float64(a: ArrayLike) -> X:
    """Return ``a`` exactly, subnormal numbers included; ValueError for nan and infinity."""
    array = np.asarray(a, np.float64)
    finite = np.isfinite(array)
    if not finite.all():
        raise ValueError(f"a must be finite to become an xfloat, got {array[~finite].flat[0]}")
    fraction, exponent = np.frexp(np.abs(array))
    m = np.ldexp(fraction, 64).astype(np.uint64)
    return make(m, exponent.astype(np.int64), np.signbit(array))


def from_int(a: ArrayLike) -> X:
    """Return ``a`` exactly: integers of any numpy type, or Python ints between -2**64 and 2**64.

    Raises TypeError where ``a`` holds anything else, OverflowError where an int is too large.
    """
    array = np.asarray(a)
    if array.dtype.kind == "O":
        magnitude, negative = _split_ints(array)
    elif array.dtype.kind in "biu":
        negative = array < 0
        magnitude = array.astype(np.uint64)
        magnitude = np.where(negative, ~magnitude + negative, magnitude)
    else:
        raise TypeError(f"a must hold integers, got {array.dtype}: use from_float64")
    return normal(magnitude, np.full_like(magnitude, 64, np.int64), negative)


def _split_ints(array: NDArray[np.object_]) -> tuple[U64, NDArray[np.bool_]]:
    """Return magnitudes and signs of Python ints that no numpy type holds."""
    for value in array.flat:
        if not isinstance(value, (int, np.integer)):
            raise TypeError(f"a must hold integers, got {value!r}")
        if abs(int(value)) >> 64:
            raise OverflowError(f"a must lie between -2**64 and 2**64, got {value}")
    magnitude = np.array([abs(int(value)) for value in array.flat], np.uint64)
    negative = np.array([int(value) < 0 for value in array.flat], np.bool_)
    return magnitude.reshape(array.shape), negative.reshape(array.shape)


@elementwise
def to_float32(x: X) -> NDArray[np.float32]:
    """Return the float32 nearest to ``x``, ties to even, with gradual underflow and infinity.

    A result within 64 units of the last place of ``x`` from a tie counts as that tie. The sign is
    kept: what underflows from below is -0.0.
    """
    bits = _rounded_bits(x, 23, 127, SNAP).astype(np.uint32)
    return (bits | np.left_shift(x.s, np.uint32(31), dtype=np.uint32)).view(np.float32)


@elementwise
def to_float64(x: X) -> NDArray[np.float64]:
    """Return the float64 nearest to ``x``, ties to even, with gradual underflow and infinity."""
    bits = _rounded_bits(x, 52, 1023, 0)
    return (bits | np.left_shift(x.s, np.uint64(63), dtype=np.uint64)).view(np.float64)


def _rounded_bits(x: X, fraction_bits: int, bias: int, snap: int) -> U64:
    """Return the bits of the nearest IEEE number to |x|; its fraction and bias are given."""
    exponent = x.e + (bias - 1)
    lost = 63 - fraction_bits + np.maximum(1 - exponent, 0)
    kept = shift_right(x.m, lost)
    above_tie = x.m - shift_left(kept, lost) - shift_left(filled(kept, ONE), lost - 1)
    tie = above_tie + np.uint64(snap) <= np.uint64(2 * snap)
    up = np.where(tie, kept & ONE, ~above_tie >> np.uint64(63))
    scale = (np.maximum(exponent, 1) - 1).astype(np.uint64) << np.uint64(fraction_bits)
    bits = scale + kept + up  # a carry out of the fraction runs into the exponent, as it should
    infinity = np.uint64((2 * bias + 1) << fraction_bits)
    bits = np.where(exponent > 2 * bias, infinity, bits)
    return np.where((x.m == ZERO) | (lost > 64), ZERO, bits)
