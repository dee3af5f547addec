"""The time of a replayed step by the rows of the table that are filled at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from grilly import planning, vk

from .report import Report
from .scale import Scale
from .timing import ratio, short, timed
from .workload import backend_of, bare, halves, refills, replayed, resident, scheduled

DEFAULT = planning.WINDOW
NEAR = 0.01  # what is no better than by this, or by the noise, is as good


@contextmanager
def window_of(rows: int) -> Iterator[None]:
    """Let an optimizer that is planned now have a table of so many rows."""
    planning.WINDOW = rows
    try:
        yield
    finally:
        planning.WINDOW = DEFAULT


def tape_of(info: vk.DeviceInfo, size: int, rows: int) -> Any:
    """Return a tape over a table of so many rows."""
    with window_of(rows):
        optimizer = resident(info.index, halves(size))
        tape = scheduled(optimizer)
    if backend_of(optimizer)._window != rows:
        raise RuntimeError(f"the table has {backend_of(optimizer)._window} rows, not {rows}")
    return tape


def replayed_by_window(info: vk.DeviceInfo, scale: Scale) -> tuple[dict[int, float], float]:
    """Return the time of a replayed step by window, relative to the default's, and the noise."""
    steps = max(scale.windows)  # whole windows of each
    tapes = {rows: tape_of(info, scale.small, rows) for rows in scale.windows}
    runs = {str(rows): replayed(tape, steps) for rows, tape in tapes.items()}
    default = str(DEFAULT)
    seconds = timed(runs | {"again": runs[default]}, scale.pairs)
    found = {rows: ratio(seconds, str(rows), default) for rows in tapes}
    return found, ratio(seconds, "again", default)


def shares(info: vk.DeviceInfo, size: int, scale: Scale) -> dict[int, float]:
    """Return, by window, the time of roll and fill / (window x step)."""
    with window_of(max(scale.windows)):
        optimizer = resident(info.index, halves(size))
        scheduled(optimizer)
    steps, times = scale.steps_of(size), 4
    runs = {str(rows): refills(optimizer, rows, times) for rows in scale.windows}
    seconds = timed(runs | {"step": bare(optimizer, steps)}, scale.rounds)
    return {
        rows: ratio(seconds, str(rows), "step") * steps / times / rows for rows in scale.windows
    }


def relative(found: dict[int, float]) -> dict[int, float]:
    """Return the step's time by window relative to the default's, from the shares."""
    return {rows: (1 + share) / (1 + found[DEFAULT]) for rows, share in found.items()}


def verdict(curves: dict[str, dict[int, float]], noise: float) -> str:
    """Return whether another window than the default is better, and where."""
    better, near = [], max(NEAR, abs(1 - noise))
    for label, curve in curves.items():
        best = min(curve, key=curve.__getitem__)
        if curve[best] < 1 - near:
            better.append(f"{best} rows take {curve[best]:.3f} of its time on {label}")
    if not better:
        return f"No window is better than the default, {DEFAULT} rows, by more than {near:.0%}."
    return f"The default, {DEFAULT} rows, is not the best: {'; '.join(better)}."


def show(report: Report, scale: Scale, infos: Sequence[vk.DeviceInfo]) -> None:
    """Report on windows."""
    report.section("The window")
    small, large = short(scale.small), short(scale.large)
    columns, notes = {}, []
    for info in infos:
        whole, noise = replayed_by_window(info, scale)
        of_large = shares(info, scale.large, scale)
        curves = {f"{info.name}, {small}": whole, f"{info.name}, {large}": relative(of_large)}
        report.curves |= curves
        columns[info.name] = [whole, shares(info, scale.small, scale), of_large]
        notes.append([info.name, f"{noise:.3f}", verdict(curves, noise)])
    rows = [
        [name, str(window), *(f"{column[window]:.4f}" for column in found)]
        for name, found in columns.items()
        for window in scale.windows
    ]
    head = ["device", "rows", f"step, {small} / default's", f"share, {small}", f"share, {large}"]
    title = (
        "AdamW over two groups with OneCycleLR, by rows of a window: the whole replayed step, "
        "relative to the default's, and roll and fill / (window x step), where a whole step's "
        "difference would be lost in noise:"
    )
    report.table(title, head, rows)
    report.table("What follows:", ["device", "self", "verdict"], notes)
