"""The optimizers' kernels on a Vulkan device, against copy shaders and in other layouts."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

import numpy as np

from grilly import chunks, gpu, gpu_record, optim, shaders, vk
from grilly.optim.lr_scheduler import OneCycleLR

from .goals import GOALS
from .report import Report
from .scale import Scale
from .timing import ratio, short, timed
from .workload import ENDLESS, backend_of, submitted

# Name -> class and options; a class that this version lacks is left out.
OPTIMIZERS: dict[str, tuple[str, dict[str, Any]]] = {
    "AdamW": ("AdamW", {}),
    "AdamW, amsgrad": ("AdamW", {"amsgrad": True}),
    "Adam": ("Adam", {"weight_decay": 1e-4}),
    "SGD": ("SGD", {}),
    "SGD, momentum": ("SGD", {"momentum": 0.9}),
    "SGD, Nesterov, decay": ("SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 1e-4}),
}

# Loads and stores of an optimizer's step: every slab is loaded, and all but the gradient's stored.
# Each array really changes.
COPY = """#version 450
#extension GL_GOOGLE_include_directive : require
#define HYPER {kind}
#include "step.glsl"
{buffers}
void main() {{
  uint row = take_row();
  FOR_CHUNKS(n) {{
    uint start = chunks[n].start, end = start + chunks[n].count;
    FOR_FLOAT4(i, start, end) {{
      vec4 old = param[i];
{moves}
    }}
  }}
}}
"""
BUFFER = "layout(std430, binding = {}) {}buffer {} {{ vec4 {}[]; }};"
# (local size, most float4 of a workgroup) that the best copy is looked for among.
LAYOUTS = ((8, 2048), (8, 1024), (4, 2048), (4, 1024), (16, 1024), (64, 1024), (256, 256), (64, 64))
# Software drivers wake a thread for a workgroup, and are never best with more of them than this.
COARSE = 1024
LAYOUT_HEAD = ["local size, float4 of a workgroup", "time"]


def copy_shader(kind: str, states: Sequence[str]) -> str:
    """Return the copy shader of an optimizer's traffic: each array takes the next one's values."""
    names = ["param", "grad", *states]
    buffers = [
        BUFFER.format(4 + i, "readonly " if name == "grad" else "", f"B{i}", name)
        for i, name in enumerate(names)
    ]
    chain = ["param", *states]
    moves = [f"      {a}[i] = {b}[i];" for a, b in zip(chain, states, strict=False)]
    moves.append(f"      {chain[-1]}[i] = old + grad[i];")
    return COPY.format(kind=kind, buffers="\n".join(buffers), moves="\n".join(moves))


def new_optimizer(info: vk.DeviceInfo, size: int, name: str = "AdamW") -> optim.Optimizer:
    """Return an optimizer over two groups with a cycled rate (and momentum), one step on."""
    params = [np.full(size // 2, 0.5, np.float32) for _ in range(2)]
    groups = [{"params": [p]} for p in params]
    kind, options = OPTIMIZERS[name]
    optimizer = getattr(optim, kind)(groups, device=info.index, **options)
    cycled = "betas" in optimizer.defaults or options.get("momentum", 0) != 0
    OneCycleLR(optimizer, [1e-2, 3e-3], total_steps=ENDLESS, cycle_momentum=cycled)
    grads = [np.linspace(-0.1, 0.1, size // 2, dtype=np.float32) for _ in range(2)]
    optimizer.step(gradients=grads)
    return optimizer


def layout_tape(backend: gpu.GpuBackend, code: bytes, layout: tuple[int, int]) -> vk.Tape:
    """Return a tape of a step kernel over the backend's slabs in another layout."""
    device, (local_size, most) = backend._device, layout
    slabs = backend._slabs
    dealt = chunks.deal_runs(slabs.runs(slabs._parts[0], (0, 1)), workers=2, most=most)
    tables = [device.buffer(table.nbytes) for table in (dealt.table, dealt.ranges)]
    tables[0].write(dealt.table)
    tables[1].write(dealt.ranges)
    buffers = [backend._clock, backend._table, *tables, *backend._slabs.parts()[0]]
    kernel = device.kernel(code, len(buffers), 8, {0: local_size})
    push = np.array([0, backend._lanes], np.uint32).tobytes()
    with vk.Tape(device) as tape:
        tape.dispatch(kernel.bind(buffers), dealt.groups, push)
    return tape


