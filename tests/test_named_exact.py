"""What the constructors of optax's and Hugging Face's names make is exact: GPU = mirror = truth.

Those that have a shipped structure of their own are in test_exact.py.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from evaluation import mirror, on_gpu
from sample_made import NAMED, Made, drawn, made
from sample_named import HUGGING_FACE, OPTAX
from truth import exact, float32_bits

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


@pytest.mark.parametrize("name", OTHERS)
def test_gpu_equals_mirror_in_all_bits(device: vk.Device, name: str) -> None:
    for own in samples(name, GPU_STEPS):
        np.testing.assert_array_equal(on_gpu(device, own), xfloat.to_words(mirror(own)))


@pytest.mark.parametrize("name", OTHERS)
def test_mirror_is_correctly_rounded(name: str) -> None:
    for own in samples(name, TRUTH_STEPS):
        got = xfloat.to_float32(mirror(own)).view(np.uint32)
        want = [float32_bits(exact(own.formula(i), float(t))) for i, t in enumerate(own.t)]
        wrong = np.flatnonzero(got != np.array(want, np.uint32))
        assert wrong.size == 0, [(own.formula(int(i)), own.t[i]) for i in wrong[:3]]


@pytest.mark.parametrize("name", sorted({*HUGGING_FACE, *OPTAX} - {"sgdr_schedule"}))
def test_the_structure_ships(name: str) -> None:
    rng = np.random.default_rng(1)
    for _ in range(30):
        structure = program(drawn(name, {}, 1, rng)[0]).structure
        assert structure in gpu_record._shipped()
