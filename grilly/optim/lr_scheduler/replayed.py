"""Replayed: how a scheduler with formulas goes along them while a tape replays."""

from __future__ import annotations

import numpy as np

from ..options import LR
from ..ticked import Ticked
from .steps import RATE, Steps


class Replayed(Ticked, Steps):
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
            and self._driving()
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
