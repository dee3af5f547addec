"""Random formulas: the same bits on every device, an error within the sum of the stated ones."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pytest
import random_formulas
from evaluation import mirror, on_gpu
from hypothesis import HealthCheck, given, settings
from mpmath import mp
from running_error import bounded
from samples import Samples
from test_xfloat_functions import reals

from grilly import glsl, vk, xfloat
from grilly.expr import trace
from grilly.program import Program, Structure, evaluate, program

pytestmark = pytest.mark.numbers

STRUCTURES = 200
SAMPLES = 5000
DEPTH = 5
SETTINGS = settings(
    derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)


@lru_cache(maxsize=1)  # for one device after the other
def programs(count: int) -> list[Program]:
    """Return random programs of ``count`` different structures, always the same."""
    found: dict[Structure, Program] = {}

    @settings(SETTINGS, max_examples=10 * count)
    @given(random_formulas.trees(DEPTH))
    def collect(tree: Any) -> None:
        if len(found) < count:
            own = program(random_formulas.formula(tree))
            found.setdefault(own.structure, own)

    collect()
    assert len(found) == count
    return list(found.values())


class Random(Samples):
    """Samples of a structure whose constants are random words."""

    constants: Any = None


def draw(own: Program, count: int, seed: int) -> Samples:
    rng = np.random.default_rng(seed)
    t = np.floor(2.0 ** rng.uniform(0, 53, count))
    t = np.where(rng.random(count) < 0.5, rng.integers(0, 1000, count), t)
    t = np.where(rng.random(count) < 0.1, -t - 0.5, t)
    k = rng.integers(1, 1 << 40, count)
    samples = Random(own, {}, t, k, lambda i: None)
    samples.constants = random_formulas.constants(own.structure, count, rng)
    return samples


@lru_cache(maxsize=STRUCTURES)
def mirrored(own: Program, seed: int) -> tuple[Samples, Any]:
    """Return samples of a program and the mirror's words at them."""
    samples = draw(own, SAMPLES, seed)
    return samples, np.broadcast_to(xfloat.to_words(mirror(samples)), (SAMPLES, 3))


def check_bits(device: vk.Device, count: int) -> None:
    for seed, own in enumerate(programs(count)):
        samples, want = mirrored(own, seed)
        text = glsl.shader(own.structure)
        np.testing.assert_array_equal(on_gpu(device, samples), want, err_msg=text)


def test_gpu_equals_mirror_in_all_bits(device: vk.Device) -> None:
    check_bits(device, STRUCTURES // 4)


@pytest.mark.heavy
def test_gpu_equals_mirror_in_all_bits_of_many_more(device: vk.Device) -> None:
    check_bits(device, 10 * STRUCTURES)


STEPS = [0, 1, 2, 7, 100, 12345, 2.0**31 + 1, -3, 0.75]
UPDATES = [1, 2, 3, 10, 1000, 123456, 2**40 + 1, 5, 77]


def check_errors(examples: int) -> int:
    """Check random formulas; return of how many values an error was possible, and bounded."""
    counted = 0

    @settings(SETTINGS, max_examples=examples)
    @given(random_formulas.trees(DEPTH))
    def check(tree: Any) -> None:
        nonlocal counted
        formula = random_formulas.formula(tree)
        root = trace(formula)
        for t, k in zip(STEPS, UPDATES, strict=True):
            bound = bounded(root, t, k)
            if bound is not None:
                counted += bool(bound.error)
                with mp.workprec(600):
                    got = evaluated(program(formula), t, k)
                    assert abs(got - bound.value) <= bound.error, (tree, t, k)

    check()
    return counted


def evaluated(own: Program, t: float, k: int) -> Any:
    x = evaluate(own.structure, own.constants, xfloat.from_float64(t), xfloat.from_int(k))
    [value] = reals(xfloat.X(*map(np.atleast_1d, x)))
    return value


def test_the_error_is_within_the_sum_of_the_stated_ones() -> None:
    assert check_errors(600) > 500


@pytest.mark.heavy
def test_the_error_is_within_the_sum_of_the_stated_ones_of_many_more() -> None:
    assert check_errors(10_000) > 10_000
