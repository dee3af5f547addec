"""Many tensors and many groups against one of as many parameters, replayed."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence

from grilly import vk

from .report import Report
from .scale import Scale
from .timing import ratio, short, timed
from .workload import backend_of, recorded, replayed, resident, scheduled

LONG = 32  # steps of the one group, which needs no whole window: its refills are a thousandth


def bench_tensors(info: vk.DeviceInfo, scale: Scale, report: Report) -> list[str]:
    """Return the row of many tensors / one."""
    count, steps = scale.members, scale.steps_of(scale.large, 16)
    many = recorded(resident(info.index, [[scale.large // count] * count]).step)
    one = recorded(resident(info.index, [[scale.large]]).step)
    runs = {name: replayed(tape, steps) for name, tape in zip("ab", (many, one), strict=True)}
    seconds = timed(runs | {"again": replayed(one, steps)}, scale.rounds)
    found, noise = ratio(seconds, "a", "b"), ratio(seconds, "again", "b")
    report.figure("tensors", info.name, found, noise)
    return [info.name, f"{count} tensors", f"{found:.2f}", "", f"{noise:.2f}"]


def bench_groups(info: vk.DeviceInfo, count: int, scale: Scale, report: Report) -> list[str]:
    """Return the row of many groups with one-cycle rates of their own / one with one."""
    optimizer = resident(info.index, [[scale.large // count]] * count)
    many, one = scheduled(optimizer), scheduled(resident(info.index, [[scale.large]]))
    # Whole windows, so that each run has its share of refills.
    window = backend_of(optimizer)._window
    steps = window * max(1, round(LONG / window))
    returned: list[float] = []

    def run() -> None:
        start = time.perf_counter()
        many.replay(steps)
        returned.append(time.perf_counter() - start)
        many.wait()

    runs = {"many": run, "one": replayed(one, LONG), "again": replayed(one, LONG)}
    seconds = timed(runs, scale.rounds)
    found, noise = ratio(seconds, "many", "one") * LONG / steps, ratio(seconds, "again", "one")
    if count == scale.members:
        report.figure("groups", info.name, found, noise)
    host = statistics.median(returned) / statistics.median(seconds["many"])
    many_groups = f"{count} groups, {window} rows"
    return [info.name, many_groups, f"{found:.2f}", f"{host:.0%}", f"{noise:.2f}"]


def show(report: Report, scale: Scale, infos: Sequence[vk.DeviceInfo]) -> None:
    """Report on many tensors and groups."""
    report.section("Many tensors, many groups")
    rows = []
    for info in infos:
        rows.append(bench_tensors(info, scale, report))
        rows += [
            bench_groups(info, count, scale, report)
            for count in (scale.members, scale.most_members)
        ]
    title = (
        f"AdamW, replayed, {short(scale.large)} parameters in all, / one tensor, or one group with "
        "one rate. Each group has a one-cycle rate and beta1 of its own, refills included; so is "
        "the host's time until replay() returns, which writes the groups' numbers at its end:"
    )
    head = ["device", "many", "/ one", "host's share", "self"]
    report.table(title, head, rows)
