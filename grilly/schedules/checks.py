"""Checks of the schedules' arguments: errors that name the argument and the value seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np


def check_number(name: str, value: Any, at_least: float = -math.inf, above: Any = None) -> None:
    """Raise TypeError or ValueError unless ``value`` is a finite number within the bounds.

    Arrays pass: they are numbers of several schedules, side by side, that were checked before.
    """
    if isinstance(value, np.ndarray):
        return
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.number)):
        raise TypeError(f"{name} must be a number, got {value!r}")
    if not math.isfinite(value):
        raise ValueError(f"{name} must be finite, got {value}")
    if value < at_least:
        raise ValueError(f"{name} must be at least {at_least}, got {value}")
    if above is not None and not value > above:
        raise ValueError(f"{name} must be above {above}, got {value}")


def numbers(name: str, values: Sequence[Any], least: int = 0) -> tuple[Any, ...]:
    """Return ``values``, ``least`` or more of them, as a tuple; raise unless they are numbers."""
    try:
        own = tuple(values)
    except TypeError:
        raise TypeError(f"{name} must be a list of numbers, got {values!r}") from None
    if len(own) < least:
        raise ValueError(f"{name} must have at least {least} numbers, got {values!r}")
    for i, value in enumerate(own):
        check_number(f"{name}[{i}]", value)
    return own


def check_rising(name: str, values: tuple[Any, ...]) -> None:
    """Raise ValueError if one of ``values``, numbers, is below the one before."""
    plain = not any(isinstance(value, np.ndarray) for value in values)
    if plain and list(values) != sorted(values):
        raise ValueError(f"{name} must not fall, got {values}")


def check_choice(name: str, value: Any, allowed: Sequence[str]) -> None:
    """Raise ValueError unless ``value`` is one of ``allowed``."""
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}, got {value!r}")
