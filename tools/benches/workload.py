"""What is timed: optimizers over parameters that live on a device, tapes and submissions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import grilly
from grilly import gpu, optim, vk
from grilly.optim.lr_scheduler import OneCycleLR

from .timing import Run

ENDLESS = 10**7  # steps of a cycle that no run comes to the end of


def resident(
    device: str | int, groups: Sequence[Sequence[int]], kind: str = "AdamW", **options: Any
) -> optim.Optimizer:
    """Return an optimizer over parameters of these sizes, by group, with gradients, on a device."""
    made = [{"params": [parameter(size, device) for size in sizes]} for sizes in groups]
    optimizer: optim.Optimizer = getattr(optim, kind)(made, device=device, **options)
    return optimizer


def parameter(size: int, device: str | int) -> grilly.nn.Parameter:
    """Return a parameter on a device; its gradient falls on both sides of 0."""
    made = grilly.nn.Parameter(np.full(size, 0.5, np.float32), device=device)
    made.grad.copy_from(np.linspace(-0.1, 0.1, size, dtype=np.float32))
    return made


def halves(size: int) -> list[list[int]]:
    """Return the sizes of two groups of one parameter, ``size`` in all."""
    return [[size // 2], [size - size // 2]]


def one_cycle(optimizer: optim.Optimizer) -> OneCycleLR:
    """Return a scheduler that moves rate and beta1, each group's rate in a cycle of its own."""
    count = len(optimizer.param_groups)
    rates = np.linspace(1e-2, 3e-3, count).tolist()
    return OneCycleLR(optimizer, rates, total_steps=ENDLESS, cycle_momentum=True)


def recorded(*calls: Callable[[], object]) -> Any:
    """Return a tape of the calls."""
    with grilly.record() as tape:
        for call in calls:
            call()
    return tape


def scheduled(optimizer: optim.Optimizer) -> Any:
    """Return a tape of a step of the optimizer and one of its one-cycle scheduler."""
    return recorded(optimizer.step, one_cycle(optimizer).step)


def replayed(tape: Any, steps: int) -> Run:
    """Return a run that replays a tape and waits."""

    def run() -> None:
        tape.replay(steps)
        tape.wait()

    return run


def backend_of(optimizer: optim.Optimizer) -> gpu.GpuBackend:
    """Return the optimizer's backend."""
    backend = optimizer._backend
    assert isinstance(backend, gpu.GpuBackend)
    return backend


def submitted(device: vk.Device, tape: vk.Tape, times: int) -> Run:
    """Return a run that submits ``tape`` ``times`` times at once and waits."""
    submission = device.submission([tape], times)

    def run() -> None:
        device.run(submission)
        device.wait()

    return run


def bare(optimizer: optim.Optimizer, times: int = 1) -> Run:
    """Return a run of the dispatches of so many steps alone: submit, and wait.

    It is always the even step, so the cursor stays where it is: in a row that is filled.
    """
    backend = backend_of(optimizer)
    return submitted(backend._device, backend._step_for(0, "grad"), times)


def refills(optimizer: optim.Optimizer, rows: int, times: int) -> Run:
    """Return a run that moves the clock and fills so many rows of the table, ``times`` over."""
    backend = backend_of(optimizer)
    return submitted(backend._device, backend._refill_for(rows), times)
