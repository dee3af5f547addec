"""What a Vulkan backend records: the buffers of a plan's shape, and the tapes over them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from . import glsl, hyper, shaders, vk, xfloat
from .chunks import Chunks
from .gpu_history import GpuHistory
from .gpu_norm import GpuNorm
from .planning import Array, Clock, Job, Pace
from .program import Structure, program
from .schedules import SHIPPED, Constant
from .slabs import Slabs

# Invocations of a workgroup, by measurement (docs/performance.md); a software driver's are as many
# as its vectors hold.
LOCAL_SIZE_ON_HARDWARE = 64
WORKERS = {"cpu": os.cpu_count() or 1}
WORKERS_ON_HARDWARE = 256
FILL_LOCAL_SIZE = 64
# By optimizer and its states.
SHADER = {
    ("SGD",): "optim/sgd",
    ("SGD", "momentum_buffer"): "optim/sgd_momentum",
    ("Adam", "exp_avg", "exp_avg_sq"): "optim/adam",
    ("Adam", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"): "optim/adam_amsgrad",
    ("AdamW", "exp_avg", "exp_avg_sq"): "optim/adamw",
    ("AdamW", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"): "optim/adamw_amsgrad",
}


class Recorded:
    """The buffers and tapes for one shape of a plan: ``_make`` makes all of them."""

    _slabs: Slabs
    _states: tuple[str, ...]
    _lanes: int
    _window: int
    _short: int

    def __init__(self, kind: str, device: vk.Device) -> None:
        self._kind = kind
        self._device = device
        self._jobs: vk.Buffer | None = None
        self._control: Any = None  # a vk.Buffer, once a plan has asked for one
        self._history = GpuHistory(device, kind)
        # Set by a rule that has changed a number of the table.
        self.flags = device.buffer(4)

    def prepare_refills(self) -> None:
        """Record all refills that can come, for a replay must record nothing."""
        for rows in {self._short, self._window}:
            self._refill_for(rows)

    def _step_for(self, parity: int, grads: str) -> vk.Tape:
        if (parity, grads) not in self._steps:
            self._steps[parity, grads] = self._record_step(parity, grads)
        return self._steps[parity, grads]

    def _refill_for(self, rows: int) -> vk.Tape:
        if rows not in self._refills:
            self._refills[rows] = self._record_refill(rows, self._counts)
        return self._refills[rows]

    def _make(
        self,
        counts: dict[Structure, int],
        words: int,
        dealt: list[Chunks],
        clock_words: int,
        active: Sequence[bool] | None,
        plain: bool,
    ) -> None:
        """Make the buffers of a plan's shape and record its tapes."""
        device = self._device
        self._plain = plain
        self._clock = device.buffer(4 * clock_words)
        self._row_words = self._lanes * len(hyper.COLUMNS[self._kind])
        self._table = device.buffer(4 * self._row_words * self._window, fill=255)
        self._history.attach(self._clock, self._table, self._lanes, self._window)
        self._jobs = device.buffer(4 * words)
        self._chunks = [
            (device.buffer(part.table.nbytes), device.buffer(part.ranges.nbytes)) for part in dealt
        ]
        self._groups = [part.groups for part in dealt]
        self._active = active
        self._norms: dict[str, GpuNorm] = {}
        if active is not None and self._control is None:
            control = device.buffer(hyper.control().nbytes)
            control.write(hyper.control())
            self._control = control
        self._steps = {(parity, "grad"): self._record_step(parity, "grad") for parity in (0, 1)}
        self._counts = counts
        self._refills: dict[int, vk.Tape] = {}

    def _record_step(self, parity: int, grads: str) -> vk.Tape:
        with vk.Tape(self._device) as tape:
            self.record_update(tape, parity, grads)
        return tape

    def record_update(self, tape: vk.Tape, parity: int, grads: str = "grad") -> None:
        """Record a dispatch for each part of the slabs; each moves the cursor to the same row.

        ``grads`` is the slab of the gradients.
        """
        name, control = SHADER[(self._kind, *self._states)] + "_plain" * self._plain, []
        if self._active is not None:
            self._norm_of(grads, self._active).record(tape)
            name, control = f"{name}_controlled", [self._control]
        constants = {0: local_size(self._device)}
        count = len(self._states) + len(control) + 6
        kernel = self._device.kernel(shaders.spirv(name), count, push=8, constants=constants)
        push = _words(parity, self._lanes)
        for tables, slabs, groups in zip(
            self._chunks, self._slabs.parts(grads), self._groups, strict=True
        ):
            binding = kernel.bind([self._clock, self._table, *tables, *control, *slabs])
            tape.dispatch(binding, groups, push)

    def _norm_of(self, grads: str, active: Sequence[bool]) -> GpuNorm:
        if grads not in self._norms:
            shares = self._slabs.share_out(active, grads)
            self._norms[grads] = GpuNorm(shares, self._control, local_size(self._device))
        return self._norms[grads]

    def _record_refill(self, rows: int, counts: dict[Structure, int]) -> vk.Tape:
        with vk.Tape(self._device) as tape:
            self._history.record(tape)
            self._record_fills(tape, rows, counts)
        return tape

    def record_dirty_refill(self, tape: vk.Tape) -> None:
        """Record that the table is filled anew from the next step on if a rule has changed it."""
        self._history.record(tape, self.flags)
        self._record_fills(tape, self._window | hyper.ONLY_DIRTY, self._counts)

    def _record_fills(self, tape: vk.Tape, rows: int, counts: dict[Structure, int]) -> None:
        """Record a dispatch for each structure; each fills columns of its own."""
        assert self._jobs is not None
        first, columns = 0, len(hyper.COLUMNS[self._kind])
        with tape.independent():
            for structure, count in counts.items():
                kernel = self._device.kernel(
                    spirv(structure), buffers=3, push=20, constants={0: FILL_LOCAL_SIZE}
                )
                push = _words(first, count, rows, self._row_words, columns)
                groups = -(-count * (rows & ~hyper.ONLY_DIRTY) // FILL_LOCAL_SIZE)
                tape.dispatch(kernel.bind([self._clock, self._jobs, self._table]), groups, push)
                first += count * (len(hyper.JOB_WORDS) + structure.words)


def is_plain(kind: str, jobs: Sequence[Job]) -> bool:
    """Whether no lane asks for what the plain kernels leave out: each float4 would pay for it."""
    if kind != "SGD":
        return False
    spared = {hyper.COLUMNS[kind].index(name) for name in ("weight_decay", "nesterov")}
    return all(job.formula == Constant(0.0) for job in jobs if job.column in spared)


def local_size(device: vk.Device) -> int:
    """Return the invocations of a workgroup of a step."""
    software = device.info.kind == "cpu"
    return device.limits.subgroup_size if software else LOCAL_SIZE_ON_HARDWARE


@cache
def spirv(structure: Structure) -> bytes:
    """Return the SPIR-V of a structure's fill shader: shipped, or compiled and cached."""
    name = _shipped().get(structure)
    return shaders.spirv(f"schedule/{name}") if name else vk.compile_glsl(glsl.shader(structure))


@cache
def _shipped() -> dict[Structure, str]:
    return {program(formula).structure: name for name, formula in SHIPPED.items()}


def clock_words(clock: Clock, paces: Sequence[Pace]) -> Array:
    """Return the words of a clock that starts in row 0: see hyper.CLOCK_WORDS."""
    words = np.array([clock.k, clock.cycles], np.int64).view(np.uint32).tolist()
    own = [word for pace in paces for word in (pace.each, *pace.within)]
    head = [0] * hyper.CLOCK_WORDS.index("fresh") + [1]
    return np.array([*head, *words, clock.phase, len(paces[0].within), 0, *own], np.uint32)


def _words(*numbers: int) -> bytes:
    return np.array(numbers, np.uint32).tobytes()


def job_words(jobs: Sequence[Job], columns: int, paces: Sequence[Pace]) -> Array:
    """Return the records of one structure's jobs, one after the other: see hyper.JOB_WORDS."""
    first, size = len(hyper.CLOCK_WORDS), 1 + len(paces[0].within)
    places = np.array([[first + job.pace * size] for job in jobs], np.uint32)
    targets = np.array([[job.lane * columns + job.column] for job in jobs], np.uint32)
    lanes = np.array([[job.lanes] for job in jobs], np.uint32)
    k_offsets = np.array([[job.k_offset] for job in jobs], np.int64).view(np.uint32)
    t_offsets = xfloat.to_words(xfloat.from_float64(np.array([job.t_offset for job in jobs])))
    constants = np.stack([program(job.formula).constants for job in jobs])
    words = [targets, lanes, k_offsets, t_offsets, places, constants]
    return np.concatenate(words, axis=1).reshape(-1)
