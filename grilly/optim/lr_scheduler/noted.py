"""noted: what stands before each scheduler's step: tapes that record, skipped updates."""

from __future__ import annotations

from typing import Any

from ...errors import RecordError
from ...resident import recording
from ..seats import settle_others
from ..shown import moved_on, read_back


def noted(scheduler: Any, epoch: float | None = None) -> bool:
    """Return whether the step of a scheduler is done with, and no more is to be done for it.

    A tape that records has noted it; or the update before it was skipped, so it does not count; or
    it is not known which updates were skipped, and it was made as if none were.

    Raises RecordError for a step to a given ``epoch`` in a tape, or of a scheduler whose optimizer
    is none of grilly's.
    """
    tape = recording.current()
    if tape is None or getattr(scheduler, "_is_initial", False):
        # One that is being made makes its first step.
        asks = tape is None and getattr(scheduler.optimizer, "_reads_back", False)
        return asks and _after_skipped(scheduler, epoch)
    if epoch is not None:
        raise RecordError(f"step({epoch}) cannot be recorded: record step(), which goes on by one")
    if not hasattr(scheduler.optimizer, "_driven"):
        kind = type(scheduler.optimizer).__name__
        raise RecordError(f"a step of a scheduler of {kind} cannot be recorded: its step() is not")
    tape.tick(scheduler)
    return True


def _after_skipped(scheduler: Any, epoch: float | None) -> bool:
    optimizer = scheduler.optimizer
    inside = getattr(scheduler, "_inside", False)
    if inside or optimizer._trusting.callers:
        return False
    settle_others(scheduler)
    if epoch is None and moved_on(scheduler, scheduler.step):
        return True
    if optimizer._ledger is not None:
        if optimizer._ledger.unknown(optimizer):
            optimizer._settle_applied()
        counts = optimizer._ledger.counts(scheduler)
        if epoch is None and not counts:
            return True
    if not optimizer._unsure:
        return False
    with optimizer._as_if_made():  # rules count on the device, which is not waited for
        scheduler.step(*(() if epoch is None else (epoch,)))
    return True


def settles(scheduler: Any) -> None:
    """Let a scheduler whose optimizer asks the device before it shows anything do so too."""
    optimizer = scheduler.optimizer
    if getattr(optimizer, "_reads_back", False):
        read_back(scheduler)
        if optimizer._ledger is not None:
            optimizer._ledger.mark(scheduler)
