"""The optimizers' kernels on a Vulkan device: copy shaders, layouts, refill and eager step."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from timing import ratio, repeated, short, table, timed

from grilly import chunks, gpu, gpu_record, optim, shaders, vk
from grilly.optim.lr_scheduler import OneCycleLR

# Name -> class and options; a class that this version lacks is left out.
OPTIMIZERS: dict[str, tuple[str, dict[str, Any]]] = {
    "AdamW": ("AdamW", {}),
    "AdamW, amsgrad": ("AdamW", {"amsgrad": True}),
    "Adam": ("Adam", {"weight_decay": 1e-4}),
    "SGD": ("SGD", {}),
    "SGD, momentum": ("SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 1e-4}),
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


def new_optimizer(
    info: vk.DeviceInfo, size: int, name: str = "AdamW"
) -> tuple[optim.Optimizer, OneCycleLR, list[Any]]:
    """Return an optimizer over two groups with a cycled rate (and momentum), and its gradients."""
    params = [np.full(size // 2, 0.5, np.float32) for _ in range(2)]
    groups = [{"params": [p]} for p in params]
    kind, options = OPTIMIZERS[name]
    optimizer = getattr(optim, kind)(groups, device=info.index, **options)
    cycled = "betas" in optimizer.defaults or options.get("momentum", 0) != 0
    scheduler = OneCycleLR(optimizer, [1e-2, 3e-3], total_steps=10**6, cycle_momentum=cycled)
    grads = [np.linspace(-0.1, 0.1, size // 2, dtype=np.float32) for _ in range(2)]
    optimizer.step(gradients=grads)
    return optimizer, scheduler, grads


def backend_of(optimizer: optim.Optimizer) -> gpu.GpuBackend:
    """Return the optimizer's backend."""
    backend = optimizer._backend
    assert isinstance(backend, gpu.GpuBackend)
    return backend


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


def submitted(device: vk.Device, tape: vk.Tape, times: int) -> Callable[[], None]:
    """Return a run that submits ``tape`` ``times`` times at once and waits."""

    def run() -> None:
        device.submit(*[tape] * times)
        device.wait()

    return run


def bench_kernel(info: vk.DeviceInfo, name: str, size: int) -> list[str]:
    """Return the row of an optimizer against its copy shader."""
    optimizer, _, _ = new_optimizer(info, size, name)
    backend = backend_of(optimizer)
    device, times = backend._device, max(2, min(64, 2 * 10**7 // size))
    code = vk.compile_glsl(copy_shader(backend._kind, backend._states))
    fits = layouts_for(device, size)
    tapes = {"step": backend._steps[0, "grad"], "again": backend._steps[0, "grad"]}
    tapes["copy"] = layout_tape(backend, code, own_layout(backend))
    tapes |= {str(layout): layout_tape(backend, code, layout) for layout in fits}
    seconds = timed({name: submitted(device, tape, times) for name, tape in tapes.items()})
    best = min((str(layout) for layout in fits), key=lambda name: statistics.median(seconds[name]))
    return [
        name,
        short(size),
        f"{ratio(seconds, 'copy', 'step'):.2f}",
        f"{ratio(seconds, best, 'step'):.2f} {best}",
        f"{ratio(seconds, 'again', 'step'):.2f}",
    ]


def bench_layouts(info: vk.DeviceInfo, size: int) -> list[list[str]]:
    """Return a row per layout: AdamW's time in it relative to the layout in use."""
    optimizer, _, _ = new_optimizer(info, size)
    backend = backend_of(optimizer)
    device, code = backend._device, shaders.spirv("optim/adamw")
    runs = {"used": layout_tape(backend, code, own_layout(backend))}
    runs |= {
        str(layout): layout_tape(backend, code, layout) for layout in layouts_for(device, size)
    }
    seconds = timed({name: submitted(device, tape, 4) for name, tape in runs.items()})
    return [[name, f"{ratio(seconds, name, 'used'):.2f}"] for name in runs]


def bench_refill(info: vk.DeviceInfo, size: int) -> list[str]:
    """Return the row of the refill's cost per step against the step itself."""
    optimizer, _, _ = new_optimizer(info, size)
    backend = backend_of(optimizer)
    window = backend._window
    refill, step = backend._refills[window], backend._steps[0, "grad"]
    seconds = timed(
        {
            "refill": submitted(backend._device, refill, 4),
            "step": submitted(backend._device, step, 4),
            "again": submitted(backend._device, refill, 4),
        }
    )
    share = ratio(seconds, "refill", "step") / window
    return [
        short(size),
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
        optimizer.step(gradients=grads)
        scheduler.step()

    bare = submitted(backend._device, backend._steps[0, "grad"], 1)
    runs = {"eager": eager, "bare": bare, "again": bare}
    seconds = timed({name: repeated(run, times) for name, run in runs.items()})
    extra = statistics.median(
        (a - b) / times for a, b in zip(seconds["eager"], seconds["bare"], strict=True)
    )
    return [
        short(size),
        f"{ratio(seconds, 'eager', 'bare'):.2f}",
        f"{extra * 1e6:.0f} us",
        f"{ratio(seconds, 'again', 'bare'):.2f}",
    ]


def show(info: vk.DeviceInfo, sizes: Sequence[int]) -> None:
    """Print the tables of a device."""
    print(f"\n### {info.name}")
    names = [name for name, (kind, _) in OPTIMIZERS.items() if hasattr(optim, kind)]
    head = ["optimizer", "parameters", "same layout", "best layout (local size, float4)", "self"]
    rows = [bench_kernel(info, name, size) for name in names for size in sizes]
    table("Copy shader's time / the optimizer's, over two groups (1 is memory speed):", head, rows)
    if 10**6 in sizes:
        head = ["local size, float4 of a workgroup", "time"]
        table("AdamW at 1e6 in other layouts / as it is:", head, bench_layouts(info, 10**6))
    head = ["parameters", "rows", "share", "self"]
    rows = [bench_refill(info, size) for size in sizes if size <= 10**6]
    table("AdamW's refill: time per step / a step:", head, rows)
    head = ["parameters", "eager / bare", "host time", "self"]
    rows = [bench_eager(info, size) for size in (10**3, *sizes) if size <= 10**6]
    table("AdamW's eager step with arrays in and out / submit and wait:", head, rows)
