"""lint: what is likely to be wrong with a schedule, found before anything is trained with it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np

from .lint_values import MOST_VALUES, Column, Finding, in_values, looked_at
from .look import on_host
from .optim.columns import columns_of, limits_of
from .optim.lr_scheduler.base import LRScheduler
from .optim.lr_scheduler.metric import MetricLR
from .optim.lr_scheduler.preview import rates
from .optim.options import LR
from .optim.param_scheduler import ParamScheduler
from .optim.sampling import plain_step
from .optim.track import Track
from .rules import bind, starts
from .schedules import Constant, Schedule, schedule_of
from .schedules.outline import Joint, Span, inside, joints, spans
from .schedules.steps import MOST_STEPS
from .whole import count_of

# A jump at a joint is at least this part of the largest value near it, and so many times the
# change from step to step on either side of it.
PART_OF_LARGEST, TIMES_NEIGHBOUR = 0.01, 1.5
# Fields that hold a number of steps, and how many times a decay's high its low may be.
STEPS, SWAPPED = ("steps", "warmup", "warmup_steps", "period"), 10
POINTS = 200  # looked at of a long part
SAME = 1e-9  # of the largest value: what rounding makes of equal values
RATE = Column()


def lint(schedule: Any, steps: int) -> list[Finding]:
    """Return what is likely to be wrong with ``steps`` steps of a schedule, by step; [] if nothing.

    ``schedule`` is a schedule, a number, a text or a function of the step, with steps 0 to
    ``steps`` - 1; or a scheduler of grilly.optim, whose next steps are looked at: step 0 is now,
    and what a SequentialLR or ChainedScheduler is made of is not known, only its rates.

    - zero-start: the first value is 0 and others are not: as a rate, it makes no update (of a
      ParamScheduler's schedules this is looked for in that of "lr" alone)
    - out-of-range: a ParamScheduler's value is beyond the limits of its number, so that the step
      raises an error, which the message has
    - negative: a value below 0
    - nonfinite: nan or infinite, in float64 or float32
    - float32-zero: not 0, but 0 in float32, which kernels read
    - jump: where one part of a composition follows another (``join``, WarmUp), the new value is
      away both from what the old part came to and from what it would have gone on to, by more than
      1 % of the largest value of that composition and more than 1.5 times the change from one step
      to the next on either side. From one constant to another is no jump, nor are the restarts and
      drops that one class makes by itself
    - end-never-reached: a part that ends (``length()``) has fewer steps than that, or a part of a
      composition has none
    - past-end: a part has more steps, and its value goes on (a cosine rises again), or it raises
    - suspicious: a schedule's number of steps is above 0 and below 1, as a share of the run would
      be; or its ``low`` is more than 10 times its ``high``, as if they were swapped

    Of more than a million steps the values are looked at near joints and ends, and at a million
    steps evenly: what is between these is not seen. Of a scheduler of grilly.optim.lr_scheduler,
    whose rates come one by one, a million steps are the most.

    Raises TypeError for no such schedule, TypeError or ValueError if ``steps`` is no int, below 1
    or too many, and what a function of yours raises.

    >>> from grilly.schedules import Cosine, Linear, join
    >>> for finding in lint(join([Linear(0.0, 0.1, steps=5), Cosine(0.5, 0.0, 80)], [5]), 100):
    ...     print(finding)
    step 0: the first value is 0: a rate of 0 makes no update (zero-start)
    step 5: Linear comes to 0.1, Cosine starts at 0.5 (jump)
    step 86: Cosine is at its end, 0, after 80 steps, and goes on to 0.0368 in 94 (past-end)
    """
    if count_of("steps", steps) < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    if steps > MOST_STEPS:
        raise ValueError(f"steps must be within 2^53, got {steps}")
    if isinstance(schedule, ParamScheduler):
        found = _of_each(schedule, steps)
    elif isinstance(schedule, LRScheduler):
        found = _of_rates(schedule, steps)
    else:
        found = _of_schedule(schedule_of(schedule), 0, steps)
    return sorted(dict.fromkeys(found), key=lambda finding: finding.step)


def _of_schedule(
    schedule: Schedule, begin: int, steps: int, column: Column = RATE
) -> Iterator[Finding]:
    schedule, end = bind(schedule, starts(schedule)), begin + steps
    at = looked_at(schedule, begin, end)
    yield from _counted(in_values(at, on_host(schedule, at), column), begin)
    yield from _counted(_in_parts(schedule, begin, end), begin)
    yield from _counted(_in_fields(schedule, begin, end), begin)


def _of_each(scheduler: ParamScheduler, steps: int) -> Iterator[Finding]:
    keys, limits = columns_of(scheduler.optimizer), limits_of(scheduler.optimizer)
    for name, given in scheduler.schedules.items():
        column = Column(name, keys[name], limits)
        for i, one in enumerate(given if isinstance(given, list) else [given]):
            whose = f"{name} of group {i}: " if isinstance(given, list) else f"{name}: "
            if one is not None:
                found = _of_schedule(schedule_of(one), int(scheduler.last_epoch), steps, column)
                yield from _counted(found, 0, whose)


def _of_rates(scheduler: LRScheduler, steps: int) -> Iterator[Finding]:
    if steps > MOST_VALUES:
        kind = type(scheduler).__name__
        raise ValueError(
            f"steps must be at most {MOST_VALUES} for {kind}, whose rates come one by one, "
            f"got {steps}: give lint a schedule of grilly.schedules, or fewer steps"
        )
    ahead = scheduler.preview(steps) if isinstance(scheduler, MetricLR) else rates(scheduler)
    rows: list[Any] = []
    try:
        rows.extend(islice(ahead, steps))
    except ValueError as error:
        yield Finding("past-end", len(rows), f"the scheduler raises {error}")
    columns = np.array(rows, np.float64).T
    names = [f"group {i}: " if len(columns) > 1 else "" for i in range(len(columns))]
    for name, column in zip(names, columns, strict=True):
        yield from _counted(in_values(np.arange(len(column)), column, RATE), 0, name)
    # What the rates of now come from; a scheduler that plain Python computes has no formulas.
    track, now = getattr(scheduler, "_track", Track()), int(getattr(scheduler, "last_epoch", 0))
    for name, formula in zip(names, track.formulas.get(LR, ()), strict=False):
        yield from _counted(_in_parts(formula, now, now + steps), now, name)


def _counted(found: Iterable[Finding], begin: int, whose: str = "") -> Iterator[Finding]:
    """Yield findings with their steps counted from ``begin``, and the name of what they are in."""
    for one in found:
        yield Finding(one.code, one.step - begin, whose + one.message)


# --- The parts ------------------------------------------------------------------------------------


def _in_parts(schedule: Schedule, begin: float, end: float) -> Iterator[Finding]:
    last = schedule.last_step()
    if last < end - 1:
        words = f"there is no value behind step {last:g}: a scheduler raises an error"
        yield Finding("past-end", math.floor(last) + 1, words)
    for span in spans(schedule, begin, end):
        for joint in joints(span.schedule):
            if span.begin < math.ceil(span.at(joint.at)) < span.end:
                yield from _jump(span, joint)
        parts = [span.at(part.begin) for part in inside(span.schedule)]
        late = min((step for step in parts if step > span.end), default=None)
        if late is not None:
            words = f"{_name(span)} passes to its next part at step {late:g} only"
            yield Finding("end-never-reached", math.ceil(span.end) - 1, words)
        if not parts:
            yield from _end(span)


def _jump(span: Span, joint: Joint) -> Iterator[Finding]:
    """Find out whether there is a jump at a joint of a span's; ``lint`` says what counts as one."""
    at, (before, after) = joint.at, joint[1:]
    old, new = _value(before, at), _value(after, at)
    gap = np.fmin(abs(new - old), abs(new - _value(before, np.nextafter(at, -np.inf))))
    last, next_ = _value(before, at - 1), _value(after, at + 1)
    usual = np.fmax(abs(last - _value(before, at - 2)), abs(next_ - new))
    own, steps = Span(span.schedule), _some(_own(span, span.begin), _last(span))
    largest = np.fmax.reduce([abs(_value(own, t)) for t in steps])
    level = isinstance(before.schedule, Constant) and isinstance(after.schedule, Constant)
    if not level and gap > PART_OF_LARGEST * largest and gap > TIMES_NEIGHBOUR * usual:
        words = f"{_name(before)} comes to {old:.3g}, {_name(after)} starts at {new:.3g}"
        yield Finding("jump", math.ceil(span.at(at)), words)


def _end(span: Span) -> Iterator[Finding]:
    """Find out whether a part has as many steps as it needs, and stays at its end."""
    length, last, own = span.schedule.length(), _last(span), Span(span.schedule)
    if length == math.inf:
        return
    if length > last + 1:
        words = f"{_name(span)} is at its end after {length:g} steps, and has {last + 1:g} here"
        yield Finding("end-never-reached", math.ceil(span.end) - 1, words)
        return
    first = max(math.floor(length) + 1, _own(span, span.begin))
    end, beyond = _value(own, length), [(t, _value(own, t)) for t in _some(first, last)]
    largest = max((abs(value) for _, value in beyond), default=0.0)
    moved = [t for t, value in beyond if abs(value - end) > SAME * largest]
    if moved:
        words = f"{_name(span)} is at its end, {end:.3g}, after {length:g} steps, and goes on to "
        step = math.ceil(span.at(moved[0]))
        yield Finding("past-end", step, words + f"{beyond[-1][1]:.3g} in {last:g}")


def _value(span: Span, t: float) -> float:
    """Return what a span's schedule has at step ``t``; nan if it cannot be computed there."""
    try:
        with np.errstate(all="ignore"):
            return float(span.schedule(plain_step((t - span.zero) / span.tick)))
    except Exception:  # a user's function, asked for a step before or behind its own
        return math.nan


def _own(span: Span, step: float) -> int:
    """Return which whole step of its own a span's schedule is at."""
    return math.floor((math.ceil(step) - span.zero) / span.tick)


def _last(span: Span) -> int:
    return _own(span, math.ceil(span.end) - 1)


def _some(first: float, last: float) -> list[float]:
    """Return the whole steps from ``first`` to ``last``; of many, POINTS of them."""
    if last < first:
        return []
    points = np.linspace(first, last, int(min(last - first + 1, POINTS))).round()
    return [float(t) for t in points]


def _name(span: Span) -> str:
    return type(span.schedule).__name__


# --- The fields -----------------------------------------------------------------------------------


def _in_fields(schedule: Schedule, begin: int, end: int) -> Iterator[Finding]:
    """Find numbers that were likely meant otherwise, of all that counts in these steps."""
    for span in spans(schedule, begin, end):
        own, step = span.schedule, math.ceil(span.begin)
        fields = {name: getattr(own, name, None) for name in (*STEPS, "low", "high")}
        numbers = {name: x for name, x in fields.items() if isinstance(x, (int, float, np.number))}
        for name in STEPS:
            if 0 < numbers.get(name, 0) * span.tick < 1:
                words = f"{_name(span)} has {name}={numbers[name]:g}, less than one step: give a "
                yield Finding("suspicious", step, words + "number of steps, no share of them")
        low, high = numbers.get("low", 0.0), numbers.get("high", math.inf)
        if high >= 0 and low > SWAPPED * high:
            words = f"{_name(span)} has low={low:g} and high={high:g}: are they swapped?"
            yield Finding("suspicious", step, words)
