"""What the steps on a Vulkan device have used: a ring of table rows, read back when asked for."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import hyper, shaders, vk
from .interrupt import Uninterrupted
from .kept import BYTES, Kept, Shown, rows_in

Array = np.ndarray[Any, np.dtype[Any]]

LOCAL_SIZE = {"cpu": 8}  # by measurement
LOCAL_SIZE_ON_HARDWARE = 64
WORDS_EACH = 16  # that an invocation copies of a full window
MOST_GROUPS = 1024
EVERY = 1 << 62
# The words before it are the device's own; the host sets what comes from here on.
_FIRST = hyper.CLOCK_WORDS.index("fresh")


class GpuHistory:
    """Keeps used rows where they are: in the table until it is refilled, and then in a ring.

    The kernel that moves the clock on copies them (``record``), by the cursor, which alone knows
    how many were used. A new start leaves cursor and count on the device: the next refill keeps
    what was used before it. Where buffers or lanes become others, ``retire`` first brings all rows
    to the host.
    """

    def __init__(self, device: vk.Device, kind: str) -> None:
        self._device, self._dtype = device, hyper.dtype(kind)
        self._local_size = LOCAL_SIZE.get(device.info.kind, LOCAL_SIZE_ON_HARDWARE)
        self._kept = Kept(kind)
        self._ring: vk.Buffer | None = None
        self._shown: Shown = ()
        # Whether the clock counts for this table and ring; else the device holds no rows.
        self._live = False

    def attach(self, clock: vk.Buffer, table: vk.Buffer, lanes: int, window: int) -> None:
        """Go on with new buffers; ``retire`` must have been called."""
        row = self._dtype.itemsize * lanes
        limits, local = self._device.limits, self._local_size
        room = min(BYTES, limits.max_storage_range, limits.max_allocation)
        rows = max(window, rows_in(room, row))  # at least what one refill brings
        if self._ring is None or self._ring.nbytes < rows * row:
            self._ring = self._device.buffer(rows * row)
        self._clock, self._table, self._lanes, self._rows = clock, table, lanes, rows
        self._groups = min(MOST_GROUPS, -(-window * row // (4 * local * WORDS_EACH)))

    def record(self, tape: vk.Tape, flags: vk.Buffer | None = None) -> None:
        """Record that used rows are kept, and that the clock moves on to the next one.

        With ``flags``, only if their first word says so, which then is 0 again.
        """
        name, more = ("roll", []) if flags is None else ("roll_dirty", [flags])
        roll = self._device.kernel(shaders.spirv(name), 3 + len(more), 8, {0: self._local_size})
        assert self._ring is not None
        push = np.array([self._lanes * self._dtype.itemsize // 4, self._rows], np.uint32)
        binding = roll.bind([self._clock, self._table, self._ring, *more])
        tape.dispatch(binding, self._groups, push.tobytes())

    def keep(self, shown: Shown, same: bool) -> None:
        """Prepare for lanes that show other groups, or for buffers that are not the ``same``."""
        if not same or shown != self._shown:
            self.retire()
        self._shown = shown

    def retire(self) -> None:
        """Bring all rows to the host: what the device has of them is given up."""
        if self._live:
            rows = self._read(EVERY)
            with Uninterrupted():
                self._live = False
                self._kept.add(rows, self._shown)

    def start(self, words: Array) -> None:
        """Write a clock that starts in row 0, and keep count of the rows that were used."""
        first = _FIRST if self._live else 0
        self._clock.write(words[first:], 4 * first)
        self._live = True

    def last(self, n: int, groups: int) -> Array:
        """Return what the last ``n`` steps have used, (at most n, groups); waits."""
        return self._kept.last(n, groups, self._read(n), self._shown)

    def _read(self, n: int) -> Array:
        """Return the last ``n`` rows that the device has, (at most n, lanes)."""
        if not self._live:
            return np.empty((0, 1 + max([0, *filter(None, self._shown)])), self._dtype)
        at = hyper.cursor(self._clock.read(np.uint32, len(hyper.CLOCK_WORDS)))
        used = min(n, at.used)
        old = min(n - used, at.kept)
        start = (at.ring_row - old) % self._rows
        end = start + old
        assert self._ring is not None
        parts = [
            self._of(self._ring, start, min(end, self._rows)),
            self._of(self._ring, 0, max(0, end - self._rows)),
            self._of(self._table, at.used - used, at.used),
        ]
        return np.concatenate(parts)

    def _of(self, buffer: vk.Buffer, start: int, end: int) -> Array:
        if start == end:
            return np.empty((0, self._lanes), self._dtype)
        row = self._dtype.itemsize * self._lanes
        rows = buffer.read(self._dtype, (end - start) * self._lanes, start * row)
        return rows.reshape(end - start, self._lanes)
