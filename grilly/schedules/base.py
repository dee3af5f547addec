"""Schedule, what every formula is, and its simplest: a constant, and a window of known values."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..mathfun import pick


class Schedule:
    """A pure formula, step -> value. Subclasses are frozen dataclasses and define ``__call__``.

    Schedules and numbers are combined by ``+ - * /`` and by what is in compose.py:

    >>> from grilly.schedules import Cosine
    >>> schedule = 0.5 * Cosine(high=1.0, low=0.0, period=10) + 0.25
    >>> float(schedule(0)), float(schedule(10))
    (0.75, 0.25)
    """

    __array_ufunc__ = None  # a numpy number times a schedule is a schedule, no array

    def __call__(self, t: Any) -> Any:
        """Return the value at step ``t`` (a number, an array, or a symbol), in float64."""
        raise NotImplementedError

    def parts(self, t: float) -> Iterator[tuple[Schedule, float]]:
        """Yield each schedule inside this one that counts at step ``t``, and its own step."""
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            for part in value if isinstance(value, tuple) else (value,):
                if isinstance(part, Schedule):
                    yield part, t

    def last_step(self) -> float:
        """Return the last step that this schedule has a value for; infinity if there is none."""
        return min((part.last_step() for part, _ in self.parts(0)), default=np.inf)

    def length(self) -> float:
        """Return the step at which this schedule is at its end; infinity if it has no end.

        Of a composition that is the last end of what is in it. A class of your own that ends says
        so by a method of this name; grilly.lint and plot() ask it.

        >>> from grilly.schedules import Cosine, Exponential, join
        >>> join([0.5, Cosine(0.5, 0.0, period=90)], [10]).length(), Exponential(1.0, 0.9).length()
        (100.0, inf)
        """
        from .outline import length

        return length(self)

    def plot(self, steps: int | None = None, ax: Any = None, **line: Any) -> Any:
        """Draw the values at steps 0 to ``steps`` - 1, and return matplotlib's axes.

        By default these are the steps until its end and a tenth more; 1000 if it has no end.
        ``ax`` are the axes to draw into, by default the current ones of pyplot; ``line`` goes to
        their ``plot()``. Dotted lines show where one schedule of a composition follows another.

        Raises ImportError without matplotlib: pip install 'grilly[plot]'; and TypeError or
        ValueError if ``steps`` is no int, or below 1.
        """
        from ..look import plot

        return plot(self, steps, ax, line)

    def to_json(self) -> str:
        """Return this schedule as JSON, from which ``grilly.schedules.from_json`` makes its equal.

        Numbers keep all their digits. Raises TypeError, naming the place, for a function of Python
        in it (write it as a text), ValueError for a number that is not finite and for more than
        100 schedules one in another.

        >>> Constant(0.1).to_json()
        '{"grilly": 1, "schedule": {"type": "Constant", "value": 0.1}}'
        """
        from .saving import to_json

        return to_json(self)

    def table(self, start: int, stop: int, step: int = 1, device: str | int | None = None) -> Any:
        """Return the values at steps start, start + step, ... below ``stop``, an array (n,).

        They are the host's float64 values. With a ``device``, "cpu" (numpy), "vulkan", a part of a
        device's name or an index, they are float32: what an optimizer's kernels read there, the
        correctly rounded values. A rule is in its first state, as if no metric came.

        Raises TypeError or ValueError, naming the argument, for steps that are no ints or not
        within 2^53 and a ``step`` below 1; TraceError for a Python function on a device that
        cannot compute it; DeviceError if the device is not there.

        >>> from grilly.schedules import Linear
        >>> Linear(start=0.0, end=0.1, steps=4).table(0, 6, device="cpu")
        array([0.   , 0.025, 0.05 , 0.075, 0.1  , 0.1  ], dtype=float32)
        """
        from ..look import table

        return table(self, start, stop, step, device)

    def __add__(self, other: Any) -> Schedule:
        return _combined("Sum", self, other)

    def __radd__(self, other: Any) -> Schedule:
        return _combined("Sum", other, self)

    def __sub__(self, other: Any) -> Schedule:
        return _combined("Difference", self, other)

    def __rsub__(self, other: Any) -> Schedule:
        return _combined("Difference", other, self)

    def __mul__(self, other: Any) -> Schedule:
        return _combined("Product", self, other)

    def __rmul__(self, other: Any) -> Schedule:
        return _combined("Product", other, self)

    def __truediv__(self, other: Any) -> Schedule:
        return _combined("Quotient", self, other)

    def __rtruediv__(self, other: Any) -> Schedule:
        return _combined("Quotient", other, self)

    def __neg__(self) -> Schedule:
        return _combined("Product", -1.0, self)


@dataclass(frozen=True)
class Constant(Schedule):
    """The same value at every step.

    >>> Constant(0.1)(1000)
    0.1
    """

    value: float

    def __call__(self, t: Any) -> Any:
        return self.value

    def length(self) -> float:
        return 0


@dataclass(frozen=True)
class Sampled(Schedule):
    """``values[i]`` at step ``start + i``: what a function of the host's gave, a window of it.

    >>> Sampled(start=10.0, values=(0.5, 0.25))(11)
    np.float64(0.25)
    """

    start: float
    values: tuple[float, ...]

    def __call__(self, t: Any) -> Any:
        return pick(t - self.start, self.values)


def schedule_from(value: Any) -> Schedule:
    """Return a schedule as it is, and a number as a Constant; raise TypeError for anything else."""
    if isinstance(value, Schedule):
        return value
    if isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool):
        return Constant(float(value))
    raise TypeError(f"a schedule or a number is needed here, got {value!r}")


def _combined(name: str, *parts: Any) -> Schedule:
    from . import compose

    try:
        members: tuple[Any, ...] = tuple(map(schedule_from, parts))
    except TypeError:
        return NotImplemented  # type: ignore[no-any-return]
    combination: type[Any] = getattr(compose, name)
    if type(members[0]) is combination:  # a + b + c is one sum, in the same order
        members = (*members[0].members, *members[1:])
    made: Schedule = combination(members)
    return made
