"""Ownership: one Owner per device holds every Vulkan handle of it and decides when each dies.

Nothing is freed in ``__del__``, whose order at exit crashes drivers: the Owner frees a handle when
its holder is gone, and what is left at close or exit, newest first, the device last. A forked
child frees nothing.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections import Counter, deque
from collections.abc import Callable
from contextlib import ExitStack
from itertools import count
from typing import Any

from ..errors import DeviceError, DeviceLostError, ForkError
from ..interrupt import Uninterrupted
from . import binding

FORKED = (
    "Vulkan was started in the parent process and hangs in a forked child: start workers with"
    " multiprocessing.get_context('spawn')"
)


class Owner:
    """The handles of one VkDevice, in the order in which they were made.

    A finalizer can run in the middle of any method here, in the same thread or another, and
    Ctrl-C can end any method. So the lock only orders threads, every change is one atomic
    operation on a dict, set or deque, and a handle is popped before it is freed.
    """

    def __init__(self, device: Any) -> None:
        self.device = device
        self.pid = os.getpid()
        self.lost = False
        self.closed = False
        self._lock = threading.RLock()
        self._keys = count()
        self._handles: dict[int, tuple[str, Callable[[], None]]] = {}
        self._gone: set[int] = set()  # keys whose holder is gone
        self._due: deque[int] = deque()  # keys to look at in the next sweep
        self._views: dict[int, int] = {}  # a number for each view -> key

    def check(self) -> None:
        """Raise ForkError, DeviceLostError or DeviceError unless the device can be used."""
        if os.getpid() != self.pid:
            raise ForkError(FORKED)
        if self.lost:
            raise DeviceLostError("the device is lost: close it and open another")
        if self.closed:
            raise DeviceError("the device is closed: open_device() gives a new one")

    def call(self, name: str, *arguments: Any) -> Any:
        """Check, then call Vulkan; a lost device is remembered."""
        self.check()
        try:
            return binding.call(name, *arguments)
        except DeviceLostError:
            self.lost = True
            raise

    def create(self, undo: ExitStack, what: str, *arguments: Any) -> Any:
        """Return vkCreate{what}(device, ...), with its destruction pushed on ``undo``."""
        with Uninterrupted():  # Ctrl-C must not come before it is known how to destroy it
            handle = self.call(f"vkCreate{what}", self.device, *arguments, None)
            undo.callback(binding.call, f"vkDestroy{what}", self.device, handle, None)
        return handle

    def adopt(self, kind: str, undo: ExitStack, holder: object | None = None) -> int:
        """Register what ``undo`` frees; it is freed after ``holder`` is gone, or at close.

        Returns the key of the handle.
        """
        with Uninterrupted():
            key = next(self._keys)
            self._handles[key] = (kind, undo.pop_all().close)
            if holder is not None:
                weakref.finalize(holder, self._drop, key).atexit = False
        return key

    def view(self, key: int, holder: object) -> None:
        """Keep handle ``key`` as long as ``holder`` lives, even past close()."""
        number = next(self._keys)
        self._views[number] = key
        weakref.finalize(holder, self._end_view, number, key).atexit = False

    def live(self) -> Counter[str]:
        """Return how many handles of each kind exist now."""
        self.sweep()
        return Counter([kind for kind, _ in list(self._handles.values())])

    def sweep(self) -> None:
        """Free what has been dropped since the last sweep."""
        if not self._due or os.getpid() != self.pid:
            return
        with self._lock:
            while self._due:
                key = self._due.popleft()
                if key in self._gone:
                    self._free(key)
            if self.closed:
                self._free_all()

    def destroy(self) -> None:
        """Free everything, newest first; memory that a numpy view still shows waits for it."""
        with self._lock:
            self.closed = True
            self._free_all()

    def abandon(self) -> None:
        """Close without freeing: freeing what the device may still use corrupts the process."""
        self.closed = True
        self._handles.clear()

    def _free_all(self) -> None:
        for key in reversed(list(self._handles)):
            self._free(key)

    def _free(self, key: int) -> None:
        kind, destroy = self._handles.get(key, ("", None))
        if kind == "device" and len(self._handles) > 1:
            return  # something viewed is left; the sweep after its last view comes here again
        if destroy and key not in self._views.values() and self._handles.pop(key, None):
            self._gone.discard(key)
            destroy()

    def _drop(self, key: int) -> None:
        """Finalizer of a holder."""
        self._gone.add(key)
        self._due.append(key)
        self.sweep()

    def _end_view(self, number: int, key: int) -> None:
        """Finalizer of a view."""
        self._views.pop(number, None)
        self._due.append(key)
        self.sweep()
