"""Schedules, exactly: GPU = mirror in all 64 bits, mirror = the correctly rounded truth.

Wrong values allowed among the samples: none.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from evaluation import mirror, on_gpu, truth
from sample_made import Made
from samples import Samples, draw

from grilly import vk, xfloat
from grilly.program import program
from grilly.schedules import SHIPPED

pytestmark = pytest.mark.numbers

TRUTH_SAMPLES = 10_000
GPU_SAMPLES = 100_000
# The suite has half of the samples, of what is made of other schedules a twentieth; all are in
# `make heavy`.
COMPOSED = [
    name
    for name in SHIPPED
    if re.match(r"one_minus|debias1|stable|hf_|optax_|cycles_|warm_up_of|.*_(64|512)$", name)
]
SHARE = {name: 20 if name in COMPOSED else 2 for name in SHIPPED}
MANY = ["step_decay", "cosine", "edited_cosine"]


def portions(name: str, total: int) -> list[tuple[int, int]]:
    """Return seeds and counts that give ``total`` samples; of long lists a tenth, in parts."""
    if program(SHIPPED[name]).structure.words < 1000:
        return [(1, total)]
    return [(seed, total // 40) for seed in range(4)]


@lru_cache(maxsize=4)  # one structure's portions, for one device after the other
def mirrored(name: str, count: int, seed: int) -> tuple[Samples | Made, Any]:
    """Return samples and the mirror's words at them."""
    samples = draw(name, count, seed)
    return samples, xfloat.to_words(mirror(samples))


def check_bits(device: vk.Device, name: str, total: int, first_seed: int = 0) -> None:
    for seed, count in portions(name, total):
        samples, want = mirrored(name, count, first_seed + seed)
        np.testing.assert_array_equal(on_gpu(device, samples), want)


def check_truth(name: str, total: int) -> None:
    # A truth of a long list takes a while; shorter ones are the same formula.
    count = total if program(SHIPPED[name]).structure.words < 1000 else total // 20
    samples = draw(name, count, seed=2)
    got = xfloat.to_float32(mirror(samples)).view(np.uint32)
    wrong = np.flatnonzero(got != truth(samples))
    assert wrong.size == 0, [
        (samples.formula(int(i)), samples.t[i], samples.k[i]) for i in wrong[:3]
    ]


@pytest.mark.parametrize("name", SHIPPED)
def test_gpu_equals_mirror_in_all_bits(device: vk.Device, name: str) -> None:
    check_bits(device, name, GPU_SAMPLES // SHARE[name])


@pytest.mark.heavy
@pytest.mark.parametrize("name", SHIPPED)
def test_gpu_equals_mirror_in_all_bits_1e5(device: vk.Device, name: str) -> None:
    check_bits(device, name, GPU_SAMPLES)


@pytest.mark.heavy
@pytest.mark.parametrize("name", MANY)
def test_gpu_equals_mirror_in_all_bits_1e7(device: vk.Device, name: str) -> None:
    for seed in range(100, 200):
        check_bits(device, name, GPU_SAMPLES, seed)


@pytest.mark.parametrize("name", SHIPPED)
def test_mirror_is_correctly_rounded(name: str) -> None:
    check_truth(name, TRUTH_SAMPLES // SHARE[name])


@pytest.mark.heavy
@pytest.mark.parametrize("name", SHIPPED)
def test_mirror_is_correctly_rounded_1e4(name: str) -> None:
    check_truth(name, TRUTH_SAMPLES)
