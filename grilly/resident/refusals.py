"""Refusals: schedulers that a tape cannot go on with, found before anything is submitted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import RecordError
from ..planning import Pace
from ..whole import MOST
from .entries import Tick

RESTLESS = (
    "{} and {} both write {} of param_groups[{}] at every step, so no formula of either lasts: let "
    "one ParamScheduler follow the product of the schedules, or step without a tape"
)
# Of each scheduler its steps in a tape.
Ticks = Sequence[Sequence[Tick]]


def refuse_short(
    ticks: Ticks, paces: Sequence[Pace], reaches: Sequence[tuple[float, str]], times: int
) -> None:
    """Raise RecordError if a scheduler's values are not known for so many times.

    ``reaches`` are for how many steps they are, and why for no more.
    """
    for (first, *_), pace, (steps, why) in zip(ticks, paces, reaches, strict=True):
        left = first.scheduler._left()
        if left < times * pace.each:
            steps, why = left, "then its schedule ends"
        known = max(int(min(steps, MOST)), 0)
        if why and known < times * pace.each:
            raise RecordError(
                f"{type(first.scheduler).__name__} has {known} steps left, and "
                f"replay({times}) takes {times * pace.each}: {why}"
            )


def refuse_restless(ticks: Ticks) -> None:
    """Raise RecordError if two schedulers write the same number: each edits the other's."""
    if len(ticks) < 2:
        return
    writers: dict[Any, Any] = {}
    for first, *_ in ticks:
        scheduler = first.scheduler
        for track, key in ((t, key) for t in scheduler._tracks() for key in t.formulas):
            for i, formula in enumerate(track.formulas[key]):
                place = id(scheduler.optimizer), i, key
                known = formula is not None
                other = writers.setdefault(place, scheduler) if known else scheduler
                if other is not scheduler:
                    names = type(other).__name__, type(scheduler).__name__
                    raise RecordError(RESTLESS.format(*names, repr(key[0]), i))
