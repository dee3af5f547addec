"""entry: what stands before each public method of an optimizer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from ..backend import Backend

P = ParamSpec("P")
R = TypeVar("R")


class Guarded(Protocol):
    """What has a backend, and a lock for its memory."""

    _backend: Backend
    _lock: threading.RLock


G = TypeVar("G", bound=Guarded)


def entry(method: Callable[Concatenate[G, P], R]) -> Callable[Concatenate[G, P], R]:
    """Let one thread at a time into an optimizer whose device can be used.

    A step is many calls on shared memory.
    """

    @wraps(method)
    def entered(self: G, /, *args: P.args, **kwargs: P.kwargs) -> R:
        self._backend.check()  # in a forked child the lock may be held by no one, for ever
        with self._lock:
            self._backend.check()
            return method(self, *args, **kwargs)

    return entered
