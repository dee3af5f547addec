"""Function, a schedule that a Python function of the step computes, and what counts as one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .base import Constant, Schedule
from .checks import check_number, is_number
from .text import parse


@dataclass(frozen=True, eq=False)
class Function(Schedule):
    """The value that ``call(t)`` returns.

    A numpy-style function is traced and runs on the device; whatever else is computed on the host,
    a window of steps ahead. It is called more often than there are steps (with a symbol, an array
    and some steps ahead), and must depend on the step alone. A scheduler compares what it gives
    with its formula once a window, at most 256 steps: a change is noticed at the next one.

    Of two objects each is traced by itself, also if their function is the same. Raises TypeError
    if ``call`` cannot be called.

    >>> import numpy as np
    >>> Function(lambda t: 0.5 ** np.minimum(t, 2))(3)
    0.25
    """

    call: Callable[[Any], Any]

    def __post_init__(self) -> None:
        if not callable(self.call):
            text = ": write parse(...) for a text" if isinstance(self.call, str) else ""
            raise TypeError(f"call must be a function of the step, got {self.call!r}{text}")

    def __call__(self, t: Any) -> Any:
        # A composition may have made an int64 of an int, and its powers overflow.
        return self.call(int(t) if isinstance(t, np.integer) else t)


def schedule_of(value: Any, name: str = "schedule") -> Schedule:
    """Return what a user gave, named ``name``, as a Schedule.

    A Schedule stays what it is; a number becomes a Constant, a text what ``parse`` makes of it,
    and any other callable a Function. Raises TypeError for anything else, ValueError for nan and
    infinity, TextError for a text that says no formula.

    >>> schedule_of(0.1)
    Constant(value=0.1)
    """
    if isinstance(value, Schedule):
        return value
    if isinstance(value, str):
        return parse(value)
    if is_number(value):
        check_number(name, value)
        return Constant(float(value))
    if callable(value) and not (isinstance(value, type) and issubclass(value, Schedule)):
        return Function(value)
    raise TypeError(
        f"{name} must be a schedule, a number, a text or a function of the step, got {value!r}"
    )


def schedules_of(name: str, values: Any) -> tuple[Schedule, ...]:
    """Return each of ``values``, a list, as schedule_of does; an error names its place in it."""
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise TypeError(f"{name} must be a list of schedules, got {values!r}")
    return tuple(schedule_of(value, f"{name}[{i}]") for i, value in enumerate(values))