def own_layout(backend: gpu.GpuBackend) -> tuple[int, int]:
    """Return the layout that the optimizer itself uses."""
    return gpu_record.local_size(backend._device), chunks.MOST


def layouts_for(device: vk.Device, size: int) -> list[tuple[int, int]]:
    """Return those of LAYOUTS that the device can run."""
    return [
        (local_size, most)
        for local_size, most in LAYOUTS
        if local_size <= device.limits.max_invocations
        and size / 4 / most < device.limits.max_groups
    ]


def bench_kernel(
    info: vk.DeviceInfo, name: str, size: int, scale: Scale, report: Report
) -> list[str]:
    """Return the row of an optimizer against its copy shader."""
    optimizer = new_optimizer(info, size, name)
    backend = backend_of(optimizer)
    device, times = backend._device, scale.steps_of(size)
    code = vk.compile_glsl(copy_shader(backend._kind, backend._states))
    fits = [
        layout
        for layout in layouts_for(device, size)
        if device.info.kind != "cpu" or layout[1] >= COARSE
    ]
    tapes = {"step": backend._steps[0, "grad"], "again": backend._steps[0, "grad"]}
    tapes["copy"] = layout_tape(backend, code, own_layout(backend))
    tapes |= {str(layout): layout_tape(backend, code, layout) for layout in fits}
    runs = {name: submitted(device, tape, times) for name, tape in tapes.items()}
    seconds = timed(runs, scale.rounds)
    best = min((str(layout) for layout in fits), key=lambda name: statistics.median(seconds[name]))
    same, other, noise = (ratio(seconds, run, "step") for run in ("copy", best, "again"))
    where = {scale.large: "large", scale.huge: "huge"}.get(size)
    if f"{name}, {where}" in GOALS:
        report.figure(f"{name}, {where}", info.name, same, noise)
    if where == "large" and f"{name}, best" in GOALS:
        report.figure(f"{name}, best", info.name, other, noise)
    return [name, short(size), f"{same:.2f}", f"{other:.2f} {best}", f"{noise:.2f}"]


def bench_layouts(info: vk.DeviceInfo, size: int, scale: Scale) -> list[list[str]]:
    """Return a row per layout: AdamW's time in it relative to the layout in use."""
    optimizer = new_optimizer(info, size)
    backend = backend_of(optimizer)
    device, code = backend._device, shaders.spirv("optim/adamw")
    used = layout_tape(backend, code, own_layout(backend))
    tapes = {"used": used, "used, again": used}
    tapes |= {
        str(layout): layout_tape(backend, code, layout) for layout in layouts_for(device, size)
    }
    runs = {name: submitted(device, tape, 4) for name, tape in tapes.items()}
    seconds = timed(runs, scale.rounds)
    return [[name, f"{ratio(seconds, name, 'used'):.2f}"] for name in runs]


def show(report: Report, scale: Scale, infos: Sequence[vk.DeviceInfo]) -> None:
    """Report on the kernels."""
    report.section("Kernels")
    names = [name for name, (kind, _) in OPTIMIZERS.items() if hasattr(optim, kind)]
    head = ["optimizer", "parameters", "same layout", "best layout (local size, float4)", "self"]
    for info in infos:
        rows = [
            bench_kernel(info, name, size, scale, report) for name in names for size in scale.sizes
        ]
        title = f"On {info.name}, copy shader's time / the optimizer's, over two groups"
        report.table(f"{title} (1 is memory speed):", head, rows)
        title = f"On {info.name}, AdamW at {short(scale.large)} in other layouts / as it is:"
        report.table(title, LAYOUT_HEAD, bench_layouts(info, scale.large, scale))
