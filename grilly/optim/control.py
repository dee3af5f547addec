"""control: what is asked of an update by the norm of its gradients, checked."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..planning import Control
from .options import number_of

NO_NORM = (
    "the norm of the gradients is known after a step of an optimizer with max_norm or "
    "skip_nonfinite: max_norm=float('inf') clips nothing and shows it"
)


# What is of the whole optimizer: the norm is that of all gradients together.
OF_ALL = ("max_norm", "skip_nonfinite")


def check_no_control(group: dict[str, Any]) -> None:
    """Raise ValueError for a new group that asks for what is asked of the whole optimizer."""
    for name in OF_ALL:
        if name in group:
            raise ValueError(
                f"{name} is of the whole optimizer, not of a group, got {name}={group[name]!r} in "
                f"one: write optimizer.{name}, or give it to the constructor"
            )


def check_control(max_norm: Any, skip_nonfinite: Any) -> None:
    """Raise TypeError or ValueError unless these can be meant."""
    if not isinstance(skip_nonfinite, bool):
        raise TypeError(f"skip_nonfinite must be True or False, got {skip_nonfinite!r}")
    if isinstance(max_norm, (bool, np.bool_)):
        raise TypeError(f"max_norm must be a number or None, got {max_norm!r}")
    if max_norm is not None:
        value = number_of(max_norm, "max_norm")
        if math.isnan(value) or value < 0:
            raise ValueError(
                f"max_norm must be at least 0, or None to clip nothing, got {max_norm}"
            )


def control_of(max_norm: Any, skip_nonfinite: bool) -> Control | None:
    """Return what the backend is to do; None: nothing but the update."""
    if max_norm is None and not skip_nonfinite:
        return None
    check_control(max_norm, skip_nonfinite)
    return Control(math.inf if max_norm is None else float(max_norm), skip_nonfinite)
