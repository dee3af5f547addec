"""Kept tapes: an operation that was done before is submitted again, and not recorded anew."""

from __future__ import annotations

import weakref
from collections import deque
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

    One is kept from the second time on: what is done with another number each time never is. A
    tape that is in flight lives on until it has landed: the queue holds it.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._tapes: dict[Hashable, tuple[vk.Tape, object]] = {}
        self._seen: deque[Hashable] = deque(maxlen=2 * most)

    def __len__(self) -> int:
        return len(self._tapes)

    def of(
        self, op: Op, arrays: Sequence[DeviceArray], what: Hashable, device: vk.Device
    ) -> vk.Tape:
        """Return a tape of ``op``, the same each time that it does ``what`` to these arrays."""
        memories = [array._memory for array in arrays]
        key = (what, *map(id, memories))
        known = self._tapes.get(key)
        if known is not None:
            return known[0]
        tape = alone(op, device)
        if key in self._seen:
            self._keep(key, tape, memories)
        else:
            self._seen.append(key)
        return tape

    def _keep(self, key: Hashable, tape: vk.Tape, memories: Sequence[Any]) -> None:
        tapes = self._tapes
        tapes[key] = tape, [weakref.ref(one, lambda _: tapes.pop(key, None)) for one in memories]
        if len(tapes) > self._most:  # a list, for another thread may add to them meanwhile
            tapes.pop(next(iter(list(tapes))), None)


KEPT_BY_MEMORY = 16


def kept(op: Op, arrays: Sequence[DeviceArray], what: Hashable, device: vk.Device) -> vk.Tape:
    """Return a tape of ``op``, which does ``what`` to ``arrays``; the first of them keeps it."""
    memory: Any = arrays[0]._memory
    if memory.tapes is None:
        memory.tapes = KeptTapes(KEPT_BY_MEMORY)
    tape: vk.Tape = memory.tapes.of(op, arrays, what, device)
    return tape
