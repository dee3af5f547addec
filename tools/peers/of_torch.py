"""PyTorch on the CPU, with its default number of threads."""

from __future__ import annotations

import torch
from workload import OPTIMIZERS, SCHEDULES, Case, Workload, arrays, stepping


def foreach(case: Case) -> Workload:
    """Return the form that makes an operation for all tensors at once."""
    return _workload(case, foreach=True)


def fused(case: Case) -> Workload:
    """Return the form that makes the whole update in one pass."""
    return _workload(case, fused=True)


def _workload(case: Case, **form: bool) -> Workload:
    weights, gradient = map(torch.from_numpy, arrays(case.size))
    parameter = torch.nn.Parameter(weights)
    parameter.grad = gradient
    make = getattr(torch.optim, case.optimizer)
    optimizer = make([parameter], **OPTIMIZERS[case.optimizer], **form)
    named = getattr(torch.optim.lr_scheduler, case.schedule)
    scheduler = named(optimizer, **SCHEDULES[case.schedule])

    def step() -> None:
        optimizer.step()
        scheduler.step()

    about = f"torch {torch.__version__}, {torch.get_num_threads()} threads"
    return Workload(stepping(step), weights.numpy, lambda: about)
