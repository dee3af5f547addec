"""The numpy device's table: the values of jobs over rows, to the bits of the exact arithmetic."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from . import quick, xfloat
from .planning import WINDOW, Array, Clock, Job, Pace
from .program import Structure, program
from .schedules import Formula


def values(
    structure: Structure, jobs: Sequence[Job], paces: Sequence[Pace], clock: Clock, rows: int
) -> Array:
    """Return the values of one structure's jobs as (jobs, rows) float32."""
    moved = np.stack([pace.moved(clock, rows) for pace in paces])
    offsets = xfloat.from_float64(np.array([[job.t_offset] for job in jobs]))
    t = xfloat.add(xfloat.from_int(moved[[job.pace for job in jobs]]), offsets)
    k = xfloat.from_int(np.array([[clock.k + job.k_offset] for job in jobs]) + np.arange(rows))
    constants = np.stack([program(job.formula).constants for job in jobs])[:, None, :]
    return quick.values(structure, constants, t, k)


class Values:
    """``values`` that remembers what does not follow the schedules' clock.

    Bias corrections go on as before when a rate is edited; computing them anew for every edit
    made a step with a rate from plain Python 10 times slower.
    """

    MOST = 4096

    def __init__(self) -> None:
        # By formula and k_offset: the k of the first value, and the values from there on.
        self._known: dict[tuple[Formula, int], tuple[int, Array]] = {}

    def rows(
        self,
        structure: Structure,
        jobs: Sequence[Job],
        paces: Sequence[Pace],
        clock: Clock,
        rows: int,
    ) -> Array:
        """Return the values of one structure's jobs as (jobs, rows) float32."""
        follows = {node.op for node in structure.nodes if node.op in ("t", "k")}
        if "t" in follows:
            return values(structure, jobs, paces, clock, rows)
        if not follows:
            return np.broadcast_to(values(structure, jobs, paces, clock, 1), (len(jobs), rows))
        if len(self._known) > self.MOST:
            self._known.clear()
        missing = [job for job in jobs if self._kept(job, clock, rows) is None]
        if missing:
            new = values(structure, missing, paces, clock, max(WINDOW, rows))
            for job, row in zip(missing, new, strict=True):
                self._known[job.formula, job.k_offset] = clock.k, row
        return np.array([self._kept(job, clock, rows) for job in jobs], np.float32)

    def _kept(self, job: Job, clock: Clock, rows: int) -> Array | None:
        first, known = self._known.get((job.formula, job.k_offset), (clock.k, np.empty(0)))
        at = clock.k - first
        return known[at : at + rows] if 0 <= at <= len(known) - rows else None
