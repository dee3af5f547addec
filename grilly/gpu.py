"""The Vulkan backend: slabs, table and cursor on a device, steps and refills as recorded tapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import backend, hyper, vk
from .backend import NOWHERE, Array, Clock, Examined, Homes, Plan
from .errors import DeviceLostError
from .gpu_record import WORKERS, WORKERS_ON_HARDWARE, Recorded, clock_words, job_words
from .resident.places import VulkanPlace
from .slabs import Slabs


class GpuBackend(Recorded):
    """One optimizer on a Vulkan device.

    Two prepared command buffers, for even and odd steps, serve every step; the table row that
    they read is the cursor's, which the kernel itself moves. A refill is a third kind.
    """

    def __init__(self, kind: str, info: vk.DeviceInfo) -> None:
        super().__init__(kind, vk.open_device(info))
        self.name = self._device.name
        self.place = VulkanPlace(self._device)
        self._shape: Any = None
        self._running = False
        self._row = self._rows = self._parity = self._window = 0
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

    def at_home(self, tensor: int, memory: Any) -> bool:
        return not self._moves(tensor, memory)

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
        self._jobs.write(np.concatenate(jobs))
        self._skips = plan.control is not None and plan.control.skip_nonfinite
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
        if self._row == self._rows:
            self._device.submit(*self._next_step())
            return
        tape = self._steps[self._parity]
        self._row += 1
        self._parity ^= 1
        self._device.submit(tape)

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
        owner = self._device.owner
        if owner.lost:
            raise DeviceLostError(
                f"{self.name} is lost, and the last update may be lost with it: make a new "
                "optimizer, and load weights and state_dict from a checkpoint"
            )
        owner.check()

    def row(self) -> Array:
        if self._row == self._rows:
            self._device.submit(self.refill())
        size = hyper.dtype(self._kind).itemsize * self._lanes
        row = int(self._clock.read(np.uint32, 2)[self._parity]) if self._skips else self._row
        return self._table.read(hyper.dtype(self._kind), self._lanes, row * size)

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
