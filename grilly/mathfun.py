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
