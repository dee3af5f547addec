"""Ctrl-C, put off to the end of what must not be torn."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

# What signal.py wraps: its look-ups in enums take 8 us a swap, a tenth of a small step.
try:
    import _signal  # type: ignore[import-not-found]
except ImportError:
    _signal = signal


class Uninterrupted:
    """A context in which SIGINT waits: its handler is called at the end. May be nested.

    Only the main thread runs handlers, so in others it does nothing; nor does it when SIGINT is
    ignored or kills the process. What the handler raises, as KeyboardInterrupt, comes out of the
    ``with`` block after its last statement.
    """

    __slots__ = ("_handler", "_noted")

    def __enter__(self) -> Uninterrupted:
        self._noted: tuple[int, FrameType | None] | None = None
        self._handler: Callable[[int, FrameType | None], Any] | None = None
        if threading.get_ident() != threading.main_thread().ident:
            return self
        handler = _signal.getsignal(signal.SIGINT)
        if not callable(handler) or isinstance(getattr(handler, "__self__", None), Uninterrupted):
            return self
        self._handler = handler
        try:
            _signal.signal(signal.SIGINT, self._note)
        except ValueError:  # the main thread of a subinterpreter
            self._handler = None
        return self

    @property
    def asked(self) -> bool:
        """Whether a SIGINT is waiting: what takes long should come to its end."""
        return self._noted is not None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._handler is not None:
            _signal.signal(signal.SIGINT, self._handler)
            if self._noted is not None:
                self._handler(*self._noted)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._noted = number, frame
