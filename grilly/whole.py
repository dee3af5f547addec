"""Numbers of steps, of updates and of times that a user gives."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

MOST = 2**53


def count_of(name: str, value: Any) -> int:
    """Return ``value`` as an int; raise TypeError or ValueError, with ``name``, if it is no number.

    A bool is none, nor is a float that happens to be whole.
    """
    if type(value) is int and 0 <= value <= MOST:
        return value
    if isinstance(value, (bool, np.bool_)) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} must be an int, got {value!r}")
    if operator.index(value) < 0:
        raise ValueError(f"{name} must be at least 0, got {value}")
    if operator.index(value) > MOST:
        raise ValueError(f"{name} must be at most 2^53, the most that is counted, got {value}")
    return operator.index(value)
