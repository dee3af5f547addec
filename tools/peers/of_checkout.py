"""This checkout's grilly. Another way to run it is one more function here, and its row in OURS."""

from __future__ import annotations

from typing import Any

from workload import OPTIMIZERS, SCHEDULES, Case, Workload, arrays, stepping

import grilly
from grilly import optim
from grilly.optim import lr_scheduler

LAVAPIPE, SWIFTSHADER = "llvmpipe", "SwiftShader"


def numpy_device(case: Case) -> Workload:
    """Return eager steps on numpy."""
    return _eager(case, "cpu")


def lavapipe(case: Case) -> Workload:
    """Return eager steps on Mesa's software driver, numpy arrays in and out."""
    return _eager(case, LAVAPIPE)


def lavapipe_resident(case: Case) -> Workload:
    """Return eager steps there, with weights and gradient on the device."""
    return _resident(case, LAVAPIPE)


def lavapipe_replayed(case: Case) -> Workload:
    """Return replayed steps there."""
    return _replayed(case, LAVAPIPE)


def swiftshader(case: Case) -> Workload:
    """Return eager steps on SwiftShader, numpy arrays in and out."""
    return _eager(case, SWIFTSHADER)


def swiftshader_resident(case: Case) -> Workload:
    """Return eager steps there, with weights and gradient on the device."""
    return _resident(case, SWIFTSHADER)


def swiftshader_replayed(case: Case) -> Workload:
    """Return replayed steps there."""
    return _replayed(case, SWIFTSHADER)


def _eager(case: Case, device: str) -> Workload:
    weights, gradient = arrays(case.size)
    optimizer, scheduler = _made(case, weights, device)
    gradients = [gradient]

    def step() -> None:
        optimizer.step(gradients=gradients)
        scheduler.step()

    about = _about(optimizer, "eager", "arrays in and out")
    return Workload(stepping(step), lambda: weights, lambda: about)


def _resident(case: Case, device: str) -> Workload:
    param = _on_device(case, device)
    optimizer, scheduler = _made(case, param, device)

    def step() -> None:
        optimizer.step()
        scheduler.step()

    about = _about(optimizer, "eager", "arrays on the device")
    return Workload(stepping(step, param.data.wait), param.data.numpy, lambda: about)


def _replayed(case: Case, device: str) -> Workload:
    param = _on_device(case, device)
    optimizer, scheduler = _made(case, param, device)
    with grilly.record() as tape:
        optimizer.step()
        scheduler.step()

    def run(steps: int) -> None:
        tape.replay(steps)
        tape.wait()

    about = _about(optimizer, "replayed", "arrays on the device")
    return Workload(run, param.data.numpy, lambda: about)


def _on_device(case: Case, device: str) -> grilly.nn.Parameter:
    weights, gradient = arrays(case.size)
    param = grilly.nn.Parameter(weights, device=device)
    param.grad.copy_from(gradient)
    return param


def _made(case: Case, weights: Any, device: str) -> tuple[Any, Any]:
    make = getattr(optim, case.optimizer)
    optimizer = make([weights], **OPTIMIZERS[case.optimizer], device=device)
    return optimizer, getattr(lr_scheduler, case.schedule)(optimizer, **SCHEDULES[case.schedule])


def _about(optimizer: Any, how: str, arrays: str) -> str:
    return f"grilly {grilly.__version__}, {how} on {optimizer.device}, {arrays}"
