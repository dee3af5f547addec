"""Slabs: the tensors of an optimizer in device memory, in parts that a shader can reach.

There is one slab for the parameters, one for the gradients and one for each state. All are cut at
the same places, so a chunk of a part is the same chunk in all of them; a tensor may straddle parts.
Parameters that live on the device stay where they are: their buffer is a part of its own, with the
gradients at the same offsets of its twin.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import compress
from typing import NamedTuple, TypeAlias

import numpy as np

from . import chunks, vk
from .planning import Array

GUESTS = "guests"

# A tensor's floats, or where it lies if it lives on the device.
Tensor: TypeAlias = "int | vk.Span"
# A buffer, an offset and a number of bytes.
Place: TypeAlias = "tuple[vk.Buffer, int, int]"


class Piece(NamedTuple):
    """Floats ``first`` to ``last`` of a tensor, which lie in a part from its float ``at`` on."""

    part: int
    at: int
    first: int
    last: int


class Region(NamedTuple):
    """Tensors that lie together: ``starts`` and ``size`` in float4, ``sizes`` in floats."""

    tensors: tuple[int, ...]
    starts: tuple[int, ...]
    sizes: tuple[int, ...]
    size: int
    # Where the parameters are if they live on the device; ``offset`` is in bytes.
    buffer: vk.Buffer | None = None
    offset: int = 0


class Part(NamedTuple):
    """Float4 ``start`` to ``end`` of a region, and where they are in each slab."""

    region: Region
    start: int
    end: int
    slabs: dict[str, tuple[vk.Buffer, int, int]]


class Slabs:
    """A slab for each of ``names``; but for the parameters on the device, all zeros at first."""

    def __init__(self, device: vk.Device, tensors: Sequence[Tensor], names: Sequence[str]) -> None:
        self._device = device
        self._names = names
        self._most = _most(device)
        self._parts = [
            self._part(region, span, names)
            for region in _regions(tensors)
            for span in self._spans(region)
        ]
        self._views = [
            {name: _view(*place) for name, place in part.slabs.items()} for part in self._parts
        ]
        self._resident = [not isinstance(tensor, int) for tensor in tensors]
        self._pieces: list[list[Piece]] = [[] for _ in tensors]
        for number, part in enumerate(self._parts):
            for tensor, piece in _pieces(number, part):
                self._pieces[tensor].append(piece)

    def parts(self, grads: str = "grad") -> list[tuple[tuple[vk.Buffer, int, int], ...]]:
        """Return what each dispatch of a step binds: one part of every slab, in their order.

        ``grads`` may be GUESTS, once ``host_guests`` was called.
        """
        names = [grads if name == "grad" else name for name in self._names]
        return [tuple(part.slabs[name] for name in names) for part in self._parts]

    def host_guests(self) -> None:
        """Have a slab GUESTS for gradients that come from elsewhere.

        At home, in the twin, lie arrays of the user's, which must not be written over.
        """
        for part, views in zip(self._parts, self._views, strict=True):
            if GUESTS not in part.slabs:
                home, nbytes = part.slabs["grad"], part.slabs["grad"][2]
                resident = part.region.buffer is not None
                place = (self._device.buffer(nbytes), 0, nbytes) if resident else home
                views[GUESTS] = _view(*place)
                part.slabs[GUESTS] = place

    def deal(self, lane_of: Sequence[int | None], workers: int) -> list[chunks.Chunks]:
        """Return the chunks of each part; one in which no tensor has a lane has no work."""
        return [
            chunks.deal_runs(chunks.joined(self.runs(part, lane_of), self._gap(part)), workers)
            for part in self._parts
        ]

    def _gap(self, part: Part) -> int:
        """Return the float4 between two tensors that are nobody's: in an arena each is aligned."""
        resident = part.region.buffer is not None
        return max(0, self._device.limits.offset_alignment // 16 - 1) if resident else 0

    def share_out(
        self, active: Sequence[bool], grads: str = "grad"
    ) -> list[tuple[Place, chunks.Shares]]:
        """Return the active gradients in the order of the tensors, with their shares of the norm.

        As segments: neighbours in one part are one, and what the order parts is several.
        """
        segments: list[tuple[int, list[chunks.Run]]] = []
        for pieces in compress(self._pieces, active):
            for part, at, first, last in pieces:
                if not segments or segments[-1][0] != part:
                    segments.append((part, []))
                segments[-1][1].append((at // 4, -(-(last - first) // 4)))
        places = [self._parts[part].slabs[grads] for part, _ in segments]
        shares = chunks.share_out([runs for _, runs in segments])
        return list(zip(places, shares, strict=True))

    def runs(self, part: Part, lane_of: Sequence[int | None]) -> list[tuple[int, int, int]]:
        """Return (start, count, lane) in float4 of each tensor in ``part`` that has a lane."""
        region, found = part.region, []
        for tensor, start, size in zip(region.tensors, region.starts, region.sizes, strict=True):
            first, last = max(start, part.start), min(start + -(-size // 4), part.end)
            lane = lane_of[tensor]
            if first < last and lane is not None:
                found.append((first - part.start, last - first, lane))
        return found

    def write(self, name: str, tensor: int, values: Array) -> None:
        """Copy ``values`` into a tensor; the device must have finished with it."""
        flat = np.ascontiguousarray(values, np.float32).reshape(-1)
        for part, at, first, last in self._pieces[tensor]:
            view = self._views[part][name]
            if view is None:
                buffer, offset, _ = self._parts[part].slabs[name]
                buffer.write(flat[first:last], offset + 4 * at)
            else:
                view[at : at + last - first] = flat[first:last]
                self._device.counters.bytes_up += 4 * (last - first)

    def read(self, name: str, tensor: int, out: Array) -> None:
        """Copy a tensor into ``out``; the device must have finished with it."""
        flat = out.reshape(-1) if out.flags.c_contiguous else np.empty(out.size, np.float32)
        for part, at, first, last in self._pieces[tensor]:
            view = self._views[part][name]
            if view is None:
                buffer, offset, _ = self._parts[part].slabs[name]
                values = buffer.read(np.float32, last - first, offset + 4 * at)
            else:
                values = view[at : at + last - first]
                self._device.counters.bytes_down += 4 * (last - first)
            flat[first:last] = values
        if not out.flags.c_contiguous:
            out[...] = flat.reshape(out.shape)

    def resident(self, tensor: int) -> bool:
        """Whether the parameter lives on the device, and its gradient has a home there."""
        return self._resident[tensor]

    def places(self, name: str, tensor: int) -> Iterator[tuple[vk.Buffer, int, int, int]]:
        """Yield (buffer, offset, first byte, bytes) of each piece of a tensor in a slab."""
        for part, at, first, last in self._pieces[tensor]:
            buffer, offset, _ = self._parts[part].slabs[name]
            yield buffer, offset + 4 * at, 4 * first, 4 * (last - first)

    def _spans(self, region: Region) -> Iterator[tuple[int, int]]:
        """Yield the float4 of a region that each part has."""
        step = self._most
        if region.buffer is not None:  # a part begins where a binding may
            step -= step % max(1, self._device.limits.offset_alignment // 16)
        for start in range(0, max(1, region.size), step):
            yield start, min(start + step, region.size)

    def _part(self, region: Region, span: tuple[int, int], names: Sequence[str]) -> Part:
        nbytes = 16 * max(1, span[1] - span[0])
        slabs = {}
        for name in names:
            if region.buffer is not None and name in ("param", "grad"):
                twin = self._device.arena.twin
                buffer = region.buffer if name == "param" else twin(region.buffer)
                slabs[name] = buffer, region.offset + 16 * span[0], nbytes
            else:
                slabs[name] = self._device.buffer(nbytes), 0, nbytes
        return Part(region, *span, slabs)


def _regions(tensors: Sequence[Tensor]) -> list[Region]:
    """Return the host's tensors, one after the other, and those of each device buffer."""
    host = [(i, size) for i, size in enumerate(tensors) if isinstance(size, int)]
    starts = chunks.offsets([size for _, size in host])
    numbers, sizes = tuple(i for i, _ in host), tuple(size for _, size in host)
    regions = [Region(numbers, tuple(starts[:-1]), sizes, starts[-1])]
    resident: dict[int, list[tuple[int, vk.Span]]] = {}
    for i, span in enumerate(tensors):
        if not isinstance(span, int):
            resident.setdefault(id(span.buffer), []).append((i, span))
    if resident and not host:
        regions.clear()
    return regions + [_resident(own) for own in resident.values()]


def _resident(own: list[tuple[int, vk.Span]]) -> Region:
    """Return the region of the tensors in one buffer: from the first to the last of them."""
    first = min(span.offset for _, span in own)
    end = max(span.offset + span.nbytes for _, span in own)
    starts = tuple((span.offset - first) // 16 for _, span in own)
    sizes = tuple(span.nbytes // 4 for _, span in own)
    numbers = tuple(i for i, _ in own)
    return Region(numbers, starts, sizes, -(-(end - first) // 16), own[0][1].buffer, first)


def _pieces(number: int, part: Part) -> Iterator[tuple[int, Piece]]:
    """Yield each tensor that has floats in ``part``, and which."""
    region, begin, end = part.region, 4 * part.start, 4 * part.end
    for tensor, start, size in zip(region.tensors, region.starts, region.sizes, strict=True):
        first, last = max(4 * start, begin), min(4 * start + size, end)
        if first < last:
            piece = Piece(number, first - begin, first - 4 * start, last - 4 * start)
            yield tensor, piece


def _view(buffer: vk.Buffer, offset: int, nbytes: int) -> Array | None:
    seen = buffer.view(np.uint8)
    return None if seen is None else seen[offset : offset + nbytes].view(np.float32)


def _most(device: vk.Device) -> int:
    """Return the float4 of a part: what can be bound, allocated and dispatched at once."""
    limits = device.limits
    nbytes = min(limits.max_storage_range, limits.max_allocation)
    return min(nbytes // 16, limits.max_groups * chunks.MOST)
