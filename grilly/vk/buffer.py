"""Buffer: memory of a device, with a numpy view where the host can see it and a copy where not."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import DeviceError, DeviceLimitError, DeviceMemoryError
from ..interrupt import Uninterrupted
from . import binding
from .tape import Tape

if TYPE_CHECKING:
    from .device import Device

DEVICE_LOCAL, VISIBLE, COHERENT, CACHED = 1, 2, 4, 8  # VK_MEMORY_PROPERTY_*
USAGE = 0x20 | 0x1 | 0x2  # storage buffer, copy from, copy to


class Buffer:
    """``nbytes`` of device memory, each byte filled with ``fill`` (255 makes floats NaN).

    ``memory="device"`` lies where kernels are fastest; ``memory="host"`` is always mapped.
    Made by ``Device.buffer``; raises DeviceLimitError, DeviceMemoryError or ValueError.
    """

    def __init__(
        self,
        device: Device,
        nbytes: int,
        memory: str = "device",
        fill: int = 0,
        kind: str = "buffer",
    ) -> None:
        if memory not in ("device", "host"):
            raise ValueError(f"memory must be 'device' or 'host', got {memory!r}")
        if nbytes < 1:
            raise ValueError(f"nbytes must be at least 1, got {nbytes}")
        if not 0 <= fill <= 255:
            raise ValueError(f"fill is one byte, 0 to 255, got {fill}")
        self.device = device
        self.nbytes = nbytes
        self.capacity = -(-nbytes // 4) * 4  # fills, copies and shaders count 4-byte words
        self.address: int | None = None
        with ExitStack() as undo:
            self.handle = self._create(undo, memory)
            self._key = device.owner.adopt(kind, undo, self)
        self._fill(fill, 0, self.capacity)

    def view(self, dtype: npt.DTypeLike = np.uint8) -> npt.NDArray[Any] | None:
        """Return the memory itself as a 1-d array, or None if the host cannot see it.

        Wait for the device before touching what a submitted tape uses. The memory lives as
        long as the array, even when the device is closed.
        """
        self.device.owner.check()
        if self.address is None:
            return None
        window = _Window(self.address, self.nbytes)
        self.device.owner.view(self._key, window)
        return np.asarray(window).view(dtype)

    def write(self, values: npt.ArrayLike, offset: int = 0) -> None:
        """Wait for the device, then copy the bytes of ``values`` to byte ``offset``."""
        source = np.ascontiguousarray(values).reshape(-1).view(np.uint8)
        self._check_range(source.nbytes, offset)
        self.device.wait()
        self.device.counters.bytes_up += source.nbytes
        if not source.nbytes:
            return
        if self.address is None:
            self.device.staging.upload(self, source, offset)
        else:
            self._seen(offset, source.nbytes)[:] = source

    def read(self, dtype: npt.DTypeLike, count: int, offset: int = 0) -> npt.NDArray[Any]:
        """Wait for the device, then return a new array of ``count`` values from ``offset``."""
        result = np.empty(count, dtype)
        self.read_into(result, offset)
        return result

    def read_into(self, out: npt.NDArray[Any], offset: int = 0) -> None:
        """Wait for the device, then fill ``out``, which is contiguous, from byte ``offset`` on."""
        target = out.reshape(-1).view(np.uint8)
        self._check_range(target.nbytes, offset)
        self.device.wait()
        self.device.counters.bytes_down += target.nbytes
        if not target.nbytes:
            return
        if self.address is None:
            self.device.staging.download(self, target, offset)
        else:
            target[:] = self._seen(offset, target.nbytes)

    def clear(self, offset: int, nbytes: int) -> None:
        """Wait for the device, then make ``nbytes`` from ``offset`` zero.

        Both are multiples of 4 bytes, and the end is at most the size rounded up to one.
        """
        if offset % 4 or nbytes % 4 or nbytes < 1 or not 0 <= offset <= self.capacity - nbytes:
            raise ValueError(
                f"offset and nbytes must be multiples of 4 in {self.capacity} bytes,"
                f" got {offset} and {nbytes}"
            )
        self.device.wait()
        self._fill(0, offset, nbytes)

    def _check_range(self, nbytes: int, offset: int) -> None:
        if offset < 0 or offset + nbytes > self.nbytes:
            raise ValueError(
                f"bytes {offset} to {offset + nbytes} do not fit a buffer of {self.nbytes} bytes"
            )

    def _create(self, undo: ExitStack, memory: str) -> Any:
        """Make buffer and memory, bind them, and map the memory if it is to be seen."""
        owner, limits = self.device.owner, self.device.limits
        if self.capacity > limits.max_allocation:
            raise DeviceLimitError(
                f"nbytes {self.nbytes} exceeds what {self.device.name} can allocate at once,"
                f" {limits.max_allocation}: use several smaller buffers"
            )
        info = binding.struct("VkBufferCreateInfo", size=self.capacity, usage=USAGE)
        handle = owner.create(undo, "Buffer", info)
        needs = owner.call("vkGetBufferMemoryRequirements", owner.device, handle)
        index, mapped = self.device.memory.choose(memory, needs.memoryTypeBits)
        request = binding.struct(
            "VkMemoryAllocateInfo", allocationSize=needs.size, memoryTypeIndex=index
        )
        with Uninterrupted():  # Ctrl-C must not come before it is known how to free it
            try:
                block = owner.call("vkAllocateMemory", owner.device, request, None)
            except DeviceMemoryError as cause:
                raise DeviceMemoryError(
                    f"{self.device.name} has no room for {self.nbytes} bytes: free buffers or use"
                    f" smaller ones ({cause})"
                ) from cause
            self.device.counters.allocations += 1
            undo.callback(binding.call, "vkFreeMemory", owner.device, block, None)
        owner.call("vkBindBufferMemory", owner.device, handle, block, 0)
        if mapped:
            # The true size: VK_WHOLE_SIZE overflows in the package.
            bytes_ = owner.call("vkMapMemory", owner.device, block, 0, self.capacity, 0)
            ffi = binding.load().ffi
            self.address = int(ffi.cast("uintptr_t", ffi.from_buffer(bytes_)))
        return handle

    def _seen(self, offset: int, nbytes: int) -> npt.NDArray[np.uint8]:
        """Return mapped memory for as long as this buffer lives; a ``view`` outlives it."""
        assert self.address is not None
        return np.asarray(_Window(self.address + offset, nbytes))

    def _fill(self, fill: int, offset: int, nbytes: int) -> None:
        """Overwrite what was in this memory (drivers hand out an earlier buffer's as it is)."""
        if self.address is not None:
            self._seen(offset, nbytes)[:] = fill
            return
        with Tape(self.device) as tape:
            tape.fill(self, fill, offset, nbytes)
        self.device.submit(tape)


class _Window:
    """What a view's ``base`` is: the Owner keeps the memory while this object lives."""

    def __init__(self, address: int, nbytes: int) -> None:
        self.__array_interface__ = {
            "data": (address, False),
            "shape": (nbytes,),
            "typestr": "|u1",
            "version": 3,
        }


class Memory:
    """The memory types of a device."""

    def __init__(self, physical: Any) -> None:
        properties = binding.call("vkGetPhysicalDeviceMemoryProperties", physical)
        heaps = properties.memoryHeaps
        self.types = [
            (int(kind.propertyFlags), int(heaps[kind.heapIndex].size))
            for kind in list(properties.memoryTypes)[: properties.memoryTypeCount]
        ]
        self.largest = max(size for _, size in self.types)
        self._local = max((size for flags, size in self.types if flags & DEVICE_LOCAL), default=0)

    def choose(self, memory: str, allowed: int) -> tuple[int, bool]:
        """Return the index of the type for ``memory``, and whether to map it."""
        able = [i for i in range(len(self.types)) if allowed >> i & 1]
        index = max(able, key=lambda i: self._merit(memory, i), default=None)
        if index is None or (memory == "host" and not self._seen(index)):
            raise DeviceError(f"the device has no memory type for a {memory!r} buffer")
        return index, self._seen(index) and not (memory == "device" and staging_forced())

    def _seen(self, index: int) -> bool:
        wanted = VISIBLE | COHERENT
        return self.types[index][0] & wanted == wanted

    def _merit(self, memory: str, index: int) -> tuple[bool, ...]:
        """Rank a type; the first of the best is taken, as Vulkan orders types by speed."""
        flags, size = self.types[index]
        cached = bool(flags & CACHED)
        if memory == "host":
            return self._seen(index), cached, not flags & DEVICE_LOCAL
        # A small visible window into a large device heap (256 MiB without ReBAR) is not used.
        whole = bool(flags & DEVICE_LOCAL) and size == self._local
        return whole, self._seen(index), cached


def staging_forced() -> bool:
    """Return whether GRILLY_STAGING asks that "device" buffers hide from the host."""
    return os.environ.get("GRILLY_STAGING", "") not in ("", "0")
