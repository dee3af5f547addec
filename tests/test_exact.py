"""Schedules, exactly: GPU = mirror in all 64 bits, mirror = the correctly rounded truth."""

from __future__ import annotations

import numpy as np
import pytest
from evaluation import mirror, on_gpu
from samples import draw
from truth import exact, float32_bits

from grilly import vk, xfloat
from grilly.program import program
from grilly.schedules import SHIPPED

pytestmark = pytest.mark.numbers

# Wrong float32 values allowed among the samples: none.
TRUTH_SAMPLES = 10_000
GPU_SAMPLES = 100_000


@pytest.mark.parametrize("name", SHIPPED)
def test_gpu_equals_mirror_in_all_bits(device: vk.Device, name: str) -> None:
    samples = draw(name, count_of(name, GPU_SAMPLES), seed=1)
    np.testing.assert_array_equal(on_gpu(device, samples), xfloat.to_words(mirror(samples)))


def count_of(name: str, total: int) -> int:
    """Return how many of ``total`` samples to take: of long lists fewer, they are one formula."""
    return total // max(1, program(SHIPPED[name]).structure.words // 100)


@pytest.mark.heavy
@pytest.mark.parametrize("name", SHIPPED)
def test_gpu_equals_mirror_in_all_bits_1e7(device: vk.Device, name: str) -> None:
    for seed in range(100, 200):
        samples = draw(name, count_of(name, GPU_SAMPLES), seed)
        np.testing.assert_array_equal(on_gpu(device, samples), xfloat.to_words(mirror(samples)))


@pytest.mark.parametrize("name", SHIPPED)
def test_mirror_is_correctly_rounded(name: str) -> None:
    count = count_of(name, TRUTH_SAMPLES)
    samples = draw(name, count, seed=2)
    got = xfloat.to_float32(mirror(samples)).view(np.uint32)
    want = [
        float32_bits(exact(samples.formula(i), float(samples.t[i]), int(samples.k[i])))
        for i in range(count)
    ]
    wrong = np.flatnonzero(got != np.array(want, np.uint32))
    assert wrong.size == 0, [
        (samples.formula(int(i)), samples.t[i], samples.k[i]) for i in wrong[:3]
    ]
