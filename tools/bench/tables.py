"""A table of a million steps of a schedule against stepping torch's CosineAnnealingLR as often."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import Any

from timing import ratio, repeated, table, timed

from grilly import vk
from grilly.schedules import (
    Cosine,
    CosineDecay,
    Exponential,
    OneCycle,
    PolynomialDecay,
    Schedule,
    StepDecay,
)

try:
    import torch
except ImportError:
    torch = None  # type: ignore[assignment]

STEPS = 10**6
STEPPED = 2 * 10**4  # of torch, and scaled
SCHEDULES: dict[str, Schedule] = {
    "Cosine, of CosineAnnealingLR": Cosine(0.1, 0.0, STEPS),
    "CosineDecay": CosineDecay(0.1, 0.0, STEPS),
    "PolynomialDecay, power 0.9": PolynomialDecay(0.1, 0.0, STEPS, 0.9),
    "Exponential": Exponential(0.1, 0.99999),
    "OneCycle": OneCycle((0.3 * STEPS - 1, STEPS - 1.0), (0.004, 0.1, 4e-7), "cos"),
    "StepDecay": StepDecay(0.1, 30_000.0, 0.5, 0.0),
}


def torch_steps() -> Callable[[], None]:
    """Return a run that steps torch's scheduler ``STEPPED`` times."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.1)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    optimizer.step()
    return repeated(scheduler.step, STEPPED)


def bench(name: str, device: Any) -> list[str]:
    """Return the row of a schedule on a device."""

    def filled() -> None:
        SCHEDULES[name].table(0, STEPS, device=device)

    runs = {"grilly": filled, "again": filled}
    if torch is not None:
        runs["torch"] = torch_steps()
    seconds = timed(runs)
    theirs = ""
    if torch is not None:
        theirs = f"{ratio(seconds, 'torch', 'grilly') * STEPS / STEPPED:.1f}"
    own = f"{statistics.median(seconds['grilly']) * 1e3:.0f} ms"
    return [name, own, theirs, f"{ratio(seconds, 'again', 'grilly'):.2f}"]


def show(infos: Sequence[vk.DeviceInfo]) -> None:
    """Print a table for numpy and for each device."""
    devices = {"numpy": "cpu", **{info.name: str(info.index) for info in infos}}
    print("\n### A table of 1e6 steps")
    head = ["schedule", "time", "CosineAnnealingLR.step() of torch, 1e6 times / it", "self"]
    for place, device in devices.items():
        table(f"On {place}:", head, [bench(name, device) for name in SCHEDULES])
