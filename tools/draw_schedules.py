"""Draw the pictures of docs/schedules.md: ``python tools/draw_schedules.py [--check]``.

A picture shows the schedule that stands as code in the first cell of its row. The values are those
of the numpy device, which have the same bits everywhere, and so have the pictures. With --check
nothing is written; the exit code is 1 if a file differs.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from committed import ROOT, keep

from grilly import rules, schedules

DOCS = ROOT / "docs"
STEPS = 120  # the examples are made for 100: what comes behind the end is seen, too
WIDTH, HEIGHT, MARGIN = 160, 60, 4
_SVG = """<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" fill="none">
<path d="M0 {zero}H{width}" stroke="#888" stroke-opacity=".4"/>
{lines}
</svg>
"""
_LINE = '<polyline stroke="#3987e5" stroke-width="1.5" stroke-linejoin="round" points="{points}"/>'


class Row(NamedTuple):
    """A row of a table that begins with code: its other cells are texts."""

    code: str
    cells: tuple[str, ...]

    @property
    def picture(self) -> str | None:
        """The picture's path in docs/, if the row has one."""
        found = re.search(r"!\[[^]]*\]\(([^)]+\.svg)\)", " ".join(self.cells))
        return found and found[1]


def rows(text: str) -> list[Row]:
    """Return the rows of all tables in ``text`` whose first cell is code."""
    lines = re.findall(r"^\| `([^`]+)` \|(.*)\|$", text, re.MULTILINE)
    return [Row(code, tuple(map(str.strip, rest.split("|")))) for code, rest in lines]


def evaluated(code: str) -> Any:
    """Return what an example makes, with the names of grilly.schedules, grilly.rules and numpy."""
    return eval(code, {"np": np, **vars(schedules), **vars(rules)})


def loss(t: int) -> float:
    """Return the metric that the rules in the pictures see: it falls for 40 steps, and stays."""
    return max(1.0 - t / 40.0, 0.0)


def values(schedule: schedules.Schedule) -> list[float]:
    """Return the values at steps 0 to 119, float32, with rules as ``loss`` makes them."""
    states: Any = rules.starts(schedule)
    if not states:
        return [float(value) for value in schedule.table(0, STEPS, device="cpu")]
    found = []
    for t in range(STEPS):
        found.append(float(rules.bind(schedule, states).table(t, t + 1, device="cpu")[0]))
        states = rules.advance(schedule, states, t, loss(t))
    return found


def drawn(curves: Iterable[list[float]]) -> str:
    """Return curves of one picture as SVG, above a thin line that is the value 0."""
    curves = list(curves)
    low, high = min(0.0, *map(min, curves)), max(0.0, *map(max, curves))
    scale = (HEIGHT - 2 * MARGIN) / ((high - low) or 1.0)
    lines = [
        " ".join(
            f"{MARGIN + i * (WIDTH - 2 * MARGIN) / (STEPS - 1):.1f},"
            f"{HEIGHT - MARGIN - (value - low) * scale:.1f}"
            for i, value in enumerate(curve)
        )
        for curve in curves
    ]
    return _SVG.format(
        width=WIDTH,
        height=HEIGHT,
        zero=f"{HEIGHT - MARGIN + low * scale:.1f}",
        lines="\n".join(_LINE.format(points=points) for points in lines),
    )


def pictures(text: str) -> dict[Path, str]:
    """Return every picture of ``text``, and what is in it."""
    files: dict[Path, str] = {}
    for row in rows(text):
        if row.picture is not None:
            path, made = DOCS / row.picture, evaluated(row.code)
            assert path not in files, f"two rows have the picture {row.picture}"
            files[path] = drawn(map(values, made if isinstance(made, list) else [made]))
    return files


def main(arguments: list[str]) -> int:
    """Write the files, or compare them; return the exit code."""
    files = pictures((DOCS / "schedules.md").read_text("utf-8"))
    return keep(files, (DOCS / "schedules").glob("*.svg"), arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
