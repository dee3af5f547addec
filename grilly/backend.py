"""Backends: the verbs that an optimizer says to its device, and how a device is chosen.

A backend holds one optimizer's memory: the slabs of parameters, gradients and states, and the
table of hyperparameters. Nothing above it asks which backend runs.
"""

from __future__ import annotations

import operator
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np

from .errors import DeviceError, ForkError
from .planning import NOWHERE, Array, Clock, Examined, Homes, Plan

if TYPE_CHECKING:
    from . import vk
    from .resident.places import Place
    from .rules.on_device import Member
    from .rules.packed import Held

R = TypeVar("R")


class Rules(Protocol):
    """Rules on a device: made by ``Backend.rules``, they count metrics there."""

    version: int

    def aim(self) -> None:
        """Let the values go into the backend's present plan; to be called after each plan."""

    def read(self) -> list[Held]:
        """Return what the rules hold, in their order; waits."""

    def forgive(self) -> None:
        """Forget which metrics were refused, so that the next one is told, too."""


class Backend(Protocol):
    """One optimizer's memory and kernels on one device. Arrays are float32."""

    name: str

    @property
    def place(self) -> Place:
        """The device, as its arrays see it."""

    def allocate(self, sizes: Sequence[int], states: Sequence[str], homes: Homes = NOWHERE) -> None:
        """Make slabs for "param", "grad" and ``states``: tensor i has sizes[i] elements, zeros.

        A parameter that lives on the device stays in its memory, homes[i].
        """

    def write(self, slab: str, tensor: int, values: Array) -> None:
        """Copy an array of any shape into a tensor of a slab (numpy: may keep a reference)."""

    def give_gradients(self, given: Mapping[int, Any]) -> None:
        """Take the next step's gradients, by tensor: arrays, or memory of the device.

        That memory stays as it is, wherever it is (numpy: references may be kept).
        """

    def at_home(self, tensor: int, memory: Any) -> bool:
        """Whether a gradient in ``memory`` of the device lies where an update reads it."""

    def read(self, slab: str, tensor: int, out: Array) -> None:
        """Copy a tensor of a slab into ``out``, after everything submitted has finished."""

    def plan(self, plan: Plan) -> None:
        """Upload jobs and chunks; ``start`` must follow."""

    def start(self, clock: Clock) -> None:
        """Set the clock; the table is filled anew before the next step reads it."""

    def step(self) -> None:
        """Apply one update to every tensor that is not idle, and move to the next row."""

    def replay(self, steps: int) -> None:
        """Apply ``steps`` updates with the gradients that are there, without the host."""

    def applied(self, patience: float | None = None) -> int | None:
        """Return how many updates were applied since ``start``, after all that was submitted.

        The cursor itself is asked, so it is right after any failure. None if the device is still
        at it after ``patience`` seconds.
        """

    def rules(self, members: Sequence[Member]) -> Rules:
        """Return rules that run on the device and change the table there."""

    def examined(self) -> Examined:
        """Return what the last update found; waits. The plan must have a control."""

    def used(self, n: int, groups: int) -> Array:
        """Return what the last ``n`` updates have used, (at most n, groups) of hyper.dtype(kind).

        The fields of a group of which an update changed no parameter are nan. Waits.
        """

    def check(self) -> None:
        """Raise DeviceError, saying what to do, if the device can never be used again."""

    def row(self) -> Array:
        """Return the table row that the next step will use: (lanes,) of hyper.dtype(kind)."""


def choose(device: str | int, kind: str) -> Backend:
    """Return a backend for an optimizer of ``kind`` on ``device``, which ``on_device`` explains."""
    return on_device(device, partial(_backend, kind), stacklevel=5)


def on_device(
    device: str | int, make: Callable[[vk.DeviceInfo | None], R], stacklevel: int = 4
) -> R:
    """Return ``make(info)`` for the Vulkan device that ``device`` means; of None it means numpy.

    ``device`` is "auto", "cpu" (numpy), "vulkan" (the best Vulkan device, software drivers
    included), an index into the Vulkan devices, or a part of a device's name. "auto" obeys the
    environment variable GRILLY_DEVICE, else takes a GPU, else numpy (with a RuntimeWarning if
    there is a GPU that fails to start).

    Raises DeviceError when what was asked for by name is not there.
    """
    if not isinstance(device, (str, int, np.integer)) or isinstance(device, bool):
        hint = ': use "auto"' if device is None else ""
        raise TypeError(f"device must be a name or an index, got {device!r}{hint}")
    asked = "device"
    if isinstance(device, str) and device.lower() == "auto":
        device, asked = os.environ.get("GRILLY_DEVICE") or "auto", "GRILLY_DEVICE"
    if isinstance(device, str) and device.lower() in ("cpu", "numpy"):
        return make(None)
    info = _vulkan_device(device, asked)
    if info is None:
        return make(None)
    try:
        return make(info)
    except DeviceError as problem:
        if str(device).lower() != "auto":
            raise
        words = f"{info.name} cannot be used, so numpy is used instead: {problem}"
        warnings.warn(words, RuntimeWarning, stacklevel=stacklevel)
        return make(None)


def _backend(kind: str, info: vk.DeviceInfo | None) -> Backend:
    if info is None:
        from .cpu import CpuBackend

        return CpuBackend(kind)
    from .gpu import GpuBackend

    return GpuBackend(kind, info)


_ORDER = ("discrete", "integrated", "virtual", "other", "cpu")


def _vulkan_device(wanted: str | int, asked: str) -> vk.DeviceInfo | None:
    from . import vk

    auto = isinstance(wanted, str) and wanted.lower() == "auto"
    try:
        found = sorted(vk.devices(), key=lambda info: _ORDER.index(info.kind))
    except ForkError:
        if auto:  # Vulkan hangs in a forked child, so the best there is there is numpy
            return None
        raise
    if auto:
        return next((info for info in found if info.kind in _ORDER[:3]), None)
    matches = [info for info in found if _matches(info, wanted)]
    if not matches:
        names = ", ".join(f"{info.index}: {info.name}" for info in vk.devices())
        reason = vk.devices_problem() or "none of them fits"
        raise DeviceError(
            f"{asked}={wanted!r}: no such Vulkan device ({reason}). There are: {names or 'none'}. "
            "Use 'auto', 'cpu', 'vulkan', an index, or a part of a name"
        )
    return matches[0]


def _matches(info: vk.DeviceInfo, wanted: str | int) -> bool:
    if isinstance(wanted, str) and not wanted.isdecimal():
        return wanted.lower() == "vulkan" or (wanted != "" and wanted.lower() in info.name.lower())
    return info.index == operator.index(int(wanted) if isinstance(wanted, str) else wanted)
