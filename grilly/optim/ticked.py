"""Ticked: what a tape asks of any scheduler, where a class has nothing else to say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..planning import Pace

if TYPE_CHECKING:
    from .track import Track


class Ticked:
    """A scheduler that goes along one track: see resident/entries.py, Tick."""

    __slots__ = ()

    _track: Track

    def _look(self, steps: int) -> None:
        """Look at what can be known of so many steps from now on; a formula lasts by itself."""

    def _leap(self, steps: int) -> None:
        """Be where so many calls of ``step()`` lead, all of them along the formulas."""
        raise NotImplementedError

    def _edited_count(self) -> None:
        """Take notice that a user sets what the device counts."""

    def _enters(self) -> bool:
        """Be ready for a replay; return whether the device was asked for that."""
        return False

    def _leaps(self, steps: int, pace: Pace) -> None:
        """Be where so many steps of replays lead in which it moves at this pace."""
        self._leap(steps)

    def _tracks(self) -> list[Track]:
        """Return the tracks that are written along now."""
        return [self._track]
