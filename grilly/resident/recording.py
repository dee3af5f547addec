"""Which tape is recording in this thread, if any: whoever would submit asks here first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, NoReturn, ParamSpec, TypeVar

from ..errors import RecordError
from ..interrupt import Uninterrupted

if TYPE_CHECKING:
    from .tape import Tape

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")

_state = threading.local()
OUTSIDE = "call it outside the with block of grilly.record(), before or after it"
# How many tapes record in all threads: what is asked at every step must cost nothing.
_open: list[Any] = []


def anywhere() -> bool:
    """Whether a tape is recording in any thread."""
    return bool(_open)


def current() -> Tape | None:
    """Return the tape that is recording in this thread."""
    return getattr(_state, "tape", None) if _open else None


def start(tape: Tape) -> None:
    """Let ``tape`` record what this thread does from now on."""
    if current() is not None:
        raise RecordError("a tape is recording already: end its with block before the next one")
    try:
        with Uninterrupted():
            _open.append(tape)
            _state.tape = tape
    except KeyboardInterrupt:  # the block will not be entered, nor its end be told
        end(tape)
        raise


def end(tape: Tape) -> None:
    """Let ``tape`` record no more."""
    with Uninterrupted():
        if getattr(_state, "tape", None) is tape:
            _state.tape = None
        if tape in _open:
            _open.remove(tape)


def refuse(what: str, instead: str) -> None:
    """Raise RecordError if a tape is recording, which cannot hold ``what``."""
    if current() is not None:
        _refuse(what, instead)


def outside(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Let a method raise RecordError while a tape is recording: it is the host's, and done now.

    Inside the with block nothing has run yet, so what it read would be old, and what it changed
    would not be changed again by a replay.
    """

    @wraps(method)
    def called(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        refuse(f"{type(self).__name__}.{method.__name__}()", OUTSIDE)
        return method(self, *args, **kwargs)

    return called


def _refuse(what: str, instead: str) -> NoReturn:
    raise RecordError(f"{what} cannot be recorded: {instead}")
