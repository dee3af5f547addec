"""An eager step, and the scheduler's, against submitting its dispatches and waiting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from grilly import vk
from grilly.optim import AdamW

from .report import Report
from .scale import Scale
from .timing import Run, difference, ratio, repeated, short, timed
from .workload import backend_of, bare, halves, one_cycle, resident


class Eager(NamedTuple):
    """An optimizer with its scheduler, and a step of both up to its end."""

    optimizer: Any
    step: Run


def on_device(info: vk.DeviceInfo, size: int) -> Eager:
    """Return steps of parameters and gradients that live on the device."""
    optimizer = resident(info.index, halves(size))
    scheduler, device = one_cycle(optimizer), backend_of(optimizer)._device

    def step() -> None:
        optimizer.step()
        scheduler.step()
        device.wait()

    return Eager(optimizer, step)


def copied(info: vk.DeviceInfo, size: int) -> Eager:
    """Return such steps, whose gradients come from the host, and whose parameters go there."""
    optimizer, alone = on_device(info, size)
    params = [p for group in optimizer.param_groups for p in group["params"]]
    grads = [np.linspace(-0.1, 0.1, p.data.size, dtype=np.float32) for p in params]
    seen = [np.empty_like(grad) for grad in grads]

    def step() -> None:
        for p, grad in zip(params, grads, strict=True):
            p.grad.copy_from(grad)
        alone()
        for p, out in zip(params, seen, strict=True):
            p.data.numpy(out=out)

    return Eager(optimizer, step)


def on_host(info: vk.DeviceInfo, size: int) -> Eager:
    """Return steps of numpy arrays, which go to the device and come back each time."""
    params = [np.full(own, 0.5, np.float32) for (own,) in halves(size)]
    grads = [np.linspace(-0.1, 0.1, p.size, dtype=np.float32) for p in params]
    optimizer = AdamW([{"params": [p]} for p in params], device=info.index)
    scheduler = one_cycle(optimizer)
    optimizer.step(gradients=grads)
    device = backend_of(optimizer)._device

    def step() -> None:
        optimizer.step(gradients=grads)
        scheduler.step()
        device.wait()

    return Eager(optimizer, step)


# What a row calls it -> how it is made, and the figure at a large size.
WAYS: dict[str, tuple[Callable[[vk.DeviceInfo, int], Eager], str]] = {
    "device": (on_device, "eager"),
    "device, copied in and out": (copied, "eager, moved"),
    "numpy": (on_host, ""),
}


def bench(info: vk.DeviceInfo, way: str, size: int, scale: Scale, report: Report) -> list[str]:
    """Return the row of optimizer.step(), scheduler.step() and a wait / submit and wait."""
    make, goal = WAYS[way]
    optimizer, step = make(info, size)
    step()
    times = scale.steps_of(size, 20)
    alone = repeated(bare(optimizer), times)
    runs = {"eager": repeated(step, times), "bare": alone, "again": alone}
    seconds = timed(runs, scale.rounds)
    found, noise = ratio(seconds, "eager", "bare"), ratio(seconds, "again", "bare")
    if goal and size == scale.large:
        report.figure(goal, info.name, found, noise)
    extra = difference(seconds, "eager", "bare") / times
    return [info.name, way, short(size), f"{found:.2f}", f"{extra * 1e6:.0f} us", f"{noise:.2f}"]


def show(report: Report, scale: Scale, infos: Sequence[vk.DeviceInfo]) -> None:
    """Report on eager steps."""
    report.section("Eager")
    sizes = sorted({scale.small, *scale.sizes, scale.large} - {scale.huge})
    rows = [
        bench(info, way, size, scale, report) for info in infos for way in WAYS for size in sizes
    ]
    head = ["device", "arrays", "parameters", "eager / bare", "host time", "self"]
    title = (
        "AdamW over two groups with OneCycleLR: step(), scheduler.step() and a wait / its "
        "dispatches alone, prepared, by `Device.run` (vkQueueSubmit and vkWaitForFences of the "
        "C library, with arguments made before) and a wait. Copied: gradients in by copy_from(), "
        "parameters out by numpy(out=...); numpy: parameters go up as well, as the host may have "
        "changed them:"
    )
    report.table(title, head, rows)
