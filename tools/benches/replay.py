"""A replayed training step: what it moves, the host's time, and its speed against an eager one."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from grilly import vk

from .report import Report, number
from .scale import Scale
from .timing import Run, difference, ratio, repeated, short, timed
from .workload import backend_of, halves, one_cycle, replayed, resident, scheduled

COUNTED = ("bytes_up", "bytes_down", "allocations", "submissions")
# What a replay may move: nothing, in one submission.
MOVED = (0, 0, 0, 1)
# 1000 steps later the table's next row is one of so many: then it was all there before.
STANDINGS = 32


def counts(device: vk.Device) -> tuple[int, ...]:
    """Return the counters."""
    return tuple(getattr(device.counters, name) for name in COUNTED)


class Replays:
    """Replays of one length, which count what they move."""

    def __init__(self, device: vk.Device, tape: Any, steps: int) -> None:
        self.device, self.tape, self.steps = device, tape, steps
        self.moved: tuple[int, ...] = ()  # by the last one

    def once(self) -> tuple[float, float]:
        """Return the seconds until replay() returns, and those that its thread worked.

        Raises RuntimeError if it moves more than it may.
        """
        before = counts(self.device)
        start, worked = time.perf_counter(), time.thread_time()
        self.tape.replay(self.steps)
        seconds = time.perf_counter() - start, time.thread_time() - worked
        self.moved = tuple(b - a for a, b in zip(before, counts(self.device), strict=True))
        self.tape.wait()
        if self.moved != MOVED:
            found = dict(zip(COUNTED, self.moved, strict=True))
            raise RuntimeError(f"a replay on {self.device.name} moved {found}")
        return seconds

    def rounds(self, rounds: int) -> list[tuple[float, float]]:
        """Return that of some replays, in microseconds a step."""
        scale = 1e6 / self.steps
        return [(a * scale, b * scale) for a, b in (self.once() for _ in range(rounds))]


def bench_host(info: vk.DeviceInfo, scale: Scale, report: Report) -> list[list[str]]:
    """Return the rows of the host's time; the figures are those of replays not made before."""
    optimizer = resident(info.index, halves(scale.small))
    replays = Replays(backend_of(optimizer)._device, scheduled(optimizer), scale.steps)
    # Each begins at another row of the window, so its submission is put together first.
    found = {"put together": replays.rounds(min(scale.rounds, STANDINGS))}
    replays.rounds(STANDINGS)
    found["kept"] = replays.rounds(scale.rounds)
    for name, value in zip(
        ("up", "down", "allocations", "submissions"), replays.moved, strict=True
    ):
        report.figure(name, info.name, value)
    rows = []
    for name, times in found.items():
        until, worked = (statistics.median(column) for column in zip(*times, strict=True))
        noise = statistics.median(b[0] / a[0] for a, b in pairwise(times))
        if name == "put together":
            report.figure("host", info.name, until, noise)
        cells = [f"{number(until)} us", f"{number(worked)} us", f"{noise:.2f}"]
        rows.append([info.name, name, *cells])
    return rows


def runs(info: vk.DeviceInfo, size: int, steps: int) -> dict[str, Run]:
    """Return runs of so many steps over ``size`` parameters, each with an optimizer of its own."""
    tape = scheduled(resident(info.index, halves(size)))
    found = {"replayed": replayed(tape, steps), "again": replayed(tape, steps)}
    optimizer = resident(info.index, halves(size))
    scheduler, device = one_cycle(optimizer), backend_of(optimizer)._device

    def step() -> None:
        optimizer.step()
        scheduler.step()

    def waited() -> None:
        step()
        device.wait()

    def queued() -> None:
        repeated(step, steps)()
        device.wait()

    return found | {"eager": repeated(waited, steps), "queued": queued}


def bench_eager(info: vk.DeviceInfo, size: int, scale: Scale, report: Report) -> list[str]:
    """Return the row of the eager step's time / the replayed one's."""
    steps = scale.steps_of(size, 256)
    seconds = timed(runs(info, size, steps), scale.rounds)
    eager, noise = ratio(seconds, "eager", "replayed"), ratio(seconds, "again", "replayed")
    if size == scale.small:
        report.figure("eager to replayed", info.name, eager, noise)
    extra = difference(seconds, "eager", "replayed") / steps
    queued = f"{ratio(seconds, 'queued', 'replayed'):.2f}"
    cells = [f"{eager:.2f}", queued, f"{extra * 1e6:.0f} us", f"{noise:.2f}"]
    return [info.name, short(size), *cells]


def show(report: Report, scale: Scale, infos: Sequence[vk.DeviceInfo]) -> None:
    """Report on replays."""
    report.section("Replay")
    report.say(
        f"AdamW over two groups with OneCycleLR, rate and beta1 cycled. In {scale.steps} steps "
        "a replay moves 0 bytes up, 0 down, makes 0 allocations and 1 submission: the device's "
        "counters say so at each replay, or the bench ends here."
    )
    head = ["device", "the submission is", "until replay() returns", "its thread works", "self"]
    rows = [row for info in infos for row in bench_host(info, scale, report)]
    report.table(f"The host's time a step, {short(scale.small)} parameters:", head, rows)
    head = ["device", "parameters", "waited for", "queued", "waited for, more a step", "self"]
    sizes = [scale.small, scale.large]
    rows = [bench_eager(info, size, scale, report) for info in infos for size in sizes]
    title = "step() and scheduler.step() / a replayed step, waited for at each step or at the end:"
    report.table(title, head, rows)
