"""Schedules, exactly: GPU = mirror in all 64 bits, mirror = the correctly rounded truth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from samples import Samples, draw
from truth import exact, float32_bits

from grilly import glsl, hyper, vk, xfloat
from grilly.program import evaluate
from grilly.schedules import SHIPPED

# Wrong float32 values allowed among the samples: none.
TRUTH_SAMPLES = 10_000
GPU_SAMPLES = 100_000


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
            samples.constants,
        ],
        axis=1,
    )
    text = glsl.shader(samples.program.structure) if text is None else text
    kernel = device.kernel(vk.compile_glsl(text, ["SIGNIFICANDS"]), 3, 16, {0: 64})
    buffers = [
        device.buffer(4 * len(hyper.CLOCK_WORDS)),
        device.buffer(jobs.nbytes),
        device.buffer(12 * count, fill=255),
    ]
    buffers[1].write(jobs)
    with vk.Tape(device) as tape:
        push = np.array([0, count, 1, count], np.uint32).tobytes()
        tape.dispatch(kernel.bind(buffers), -(-count // 64), push)
    device.submit(tape)
    return buffers[2].read(np.uint32, 3 * count).reshape(count, 3)


@pytest.mark.parametrize("name", SHIPPED)
def test_gpu_equals_mirror_in_all_bits(device: vk.Device, name: str) -> None:
    samples = draw(name, GPU_SAMPLES, seed=1)
    np.testing.assert_array_equal(on_gpu(device, samples), xfloat.to_words(mirror(samples)))


@pytest.mark.heavy
@pytest.mark.parametrize("name", SHIPPED)
def test_gpu_equals_mirror_in_all_bits_1e7(device: vk.Device, name: str) -> None:
    for seed in range(10):
        samples = draw(name, 1_000_000, seed=100 + seed)
        np.testing.assert_array_equal(on_gpu(device, samples), xfloat.to_words(mirror(samples)))


@pytest.mark.parametrize("name", SHIPPED)
def test_mirror_is_correctly_rounded(name: str) -> None:
    samples = draw(name, TRUTH_SAMPLES, seed=2)
    got = xfloat.to_float32(mirror(samples)).view(np.uint32)
    want = [
        float32_bits(exact(samples.formula(i), float(samples.t[i]), int(samples.k[i])))
        for i in range(TRUTH_SAMPLES)
    ]
    wrong = np.flatnonzero(got != np.array(want, np.uint32))
    assert wrong.size == 0, [(samples.formula(int(i)), samples.t[i], samples.k[i]) for i in wrong[:3]]
