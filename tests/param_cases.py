"""Curves, optimizers and a check that the tests of ParamScheduler share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from grilly.optim import SGD, Adam, AdamW
from grilly.schedules import (
    Constant,
    Cosine,
    Join,
    OneCycle,
    Polynomial,
    Product,
    Ramp,
    Schedule,
    StepDecay,
    Sum,
)

STEPS = 24
Place = str | int
# Curves of different structure; each between 0.1 and 0.9, so that they fit every number.
CURVES: list[Schedule] = [
    Cosine(high=0.9, low=0.1, period=17),
    OneCycle(ends=(5.0, 19.0), values=(0.2, 0.9, 0.1)),
    Join((Ramp(0.9, 0.2, 1.0, steps=6), StepDecay(0.9, step_size=4, gamma=0.75)), (6,)),
    Product((Ramp(0.9, 0.5, 1.0, steps=10), Cosine(high=0.9, low=0.3, period=9))),
    Polynomial(0.8, steps=40, over=40, power=1.5),
    # A float64 cannot hold it, and what it holds instead is half way between two float32.
    Sum((Constant(0.5 + 2.0**-25), Constant(2.0**-55))),
    Constant(0.3),
]
KINDS: dict[str, Any] = {"SGD": SGD, "Adam": Adam, "AdamW": AdamW}


def made(kind: str, place: Place = "cpu", groups: int = 2, **options: Any) -> Any:
    """Return an optimizer of one parameter a group."""
    options = {"momentum": 0.5, **options} if kind == "SGD" else options
    own = [{"params": [np.ones(3 + i, np.float32)]} for i in range(groups)]
    return KINDS[kind](own, device=place, **options)


def update(optimizer: Any) -> None:
    params = [p for group in optimizer.param_groups for p in group["params"]]
    optimizer.step(gradients=[np.ones(p.shape, np.float32) for p in params])


def unchanged(scheduler: Any, kind: type[Exception], match: str, call: Callable[[], Any]) -> None:
    """Check that ``call`` raises, and changes nothing."""

    def seen() -> Any:
        groups = [
            {k: v for k, v in g.items() if k != "params"} for g in scheduler.optimizer.param_groups
        ]
        return scheduler.state_dict(), scheduler.get_last(), groups

    before = seen()
    for _ in range(2):
        with pytest.raises(kind, match=match):
            call()
        assert seen() == before
