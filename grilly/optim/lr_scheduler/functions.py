"""A user's functions in a scheduler: what they may return, and what of them is state."""

from __future__ import annotations

import copy
import math
import types
from collections.abc import Callable, Sequence
from typing import Any


def number_from(function: Callable[[Any], Any], argument: Any, name: str) -> float:
    """Return ``function(argument)`` as a float; ValueError or TypeError if it is no finite one."""
    result = function(argument)
    try:
        number = float(result)
    except (TypeError, ValueError):
        raise TypeError(f"{name}({argument}) must return a number, got {result!r}") from None
    if not math.isfinite(number):
        raise ValueError(f"{name}({argument}) must return a finite number, got {number}")
    return number


def saved_function(function: Any) -> dict[str, Any] | None:
    """Return the attributes of a callable object: its state. A function has none."""
    if isinstance(function, (types.FunctionType, type)) or not hasattr(function, "__dict__"):
        return None
    state: dict[str, Any] = copy.deepcopy(function.__dict__)
    return state


def check_saved(name: str, functions: Sequence[Any], states: Any) -> None:
    """Raise ValueError or TypeError unless each of ``states`` can be put into its function."""
    if not isinstance(states, list) or len(states) > len(functions):
        raise ValueError(f"{name} must be a list of {len(functions)}, got {states!r}")
    for function, state in zip(functions, states, strict=False):
        if state is None:
            continue
        if not isinstance(state, dict) or saved_function(function) is None:
            kind = type(function).__name__
            raise TypeError(f"{name} has {state!r} for a {kind}, which holds no attributes")


def restore_functions(functions: Sequence[Any], states: Sequence[Any]) -> None:
    """Put saved attributes back into callable objects."""
    for function, state in zip(functions, states, strict=False):
        if state is not None:
            function.__dict__.update(copy.deepcopy(state))
