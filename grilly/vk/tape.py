"""Tape: dispatches, copies and barriers recorded once and submitted any number of times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from itertools import count
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..errors import DeviceError, DeviceLimitError
from . import binding
from .hazards import Access, Hazards

if TYPE_CHECKING:
    from .buffer import Buffer
    from .descriptors import Binding
    from .device import Device
    from .submission import Prepared

SIMULTANEOUS = 4  # VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT: submitted again while pending
BIND_COMPUTE = 1
WORK = 0x800 | 0x1000  # pipeline stages: compute shader, transfer
HOST = 0x4000
WRITES = 0x40 | 0x1000  # shader write, transfer write
ACCESSES = 0x20 | 0x800 | WRITES  # and shader read, transfer read
HOST_READ = 0x2000

_serials = count()  # never used twice, unlike id()


class Tape:
    """A command buffer. Use it in a ``with`` block, which records; ``Device.submit`` runs it.

    A tape starts with a barrier, so it may follow itself or any other. Between its commands it
    records one where a command uses what one before it writes, or writes what it uses; those are
    counted in ``barriers``. It holds all that it uses until it is dropped and its last submission
    has ended.
    """

    # (stages, accesses) of the barrier that a tape begins with; None only in a test.
    _leading: tuple[int, int] | None = (WORK, ACCESSES)

    def __init__(self, device: Device, kind: str = "tape") -> None:
        self.device = device
        self.serial = next(_serials)
        self._held: dict[int, object] = {}
        self._bound: Binding | None = None
        self._hazards = Hazards()
        self._side_by_side: Hazards | None = None
        self.barriers = 0  # between commands: without the first
        self.dispatches = 0
        self.prepared: Prepared | None = None  # built by Device at the first submit
        self._state = "new"
        with ExitStack() as undo:
            self.handle = self._create(undo)
            self.word = binding.word("VkCommandBuffer", self.handle)
            device.owner.adopt(kind, undo, self)

    def __enter__(self) -> Tape:
        if self._state != "new":
            raise DeviceError("a tape is recorded once: make a new Tape to record again")
        info = binding.struct("VkCommandBufferBeginInfo", flags=SIMULTANEOUS)
        self._call("vkBeginCommandBuffer", info)
        self._state = "recording"
        if self._leading:
            _barrier(self, *self._leading)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._state = "broken"
            return
        self._hazards.clear()
        self._call("vkEndCommandBuffer")
        self._state = "ready"

    @property
    def ready(self) -> bool:
        """Whether the tape is recorded and can be submitted."""
        return self._state == "ready"

    def dispatch(self, binding_: Binding, groups: int | tuple[int, ...], push: bytes = b"") -> None:
        """Record ``groups`` workgroups of a kernel: a number, or (x, y) or (x, y, z).

        ``push`` holds its push constants.
        """
        self._check_recording()
        sizes = groups if isinstance(groups, tuple) else (groups,)
        self._check_dispatch(binding_, sizes, push)
        self._order(binding_.reads, binding_.writes)
        kernel = binding_.kernel
        if self._bound is None or self._bound.kernel is not kernel:
            self._call("vkCmdBindPipeline", BIND_COMPUTE, kernel.pipeline)
        if self._bound is not binding_ and kernel.buffers:
            self._call(
                "vkCmdBindDescriptorSets", BIND_COMPUTE, kernel.layout, 0, 1, binding_.sets, 0, None
            )
        if push:
            data = binding.array("uint8_t[]", push)
            self._call(
                "vkCmdPushConstants", kernel.layout, binding.STAGE_COMPUTE, 0, len(push), data
            )
        self._call("vkCmdDispatch", *sizes, *[1] * (3 - len(sizes)))
        self._bound = binding_
        self.hold(binding_)
        self.dispatches += 1
        self.device.counters.recorded += 1

    def barrier(self) -> None:
        """Record that what follows sees all that was written before.

        A tape does so by itself between commands of its own that conflict.
        """
        self._check_recording()
        self._separate()

    @contextmanager
    def independent(self) -> Iterator[None]:
        """Record commands that do not wait for each other: they write words of their own.

        Of what is bound that cannot be seen. What came before the block and what comes after it is
        waited for as always.
        """
        if self._side_by_side is not None:
            raise DeviceError("independent() is not for inside another one")
        self._side_by_side = Hazards()
        try:
            yield
        finally:
            self._hazards.update(self._side_by_side)
            self._side_by_side = None

    def copy(
        self, src: Buffer, dst: Buffer, nbytes: int, src_offset: int = 0, dst_offset: int = 0
    ) -> None:
        """Record a copy of ``nbytes``; offsets are in bytes."""
        self._check_recording()
        for name, buffer, offset in (("src", src, src_offset), ("dst", dst, dst_offset)):
            self._check_span(name, buffer, offset, nbytes)
        if src is dst and abs(src_offset - dst_offset) < nbytes:
            raise ValueError("src and dst overlap in one buffer: copy through another buffer")
        region = binding.struct(
            "VkBufferCopy", srcOffset=src_offset, dstOffset=dst_offset, size=nbytes
        )
        self._order([_span(src, src_offset, nbytes)], [_span(dst, dst_offset, nbytes)])
        self._call("vkCmdCopyBuffer", src.handle, dst.handle, 1, [region])
        self.hold(src, dst)

    def fill(self, buffer: Buffer, byte: int, offset: int = 0, nbytes: int | None = None) -> None:
        """Record that ``nbytes`` from ``offset`` become ``byte``: by default all of ``buffer``.

        Raises ValueError unless both are multiples of 4, which is what Vulkan fills.
        """
        self._check_recording()
        nbytes = buffer.capacity - offset if nbytes is None else nbytes
        self._check_span("buffer", buffer, offset, nbytes)
        if offset % 4 or nbytes % 4:
            raise ValueError(
                f"offset and nbytes must be multiples of 4, got {offset} and {nbytes}:"
                " fill up to the next word"
            )
        word = int.from_bytes(bytes([byte]) * 4, "little")
        self._order([], [_span(buffer, offset, nbytes)])
        self._call("vkCmdFillBuffer", buffer.handle, offset, nbytes, word)
        self.hold(buffer)

    def hold(self, *used: object) -> None:
        """Keep these alive as long as the tape; what it records it keeps by itself.

        Holders of spans of an arena are to be kept so: else another array gets their memory.
        """
        self._held.update((id(one), one) for one in used)

    def _create(self, undo: ExitStack) -> Any:
        """Make the command buffer in a pool of its own: threads may record at the same time."""
        owner = self.device.owner
        pool_info = binding.struct("VkCommandPoolCreateInfo", queueFamilyIndex=self.device.family)
        pool = owner.create(undo, "CommandPool", pool_info)
        info = binding.struct(
            "VkCommandBufferAllocateInfo", commandPool=pool, level=0, commandBufferCount=1
        )
        return owner.call("vkAllocateCommandBuffers", owner.device, info)[0]

    def _call(self, name: str, *arguments: Any) -> None:
        self.device.owner.call(name, self.handle, *arguments)

    def _order(self, reads: Sequence[Access], writes: Sequence[Access]) -> None:
        """Let the command that comes wait for those before it that it conflicts with."""
        if self._hazards.conflict(reads, writes):
            self._separate()
        (self._side_by_side or self._hazards).add(reads, writes)

    def _separate(self) -> None:
        _barrier(self, WORK, ACCESSES)
        self._hazards.clear()
        self.barriers += 1

    def _check_recording(self) -> None:
        if self._state != "recording":
            raise DeviceError(f"record inside `with Tape(device) as tape:`; it is {self._state}")

    def _check_dispatch(self, binding_: Binding, sizes: tuple[int, ...], push: bytes) -> None:
        kernel = binding_.kernel
        if kernel.device is not self.device:
            raise ValueError(f"the kernel is for {kernel.device.name}, not {self.device.name}")
        self._check_groups(sizes)
        # Drivers crash on a dispatch whose shader's push constants were never set.
        if len(push) != kernel.push:
            raise ValueError(f"push must hold {kernel.push} bytes for this kernel, got {len(push)}")

    def _check_groups(self, sizes: tuple[int, ...]) -> None:
        if not 1 <= len(sizes) <= 3:
            raise ValueError(f"groups must have one to three dimensions, got {sizes}")
        limits = self.device.limits
        most = limits.max_groups, *limits.max_groups_beyond
        for axis, groups, limit in zip("xyz", sizes, most, strict=False):
            where = "groups" if len(sizes) == 1 else f"groups in {axis}"
            if groups < 1:
                raise ValueError(f"{where} must be at least 1, got {groups}")
            if groups > limit:
                raise DeviceLimitError(
                    f"{where} {groups} exceeds {limit} of {self.device.name}:"
                    " let each workgroup do more"
                )

    def _check_span(self, name: str, buffer: Buffer, offset: int, nbytes: int) -> None:
        if buffer.device is not self.device:
            raise ValueError(f"{name} is on {buffer.device.name}, not on {self.device.name}")
        if nbytes < 1 or offset < 0 or offset + nbytes > buffer.capacity:
            raise ValueError(
                f"{name}: bytes {offset} to {offset + nbytes} are not in its {buffer.nbytes} bytes"
            )


class LastTape(Tape):
    """What ends every submission of a device: the host sees what was written before."""

    _leading = (HOST, HOST_READ)


def _span(buffer: Buffer, offset: int, nbytes: int) -> Access:
    return buffer, offset, offset + nbytes


def _barrier(tape: Tape, stages: int, accesses: int) -> None:
    tape._call(
        "vkCmdPipelineBarrier", WORK, stages, 0, 1, [_memory_barrier(accesses)], 0, None, 0, None
    )


@cache
def _memory_barrier(accesses: int) -> Any:
    return binding.struct("VkMemoryBarrier", srcAccessMask=WRITES, dstAccessMask=accesses)
