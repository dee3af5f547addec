"""Timeline: what the table must hold for the next step, decided on the host before it.

It knows the two clocks. The optimizer's step is counted per parameter (a parameter without a
gradient stays behind, as in torch), so a group has one lane per distinct count; where nothing
depends on the count (SGD without momentum) updates are not counted. The schedules'
steps are what the schedulers wrote last. As long as both move as predicted nothing is uploaded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np

from ..backend import Array, Backend, Clock, Job, Plan
from ..schedules import Formula, Schedule
from .options import Key

# As far as float64, and so a saved state, holds every whole number, and bias corrections are exact.
MOST_STEPS = 2**53


class Source(NamedTuple):
    """Where a column's value comes from, and the schedule's step of it (None: a constant)."""

    schedule: Schedule
    epoch: float | None


class Column(NamedTuple):
    """One column of a lane: the number of the group that it comes from, and what is made of it."""

    key: Key
    formula: Callable[[Schedule], Formula] = lambda schedule: schedule


# A group, and how many updates the lane's parameters have missed.
Lane = tuple[int, int]
Sources = Sequence[dict[Key, Source]]
Epochs = list[list["float | None"]]
R = TypeVar("R")


class Progress(NamedTuple):
    """What all updates so far come to: one value, so that an update is counted or is not."""

    steps: int = 0  # of the most updated parameter
    behind: Array = np.empty(0, np.int64)  # how many of them each parameter has missed
    row: int = 0  # updates since the backend's clock was started
    # The schedules' steps at the last update, and whether they had moved by then.
    last: Epochs | None = None
    moved: bool = True


class Timeline:
    """Keeps a backend's table right for each next step.

    ``columns`` are the formulas of a lane, in the order of hyper.COLUMNS.
    """

    def __init__(self, backend: Backend, columns: Sequence[Column]) -> None:
        self._backend = backend
        self._columns = columns
        self._groups = np.empty(0, np.int64)
        self.progress = Progress()
        # What the next update is: the schedules' steps, the parameters that it changes, and those
        # for which it counts.
        self._now: Epochs = []
        self.active = self._counted = np.empty(0, np.bool_)
        self._lanes: list[Lane] = []
        # What the table was planned for (None: plan anew), and the schedules' steps in its row 0.
        self._planned: Any = None
        self._started: Epochs = []
        self._stride = 1

    def take_in(self, groups: Sequence[int]) -> None:
        """Take new parameters in, each named by its group; they have had no update yet."""
        added = len(groups)
        self._groups = np.concatenate([self._groups, np.array(groups, np.int64)])
        missed = np.full(added, self.progress.steps, np.int64)
        behind = np.concatenate([self.progress.behind, missed])
        self.progress = self.progress._replace(behind=behind)
        self.active = np.concatenate([self.active, np.ones(added, np.bool_)])
        self.forget()

    def forget(self) -> None:
        """Plan anew before the next step: the backend's memory has changed."""
        self._planned = None

    @property
    def updates(self) -> list[int]:
        """The number of updates that each parameter has had."""
        return [int(n) for n in self.progress.steps - self.progress.behind]

    @updates.setter
    def updates(self, counts: Sequence[int]) -> None:
        self.forget()
        steps = max(counts, default=0)
        behind = steps - np.array(counts, np.int64)
        self.progress = self.progress._replace(steps=steps, behind=behind)

    def prepare(self, sources: Sources, active: Array, counted: Array) -> None:
        """Make the table right for a step that updates the ``active`` (bool) parameters.

        Of these, the update counts for the ``counted`` ones only. Raises ValueError, with nothing
        changed, if one of them has had as many updates as can be counted.
        """
        self._check_countable(active & counted)
        # The count of what is not counted stays; that it falls behind must not need a new plan.
        behind = np.where(counted, self.progress.behind, 0)
        self._now = [[source.epoch for source in group.values()] for group in sources]
        schedules = [[source.schedule for source in group.values()] for group in sources]
        # What an idle parameter has missed matters only when it comes back.
        wanted = (schedules, np.where(active, behind, -1).tolist())
        if self._planned != wanted or self._now != self._predicted():
            self.forget()  # if the device fails now, the next step plans again
            self._plan(sources, active, behind)
            self._planned = wanted
        self.active, self._counted = active, counted

    def _check_countable(self, counted: Array) -> None:
        if self.progress.steps < MOST_STEPS:  # of the most updated one, so of all
            return
        full = counted & (self.progress.steps - self.progress.behind >= MOST_STEPS)
        if full.any():
            raise ValueError(
                f"parameter {int(full.argmax())} has had 2^53 updates, the most that can be "
                "counted: load a state_dict with a smaller step, or make a new optimizer"
            )

    def after(self) -> Progress:
        """Return the progress once the update that was prepared is made."""
        steps, behind, row, last, _ = self.progress
        counted = self.active & self._counted
        behind = behind if counted.all() else behind + ~counted
        return Progress(steps + 1, behind, row + 1, self._now, self._now != last)

    def step(self) -> None:
        """Apply the update that was prepared; the caller sets ``progress`` to what it comes to."""
        self._on_backend(self._backend.step)

    def rows(self) -> list[np.void]:
        """Return, for each group, the lane of its most updated parameters; waits."""
        row = self._on_backend(self._backend.row)
        first = {group: lane for lane, (group, _) in reversed(list(enumerate(self._lanes)))}
        return [row[first[group]] for group in sorted(first)]

    def _on_backend(self, call: Callable[[], R]) -> R:
        planned = self._planned
        self.forget()  # a call that fails leaves the cursor unknown: start anew
        result = call()
        self._planned = planned
        return result

    def _predicted(self) -> Epochs:
        ahead = self._stride * self.progress.row
        return [[None if e is None else e + ahead for e in group] for group in self._started]

    def _plan(self, sources: Sources, active: Array, behind: Array) -> None:
        # Who steps a scheduler per epoch is believed after one step without a move, and a single
        # move does not change that: one refill per epoch.
        self._stride = int(self.progress.moved and self._now != self.progress.last)
        self._started, self.progress = self._now, self.progress._replace(row=0)
        self._lanes = self._numbered_lanes(len(sources), active, behind)
        number = {lane: i for i, lane in enumerate(self._lanes)}
        jobs = [job for lane in self._lanes for job in self._jobs(lane, number[lane], sources)]
        lanes = zip(self._groups.tolist(), behind.tolist(), strict=True)
        lane_of = [number[lane] if on else None for lane, on in zip(lanes, active, strict=True)]
        self._backend.plan(Plan(len(self._lanes), tuple(jobs), tuple(lane_of)))
        # The clock's t counts from here; a schedule's own step, which may be fractional, is exact
        # as its job's offset.
        self._backend.start(Clock(self.progress.steps + 1, 0, self._stride))

    def _numbered_lanes(self, groups: int, active: Array, behind: Array) -> list[Lane]:
        """Return the lanes in use, by group and updates missed; a group at rest has one too."""
        busy = set(zip(self._groups[active].tolist(), behind[active].tolist(), strict=True))
        for group in set(range(groups)) - {group for group, _ in busy}:
            busy.add((group, min(behind[self._groups == group].tolist(), default=0)))
        return sorted(busy)

    def _jobs(self, lane: Lane, number: int, sources: Sources) -> list[Job]:
        group, behind = lane
        jobs = []
        for position, (key, formula) in enumerate(self._columns):
            schedule, epoch = sources[group][key]
            jobs.append(Job(number, position, formula(schedule), -behind, float(epoch or 0)))
        return jobs
