"""Evaluates samples of a structure: by the numpy mirror, on a GPU by the shader's test form, and
by mpmath."""

from __future__ import annotations

from typing import Any

import numpy as np
from sample_made import Made
from samples import Samples
from truth import at_numbers, exact, float32_bits, graph, leaves

from grilly import glsl, hyper, vk, xfloat
from grilly.gpu_record import clock_words
from grilly.planning import STAYS, Clock
from grilly.program import evaluate

MOST_BYTES = 32 << 20  # what every device can bind at once, and more
OF_ITS_OWN = 50  # of how many formulas one is traced for itself


def mirror(samples: Samples | Made) -> xfloat.X:
    t = xfloat.from_float64(samples.t)
    return evaluate(samples.program.structure, samples.constants, t, xfloat.from_int(samples.k))


def on_gpu(device: vk.Device, samples: Samples | Made, text: str | None = None) -> Any:
    """Return the words (count, 3) of the schedule shader's test form at the samples."""
    count = len(samples.t)
    jobs = np.concatenate(
        [
            np.arange(count, dtype=np.uint32)[:, None],
            np.ones((count, 1), np.uint32),
            samples.k.astype(np.int64)[:, None].view(np.uint32),
            xfloat.to_words(xfloat.from_float64(samples.t)),
            np.full((count, 1), len(hyper.CLOCK_WORDS), np.uint32),
            samples.constants,
        ],
        axis=1,
    )
    text = glsl.shader(samples.program.structure) if text is None else text
    kernel = device.kernel(vk.compile_glsl(text, ["SIGNIFICANDS"]), 3, 20, {0: 64})
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
        push = np.array([0, count, 1, count, 1], np.uint32).tobytes()
        tape.dispatch(kernel.bind(buffers), -(-count // 64), push)
    device.submit(tape)
    return buffers[2].read(np.uint32, 3 * count).reshape(count, 3)


def truth(samples: Samples | Made) -> Any:
    """Return the correctly rounded values, bits of float32, by mpmath.

    One graph serves all formulas that differ in numbers only; every fiftieth is traced for itself
    and must have the same value to 400 bits.
    """
    steps = list(zip(samples.t.tolist(), samples.k.tolist(), strict=True))
    if isinstance(samples, Made) or not samples.numbers:
        values = [exact(samples.formula(i), t, k) for i, (t, k) in enumerate(steps)]
    else:
        root = graph(samples.formula(0))
        found = leaves(root)
        names = [label for label in samples.numbers if label in found]
        columns = {leaf: samples.numbers[name].tolist() for name in names for leaf in found[name]}
        values = [
            at_numbers(root, {leaf: own[i] for leaf, own in columns.items()}, t, k)
            for i, (t, k) in enumerate(steps)
        ]
        for i in range(0, len(steps), OF_ITS_OWN):
            assert values[i] == exact(samples.formula(i), *steps[i]), samples.formula(i)
    return np.array([float32_bits(value) for value in values], np.uint32)
