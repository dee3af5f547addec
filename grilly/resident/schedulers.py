"""Schedulers: those that a tape steps: how they move with its updates, and how far they can go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..planning import Pace
from ..whole import MOST
from .entries import Tick, Update, by_owner
from .refusals import refuse_restless, refuse_short
from .together import as_if_made, distinct

# Of each scheduler for how many steps its values are known, and why for no more.
Reaches = list[tuple[float, str]]


class Schedulers:
    """The schedulers of a tape's ``entries``."""

    def __init__(self, entries: Sequence[Any]) -> None:
        self._ticks: list[list[Tick]] = by_owner(Tick, entries, lambda entry: entry.scheduler)
        self._paces = [_pace_of(ticks, entries) for ticks in self._ticks]
        self._all = [ticks[0].scheduler for ticks in self._ticks]
        self.optimizers = distinct([scheduler.optimizer for scheduler in self._all])

    def check(self) -> None:
        """Raise RecordError if two of them write the same number."""
        refuse_restless(self._ticks)

    def check_reaches(self, reaches: Reaches, times: int) -> None:
        """Raise RecordError, with the steps left, if one's values are not known for so many."""
        refuse_short(self._ticks, self._paces, reaches, times)

    def enter(self) -> bool:
        """Have each look, as a replay begins, whether all is as it was left; False: it was not."""
        return not any([scheduler._enters() for scheduler in self._all])

    def reaches(self, times: int) -> Reaches:
        """Return how many steps each can go without the host, and why no more.

        Where it is too short for ``times`` it is found out what can be: of the device, which
        updates were made; of the functions of users, what comes.
        """
        with as_if_made(self.optimizers):
            for scheduler, pace in zip(self._all, self._paces, strict=True):
                scheduler._look(times * pace.each)
            reaches = [scheduler._reach() for scheduler in self._all]
            left = [scheduler._left() for scheduler in self._all]
        short = [
            scheduler
            for scheduler, pace, (steps, _), end in zip(
                self._all, self._paces, reaches, left, strict=True
            )
            if min(steps, end) < times * pace.each
        ]
        for scheduler in short:
            scheduler.optimizer._settle_applied()
            scheduler._ask_ahead()
        # Settling moves all the schedulers of an optimizer.
        return [scheduler._reach() for scheduler in self._all] if short else reaches

    def able(self, reaches: Reaches) -> int:
        """Return for how many times the values are known."""
        able = MOST
        for (steps, _), pace in zip(reaches, self._paces, strict=True):
            able = min(able, int(max(min(steps, MOST), 0)) // pace.each)
        return able

    def by_track(self) -> dict[int, Pace]:
        """Return how each scheduler moves, by the identity of its tracks."""
        return {
            id(track): pace
            for scheduler, pace in zip(self._all, self._paces, strict=True)
            for track in scheduler._tracks()
        }

    def leap(self, rounds: int) -> None:
        """Be where so many rounds have led."""
        for scheduler, pace in zip(self._all, self._paces, strict=True):
            scheduler._leaps(rounds * pace.each, pace)

    def leap_one(self, tick: Tick) -> None:
        """Be where a step of one of them has led, of a round that an error ended."""
        pace = self._paces[[own is tick.scheduler for own in self._all].index(True)]
        tick.scheduler._leaps(1, pace)


def _pace_of(ticks: Sequence[Tick], entries: Sequence[Any]) -> Pace:
    """Return how a scheduler moves with the updates of its optimizer."""
    scheduler, before, within = ticks[0].scheduler, 0, []
    for entry in entries:
        if isinstance(entry, Update) and entry.optimizer is scheduler.optimizer:
            within.append(before)
        before += isinstance(entry, Tick) and entry.scheduler is scheduler
    return Pace(len(ticks), tuple(within))
