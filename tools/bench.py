"""Benchmarks, as ratios within one run on each Vulkan driver: ``make bench``.

Each figure is the median over interleaved rounds; "self" beside it is the same thing timed against
itself, which is what noise does to a figure here. Prints Markdown.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from grilly import chunks, gpu, hyper, shaders, vk
from grilly.optim import SGD, Adam, AdamW, Optimizer
from grilly.optim.lr_scheduler import OneCycleLR

ROUNDS = 15
SIZES = (10**5, 10**6, 10**7)

# The traffic of an optimizer: every slab is loaded, all but the gradients' are stored and really
# change. NEXT moves each state to the one before it.
COPY = """#version 450
#extension GL_GOOGLE_include_directive : require
#define HYPER {kind}
#include "step.glsl"
layout(std430, binding = 4) buffer Param {{ vec4 s0[]; }};
layout(std430, binding = 5) readonly buffer Grad {{ vec4 grad[]; }};
{states}
void main() {{
  uint row = take_row();
  FOR_CHUNKS(n) {{
    uint start = chunks[n].start, end = start + chunks[n].count;
    FOR_FLOAT4(i, start, end) {{
      vec4 old = s0[i];
      {moves}
      s{last}[i] = grad[i] - old;
    }}
  }}
}}
"""
STATE = "layout(std430, binding = {binding}) buffer State{i} {{ vec4 s{i}[]; }};"
# (local size, most float4 of a workgroup) that the best copy is looked for among.
LAYOUTS = ((8, 2048), (8, 1024), (4, 1024), (16, 1024), (64, 1024), (256, 256), (64, 64))

# The other kernels.
OTHERS: dict[str, tuple[Any, dict[str, Any]]] = {
    "SGD": (SGD, {}),
    "SGD, momentum": (SGD, {"momentum": 0.9, "nesterov": True, "weight_decay": 1e-4}),
    "Adam": (Adam, {"weight_decay": 1e-4}),
    "Adam, amsgrad": (Adam, {"amsgrad": True}),
    "AdamW, amsgrad": (AdamW, {"amsgrad": True}),
}

Runs = dict[str, Callable[[], None]]


def timed(runs: Runs, rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Return the seconds of each run in each of the interleaved rounds, after one warm-up."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for round_ in range(rounds + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            if round_:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def ratio(seconds: dict[str, list[float]], a: str, b: str) -> float:
    """Return the median of a / b, round by round."""
    return statistics.median(x / y for x, y in zip(seconds[a], seconds[b], strict=True))


def copy_shader(kind: str, states: int) -> str:
    """Return the text of the copy shader with the traffic of ``kind`` with ``states`` states."""
    declared = [STATE.format(binding=5 + i, i=i) for i in range(1, states + 1)]
    moves = [f"s{i - 1}[i] = s{i}[i];" for i in range(1, states + 1)]
    return COPY.format(
        kind=kind, states="\n".join(declared), moves="\n      ".join(moves), last=states
    )


def new_optimizer(
    info: vk.DeviceInfo, size: int, kind: type[Optimizer] = AdamW, **chosen: Any
) -> tuple[Optimizer, OneCycleLR, list[Any]]:
    """Return an optimizer over two groups with a cycled rate and beta1, and its gradients."""
    params = [np.full(size // 2, 0.5, np.float32) for _ in range(2)]
    optimizer = kind([{"params": [p]} for p in params], device=info.index, **chosen)
    cycled = kind is not SGD or "momentum" in chosen
    scheduler = OneCycleLR(optimizer, max_lr=[1e-2, 3e-3], total_steps=10**6, cycle_momentum=cycled)
    grads = [np.linspace(-0.1, 0.1, size // 2, dtype=np.float32) for _ in range(2)]
    optimizer.step(gradients=grads)
    return optimizer, scheduler, grads


def backend_of(optimizer: Optimizer) -> gpu.GpuBackend:
    """Return the optimizer's backend."""
    backend = optimizer._backend
    assert isinstance(backend, gpu.GpuBackend)
    return backend


