"""Checks of the schedules' arguments: errors that name the argument and the value seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np


def check_number(name: str, value: Any, at_least: float = -math.inf, above: Any = None) -> None:
    """Raise TypeError or ValueError unless ``value`` is a finite number within the bounds."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if not is_number(value):
        raise TypeError(f"{name} must be a number, got {value!r}")
    if not _finite(value):
        raise ValueError(f"{name} must be finite, got {value}")
    if value < at_least:
        raise ValueError(f"{name} must be at least {at_least}, got {value}")
    if above is not None and not value > above:
        raise ValueError(f"{name} must be above {above}, got {value}")


def is_number(value: Any) -> bool:
    """Return whether ``value`` is a real number, of Python or numpy; a bool is none."""
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def _finite(value: Any) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an int beyond float64
        return False


def check_numbers(schedule: Any, *names: str, at_least: float = -math.inf) -> None:
    """Raise as ``check_number`` does for the first of these fields that it refuses."""
    for name in names:
        check_number(name, getattr(schedule, name), at_least)


def check_arguments(**arguments: Any) -> None:
    """Raise as ``check_number`` does for the first of these that it refuses.

    For what is given under one name and handed on under another.
    """
    for name, value in arguments.items():
        check_number(name, value)


def numbers(
    name: str, values: Sequence[Any], least: int = 0, at_least: float = -math.inf
) -> tuple[Any, ...]:
    """Return ``values``, ``least`` or more of them, as a tuple; raise unless they are numbers.

    Each is a number of ``at_least`` so much.
    """
    try:
        own = tuple(_listed(values))
    except TypeError:
        raise TypeError(f"{name} must be a list of numbers, got {values!r}") from None
    if len(own) < least:
        raise ValueError(f"{name} must have at least {least} numbers, got {values!r}")
    for i, value in enumerate(own):
        check_number(f"{name}[{i}]", value, at_least)
    return own


def check_rising(name: str, values: tuple[Any, ...]) -> None:
    """Raise ValueError if one of ``values``, numbers, is below the one before."""
    if list(values) != sorted(values):
        raise ValueError(f"{name} must not fall, got {values}")


def _listed(values: Any) -> Any:
    if isinstance(values, (str, bytes)):  # of its letters
        raise TypeError
    return values


def check_choice(name: str, value: Any, allowed: Sequence[str]) -> None:
    """Raise ValueError unless ``value`` is one of ``allowed``."""
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}, got {value!r}")
