"""Places: where a device array's floats lie, in host memory or on a Vulkan device."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from ..backend import on_device
from ..errors import DeviceMemoryError

if TYPE_CHECKING:
    from .. import vk
    from .kept_tapes import KeptTapes
    from .ops import Op

Float32 = npt.NDArray[np.float32]


class Place(Protocol):
    """A device as its arrays see it. Memory is opaque, flat and float32."""

    @property
    def name(self) -> str:
        """The device's name."""

    def new(self, size: int) -> Any:
        """Return new memory for ``size`` floats, all zeros."""

    def twin(self, memory: Any) -> Any:
        """Return memory as large, all zeros, in which an optimizer finds the gradients."""

    def view(self, memory: Any) -> Float32 | None:
        """Return the memory itself, (size,), or None if the host cannot see it."""

    def write(self, memory: Any, values: Float32) -> None:
        """Wait for the device, then copy (size,) values into the memory."""

    def read(self, memory: Any, out: Float32) -> None:
        """Wait for the device, then copy the beginning of the memory into ``out``, (size,)."""

    def run(self, op: Op) -> None:
        """Do ``op`` after all that was submitted before; on Vulkan it is submitted then."""

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for all that was submitted; False if ``timeout`` seconds were not enough."""

    def check(self) -> None:
        """Raise DeviceError if the device can never be used again."""

    def make_room(self) -> None:
        """Wait for some of what was submitted, if that is as much as may be. Ctrl-C works."""


_twins: dict[int, Float32] = {}  # of memory in the host, by identity


@dataclass(frozen=True)
class NumpyPlace:
    """Host memory: a device array is a numpy array, and everything is done at once."""

    @property
    def name(self) -> str:
        return "numpy"

    def new(self, size: int) -> Float32:
        try:
            return np.zeros(size, np.float32)
        except (MemoryError, ValueError) as cause:
            raise DeviceMemoryError(f"numpy has no room for {4 * size} bytes") from cause

    def twin(self, memory: Float32) -> Float32:
        key = id(memory)
        if key not in _twins:
            _twins[key] = np.zeros_like(memory)
            weakref.finalize(memory, _twins.pop, key, None)
        return _twins[key]

    def view(self, memory: Float32) -> Float32 | None:
        return memory

    def write(self, memory: Float32, values: Float32) -> None:
        memory[:] = values

    def read(self, memory: Float32, out: Float32) -> None:
        out[:] = memory[: out.size]

    def run(self, op: Op) -> None:
        op.on_host()

    def wait(self, timeout: float | None = None) -> bool:
        return True

    def check(self) -> None:
        return

    def make_room(self) -> None:
        return


class Memory:
    """Floats in a buffer of a Vulkan device; they are given back when nobody holds this.

    ``tapes`` are those of operations that change them.
    """

    __slots__ = ("__weakref__", "keeps", "span", "tapes")

    def __init__(self, span: vk.Span | None = None, keeps: object = None) -> None:
        self.span: Any = span
        self.keeps = keeps
        self.tapes: KeptTapes | None = None


class _Held:
    """What a view's ``base`` is: its memory is not handed out again while this object lives."""

    def __init__(self, seen: Float32, memory: Memory) -> None:
        self.__array_interface__ = seen.__array_interface__
        self.keeps = seen, memory


@dataclass(frozen=True)
class VulkanPlace:
    """The memory of a Vulkan device."""

    device: vk.Device

    @property
    def name(self) -> str:
        return self.device.name

    def new(self, size: int) -> Memory:
        memory = Memory()
        memory.span = self.device.arena.take(max(4, 4 * size), memory)
        return memory

    def twin(self, memory: Memory) -> Memory:
        twin = self.device.arena.twin(memory.span.buffer)
        span = memory.span._replace(buffer=twin)
        return Memory(span, keeps=memory)

    def view(self, memory: Memory) -> Float32 | None:
        buffer, offset, nbytes = memory.span
        seen = buffer.view(np.uint8)
        if seen is None:
            return None
        return np.asarray(_Held(seen[offset : offset + nbytes].view(np.float32), memory))

    def write(self, memory: Memory, values: Float32) -> None:
        buffer, offset, _ = memory.span
        buffer.write(values, offset)

    def read(self, memory: Memory, out: Float32) -> None:
        buffer, offset, _ = memory.span
        buffer.read_into(out, offset)

    def run(self, op: Op) -> None:
        self.device.submit(op.tape(self.device))

    def wait(self, timeout: float | None = None) -> bool:
        return self.device.wait(timeout)

    def check(self) -> None:
        self.device.check()

    def make_room(self) -> None:
        self.device.queue.make_room()


def place_of(device: str | int) -> Place:
    """Return the place that ``device`` means: see grilly.backend.on_device."""
    return on_device(device, _place, stacklevel=5)


def _place(info: vk.DeviceInfo | None) -> Place:
    if info is None:
        return NumpyPlace()
    from .. import vk

    return VulkanPlace(vk.open_device(info))
