"""This checkout's grilly. Another way to run it is one more function here, and its row in OURS."""

from __future__ import annotations

from workload import OPTIMIZERS, SCHEDULES, Case, Workload, arrays, stepping

import grilly
from grilly import optim
from grilly.optim import lr_scheduler


def numpy_device(case: Case) -> Workload:
    """Return eager steps on numpy."""
    return _eager(case, "cpu")


def lavapipe(case: Case) -> Workload:
    """Return eager steps on Mesa's software driver, numpy arrays in and out."""
    return _eager(case, "llvmpipe")


def swiftshader(case: Case) -> Workload:
    """Return eager steps on SwiftShader, numpy arrays in and out."""
    return _eager(case, "SwiftShader")


def _eager(case: Case, device: str) -> Workload:
    weights, gradient = arrays(case.size)
    make = getattr(optim, case.optimizer)
    optimizer = make([weights], **OPTIMIZERS[case.optimizer], device=device)
    scheduler = getattr(lr_scheduler, case.schedule)(optimizer, **SCHEDULES[case.schedule])
    gradients = [gradient]

    def step() -> None:
        optimizer.step(gradients=gradients)
        scheduler.step()

    about = f"grilly {grilly.__version__}, eager on {optimizer.device}, arrays in and out"
    return Workload(stepping(step), lambda: weights, lambda: about)
