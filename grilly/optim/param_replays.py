"""Replayed: how a ParamScheduler goes along its formulas while a tape replays."""

from __future__ import annotations

import numpy as np

from .lr_scheduler.lambdas import A_FORMULA, ASKED
from .param_rules import Ruled
from .ticked import Ticked


class Replayed(Ticked, Ruled):
    """What a tape asks and tells: see resident/entries.py, Tick."""

    def _reach(self) -> tuple[float, str]:
        """Return how many steps from now on the device can go along the formulas that it has.

        And why the host cannot give it others in the midst of a replay; "" if it can.
        """
        self._check_open()
        seat = self._seat
        if self._following.has_rules and seat is None:
            return 0, ""
        track, groups = self._track, self.optimizer.param_groups
        stands = (
            (seat is None or self._fits(seat))
            and self._driving()
            and track.t == self.last_epoch
            and track.at < track.end
            and self._following.fits(self.optimizer, self.schedules)
            and track.holds(groups)
        )
        if not stands:
            return 0, ""
        ends = [
            (course.reach(track.t), course.on_host) for *_, course in self._following.scheduled()
        ]
        reach = min((end for end, _ in ends), default=np.inf)
        asked = any(on_host and end == reach for end, on_host in ends)
        return reach, ASKED.format(A_FORMULA) if asked else ""

    def _look(self, steps: int) -> None:
        for name, i, course in self._following.scheduled():
            if not course.look(self._states[name][i], self.last_epoch, steps):
                self._track.end = 0  # it is along a formula that is another function's

    def _ask_ahead(self) -> None:
        """Ask the functions that are no formulas from here on."""
        if self._reach()[1]:
            for *_, course in self._following.scheduled():
                course.forget()
            self._stay(self._states)

    def _left(self) -> float:
        """Return after how many steps ``step()`` will raise an error."""
        ends = (course.last for *_, course in self._following.scheduled())
        return min(ends, default=np.inf) - self.last_epoch

    def _leap(self, steps: int) -> None:
        """Be where so many calls of ``step()`` lead, all of them along the formulas."""
        self._move(self.last_epoch + steps, self._states)
        if self._seat is not None:
            self._seat.counted()
