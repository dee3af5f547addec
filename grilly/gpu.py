"""The Vulkan backend: slabs, table and cursor on a device, steps and refills as recorded tapes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from . import backend, glsl, hyper, shaders, vk, xfloat
from .backend import NOWHERE, Array, Clock, Examined, Homes, Job, Pace, Plan
from .chunks import Chunks
from .errors import DeviceLostError
from .gpu_norm import GpuNorm
from .gpu_rules import GpuRules
from .program import Structure, program
from .resident.places import VulkanPlace
from .rules.on_device import Member
from .schedules import SHIPPED
from .schedules.live import lives_in
from .slabs import Slabs

# Invocations of a workgroup and float4 of a workgroup, by measurement (docs/performance.md).
LOCAL_SIZE = {"cpu": 8}
LOCAL_SIZE_ON_HARDWARE = 64
WORKERS = {"cpu": os.cpu_count() or 1}
WORKERS_ON_HARDWARE = 256
FILL_LOCAL_SIZE = 64
ONLY_DIRTY = 1 << 31  # with the rows of a fill: see fill.glsl
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
        self.place = VulkanPlace(self._device)
        self._shape: Any = None
        self._jobs: vk.Buffer | None = None
        self._batches: dict[Structure, list[Job]] = {}
        self._running = False
        self._row = self._rows = self._parity = self._window = self._next_rows = 0
        # Set by a rule that has changed a number of the table.
        self.flags = self._device.buffer(4)
        # Changes when what tapes bind does: a tape that was recorded with another is of no use.
        self.version = 0

    def allocate(self, sizes: Sequence[int], states: Sequence[str], homes: Homes = NOWHERE) -> None:
        tensors = [homes[i].span if i in homes else size for i, size in enumerate(sizes)]
        slabs = Slabs(self._device, tensors, ("param", "grad", *states))
        # Nothing of the old memory is given up before all of the new is there.
        self._slabs, self._states, self._shape = slabs, tuple(states), None
        self.version += 1

    def write(self, slab: str, tensor: int, values: Array) -> None:
        self._settle()
        self._slabs.write(slab, tensor, values)

    def give_gradient(self, tensor: int, memory: Any) -> None:
        if self._moves(tensor, memory):
            with vk.Tape(self._device) as tape:
                self.take_gradient(tape, tensor, memory)
            self._device.submit(tape)
            self._running = True

    def take_gradient(self, tape: vk.Tape, tensor: int, memory: Any) -> None:
        """Record that a gradient comes from memory of the device, if it lies elsewhere."""
        for source, at, target, offset, nbytes in self._moves(tensor, memory):
            tape.copy(source, target, nbytes, at, offset)

    def _moves(self, tensor: int, memory: Any) -> list[tuple[vk.Buffer, int, vk.Buffer, int, int]]:
        """Return the copies that bring a gradient from ``memory`` to its slab."""
        source, start, _ = memory.span
        return [
            (source, start + first, buffer, offset, nbytes)
            for buffer, offset, first, nbytes in self._slabs.places("grad", tensor)
            if (buffer, offset) != (source, start + first)
        ]

    def read(self, slab: str, tensor: int, out: Array) -> None:
        self._settle()
        self._slabs.read(slab, tensor, out)

    def plan(self, plan: Plan) -> None:
        batches = backend.batches(plan.jobs)
        columns = len(hyper.COLUMNS[self._kind])
        jobs = [job_words(batch, columns, plan.paces) for batch in batches.values()]
        dealt = self._slabs.deal(plan.lane_of, self._of(WORKERS, WORKERS_ON_HARDWARE))
        counts = {structure: len(batch) for structure, batch in batches.items()}
        clock = len(hyper.CLOCK_WORDS) + len(plan.paces) * (1 + plan.period)
        window = backend.window(plan.lanes, self._kind, plan.period)
        deals = [(part.table.shape, part.groups) for part in dealt]
        # The norm is of the tensors that have a lane, and of these in their order.
        active = [lane is not None for lane in plan.lane_of] if plan.control else None
        shape = (plan.lanes, [*counts.items()], deals, clock, active)
        if shape != self._shape or window != self._window:
            self._shape = None  # until all is made: if the device fails, make it again
            self._lanes, self._window = plan.lanes, window
            self._make(counts, sum(map(len, jobs)), dealt, clock, active)
            self._shape = shape
            self.version += 1
        self._paces = plan.paces
        self._short = backend.short_window(window, plan.period)
        assert self._jobs is not None  # _make has made it
        self._jobs.write(np.concatenate(jobs))
        self._batches = batches
        if plan.control is not None:
            self._control.write(hyper.control(*plan.control))
        for (table, ranges), part in zip(self._chunks, dealt, strict=True):
            table.write(part.table)
            ranges.write(part.ranges)

    def start(self, clock: Clock) -> None:
        self._clock.write(clock_words(clock, self._paces))
        self._started = clock.k
        self._row = self._rows = self._parity = 0
        self._next_rows = self._short

    def step(self) -> None:
        self._running = True
        self._device.submit(*self._next_step())

    def replay(self, steps: int) -> None:
        self._running = True
        self._device.submit(*[tape for _ in range(steps) for tape in self._next_step()])

    @property
    def parity(self) -> int:
        """Which of the cursor's two words the next step reads."""
        return self._parity

    @property
    def rows_left(self) -> int:
        """The steps for which the table is filled; some more if updates were skipped."""
        return self._rows - self._row

    @property
    def standing(self) -> tuple[int, int, int, int]:
        """Where in the window the next step stands: the same standing, the same tapes."""
        return self._row, self._rows, self._parity, self._next_rows

    def stand(self, standing: tuple[int, int, int, int]) -> None:
        """Take notice of what was submitted that leads to this ``standing``."""
        self._running = True
        self._row, self._rows, self._parity, self._next_rows = standing

    def prepare_refills(self) -> None:
        """Record all refills that can come, for a replay must record nothing."""
        for parity in (0, 1):
            for rows in {self._short, self._window}:
                self._refill_for(parity, rows)

    def took(self, steps: int) -> None:
        """Take notice of steps that others than ``step`` have submitted."""
        self._running = True
        self._row += steps
        self._parity ^= steps & 1

    def applied(self, patience: float | None = None) -> int | None:
        if not self._device.wait(patience):
            return None
        words = self._clock.read(np.uint32, len(hyper.CLOCK_WORDS))
        k = int(words[2:4].view(np.int64)[0])
        return k - self._started + int(words[:2].max())  # the cursor's older word is smaller

    def examined(self) -> Examined:
        words = self._control.read(hyper.control_dtype(), 1)
        skipped = words.view(np.uint32)[4:6].view(np.uint64)
        return Examined(float(words["norm"][0]), int(skipped[0]))

    def check(self) -> None:
        if self._device.lost:
            raise DeviceLostError(
                f"{self.name} is lost, and the last update may be lost with it: make a new "
                "optimizer, and load weights and state_dict from a checkpoint"
            )
        self._device.check()

    def row(self) -> Array:
        if self._row == self._rows:
            self._device.submit(self.refill())
        size = hyper.dtype(self._kind).itemsize * self._lanes
        # The host counts otherwise where updates were skipped or a rule had the table filled.
        row = int(self._clock.read(np.uint32, 2)[self._parity])
        return self._table.read(hyper.dtype(self._kind), self._lanes, row * size)

    @property
    def jobs(self) -> vk.Buffer | None:
        """What rules write their values into: see ``live``; None before the first plan."""
        return self._jobs

    def rules(self, members: Sequence[Member]) -> GpuRules:
        return GpuRules(self, members)

    def live(self) -> dict[str, list[int]]:
        """Return, by token, at which words of ``jobs`` each Live's value stands."""
        found: dict[str, list[int]] = {}
        at = 0
        for structure, batch in self._batches.items():
            offsets = structure.offsets()
            for job in batch:
                at += len(hyper.JOB_WORDS)
                for token, label in lives_in(job.formula):
                    slot = program(job.formula).labels.index(label)
                    found.setdefault(token, []).append(at + offsets[slot])
                at += structure.words
        return found

    def _settle(self) -> None:
        """Wait, once after each submission, until the slabs are at rest."""
        if self._running:
            self._device.wait()
            self._running = False
        self._device.owner.check()

    def _next_step(self) -> list[vk.Tape]:
        tapes = [self.refill()] if self._row == self._rows else []
        tapes.append(self._steps[self._parity])
        self._row += 1
        self._parity ^= 1
        return tapes

    def refill(self) -> vk.Tape:
        """Return the tape that fills the table from the next step on; it must be submitted."""
        tape = self._refill_for(self._parity, self._next_rows)
        self._row, self._rows, self._parity = 0, self._next_rows, 0
        self._next_rows = self._window
        return tape

    def _refill_for(self, parity: int, rows: int) -> vk.Tape:
        if (parity, rows) not in self._refills:
            self._refills[parity, rows] = self._record_refill(parity, rows, self._counts)
        return self._refills[parity, rows]

    def _make(
        self,
        counts: dict[Structure, int],
        words: int,
        dealt: list[Chunks],
        clock_words: int,
        active: Sequence[bool] | None,
    ) -> None:
        """Make the buffers of a plan's shape and record its tapes."""
        device = self._device
        self._clock = device.buffer(4 * clock_words)
        self._row_words = self._lanes * len(hyper.COLUMNS[self._kind])
        self._table = device.buffer(4 * self._row_words * self._window, fill=255)
        self._jobs = device.buffer(4 * words)
        self._chunks = [
            (device.buffer(part.table.nbytes), device.buffer(part.ranges.nbytes)) for part in dealt
        ]
        self._groups = [part.groups for part in dealt]
        self._norm = None
        if active is not None:
            self._control = device.buffer(hyper.control().nbytes)
            shares = self._slabs.share_out(active)
            self._norm = GpuNorm(
                shares, self._control, self._of(LOCAL_SIZE, LOCAL_SIZE_ON_HARDWARE)
            )
        self._steps = [self._record_step(parity) for parity in (0, 1)]
        self._counts = counts
        self._refills: dict[tuple[int, int], vk.Tape] = {}

    def _record_step(self, parity: int) -> vk.Tape:
        with vk.Tape(self._device) as tape:
            self.record_update(tape, parity)
        return tape

    def record_update(self, tape: vk.Tape, parity: int) -> None:
        """Record a dispatch for each part of the slabs; each moves the cursor to the same row."""
        name, control = SHADER[(self._kind, *self._states)], []
        if self._norm is not None:
            self._norm.record(tape)
            name, control = f"{name}_controlled", [self._control]
        constants = {0: self._of(LOCAL_SIZE, LOCAL_SIZE_ON_HARDWARE)}
        count = len(self._states) + len(control) + 6
        kernel = self._device.kernel(shaders.spirv(name), count, push=8, constants=constants)
        push = _words(parity, self._lanes)
        for tables, slabs, groups in zip(
            self._chunks, self._slabs.parts(), self._groups, strict=True
        ):
            binding = kernel.bind([self._clock, self._table, *tables, *control, *slabs])
            tape.dispatch(binding, groups, push)

    def _record_refill(self, parity: int, rows: int, counts: dict[Structure, int]) -> vk.Tape:
        roll = self._device.kernel(shaders.spirv("roll"), buffers=1, push=4)
        with vk.Tape(self._device) as tape:
            tape.dispatch(roll.bind([self._clock]), 1, _words(parity))
            self._record_fills(tape, rows, counts)
        return tape

    def record_dirty_refill(self, tape: vk.Tape, parity: int) -> None:
        """Record that the table is filled anew from the next step on if a rule has changed it."""
        roll = self._device.kernel(shaders.spirv("roll_dirty"), buffers=2, push=4)
        tape.dispatch(roll.bind([self._clock, self.flags]), 1, _words(parity))
        self._record_fills(tape, self._window | ONLY_DIRTY, self._counts)

    def _record_fills(self, tape: vk.Tape, rows: int, counts: dict[Structure, int]) -> None:
        """Record a dispatch for each structure; each fills columns of its own."""
        assert self._jobs is not None
        first = 0
        with tape.independent():
            for structure, count in counts.items():
                kernel = self._device.kernel(
                    spirv(structure), buffers=3, push=16, constants={0: FILL_LOCAL_SIZE}
                )
                push = _words(first, count, rows, self._row_words)
                groups = -(-count * (rows & ~ONLY_DIRTY) // FILL_LOCAL_SIZE)
                tape.dispatch(kernel.bind([self._clock, self._jobs, self._table]), groups, push)
                first += count * (len(hyper.JOB_WORDS) + structure.words)

    def _of(self, known: dict[str, int], on_hardware: int) -> int:
        return known.get(self._device.info.kind, on_hardware)


@cache
def spirv(structure: Structure) -> bytes:
    """Return the SPIR-V of a structure's fill shader: shipped, or compiled and cached."""
    name = _shipped().get(structure)
    return shaders.spirv(f"schedule/{name}") if name else vk.compile_glsl(glsl.shader(structure))


@cache
def _shipped() -> dict[Structure, str]:
    return {program(formula).structure: name for name, formula in SHIPPED.items()}


def clock_words(clock: Clock, paces: Sequence[Pace]) -> Array:
    """Return the words of a clock that stands in row 0: see hyper.CLOCK_WORDS."""
    words = np.array([clock.k, clock.cycles], np.int64).view(np.uint32).tolist()
    own = [word for pace in paces for word in (pace.each, *pace.within)]
    return np.array([0, 0, *words, clock.phase, len(paces[0].within), 0, *own], np.uint32)


def _words(*numbers: int) -> bytes:
    return np.array(numbers, np.uint32).tobytes()


def job_words(jobs: Sequence[Job], columns: int, paces: Sequence[Pace]) -> Array:
    """Return the records of one structure's jobs, one after the other: see hyper.JOB_WORDS."""
    first, size = len(hyper.CLOCK_WORDS), 1 + len(paces[0].within)
    places = np.array([[first + job.pace * size] for job in jobs], np.uint32)
    targets = np.array([[job.lane * columns + job.column] for job in jobs], np.uint32)
    k_offsets = np.array([[job.k_offset] for job in jobs], np.int64).view(np.uint32)
    t_offsets = xfloat.to_words(xfloat.from_float64(np.array([job.t_offset for job in jobs])))
    constants = np.stack([program(job.formula).constants for job in jobs])
    return np.concatenate([targets, k_offsets, t_offsets, places, constants], axis=1).reshape(-1)
