"""The grilly 0.3.0 on PyPI: its AdamW and CosineAnnealingLR, with and without ``use_gpu``.

Its optimizers take the rate from their defaults, so its schedule has no effect; its cost is there.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

os.environ["ALLOW_CPU_VULKAN"] = "1"  # it takes software drivers only when told to

import vulkan
from workload import OPTIMIZERS, SCHEDULES, Case, Workload, arrays, stepping

_submit, _submits = vulkan.vkQueueSubmit, 0


def _counted(*arguments: Any, **named: Any) -> Any:
    global _submits
    _submits += 1
    return _submit(*arguments, **named)


vulkan.vkQueueSubmit = _counted

COUNTED = 10


def on_gpu(case: Case) -> Workload:
    """Return what it does with ``use_gpu=True``."""
    return _workload(case, use_gpu=True)


def on_cpu(case: Case) -> Workload:
    """Return what it does with ``use_gpu=False``."""
    return _workload(case, use_gpu=False)


def _workload(case: Case, use_gpu: bool) -> Workload:
    # It copies vulkan's names when it is imported, so the counter has to be there before.
    from grilly import optim
    from grilly.optim import lr_scheduler

    weights, gradient = arrays(case.size)
    make = getattr(optim, case.optimizer)
    optimizer = make([weights], **OPTIMIZERS[case.optimizer], use_gpu=use_gpu)
    scheduler = getattr(lr_scheduler, case.schedule)(optimizer, **SCHEDULES[case.schedule])
    gradients = {id(weights): gradient}

    def step() -> None:
        optimizer.step(gradients=gradients)
        scheduler.step()

    def about() -> str:
        steps = _submits_of(lambda: stepping(step)(COUNTED))
        relu = _submits_of(lambda: optimizer._get_backend().activation_relu(weights[:8]))
        counts = f"{steps} vkQueueSubmit calls in {COUNTED} steps (in a relu: {relu})"
        return f"grilly {version('grilly')}, use_gpu={use_gpu}: {counts}"

    return Workload(stepping(step), lambda: weights, about)


def _submits_of(work: Callable[[], object]) -> int:
    before = _submits
    work()
    return _submits - before
