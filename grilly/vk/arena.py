"""Arena: many small arrays in few buffers, whose memory returns when their holders are gone."""

from __future__ import annotations

import os
import threading
import weakref
from collections import deque
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from ..errors import DeviceLimitError
from ..interrupt import Uninterrupted
from .buffer import Buffer
from .ranges import Ranges

if TYPE_CHECKING:
    from .device import Device

BLOCK = 4 << 20  # bytes of a buffer that small arrays share
LARGE = 2 << 20  # bytes from which an array has a buffer of its own
WORDS = 16  # bytes of a vec4, to which every span is aligned


class Span(NamedTuple):
    """``nbytes`` from ``offset`` of a buffer; ``Kernel.bind`` takes it as it is."""

    buffer: Buffer
    offset: int
    nbytes: int


@dataclass
class _Block:
    """A buffer that spans are cut from; bytes from ``fresh`` on were never handed out."""

    buffer: Buffer
    shared: bool
    free: Ranges
    fresh: int = 0

    @property
    def idle(self) -> bool:
        return list(self.free) == [(0, self.buffer.nbytes)]


class Arena:
    """The spans of a device. One is in use until its holder is garbage, in whatever thread.

    A finalizer runs at any point, also inside a method here, so it only notes on a deque what is
    free; ``sweep`` takes it back at the next use of the device. What was used before is cleared
    after the device has been idle: nothing in flight uses it then.
    """

    def __init__(self, device: Device) -> None:
        self._device = device
        self._lock = threading.RLock()
        self._keys = count()
        self._blocks: dict[int, _Block] = {}
        # Finalizers know the deque and keys only: holding a buffer would keep its device for ever.
        self._freed: deque[tuple[int, int, int]] = deque()  # block, start, end
        self._twins: weakref.WeakKeyDictionary[Buffer, Buffer] = weakref.WeakKeyDictionary()

    def take(self, nbytes: int, holder: object) -> Span:
        """Return ``nbytes`` of zeros, which are handed out again once ``holder`` is garbage.

        The offset is a multiple of 16 and of what a binding asks for. A tape that uses the span
        does not keep the holder: see ``Tape.hold``.

        Raises ValueError for less than a byte, DeviceLimitError if the device cannot allocate as
        much at once, DeviceMemoryError, and TypeError if no weak reference to ``holder`` can be
        made. Waits for the device if it hands out memory again.
        """
        self._device.check()
        self._check(nbytes, holder)
        self._device.queue.make_room()  # Ctrl-C can end this
        with self._lock, Uninterrupted():
            self.sweep()
            key, start, size = self._place(nbytes)
            block = self._blocks[key]
            used = min(block.fresh, start + size) - start
            block.fresh = max(block.fresh, start + size)
            freed = weakref.finalize(holder, self._freed.append, (key, start, start + size))
            freed.atexit = False
        try:
            if used > 0:
                self._clear(block.buffer, start, used)
        except BaseException:
            freed()
            raise
        return Span(block.buffer, start, nbytes)

    def twin(self, buffer: Buffer) -> Buffer:
        """Return the one buffer of the size of ``buffer`` that goes with it as long as it lives.

        It is zero at first, and where a span of ``buffer`` is handed out again: the gradient of
        a parameter lies in the twin, at the parameter's offset.
        """
        self._device.check()
        if buffer.device is not self._device:
            raise ValueError(f"buffer is on {buffer.device.name}, not on {self._device.name}")
        with self._lock:
            found = self._twins.get(buffer)
            if found is None:
                found = self._twins[buffer] = Buffer(self._device, buffer.nbytes)
            return found

    def sweep(self) -> None:
        """Take back the spans whose holders are gone, and free the buffers that are not needed."""
        if not self._freed or os.getpid() != self._device.owner.pid:
            return
        with self._lock:
            while self._freed:
                key, start, end = self._freed.popleft()
                if key in self._blocks:
                    self._blocks[key].free.add(start, end)
            self._drop_idle()

    def forget(self) -> None:
        """Let go of the buffers of a closed device."""
        self._blocks.clear()
        self._twins.clear()

    def _check(self, nbytes: int, holder: object) -> None:
        most = self._device.limits.max_allocation
        if nbytes < 1:
            raise ValueError(f"nbytes must be at least 1, got {nbytes}")
        if _round_up(nbytes, WORDS) > most:
            raise DeviceLimitError(
                f"nbytes {nbytes} exceeds what {self._device.name} can allocate at once, {most}:"
                " use several smaller arrays"
            )
        try:
            weakref.ref(holder)
        except TypeError as cause:
            raise TypeError(
                f"holder must allow weak references, got {type(holder).__name__}"
            ) from cause

    def _place(self, nbytes: int) -> tuple[int, int, int]:
        """Return (block, start, size) of a span that is free no more."""
        # Both are powers of two, so the larger is a multiple of the other.
        step = max(WORDS, self._device.limits.offset_alignment)
        size = _round_up(nbytes, step)
        room = min(BLOCK, self._device.limits.max_allocation // step * step)
        if nbytes >= LARGE or size > room:
            size = _round_up(nbytes, WORDS)
            return self._new_block(size, shared=False), 0, size
        for key, block in list(self._blocks.items()):
            if block.shared and (start := block.free.cut(size)) is not None:
                return key, start, size
        key = self._new_block(room, shared=True)
        self._blocks[key].free.add(size, room)
        return key, 0, size

    def _new_block(self, size: int, *, shared: bool) -> int:
        key = next(self._keys)
        self._blocks[key] = _Block(Buffer(self._device, size), shared, Ranges())
        return key

    def _clear(self, buffer: Buffer | None, start: int, nbytes: int) -> None:
        """Clear a span, and the same span of the buffer's twin, and of that one's."""
        while buffer is not None:
            buffer.clear(start, nbytes)
            buffer = self._twins.get(buffer)

    def _drop_idle(self) -> None:
        """Drop the buffers with nothing in them, but keep one to share."""
        idle = {key: block for key, block in self._blocks.items() if block.idle}
        kept = next((key for key, block in idle.items() if block.shared), None)
        for key in idle.keys() - {kept}:
            del self._blocks[key]


def _round_up(nbytes: int, step: int) -> int:
    return -(-nbytes // step) * step
