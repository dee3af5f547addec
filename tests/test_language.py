"""The language: what traces, what it computes on every device, and what a TraceError says."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from evaluation import mirror, on_gpu, truth
from samples import Samples
from truth import MPMATH

from grilly import TraceError, glsl, vk, xfloat
from grilly.expr import OPS, numbers_in_a_list
from grilly.mathfun import cospi, half_cosine, pick, reached, sinpi
from grilly.program import program
from grilly.schedules import Schedule

pytestmark = pytest.mark.numbers

STEPS = np.concatenate([np.arange(40.0), [99.5, 1000.25, 2.0**24 + 1, 2.0**40 + 3]])

# Formulas as users write them; together they use every row of OPS.
FORMULAS: dict[str, Callable[..., Any]] = {
    "exponential": lambda t: 0.1 * 0.95**t,
    "step decay": lambda t: 0.1 * 0.5 ** (t // 30),
    "inverse time": lambda t: 1 / (1 + 0.1 * t),
    "noam": lambda t: np.minimum((t + 1) ** -0.5, (t + 1) * 40**-1.5),
    "triangle": lambda t: np.abs((t % 10) / 10 - 0.5),
    "sawtooth below zero": lambda t: (-t) % 7 - (3 - t) // 4,
    "warm-up": lambda t: np.where(t < 10, (t + 1) / 10, np.sqrt(10 / (t + 1))),
    "cosine": lambda t: half_cosine((40 - np.minimum(t, 40)) / 40),
    "window": lambda t: np.where((t >= 5) & (t <= 9) | ~(t != 20), 2.0, 3.0),
    "equal": lambda t: np.where(np.logical_not(t == 3), np.floor(t / 3), -t),
    "clip": lambda t: np.clip(np.square(t) * 0.001, 0.01, 0.5),
    "exp2": lambda t: np.exp2(-t / 8) + np.maximum(+t, 5) * 0.0,
    "greater": lambda t: np.where(t > 12, np.float32(0.1), np.int64(7)),
    "power of the step": lambda t: (t / 41 + 0.5) ** 2.5,
    "power of what is negative": lambda t: (t - 7) ** 3 * 0.5 ** (t - 9) + (3 - t) ** 2,
    "power of a negative number": lambda t: (-0.5) ** np.floor(t % 20) + (t - 20.5) ** -1,
    "table": lambda t: pick(reached(t, (3, 7, 7, 30)), (0.1, 0.7, 0.2, 0.4, 0.3)),
    "two steps": lambda t, k: t * 2 + 0.9**k,
    "no step": lambda t: 0.25,
    "exp": lambda t: 0.1 * np.exp(-0.05 * np.minimum(t, 600)),
    "log": lambda t: 0.1 / (1 + np.log(t + 1)),
    "log of two and ten": lambda t: np.log2(t + 2) * np.log10(t + 0.5),
    "sin": lambda t: 0.1 + 0.05 * np.sin(t),
    "cos": lambda t: 0.5 * np.cos(t / 8) + 1,
    "sine of turns": lambda t: sinpi(t / 8) - 0.5 * cospi(t / 16 + 0.25),
    "tanh": lambda t: np.tanh((10 - t) / 8) + np.tanh(t / 1000),
    "rounding": lambda t: np.ceil(t / 7) - np.trunc((5.5 - t) / 4) + np.sign(t - 12),
    "composed": lambda t: np.reciprocal(t + 1) * np.fabs(t - 20.5),
    "expm1": lambda t: np.expm1((t - 30) * 2.0**-44) + 3 * np.expm1(-t / 7),
    "log1p": lambda t: np.log1p(t * 2**-30) * np.log1p(t),
}


def sampled(formula: Callable[..., Any]) -> Samples:
    """Return the samples of a formula at STEPS; its constants are the same in all."""
    p = program(formula)
    return Samples(p, {}, STEPS, np.arange(1, len(STEPS) + 1), lambda i: formula)


@pytest.mark.parametrize("name", FORMULAS)
def test_mirror_is_the_rounded_truth(name: str) -> None:
    samples = sampled(FORMULAS[name])
    got = xfloat.to_float32(mirror(samples))
    got = np.broadcast_to(got, len(STEPS)).view(np.uint32)
    np.testing.assert_array_equal(got, truth(samples))


@pytest.mark.parametrize("name", FORMULAS)
def test_gpu_is_the_mirror(device: vk.Device, name: str) -> None:
    samples = sampled(FORMULAS[name])
    words = xfloat.to_words(mirror(samples))
    want = np.broadcast_to(words, (len(STEPS), 3))
    np.testing.assert_array_equal(on_gpu(device, samples), want)


@pytest.mark.parametrize("name", FORMULAS)
def test_float64_is_the_same_formula(name: str) -> None:
    """What the host shows is the formula itself: equal to the mirror to float64 accuracy."""
    samples = sampled(FORMULAS[name])
    arguments = (samples.t, samples.k)[: FORMULAS[name].__code__.co_argcount]
    shown = np.broadcast_to(FORMULAS[name](*arguments), len(STEPS))
    np.testing.assert_allclose(shown, xfloat.to_float64(mirror(samples)), rtol=1e-13, atol=1e-300)


def test_the_formulas_use_the_whole_language() -> None:
    used = {node.op for f in FORMULAS.values() for node in program(f).structure.nodes}
    constant_only = {np.negative, np.subtract, np.multiply, np.add, numbers_in_a_list}
    assert set(OPS) - used - constant_only == set()
    assert set(MPMATH) | {np.where} == set(OPS)


TRACE_ERRORS: dict[str, tuple[Callable[..., Any], str]] = {
    "if": (lambda t: 1.0 if t < 10 else 2.0, "np.where"),
    "min": (lambda t: min(t, 10), "np.minimum"),
    "and": (lambda t: t > 1 and t < 3, "np.where"),
    "math.cos": (lambda t: math.cos(t), "np.cos"),
    "index": (lambda t: [1, 2, 3][t], "np.floor"),
    "int": (lambda t: int(t / 3), "np.floor"),
    "np.sinh": (lambda t: np.sinh(t), r"np\.sinh has no GPU counterpart; .*np\.log1p.*np\.tanh"),
    "np.interp": (lambda t: np.where(t < 3, t, np.median(t)), r"np\.median has no GPU"),
    "string": (lambda t: t + "1", "numbers"),
    "nan": (lambda t: t + np.nan, "finite numbers, got nan"),
    "array": (lambda t: t + np.arange(3), "numbers"),
    "moving list": (lambda t: pick(t, (1.0, t)), "must not depend on a step"),
    "list of a list": (lambda t: np.add(t, (1.0, 2.0)), "numbers"),
    "bool result": (lambda t: t < 3, "returns a number, got a bool"),
    "bool arithmetic": (lambda t: (t < 3) + 1, r"np\.where\(condition, 1, 0\)"),
    "where of a number": (lambda t: np.where(t, 1, 2), "takes a bool first"),
    "reduce": (lambda t: np.add.reduce(t), "np.add with reduce"),
    "out=": (lambda t: np.add(t, 1, where=True), "keyword"),
}


@pytest.mark.parametrize("name", TRACE_ERRORS)
def test_a_trace_error_says_what_to_write(name: str) -> None:
    formula, text = TRACE_ERRORS[name]
    with pytest.raises(TraceError, match=text):
        program(formula)


@dataclass(frozen=True)
class Users(Schedule):
    """A schedule of a user's own, with a field name that no shader must see."""

    secret_name: float

    def __call__(self, t: Any) -> Any:
        return self.secret_name * t + 0.123456789


