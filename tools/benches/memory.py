"""The most memory that AdamW takes for parameters that live on a device, in new processes."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from grilly import vk

from .report import Report
from .scale import Scale
from .timing import short

CHILD = Path(__file__).with_name("memory_child.py")
A_PARAMETER = 16  # bytes: the weight, its gradient and two moments


def peak(device: str, size: int, warm: bool) -> float:
    """Return the most bytes that a process held more than before / 16 a parameter."""
    command = [sys.executable, str(CHILD), device, str(size), str(int(warm))]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.stderr.strip()}")
    base, most = map(int, done.stdout.split())
    return (most - base) / (A_PARAMETER * size)


def bench(device: str, name: str, scale: Scale, report: Report) -> list[str]:
    """Return the row of a device."""
    found = {
        warm: [peak(device, scale.huge, warm) for _ in range(scale.processes)]
        for warm in (False, True)
    }
    cold, warm = (statistics.median(peaks) for peaks in found.values())
    # The base of the goal is a process that has compiled the kernels: what the drivers take for
    # that is the same for any number of parameters.
    noise = max(found[True]) / min(found[True])
    report.figure("memory", name, warm, noise)
    return [name, short(scale.huge), f"{cold:.3f}", f"{warm:.3f}", f"{noise:.3f}"]


def show(report: Report, scale: Scale, infos: Sequence[vk.DeviceInfo]) -> None:
    """Report on memory."""
    report.section("Memory")
    devices = {"numpy": "cpu", **{info.name: str(info.index) for info in infos}}
    rows = [bench(device, name, scale, report) for name, device in devices.items()]
    head = ["device", "parameters", "peak", "peak, compiled before", "largest / smallest"]
    title = (
        "The most resident memory while AdamW with OneCycleLR steps and replays over one parameter "
        "on the device, more than with everything imported and the device open, / 16 bytes a "
        "parameter. With the drivers' compiling of the kernels, and without it, because a small "
        "optimizer was there before (the goal is about this). "
        f"Medians of {scale.processes} processes each:"
    )
    report.table(title, head, rows)
