"""Benchmarks, as ratios within one run: ``make bench``.

Each figure is the median over interleaved rounds; "self" beside it is the same thing timed against
itself, which is what noise does to a figure here. Prints Markdown; with --write it is kept, with a
picture, and a table of the figures that have a goal before all others.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from benches import (
    control,
    eager,
    kernels,
    many,
    memory,
    numpy_device,
    picture,
    replay,
    schedule,
    schedulers,
    start,
    steps,
    tables,
    windows,
)
from benches.machine import Watch, words
from benches.report import Report
from benches.scale import FULL, QUICK, Scale
from committed import ROOT

from grilly import vk

Part = Callable[[Report, Scale, Sequence[vk.DeviceInfo]], None]
PARTS: dict[str, Part] = {
    "replay": replay.show,
    "schedule": schedule.show,
    "eager": eager.show,
    "many": many.show,
    "control": control.show,
    "steps": steps.show,
    "windows": windows.show,
    "memory": memory.show,
    "kernels": kernels.show,
    "numpy": numpy_device.show,
    "schedulers": schedulers.show,
    "tables": tables.show,
    "start": start.show,
}
MARKDOWN, PICTURE = ROOT / "docs" / "bench.md", ROOT / "docs" / "bench.svg"


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="*", choices=PARTS, default=list(PARTS))
    parser.add_argument("--sizes", type=int, nargs="*", help="of kernels, numpy and eager steps")
    parser.add_argument("--device", default="", help="part of a device's name")
    parser.add_argument("--rounds", type=int, help=f"instead of {FULL.rounds}")
    parser.add_argument("--quick", action="store_true", help="only to see that all of it runs")
    parser.add_argument("--write", action="store_true", help="write the page and the picture")
    parser.add_argument("--markdown", type=Path, default=MARKDOWN, help="where the page goes")
    parser.add_argument("--picture", type=Path, default=PICTURE, help="where the picture goes")
    options = parser.parse_args()
    if options.rounds is not None and options.rounds < 2:
        parser.error(f"--rounds must be at least 2, got {options.rounds}")
    return options


def scale_of(options: argparse.Namespace) -> Scale:
    """Return how much the options ask for."""
    scale = QUICK if options.quick else FULL
    if options.sizes:
        scale = scale._replace(sizes=tuple(options.sizes))
    if options.rounds:
        pairs = max(options.rounds, scale.pairs * options.rounds // scale.rounds)
        scale = scale._replace(rounds=options.rounds, pairs=pairs)
    return scale


def measure(report: Report, parts: Sequence[str], infos: Sequence[vk.DeviceInfo]) -> list[str]:
    """Run the parts; return what is to be known of the run. Ctrl-C ends it, and keeps the rest."""
    whole, rows = Watch(), []
    with suppress(KeyboardInterrupt):
        for name in parts:
            watch, start = Watch(), time.perf_counter()
            PARTS[name](report, report.scale, infos)
            rows.append([name, f"{time.perf_counter() - start:.0f} s", f"{watch.share():.0%}"])
    report.section("The run")
    report.table(
        "Time taken, and the others' share of the cores:", ["part", "time", "others"], rows
    )
    devices = "; ".join(f"{info.name} ({info.driver})" for info in infos) or "no Vulkan device"
    return [
        f"Medians of {report.scale.rounds} interleaved rounds within one run, made by `make bench` "
        f'on {os.cpu_count()} cores. Devices: {devices}. numpy {np.__version__}. "self" is a '
        "thing timed against itself: what noise does to a figure.",
        words(whole.share()),
    ]


def write(report: Report, notes: Sequence[str], markdown: Path, pictured: Path) -> None:
    """Write the page and the picture."""
    picture.draw(report, pictured)
    link = Path(os.path.relpath(pictured, markdown.parent)).as_posix()
    markdown.write_text(report.markdown(notes, link), "utf-8")
    print(f"\nwritten: {markdown}, {pictured}")


def main() -> int:
    """Run the parts asked for, on every Vulkan device asked for; 1 if that is not there."""
    options = arguments()
    scale = scale_of(options)
    infos = [info for info in vk.devices() if options.device.lower() in info.name.lower()]
    if not infos:
        print(f"no Vulkan device: {vk.devices_problem() or options.device}")
        if options.device:
            return 1
    report = Report(scale)
    notes = measure(report, options.parts, infos)
    print("\n" + "\n\n".join([*notes, report.goals()]))
    if options.write:
        write(report, notes, options.markdown, options.picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
