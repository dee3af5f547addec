"""The functions of Near: numpy's, which are not rounded correctly, and what they do to the bounds.

numpy promises 4 units in the last place, which are 8 of ours (its loops differ between processors);
twice that is allowed for here. The mirror's 5 units of 2^-64 are below 2^-8.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import mathfun
from .near import MOST, Error, Near, exact_at, near, widened

FUNCTION = 17.0
LARGEST_ANGLE = 2.0**20  # up to which tests hold numpy's sin and cos to their bound


def _size(a: Near) -> Any:
    """Return |a|: of a block the greatest where that is a number, for one error serves all."""
    return a.size if isinstance(a.error, float) and a.size < np.inf else np.abs(a.value)


def exp2(a: Near) -> Near:
    """Return 2^a: an error of d in ``a`` is a factor 2^d, and |2^d - 1| < 0.7 |d| for small d."""
    return near(np.exp2(a.value), 0.7 * _size(a) * a.error, FUNCTION)


def exp(a: Near) -> Near:
    """Return e^a: |e^d - 1| < 1.01 |d| for small d. Both have 1 for 0."""
    found = near(np.exp(a.value), 1.01 * _size(a) * a.error, FUNCTION)
    return exact_at(found, a.value == 0)


def logarithm(function: Callable[[Any], Any], slope: float) -> Callable[[Near], Near]:
    """Return the rule of a logarithm whose derivative is below ``slope`` / a.

    The relative error of ``a`` is the absolute one of its logarithm. numpy is good next to 1 too.
    """

    def rule(a: Near) -> Near:
        value = function(a.value)
        brought = 0.0 if a.exact else slope * a.error / np.abs(value)
        return near(value, brought, FUNCTION, a.value == 1)

    return rule


def log2_of_base(a: Near) -> Near:
    """Return log2(a) for a power. Its error is absolute, and minus infinity stands for a = 0."""
    value = np.log2(a.value)
    size = np.where(np.isfinite(value), np.abs(value), 0.0)
    found = Near(value, widened(1.45 * a.error, FUNCTION * float(size.max())))
    if not a.span[0] >= 0:  # of what lies below zero the mirror takes the logarithm of zero
        found.error = np.where(a.value >= 0, found.error, np.inf)
    return found


def power_from_log(log: Near, y: Near) -> Near:
    """Return 2^(log * y): the errors of the product are factors, as in ``exp2``.

    Zero to a power above zero is zero; to another one, float64 has infinity or nan.
    """
    exponent = log.value * y.value
    nothing = log.value == -np.inf
    size = np.where(nothing, 0.0, np.abs(exponent))
    moved = np.abs(y.value) * log.error + size * (y.error + 2)
    if isinstance(log.error, float) and isinstance(y.error, float):
        moved = float(moved.max())
    return near(np.exp2(exponent), 0.7 * moved, FUNCTION, nothing)


def _wave(function: Callable[[Any], Any]) -> Callable[[Near], Near]:
    """Return the rule of sin or cos: nowhere steeper than 1, numpy's error taken as an absolute one

    next to their zeros, where the reduction by pi decides.
    """

    def rule(a: Near) -> Near:
        value, size = function(a.value), np.abs(a.value)
        least = np.minimum(size, 1.0) if function is np.sin else 1.0
        moved = (size * a.error + FUNCTION * least) / np.abs(value)
        return near(value, np.where(size <= LARGEST_ANGLE, moved, np.inf), 1.0)

    return rule


sin, cos = _wave(np.sin), _wave(np.cos)


def tanh(a: Near) -> Near:
    """Return tanh(a): x tanh'(x) / tanh(x) is at most 1."""
    return near(np.tanh(a.value), 1.01 * a.error, FUNCTION, a.value == 0)


def _turned(function: Callable[[Any], Any]) -> Callable[[Near], Near]:
    """Return the rule of sinpi or cospi: nowhere steeper than pi.

    What their argument is away from a multiple of 1/2 is exact; times float64's pi it is within 2
    units, and no relative error grows on the way through the sine of an angle up to pi / 4.
    """

    def rule(a: Near) -> Near:
        value = function(a.value)
        brought = 0.0 if a.exact else 3.15 * np.abs(a.value) * a.error / np.abs(value)
        return near(value, brought, FUNCTION + 3, True)

    return rule


sinpi, cospi = _turned(mathfun.sinpi), _turned(mathfun.cospi)


def half_cosine(a: Near) -> Near:
    """Return (1 - cos(pi a)) / 2 as sin(pi d / 2)^2, d being how far the next even integer is.

    d is exact, and for d <= 1 no relative error grows on the way through this sine: two of angle
    and FUNCTION, all doubled by the square.
    """
    distance = np.abs(a.value)
    if not a.size <= 1:
        distance = np.abs(a.value - 2.0 * np.rint(0.5 * a.value))
    value = np.square(np.sin(np.pi / 2 * distance))
    return near(value, _of_half_cosine(a, distance), 2 * FUNCTION + 6, distance == 0)


def _of_half_cosine(a: Near, distance: Any) -> Error:
    """Return what the error of ``a`` brings: twice that of d, relative to d, as a sine is concave.

    sin(y + h) / sin(y) = cos(h) + sin(h) / tan(y), which is 1 within |h| / y and the square of h.
    """
    if a.exact:
        return 0.0
    if a.size <= 1:
        return 2.01 * a.error
    least = float(distance.min())
    if isinstance(a.error, float) and a.size <= 1000 * least:
        return 2.01 * a.error * a.size / least
    moved = np.abs(a.value) * a.error / distance
    return 2.01 * np.where(moved <= MOST, moved, np.inf)
