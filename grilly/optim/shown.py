"""Shown: optimizers and schedulers that ask the device before they show anything of themselves.

The host does not know which updates were left out, nor what rules on the device have counted, until
it asks. Who steps along the formulas need not know; who looks does.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import cache, wraps
from inspect import cleandoc
from typing import Any

from ..errors import DeviceError
from ..planning import Pace
from ..resident.recording import outside

# What of a scheduler asks before it shows or changes anything, and what takes for known what is
# not. A scheduler's class adds to the numbers by ``_READ_BACK``.
ASKING = ("get_last_lr", "get_last", "preview", "state_dict", "close")
TRUSTING = ("_reach", "_left", "_tracks", "_look")
NUMBERS = ("last_epoch", "_step_count", "_last_lr")
# What the numbers are, in the words of ``help(scheduler)``.
MEANINGS = {
    "last_epoch": "The step that the schedule stands at",
    "_step_count": "How many calls of ``step()`` have counted, and the one at construction",
    "_last_lr": "The rates that the last ``step()`` wrote, one per group",
    "best": "The best metric so far",
    "num_bad_epochs": "How many metrics in a row were not better",
    "num_good_epochs": "How many metrics in a row were better",
    "cooldown_counter": "For how many steps more nothing is counted after a cut",
    "warmup_counter": "For how many steps more nothing is counted after a rise",
    "reset_start": "After how many reductions more all begins anew",
    "_streaming_avg": "The window of the metrics to smooth",
}
WAITS = "read back from the device, and waited for, if it knows what the host does not."


class Trusting(threading.local):
    """How many callers in this thread work on an optimizer as if all were known."""

    callers: int = 0


def read_back(scheduler: Any) -> None:
    """Let a scheduler and its optimizer ask the device before they show anything of themselves."""
    for one, kind_of in ((scheduler.optimizer, reading_optimizer), (scheduler, reading_scheduler)):
        kind: Any = type(one)
        if not getattr(kind, "_reads_back", False):
            one.__class__ = kind_of(kind)


def moved_on(scheduler: Any, step: Callable[[], None]) -> bool:
    """Make a step as if the update before it was made, where that can be taken back; whether."""
    optimizer = scheduler.optimizer
    ledger = optimizer._ledger
    if ledger is None or not ledger.unknown(optimizer):
        return False
    with optimizer._as_if_made():
        if not ledger.may_go_on(scheduler):
            return False
        step()
        ledger.went_on(scheduler)
    return True


@cache
def reading_optimizer(kind: Any) -> type[Any]:
    """Return an optimizer's class whose groups are read back when asked for.

    ``param_groups`` waits for the device, if not all is known. A group that was taken from it
    before shows what holds if all updates were made, until then.
    """

    def unsure(self: Any) -> bool:
        if self._trusting.callers:
            return False
        ledger = self._ledger
        attempted = ledger is not None and ledger.unknown(self) > 0
        return attempted or any(seat.owes for seat in self._seated())

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
        self._trusting.callers += 1
        try:
            yield
        finally:
            self._trusting.callers -= 1

    def as_text(self: Any) -> str:
        with suppress(DeviceError):
            self._settle_applied()
        with self._as_if_made():
            return str(kind.__repr__(self))

    step.__doc__ = kind.step.__doc__
    groups = f"The groups, plain dicts; their numbers are {WAITS}"
    body: dict[str, Any] = {
        "_unsure": property(unsure),
        "param_groups": property(param_groups, set_param_groups, doc=groups),
        "__repr__": as_text,
        "step": step,
        "_get_ready": get_ready,
        "_replayed": replayed,
        "_as_if_made": as_if_made,
    }
    return _made(kind, body)


@cache
def reading_scheduler(kind: Any) -> type[Any]:
    """Return a scheduler's class for an optimizer of whose updates the host does not know.

    What it shows of itself is read back from the device first. It has the name of ``kind``.
    """
    numbers = {*NUMBERS, *getattr(kind, "_READ_BACK", ())}
    body: dict[str, Any] = {
        "__slots__": (),
        **{name: _asking(kind, name) for name in ASKING if hasattr(kind, name)},
        **{name: _trusting(kind, name) for name in TRUSTING if hasattr(kind, name)},
        **{name: _number(name) for name in numbers},
        "load_state_dict": _loading(kind),
        "step": _locked(kind),
        "_enters": _enters,
        "_leaps": _leaps,
    }
    return _made(kind, body)


def _made(kind: Any, body: dict[str, Any]) -> type[Any]:
    """Return a class that has the name of ``kind``."""
    names = {"__module__": kind.__module__, "__doc__": kind.__doc__, "_reads_back": True}
    made = type(kind.__name__, (kind,), {**names, **body})
    made.__qualname__ = kind.__qualname__
    return made


def _asking(kind: Any, name: str) -> Any:
    @wraps(getattr(kind, name))
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        with _alone(self):
            _ask(self)
            return getattr(kind, name)(self, *args, **kwargs)

    own = cleandoc(getattr(kind, name).__doc__ or "")
    method.__doc__ = f"{own}\n\nWaits for the device if it knows what the host does not.".strip()
    return method


def _loading(kind: Any) -> Any:
    @outside
    def load_state_dict(self: Any, state_dict: Any) -> None:
        with _alone(self):
            self.optimizer._settle_applied(complaining=False)  # what is wrong is written over
            with self.optimizer._as_if_made():
                kind.load_state_dict(self, state_dict)

    load_state_dict.__doc__ = kind.load_state_dict.__doc__
    return load_state_dict


def _locked(kind: Any) -> Any:
    # Who reads in another thread sets schedulers right, which must not be in the midst of a step.
    @wraps(kind.step)
    def step(self: Any, *args: Any, **kwargs: Any) -> Any:
        with _alone(self):
            return kind.step(self, *args, **kwargs)

    return step


def _trusting(kind: Any, name: str) -> Any:
    def method(self: Any, *args: Any) -> Any:
        with self.optimizer._as_if_made():
            return getattr(kind, name)(self, *args)

    return method


def _number(name: str) -> Any:
    def get(self: Any) -> Any:
        with _alone(self):
            _ask(self)
            try:
                return self.__dict__[name]
            except KeyError:
                raise AttributeError(f"{type(self).__name__} has no {name}") from None

    def set_(self: Any, value: Any) -> None:
        trusting = getattr(self.optimizer, "_trusting", None)
        if trusting is not None and not trusting.callers:  # a user's edit: the next step has it
            _ask(self)
            self._edited_count()
        self.__dict__[name] = value

    return property(get, set_, doc=f"{MEANINGS[name]}; {WAITS}")


def _alone(scheduler: Any) -> AbstractContextManager[Any]:
    """Return a context in which no other thread is in the midst of a step, or of a replay.

    Not so for a copy that preview() makes, whose optimizer is none, and in a forked child, where
    the lock may be held by no one, for ever.
    """
    lock = getattr(scheduler.optimizer, "_lock", None)
    if lock is None or scheduler.optimizer._pid != os.getpid():
        return nullcontext()
    own: AbstractContextManager[Any] = lock
    return own


def _ask(scheduler: Any) -> None:
    # Not so of a copy that preview() makes, whose optimizer is none.
    ask = getattr(scheduler.optimizer, "_settle_applied", None)
    if ask is not None:
        ask()


def _enters(self: Any) -> bool:
    """Be ready for a replay; return whether the device was asked for that."""
    ledger = self.optimizer._ledger
    return False if ledger is None else ledger.enter(self)


def _leaps(self: Any, steps: int, pace: Pace) -> None:
    """Be where a replay leads if all its updates are made."""
    ledger = self.optimizer._ledger
    with self.optimizer._as_if_made():
        self._leap(steps)
        if ledger is not None:
            ledger.went_on(self, steps, pace)
