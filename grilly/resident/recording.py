"""Which tape is recording in this thread, if any: whoever would submit asks here first."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, NoReturn

from ..errors import RecordError

if TYPE_CHECKING:
    from .tape import Tape

_state = threading.local()
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
    _state.tape = tape
    _open.append(tape)


def end(tape: Tape) -> None:
    """Let ``tape`` record no more."""
    _state.tape = None
    _open.remove(tape)


def refuse(what: str, instead: str) -> None:
    """Raise RecordError if a tape is recording, which cannot hold ``what``."""
    if current() is not None:
        _refuse(what, instead)


def _refuse(what: str, instead: str) -> NoReturn:
    raise RecordError(f"{what} cannot be recorded: {instead}")
