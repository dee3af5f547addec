"""Ownership: one Owner per device holds every Vulkan handle of it and decides when each dies.

Nothing is freed in ``__del__``: a finalizer only queues a key, and the Owner frees it at a safe
moment. Handles die newest first, the device last, and nothing at all dies in a forked child.
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
from . import binding

FORKED = (
    "Vulkan was started in the parent process and hangs in a forked child: start workers with"
    " multiprocessing.get_context('spawn')"
)


class Owner:
    """The handles of one VkDevice, in the order in which they were made."""

    def __init__(self, device: Any) -> None:
        self.device = device
        self.pid = os.getpid()
        self.lost = False
        self.closed = False
        self._lock = threading.Lock()
        self._keys = count()
        self._handles: dict[int, tuple[str, Callable[[], None]]] = {}
        self._dropped: deque[int] = deque()
        self._views: Counter[int] = Counter()
        self._view_ends: deque[int] = deque()

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
        handle = self.call(f"vkCreate{what}", self.device, *arguments, None)
        undo.callback(binding.call, f"vkDestroy{what}", self.device, handle, None)
        return handle

    def adopt(self, kind: str, undo: ExitStack, holder: object | None = None) -> int:
        """Register what ``undo`` frees; it is freed after ``holder`` is gone, or at close.

        Returns the key of the handle.
        """
        key = next(self._keys)
        with self._lock:
            self._handles[key] = (kind, undo.pop_all().close)
        if holder is not None:
            weakref.finalize(holder, _drop, self, self._dropped, key).atexit = False
        return key

    def view(self, key: int, holder: object) -> None:
        """Keep handle ``key`` as long as ``holder`` lives, even past close()."""
        with self._lock:
            self._views[key] += 1
        weakref.finalize(holder, _drop, self, self._view_ends, key).atexit = False

    def live(self) -> Counter[str]:
        """Return how many handles of each kind exist now."""
        self.sweep()
        with self._lock:
            return Counter(kind for kind, _ in self._handles.values())

    def sweep(self) -> None:
        """Free what was dropped; does nothing while the lock is held (the next sweep will)."""
        waiting = self._dropped or self._view_ends
        if not waiting or os.getpid() != self.pid or not self._lock.acquire(blocking=False):
            return
        try:
            self._end_views()
            for _ in range(len(self._dropped)):
                self._free(self._dropped.popleft())
            if self.closed:
                self._free_all()
        finally:
            self._lock.release()

    def destroy(self) -> None:
        """Free everything, newest first; memory that a numpy view still shows waits for it."""
        with self._lock:
            self.closed = True
            self._end_views()
            self._free_all()

    def abandon(self) -> None:
        """Close without freeing: freeing what the device may still use corrupts the process."""
        with self._lock:
            self.closed = True
            self._handles.clear()

    def _free(self, key: int) -> None:
        if self._views[key]:
            self._dropped.append(key)
        elif key in self._handles:
            self._handles.pop(key)[1]()

    def _free_all(self) -> None:
        for key in reversed(list(self._handles)):
            kind, _ = self._handles[key]
            last = kind == "device"
            if not self._views[key] and not (last and len(self._handles) > 1):
                self._handles.pop(key)[1]()

    def _end_views(self) -> None:
        for _ in range(len(self._view_ends)):
            self._views[self._view_ends.popleft()] -= 1


def _drop(owner: Owner, queue: deque[int], key: int) -> None:
    """Finalizer: may run in any thread, inside any call, so it only queues and tries a sweep."""
    queue.append(key)
    owner.sweep()
