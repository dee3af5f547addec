"""Staging: copies to and from memory that the host cannot see."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..errors import DeviceError
from .buffer import Buffer
from .queue import WITHIN
from .tape import Tape

if TYPE_CHECKING:
    from .device import Device

STAGING = 8 << 20  # bytes that one copy moves at a time


class Staging:
    """Copies through one buffer that the host sees."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._lock = threading.RLock()  # as the queue's: its own thread is told WITHIN
        self._inside = False
        self._buffer: Buffer | None = None

    def upload(self, target: Buffer, source: npt.NDArray[np.uint8], offset: int) -> None:
        """Copy ``source`` to byte ``offset`` of ``target`` and wait."""

        def copy() -> None:
            staging, seen = self._staging(source.nbytes)
            for start in range(0, source.nbytes, staging.nbytes):
                part = source[start : start + staging.nbytes]
                seen[: part.nbytes] = part
                self._copy(staging, target, part.nbytes, 0, offset + start)

        self._alone(copy)

    def download(self, source: Buffer, target: npt.NDArray[np.uint8], offset: int) -> None:
        """Fill ``target`` from byte ``offset`` of ``source``, waiting."""

        def copy() -> None:
            staging, seen = self._staging(target.nbytes)
            for start in range(0, target.nbytes, staging.nbytes):
                part = target[start : start + staging.nbytes]
                self._copy(source, staging, part.nbytes, offset + start, 0)
                part[:] = seen[: part.nbytes]

        self._alone(copy)

    def _alone(self, work: Callable[[], None]) -> None:
        """Do ``work`` with the buffer to itself."""
        # No context manager in Python: Ctrl-C at its edges would leave the lock to nobody.
        with self._lock:
            if self._inside:
                raise DeviceError(WITHIN)
            try:
                self._inside = True
                work()
            finally:
                self._inside = False

    def _staging(self, nbytes: int) -> tuple[Buffer, npt.NDArray[np.uint8]]:
        size = min(STAGING, 1 << max(12, (nbytes - 1).bit_length()))
        if self._buffer is None or self._buffer.nbytes < size:
            self._buffer = Buffer(self._device, size, memory="host", kind="staging")
        # A copy that Ctrl-C cut short may still be using the buffer.
        self._device.wait()
        seen = self._buffer.view()
        assert seen is not None  # memory="host" is always mapped
        return self._buffer, seen

    def _copy(self, src: Buffer, dst: Buffer, nbytes: int, src_at: int, dst_at: int) -> None:
        with Tape(self._device, kind="staging") as tape:
            tape.copy(src, dst, nbytes, src_at, dst_at)
        self._device.submit(tape)
        self._device.wait()
