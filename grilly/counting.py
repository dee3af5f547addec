"""Counting: what a device has done, as a snapshot, and what it has done between two of them."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from .backend import on_device

if TYPE_CHECKING:
    from . import vk


@dataclass(frozen=True)
class Counters:
    """What ``device`` has done in this process, as ``counters()`` found it.

    ``after - before`` is what was done between; ``live`` is then how many more there are of each
    kind. Raises ValueError for snapshots of two devices.
    """

    device: str
    bytes_up: int = 0  # copied from the host to the device, bytes
    bytes_down: int = 0  # copied from the device to the host, bytes
    submissions: int = 0
    dispatches: int = 0  # run, so that those of a replay count each time
    waits: int = 0  # of the host for the device
    compiles: int = 0  # of GLSL in the whole process; shipped and cached shaders need none
    kernels: int = 0  # pipelines made
    allocations: int = 0  # of device memory
    live: dict[str, int] = field(default_factory=dict)  # what exists now: kind -> number

    def __sub__(self, before: Counters) -> Counters:
        if not isinstance(before, Counters):
            return NotImplemented
        if before.device != self.device:
            raise ValueError(
                f"one snapshot is of {self.device}, the other of {before.device}: subtract two of "
                "one device"
            )
        numbers = {name: getattr(self, name) - getattr(before, name) for name in NUMBERS}
        kinds = dict.fromkeys([*self.live, *before.live])
        more = {kind: self.live.get(kind, 0) - before.live.get(kind, 0) for kind in kinds}
        return Counters(self.device, **numbers, live=more)


NUMBERS = tuple(one.name for one in fields(Counters) if one.type == "int")


def counters(device: str | int = "auto") -> Counters:
    """Return what a device has done in this process, for all optimizers and arrays on it.

    ``device`` is what an optimizer takes: give the optimizer's, for "auto" may be another one.
    Nothing is waited for: what is still under way counts as submitted. A GPU that was not used yet
    is opened. ``live`` has the numbers of buffers, kernels, bindings and tapes. A device that was
    lost and opened anew counts from 0.

    On numpy all is 0 and ``live`` is empty: the arrays are the host's own, so nothing is copied,
    submitted or waited for. What must be 0 on a GPU, as the bytes of a replay, is 0 there too.

    Raises DeviceError when what was asked for by name is not there.

    >>> import numpy as np
    >>> import grilly
    >>> p = np.ones(1000, np.float32)
    >>> optimizer = grilly.optim.SGD([p], lr=0.1, device="cpu")
    >>> before = grilly.counters("cpu")
    >>> optimizer.step(gradients=[p])
    >>> done = grilly.counters("cpu") - before
    >>> done.submissions, done.bytes_up, done.live
    (0, 0, {})
    """
    return on_device(device, _counters, stacklevel=4)


def _counters(info: vk.DeviceInfo | None) -> Counters:
    if info is None:
        return Counters("numpy")
    from . import vk

    opened = vk.open_device(info)
    live = opened.live
    numbers = {name: getattr(opened.counters, name) for name in NUMBERS}
    return Counters(opened.name, **numbers, live=live)
