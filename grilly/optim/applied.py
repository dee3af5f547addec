"""Applied: which of the updates that were attempted the device has made, and what follows from it.

With ``skip_nonfinite`` the device leaves an update out whose gradients have a value that is not
finite, and the host is not told. It takes it for made until it asks: then counts, schedulers and
groups are set right. The device itself has been right all the time, for its table's rows are those
of the updates that it has made.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import TYPE_CHECKING, Any

from ..backend import Pace

if TYPE_CHECKING:
    from .stepping import Stepping


def settled(optimizer: Stepping, applied: int) -> int:
    """Take notice that ``applied`` updates were made since the plan; return how many were not."""
    timeline = optimizer._timeline
    attempted = timeline.progress.row
    if applied == attempted:
        return 0
    for track, steps, pace in timeline.moved(optimizer._driven):
        good, waits = counted(steps, attempted, applied, pace)
        scheduler = track.outermost()
        if scheduler is not None:
            if good != steps:
                scheduler._leap(good - steps)
            track.ignores_next = waits
    timeline.progress = timeline.after_plan(applied)
    timeline.forget()
    return attempted - applied


def counted(steps: int, attempted: int, applied: int, pace: Pace) -> tuple[int, bool]:
    """Return how many of a scheduler's steps count, and whether the next call of step() does not.

    In a tape a step that was recorded after m updates takes effect after m that were made. Outside,
    a step counts if an update was made since the one before.
    """
    if len(pace.within) > 1:
        return pace.past(applied), False
    behind = attempted - steps
    if behind in (0, 1):  # a step after each update, and after the last one perhaps still to come
        good = min(steps, applied)
        return good, behind == 1 and good == applied
    if applied:
        return steps, False
    return 0, steps == 0


@cache
def settling(kind: Any) -> type[Any]:
    """Return a scheduler's class for an optimizer of whose updates the host does not know.

    What it shows of itself is read back from the device first. It has the name of ``kind``.
    """

    def asks(name: str) -> Any:
        def method(self: Any, *args: Any, **kwargs: Any) -> Any:
            self.optimizer._settle_applied()
            return getattr(kind, name)(self, *args, **kwargs)

        method.__doc__ = getattr(kind, name).__doc__
        return method

    def load_state_dict(self: Any, state_dict: Any) -> None:
        self.optimizer._settle_applied(complaining=False)  # what is wrong is written over
        with getattr(self.optimizer, "_as_if_made", nullcontext)():
            kind.load_state_dict(self, state_dict)

    load_state_dict.__doc__ = kind.load_state_dict.__doc__

    def asked(name: str) -> property:
        def get(self: Any) -> Any:
            self.optimizer._settle_applied()
            return self.__dict__[name]

        def put(self: Any, value: Any) -> None:
            self.__dict__[name] = value

        return property(get, put)

    shown = [name for name in SHOWN if hasattr(kind, name)]
    body: dict[str, Any] = {name: asks(name) for name in shown}
    body["load_state_dict"] = load_state_dict
    body |= {name: asked(name) for name in getattr(kind, "_READ_BACK", ("last_epoch",))}
    names = {"__module__": kind.__module__, "__doc__": kind.__doc__, "_reads_back": True}
    made = type(kind.__name__, (kind,), {"__slots__": (), **names, **body})
    made.__qualname__ = kind.__qualname__
    return made


@cache
def skipping(kind: Any) -> type[Any]:
    """Return an optimizer's class whose groups are read back when asked for.

    ``param_groups`` waits for the device, if it is not known which updates were made. A group that
    was taken from it before shows what holds if all were made, until then.
    """

    def param_groups(self: Any) -> Any:
        self._settle_applied()
        return self.__dict__["param_groups"]

    def set_param_groups(self: Any, groups: Any) -> None:
        self.__dict__["param_groups"] = groups

    def step(self: Any, closure: Any = None, *, gradients: Any = None) -> Any:
        with self._as_if_made():
            return kind.step(self, closure, gradients=gradients)

    def get_ready(self: Any, *args: Any) -> Any:
        with self._as_if_made():
            return kind._get_ready(self, *args)

    def replayed(self: Any, *args: Any) -> None:
        with self._as_if_made():
            kind._replayed(self, *args)

    @contextmanager
    def as_if_made(self: Any) -> Iterator[None]:
        if self._quiet:
            yield
            return
        self._unsure, self._quiet = False, True
        try:
            yield
        finally:
            self._quiet = False
            skipping = self.skip_nonfinite and self._timeline.progress.row > 0
            self._unsure = skipping or any(seat.owes for seat in self._seated())

    step.__doc__ = kind.step.__doc__
    body = {"step": step, "_get_ready": get_ready, "_replayed": replayed, "_as_if_made": as_if_made}
    names: dict[str, Any] = {
        "__module__": kind.__module__,
        "__doc__": kind.__doc__,
        "_reads_back": True,
    }
    groups = property(param_groups, set_param_groups)
    made = type(kind.__name__, (kind,), {**names, **body, "param_groups": groups})
    made.__qualname__ = kind.__qualname__
    return made


SHOWN = ("get_last_lr", "get_last", "preview", "state_dict")


def read_back(scheduler: Any) -> None:
    """Let a scheduler and its optimizer ask the device before they show anything of themselves."""
    for one, kind_of in ((scheduler.optimizer, skipping), (scheduler, settling)):
        kind: Any = type(one)
        if not getattr(kind, "_reads_back", False):
            one.__class__ = kind_of(kind)
