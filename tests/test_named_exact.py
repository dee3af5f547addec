"""What the constructors of optax's and Hugging Face's names make is exact: GPU = mirror = truth.

Those that have a shipped structure of their own are in test_exact.py.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from evaluation import mirror, on_gpu, truth
from sample_made import NAMED, Made, drawn, made
from sample_named import HUGGING_FACE, OPTAX

from grilly import gpu_record, vk, xfloat
from grilly.program import program

pytestmark = pytest.mark.numbers

SCHEDULES, GPU_STEPS, TRUTH_STEPS = 40, 100, 25
OTHERS = sorted({*HUGGING_FACE, *OPTAX} - {constructor for constructor, _ in NAMED.values()})


@cache
def samples(name: str, steps: int) -> list[Made]:
    """Return samples of what ``name`` makes, by structure."""
    rng = np.random.default_rng(list(name.encode()))
    by_structure: dict[object, list[tuple[object, object]]] = {}
    for _ in range(SCHEDULES):
        schedule, at = drawn(name, {}, steps, rng)
        by_structure.setdefault(program(schedule).structure, []).append((schedule, at))
    return [made(*map(list, zip(*own, strict=True))) for own in by_structure.values()]  # type: ignore[arg-type]


@cache
def mirrored(name: str) -> list[Any]:
    """Return the mirror's words at the samples of each structure that ``name`` makes."""
    return [xfloat.to_words(mirror(own)) for own in samples(name, GPU_STEPS)]


@pytest.mark.parametrize("name", OTHERS)
def test_gpu_equals_mirror_in_all_bits(device: vk.Device, name: str) -> None:
    for own, want in zip(samples(name, GPU_STEPS), mirrored(name), strict=True):
        np.testing.assert_array_equal(on_gpu(device, own), want)


@pytest.mark.parametrize("name", OTHERS)
def test_mirror_is_correctly_rounded(name: str) -> None:
    for own in samples(name, TRUTH_STEPS):
        got = xfloat.to_float32(mirror(own)).view(np.uint32)
        wrong = np.flatnonzero(got != truth(own))
        assert wrong.size == 0, [(own.formula(int(i)), own.t[i]) for i in wrong[:3]]


@pytest.mark.parametrize("name", sorted({*HUGGING_FACE, *OPTAX} - {"sgdr_schedule"}))
def test_the_structure_ships(name: str) -> None:
    rng = np.random.default_rng(1)
    for _ in range(30):
        structure = program(drawn(name, {}, 1, rng)[0]).structure
        assert structure in gpu_record._shipped()
