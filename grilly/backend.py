"""Backends: the verbs that an optimizer says to its device, and how a device is chosen.

A backend holds one optimizer's memory: the slabs of parameters, gradients and states, and the
table of hyperparameters. Nothing above it asks which backend runs.
"""

from __future__ import annotations

import operator
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import count
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from . import hyper
from .errors import DeviceError, ForkError
from .kept import Shown
from .program import Structure, program
from .schedules.live import lives_in

if TYPE_CHECKING:
    from . import vk
    from .resident.places import Place
    from .rules.on_device import Member
    from .rules.packed import Held
    from .schedules import Formula

Array = np.ndarray[Any, np.dtype[Any]]
# By the number of a tensor that lives on the device, its memory there.
Homes = Mapping[int, Any]
NOWHERE: Homes = MappingProxyType({})

R = TypeVar("R")
_ordinals = count()
TABLE_BYTES = 8 << 20
WINDOW = 256
# After a change the next one may be near (a hand edit a step): the first window is kept short.
SHORT_WINDOW = 8


class Job(NamedTuple):
    """In every row, ``column`` of ``lane`` is ``formula(t_offset + moved, k + k_offset)``.

    How far t has moved by then says the plan's pace number ``pace``. The ``lanes - 1`` lanes behind
    it have the same.
    """

    lane: int
    column: int
    formula: Formula
    k_offset: int
    t_offset: float
    pace: int = 0
    lanes: int = 1


class Clock(NamedTuple):
    """Row 0 of the table: its optimizer step k, and that it is step ``phase`` of a cycle."""

    k: int
    cycles: int = 0
    phase: int = 0

    def rolled(self, rows: int, period: int) -> Clock:
        """Return the clock that many rows later."""
        turn = self.phase + rows
        return Clock(self.k + rows, self.cycles + turn // period, turn % period)


class Pace(NamedTuple):
    """How a schedule moves with the updates, which come in cycles of ``len(within)``.

    It moves by ``each`` in a cycle; by its update i it has moved by ``within[i]``.
    """

    each: int
    within: tuple[int, ...] = (0,)

    def moved(self, clock: Clock, rows: int) -> npt.NDArray[np.int64]:
        """Return how far it has moved in each of the first ``rows`` rows, (rows,)."""
        turn = clock.phase + np.arange(rows, dtype=np.int64)
        cycles = clock.cycles + turn // len(self.within)
        return cycles * self.each + np.array(self.within, np.int64)[turn % len(self.within)]

    def past(self, updates: int) -> int:
        """Return how far it has moved when so many updates have been made, and no more."""
        cycles, step = divmod(updates, len(self.within))
        return cycles * self.each + (self.within[step] if step else 0)


STAYS, MOVES = Pace(0), Pace(1)


class Control(NamedTuple):
    """What is done to an update by the norm of its gradients: clipped to, and left out if nan."""

    max_norm: float
    skip_nonfinite: bool


class Examined(NamedTuple):
    """What the last controlled update found, and how many were left out since the plan."""

    norm: float
    skipped: int
    applied: bool


@dataclass(frozen=True)
class Plan:
    """What the table holds and what is updated: tensor i by lane_of[i]; None leaves it alone.

    All paces have cycles of the same number of updates.
    """

    lanes: int
    jobs: tuple[Job, ...]
    lane_of: tuple[int | None, ...]
    paces: tuple[Pace, ...] = (STAYS,)
    control: Control | None = None
    # By group, the lane whose rows ``used`` is to show.
    shown: Shown = ()

    @property
    def period(self) -> int:
        """The number of updates in a cycle."""
        return len(self.paces[0].within)


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


def window(lanes: int, kind: str, period: int = 1) -> int:
    """Return the rows of a table that has ``lanes`` lanes: at most 256 and 8 MB, but a cycle."""
    rows = min(WINDOW, TABLE_BYTES // (lanes * hyper.dtype(kind).itemsize))
    return max(period, rows, 1)


def short_window(rows: int, period: int) -> int:
    """Return how many of a window's rows are filled after a change."""
    return min(max(SHORT_WINDOW, period), rows)


def batches(jobs: Sequence[Job]) -> dict[Structure, list[Job]]:
    """Return the jobs by structure: all of one are evaluated at once, by one dispatch.

    Equal ones of neighbouring lanes are one: of 1000 groups with rates of their own the betas, and
    what is made of them, are evaluated once.
    """
    found: dict[Structure, list[Job]] = {}
    for job in _together(jobs):
        found.setdefault(program(job.formula).structure, []).append(job)
    # In an order of their own: what was recorded for these structures must fit their next jobs.
    return {structure: found[structure] for structure in sorted(found, key=_ordinal)}


def _together(jobs: Sequence[Job]) -> list[Job]:
    found: list[Job] = []
    last: dict[int, int] = {}  # where the last job of each column is
    for job in jobs:
        at = last.setdefault(job.column, len(found))
        if at < len(found) and _goes_on(found[at], job):
            found[at] = found[at]._replace(lanes=found[at].lanes + job.lanes)
        else:
            last[job.column] = len(found)
            found.append(job)
    return found


def _goes_on(job: Job, other: Job) -> bool:
    """Whether ``other`` gives the same values as ``job`` to the lanes behind it, and always will.

    Of numbers that the device changes, each is one of its own, whatever it is now.
    """
    if job.lane + job.lanes != other.lane or job[3:6] != other[3:6]:
        return False
    same = job.formula is other.formula or _bits(job.formula) == _bits(other.formula)
    return same and not any(lives_in(job.formula)) and not any(lives_in(other.formula))


def _bits(formula: Formula) -> tuple[Structure, bytes]:
    made = program(formula)
    return made.structure, made.constants.tobytes()


@cache
def _ordinal(structure: Structure) -> int:
    """Return a number for each structure, in the order in which the process met them."""
    return next(_ordinals)


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
