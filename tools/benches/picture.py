"""The picture: each figure as a share of its limit, and the time of a step by window."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path
from typing import Any

from .goals import GOALS
from .report import Report

COLORS = ("#3987e5", "#d9722e", "#4a9a5b", "#8a5fc0", "#777777", "#b0357a")
# The same figures draw the same file.
SETTINGS = {"svg.hashsalt": "grilly", "svg.fonttype": "none", "font.size": 9}


def draw(report: Report, path: Path) -> None:
    """Write it; the path's suffix (.svg, .png) says in which format."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(11, 4.5), layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(3, 2))
        _draw_goals(report, left)
        _draw_windows(report, right)
        metadata = {"Date": None} if path.suffix == ".svg" else None
        figure.savefig(path, dpi=110, metadata=metadata)


def _draw_goals(report: Report, axes: Any) -> None:
    """Draw how much of its limit each figure takes; what is counted is left to the table."""
    shown = [figure for figure in report.figures if figure.noise is not None]
    names = [name for name in GOALS if any(figure.goal == name for figure in shown)]
    devices = list(dict.fromkeys(figure.device for figure in shown))
    for device, color in zip(devices, cycle(COLORS), strict=False):
        own = [figure for figure in shown if figure.device == device]
        heights = [-names.index(figure.goal) for figure in own]
        axes.plot([figure.used for figure in own], heights, "o", color=color, label=device, ms=6)
    axes.axvline(1.0, color="#888", lw=1)
    labels = [GOALS[name].named(report.scale) for name in names]
    axes.set_yticks([-i for i in range(len(names))], labels)
    axes.set(title="share of the limit (met up to 1)", xscale="log")
    _plain_numbers(axes.xaxis)
    axes.grid(axis="y", lw=0.3)
    if devices:
        axes.legend(fontsize=8)


def _plain_numbers(axis: Any) -> None:
    """Label a logarithmic axis as in 0.5, 1, 2."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axis.set_major_locator(LogLocator(10, (1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())


def _draw_windows(report: Report, axes: Any) -> None:
    """Draw the time of a step by window."""
    for (label, curve), color in zip(report.curves.items(), cycle(COLORS), strict=False):
        axes.plot(list(curve), list(curve.values()), marker=".", color=color, label=label)
    windows = sorted({window for curve in report.curves.values() for window in curve})
    axes.set_xscale("log", base=2)
    axes.set_xticks(windows, map(str, windows))
    axes.set(title="a replayed step's time by window", xlabel="rows (1: the default's time)")
    if report.curves:
        axes.legend(fontsize=8)
