"""Where the time of a step goes on a Vulkan device: host, driver, dispatch, barrier, kernel."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import grilly
from grilly import vk
from grilly.nn import Parameter
from grilly.optim import AdamW
from grilly.optim.lr_scheduler import OneCycleLR
from grilly.resident.ops import Add
from grilly.vk import binding

from .report import Report
from .scale import Scale
from .timing import Seconds, repeated, short, timed

F = np.float32
MANY = 256  # small dispatches in one tape
STEPS = 1000  # of a replay


class Training:
    """AdamW over two groups with OneCycleLR; the parameters live on the device, or not."""

    def __init__(self, info: vk.DeviceInfo, size: int, resident: bool = True) -> None:
        arrays = [np.full(size // 2, 0.5, F) for _ in range(2)]
        self.grads = [np.linspace(-0.1, 0.1, size // 2, dtype=F) for _ in range(2)]
        self.outs = [np.empty(size // 2, F) for _ in range(2)]
        self.params: list[Any] = arrays
        if resident:
            self.params = [Parameter(x, device=info.index) for x in arrays]
            for p, grad in zip(self.params, self.grads, strict=True):
                p.grad.copy_from(grad)
        self.optimizer = AdamW([{"params": [p]} for p in self.params], device=info.index)
        self.scheduler = OneCycleLR(self.optimizer, [1e-2, 3e-3], total_steps=10**7)
        self.backend: Any = self.optimizer._backend
        self.device: vk.Device = self.backend._device

    def step(self) -> None:
        """Step with the gradients that are on the device, and wait."""
        self.submit()
        self.device.wait()

    def submit(self) -> None:
        """Step with the gradients that are on the device."""
        self.optimizer.step()
        self.scheduler.step()


def submit_and_wait(device: vk.Device, tape: vk.Tape) -> Callable[[], None]:
    """Return a run of ``tape`` through the raw binding: submit, wait, reset the fence."""
    lib, fence = binding.load()._vulkan.lib, device.queue._new_fence()
    held, queue, handle = device._prepared((tape,)), device.queue._handle, device.owner.device

    def run() -> None:
        lib.vkQueueSubmit(queue, 1, held.info, fence[0])
        lib.vkWaitForFences(handle, 1, fence, 1, 10**10)
        lib.vkResetFences(handle, 1, fence)

    run.tape = tape  # type: ignore[attr-defined]  # lives as long
    return run


def small_tapes(device: vk.Device, index: int) -> dict[str, vk.Tape]:
    """Return an empty tape, and one of small dispatches that wait for each other or do not."""
    xs = [grilly.zeros(4, index) for _ in range(2)]
    tapes = {}
    with vk.Tape(device) as tapes["empty"]:
        pass
    with vk.Tape(device) as tapes["apart"], tapes["apart"].independent():
        for _ in range(MANY):
            Add(*xs).record(tapes["apart"])
    with vk.Tape(device) as tapes["ordered"]:
        for _ in range(MANY):
            Add(*xs).record(tapes["ordered"])
    for tape in tapes.values():
        tape.hold(*xs)
    return tapes


def submitted(device: vk.Device, submission: vk.Submission) -> Callable[[], None]:
    """Return a run of a submission that waits."""

    def run() -> None:
        device.run(submission)
        device.wait()

    return run


def median(seconds: Seconds, name: str) -> float:
    """Return the median in microseconds."""
    return statistics.median(seconds[name]) * 1e6


def host_time(run: Callable[[], object], rounds: int, times: int = 100) -> float:
    """Return the microseconds that this thread computes in a run, the waits left out."""
    found = []
    for _ in range(rounds):
        start = time.thread_time()
        repeated(run, times)()
        found.append((time.thread_time() - start) / times * 1e6)
    return statistics.median(found)


def bench_parts(info: vk.DeviceInfo, sizes: Sequence[int], scale: Scale) -> list[list[str]]:
    """Return a row for each part of a step."""
    first = Training(info, 10**3)
    for _ in range(3):
        first.step()
    bare = submit_and_wait(first.device, first.backend._steps[0, "grad"])
    python = host_time(first.step, scale.rounds) - host_time(bare, scale.rounds)
    tapes = small_tapes(first.device, info.index)
    runs = {name: submit_and_wait(first.device, tape) for name, tape in tapes.items()}
    seconds = timed({name: repeated(run, 20) for name, run in runs.items()}, scale.rounds)
    empty, apart, ordered = (median(seconds, name) / 20 for name in ("empty", "apart", "ordered"))
    dispatch, barrier = (apart - empty) / MANY, (ordered - apart) / MANY
    rows = [
        ["Python of step() and scheduler.step(), submission and wait", f"{python:.0f} us"],
        ["the driver's submission, wait and fence, nothing to do", f"{empty:.0f} us"],
        ["a dispatch of nearly nothing", f"{dispatch:.1f} us"],
        ["a barrier between two of them", f"{barrier:.1f} us"],
    ]
    for size in sizes:
        own = Training(info, size)
        own.step()
        steps = [own.backend._step_for(parity, "grad") for parity in (0, 1)]
        times = scale.steps_of(size)
        whole = submitted(own.device, own.device.submission(steps, times))
        seconds = timed({"steps": whole}, scale.rounds)
        kernel = median(seconds, "steps") / times / 2 - dispatch - barrier
        rows.append([f"AdamW's kernel, {short(size)} parameters", f"{kernel:.0f} us"])
    return rows


def show(report: Report, scale: Scale, infos: Sequence[vk.DeviceInfo]) -> None:
    """Report on where the time goes."""
    report.section("Where a step's time goes")
    for info in infos:
        rows = bench_parts(info, [size for size in scale.sizes if size <= 10**6], scale)
        report.table(f"{info.name}:", ["part", "time"], rows)
