"""Submission: tapes made ready to run one after the other, any number of times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import DeviceError
from . import binding

if TYPE_CHECKING:
    from .device import Device
    from .tape import Tape


class Prepared(NamedTuple):
    """A VkSubmitInfo and what it counts for. It does not hold the tapes: its user must."""

    info: Any
    pointer: Any
    dispatches: int


@dataclass(frozen=True, eq=False)
class Submission:
    """Tapes that ``Device.run`` runs; made by ``Device.submission``. It holds them."""

    device: Device
    tapes: tuple[Tape, ...]  # each once
    prepared: Prepared


def submission(device: Device, tapes: Sequence[Tape], times: int, last: Tape) -> Submission:
    """Return the submission of ``tapes``, ``times`` over, and then ``last``."""
    if times < 1:
        raise ValueError(f"times must be at least 1, got {times}")
    # Many tapes are few, again and again: what is asked of each is asked once.
    counts = Counter(tapes)
    for tape in counts:
        _check(device, tape, tapes)
    words = b"".join([tape.word for tape in tapes]) * times + last.word
    handles = binding.array_of_words("VkCommandBuffer", words)
    info = binding.struct("VkSubmitInfo", commandBufferCount=len(handles), pCommandBuffers=handles)
    dispatches = times * sum([tape.dispatches * count for tape, count in counts.items()])
    prepared = Prepared(info, binding.address(info), dispatches)
    return Submission(device, tuple(counts), prepared)


def _check(device: Device, tape: Tape, tapes: Sequence[Tape]) -> None:
    place = tapes.index(tape)
    if tape.device is not device:
        raise ValueError(f"tape {place} is for {tape.device.name}, not for {device.name}")
    if not tape.ready:
        raise DeviceError(f"tape {place} is not recorded to its end: leave its with block")
