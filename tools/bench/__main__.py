"""Benchmarks, as ratios within one run: ``make bench``.

Each figure is the median over interleaved rounds; "self" beside it is the same thing timed against
itself, which is what noise does to a figure here. Prints Markdown.
"""

from __future__ import annotations

import argparse
import sys

import kernels
import numpy_device
import schedulers
import start
import steps
import tables
from timing import ROUNDS

from grilly import vk

SIZES = (10**5, 10**6, 10**7)
PARTS = ("kernels", "steps", "numpy", "schedulers", "start", "tables")


def main() -> int:
    """Run the parts asked for, on every Vulkan device asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="*", choices=PARTS, default=PARTS)
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    parser.add_argument("--device", default="", help="part of a device's name")
    options = parser.parse_args()
    infos = [info for info in vk.devices() if options.device.lower() in info.name.lower()]
    if not infos:
        print(f"no Vulkan device: {vk.devices_problem() or options.device}")
    print(f"Medians of {ROUNDS} rounds.")
    if "kernels" in options.parts:
        for info in infos:
            kernels.show(info, options.sizes)
    if "steps" in options.parts:
        for info in infos:
            steps.show(info)
    if "numpy" in options.parts:
        numpy_device.show(options.sizes)
    if "schedulers" in options.parts:
        schedulers.show()
    if "start" in options.parts:
        start.show(infos)
    if "tables" in options.parts:
        tables.show(infos)
    return 0


if __name__ == "__main__":
    sys.exit(main())
