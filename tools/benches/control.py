"""Clipping, skipping and a plateau rule on the device, against a plain replayed step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import grilly
from grilly import vk
from grilly.optim.lr_scheduler import ReduceLROnPlateau

from .report import Report
from .scale import Scale
from .timing import difference, ratio, short, timed
from .workload import halves, recorded, replayed, resident

CONTROLS: dict[str, dict[str, Any]] = {
    "max_norm": {"max_norm": 0.1},
    "skip_nonfinite": {"skip_nonfinite": True},
    "both": {"max_norm": 0.1, "skip_nonfinite": True},
}
# The metric never gets better. Each cut is small: there must be something left to cut.
PLATEAUS: dict[str, dict[str, Any]] = {
    "counts": {"patience": 10**9},
    "cuts at every 8th step": {"patience": 7, "factor": 0.9999, "eps": 0.0},
}


def bench_controls(info: vk.DeviceInfo, size: int, scale: Scale) -> list[list[str]]:
    """Return the rows of a controlled step / a plain one."""
    steps = scale.steps_of(size, 16)
    tapes = {"plain": recorded(resident(info.index, halves(size)).step)}
    for name, options in CONTROLS.items():
        tapes[name] = recorded(resident(info.index, halves(size), **options).step)
    runs = {name: replayed(tape, steps) for name, tape in tapes.items()}
    seconds = timed(runs | {"again": runs["plain"]}, scale.rounds)
    noise = f"{ratio(seconds, 'again', 'plain'):.2f}"
    return [
        [info.name, short(size), name, f"{ratio(seconds, name, 'plain'):.2f}", noise]
        for name in CONTROLS
    ]


def plateau(info: vk.DeviceInfo, size: int, settings: dict[str, Any]) -> Any:
    """Return a tape of a step and of a plateau's look at a number on the device."""
    optimizer = resident(info.index, halves(size))
    scheduler = ReduceLROnPlateau(optimizer, **settings)
    loss = grilly.device_array([1.0], device=info.index)
    return recorded(optimizer.step, lambda: scheduler.step(loss))


def bench_plateaus(info: vk.DeviceInfo, size: int, scale: Scale) -> list[list[str]]:
    """Return the rows of what a plateau costs a replayed step."""
    steps = scale.steps_of(size)
    tapes = {"plain": recorded(resident(info.index, halves(size)).step)}
    tapes |= {name: plateau(info, size, settings) for name, settings in PLATEAUS.items()}
    runs = {name: replayed(tape, steps) for name, tape in tapes.items()}
    seconds = timed(runs | {"again": runs["plain"]}, scale.rounds)
    noise = f"{ratio(seconds, 'again', 'plain'):.2f}"
    return [
        [
            info.name,
            short(size),
            name,
            f"{difference(seconds, name, 'plain') / steps * 1e6:.1f} us",
            f"{ratio(seconds, name, 'plain'):.2f}",
            noise,
        ]
        for name in PLATEAUS
    ]


def show(report: Report, scale: Scale, infos: Sequence[vk.DeviceInfo]) -> None:
    """Report on controlled steps and plateaus."""
    report.section("Clipping, skipping, plateaus")
    rows = [row for info in infos for row in bench_controls(info, scale.large, scale)]
    head = ["device", "parameters", "control", "/ plain", "self"]
    report.table("AdamW over two groups, replayed, controlled / plain:", head, rows)
    rows = [
        row
        for info in infos
        for size in (scale.small, scale.large)
        for row in bench_plateaus(info, size, scale)
    ]
    head = ["device", "parameters", "ReduceLROnPlateau", "more a step", "/ plain", "self"]
    title = "A replayed step with a plateau on a device's number / without:"
    report.table(title, head, rows)
