"""Function, a schedule that a Python function of the step computes, and what counts as one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .base import Schedule, schedule_from
from .text import parse


@dataclass(frozen=True, eq=False)
class Function(Schedule):
    """The value that ``call(t)`` returns.

    A numpy-style function is traced and runs on the device; whatever else is computed on the host,
    a window of steps ahead. It is called once more than there are steps when it is traced, with
    a symbol. It must depend on the step alone. A scheduler compares what it gives with its formula
    once a window, at most 256 steps: a change is noticed at the next one.

    Of two objects each is traced by itself, also if their function is the same.

    >>> import numpy as np
    >>> Function(lambda t: 0.5 ** np.minimum(t, 2))(3)
    np.float64(0.25)
    """

    call: Callable[[Any], Any]

    def __call__(self, t: Any) -> Any:
        # A composition may have made an int64 of an int, and its powers overflow.
        return self.call(int(t) if isinstance(t, np.integer) else t)


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
