"""Steps and row constants as Near: of the mirror's 64 bits, float64 keeps 53."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import xfloat
from ..xfloat.number import LOG_OF_ZERO_EXPONENT
from .near import Array, Near

REST = np.uint64(0x7FF)  # the bits that float64 has no room for
EXPONENT = 899  # of numbers in the range of Near


def exact_float64(x: xfloat.X) -> Array | None:
    """Return ``x`` as float64, or None if it does not fit there as it is."""
    return None if np.any(x.m & REST) or _beyond(x.e) else _float64(x.m, x.e, x.s)


def leaf(steps: Array) -> Near:
    """Return steps, which are what the mirror has."""
    return Near(steps)


def constant(value: Any) -> Near:
    """Return a row constant: an X, an L, a list of X, or bools."""
    if isinstance(value, xfloat.L):
        return _logarithm(value)
    if not isinstance(value, xfloat.X):
        return Near(np.asarray(value))
    error = (2.0 if np.any(value.m & REST) else 0.0) if not _beyond(value.e) else np.inf
    return Near(_float64(value.m, value.e, value.s), error)


def _beyond(exponents: Any) -> Any:
    return np.any(np.abs(exponents) > EXPONENT)


def _float64(m: Any, e: Any, s: Any) -> Any:
    """Return a number in range within a unit: exactly where the last 11 bits of ``m`` are 0."""
    size = np.ldexp(np.asarray(m, np.float64), np.clip(e, -EXPONENT, EXPONENT) - 64)
    return np.where(s, -size, size)


def _logarithm(log: xfloat.L) -> Near:
    """Return the logarithm of a power's base as ``functions.log2_of_base`` does.

    The lower half of its 128 bits and the rounding of the upper one are below 2 units.
    """
    nothing = log.e == LOG_OF_ZERO_EXPONENT
    value = np.where(nothing, -np.inf, _float64(log.high, log.e, log.s))
    largest = float(np.where(nothing, 0.0, np.abs(value)).max())
    return Near(value, np.inf if _beyond(np.where(nothing, 0, log.e)) else 2 * largest)
