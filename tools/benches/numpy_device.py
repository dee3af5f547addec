"""AdamW on the numpy device against a plain numpy loop and torch on the same cores."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from grilly import cpu_threads, planning, vk
from grilly.optim import AdamW

from .report import Report
from .scale import Scale
from .timing import ratio, repeated, short, timed
from .workload import one_cycle

try:
    import torch
except ImportError:
    torch = None  # type: ignore[assignment]

F = np.float32
OTHERS = ("plain numpy", "torch foreach", "torch fused", "one thread")


def arrays(size: int) -> tuple[Any, Any]:
    """Return weights and their gradient."""
    return np.full(size, 0.5, F), np.linspace(-0.1, 0.1, size, dtype=F)


def grilly_step(size: int) -> Callable[[], object]:
    """Return a step of grilly's AdamW on numpy, prepared."""
    p, grad = arrays(size)
    optimizer = AdamW([p], device="cpu")
    optimizer.step(gradients=[grad])
    return lambda: optimizer.step(gradients=[grad])


@contextlib.contextmanager
def one_core() -> Any:
    """Let an optimizer that is prepared now believe in one core."""
    cores, cpu_threads._cores = cpu_threads._cores, lambda: 1
    try:
        yield
    finally:
        cpu_threads._cores = cores


def plain_step(size: int) -> Callable[[], object]:
    """Return AdamW as anybody would write it in numpy."""
    p, grad = arrays(size)
    m, v, k = np.zeros_like(p), np.zeros_like(p), 0

    def step() -> None:
        nonlocal p, m, v, k
        k += 1
        m = F(0.9) * m + F(0.1) * grad
        v = F(0.999) * v + F(0.001) * (grad * grad)
        debias1, debias2 = F(1 / (1 - 0.9**k)), F(1 / np.sqrt(1 - 0.999**k))
        p = p - F(1e-3 * 0.01) * p
        p = p - F(1e-3) * debias1 * (m / (np.sqrt(v) * debias2 + F(1e-8)))

    return step


def torch_step(size: int, **form: bool) -> Callable[[], object]:
    """Return a step of torch's AdamW in one of its forms, with its default number of threads."""
    p, grad = (torch.from_numpy(array) for array in arrays(size))
    parameter = torch.nn.Parameter(p)
    parameter.grad = grad
    return torch.optim.AdamW([parameter], **form).step


def steps(size: int) -> dict[str, Callable[[], object]]:
    """Return a step of each contender; torch's only where it is installed."""
    found = {"grilly": grilly_step(size), "again": grilly_step(size)}
    found["plain numpy"] = plain_step(size)
    if torch is not None:
        found["torch foreach"] = torch_step(size, foreach=True)
        found["torch fused"] = torch_step(size, fused=True)
    with one_core():
        found["one thread"] = grilly_step(size)
    return found


def bench(size: int, scale: Scale, report: Report) -> list[str]:
    """Return the row of the others' times against grilly's."""
    times = scale.steps_of(size)
    runs = {name: repeated(step, times) for name, step in steps(size).items()}
    seconds = timed(runs, scale.rounds)
    figures = [
        f"{ratio(seconds, name, 'grilly'):.2f}" if name in seconds else "" for name in OTHERS
    ]
    noise = ratio(seconds, "again", "grilly")
    if size == scale.huge and torch is not None:
        report.figure("foreach", "numpy", ratio(seconds, "torch foreach", "grilly"), noise)
    return [short(size), *figures, f"{noise:.2f}"]


def scheduled_step(size: int, rows: int) -> Callable[[], object]:
    """Return a step over two groups with OneCycleLR, from a table of up to ``rows`` rows."""
    halves = [arrays(size // 2) for _ in range(2)]
    optimizer = AdamW([{"params": [p]} for p, _ in halves], device="cpu")
    scheduler, grads = one_cycle(optimizer), [grad for _, grad in halves]

    def step() -> None:
        optimizer.step(gradients=grads)
        scheduler.step()

    kept, planning.NUMPY_WINDOW = planning.NUMPY_WINDOW, rows
    try:
        step()
    finally:
        planning.NUMPY_WINDOW = kept
    return step


def by_window(scale: Scale) -> list[list[str]]:
    """Return a row per window: the time of a step relative to the default's."""
    default = planning.NUMPY_WINDOW
    all_rows = {str(rows): rows for rows in scale.numpy_windows} | {"again": default}
    steps = max(all_rows.values())  # whole windows of each
    runs = {
        name: repeated(scheduled_step(scale.small, rows), steps) for name, rows in all_rows.items()
    }
    seconds = timed(runs, scale.rounds)
    return [[name, f"{ratio(seconds, name, str(default)):.2f}"] for name in runs]


def show(report: Report, scale: Scale, _: Sequence[vk.DeviceInfo]) -> None:
    """Report on the numpy device."""
    version = f"torch {torch.__version__}" if torch is not None else "torch is not installed"
    report.section(f"numpy ({version})")
    head = ["parameters", *OTHERS, "self"]
    title = "AdamW, the other's time / the numpy device's (above 1 the numpy device is faster):"
    report.table(title, head, [bench(size, scale, report) for size in scale.sizes])
    title = (
        f"The window of its table: AdamW over two groups with OneCycleLR, {short(scale.small)} "
        f"parameters, a step's time / that with {planning.NUMPY_WINDOW} rows:"
    )
    report.table(title, ["rows", "time"], by_window(scale))
