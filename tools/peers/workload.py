"""What every peer runs: one array of weights, its gradient, an optimizer and a schedule.

A peer's module holds functions that take a Case and return a Workload. They run in the peer's own
environment, so what is imported here is numpy and the standard library.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]

RATE = 1e-3
# Longer than any run: a rate that has come to its end would be another workload.
LENGTH = 10**7
MOMENTUM = 0.9
BETAS, EPS, DECAY = (0.9, 0.999), 1e-8, 0.01

# Torch's names -> their arguments in torch and in grilly. No momentum is cycled: not all can.
SCHEDULES: dict[str, dict[str, Any]] = {
    "CosineAnnealingLR": {"T_max": LENGTH},
    "OneCycleLR": {"max_lr": RATE, "total_steps": LENGTH, "cycle_momentum": False},
    "LambdaLR": {"lr_lambda": lambda t: 1 / (1 + t / 10**5)},
}
# Their arguments, too.
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "AdamW": {"lr": RATE, "betas": BETAS, "eps": EPS, "weight_decay": DECAY},
    "SGD": {"lr": RATE, "momentum": MOMENTUM},
}


class Case(NamedTuple):
    """A key of OPTIMIZERS, a key of SCHEDULES, and the number of weights."""

    optimizer: str
    schedule: str
    size: int


class Workload(NamedTuple):
    """``run(k)`` makes k steps and waits for their end; ``weights()`` is what has come of them.

    ``about()``, asked after some steps, says what ran: versions, the device, and whatever a reader
    should know.
    """

    run: Callable[[int], object]
    weights: Callable[[], npt.ArrayLike]
    about: Callable[[], str]


def arrays(size: int) -> tuple[Float32, Float32]:
    """Return the weights and their gradient, which is the same at every step."""
    return np.full(size, 0.5, np.float32), np.linspace(-0.1, 0.1, size, dtype=np.float32)


def stepping(
    step: Callable[[], object], wait: Callable[[], object] = lambda: None
) -> Callable[[int], None]:
    """Return a run that calls ``step`` k times, then ``wait``."""

    def run(steps: int) -> None:
        for _ in range(steps):
            step()
        wait()

    return run
