"""Where the time of a step goes on a Vulkan device: eager and replayed, with copies and without."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from timing import ROUNDS, Seconds, ratio, repeated, short, table, timed

import grilly
from grilly import vk
from grilly.nn import Parameter
from grilly.optim import AdamW
from grilly.optim.lr_scheduler import OneCycleLR
from grilly.resident.ops import Add
from grilly.vk import binding

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

    def step_in_and_out(self) -> None:
        """Step with gradients of the host, and have the parameters there."""
        self.optimizer.step(gradients=self.grads)
        self.scheduler.step()
        for p, out in zip(self.params, self.outs, strict=True):
            if isinstance(p, Parameter):
                p.data.numpy(out=out)


def submit_and_wait(device: vk.Device, tape: vk.Tape) -> Callable[[], None]:
    """Return a run of ``tape`` through the raw binding: submit, wait, reset the fence."""
    lib, fence = binding.load()._vulkan.lib, device.queue._new_fence()
    held, queue, handle = device._prepared((tape,)), device.queue._handle, device.owner.device

    def run() -> None:
        lib.vkQueueSubmit(queue, 1, held.pointer, fence[0])
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


def host_time(run: Callable[[], object], times: int = 100) -> float:
    """Return the microseconds that this thread computes in a run, the waits left out."""
    found = []
    for _ in range(ROUNDS):
        start = time.thread_time()
        repeated(run, times)()
        found.append((time.thread_time() - start) / times * 1e6)
    return statistics.median(found)


def bench_parts(info: vk.DeviceInfo, sizes: Sequence[int]) -> list[list[str]]:
    """Return a row for each part of a step."""
    first = Training(info, 10**3)
    for _ in range(3):
        first.step()
    bare = submit_and_wait(first.device, first.backend._steps[0])
    python = host_time(first.step) - host_time(bare)
    tapes = small_tapes(first.device, info.index)
    runs = {name: submit_and_wait(first.device, tape) for name, tape in tapes.items()}
    seconds = timed({name: repeated(run, 20) for name, run in runs.items()})
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
        steps, times = own.backend._steps, max(2, min(64, 2 * 10**7 // size))
        seconds = timed({"steps": submitted(own.device, own.device.submission(steps, times))})
        kernel = median(seconds, "steps") / times / 2 - dispatch - barrier
        rows.append([f"AdamW's kernel, {short(size)} parameters", f"{kernel:.0f} us"])
    return rows


def bench_ratios(info: vk.DeviceInfo, size: int) -> list[str]:
    """Return the row of eager steps against submit-and-wait of the same dispatches."""
    eager, copies, other = (Training(info, size) for _ in range(3))
    plain = Training(info, size, resident=False)
    for training in (eager, other, copies, plain):
        training.step_in_and_out()
    bare = submit_and_wait(other.device, other.backend._steps[0])
    runs: dict[str, Callable[[], None]] = {
        "eager": eager.step,
        "copies": copies.step_in_and_out,
        "plain": plain.step_in_and_out,
        "bare": bare,
        "again": bare,
    }
    times = max(5, min(100, 10**7 // size))
    seconds = timed({name: repeated(run, times) for name, run in runs.items()})
    names = ("eager", "copies", "plain", "again")
    return [short(size), *(f"{ratio(seconds, name, 'bare'):.2f}" for name in names)]


def bench_replay(info: vk.DeviceInfo, size: int) -> list[str]:
    """Return the row of a replay: its own host time, and eager steps, queued, against it."""
    eager, replayed = Training(info, size), Training(info, size)
    with grilly.record() as tape:
        replayed.submit()
    calls = []
    for _ in range(2 * ROUNDS):
        start = time.thread_time()
        tape.replay(STEPS)
        calls.append(time.thread_time() - start)
        tape.wait()

    def queued() -> None:
        repeated(eager.submit, 100)()
        eager.device.wait()

    def again() -> None:
        tape.replay(100)
        tape.wait()

    seconds = timed({"eager": queued, "replay": again, "self": again})
    call = statistics.median(calls[ROUNDS:]) * 1e6
    figures = (ratio(seconds, "eager", "replay"), ratio(seconds, "self", "replay"))
    return [short(size), f"{call:.0f} us", *(f"{figure:.2f}" for figure in figures)]


def show(info: vk.DeviceInfo) -> None:
    """Print the tables of a device."""
    print(f"\n### Steps on {info.name}")
    table("Where a step's time goes:", ["part", "time"], bench_parts(info, (10**4, 10**6)))
    head = ["parameters", "on the device", "gradients in, parameters out", "numpy arrays", "self"]
    rows = [bench_ratios(info, size) for size in (10**4, 10**6)]
    table("AdamW's eager step and wait / submit and wait of the same dispatches:", head, rows)
    head = ["parameters", "host time of replay(1000)", "eager / replayed", "self"]
    table("A replay:", head, [bench_replay(info, 10**4)])
