"""What a schedule costs in a replay: the refills' share, and the whole against constant numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from grilly import vk

from .report import Report
from .scale import Scale
from .timing import Seconds, ratio, short, timed
from .workload import backend_of, bare, halves, recorded, refills, replayed, resident, scheduled

REFILLS = 4  # of a run


def bench_share(info: vk.DeviceInfo, size: int, scale: Scale, report: Report) -> list[str]:
    """Return the row of the time of roll and fill / (window x step)."""
    optimizer = resident(info.index, halves(size))
    scheduled(optimizer)
    rows, steps = backend_of(optimizer)._window, scale.steps_of(size)
    refill = refills(optimizer, rows, REFILLS)
    runs = {"refill": refill, "step": bare(optimizer, steps), "again": refill}
    seconds = timed(runs, scale.rounds)
    share = ratio(seconds, "refill", "step") * steps / REFILLS / rows
    noise = ratio(seconds, "again", "refill")
    if size == scale.large:
        report.figure("share", info.name, share, noise)
    return [info.name, short(size), str(rows), f"{share:.4f}", f"{noise:.2f}"]


class Whole(NamedTuple):
    """The seconds of runs, and of how many steps each is."""

    seconds: Seconds
    steps: dict[str, int]

    def ratio(self, a: str, b: str) -> float:
        """Return the time of a step of ``a`` / that of ``b``."""
        return ratio(self.seconds, a, b) * self.steps[b] / self.steps[a]


def whole(info: vk.DeviceInfo, size: int, scale: Scale) -> Whole:
    """Return the seconds of whole windows, replayed, and of what they are compared with.

    "constant" is without a scheduler: what is left to refill are the bias corrections. "bare" is
    the updates alone, of which there need be fewer where they take long: all are alike.
    """
    optimizer, other = (resident(info.index, halves(size)) for _ in range(2))
    tape, small = scheduled(optimizer), size == scale.small
    window = backend_of(optimizer)._window
    few = window if small else max(1, window // 4)
    steps = {"scheduled": window, "bare": few, "again": few}
    runs = {"scheduled": replayed(tape, window), "bare": bare(optimizer, few)}
    runs["again"] = runs["bare"]
    if small:
        runs["constant"], steps["constant"] = replayed(recorded(other.step), window), window
    return Whole(timed(runs, scale.pairs if small else scale.rounds), steps)


def bench_whole(info: vk.DeviceInfo, size: int, scale: Scale, report: Report) -> list[str]:
    """Return the row of a replayed step / the same with constant hyperparameters."""
    found = whole(info, size, scale)
    alone, noise = found.ratio("scheduled", "bare"), found.ratio("again", "bare")
    goal = "schedule, small" if size == scale.small else "schedule, large"
    report.figure(goal, info.name, alone, noise)
    filled = f"{found.ratio('scheduled', 'constant'):.3f}" if "constant" in found.steps else ""
    pairs = str(len(found.seconds["bare"]))
    return [info.name, short(size), pairs, f"{alone:.3f}", filled, f"{noise:.3f}"]


def show(report: Report, scale: Scale, infos: Sequence[vk.DeviceInfo]) -> None:
    """Report on what schedules cost."""
    report.section("The schedule's share")
    sizes = [scale.small, scale.large]
    head = ["device", "parameters", "rows", "share", "self"]
    rows = [bench_share(info, size, scale, report) for info in infos for size in sizes]
    title = "AdamW over two groups, OneCycleLR, beta1 cycled. Roll and fill / (window x step):"
    report.table(title, head, rows)
    head = ["device", "parameters", "pairs", "/ updates alone", "/ no scheduler", "self"]
    rows = [bench_whole(info, size, scale, report) for info in infos for size in sizes]
    title = (
        "The whole replayed step, all refills included, / the same without a schedule: of its "
        "updates alone, nothing refilled (the goal is about this), and of a tape without a "
        "scheduler, which fills bias corrections:"
    )
    report.table(title, head, rows)
