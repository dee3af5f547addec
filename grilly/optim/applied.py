"""Applied: which of the updates that were attempted the device has made, and what follows from it.

With ``skip_nonfinite`` the device leaves an update out whose gradients have a value that is not
finite, and the host is not told. It takes it for made until it asks: then counts, schedulers and
groups are set right. The device itself has been right all the time, for its table's rows are those
of the updates that it has made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from ..planning import MOVES, Examined, Pace
from .lr_scheduler.touch import write
from .written import edits, held, put

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from .settling import Settling
    from .track import Track


@dataclass
class Mark:
    """A scheduler's last step, after so many updates of all time, attempted and applied ones."""

    attempted: int
    applied: int
    counts: bool = True  # whether that step did
    # The steps since the ledger was last right, made as if all updates were applied, and the
    # tracks that were walked along.
    moves: int = 0
    pace: Pace = MOVES
    tracks: Sequence[Track] = ()
    # Not held fast: a scheduler holds its optimizer, whose ledger this is in.
    owner: Callable[[], Any] = lambda: None


class Ledger:
    """The updates of an optimizer that are known to be applied or left out.

    What the timeline counts beyond that, ``unknown``, was attempted since. That a scheduler has
    moved as its pace says before each of these is what the timeline sees to: else it plans anew,
    and asks before.
    """

    def __init__(self) -> None:
        self.attempted = self.applied = 0  # of all time
        self.row = self.left_out = 0  # since the plan
        self._has: npt.NDArray[np.bool_] | None = None
        self._marks: WeakKeyDictionary[Any, Mark] = WeakKeyDictionary()
        self._moved: list[Mark] = []  # those with ``moves``

    def unknown(self, optimizer: Settling) -> int:
        """Return how many updates were attempted beyond those that are known."""
        return optimizer._timeline.progress.row - self.row

    @property
    def skipped(self) -> int:
        """How many updates of all time were left out."""
        return self.attempted - self.applied

    def planned(self, optimizer: Settling) -> None:
        """Take notice of a plan, also of one that failed: the backend counts from 0 on."""
        self.row, self.left_out = optimizer._timeline.progress.row, 0

    def attempts(self, optimizer: Settling) -> None:
        """Remember who has a state, before an update that may be left out gives one."""
        if not self.unknown(optimizer):
            self._has = optimizer._memory.has

    # --- What a scheduler's step may do without asking -------------------------------------------

    def mark(self, scheduler: Any) -> Mark:
        """Return a scheduler's last step; one that has made none begins now."""
        known = self._marks.get(scheduler)
        if known is None:
            owner = ref(scheduler)
            known = self._marks[scheduler] = Mark(self.attempted, self.applied, owner=owner)
        return known

    def counts(self, scheduler: Any) -> bool:
        """Return whether a scheduler's step counts, where it is known which updates were applied.

        It does if one was since its step before; several in a row share their fate.
        """
        mark = self.mark(scheduler)
        if self.attempted > mark.attempted:
            mark.counts = self.applied > mark.applied
            mark.attempted, mark.applied = self.attempted, self.applied
        return mark.counts

    def foresees(self, scheduler: Any) -> bool:
        """Return whether a step is to be made as if the update before it was applied."""
        return self.unknown(scheduler.optimizer) > 0 and self.may_go_on(scheduler)

    def may_go_on(self, scheduler: Any) -> bool:
        """Return whether a step can be made as if the one update since the last was applied."""
        mark, optimizer = self.mark(scheduler), scheduler.optimizer
        since = self.attempted + self.unknown(optimizer) - mark.attempted
        along = not mark.moves or mark.pace == MOVES
        return since == 1 and mark.attempted >= self.attempted and along and _goes_on(scheduler)

    def went_on(self, scheduler: Any, moves: int = 1, pace: Pace = MOVES) -> None:
        """Note steps that were made so, by the updates until now."""
        mark, tracks = self.mark(scheduler), scheduler._tracks()
        mark.attempted = self.attempted + self.unknown(scheduler.optimizer)
        # What counts metrics, or is in a tape without updates of its optimizer, counts always.
        if not tracks or not pace.within:
            return
        if not mark.moves:
            self._moved.append(mark)
        mark.moves, mark.pace, mark.tracks = mark.moves + moves, pace, tracks

    def enter(self, scheduler: Any) -> bool:
        """Let a tape begin, whose steps of a scheduler count by the updates of the tape alone.

        Returns whether the device was asked for that.
        """
        mark, optimizer = self.mark(scheduler), scheduler.optimizer
        if mark.attempted == self.attempted + self.unknown(optimizer):
            return False
        optimizer._settle_applied()
        mark.attempted, mark.applied = self.attempted, self.applied
        return True

    # --- What the device says --------------------------------------------------------------------

    def learn(self, optimizer: Settling, applied: int, examined: Examined) -> int:
        """Set right what was taken for made; return how many updates were not.

        ``applied`` updates are since the plan, ``examined`` is the last one.
        """
        timeline, unknown = optimizer._timeline, self.unknown(optimizer)
        executed = applied + examined.skipped - self.left_out - self.row
        last = examined.applied
        if executed > unknown:  # and one that was cut short, of which nothing is counted yet
            applied, last = applied - last, True
        made = applied - self.row
        shifts = {
            id(track): shift
            for mark in self._moved
            for shift in (self._correct(mark, optimizer, applied, last),)
            for track in mark.tracks
        }
        self._moved.clear()
        if not made and self._has is not None:
            optimizer._memory.has = self._has
        if made < unknown:
            timeline.correct(applied, shifts, optimizer._driven)
        self.attempted, self.applied = self.attempted + unknown, self.applied + made
        self.row, self.left_out = applied, self.left_out + unknown - made
        return unknown - made

    def _correct(self, mark: Mark, optimizer: Settling, applied: int, last: bool) -> int:
        """Take back those of a scheduler's steps that do not count; return how far it moved."""
        phase = optimizer._timeline.phase
        pending = mark.attempted < self.attempted + self.unknown(optimizer)  # no step came after
        own = applied - (last and pending)
        good = mark.pace.past(phase + own) - mark.pace.past(phase + self.row)
        back, mark.moves = mark.moves - good, 0
        mark.applied = self.applied + own - self.row
        mark.counts = last or pending or len(mark.pace.within) > 1
        scheduler = mark.owner()
        if back and scheduler is not None:
            _go_back(scheduler, back)
        for track in mark.tracks if back and scheduler is None else ():
            _put_back(track, optimizer.param_groups, back)
        return -back


def _goes_on(scheduler: Any) -> bool:
    return bool(scheduler._reach()[0] >= 1)


def _go_back(scheduler: Any, steps: int) -> None:
    """Take back steps that did not count, but nothing that a hand has written since."""
    edited = edits(scheduler._tracks(), scheduler.optimizer.param_groups)
    scheduler._leap(-steps)
    for group, key, value in edited:
        write(group, key, value)


def _put_back(track: Track, groups: list[dict[str, Any]], steps: int) -> None:
    """Take back steps of a scheduler that is gone."""
    edited, t = edits([track], groups), track.t - steps
    track.lay(track.formulas, t, t)
    put(track, groups, held(track, groups))
    for group, key, value in edited:
        write(group, key, value)
