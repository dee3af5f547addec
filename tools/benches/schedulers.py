"""The host's time of ``scheduler.step()`` against torch's."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

import numpy as np

from grilly import vk
from grilly.optim import AdamW, lr_scheduler

from .report import Report
from .scale import Scale
from .timing import ratio, repeated, timed

try:
    import torch
except ImportError:
    torch = None  # type: ignore[assignment]

# Long enough for every round.
ARGUMENTS: dict[str, dict[str, Any]] = {
    "OneCycleLR": {"max_lr": 0.1, "total_steps": 10**6},
    "StepLR": {"step_size": 30},
    "CosineAnnealingLR": {"T_max": 10**6},
}


def grilly_scheduler(name: str, groups: int) -> Any:
    """Return grilly's scheduler over so many groups, ready to step."""
    params = [np.ones(1, np.float32) for _ in range(groups)]
    optimizer = AdamW([{"params": [p]} for p in params], device="cpu")
    scheduler = getattr(lr_scheduler, name)(optimizer, **ARGUMENTS[name])
    optimizer.step(gradients=params)
    return scheduler


def torch_scheduler(name: str, groups: int) -> Any:
    """Return torch's of the same name."""
    params = [torch.nn.Parameter(torch.ones(1)) for _ in range(groups)]
    optimizer = torch.optim.AdamW([{"params": [p]} for p in params])
    scheduler = getattr(torch.optim.lr_scheduler, name)(optimizer, **ARGUMENTS[name])
    optimizer.step()
    return scheduler


def bench(name: str, groups: int, scale: Scale) -> list[str]:
    """Return the row of a class and a number of groups."""
    times = max(5, 2 * scale.steps // groups)
    schedulers = {made: grilly_scheduler(name, groups) for made in ("grilly", "again")}
    if torch is not None:
        schedulers["torch"] = torch_scheduler(name, groups)
    runs = {made: repeated(one.step, times) for made, one in schedulers.items()}
    seconds = timed(runs, scale.rounds)
    own = statistics.median(seconds["grilly"]) / times
    theirs = f"{ratio(seconds, 'torch', 'grilly'):.2f}" if torch is not None else ""
    self = f"{ratio(seconds, 'again', 'grilly'):.2f}"
    return [name, str(groups), f"{own * 1e6:.1f} us", theirs, self]


def show(report: Report, scale: Scale, _: Sequence[vk.DeviceInfo]) -> None:
    """Report on the classes that there are."""
    names = [name for name in ARGUMENTS if hasattr(lr_scheduler, name)]
    rows = [bench(name, groups, scale) for name in names for groups in (1, scale.members)]
    head = ["class", "groups", "host time", "torch's time / grilly's", "self"]
    report.section("scheduler.step()")
    report.table("The host's time of one scheduler.step():", head, rows)
