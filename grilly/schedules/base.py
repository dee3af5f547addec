"""Schedule, what every formula is, and its simplest: a constant, and a window of known values."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from types import FunctionType
from typing import Any, ClassVar, TypeVar

import numpy as np

from ..mathfun import pick
from .checks import check_number, is_number

ADVICE = "which has a value at each step: write Clip(schedule, low, high), or call it with a step"
# What numpy calls for + - * / of a number of its own and a schedule, and the class that is it.
_OPERATORS: dict[Any, str] = {
    np.add: "Sum",
    np.subtract: "Difference",
    np.multiply: "Product",
    np.true_divide: "Quotient",
}
_S = TypeVar("_S", bound="Schedule")
SHOWN = 3  # numbers of a long tuple in a repr


def shortened(schedule: Any) -> str:
    """Return the repr of a dataclass of which long tuples show their first numbers and their count.

    Classes take it as their ``__repr__``.
    """
    fields = (field.name for field in dataclasses.fields(schedule) if field.repr)
    shown = (f"{name}={_brief(getattr(schedule, name))}" for name in fields)
    return f"{type(schedule).__qualname__}({', '.join(shown)})"


def _brief(value: Any) -> str:
    if not isinstance(value, tuple) or len(value) <= 3 * SHOWN:
        return repr(value)
    first = ", ".join(map(repr, value[:SHOWN]))
    return f"({first}, ..., {value[-1]!r}: {len(value)} numbers)"


def _giving_floats(call: Callable[..., Any]) -> Callable[..., Any]:
    """Return a schedule's ``__call__`` so that of a plain number it gives a float."""

    @wraps(call)
    def called(self: Schedule, *args: Any, **named: Any) -> Any:
        t = args[0] if args else next(iter(named.values()), 0.0)
        if t is None or isinstance(t, (str, bytes)):
            raise TypeError(f"t must be a number or an array of numbers, got {t!r}")
        value = call(self, *args, **named)
        return _plain(value) if is_number(t) else value

    called._gives_floats = True  # type: ignore[attr-defined]
    return called


def _plain(value: Any) -> Any:
    """Return a number of numpy's, or an array that is one, as a float; another value as it is."""
    of_one = isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind in "iuf"
    return float(value) if of_one or is_number(value) else value


class Schedule:
    """A pure formula, step -> value. Subclasses are frozen dataclasses and define ``__call__``.

    Schedules and numbers are combined by ``+ - * /`` and by what is in compose.py:

    >>> from grilly.schedules import Cosine
    >>> schedule = 0.5 * Cosine(high=1.0, low=0.0, period=10) + 0.25
    >>> schedule(0), schedule(10)
    (0.75, 0.25)
    """

    # What stands for a number of a run only has no JSON.
    lasting: ClassVar[bool] = True

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        call = vars(cls).get("__call__")
        if isinstance(call, FunctionType) and not hasattr(call, "_gives_floats"):
            cls.__call__ = _giving_floats(call)  # type: ignore[method-assign]

    def __array_ufunc__(self, ufunc: Any, method: str, *parts: Any, **options: Any) -> Any:
        # A numpy number times a schedule is a schedule, no array.
        if method == "__call__" and not options and ufunc in _OPERATORS:
            return _combined(_OPERATORS[ufunc], *parts)
        if ufunc in (np.equal, np.not_equal):
            return ufunc is np.not_equal  # a number is no schedule
        raise TypeError(f"np.{ufunc.__name__} takes no schedule, {ADVICE}")

    def _compared(self, other: Any) -> bool:
        raise TypeError(
            f"schedules are not compared, nor is there a min() or max() of one, {ADVICE}"
        )

    __lt__ = __le__ = __gt__ = __ge__ = _compared

    def __call__(self, t: Any) -> Any:
        """Return the value at step ``t`` (a number, an array, or a symbol), in float64.

        Of a plain number it is a float, whatever a subclass's own method makes of it. Raises
        TypeError for a text and None.
        """
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
        correctly rounded values. No metric comes: a rule that needs one is in its first state, and
        one that needs none goes on from step 0.

        Raises TypeError or ValueError, naming the argument, for steps that are no ints or not
        within 2^53 and a ``step`` below 1; ValueError past the end of a schedule that ends with an
        error; TraceError for a Python function on a device that cannot compute it; DeviceError if
        the device is not there.

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

    Raises TypeError or ValueError if ``value`` is no finite number.

    >>> Constant(0.1)(1000)
    0.1
    """

    value: float

    def __post_init__(self) -> None:
        check_number("value", self.value)

    def __call__(self, t: Any) -> Any:
        return self.value

    def length(self) -> float:
        return 0


@dataclass(frozen=True)
class Sampled(Schedule):
    """``values[i]`` at step ``start + i``: what a function of the host's gave, a window of it.

    >>> Sampled(start=10.0, values=(0.5, 0.25))(11)
    0.25
    """

    start: float
    values: tuple[float, ...]

    __repr__ = shortened

    def __call__(self, t: Any) -> Any:
        return pick(t - self.start, self.values)


def unchecked(kind: type[_S], *numbers: Any) -> _S:
    """Return a schedule of these fields whose own checks are not made.

    torch's classes check torch's arguments, which go further: phases may end in any order there.
    """
    made = object.__new__(kind)
    for field, number in zip(dataclasses.fields(kind), numbers, strict=False):  # type: ignore[arg-type]
        object.__setattr__(made, field.name, number)
    return made


def _combined(name: str, *parts: Any) -> Schedule:
    from . import compose
    from .function import schedules_of

    try:
        members: tuple[Any, ...] = schedules_of("members", parts)
    except TypeError:
        return NotImplemented  # type: ignore[no-any-return]
    combination: type[Any] = getattr(compose, name)
    if type(members[0]) is combination:  # a + b + c is one sum, in the same order
        members = (*members[0].members, *members[1:])
    made: Schedule = combination(members)
    return made
