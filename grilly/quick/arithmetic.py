"""The arithmetic of Near: float64's own, and what it does to the bounds.

float64's + - * / sqrt are within 1 unit (relative to the result); the mirror's, within 2^-10. So 2
units cover both.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .near import Array, Error, Near, beside, exact_at, larger, near, reach, unsure

ROUNDED = 2.0
MOST_QUOTIENT = 2.0**49


def negative(a: Near) -> Near:
    """Return -a."""
    return Near(-a.value, a.error, a.tiny)


def absolute(a: Near) -> Near:
    """Return |a|."""
    return Near(np.abs(a.value), a.error, a.tiny)


def add(a: Near, b: Near) -> Near:
    """Return a + b."""
    value = a.value + b.value
    if a.exact and b.exact:
        rounded = np.any(_rest_of_sum(a.value, b.value, value))
        return near(value, 0.0, ROUNDED if rounded else 0.0, True)
    found = near(value, _of_sum(a, b, value), ROUNDED, True)
    if isinstance(found.error, float):
        return found
    known = (a.error == 0) & (b.error == 0)
    return exact_at(found, known & (_rest_of_sum(a.value, b.value, value) == 0))


def _rest_of_sum(a: Any, b: Any, total: Any) -> Any:
    """Return what float64 has rounded away (D. Knuth's two-sum): if nothing, nor has the mirror."""
    part = total - a
    return (a - (total - part)) + (b - part)


def _of_sum(a: Near, b: Near, value: Any) -> Error:
    """Return what the errors bring: no more than the larger one where the signs are the same."""
    (low, high), (other_low, other_high) = a.span, b.span
    error, other = beside(a, value), beside(b, value)
    if min(low, other_low) >= 0 or max(high, other_high) <= 0:
        return larger(error, other)
    moved = np.abs(a.value) * error + np.abs(b.value) * other
    # Where terms with errors cancel to 0, this is infinity: nothing is known.
    return np.where(moved == 0, 0.0, moved / np.abs(value))


def subtract(a: Near, b: Near) -> Near:
    """Return a - b."""
    return add(a, negative(b))


def multiply(a: Near, b: Near) -> Near:
    """Return a * b: (1 + x) (1 + y) - 1 is x + y and their product, which the slack covers."""
    value, zero = a.value * b.value, (a.value == 0) | (b.value == 0)
    own = 0.0 if a.exact and b.exact and _are_whole(a, b, value) else ROUNDED
    return near(value, a.error + b.error, own, zero)


def _are_whole(a: Near, b: Near, product: Any) -> bool:
    """Whether these are integers and their product is below 2^53: then it is not rounded."""
    small = np.all(np.abs(product) < 2.0**53)
    return bool(small and all(np.all(np.floor(x.value) == x.value) for x in (b, a)))


def divide(a: Near, b: Near) -> Near:
    """Return a / b; of b = 0 nothing is known, as float64 has infinity or nan there."""
    found = near(a.value / b.value, a.error + b.error, ROUNDED, a.value == 0)
    # The end of a schedule is often compared with this 1.
    return exact_at(found, a.value == b.value) if a.exact and b.exact else found


def sqrt(a: Near) -> Near:
    """Return the root: |sqrt(1 + x) - 1| <= |x| / 2 and a little. Below 0 float64 has nan."""
    return near(np.sqrt(a.value), 0.5 * a.error, ROUNDED, a.value == 0)


def minimum(a: Near, b: Near) -> Near:
    """Return the lesser: it grows with both, so it is between those of the ends of the bounds."""
    return Near(np.minimum(a.value, b.value), larger(a.error, b.error))


def maximum(a: Near, b: Near) -> Near:
    """Return the greater: as ``minimum``."""
    return Near(np.maximum(a.value, b.value), larger(a.error, b.error))


def floor(a: Near) -> Near:
    """Return the greatest integer not above ``a``, where all of its reach has the same one."""
    whole = np.floor(a.value)
    if a.exact:
        return Near(whole)
    far = reach(a)
    same = np.floor(a.value - far) == np.floor(a.value + far)  # never, of nan and infinity
    return Near(whole, unsure(~same))


def floor_divide(a: Near, b: Near) -> Near:
    """Return floor(a / b)."""
    if a.exact and b.exact:
        whole, _ = _division(a.value, b.value)
        return Near(whole, unsure(~(np.abs(whole) <= MOST_QUOTIENT)))
    return floor(divide(a, b))


def remainder(a: Near, b: Near) -> Near:
    """Return a - b * floor(a / b)."""
    whole, rest = _division(a.value, b.value)
    if a.exact and b.exact:
        # Of like signs, what fmod and the mirror give is exact; else they add b, and round.
        exact = a.span[0] >= 0 and b.span[0] > 0
        found = near(rest, 0.0, 0.0 if exact else ROUNDED, True)
        found.error = larger(found.error, unsure(~(np.abs(whole) <= MOST_QUOTIENT)))
        return found
    sure = floor(divide(a, b))
    moved = np.abs(a.value) * a.error + np.abs(sure.value * b.value) * b.error
    return near(rest, moved / np.abs(rest) + sure.error, ROUNDED)


def _division(a: Array, b: Array) -> tuple[Any, Any]:
    """Return floor(a / b), right up to MOST_QUOTIENT, and the remainder, of which fmod is exact.

    (a - fmod) / b is a whole number of at most 2^49, and rounded three times: by less than 1/4.
    """
    rest = np.fmod(a, b)
    whole = np.rint((a - rest) / b)
    other_side = (rest != 0) & ((rest < 0) != (b < 0))
    return np.where(other_side, whole - 1, whole), np.where(other_side, rest + b, rest)
