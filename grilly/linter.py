"""lint: what is likely to be wrong with a schedule, found before anything is trained with it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from .backend import Array
from .look import table
from .optim.lr_scheduler.base import LRScheduler
from .optim.lr_scheduler.metric import MetricLR
from .optim.lr_scheduler.preview import rates, steps_of
from .optim.options import Key
from .optim.param_scheduler import ParamScheduler
from .optim.sampling import plain_step
from .optim.track import Track
from .rules import bind, starts
from .schedules import Constant, Schedule, schedule_of
from .schedules.outline import Joint, Span, inside, joints, spans

# A jump at a joint is at least this part of the largest value near it, and so many times the
# change from step to step on either side of it.
PART_OF_LARGEST, TIMES_NEIGHBOUR = 0.01, 1.5
POINTS = 200  # looked at of a long part
SAME = 1e-9  # of the largest value: what rounding makes of equal values
LR: Key = ("lr",)


@dataclass(frozen=True)
class Finding:
    """One thing that lint found: its ``code``, the ``step`` where it begins, and what it is."""

    code: str
    step: int
    message: str

    def __str__(self) -> str:
        return f"step {self.step}: {self.message} ({self.code})"


def lint(schedule: Any, steps: int) -> list[Finding]:
    """Return what is likely to be wrong with ``steps`` steps of a schedule, by step; [] if nothing.

    ``schedule`` is a schedule, a number, a text or a function of the step, with steps 0 to
    ``steps`` - 1; or a scheduler of grilly.optim, whose next steps are looked at: step 0 is now,
    and what a SequentialLR or ChainedScheduler is made of is not known, only its rates.

    - zero-start: the first value is 0 and others are not: as a rate, it makes no update
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

    Raises TypeError for no such schedule, TypeError or ValueError if ``steps`` is no int or below
    1, and what a function of yours raises.

    >>> from grilly.schedules import Cosine, Linear, join
    >>> for finding in lint(join([Linear(0.0, 0.1, steps=5), Cosine(0.5, 0.0, 80)], [5]), 100):
    ...     print(finding)
    step 0: the first value is 0: a rate of 0 makes no update (zero-start)
    step 5: Linear comes to 0.1, Cosine starts at 0.5 (jump)
    step 86: Cosine is at its end, 0, after 80 steps, and goes on to 0.0368 in 94 (past-end)
    """
    if steps_of("steps", steps) < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    if isinstance(schedule, ParamScheduler):
        found = _of_each(schedule, steps)
    elif isinstance(schedule, LRScheduler):
        found = _of_rates(schedule, steps)
    else:
        found = _of_schedule(schedule_of(schedule), 0, steps)
    return sorted(dict.fromkeys(found), key=lambda finding: finding.step)


def _of_schedule(schedule: Schedule, begin: int, steps: int) -> Iterator[Finding]:
    end = min(begin + steps, schedule.last_step() + 1)  # what is past it is found in the parts
    yield from _in_values(table(schedule, begin, max(begin, math.floor(end)), 1))
    schedule = bind(schedule, starts(schedule))
    yield from _counted(_in_parts(schedule, begin, begin + steps), begin)


def _of_each(scheduler: ParamScheduler, steps: int) -> Iterator[Finding]:
    for name, given in scheduler.schedules.items():
        for i, one in enumerate(given if isinstance(given, list) else [given]):
            whose = f"{name} of group {i}: " if isinstance(given, list) else f"{name}: "
            if one is not None:
                found = _of_schedule(schedule_of(one), int(scheduler.last_epoch), steps)
                yield from _counted(found, 0, whose)


def _of_rates(scheduler: LRScheduler, steps: int) -> Iterator[Finding]:
    ahead = scheduler.preview(steps) if isinstance(scheduler, MetricLR) else rates(scheduler)
    rows: list[Any] = []
    try:
        rows.extend(islice(ahead, steps))
    except ValueError as error:
        yield Finding("past-end", len(rows), f"the scheduler raises {error}")
    columns = np.array(rows, np.float64).T
    names = [f"group {i}: " if len(columns) > 1 else "" for i in range(len(columns))]
    for name, column in zip(names, columns, strict=True):
        yield from _counted(_in_values(column), 0, name)
    # What the rates of now come from; a scheduler that plain Python computes has no formulas.
    track, now = getattr(scheduler, "_track", Track()), int(getattr(scheduler, "last_epoch", 0))
    for name, formula in zip(names, track.formulas.get(LR, ()), strict=False):
        yield from _counted(_in_parts(formula, now, now + steps), now, name)


def _counted(found: Iterable[Finding], begin: int, whose: str = "") -> Iterator[Finding]:
    """Yield findings with their steps counted from ``begin``, and the name of what they are in."""
    for one in found:
        yield Finding(one.code, one.step - begin, whose + one.message)


# --- The values -----------------------------------------------------------------------------------


def _in_values(values: Array) -> Iterator[Finding]:
    with np.errstate(all="ignore"):
        single = values.astype(np.float32)
    if values.size and values[0] == 0 and np.any(values != 0):
        yield Finding("zero-start", 0, "the first value is 0: a rate of 0 makes no update")
    kinds = {
        "nonfinite": (~np.isfinite(single), "is not finite in float32"),
        "negative": ((values < 0) & np.isfinite(single), "is negative"),
        "float32-zero": ((single == 0) & (values != 0), "is 0 in float32"),
    }
    for code, (where, what) in kinds.items():
        at = np.flatnonzero(where)
        if at.size:
            rest = f", and so at {at.size - 1} more steps" if at.size > 1 else ""
            yield Finding(code, int(at[0]), f"the value {values[at[0]]:.3g} {what}{rest}")


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
