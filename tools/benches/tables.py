"""A table of many steps of a schedule against stepping torch's CosineAnnealingLR as often."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

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

from .report import Report
from .scale import Scale
from .timing import Run, ratio, repeated, short, timed

try:
    import torch
except ImportError:
    torch = None  # type: ignore[assignment]

STEPS = 10**6  # of a schedule
COSINE = "Cosine, of CosineAnnealingLR"
SCHEDULES: dict[str, Schedule] = {
    COSINE: Cosine(0.1, 0.0, STEPS),
    "CosineDecay": CosineDecay(0.1, 0.0, STEPS),
    "PolynomialDecay, power 0.9": PolynomialDecay(0.1, 0.0, STEPS, 0.9),
    "Exponential": Exponential(0.1, 0.99999),
    "OneCycle": OneCycle((0.3 * STEPS - 1, STEPS - 1.0), (0.004, 0.1, 4e-7), "cos"),
    "StepDecay": StepDecay(0.1, 30_000.0, 0.5, 0.0),
}


def torch_steps(times: int) -> Run:
    """Return a run that steps torch's scheduler so often."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.1)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    optimizer.step()
    return repeated(scheduler.step, times)


def bench(name: str, place: str, device: Any, scale: Scale, report: Report) -> list[str]:
    """Return the row of a schedule on a device."""

    def filled() -> None:
        SCHEDULES[name].table(0, scale.table, device=device)

    runs: dict[str, Run] = {"grilly": filled, "again": filled}
    if torch is not None:
        runs["torch"] = torch_steps(scale.stepped)
    seconds = timed(runs, scale.rounds)
    theirs, noise = "", ratio(seconds, "again", "grilly")
    if torch is not None:
        found = ratio(seconds, "torch", "grilly") * scale.table / scale.stepped
        theirs = f"{found:.1f}"
        if name == COSINE:
            report.figure("table", place, found, noise)
    own = f"{statistics.median(seconds['grilly']) * 1e3:.0f} ms"
    return [name, own, theirs, f"{noise:.2f}"]


def show(report: Report, scale: Scale, infos: Sequence[vk.DeviceInfo]) -> None:
    """Report on tables of numpy and of each device."""
    devices = {"numpy": "cpu", **{info.name: str(info.index) for info in infos}}
    steps = short(scale.table)
    report.section(f"A table of {steps} steps")
    head = ["schedule", "time", f"CosineAnnealingLR.step() of torch, {steps} times / it", "self"]
    for place, device in devices.items():
        rows = [bench(name, place, device, scale, report) for name in SCHEDULES]
        report.table(f"On {place}:", head, rows)
