"""How many schedules may be one in another: recursion goes through them all."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from ..errors import TraceError
from .base import Schedule

MOST_DEPTH = 100


def check_depth(schedule: Schedule) -> None:
    """Raise TraceError if more than MOST_DEPTH schedules are one in another."""
    level = [schedule]
    for _ in range(MOST_DEPTH):
        # Those that are in several places once: there may be 2^n ways to them.
        level = list({id(part): part for one in level for part in _parts(one)}.values())
        if not level:
            return
    raise TraceError(f"schedules may be {MOST_DEPTH} deep one in another, these are more")


def _parts(schedule: Schedule) -> Iterator[Schedule]:
    # Not ``parts``, which are those that count at one step.
    if dataclasses.is_dataclass(schedule):
        for field in dataclasses.fields(schedule):
            yield from _schedules(getattr(schedule, field.name))


def _schedules(value: Any) -> Iterator[Schedule]:
    if isinstance(value, Schedule):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _schedules(item)
