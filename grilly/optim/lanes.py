"""Lanes: the rows of a table, one lane for each group and each number of updates in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import zip_longest
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from ..backend import Backend
from ..kept import shown
from ..planning import MOVES, STAYS, Array, Clock, Control, Job, Pace, Plan
from ..schedules import Formula, Schedule
from .options import Key
from .products import ROOTS, START, Beta, followed
from .progress import Epochs, Places, Progress


class Source(NamedTuple):
    """Where a column's value comes from, and the schedule's step of it (None: a constant)."""

    schedule: Schedule
    epoch: float | None


class Column(NamedTuple):
    """One column of a lane: the number of the group that it comes from, and what is made of it."""

    key: Key
    formula: Callable[[Schedule], Formula] = lambda schedule: schedule


# Two float64 for each product, or None.
Pairs = tuple[tuple[float, float] | None, ...]
# A group, how many updates the lane's parameters have missed, and their products.
Lane = tuple[int, int, Places]
Sources = Sequence[dict[Key, Source]]
# The pace of each number, by group and key.
Paces = list[list[Pace]]


class Lanes:
    """Plans a backend's table from what the schedules and the parameters have come to."""

    _backend: Backend
    _columns: Sequence[Column]
    _betas: list[Key]
    _groups: Array
    _now: Epochs
    _started: Epochs
    _paces: Paces
    _keys: list[Key]
    _lanes: list[Lane]
    _rows: float
    phase: int
    progress: Progress
    control: Control | None

    @property
    def updates(self) -> list[int]:
        """The number of updates that each parameter has had."""
        return [int(n) for n in self.progress.steps - self.progress.behind]

    def _plan(self, sources: Sources, active: Array, behind: Array) -> None:
        places = self._followed(sources, active)
        self._started = [
            [None if e is None else e - pace.past(self.phase) for e, pace in zip(*own, strict=True)]
            for own in zip(self._now, self._paces, strict=True)
        ]
        self._keys = list(sources[0])
        self.progress = self.progress._replace(row=0, places=tuple(places), moving=active)
        lanes: list[Lane] = [*zip(self._groups.tolist(), behind.tolist(), places, strict=True)]
        self._lanes = self._numbered_lanes(sources, lanes, active)
        number = {lane: i for i, lane in enumerate(self._lanes)}
        paces = self._all_paces()
        jobs = [
            job for lane in self._lanes for job in self._jobs(lane, number[lane], sources, paces)
        ]
        moving = [own for own, on in zip(places, active.tolist(), strict=True) if on]
        self._rows = min((p.path.rows - p.i for own in moving for p in own), default=np.inf)
        lane_of = [number[lane] if on else None for lane, on in zip(lanes, active, strict=True)]
        show = shown(self._groups.tolist(), lane_of, len(sources))
        plan = Plan(len(self._lanes), tuple(jobs), tuple(lane_of), paces, self.control, show)
        self._backend.plan(plan)
        # A schedule's own step, which may be fractional, is its job's offset: exact.
        self._backend.start(Clock(self.progress.steps + 1, 0, self.phase))

    def _likely(self) -> Paces:
        """Return the paces that the schedules are likely to go on with.

        Who steps a scheduler per epoch is believed after one step without a move, and a single move
        does not change that: one refill per epoch.
        """
        now = moved(self._now, self.progress.last)
        before = self.progress.moved
        return [
            [MOVES if new and old else STAYS for new, old in zip_longest(*own, fillvalue=True)]
            for own in zip_longest(now, before, fillvalue=())
        ]

    def _all_paces(self) -> tuple[Pace, ...]:
        return tuple(dict.fromkeys(pace for own in self._paces for pace in own))

    def _followed(self, sources: Sources, active: Array) -> Sequence[Places]:
        """Return the places from which each parameter's products go on."""
        if not self._betas:
            return self.progress.places
        # One for all that have the same, so that they share a lane.
        known: dict[Any, Places] = {}
        found = []
        own = zip(self._groups.tolist(), self.updates, self.progress.now(), strict=True)
        for (group, count, places), on in zip(own, active.tolist(), strict=True):
            if on and (group, count, places) not in known:
                known[group, count, places] = self._on(places, count, sources, group)
            found.append(known[group, count, places] if on else places)
        return found

    def _on(self, places: Places, count: int, sources: Sources, group: int) -> Places:
        paces = dict(zip(sources[group], self._paces[group], strict=True))
        return tuple(
            followed(place, count, self._beta(*sources[group][key], paces[key]))
            for place, key in zip(places, self._betas, strict=True)
        )

    def _beta(self, schedule: Schedule, epoch: float | None, pace: Pace) -> Beta:
        return Beta(schedule, (epoch or 0.0) - pace.past(self.phase), pace, self.phase)

    def _numbered_lanes(self, sources: Sources, lanes: list[Lane], active: Array) -> list[Lane]:
        """Return the lanes in use, by group and updates missed; a group at rest has one too."""
        busy = dict.fromkeys(lane for lane, on in zip(lanes, active.tolist(), strict=True) if on)
        for group in set(range(len(sources))) - {lane[0] for lane in busy}:
            resting = [lane for lane in lanes if lane[0] == group]
            fresh = group, 0, (START,) * len(self._betas)
            _, behind, places = min(resting, key=itemgetter(1), default=fresh)
            count = self.progress.steps - behind
            busy[group, behind, self._on(places, count, sources, group)] = None
        return sorted(busy, key=itemgetter(0, 1))

    def _jobs(
        self, lane: Lane, number: int, sources: Sources, paces: tuple[Pace, ...]
    ) -> list[Job]:
        group, behind, places = lane
        pace_of = dict(zip(sources[group], map(paces.index, self._paces[group]), strict=True))
        corrected = iter(places)
        jobs = []
        for position, (key, formula) in enumerate(self._columns):
            schedule = sources[group][key].schedule
            epoch = self._started[group][self._keys.index(key)]
            known = places and formula in ROOTS
            made = next(corrected).path.formula(formula) if known else formula(schedule)
            offset = float(epoch or 0)
            jobs.append(Job(number, position, made, -behind, offset, pace_of[key]))
        return jobs


def moved(now: Epochs, last: Epochs) -> list[list[bool]]:
    """Return which of the schedules' steps are others than the ``last`` ones."""
    return [
        [new != old for new, old in zip_longest(*own, fillvalue=-1)]
        for own in zip_longest(now, last, fillvalue=())
    ]
