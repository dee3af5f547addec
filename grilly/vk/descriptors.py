"""Binding: a kernel with the buffers that it works on, as a descriptor set."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeAlias

from ..errors import DeviceLimitError
from . import binding
from .hazards import Access

if TYPE_CHECKING:
    from .buffer import Buffer
    from .kernel import Kernel

Part: TypeAlias = "Buffer | tuple[Buffer, int, int]"  # whole, or (buffer, offset, nbytes)
STORAGE_BUFFER = 7  # VK_DESCRIPTOR_TYPE_STORAGE_BUFFER


class Binding:
    """A kernel with its buffers, ready to be dispatched; holds both.

    ``writes`` are the spans (buffer, first byte, end) that a dispatch may write, ``reads`` those
    that it can only read: who waits for a writer does not care whether it reads too.
    """

    def __init__(self, kernel: Kernel, buffers: Sequence[Part]) -> None:
        self.kernel = kernel
        self.buffers = [_part(part) for part in buffers]
        self._check()
        self.reads = self._spans(kernel.reads - kernel.writes)
        self.writes = self._spans(kernel.writes)
        self.sets: list[Any] = []
        if not kernel.buffers:
            return
        with ExitStack() as undo:
            self.sets = [self._make_set(undo)]
            kernel.device.owner.adopt("binding", undo, self)
        self._write_set()

    def _spans(self, slots: frozenset[int]) -> list[Access]:
        parts = [self.buffers[slot] for slot in sorted(slots)]
        return [(buffer, offset, offset + nbytes) for buffer, offset, nbytes in parts]

    def _check(self) -> None:
        device = self.kernel.device
        if len(self.buffers) != self.kernel.buffers:
            raise ValueError(
                f"the kernel has {self.kernel.buffers} buffers, got {len(self.buffers)}"
            )
        for slot, (buffer, offset, nbytes) in enumerate(self.buffers):
            if buffer.device is not device:
                raise ValueError(f"buffer {slot} is on {buffer.device.name}, not {device.name}")
            if nbytes < 1 or offset < 0 or offset + nbytes > buffer.capacity:
                raise ValueError(
                    f"buffer {slot}: bytes {offset} to {offset + nbytes} are not in"
                    f" its {buffer.nbytes} bytes"
                )
            if offset % device.limits.offset_alignment:
                raise DeviceLimitError(
                    f"buffer {slot}: offset {offset} is not a multiple of"
                    f" {device.limits.offset_alignment}, which {device.name} asks for"
                )
            if nbytes > device.limits.max_storage_range:
                raise DeviceLimitError(
                    f"buffer {slot}: {nbytes} bytes exceed {device.limits.max_storage_range},"
                    f" the most that a shader on {device.name} can reach: bind a part of it"
                )

    def _make_set(self, undo: ExitStack) -> Any:
        """Allocate the set from a pool of its own: a pool that is exact cannot run out."""
        owner, count = self.kernel.device.owner, self.kernel.buffers
        size = binding.struct("VkDescriptorPoolSize", type=STORAGE_BUFFER, descriptorCount=count)
        info = binding.struct(
            "VkDescriptorPoolCreateInfo", maxSets=1, poolSizeCount=1, pPoolSizes=[size]
        )
        pool = owner.create(undo, "DescriptorPool", info)
        request = binding.struct(
            "VkDescriptorSetAllocateInfo",
            descriptorPool=pool,
            descriptorSetCount=1,
            pSetLayouts=[self.kernel.set_layout],
        )
        return owner.call("vkAllocateDescriptorSets", owner.device, request)[0]

    def _write_set(self) -> None:
        writes = [
            binding.struct(
                "VkWriteDescriptorSet",
                dstSet=self.sets[0],
                dstBinding=slot,
                descriptorCount=1,
                descriptorType=STORAGE_BUFFER,
                pBufferInfo=[
                    binding.struct(
                        "VkDescriptorBufferInfo", buffer=buffer.handle, offset=offset, range=nbytes
                    )
                ],
            )
            for slot, (buffer, offset, nbytes) in enumerate(self.buffers)
        ]
        owner = self.kernel.device.owner
        owner.call("vkUpdateDescriptorSets", owner.device, len(writes), writes, 0, None)


def _part(part: Part) -> tuple[Buffer, int, int]:
    if isinstance(part, tuple):
        return part
    return part, 0, part.capacity
