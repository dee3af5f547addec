"""A user's functions in a scheduler: what they may return, and what of them is state."""

from __future__ import annotations

import copy
import math
import types
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...schedules import Schedule


def number(result: Any, what: str, *numbers: Any) -> float:
    """Return what a function gave, named ``what % numbers``, as a float; raise if it is no number.

    ValueError if it is not finite, TypeError if it is not a number at all.
    """
    if type(result) is float and math.isfinite(result):
        return result
    try:
        if isinstance(result, (str, bytes, bool, np.bool_)):  # which float() would take
            raise TypeError
        value = float(result)
    except (TypeError, ValueError):
        raise TypeError(f"{what % numbers} must return a number, got {result!r}") from None
    if not math.isfinite(value):
        raise ValueError(f"{what % numbers} must return a finite number, got {value}")
    return value


def asked(function: Callable[[Any], Any], step: Any, what: str, *numbers: Any) -> Any:
    """Return function(step); what it raises gets the note ``what % numbers`` (from Python 3.11)."""
    try:
        return function(step)
    except Exception as error:
        note = what % numbers
        if hasattr(error, "add_note") and note not in getattr(error, "__notes__", ()):
            error.add_note(note)
        raise


def saved_function(function: Any) -> dict[str, Any] | None:
    """Return the attributes of a callable object: its state. Functions and schedules have none."""
    if isinstance(function, (types.FunctionType, type, Schedule)):
        return None
    if not hasattr(function, "__dict__"):
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