def layout_tape(backend: gpu.GpuBackend, code: bytes, layout: tuple[int, int]) -> vk.Tape:
    """Return a tape of a step kernel over the backend's slabs in another layout."""
    device, (local_size, most) = backend._device, layout
    dealt = chunks.deal(backend._starts, (0, 1), workers=2, most=most)
    tables = [device.buffer(table.nbytes) for table in (dealt.table, dealt.ranges)]
    tables[0].write(dealt.table)
    tables[1].write(dealt.ranges)
    buffers = [backend._clock, backend._table, *tables, *backend._slabs.values()]
    kernel = device.kernel(code, len(buffers), 8, {0: local_size})
    push = np.array([0, backend._lanes], np.uint32).tobytes()
    with vk.Tape(device) as tape:
        tape.dispatch(kernel.bind(buffers), dealt.groups, push)
    return tape


def own_layout(backend: gpu.GpuBackend) -> tuple[int, int]:
    """Return the layout that AdamW itself uses."""
    return backend._of(gpu.LOCAL_SIZE, gpu.LOCAL_SIZE_ON_HARDWARE), chunks.MOST


def layouts_for(device: vk.Device, size: int) -> list[tuple[int, int]]:
    """Return those of LAYOUTS that the device can run."""
    return [
        (local_size, most)
        for local_size, most in LAYOUTS
        if local_size <= device.limits.max_invocations
        and size / 4 / most < device.limits.max_groups
    ]


def repeated(device: vk.Device, tape: vk.Tape, times: int) -> Callable[[], None]:
    """Return a run that submits ``tape`` ``times`` times at once and waits."""

    def run() -> None:
        device.submit(*[tape] * times)
        device.wait()

    return run


