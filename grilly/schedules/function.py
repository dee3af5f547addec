"""Function, a schedule that a Python function of the step computes, and what counts as one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .base import Schedule, schedule_from
from .text import parse


@dataclass(frozen=True, eq=False)
class Function(Schedule):
    """The value that ``call(t)`` returns.

    A numpy-style function is traced and runs on the device; whatever else is computed on the host,
    a window of steps ahead. It is called once more than there are steps when it is traced, with
    a symbol, and it should give the same value whenever it is asked for the same step.

    Of two objects each is traced by itself, also if their function is the same.

    >>> import numpy as np
    >>> Function(lambda t: 0.5 ** np.minimum(t, 2))(3)
    np.float64(0.25)
    """

    call: Callable[[Any], Any]

    def __call__(self, t: Any) -> Any:
        return self.call(t)


def schedule_of(value: Any, name: str = "schedule") -> Schedule:
    """Return what a user gave, named ``name``, as a Schedule.

    A Schedule stays what it is; a number becomes a Constant, a text what ``parse`` makes of it,
    and any other callable a Function. Raises TypeError for anything else, TextError for a text that
    says no formula.

    >>> schedule_of(0.1)
    Constant(value=0.1)
    """
    if isinstance(value, str):
        return parse(value)
    a_class = isinstance(value, type) and issubclass(value, Schedule)
    if callable(value) and not isinstance(value, Schedule) and not a_class:
        return Function(value)
    try:
        return schedule_from(value)
    except TypeError:
        raise TypeError(
            f"{name} must be a schedule, a number, a text or a function of the step, got {value!r}"
        ) from None
