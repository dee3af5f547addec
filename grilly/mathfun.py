"""Functions for formulas that numpy has not: numbers and arrays are computed, symbols are recorded.

numpy's own functions dispatch on the type of their argument. These do the same through one
method, ``__grilly_function__``, so that a formula does not know whether it is being traced.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def half_cosine(x: Any) -> Any:
    """Return (1 - cos(pi x)) / 2: 0 at x = 0, 1 at x = 1, period 2, for every real ``x``.

    Written as sin(pi x / 2)^2 of the distance to the nearest even or odd integer: ``1 - cos`` has
    no correct digit left where the cosine is near 1, which is the end of every annealing.

    >>> half_cosine(np.array([0.0, 1 / 3, 1.0, -4.0])).round(15)
    array([0.  , 0.25, 1.  , 0.  ])
    """
    record = getattr(x, "__grilly_function__", None)
    if record is not None:
        return record(half_cosine, x)
    x = np.asarray(x, np.float64)
    distance = np.abs(x - 2.0 * np.rint(x / 2.0))  # exact, where x + 1 would round
    near = np.minimum(distance, 1.0 - distance)
    small = np.sin(np.pi / 2 * near) ** 2
    return np.where(distance <= 0.5, small, 1.0 - small)


def one_minus_power(x: Any, power: Any) -> Any:
    """Return 1 - (1 - x)^power for ``x`` in [0, 1] and ``power`` >= 0, exactly near x = 0 too.

    >>> float(one_minus_power(1e-20, 2.0)), float(one_minus_power(0.5, 2.0))
    (2e-20, 0.75)
    """
    inside = np.where(x < 1, x, 0)
    value = -np.expm1(power * np.log1p(-inside))
    return np.where(x < 1, value, np.where(power > 0, 1, 0))


def sinpi(x: Any) -> Any:
    """Return sin(pi x) for every real ``x``: exactly 0 at the integers, period 2.

    >>> sinpi(np.array([0.0, 0.5, 1.0, 1.5, 1e15 + 0.5])).tolist()
    [0.0, 1.0, 0.0, -1.0, 1.0]
    """
    record = getattr(x, "__grilly_function__", None)
    return _sine_of_turns(x, 0) if record is None else record(sinpi, x)


def cospi(x: Any) -> Any:
    """Return cos(pi x) for every real ``x``: exactly 0 halfway between integers, period 2.

    >>> cospi(np.array([0.0, 0.5, 1.0, 1.5, 1e15 + 0.5, 5e15])).tolist()
    [1.0, 0.0, -1.0, 0.0, 0.0, 1.0]
    """
    record = getattr(x, "__grilly_function__", None)
    return _sine_of_turns(x, 1) if record is None else record(cospi, x)


def _sine_of_turns(x: Any, quarters: int) -> Any:
    """Return sin(pi x + quarters pi / 2); what ``x`` is away from a multiple of 1/2 is exact."""
    halves = np.rint(2.0 * np.asarray(x, np.float64))
    angle = np.pi * (x - halves / 2)
    # From 2^53 on, halves + 1 would round.
    quadrant = np.remainder(np.remainder(halves, 4.0) + quarters, 4.0)
    size = np.where(quadrant % 2 == 0, np.sin(angle), np.cos(angle))
    return np.where(quadrant < 2, size, 0.0 - size)


def positive_power(x: Any, y: Any) -> Any:
    """Return x ** y where ``x`` is surely not negative: a shorter shader than that of ``**``.

    >>> positive_power(0.25, 1.5)
    0.125
    """
    record = _recorder(x, (y,))
    return x**y if record is None else record(positive_power, x, y)


def reached(t: Any, bounds: Sequence[Any]) -> Any:
    """Return how many of ``bounds``, in any order, ``t`` has reached: those with bound <= t.

    The shader loops over them, so that a formula has one structure for as many bounds.

    >>> reached(np.array([0.0, 2.0, 5.0]), (2.0, 4.0, 4.0)).tolist()
    [0.0, 1.0, 3.0]
    """
    record = _recorder(t, bounds)
    if record is not None:
        return record(reached, t, bounds)
    if all(np.ndim(bound) == 0 for bound in bounds):
        order = np.sort(np.asarray(bounds, np.float64))
        return np.searchsorted(order, t, side="right").astype(np.float64)
    return sum((np.where(np.greater_equal(t, bound), 1.0, 0.0) for bound in bounds), np.float64(0))


def pick(i: Any, values: Sequence[Any]) -> Any:
    """Return values[floor(i)]; before the first it is the first, behind the last the last.

    >>> pick(np.array([-1.0, 1.5, 9.0]), (0.1, 0.2, 0.3)).tolist()
    [0.1, 0.2, 0.3]
    """
    record = _recorder(i, values)
    if record is not None:
        return record(pick, i, values)
    at = np.clip(np.floor(i), 0, len(values) - 1).astype(np.int64)
    if all(np.ndim(value) == 0 for value in values):
        return np.asarray(values, np.float64)[at]
    at, *columns = np.broadcast_arrays(at, *values)
    return np.take_along_axis(np.array(columns, np.float64), at[None], 0)[0]


def _recorder(first: Any, rest: Sequence[Any]) -> Any:
    found = (getattr(one, "__grilly_function__", None) for one in (first, *rest))
    return next((record for record in found if record is not None), None)
