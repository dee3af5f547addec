"""Ops: what a device does with its arrays, each a value that can be done now or recorded."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from . import recording
from .kept_tapes import alone, kept

if TYPE_CHECKING:
    from .. import vk
    from .array import DeviceArray
    from .places import Place


class Op(Protocol):
    """One thing to do on the device of its arrays."""

    @property
    def place(self) -> Place:
        """Where it is done."""

    def check(self) -> None:
        """Raise what the device would raise when it is to be done."""

    def on_host(self) -> None:
        """Do it in host memory."""

    def record(self, tape: vk.Tape) -> None:
        """Record it on the place's device; the tape sees to barriers."""

    def tape(self, device: vk.Device) -> vk.Tape:
        """Return a tape of it alone."""

    def again(self) -> None:
        """Do it without a tape."""


class Recorded:
    """What ops have in common: they can be done alone."""

    def check(self) -> None:
        """Nothing: what is wrong was found when it was made."""

    def again(self) -> None:
        """Do it without a tape."""
        self.place.run(self)  # type: ignore[attr-defined]

    def tape(self, device: vk.Device) -> vk.Tape:
        """Return a tape of it alone."""
        return alone(self, device)


def perform(op: Op) -> None:
    """Do ``op``, or record it if a tape is recording in this thread."""
    tape = recording.current()
    if tape is not None:
        tape.append(op)
    else:
        op.place.check()
        op.place.run(op)


@dataclass(frozen=True)
class Copy(Recorded):
    """``target`` takes the values of ``source``, of the same shape and place."""

    source: DeviceArray
    target: DeviceArray

    @property
    def place(self) -> Place:
        return self.target._place

    def on_host(self) -> None:
        self.target._memory[:] = self.source._memory

    def record(self, tape: vk.Tape) -> None:
        source, target = self.source._memory.span, self.target._memory.span
        if self.target.size and source != target:
            tape.copy(
                source.buffer, target.buffer, self.target.nbytes, source.offset, target.offset
            )

    def tape(self, device: vk.Device) -> vk.Tape:
        return kept(self, (self.target, self.source), ("copy", self.target.size), device)


@dataclass(frozen=True)
class Fill(Recorded):
    """``targets``, of one place, become all zeros."""

    targets: tuple[DeviceArray, ...]

    @property
    def place(self) -> Place:
        return self.targets[0]._place

    def on_host(self) -> None:
        for target in self.targets:
            target._memory[:] = 0

    def record(self, tape: vk.Tape) -> None:
        for target in self.targets:
            span = target._memory.span
            tape.fill(span.buffer, 0, span.offset, span.nbytes)

    def tape(self, device: vk.Device) -> vk.Tape:
        return kept(self, self.targets, "fill", device)


@dataclass(frozen=True)
class Add(Recorded):
    """``target`` takes ``target + scale * source``, each operation rounded to float32."""

    target: DeviceArray
    source: DeviceArray
    scale: float = 1.0

    LOCAL_SIZE = 64
    PER_GROUP = 4096  # floats

    def __post_init__(self) -> None:
        if self.target._place != self.source._place:
            raise ValueError(f"other is on {self.source.device}, not on {self.target.device}")
        if not isinstance(self.scale, (int, float, np.number)):
            raise TypeError(f"scale must be a number, got {self.scale!r}")
        if not np.isfinite(_float32(self.scale)):
            raise ValueError(f"scale must be a finite float32, got {self.scale!r}")

    @property
    def place(self) -> Place:
        return self.target._place

    def on_host(self) -> None:
        with np.errstate(all="ignore"):  # a device is silent too
            self.target._memory += np.float32(self.scale) * self.source._memory

    def record(self, tape: vk.Tape) -> None:
        from .. import shaders

        kernel = tape.device.kernel(shaders.spirv("resident/add"), 2, 8, {0: self.LOCAL_SIZE})
        spans = [array._memory.span for array in (self.target, self.source)]
        for start, size in parts(self.target.size, tape.device):
            own = [(at.buffer, at.offset + 4 * start, 4 * size) for at in spans]
            groups = min(-(-size // self.PER_GROUP), tape.device.limits.max_groups)
            tape.dispatch(kernel.bind(own), groups, push(size, float(self.scale)))

    def tape(self, device: vk.Device) -> vk.Tape:
        what = "add", self.target.size, _float32(self.scale).tobytes()
        return kept(self, (self.target, self.source), what, device)


def parts(size: int, device: vk.Device) -> Iterator[tuple[int, int]]:
    """Yield (start, length) in floats of what a device can bind of ``size`` floats at once.

    A part begins where a binding may, if the first one does.
    """
    most = device.limits.max_storage_range
    most -= most % max(4, device.limits.offset_alignment)
    for start in range(0, size, most // 4):
        yield start, min(most // 4, size - start)


def push(*given: Any) -> bytes:
    """Return push constants: an int as a 32-bit integer, a float as a float32."""
    return b"".join(map(_word, numbers(given)))


def _word(number: int | np.float32) -> bytes:
    if isinstance(number, np.float32):
        return number.tobytes()
    return (int(number) & 0xFFFFFFFF).to_bytes(4, "little")


def numbers(given: Iterable[Any]) -> tuple[int | np.float32, ...]:
    """Return push constants as a shader sees them: ints of 32 bits and float32.

    Raises TypeError for what is neither, ValueError for what has no such value.
    """
    return tuple(itertools.starmap(_number, enumerate(given)))


def _number(place: int, number: Any) -> int | np.float32:
    if isinstance(number, (float, np.floating)):
        if np.isinf(_float32(number)) and not np.isinf(number):
            raise ValueError(f"push[{place}] must be a float32, and {number!r} is beyond them")
        return _float32(number)
    if not isinstance(number, (int, np.integer, np.bool_)):
        raise TypeError(f"push[{place}] must be an int or a float, got {number!r}")
    if not -(2**31) <= number < 2**32:
        raise ValueError(f"push[{place}] has 32 bits, and {int(number)} needs more")
    return int(number)


def _float32(number: Any) -> np.float32:
    with np.errstate(over="ignore"):
        return np.float32(number)
