"""Functions with an exact pi, for formulas: numbers and arrays are computed, symbols are recorded.

numpy's own functions dispatch on the type of their argument. These do the same through one
method, ``__grilly_function__``, so that a formula does not know whether it is being traced.
"""

from __future__ import annotations

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
    distance = np.abs(np.remainder(np.asarray(x, np.float64) + 1.0, 2.0) - 1.0)
    near = np.minimum(distance, 1.0 - distance)
    small = np.sin(np.pi / 2 * near) ** 2
    return np.where(distance <= 0.5, small, 1.0 - small)


def sinpi(x: Any) -> Any:
    """Return sin(pi x) for every real ``x``: exactly 0 at the integers, period 2.

    >>> sinpi(np.array([0.0, 0.5, 1.0, 1.5, 1e15 + 0.5])).tolist()
    [0.0, 1.0, 0.0, -1.0, 1.0]
    """
    record = getattr(x, "__grilly_function__", None)
    return _sine_of_turns(x, 0) if record is None else record(sinpi, x)


def cospi(x: Any) -> Any:
    """Return cos(pi x) for every real ``x``: exactly 0 halfway between integers, period 2.

    >>> cospi(np.array([0.0, 0.5, 1.0, 1.5, 1e15 + 0.5])).tolist()
    [1.0, 0.0, -1.0, 0.0, 0.0]
    """
    record = getattr(x, "__grilly_function__", None)
    return _sine_of_turns(x, 1) if record is None else record(cospi, x)


def _sine_of_turns(x: Any, quarters: int) -> Any:
    """Return sin(pi x + quarters pi / 2); what ``x`` is away from a multiple of 1/2 is exact."""
    halves = np.rint(2.0 * np.asarray(x, np.float64))
    angle = np.pi * (x - halves / 2)
    quadrant = np.remainder(halves + quarters, 4.0)
    size = np.where(quadrant % 2 == 0, np.sin(angle), np.cos(angle))
    return np.where(quadrant < 2, size, 0.0 - size)
