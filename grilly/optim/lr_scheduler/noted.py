"""noted: what stands before the step of each scheduler, for a tape may be recording."""

from __future__ import annotations

from typing import Any

from ...errors import RecordError
from ...resident import recording


def noted(scheduler: Any, epoch: float | None = None) -> bool:
    """Return whether a tape is recording, which then has noted the scheduler's step.

    Raises RecordError for a step to a given ``epoch``, or of a scheduler whose optimizer is none of
    grilly's.
    """
    tape = recording.current()
    if tape is None or getattr(scheduler, "_is_initial", False):
        return False  # one that is being made makes its first step
    if epoch is not None:
        raise RecordError(f"step({epoch}) cannot be recorded: record step(), which goes on by one")
    if not hasattr(scheduler.optimizer, "_driven"):
        kind = type(scheduler.optimizer).__name__
        raise RecordError(f"a step of a scheduler of {kind} cannot be recorded: its step() is not")
    tape.tick(scheduler)
    return True
