"""The Vulkan backend: slabs, table and cursor on a device, steps and refills as recorded tapes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from . import backend, glsl, hyper, shaders, vk, xfloat
from .backend import Array, Clock, Job, Plan
from .chunks import Chunks
from .errors import DeviceLostError
from .program import Structure, program
from .schedules import SHIPPED
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


class GpuBackend:
    """One optimizer on a Vulkan device.

    Two prepared command buffers, for even and odd steps, serve every step; the table row that
    they read is the cursor's, which the kernel itself moves. A refill is a third kind.
    """

    def __init__(self, kind: str, info: vk.DeviceInfo) -> None:
        self._kind = kind
        self._device = vk.open_device(info)
        self.name = self._device.name
        self._clock = self._device.buffer(4 * len(hyper.CLOCK_WORDS))
        self._shape: Any = None
        self._running = False
        self._row = self._rows = self._parity = 0

    def allocate(self, sizes: Sequence[int], states: Sequence[str]) -> None:
        slabs = Slabs(self._device, sizes, ("param", "grad", *states))
        # Nothing of the old memory is given up before all of the new is there.
        self._slabs, self._states, self._shape = slabs, tuple(states), None

    def write(self, slab: str, tensor: int, values: Array) -> None:
        self._settle()
        self._slabs.write(slab, tensor, values)

    def read(self, slab: str, tensor: int, out: Array) -> None:
        self._settle()
        self._slabs.read(slab, tensor, out)

    def plan(self, plan: Plan) -> None:
        batches = backend.batches(plan.jobs)
        columns = len(hyper.COLUMNS[self._kind])
        jobs = [job_words(batch, columns) for batch in batches.values()]
        workers = WORKERS.get(self._device.info.kind, WORKERS_ON_HARDWARE)
        dealt = self._slabs.deal(plan.lane_of, workers)
        counts = {structure: len(batch) for structure, batch in batches.items()}
        shape = (plan.lanes, [*counts.items()], [(d.table.shape, d.groups) for d in dealt])
        if shape != self._shape:
            self._shape = None  # until all is made: if the device fails, make it again
            self._make(plan.lanes, counts, sum(map(len, jobs)), dealt)
            self._shape = shape
        self._jobs.write(np.concatenate(jobs))
        for (table, ranges), part in zip(self._chunks, dealt, strict=True):
            table.write(part.table)
            ranges.write(part.ranges)

    def start(self, clock: Clock) -> None:
        self._clock.write(clock_words(clock))
        self._started = clock.k
        self._row = self._rows = self._parity = 0
        self._next_rows = min(backend.SHORT_WINDOW, self._window)

    def step(self) -> None:
        self._running = True
        self._device.submit(*self._next_step())

    def replay(self, steps: int) -> None:
        self._running = True
        self._device.submit(*[tape for _ in range(steps) for tape in self._next_step()])

    def applied(self, patience: float | None = None) -> int | None:
        if not self._device.wait(patience):
            return None
        words = self._clock.read(np.uint32, len(hyper.CLOCK_WORDS))
        k = int(words[2:4].view(np.int64)[0])
        return k - self._started + int(words[:2].max())  # the cursor's older word is smaller

    def check(self) -> None:
        if self._device.lost:
            raise DeviceLostError(
                f"{self.name} is lost, and the last update may be lost with it: make a new "
                "optimizer, and load weights and state_dict from a checkpoint"
            )
        self._device.check()

    def row(self) -> Array:
        if self._row == self._rows:
            self._device.submit(self._refill())
        size = hyper.dtype(self._kind).itemsize * self._lanes
        return self._table.read(hyper.dtype(self._kind), self._lanes, self._row * size)

    def _settle(self) -> None:
        """Wait, once after each submission, until the slabs are at rest."""
        if self._running:
            self._device.wait()
            self._running = False
        self._device.owner.check()

    def _next_step(self) -> list[vk.Tape]:
        tapes = [self._refill()] if self._row == self._rows else []
        tapes.append(self._steps[self._parity])
        self._row += 1
        self._parity ^= 1
        return tapes

    def _refill(self) -> vk.Tape:
        tape = self._refills[self._parity, self._next_rows]
        self._row, self._rows, self._parity = 0, self._next_rows, 0
        self._next_rows = self._window
        return tape

    def _make(
        self, lanes: int, counts: dict[Structure, int], words: int, dealt: list[Chunks]
    ) -> None:
        """Make the buffers of a plan's shape and record its tapes."""
        device = self._device
        self._lanes, self._window = lanes, backend.window(lanes, self._kind)
        self._row_words = lanes * len(hyper.COLUMNS[self._kind])
        self._table = device.buffer(4 * self._row_words * self._window, fill=255)
        self._jobs = device.buffer(4 * words)
        self._chunks = [
            (device.buffer(part.table.nbytes), device.buffer(part.ranges.nbytes)) for part in dealt
        ]
        self._steps = [self._record_step(parity, dealt) for parity in (0, 1)]
        short = min(backend.SHORT_WINDOW, self._window)
        self._refills = {
            (parity, rows): self._record_refill(parity, rows, counts)
            for parity in (0, 1)
            for rows in {short, self._window}
        }

    def _record_step(self, parity: int, dealt: list[Chunks]) -> vk.Tape:
        """Record a dispatch for each part of the slabs; each moves the cursor to the same row."""
        code = shaders.spirv(SHADER[(self._kind, *self._states)])
        constants = {0: local_size(self._device)}
        kernel = self._device.kernel(code, len(self._states) + 6, push=8, constants=constants)
        push = _words(parity, self._lanes)
        parts = zip(self._chunks, self._slabs.parts(), dealt, strict=True)
        with vk.Tape(self._device) as tape:
            for place, (tables, slabs, part) in enumerate(parts):
                if place:
                    tape.barrier()  # the one before has written the cursor's next word too
                binding = kernel.bind([self._clock, self._table, *tables, *slabs])
                tape.dispatch(binding, part.groups, push)
        return tape

    def _record_refill(self, parity: int, rows: int, counts: dict[Structure, int]) -> vk.Tape:
        roll = self._device.kernel(shaders.spirv("roll"), buffers=1, push=4)
        with vk.Tape(self._device) as tape:
            tape.dispatch(roll.bind([self._clock]), 1, _words(parity))
            tape.barrier()
            first = 0
            for structure, count in counts.items():
                kernel = self._device.kernel(
                    spirv(structure), buffers=3, push=16, constants={0: FILL_LOCAL_SIZE}
                )
                push = _words(first, count, rows, self._row_words)
                groups = -(-count * rows // FILL_LOCAL_SIZE)
                tape.dispatch(kernel.bind([self._clock, self._jobs, self._table]), groups, push)
                first += count * (len(hyper.JOB_WORDS) + structure.words)
        return tape


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


def clock_words(clock: Clock) -> Array:
    """Return the words of a clock that stands in row 0: see hyper.CLOCK_WORDS."""
    words = np.array([clock.k, clock.t], np.int64).view(np.uint32).tolist()
    return np.array([0, 0, *words, clock.stride], np.uint32)


def _words(*numbers: int) -> bytes:
    return np.array(numbers, np.uint32).tobytes()


def job_words(jobs: Sequence[Job], columns: int) -> Array:
    """Return the records of one structure's jobs, one after the other: see hyper.JOB_WORDS."""
    targets = np.array([[job.lane * columns + job.column] for job in jobs], np.uint32)
    k_offsets = np.array([[job.k_offset] for job in jobs], np.int64).view(np.uint32)
    t_offsets = xfloat.to_words(xfloat.from_float64(np.array([job.t_offset for job in jobs])))
    constants = np.stack([program(job.formula).constants for job in jobs])
    return np.concatenate([targets, k_offsets, t_offsets, constants], axis=1).reshape(-1)
