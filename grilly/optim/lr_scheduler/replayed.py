"""Replayed: how a scheduler with formulas goes along them while a tape replays."""

from __future__ import annotations

import numpy as np

from ...planning import Pace
from ..options import LR
from ..track import Track
from .steps import RATE, Steps


class Replayed(Steps):
    """What a tape asks and tells: see resident/entries.py, Tick."""

    __slots__ = ()

    def _reach(self) -> tuple[float, str]:
        """Return how many steps from now on the device can go along the formulas that it has.

        And why the host cannot give it others in the midst of a replay; "" if it can.
        """
        if self._asks_get_lr:
            return 0, "its get_lr() must be asked at every step"
        left = self._last_step() - self.last_epoch
        return (left if left > 0 and self._stands() else 0), ""

    def _stands(self) -> bool:
        """Whether nobody has edited anything, and the next step is along the same formulas.

        There is one before their last step.
        """
        track, groups = self._track, self.optimizer.param_groups
        return (
            LR in track.rows
            and len(self._held) == len(groups)
            and track.t == self.last_epoch
            and self._settings(self) == self._used
            and list(map(self._reads, groups)) == self._held
            and track.holds(groups)
            and self.optimizer._driven.get((0, LR)) is track  # no one has overtaken it
            and self._goes_on()
        )

    def _goes_on(self) -> bool:
        """Whether the next step is along the same formulas, if nobody has edited anything."""
        return self._formulas(self.last_epoch + 1, False) is self._track.formulas

    def _ask_ahead(self) -> None:
        """Find out what can be known of the steps from here on; that may call a user's function."""

    def _left(self) -> float:
        """Return after how many steps ``step()`` will raise an error."""
        return np.inf

    def _leap(self, steps: int) -> None:
        """Be where so many calls of ``step()`` lead, all of them along the formulas.

        Or where less of them had led, if ``steps`` is negative: an edit of a setting meanwhile is
        for the next step.
        """
        reads_more = self._reads is not RATE
        edited = self._settings(self) != self._used or (
            reads_more and list(map(self._reads, self.optimizer.param_groups)) != self._held
        )
        self.last_epoch += steps
        self._step_count += steps
        self._track.leap(self.last_epoch, steps, self._last_step)
        self._write(None)
        self._hold()
        if edited:
            self._used = None

    def _enters(self) -> bool:
        """Be ready for a replay; return whether the device was asked for that."""
        return False

    def _leaps(self, steps: int, pace: Pace) -> None:
        """Be where so many steps of replays lead in which it moves at this pace."""
        self._leap(steps)

    def _tracks(self) -> list[Track]:
        """Return the tracks that are written along now."""
        return [self._track]
