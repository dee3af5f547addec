"""An eager step, and the scheduler's, against submitting its dispatches and waiting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from grilly import vk
from grilly.optim import AdamW

from .report import Report
from .scale import Scale
from .timing import difference, ratio, repeated, short, timed
from .workload import backend_of, bare, halves, one_cycle, resident


def on_host(info: vk.DeviceInfo, size: int) -> tuple[Any, dict[str, Any]]:
    """Return an optimizer of the device over numpy arrays, and the gradients that it steps with."""
    params = [np.full(own, 0.5, np.float32) for (own,) in halves(size)]
    grads = [np.linspace(-0.1, 0.1, p.size, dtype=np.float32) for p in params]
    optimizer = AdamW([{"params": [p]} for p in params], device=info.index)
    return optimizer, {"gradients": grads}


def bench(info: vk.DeviceInfo, size: int, moved: bool, scale: Scale, report: Report) -> list[str]:
    """Return the row of optimizer.step(), scheduler.step() and a wait / submit and wait."""
    optimizer, given = on_host(info, size) if moved else (resident(info.index, halves(size)), {})
    scheduler = one_cycle(optimizer)
    optimizer.step(**given)
    device, times = backend_of(optimizer)._device, scale.steps_of(size, 20)

    def eager() -> None:
        optimizer.step(**given)
        scheduler.step()
        device.wait()

    alone = repeated(bare(optimizer), times)
    runs = {"eager": repeated(eager, times), "bare": alone, "again": alone}
    seconds = timed(runs, scale.rounds)
    found, noise = ratio(seconds, "eager", "bare"), ratio(seconds, "again", "bare")
    if size == scale.large:
        report.figure("eager, moved" if moved else "eager", info.name, found, noise)
    extra = difference(seconds, "eager", "bare") / times
    where = "host, moved" if moved else "device"
    return [info.name, where, short(size), f"{found:.2f}", f"{extra * 1e6:.0f} us", f"{noise:.2f}"]


def show(report: Report, scale: Scale, infos: Sequence[vk.DeviceInfo]) -> None:
    """Report on eager steps."""
    report.section("Eager")
    sizes = sorted({scale.small, *scale.sizes, scale.large} - {scale.huge})
    rows = [
        bench(info, size, moved, scale, report)
        for info in infos
        for moved in (False, True)
        for size in sizes
    ]
    head = ["device", "arrays", "parameters", "eager / bare", "host time", "self"]
    title = (
        "AdamW over two groups with OneCycleLR: step(), scheduler.step() and a wait / its "
        "dispatches alone, prepared, by `Device.run` (vkQueueSubmit and vkWaitForFences of the "
        "C library, with arguments made before) and a wait:"
    )
    report.table(title, head, rows)
