"""Slabs: the tensors of an optimizer in device memory, in parts that a shader can reach.

There is one slab for the parameters, one for the gradients and one for each state. All are cut at
the same places, so a chunk of a part is the same chunk in all of them; a tensor may straddle parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from . import chunks, vk
from .backend import Array


class Piece(NamedTuple):
    """Floats ``first`` to ``last`` of a tensor, which lie in a part from its float ``at`` on."""

    part: int
    at: int
    first: int
    last: int


class Slabs:
    """A slab for each of ``names``, all zeros; tensor i has ``sizes[i]`` floats in each."""

    def __init__(self, device: vk.Device, sizes: Sequence[int], names: Sequence[str]) -> None:
        self._device = device
        self.starts = chunks.offsets(sizes)
        total, self._most = self.starts[-1], _most(device)
        self._spans = [
            (start, min(start + self._most, total)) for start in range(0, max(1, total), self._most)
        ]
        nbytes = [16 * max(1, end - start) for start, end in self._spans]
        self._parts = {name: [device.buffer(size) for size in nbytes] for name in names}
        self._views = {
            name: [part.view(np.float32) for part in parts] for name, parts in self._parts.items()
        }
        self._pieces = [
            self._pieces_of(4 * start, size)
            for start, size in zip(self.starts, sizes, strict=False)
        ]

    def parts(self) -> list[tuple[vk.Buffer, ...]]:
        """Return what each dispatch of a step binds: one part of every slab, in their order."""
        return list(zip(*self._parts.values(), strict=True))

    def deal(self, lane_of: Sequence[int | None], workers: int) -> list[chunks.Chunks]:
        """Return the chunks of each part; one in which no tensor has a lane has no work."""
        return [chunks.deal(starts, lane_of, workers) for starts in self._starts_of_parts()]

    def share_out(self, active: Sequence[bool]) -> list[chunks.Shares]:
        """Return the shares of each part, for the norm of the active tensors."""
        return chunks.share_out(self._starts_of_parts(), active)

    def write(self, name: str, tensor: int, values: Array) -> None:
        """Copy ``values`` into a tensor; the device must have finished with it."""
        flat = np.ascontiguousarray(values, np.float32).reshape(-1)
        for part, at, first, last in self._pieces[tensor]:
            view = self._views[name][part]
            if view is None:
                self._parts[name][part].write(flat[first:last], 4 * at)
            else:
                view[at : at + last - first] = flat[first:last]
                self._device.counters.bytes_up += 4 * (last - first)

    def read(self, name: str, tensor: int, out: Array) -> None:
        """Copy a tensor into ``out``; the device must have finished with it."""
        flat = out.reshape(-1) if out.flags.c_contiguous else np.empty(out.size, np.float32)
        for part, at, first, last in self._pieces[tensor]:
            view = self._views[name][part]
            if view is None:
                values = self._parts[name][part].read(np.float32, last - first, 4 * at)
            else:
                values = view[at : at + last - first]
                self._device.counters.bytes_down += 4 * (last - first)
            flat[first:last] = values
        if not out.flags.c_contiguous:
            out[...] = flat.reshape(out.shape)

    def _starts_of_parts(self) -> list[list[int]]:
        """Return where each tensor begins in each part, in float4, and the end as the last."""
        return [(np.clip(self.starts, *span) - span[0]).tolist() for span in self._spans]

    def _pieces_of(self, start: int, size: int) -> list[Piece]:
        """Return the pieces of the ``size`` floats from float ``start`` of a whole slab on."""
        step, end = 4 * self._most, start + size
        pieces = []
        for part in range(start // step, -(-end // step)):
            first, last = max(start, part * step), min(end, (part + 1) * step)
            pieces.append(Piece(part, first - part * step, first - start, last - start))
        return pieces


def _most(device: vk.Device) -> int:
    """Return the float4 of a part: what can be bound, allocated and dispatched at once."""
    limits = device.limits
    nbytes = min(limits.max_storage_range, limits.max_allocation)
    return min(nbytes // 16, limits.max_groups * chunks.MOST)
