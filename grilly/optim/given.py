"""Given: what users hand to a scheduler, as schedules; every error names the place of it."""

from __future__ import annotations

import inspect
from typing import Any

from ..errors import TextError
from ..schedules import Function, Schedule, schedule_of


def schedule_at(given: Any, where: str) -> Schedule:
    """Return what a user gave at ``where`` as a schedule, as schedule_of does.

    Raises TypeError or TextError, with ``where``, for what is none.
    """
    check_call(given, where)
    try:
        return schedule_of(given, where)
    except TextError as error:
        raise TextError(f"{where}: {error}") from None


def check_call(given: Any, where: str) -> None:
    """Raise TypeError, with ``where``, for a function that cannot be called with a step alone."""
    call = given.call if isinstance(given, Function) else given
    if isinstance(call, Schedule) or not callable(call):
        return
    try:
        signature = inspect.signature(call)
    except (TypeError, ValueError):  # of some that are written in C nothing is known
        return
    try:
        signature.bind(0)
    except TypeError:
        name = getattr(call, "__name__", type(call).__name__)
        raise TypeError(
            f"{where} must be a function that takes the step alone, got {name}{signature}"
        ) from None
