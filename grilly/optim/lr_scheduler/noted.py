"""noted: what stands before each scheduler's step: tapes that record, skipped updates."""

from __future__ import annotations

from functools import cache
from typing import Any

from ...backend import Pace
from ...errors import RecordError
from ...resident import recording
from ..written import edits
from .touch import write

# What asks the device which updates were made, before it shows or changes anything.
SHOWN = ("get_last_lr", "get_last", "preview", "state_dict", "load_state_dict", "close")
NUMBERS = ("last_epoch", "_step_count", "_last_lr")


def noted(scheduler: Any, epoch: float | None = None) -> bool:
    """Return whether the step of a scheduler is done with, and no more is to be done for it.

    A tape that records has noted it; or the update before it was skipped, so it does not count; or
    it is not known which updates were skipped, and it was made as if none were.

    Raises RecordError for a step to a given ``epoch`` in a tape, or of a scheduler whose optimizer
    is none of grilly's.
    """
    tape = recording.current()
    if tape is None:
        skips = getattr(scheduler.optimizer, "skip_nonfinite", False)
        return skips and _after_skipped(scheduler, epoch)
    if epoch is not None:
        raise RecordError(f"step({epoch}) cannot be recorded: record step(), which goes on by one")
    if not hasattr(scheduler.optimizer, "_driven"):
        kind = type(scheduler.optimizer).__name__
        raise RecordError(f"a step of a scheduler of {kind} cannot be recorded: its step() is not")
    tape.tick(scheduler)
    return True


def _after_skipped(scheduler: Any, epoch: float | None) -> bool:
    optimizer = scheduler.optimizer
    inside = getattr(scheduler, "_inside", None) is not None
    if inside or optimizer._trusting:
        return False
    if optimizer._unsure:
        with optimizer._as_if_made():
            if epoch is None and optimizer._ledger.may_go_on(scheduler):
                scheduler.step()
                optimizer._ledger.went_on(scheduler)
                return True
        optimizer._settle_applied()
    counts = optimizer._ledger.counts(scheduler)
    return epoch is None and not counts


def settles(scheduler: Any) -> None:
    """Let a scheduler whose optimizer skips updates ask the device before it shows anything."""
    optimizer = scheduler.optimizer
    if getattr(optimizer, "skip_nonfinite", False):
        kind: Any = type(scheduler)
        scheduler.__class__ = settling(kind)
        optimizer._ledger.mark(scheduler)


@cache
def settling(kind: Any) -> type[Any]:
    """Return a scheduler's class for an optimizer that skips updates.

    What it shows of itself is read back from the device first. It has the name of ``kind``.
    """
    body: dict[str, Any] = {
        **{name: _asking(kind, name) for name in SHOWN if hasattr(kind, name)},
        **{name: _trusting(kind, name) for name in ("_reach", "_tracks") if hasattr(kind, name)},
        **{name: _number(name) for name in NUMBERS},
        "_enters": _enters,
        "_leaps": _leaps,
        "_go_back": _go_back,
    }
    names: dict[str, Any] = {"__module__": kind.__module__, "__doc__": kind.__doc__}
    made = type(kind.__name__, (kind,), {"__slots__": (), **names, **body})
    made.__qualname__ = kind.__qualname__
    return made


def _asking(kind: Any, name: str) -> Any:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        _ask(self)
        return getattr(kind, name)(self, *args, **kwargs)

    method.__doc__ = getattr(kind, name).__doc__
    return method


def _trusting(kind: Any, name: str) -> Any:
    def method(self: Any) -> Any:
        with self.optimizer._as_if_made():
            return getattr(kind, name)(self)

    return method


def _number(name: str) -> Any:
    def get(self: Any) -> Any:
        _ask(self)
        try:
            return self.__dict__[name]
        except KeyError:
            raise AttributeError(f"{type(self).__name__} has no {name}") from None

    def set_(self: Any, value: Any) -> None:
        self.__dict__[name] = value

    return property(get, set_)


def _ask(scheduler: Any) -> None:
    # Not so of a copy that preview() makes, whose optimizer is none.
    ask = getattr(scheduler.optimizer, "_settle_applied", None)
    if ask is not None:
        ask()


def _enters(self: Any) -> None:
    """Be ready for a replay."""
    self.optimizer._ledger.enter(self)


def _leaps(self: Any, times: int, pace: Pace) -> None:
    """Be where a replay leads if all its updates are made."""
    with self.optimizer._as_if_made():
        self._leap(times * pace.each)
        self.optimizer._ledger.went_on(self, times * pace.each, pace)


def _go_back(self: Any, steps: int) -> None:
    """Take back steps that did not count, but nothing that a hand has written since."""
    edited = edits(self._tracks(), self.optimizer.param_groups)
    self._leap(-steps)
    for group, key, value in edited:
        write(group, key, value)