def test_numbers_and_names_never_reach_the_shader() -> None:
    a, b = program(Users(3.25)), program(Users(-1e-30))
    assert a.structure == b.structure and (a.constants != b.constants).any()
    text = glsl.shader(a.structure)
    assert not re.search(r"secret|\d\.\d|123456789|3\.25", text)


def test_what_has_no_step_is_computed_once_on_the_host() -> None:
    p = program(lambda t: t * (2.0 ** (1 / 3) + 5.0))
    assert [node.op for node in p.structure.nodes] == ["t", "constant", np.multiply]
    assert p.structure.slots == ("number",)


def test_the_logarithm_of_a_constant_base_is_taken_on_the_host() -> None:
    assert program(lambda t: 0.9**t).structure.slots == ("log",)
    assert "x_log2" not in glsl.shader(program(lambda t: 0.9**t).structure)
    assert "x_log2" in glsl.shader(program(lambda t: t**0.9).structure)


def test_the_same_part_is_computed_once() -> None:
    p = program(lambda t: (t / 7) * (t / 7))
    assert [node.op for node in p.structure.nodes].count(np.true_divide) == 1


def test_a_shader_includes_the_transcendental_functions_only_if_it_calls_one() -> None:
    def included(formula: Callable[..., Any]) -> bool:
        return "xfloat_transcendental" in glsl.shader(program(formula).structure)

    assert included(lambda t: np.log1p(t) + 1) and included(lambda t: sinpi(t))
    assert not included(lambda t: np.exp2(t) + half_cosine(t))
