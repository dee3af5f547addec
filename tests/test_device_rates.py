"""Rates that the device computes: after the first steps a scheduler's step uploads nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from grilly import vk
from grilly.optim import SGD, lr_scheduler
from grilly.optim.lr_scheduler import LinearLR, SequentialLR, StepLR

STEPS = 30
# By name: how to make it, and the steps after which something goes up: a new cycle or part.
MAKES: dict[str, tuple[Any, list[int]]] = {
    "StepLR": (lambda o: StepLR(o, 4, -0.5), []),
    "ExponentialLR": (lambda o: lr_scheduler.ExponentialLR(o, 0.9), []),
    "MultiStepLR": (lambda o: lr_scheduler.MultiStepLR(o, [3, 7, 7, 20], 0.5), []),
    "ConstantLR": (lambda o: lr_scheduler.ConstantLR(o, total_iters=10), []),
    "LinearLR": (lambda o: LinearLR(o, total_iters=20), []),
    "PolynomialLR": (lambda o: lr_scheduler.PolynomialLR(o, 20, power=0.9), []),
    "restarts": (lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 7), []),
    "longer restarts": (
        lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 5, T_mult=2),
        [5, 15],
    ),
    "CyclicLR": (lambda o: lr_scheduler.CyclicLR(o, 0.1, 0.5, 4, mode="triangular2"), []),
    "SequentialLR": (
        lambda o: SequentialLR(o, [LinearLR(o, total_iters=10), StepLR(o, 4)], [10]),
        [10],
    ),
}


@pytest.mark.alike
@pytest.mark.parametrize("name", MAKES)
def test_a_step_uploads_nothing(device: vk.Device, name: str) -> None:
    make, changes = MAKES[name]
    params = [np.ones(5, np.float32), np.ones(3, np.float32)]
    groups = [{"params": [params[0]], "lr": 0.3}, {"params": [params[1]], "lr": 1.0}]
    optimizer = SGD(groups, momentum=0.9, device=device.info.index)
    scheduler = make(optimizer)
    gradients = sum(p.nbytes for p in params)
    up = []
    for _ in range(STEPS):
        before = device.counters.bytes_up
        optimizer.step(gradients=params)
        up.append(device.counters.bytes_up - before)
        scheduler.step()
    more = [t for t, size in enumerate(up) if size > min(up)]
    # The first steps lay the table; a change lays it anew, and its next step may too.
    allowed = {0, 1, 2, *changes, *(t + 1 for t in changes), *(t + 2 for t in changes)}
    assert set(more) <= allowed, (more, up)
    assert min(up) <= 4 * gradients
