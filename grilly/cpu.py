"""The numpy backend: the same tables and updates on the host, to the same bits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from . import cpu_norm, cpu_threads, hyper, planning
from .cpu_kernels import BLOCK, KERNELS, Numbers, controlled, zeros
from .cpu_rules import CpuRules
from .cpu_table import Values
from .interrupt import Uninterrupted
from .kept import Kept, Shown
from .planning import NOWHERE, Array, Clock, Examined, Homes, Plan
from .resident.places import NumpyPlace
from .rules.on_device import Member
from .schedules.live import revalued

# Times as many rows as the last fill's: so a change wastes a few times what was used, at most.
GROWTH = 4
# A lane's numbers and a block of each slab.
Work: TypeAlias = "tuple[Any, list[Array]]"


class CpuBackend:
    """One optimizer on numpy. Parameters are updated where they lie, in cache-sized blocks.

    Ctrl-C does not tear a step: it waits for the end of all blocks.
    """

    name = "numpy"
    place = NumpyPlace()

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._kernel = KERNELS[kind]
        self._scratch: list[list[Array]] = []  # of each thread
        self._scratch_shape = 0, 0, 0
        self._values = Values()
        self._slabs: dict[str, list[Array]] = {}
        self._table = np.empty((0, 0), hyper.dtype(kind))
        self._numbers = Numbers(self._kernel, self._table)
        self._row = self._rows = 0
        self._kept = Kept(kind)
        self._shown: Shown = ()
        # The arrays whose memory the slabs are, and the blocks to update, while these stay.
        self._given: dict[tuple[str, int], Array | None] = {}
        self._work: list[Work] | None = None
        self._control = hyper.control()

    def allocate(self, sizes: Sequence[int], states: Sequence[str], homes: Homes = NOWHERE) -> None:
        names = ("param", "grad", *states)
        self._slabs = {name: [zeros(size) for size in sizes] for name in names}
        self._given.clear()
        self._work = None

    def write(self, slab: str, tensor: int, values: Array) -> None:
        if slab not in ("param", "grad"):
            self._slabs[slab][tensor][:] = values.reshape(-1)
        elif self._given.get((slab, tensor)) is not values:
            self._take(slab, tensor, values)

    def _take(self, slab: str, tensor: int, values: Array) -> None:
        self._work = None
        self._slabs[slab][tensor] = np.ascontiguousarray(values, np.float32).reshape(-1)
        shared = values.flags.c_contiguous and values.dtype == np.float32
        self._given[slab, tensor] = values if shared else None  # a copy is made at each step

    def give_gradients(self, given: Mapping[int, Array]) -> None:
        for tensor, values in given.items():
            self.write("grad", tensor, values)

    def at_home(self, tensor: int, memory: Array) -> bool:
        return True

    def put_gradient(self, tensor: int, values: Array) -> None:
        self.write("grad", tensor, values)

    def read(self, slab: str, tensor: int, out: Array) -> None:
        values = self._slabs[slab][tensor]
        if self._given.get((slab, tensor)) is not out and not np.may_share_memory(values, out):
            out[...] = values.reshape(out.shape)

    def plan(self, plan: Plan) -> None:
        self._keep()
        self._plan, self._shown = plan, plan.shown
        offset, words = hyper.settings(hyper.control(*plan.control or ()))
        self._control.view(np.uint32)[offset // 4 :] = words
        self._work = None
        self._make_scratch()
        self._batches = planning.batches(plan.jobs)
        self._window = planning.window(plan.lanes, self._kind, plan.period, planning.NUMPY_WINDOW)
        self._table = np.zeros((self._window, plan.lanes), hyper.dtype(self._kind))
        self._numbers = Numbers(self._kernel, self._table)

    def start(self, clock: Clock) -> None:
        self._clock = clock
        self._started = clock.k
        self._row = 0
        self._fill(self._short)

    def step(self) -> None:
        with Uninterrupted():
            if self._row == self._rows:
                self._roll(GROWTH * self._rows)
            if self._work is None:
                self._part_gradients_from_parameters()
                self._work = list(self._blocks())
            if self._plan.control is not None and not self._examine():
                return
            self._numbers.stand(self._row)
            cpu_threads.share(self._work, self._update, len(self._scratch))
            self._row += 1

    def replay(self, steps: int) -> None:
        for _ in range(steps):
            self.step()

    def applied(self, patience: float | None = None) -> int | None:
        return self._clock.k - self._started + self._row

    def rules(self, members: Sequence[Member]) -> CpuRules:
        return CpuRules(self, members)

    def set_live(self, values: dict[str, float]) -> None:
        """Give Lives other values, by token, in the table from the next step on."""
        if not self._table.size:
            return
        jobs = [
            job._replace(formula=revalued(job.formula, values))
            for batch in self._batches.values()
            for job in batch
        ]
        self._batches = planning.batches(jobs)
        self._roll(self._short)

    def examined(self) -> Examined:
        return Examined(*hyper.examined(self._control))

    def used(self, n: int, groups: int) -> Array:
        return self._kept.last(n, groups, self._table[: self._row], self._shown)

    def check(self) -> None:
        return  # this process always has its own memory

    def row(self) -> Array:
        with Uninterrupted():
            if self._row == self._rows:
                self._roll(GROWTH * self._rows)
        row: Array = self._table[self._row].copy()
        return row

    def _part_gradients_from_parameters(self) -> None:
        """Copy each gradient that may be a parameter's memory: parameters are updated in place."""
        owners = {id(_owner(p)) for p in self._slabs["param"]}
        grads = self._slabs["grad"]
        for tensor, grad in enumerate(grads):
            owner = _owner(grad)
            if id(owner) in owners or not isinstance(owner, np.ndarray):
                grads[tensor] = grad.copy()
                self._given["grad", tensor] = None

    def _examine(self) -> bool:
        """Examine all gradients of the update; return whether it is to be made."""
        lanes = self._plan.lane_of
        grads = [g for g, lane in zip(self._slabs["grad"], lanes, strict=True) if lane is not None]
        size = cpu_norm.scratch_floats(grads)
        scratch = [np.empty(size, np.float32) for _ in self._scratch]
        cpu_norm.decide(cpu_norm.examine(grads, scratch), self._control)
        return bool(self._control["applied"][0])

    def _make_scratch(self) -> None:
        """Make each thread's scratch, for the largest block that there is."""
        sizes = [p.size for p in self._slabs["param"]]
        lanes = zip(sizes, self._plan.lane_of, strict=True)
        threads = cpu_threads.wanted(sum(size for size, lane in lanes if lane is not None))
        arrays = self._kernel.scratch + (self._plan.control is not None)
        shape = threads, arrays, min(BLOCK, max(sizes, default=0))
        if shape != self._scratch_shape:
            self._scratch = [[zeros(shape[2]) for _ in range(arrays)] for _ in range(threads)]
            self._scratch_shape = shape

    def _blocks(self) -> Iterator[Work]:
        """Yield the blocks to update: a lane's numbers, and the block in each slab."""
        for lane, *arrays in zip(self._plan.lane_of, *self._slabs.values(), strict=True):
            if lane is not None:
                for start in range(0, arrays[0].size, BLOCK):
                    yield self._numbers.of[lane], [array[start : start + BLOCK] for array in arrays]

    def _update(self, thread: int, work: Work) -> None:
        h, arrays = work
        scratch, size = self._scratch[thread], arrays[0].size
        if scratch[0].size != size:
            scratch = [array[:size] for array in scratch]
        if self._plan.control is None:
            self._kernel.update(h, scratch, *arrays)
        else:
            controlled(self._kernel, self._control["coefficient"][0], h, scratch, *arrays)

    @property
    def _short(self) -> int:
        return planning.short_window(self._window, self._plan.period)

    def _roll(self, rows: int) -> None:
        self._clock = self._clock.rolled(self._row, self._plan.period)
        self._keep()
        self._fill(min(rows, self._window))

    def _keep(self) -> None:
        """Keep the rows that were used, before others take their place."""
        with Uninterrupted():
            self._kept.add(self._table[: self._row], self._shown)
            self._row = 0

    def _fill(self, rows: int) -> None:
        self._rows = rows
        words = self._table.view(np.float32).reshape(self._window, -1)
        columns = len(hyper.COLUMNS[self._kind])
        for structure, jobs in self._batches.items():
            targets = [
                lane * columns + job.column
                for job in jobs
                for lane in range(job.lane, job.lane + job.lanes)
            ]
            values = self._values.rows(structure, jobs, self._plan.paces, self._clock, rows)
            each = np.repeat(values, [job.lanes for job in jobs], axis=0)
            words[:rows, targets] = each.T
        self._numbers.take(self._table[:rows])


def _owner(array: Array) -> object:
    """Return what owns an array's memory: the last of its bases."""
    owner: object = array
    while isinstance(owner, np.ndarray) and owner.base is not None:
        owner = owner.base
    return owner
