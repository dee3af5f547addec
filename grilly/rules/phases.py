"""Phases: when the rules of a schedule look at a metric, for a device that only counts metrics."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from ..nested import inside, walk
from ..schedules import Join, Schedule, Shift
from ..schedules.compose import End, Stretch
from .tree import looks, rules_in

ODD_CLOCK = (
    "the rule at {!r} has a clock that is not the schedule's, in a Stretch or an End that cycles: "
    "a device cannot count it. Give it a number, as in scheduler.step(loss.item())"
)


def phase_of(tree: Schedule, path: str, t: float) -> tuple[int, int | None]:
    """Return how many metrics pass before the rule at ``path`` looks at one, and at how many then.

    From step ``t`` on; None: at all that come. Raises ValueError for a rule that stops and begins
    again, or whose clock is not the schedule's.
    """
    if _odd(tree, path):
        raise ValueError(ODD_CLOCK.format(path))
    points = sorted({0, *(d for edge in _edges(tree, 0.0) for d in _around(edge - t) if d >= 0)})
    awake = [looks(tree, path, t + d) for d in points]
    if not any(awake):
        return 0, 0
    first = awake.index(True)
    rest = awake[first:]
    asleep = rest.index(False) if False in rest else len(rest)
    if any(rest[asleep:]):
        raise ValueError(ODD_CLOCK.format(path))
    left = points[first + asleep] - points[first] if asleep < len(rest) else None
    return points[first], left


def _around(d: float) -> tuple[int, int, int]:
    """Return the steps at which something may change at a distance of ``d``."""
    whole = math.ceil(d) if abs(d) < 2**53 else 2**53
    return whole - 1, whole, whole + 1


def _edges(node: Any, offset: float) -> Iterator[float]:
    """Yield the steps at which a phase of ``node`` begins or ends."""
    if isinstance(node, Join):
        starts = (0.0, *node.boundaries)
        yield from (offset + start for start in starts)
        for phase, start in zip(node.phases, starts, strict=True):
            yield from _edges(phase, offset + start)
    elif isinstance(node, Shift):
        yield offset + node.by
        yield from _edges(node.schedule, offset + node.by)
    elif isinstance(node, End):
        yield offset + node.steps
        yield from _edges(node.schedule, offset)
    else:
        for _, part in inside(node):
            yield from _edges(part, offset)


def _odd(node: Any, path: str) -> bool:
    """Whether the rule at ``path`` is inside something with a clock of another pace."""
    for inner, part in walk(node):
        paces = isinstance(part, Stretch) or (isinstance(part, End) and part.then == "cycle")
        if paces and any(found == path for found, _ in rules_in(part, inner)):
            return True
    return False
