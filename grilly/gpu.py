"""The Vulkan backend: slabs, table and cursor on a device, steps and refills as recorded tapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from . import hyper, planning, vk
from .errors import DeviceLostError
from .gpu_record import WORKERS, WORKERS_ON_HARDWARE, Recorded, clock_words, is_plain, job_words
from .gpu_rules import GpuRules
from .planning import NOWHERE, Array, Clock, Examined, Homes, Job, Plan
from .program import Structure, program
from .resident.places import VulkanPlace
from .rules.on_device import Member
from .schedules.live import lives_in
from .slabs import GUESTS, Slabs


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
        self._batches: dict[Structure, list[Job]] = {}
        self._running = False
        self._row = self._rows = self._parity = self._window = self._next_rows = 0
        self._grads = "grad"  # the slab that has the gradients of the next step
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

    def give_gradients(self, given: Mapping[int, Any]) -> None:
        self._grads = self._room_for(given)
        for tensor, values in given.items():
            if isinstance(values, np.ndarray):
                self.write(self._grads, tensor, values)
        memories = {i: own for i, own in given.items() if not isinstance(own, np.ndarray)}
        if any(self._copies(self._grads, i, own) for i, own in memories.items()):
            with vk.Tape(self._device) as tape:
                self._record_copies(tape, self._grads, memories)
            self._device.submit(tape)
            self._running = True

    def at_home(self, tensor: int, memory: Any) -> bool:
        return not self._copies("grad", tensor, memory)

    def put_gradient(self, tensor: int, values: Array) -> None:
        self.write(self._grads, tensor, values)

    def record_gradients(self, tape: vk.Tape, memories: Mapping[int, Any]) -> str:
        """Record that gradients come from memory of the device; return their slab."""
        slab = self._room_for(memories)
        self._record_copies(tape, slab, memories)
        return slab

    def _room_for(self, given: Mapping[int, Any]) -> str:
        """Return the slab for these gradients: where they are, if all of them are at home."""
        at_home = not any(
            isinstance(own, np.ndarray) or self._copies("grad", i, own)
            for i, own in given.items()
            if self._slabs.resident(i)
        )
        if not at_home:
            self._slabs.host_guests()
        return "grad" if at_home else GUESTS

    def _record_copies(self, tape: vk.Tape, slab: str, memories: Mapping[int, Any]) -> None:
        for tensor, memory in memories.items():
            for source, at, target, offset, nbytes in self._copies(slab, tensor, memory):
                tape.copy(source, target, nbytes, at, offset)

    def _copies(
        self, slab: str, tensor: int, memory: Any
    ) -> list[tuple[vk.Buffer, int, vk.Buffer, int, int]]:
        """Return the copies that bring a gradient from ``memory`` to a slab."""
        source, start, _ = memory.span
        return [
            (source, start + first, buffer, offset, nbytes)
            for buffer, offset, first, nbytes in self._slabs.places(slab, tensor)
            if (buffer, offset) != (source, start + first)
        ]

    def read(self, slab: str, tensor: int, out: Array) -> None:
        self._settle()
        self._slabs.read(slab, tensor, out)

    def plan(self, plan: Plan) -> None:
        batches = planning.batches(plan.jobs)
        columns = len(hyper.COLUMNS[self._kind])
        jobs = [job_words(batch, columns, plan.paces) for batch in batches.values()]
        workers = WORKERS.get(self._device.info.kind, WORKERS_ON_HARDWARE)
        dealt = self._slabs.deal(plan.lane_of, workers)
        counts = {structure: len(batch) for structure, batch in batches.items()}
        clock = len(hyper.CLOCK_WORDS) + len(plan.paces) * (1 + plan.period)
        window = planning.window(plan.lanes, self._kind, plan.period, planning.WINDOW)
        deals = [(part.table.shape, part.groups) for part in dealt]
        # The norm is of the tensors that have a lane, and of these in their order.
        active = [lane is not None for lane in plan.lane_of] if plan.control else None
        plain = is_plain(self._kind, plan.jobs)
        shape = (plan.lanes, [*counts.items()], deals, clock, active, plain)
        same = shape == self._shape and window == self._window
        self._history.keep(plan.shown, same)
        if not same:
            self._shape = None  # until all is made: if the device fails, make it again
            self._lanes, self._window = plan.lanes, window
            self._make(counts, sum(map(len, jobs)), dealt, clock, active, plain)
            self._shape = shape
            self.version += 1
        self._paces = plan.paces
        self._short = planning.short_window(window, plan.period)
        assert self._jobs is not None  # _make has made it
        self._jobs.write(np.concatenate(jobs))
        self._batches = batches
        if plan.control is not None:
            offset, words = hyper.settings(hyper.control(*plan.control))
            self._control.write(words, offset)
        for (table, ranges), part in zip(self._chunks, dealt, strict=True):
            table.write(part.table)
            ranges.write(part.ranges)

    def start(self, clock: Clock) -> None:
        self._history.start(clock_words(clock, self._paces))
        self._started = clock.k
        self._row = self._rows = self._parity = 0
        self._next_rows = self._short

    def step(self) -> None:
        self._running = True
        if self._row == self._rows:
            self._device.submit(*self._next_step())
            return
        tape = self._step_for(self._parity, self._grads)
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
        at = hyper.cursor(self._clock.read(np.uint32, len(hyper.CLOCK_WORDS)))
        return at.k - self._started + (0 if at.fresh else at.used)

    def examined(self) -> Examined:
        return Examined(*hyper.examined(self._control.read(hyper.control_dtype(), 1)))

    def used(self, n: int, groups: int) -> Array:
        return self._history.last(n, groups)

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
        tapes.append(self._step_for(self._parity, self._grads))
        self._row += 1
        self._parity ^= 1
        return tapes

    def refill(self) -> vk.Tape:
        """Return the tape that fills the table from the next step on; it must be submitted."""
        tape = self._refill_for(self._next_rows)
        self._row, self._rows, self._parity = 0, self._next_rows, 0
        self._next_rows = self._window
        return tape
