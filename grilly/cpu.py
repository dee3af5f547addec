"""The numpy backend: the same tables and updates on the host, to the same bits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from . import backend, hyper
from .backend import Array, Clock, Plan
from .cpu_kernels import BLOCK, KERNELS
from .cpu_table import Values


class CpuBackend:
    """One optimizer on numpy. Parameters are updated where they lie, in cache-sized blocks."""

    name = "numpy"

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._kernel = KERNELS[kind]
        self._scratch = np.empty((self._kernel.scratch, BLOCK), np.float32)
        self._values = Values()
        self._slabs: dict[str, list[Array]] = {}
        self._table = np.empty((0, 0), hyper.dtype(kind))
        self._row = self._rows = 0

    def allocate(self, sizes: Sequence[int], states: Sequence[str]) -> None:
        names = ("param", "grad", *states)
        self._slabs = {name: [np.zeros(size, np.float32) for size in sizes] for name in names}

    def write(self, slab: str, tensor: int, values: Array) -> None:
        flat = np.ascontiguousarray(values, np.float32).reshape(-1)
        if slab in ("param", "grad"):
            self._slabs[slab][tensor] = flat
        else:
            self._slabs[slab][tensor][:] = flat

    def read(self, slab: str, tensor: int, out: Array) -> None:
        values = self._slabs[slab][tensor]
        if not np.may_share_memory(values, out):
            out[...] = values.reshape(out.shape)

    def plan(self, plan: Plan) -> None:
        self._plan = plan
        self._batches = backend.batches(plan.jobs)
        self._window = backend.window(plan.lanes, self._kind)
        self._table = np.zeros((self._window, plan.lanes), hyper.dtype(self._kind))

    def start(self, clock: Clock) -> None:
        self._clock = clock
        self._started = clock.k
        self._row, self._rows = 0, min(backend.SHORT_WINDOW, self._window)
        self._fill()

    def step(self) -> None:
        if self._row == self._rows:
            self._roll()
        row = self._table[self._row]
        self._part_gradients_from_parameters()
        for tensor, lane in enumerate(self._plan.lane_of):
            if lane is not None:
                self._update(row[lane], [arrays[tensor] for arrays in self._slabs.values()])
        self._row += 1

    def replay(self, steps: int) -> None:
        for _ in range(steps):
            self.step()

    def applied(self, patience: float | None = None) -> int | None:
        return self._clock.k - self._started + self._row

    def check(self) -> None:
        return  # this process always has its own memory

    def row(self) -> Array:
        if self._row == self._rows:
            self._roll()
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

    def _update(self, h: np.void, slabs: list[Array]) -> None:
        with np.errstate(all="ignore"):
            for start in range(0, slabs[0].size, BLOCK):
                blocks = [slab[start : start + BLOCK] for slab in slabs]
                self._kernel.update(h, self._scratch[:, : blocks[0].size], *blocks)

    def _roll(self) -> None:
        k, t, stride = self._clock
        self._clock = Clock(k + self._row, t + stride * self._row, stride)
        self._row, self._rows = 0, self._window
        self._fill()

    def _fill(self) -> None:
        words = self._table.view(np.float32).reshape(self._window, -1)
        columns = len(hyper.COLUMNS[self._kind])
        for structure, jobs in self._batches.items():
            targets = [job.lane * columns + job.column for job in jobs]
            words[: self._rows, targets] = self._values.rows(
                structure, jobs, self._clock, self._rows
            ).T


def _owner(array: Array) -> object:
    """Return what owns an array's memory: the last of its bases."""
    owner: object = array
    while isinstance(owner, np.ndarray) and owner.base is not None:
        owner = owner.base
    return owner
