"""Kept tapes: an operation that was done before is submitted again, and not recorded anew."""

from __future__ import annotations

import weakref
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .. import vk
    from .array import DeviceArray
    from .ops import Op


def alone(op: Any, device: vk.Device) -> vk.Tape:
    """Return a tape of ``op`` alone."""
    from .. import vk

    with vk.Tape(device) as tape:
        op.record(tape)
    return tape


class KeptTapes:
    """Tapes of single operations, the last ``most`` of them; none outlives an array that it uses.

    A tape that is in flight lives on until it has landed: the queue holds it.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._tapes: dict[Hashable, tuple[vk.Tape, object]] = {}

    def __len__(self) -> int:
        return len(self._tapes)

    def of(
        self, op: Op, arrays: Sequence[DeviceArray], what: Hashable, device: vk.Device
    ) -> vk.Tape:
        """Return a tape of ``op``, the same each time that it does ``what`` to these arrays."""
        memories = [array._memory for array in arrays]
        key = (what, *map(id, memories))
        tape, _ = self._tapes.get(key, (None, None))
        if tape is None or tape.device is not device:
            tapes = self._tapes
            refs = [weakref.ref(one, lambda _: tapes.pop(key, None)) for one in memories]
            tape = alone(op, device)
            tapes[key] = tape, refs
            if len(tapes) > self._most:  # a list, for another thread may add to them meanwhile
                tapes.pop(next(iter(list(tapes))), None)
        return tape


KEPT_BY_MEMORY = 16


def kept(op: Op, arrays: Sequence[DeviceArray], what: Hashable, device: vk.Device) -> vk.Tape:
    """Return a tape of ``op``, which does ``what`` to ``arrays``; the first of them keeps it.

    But that of an array's first operation is not kept: most arrays have no other.
    """
    memory: Any = arrays[0]._memory
    if memory.tapes is None:
        memory.tapes = KeptTapes(KEPT_BY_MEMORY)
        return alone(op, device)
    tape: vk.Tape = memory.tapes.of(op, arrays, what, device)
    return tape