def bench_kernel(info: vk.DeviceInfo, size: int) -> list[str]:
    """Return the row of AdamW against the copy shader."""
    optimizer, _, _ = new_optimizer(info, size)
    backend = backend_of(optimizer)
    device, times = backend._device, max(2, min(64, 2 * 10**7 // size))
    adamw = backend._steps[0]
    code, fits = vk.compile_glsl(copy_shader("AdamW", 2)), layouts_for(device, size)
    copy = layout_tape(backend, code, own_layout(backend))
    runs = {"adamw": adamw, "copy": copy, "again": adamw}
    runs |= {str(layout): layout_tape(backend, code, layout) for layout in fits}
    seconds = timed({name: repeated(device, tape, times) for name, tape in runs.items()})
    best = min((str(layout) for layout in fits), key=lambda name: statistics.median(seconds[name]))
    return [
        f"{size:.0e}".replace("e+0", "e"),
        f"{ratio(seconds, 'copy', 'adamw'):.2f}",
        f"{ratio(seconds, best, 'adamw'):.2f} {best}",
        f"{ratio(seconds, 'again', 'adamw'):.2f}",
    ]


def bench_others(info: vk.DeviceInfo, size: int) -> list[list[str]]:
    """Return a row per optimizer: the copy shader of its traffic against it, in the same layout."""
    rows = []
    for name, (kind, options) in OTHERS.items():
        backend = backend_of(new_optimizer(info, size, kind, **options)[0])
        code = vk.compile_glsl(copy_shader(kind.__name__, len(backend._states)))
        copy, step = layout_tape(backend, code, own_layout(backend)), backend._steps[0]
        runs = {"copy": copy, "step": step, "again": step}
        seconds = timed({n: repeated(backend._device, tape, 16) for n, tape in runs.items()})
        figures = [ratio(seconds, other, "step") for other in ("copy", "again")]
        rows.append([name, *(f"{figure:.2f}" for figure in figures)])
    return rows


def bench_layouts(info: vk.DeviceInfo, size: int) -> list[list[str]]:
    """Return a row per layout: AdamW's time in it relative to the layout in use."""
    optimizer, _, _ = new_optimizer(info, size)
    backend = backend_of(optimizer)
    device, code = backend._device, shaders.spirv("optim/adamw")
    runs = {"used": layout_tape(backend, code, own_layout(backend))}
    runs |= {
        str(layout): layout_tape(backend, code, layout) for layout in layouts_for(device, size)
    }
    seconds = timed({name: repeated(device, tape, 4) for name, tape in runs.items()})
    return [[name, f"{ratio(seconds, name, 'used'):.2f}"] for name in runs]


def bench_refill(info: vk.DeviceInfo, size: int) -> list[str]:
    """Return the row of the refill's cost per step against the step itself."""
    optimizer, _, _ = new_optimizer(info, size)
    backend = backend_of(optimizer)
    window = backend._window
    refill, step = backend._refills[0, window], backend._steps[0]
    seconds = timed(
        {
            "refill": repeated(backend._device, refill, 4),
            "step": repeated(backend._device, step, 4),
            "again": repeated(backend._device, refill, 4),
        }
    )
    share = ratio(seconds, "refill", "step") / window
    return [
        f"{size:.0e}".replace("e+0", "e"),
        str(window),
        f"{share:.4f}",
        f"{ratio(seconds, 'again', 'refill'):.2f}",
    ]


def bench_eager(info: vk.DeviceInfo, size: int) -> list[str]:
    """Return the row of an eager step, arrays in and out, against submit-and-wait of its tape."""
    optimizer, scheduler, grads = new_optimizer(info, size)
    backend = backend_of(optimizer)
    times = 20

    def eager() -> None:
        for _ in range(times):
            optimizer.step(gradients=grads)
            scheduler.step()

    def bare() -> None:
        for _ in range(times):
            backend._device.submit(backend._steps[0])
            backend._device.wait()

    seconds = timed({"eager": eager, "bare": bare, "again": bare})
    extra = statistics.median(
        (a - b) / times for a, b in zip(seconds["eager"], seconds["bare"], strict=True)
    )
    return [
        f"{size:.0e}".replace("e+0", "e"),
        f"{ratio(seconds, 'eager', 'bare'):.2f}",
        f"{extra * 1e6:.0f} us",
        f"{ratio(seconds, 'again', 'bare'):.2f}",
    ]


def table(title: str, head: list[str], rows: list[list[str]]) -> None:
    """Print a Markdown table."""
    print(f"\n{title}\n")
    for row in (head, ["---"] * len(head), *rows):
        print("| " + " | ".join(row) + " |", flush=True)


def main() -> int:
    """Run every benchmark on every Vulkan device."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    parser.add_argument("--device", default="", help="part of a device's name")
    options = parser.parse_args()
    infos = [info for info in vk.devices() if options.device.lower() in info.name.lower()]
    if not infos:
        print(f"no Vulkan device: {vk.devices_problem() or options.device}")
        return 1
    names = hyper.COLUMNS["AdamW"]
    print(f"AdamW over two groups, {len(names)} hyperparameters a lane, {ROUNDS} rounds")
    for info in infos:
        print(f"\n### {info.name}")
        copy_head = ["parameters", "same layout", "best layout (local size, float4)", "self"]
        rows = [bench_kernel(info, size) for size in options.sizes]
        table("Copy shader's time / AdamW's time (1 is memory speed):", copy_head, rows)
        if 10**6 in options.sizes:
            table(
                "Copy shader's time / the other optimizers' at 1e6, same layout:",
                ["kernel", "copy / kernel", "self"],
                bench_others(info, 10**6),
            )
            layout_head = ["local size, float4 of a workgroup", "time"]
            rows = bench_layouts(info, 10**6)
            table("AdamW at 1e6 in other layouts / as it is:", layout_head, rows)
        rows = [bench_refill(info, size) for size in options.sizes if size <= 10**6]
        table("Refill: time per step / a step:", ["parameters", "rows", "share", "self"], rows)
        eager_head = ["parameters", "eager / bare", "host time", "self"]
        rows = [bench_eager(info, size) for size in (10**3, *options.sizes) if size <= 10**6]
        table("Eager step with arrays in and out / submit and wait:", eager_head, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
