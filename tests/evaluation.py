"""Evaluates samples of a structure: by the numpy mirror, and by the shader's test form on a GPU."""

from __future__ import annotations

from typing import Any

import numpy as np
from samples import Samples

from grilly import glsl, hyper, vk, xfloat
from grilly.backend import STAYS, Clock
from grilly.gpu_record import clock_words
from grilly.program import evaluate

MOST_BYTES = 32 << 20  # what every device can bind at once, and more


def mirror(samples: Samples) -> xfloat.X:
    t = xfloat.from_float64(samples.t)
    return evaluate(samples.program.structure, samples.constants, t, xfloat.from_int(samples.k))


def on_gpu(device: vk.Device, samples: Samples, text: str | None = None) -> Any:
    """Return the words (count, 3) of the schedule shader's test form at the samples."""
    count = len(samples.t)
    jobs = np.concatenate(
        [
            np.arange(count, dtype=np.uint32)[:, None],
            samples.k.astype(np.int64)[:, None].view(np.uint32),
            xfloat.to_words(xfloat.from_float64(samples.t)),
            np.full((count, 1), len(hyper.CLOCK_WORDS), np.uint32),
            samples.constants,
        ],
        axis=1,
    )
    text = glsl.shader(samples.program.structure) if text is None else text
    kernel = device.kernel(vk.compile_glsl(text, ["SIGNIFICANDS"]), 3, 16, {0: 64})
    parts = np.array_split(jobs, -(-jobs.nbytes // MOST_BYTES))
    return np.concatenate([_run(device, kernel, part) for part in parts])


def _run(device: vk.Device, kernel: vk.Kernel, jobs: Any) -> Any:
    count = len(jobs)
    jobs[:, 0] = np.arange(count)
    clock = clock_words(Clock(0), [STAYS])
    buffers = [
        device.buffer(clock.nbytes),
        device.buffer(jobs.nbytes),
        device.buffer(12 * count, fill=255),
    ]
    buffers[0].write(clock)
    buffers[1].write(jobs)
    with vk.Tape(device) as tape:
        push = np.array([0, count, 1, count], np.uint32).tobytes()
        tape.dispatch(kernel.bind(buffers), -(-count // 64), push)
    device.submit(tape)
    return buffers[2].read(np.uint32, 3 * count).reshape(count, 3)
