"""optax's schedules by their names there, with its arguments and its rules at the edges.

Each function returns a Schedule of grilly, with optax's numbers in float64. Where optax only logs
that an argument is ignored (``transition_steps`` of 0 or less: the value never changes;
``transition_begin`` below 0: it is 0), it is ignored here as well. What cannot be meant raises
ValueError or TypeError. What has boundaries and scales is in optax_pieces.py;
optax.contrib.reduce_on_plateau is grilly.rules.reduce_on_plateau.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any

from .anneal import CosineDecay
from .base import Constant, Schedule
from .checks import check_arguments, check_number
from .compose import Join
from .decays import Exponential
from .function import schedule_of
from .linear import Linear, PolynomialDecay
from .warm_up import WarmUp


def constant_schedule(value: float) -> Schedule:
    """Return ``value`` at every step.

    >>> constant_schedule(0.1)
    Constant(value=0.1)
    """
    check_number("value", value)
    return Constant(value)


def linear_schedule(
    init_value: float, end_value: float, transition_steps: float, transition_begin: float = 0
) -> Schedule:
    """Return a line from ``init_value`` to ``end_value``, in the steps after the begin.

    >>> float(linear_schedule(1.0, 0.0, transition_steps=4, transition_begin=2)(4))
    0.5
    """
    check_arguments(
        init_value=init_value,
        end_value=end_value,
        transition_steps=transition_steps,
        transition_begin=transition_begin,
    )
    if transition_steps <= 0:
        return Constant(init_value)
    return Linear(init_value, end_value, transition_steps, max(transition_begin, 0))


def polynomial_schedule(
    init_value: float,
    end_value: float,
    power: float,
    transition_steps: float,
    transition_begin: float = 0,
) -> Schedule:
    """Return (init_value - end_value) (1 - p)^power + end_value, p being the share of steps done.

    >>> float(polynomial_schedule(1.0, 0.0, power=2, transition_steps=4)(2))
    0.25
    """
    check_arguments(
        init_value=init_value,
        end_value=end_value,
        transition_steps=transition_steps,
        transition_begin=transition_begin,
    )
    check_number("power", power, at_least=0)
    if transition_steps <= 0:
        return Constant(init_value)
    begin = max(transition_begin, 0)
    return PolynomialDecay(init_value, end_value, transition_steps, power, begin)


def exponential_decay(
    init_value: float,
    transition_steps: float,
    decay_rate: float,
    transition_begin: float = 0,
    staircase: bool = False,
    end_value: float | None = None,
) -> Schedule:
    """Return init_value decay_rate^(c / transition_steps), c being the steps since the begin.

    ``staircase`` rounds c / transition_steps down. ``end_value`` is the least value if
    ``decay_rate`` is below 1, else the greatest. With ``decay_rate`` 0 the value never changes.

    >>> float(exponential_decay(1.0, transition_steps=2, decay_rate=0.25)(1))
    0.5
    """
    check_arguments(
        init_value=init_value,
        transition_steps=transition_steps,
        transition_begin=transition_begin,
    )
    check_number("decay_rate", decay_rate, at_least=0)
    if end_value is not None:
        check_number("end_value", end_value)
    if transition_steps <= 0 or decay_rate == 0:
        return Constant(init_value)
    begin = max(transition_begin, 0)
    return Exponential(init_value, decay_rate, transition_steps, begin, staircase, end_value)


def cosine_decay_schedule(
    init_value: float, decay_steps: float, alpha: float = 0.0, exponent: float = 1.0
) -> Schedule:
    """Return init_value ((1 - alpha) h^exponent + alpha), h half a cosine from 1 to 0.

    With ``exponent`` 0 the value never changes, 0^0 being 1.

    >>> cosine_decay_schedule(1.0, decay_steps=4, alpha=0.5).low
    0.5
    """
    check_arguments(init_value=init_value, alpha=alpha)
    check_number("decay_steps", decay_steps, above=0)
    return _cosine(init_value, init_value * alpha, decay_steps, exponent)


def warmup_constant_schedule(init_value: float, peak_value: float, warmup_steps: float) -> Schedule:
    """Return a line from ``init_value`` to ``peak_value``, which is kept: linear_schedule.

    >>> float(warmup_constant_schedule(0.0, 1.0, warmup_steps=4)(2))
    0.5
    """
    check_arguments(init_value=init_value, peak_value=peak_value, warmup_steps=warmup_steps)
    return linear_schedule(init_value, peak_value, warmup_steps)


def warmup_cosine_decay_schedule(
    init_value: float,
    peak_value: float,
    warmup_steps: float,
    decay_steps: float,
    end_value: float = 0.0,
    exponent: float = 1.0,
) -> Schedule:
    """Return a line to ``peak_value``, then cosine_decay_schedule from there to ``end_value``.

    ``decay_steps`` is the length of both, so it must be above ``warmup_steps``.

    >>> float(warmup_cosine_decay_schedule(0.0, 1.0, warmup_steps=2, decay_steps=6)(1))
    0.5
    """
    check_arguments(init_value=init_value, peak_value=peak_value, end_value=end_value)
    check_number("warmup_steps", warmup_steps, at_least=0)
    check_number("decay_steps", decay_steps, above=warmup_steps)
    end = end_value if peak_value else 0.0
    cosine = _cosine(peak_value, end, decay_steps - warmup_steps, exponent)
    return WarmUp(cosine, warmup_steps, init_value, peak_value)


def warmup_exponential_decay_schedule(
    init_value: float,
    peak_value: float,
    warmup_steps: float,
    transition_steps: float,
    decay_rate: float,
    transition_begin: float = 0,
    staircase: bool = False,
    end_value: float | None = None,
) -> Schedule:
    """Return a line to ``peak_value``, then exponential_decay from there, on its own clock.

    >>> float(warmup_exponential_decay_schedule(0.0, 1.0, 4, 2, decay_rate=0.25)(5))
    0.5
    """
    check_arguments(init_value=init_value, peak_value=peak_value)
    check_number("warmup_steps", warmup_steps, at_least=0)
    decay = exponential_decay(
        peak_value, transition_steps, decay_rate, transition_begin, staircase, end_value
    )
    return WarmUp(decay, warmup_steps, init_value, peak_value)


def sgdr_schedule(cosine_kwargs: Iterable[Mapping[str, Any]]) -> Schedule:
    """Return one warmup_cosine_decay_schedule after the other, each for its ``decay_steps``.

    >>> cycle = {"init_value": 0.0, "peak_value": 1.0, "warmup_steps": 2, "decay_steps": 6}
    >>> float(sgdr_schedule([cycle, cycle])(8))
    1.0
    """
    own = list(cosine_kwargs)
    cycles = [warmup_cosine_decay_schedule(**kwargs) for kwargs in own]
    ends = list(accumulate(kwargs["decay_steps"] for kwargs in own))
    return join_schedules(cycles, ends[:-1])


def join_schedules(schedules: Sequence[Any], boundaries: Sequence[float]) -> Schedule:
    """Return schedules one after the other, each with a clock that starts at its boundary: Join.

    They may be numbers, functions of the step and formulas as texts as well.

    >>> float(join_schedules([1.0, "0.5**t", lambda t: 0.1], [2, 4])(3))
    0.5
    """
    phases = [schedule_of(one, f"schedules[{i}]") for i, one in enumerate(schedules)]
    return Join(tuple(phases), tuple(boundaries))


def _cosine(high: float, low: float, steps: float, exponent: float) -> Schedule:
    check_number("exponent", exponent, at_least=0)
    return CosineDecay(high, low, steps, exponent) if exponent else Constant(high)
