"""The outline of a composition: which schedules are in it, when each one counts, and the joints."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import singledispatch
from itertools import pairwise
from typing import NamedTuple

from .base import Constant, Schedule
from .compose import End, Join, Shift, Stretch
from .warm_up import WarmUp


@dataclass(frozen=True)
class Span:
    """``schedule`` counts in the steps from ``begin`` up to ``end``.

    Its own step 0 is step ``zero``, and it makes one step every ``tick`` steps.
    """

    schedule: Schedule
    begin: float = -math.inf
    end: float = math.inf
    zero: float = 0.0
    tick: float = 1.0

    def of(self, inner: Span) -> Span:
        """Return ``inner``, which is in the steps of our schedule, in the steps that we are in."""
        begin, end, zero = (self.at(t) for t in (inner.begin, inner.end, inner.zero))
        begin, end = max(self.begin, begin), min(self.end, end)
        return Span(inner.schedule, begin, end, zero, self.tick * inner.tick)

    def at(self, own: float) -> float:
        """Return at which step the schedule is at its ``own`` step."""
        return self.zero + self.tick * own


class Joint(NamedTuple):
    """At step ``at`` of a schedule its value passes from one part of it to the next."""

    at: float
    before: Span
    after: Span


def spans(schedule: Schedule, begin: float, end: float) -> Iterator[Span]:
    """Yield ``schedule`` and all inside it that have a step from ``begin`` up to ``end``.

    >>> from grilly.schedules import Cosine, Linear, join
    >>> warm = join([Linear(0.0, 1.0, steps=5), Cosine(1.0, 0.0, period=95)], [5])
    >>> for span in spans(warm, 0, 100):
    ...     print(type(span.schedule).__name__, span.begin, span.end, span.zero)
    Join 0 100 0.0
    Linear 0 5.0 0.0
    Cosine 5.0 100 5.0
    """
    yield from _spans(Span(schedule, begin, end))


def _spans(span: Span) -> Iterator[Span]:
    if math.ceil(span.begin) < span.end:
        yield span
        for part in inside(span.schedule):
            yield from _spans(span.of(part))


def length(schedule: Schedule) -> float:
    """Return the last end of what is in a composition; infinity if nothing is known to be in it."""
    parts = inside(schedule)
    ends = (max(p.begin, min(p.end, p.at(p.schedule.length()))) for p in parts)
    return max(ends, default=math.inf)


@singledispatch
def inside(schedule: Schedule) -> list[Span]:
    """Return when each of the schedules in a composition counts, in the composition's steps.

    Of a class that says so in ``parts`` alone, step by step, nothing is known: [].
    """
    if type(schedule).parts is not Schedule.parts:
        return []
    return [Span(part) for part, _ in schedule.parts(0)]


@inside.register
def _(schedule: Join) -> list[Span]:
    bounds = schedule.boundaries
    begins, ends = (-math.inf, *bounds), (*bounds, math.inf)
    places = zip(schedule.phases, begins, ends, (0.0, *bounds), strict=True)
    return [Span(phase, begin, end, zero) for phase, begin, end, zero in places if begin < end]


@inside.register
def _(schedule: WarmUp) -> list[Span]:
    begin = schedule.steps - schedule.first
    return [Span(schedule.schedule, begin, zero=begin if schedule.shifted else 0.0)]


@inside.register
def _(schedule: Shift) -> list[Span]:
    return [Span(schedule.schedule, zero=schedule.by)]


@inside.register
def _(schedule: Stretch) -> list[Span]:
    return [Span(schedule.schedule, tick=schedule.by)]


@inside.register
def _(schedule: End) -> list[Span]:
    return [Span(schedule.schedule, end=schedule.steps + (schedule.then == "clamp"))]


@singledispatch
def joints(schedule: Schedule) -> list[Joint]:
    """Return where a schedule, apart from what is inside it, passes from one part to another."""
    return []


@joints.register
def _(schedule: Join) -> list[Joint]:
    return [Joint(after.begin, before, after) for before, after in pairwise(inside(schedule))]


@joints.register
def _(schedule: WarmUp) -> list[Joint]:
    target = schedule.schedule(0) if schedule.target is None else schedule.target
    rise = replace(schedule, schedule=Constant(float(target)))
    (after,) = inside(schedule)
    return [Joint(after.begin, Span(rise, end=after.begin), after)] if schedule.steps > 0 else []
