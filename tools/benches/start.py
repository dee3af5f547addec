"""The time from an optimizer's constructor to the end of its first step, in new processes."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from itertools import pairwise

from grilly import vk

from .report import Report
from .scale import Scale

# Arguments: device, "shipped" or "compiled". Without shipped shaders every schedule is compiled.
CODE = """
import sys, time
import numpy as np
from grilly import gpu_record
from grilly.optim import AdamW
from grilly.optim.lr_scheduler import OneCycleLR
if sys.argv[2] == "compiled":
    gpu_record.SHIPPED.clear()
for _ in range(2):
    params = [np.ones(1000, np.float32) for _ in range(10)]
    start = time.perf_counter()
    optimizer = AdamW(params, device=sys.argv[1])
    OneCycleLR(optimizer, 0.1, total_steps=1000)
    optimizer.step(gradients=params)
    print(time.perf_counter() - start)
"""


def first_steps(device: str, schedules: str, cache: str) -> tuple[float, float]:
    """Return the seconds of the first step of a new process, and of a second optimizer's."""
    # The driver has a cache of its own.
    folders = {"GRILLY_CACHE": f"{cache}/grilly", "MESA_SHADER_CACHE_DIR": f"{cache}/mesa"}
    done = subprocess.run(
        [sys.executable, "-c", CODE, device, schedules],
        env={**os.environ, **folders},
        capture_output=True,
        text=True,
        check=True,
    )
    first, second = map(float, done.stdout.split())
    return first, second


def bench(device: str, name: str, schedules: str, rounds: int) -> list[str]:
    """Return the row of a device: empty caches, then the caches that this has filled."""
    cold, warm, second = [], [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="grilly-") as cache:
            cold.append(first_steps(device, schedules, cache)[0])
            first, next_ = first_steps(device, schedules, cache)
            warm.append(first)
            second.append(next_)
    figures = [f"{statistics.median(times) * 1e3:.0f}" for times in (cold, warm, second)]
    self = statistics.median(b / a for a, b in pairwise(warm))
    return [name, schedules, *figures, f"{self:.2f}"]


def show(report: Report, scale: Scale, infos: Sequence[vk.DeviceInfo]) -> None:
    """Report on starts; numpy needs no shaders."""
    rows = [bench("cpu", "numpy", "shipped", scale.rounds)]
    for info in infos:
        rows += [bench(str(info.index), info.name, kind, scale.rounds) for kind in scale.starts]
    head = ["device", "schedules' shaders", "cold", "warm", "second optimizer", "self"]
    report.section("Start")
    title = "Constructor to the end of the first step, ms (cold: empty shader caches; self: warm):"
    report.table(title, head, rows)
