"""Checks of the schedulers' arguments: one error that names the argument and the value seen."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from ...schedules.steps import MOST_STEPS
from ..options import number_of
from .touch import plain


def check_optimizer(optimizer: Any) -> None:
    """Raise torch's TypeError unless ``optimizer`` has a list of param groups."""
    if not isinstance(getattr(optimizer, "param_groups", None), list):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")


def check_number(name: str, value: Any, zero: bool = True) -> None:
    """Raise TypeError or ValueError unless ``value`` is a finite number (``zero``: may be 0)."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.number)):
        raise TypeError(f"{name} must be a number, got {value!r}")
    if not _finite(value):
        raise ValueError(f"{name} must be finite, got {value}")
    if not zero and value == 0:
        raise ValueError(f"{name} divides and must not be 0, got {value}")


def _finite(value: Any) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an int beyond float64
        return False


def check_rate(name: str, value: Any) -> None:
    """Raise unless ``value`` is a finite number, or an array or tensor of one."""
    if isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be a number, got {value!r}")
    check_number(name, number_of(plain(value), name))


def check_epoch(value: Any) -> None:
    """Raise unless ``value`` is a step that a schedule can be moved to."""
    check_number("epoch", value)
    if abs(value) > MOST_STEPS:
        raise ValueError(f"epoch must be within 2^53, got {value}")


def per_group(name: str, value: Any, count: int) -> list[Any]:
    """Return ``value``, a number or a list or tuple of ``count`` numbers, as a list.

    A number may be an array or a tensor of one: of that its value now is kept.
    """
    given = value if isinstance(value, (list, tuple)) else [value]
    values = [plain(one) for one in given]
    for one in values:
        check_number(name, one)
    return values if given is value else values * count


def formatted(name: str, value: Any, count: int) -> list[Any]:
    """Return ``value`` as one number per group; torch's ValueError for a list of another length."""
    values = per_group(name, value, count)
    if len(values) != count:
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups. "
            f"{name} has {len(values)} values, param_groups has {count}."
        )
    return values


def cycles_beta1(optimizer: Any) -> bool:
    """Return whether the momentum to cycle is beta1; torch's ValueError if there is none."""
    defaults = getattr(optimizer, "defaults", optimizer.param_groups[0])
    if "momentum" not in defaults and "betas" not in defaults:
        raise ValueError(
            "optimizer must support momentum or beta1 with `cycle_momentum` option enabled"
        )
    return "betas" in defaults


def check_beta1(optimizer: Any, values: Iterable[Any]) -> None:
    """Raise ValueError unless all of ``values`` can be a beta1 of grilly's ``optimizer``."""
    for beta1 in values if hasattr(optimizer, "_driven") else ():
        if not 0.0 <= beta1 < 1.0:
            raise ValueError(f"momenta must be in [0, 1) where beta1 is cycled, got {beta1}")


def power(name: str, base: float, exponent: float) -> float:
    """Return base ** exponent; ValueError, naming ``base``, where that is no finite real number."""
    result: Any
    try:
        result = float(base) ** exponent  # of an int, a large power takes for ever
    except (ZeroDivisionError, OverflowError):
        result = np.inf
    if isinstance(result, complex) or not np.isfinite(result):
        raise ValueError(f"{name}={base} to the power of {exponent} is no finite number")
    return float(result)
