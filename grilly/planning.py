"""Plans: what an optimizer's table is to hold, and the words that backends say it in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from . import hyper
from .kept import Shown
from .program import Structure, program
from .schedules import Formula
from .schedules.live import lives_in

Array = np.ndarray[Any, np.dtype[Any]]
# By the number of a tensor that lives on the device, its memory there.
Homes = Mapping[int, Any]
NOWHERE: Homes = MappingProxyType({})

_ordinals = count()
TABLE_BYTES = 8 << 20
WINDOW = 256
# On numpy a fill costs what some thousand values do, however many it gives.
NUMPY_WINDOW = 4096
# After a change the next one may be near (a hand edit a step): the first window is kept short.
SHORT_WINDOW = 8
# Lanes of a job: each is a round of a loop, and with those of a formula they may be too many for
# llvmpipe (tests/test_loops.py). It is enough that evaluating costs little.
MOST_TOGETHER = 32


class Job(NamedTuple):
    """In every row, ``column`` of ``lane`` is ``formula(t_offset + moved, k + k_offset)``.

    How far t has moved by then says the plan's pace number ``pace``. The ``lanes - 1`` lanes behind
    it have the same.
    """

    lane: int
    column: int
    formula: Formula
    k_offset: int
    t_offset: float
    pace: int = 0
    lanes: int = 1


class Clock(NamedTuple):
    """Row 0 of the table: its optimizer step k, and that it is step ``phase`` of a cycle."""

    k: int
    cycles: int = 0
    phase: int = 0

    def rolled(self, rows: int, period: int) -> Clock:
        """Return the clock that many rows later."""
        turn = self.phase + rows
        return Clock(self.k + rows, self.cycles + turn // period, turn % period)


class Pace(NamedTuple):
    """How a schedule moves with the updates, which come in cycles of ``len(within)``.

    It moves by ``each`` in a cycle; by its update i it has moved by ``within[i]``.
    """

    each: int
    within: tuple[int, ...] = (0,)

    def moved(self, clock: Clock, rows: int) -> npt.NDArray[np.int64]:
        """Return how far it has moved in each of the first ``rows`` rows, (rows,)."""
        turn = clock.phase + np.arange(rows, dtype=np.int64)
        cycles = clock.cycles + turn // len(self.within)
        return cycles * self.each + np.array(self.within, np.int64)[turn % len(self.within)]

    def past(self, updates: int) -> int:
        """Return how far it has moved when so many updates have been made, and no more."""
        cycles, step = divmod(updates, len(self.within))
        return cycles * self.each + (self.within[step] if step else 0)


STAYS, MOVES = Pace(0), Pace(1)


class Control(NamedTuple):
    """What is done to an update by the norm of its gradients: clipped to, and left out if nan."""

    max_norm: float
    skip_nonfinite: bool


class Examined(NamedTuple):
    """What the last controlled update found, and how many were left out since the plan."""

    norm: float
    skipped: int
    applied: bool


@dataclass(frozen=True)
class Plan:
    """What the table holds and what is updated: tensor i by lane_of[i]; None leaves it alone.

    All paces have cycles of the same number of updates.
    """

    lanes: int
    jobs: tuple[Job, ...]
    lane_of: tuple[int | None, ...]
    paces: tuple[Pace, ...] = (STAYS,)
    control: Control | None = None
    # By group, the lane whose rows ``used`` is to show.
    shown: Shown = ()

    @property
    def period(self) -> int:
        """The number of updates in a cycle."""
        return len(self.paces[0].within)


def window(lanes: int, kind: str, period: int, most: int) -> int:
    """Return the rows of a table that has ``lanes`` lanes: ``most`` or 8 MB, but a cycle."""
    rows = min(most, TABLE_BYTES // (lanes * hyper.dtype(kind).itemsize))
    return max(period, rows, 1)


def short_window(rows: int, period: int) -> int:
    """Return how many of a window's rows are filled after a change."""
    return min(max(SHORT_WINDOW, period), rows)


def batches(jobs: Sequence[Job]) -> dict[Structure, list[Job]]:
    """Return the jobs by structure: all of one are evaluated at once, by one dispatch.

    Equal ones of neighbouring lanes are one: of 1000 groups with rates of their own the betas, and
    what is made of them, are evaluated once.
    """
    found: dict[Structure, list[Job]] = {}
    for job in _together(jobs):
        found.setdefault(program(job.formula).structure, []).append(job)
    # In an order of their own: what was recorded for these structures must fit their next jobs.
    return {structure: found[structure] for structure in sorted(found, key=_ordinal)}


def _together(jobs: Sequence[Job]) -> list[Job]:
    found: list[Job] = []
    last: dict[int, int] = {}  # where the last job of each column is
    for job in jobs:
        at = last.setdefault(job.column, len(found))
        if at < len(found) and _goes_on(found[at], job):
            found[at] = found[at]._replace(lanes=found[at].lanes + job.lanes)
        else:
            last[job.column] = len(found)
            found.append(job)
    return found


def _goes_on(job: Job, other: Job) -> bool:
    """Whether ``other`` gives the same values as ``job`` to the lanes behind it, and always will.

    Of numbers that the device changes, each is one of its own, whatever it is now.
    """
    if job.lane + job.lanes != other.lane or job[3:6] != other[3:6]:
        return False
    if job.lanes + other.lanes > MOST_TOGETHER:
        return False
    same = job.formula is other.formula or _bits(job.formula) == _bits(other.formula)
    return same and not any(lives_in(job.formula)) and not any(lives_in(other.formula))


def _bits(formula: Formula) -> tuple[Structure, bytes]:
    made = program(formula)
    return made.structure, made.constants.tobytes()


@cache
def _ordinal(structure: Structure) -> int:
    """Return a number for each structure, in the order in which the process met them."""
    return next(_ordinals)
