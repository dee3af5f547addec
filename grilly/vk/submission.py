"""Submission: tapes made ready to run one after the other, any number of times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from ..errors import DeviceError
from . import binding

if TYPE_CHECKING:
    from .device import Device
    from .tape import Tape


# Tapes, and how many times they are run one after the other.
Run: TypeAlias = "tuple[Sequence[Tape], int]"


class Prepared(NamedTuple):
    """A pointer to a VkSubmitInfo, what it points to, and the dispatches that it counts for.

    It does not hold the tapes: its user must.
    """

    info: Any
    handles: Any
    dispatches: int


@dataclass(frozen=True, eq=False)
class Submission:
    """Tapes that ``Device.run`` runs; made by ``Device.submission``. It holds them."""

    device: Device
    tapes: tuple[Tape, ...]  # each once
    prepared: Prepared


def submission(device: Device, runs: Sequence[Run], last: Tape) -> Submission:
    """Return the submission of ``runs``, each some tapes so many times over, and then ``last``."""
    known: dict[Tape, None] = {}
    words, dispatches = [], 0
    for tapes, times in runs:
        if times < 1:
            raise ValueError(f"times must be at least 1, got {times}")
        # Many tapes are few, again and again: what is asked of each is asked once.
        for tape in dict.fromkeys(tapes):
            if tape not in known:
                _check(device, tape, tapes)
                known[tape] = None
        dispatches += times * sum([tape.dispatches for tape in tapes])
        words.append(b"".join([tape.word for tape in tapes]) * times)
    handles = binding.array_of_words("VkCommandBuffer", b"".join(words) + last.word)
    info = binding.submit_info(handles)
    return Submission(device, tuple(known), Prepared(info, handles, dispatches))


def _check(device: Device, tape: Tape, tapes: Sequence[Tape]) -> None:
    place = tapes.index(tape)
    if tape.device is not device:
        raise ValueError(f"tape {place} is for {tape.device.name}, not for {device.name}")
    if not tape.ready:
        raise DeviceError(f"tape {place} is not recorded to its end: leave its with block")
