"""Random numbers and steps for decays, ramps, warm-ups and lists: by label, as in SHIPPED."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from sample_anneal import BY_LABEL as ANNEALED
from sample_numbers import BY_FIELD, Numbers, peaks, step_decays, times

from grilly.schedules.phase import SHAPES
from grilly.schedules.steps import NEVER, PLACES

Draw = Callable[[int, np.random.Generator], tuple[Numbers, Any]]


def _lengths(count: int, rng: np.random.Generator, most: float = 9) -> Any:
    """Return lengths of phases: 1 to 10^most steps, some of them fractional, some 0."""
    steps = np.floor(10.0 ** rng.uniform(0, most, count))
    steps = np.where(rng.random(count) < 0.1, steps + 0.5, steps)
    return np.where(rng.random(count) < 0.03, 0.0, steps)


def _begins(count: int, rng: np.random.Generator) -> Any:
    return np.where(rng.random(count) < 0.5, 0.0, np.floor(10.0 ** rng.uniform(0, 6, count)))


def _ends(count: int, rng: np.random.Generator) -> Any:
    """Return two values, also of very different size, and also 0."""
    pair = peaks((2, count), rng) * 10.0 ** -rng.integers(0, 6, (2, count))
    return np.where(rng.random((2, count)) < 0.2, 0.0, pair)


def _phase_times(begin: Any, steps: Any, rng: np.random.Generator) -> Any:
    t = begin + times([0 * steps, steps], 2 * steps + 2, rng)
    return np.where(rng.random(len(t)) < 0.1, np.floor(rng.random(len(t)) * (begin + 1)), t)


def _multi_steps(places: int, count: int, rng: np.random.Generator) -> tuple[Numbers, Any]:
    decay, _ = step_decays(count, rng)
    own, t = _bounds(places, count, rng)
    ahead = rng.choice([0.0, 1.0], count)
    listed = {f"milestones[{i}]": steps for i, steps in enumerate(own)}
    return {"value": decay["value"], "gamma": decay["gamma"], "ahead": ahead, **listed}, t


def _bounds(places: int, count: int, rng: np.random.Generator) -> tuple[Any, Any]:
    """Return rising bounds, some of them equal, the last ones unused; and steps close to them."""
    last = np.floor(10.0 ** rng.uniform(1, 9, count))
    bounds = np.sort(np.floor(rng.random((places, count)) * last), axis=0)
    bounds = np.where(rng.random((places, count)) < 0.2, bounds[2], bounds)
    bounds = np.sort(bounds, axis=0)
    bounds[rng.integers(1, places + 1, count) <= np.arange(places)[:, None]] = NEVER
    near = bounds[rng.integers(0, places, count), np.arange(count)]
    return bounds, times([np.minimum(near, last), *bounds[:2]], last, rng)


def _piecewise(places: int, count: int, rng: np.random.Generator) -> tuple[Numbers, Any]:
    bounds, t = _bounds(places - 1, count, rng)
    values = peaks((places, count), rng) * rng.choice([-1, 1], (places, count))
    listed = {f"boundaries[{i}]": own for i, own in enumerate(bounds)}
    listed |= {f"values[{i}]": own for i, own in enumerate(values)}
    return {**listed, "ahead": rng.choice([0.0, 1.0], count)}, t


def _interpolations(places: int, count: int, rng: np.random.Generator) -> tuple[Numbers, Any]:
    steps, t = _bounds(places - 1, count, rng)
    values = peaks((places - 1, count), rng) * 10.0 ** -rng.integers(0, 4, count)
    # Unused points: at NEVER, with the value of the last used one.
    used = np.argmax(np.concatenate([steps, np.full((1, count), NEVER)]) == NEVER, axis=0) - 1
    values = np.where(np.arange(places - 1)[:, None] > used, values[used, np.arange(count)], values)
    listed = {f"steps[{i}]": own for i, own in enumerate(steps)}
    return {**listed, **{f"values[{i}]": own for i, own in enumerate(values)}}, t


def _exponentials(stair: bool, bounded: bool) -> Draw:
    def draw(count: int, rng: np.random.Generator) -> tuple[Numbers, Any]:
        decay, t = step_decays(count, rng)
        begin, steps = _begins(count, rng), decay["step_size"]
        t = np.minimum(t - decay["drops"] * steps, 2.0**53) + (0 if stair else rng.integers(0, 2))
        rate = np.abs(decay["gamma"])
        numbers = {"value": decay["value"], "rate": rate, "steps": steps, "begin": begin}
        if bounded:
            numbers["end"] = decay["value"] * 10.0 ** rng.uniform(-6, 2, count)
        before = np.floor(rng.random(count) * begin)
        return numbers, np.where(rng.random(count) < 0.1, before, begin + t)

    return draw


def _geometrics(count: int, rng: np.random.Generator) -> tuple[Numbers, Any]:
    start, end = 10.0 ** rng.uniform(-8, 2, (2, count))
    steps, begin = _lengths(count, rng), _begins(count, rng)
    numbers = {"start": start, "end": end, "steps": steps, "begin": begin}
    return numbers, _phase_times(begin, steps, rng)


def _linears(count: int, rng: np.random.Generator) -> tuple[Numbers, Any]:
    start, end = _ends(count, rng)
    steps, begin = _lengths(count, rng), _begins(count, rng)
    numbers = {"start": start, "end": end, "steps": steps, "begin": begin}
    return numbers, _phase_times(begin, steps, rng)


def _polynomials(cycle: bool, k_decay: bool) -> Draw:
    def draw(count: int, rng: np.random.Generator) -> tuple[Numbers, Any]:
        numbers, t = _linears(count, rng)
        if cycle:
            numbers["steps"] = np.maximum(numbers["steps"], 1.0)
            t = np.where(rng.random(count) < 0.5, np.floor(t * rng.choice([3, 20], count)), t)
        usual = rng.choice([1.0, 2.0, 0.5, 0.9, 3.0, 0.0], count)
        numbers["power"] = np.where(rng.random(count) < 0.6, usual, rng.uniform(0.05, 8, count))
        if k_decay:
            usual = rng.choice([1.0, 2.0, 0.5, 1.5], count)
            numbers["k_decay"] = np.where(
                rng.random(count) < 0.6, usual, rng.uniform(0.1, 4, count)
            )
        return numbers, t

    return draw


def _inverse_times(count: int, rng: np.random.Generator) -> tuple[Numbers, Any]:
    steps, begin = np.maximum(_lengths(count, rng, 6), 1.0), _begins(count, rng)
    usual = rng.choice([0.0, 0.5, 1.0, 1e-4, 1e-3], count)
    rate = np.where(rng.random(count) < 0.5, usual, 10.0 ** rng.uniform(-5, 2, count))
    numbers = {"value": peaks(count, rng), "rate": rate, "steps": steps, "begin": begin}
    return numbers, _phase_times(begin, np.floor(10.0 ** rng.uniform(0, 9, count)), rng)


def _range_tests(count: int, rng: np.random.Generator) -> tuple[Numbers, Any]:
    numbers, t = _inverse_times(count, rng)
    del numbers["begin"]
    return numbers, np.where(rng.random(count) < 0.05, t + 0.5, t)


def _inverse_powers(power: bool) -> Draw:
    def draw(count: int, rng: np.random.Generator) -> tuple[Numbers, Any]:
        numbers, t = _inverse_times(count, rng)
        own = {"value": numbers["value"], "timescale": numbers["steps"], "begin": numbers["begin"]}
        if power:
            usual = rng.choice([0.5, 1.0, 2.0, 0.0], count)
            own["power"] = np.where(rng.random(count) < 0.5, usual, rng.uniform(-1, 4, count))
        return own, t

    return draw


def _noams(count: int, rng: np.random.Generator) -> tuple[Numbers, Any]:
    warmup = np.where(rng.random(count) < 0.3, 4000.0, _lengths(count, rng, 6))
    size = rng.choice([512.0, 768.0, 1024.0, 64.0, 1.0], count)
    numbers = {"factor": peaks(count, rng), "warmup_steps": warmup, "model_size": size}
    return numbers, _phase_times(0 * warmup, warmup, rng)


def _warm_ups(shape: str) -> Draw:
    def draw(count: int, rng: np.random.Generator) -> tuple[Numbers, Any]:
        start, target = _ends(count, rng)
        if shape == "exponential":
            start, target = 10.0 ** rng.uniform(-8, 1, (2, count))
        steps, first = _lengths(count, rng), rng.choice([0.0, 1.0], count)
        numbers = {"schedule.value": target, "start": start, "steps": steps, "first": first}
        return numbers, _phase_times(0 * steps, steps, rng)

    return draw


def _whole_steps(count: int, rng: np.random.Generator) -> tuple[Numbers, Any]:
    """Return step decays that begin at step 0: none has been gone on from after an edit."""
    numbers, t = step_decays(count, rng)
    return {**numbers, "drops": np.zeros(count)}, t


def _warmed(inner: Draw, shifted: bool = True) -> Draw:
    """Return samples of a schedule after a warm-up, and of the way to its first value."""

    def draw(count: int, rng: np.random.Generator) -> tuple[Numbers, Any]:
        numbers, t = inner(count, rng)
        start = np.where(rng.random(count) < 0.5, 0.0, peaks(count, rng) * 1e-3)
        steps, first = _lengths(count, rng, 6), rng.choice([0.0, 1.0], count)
        during = np.floor(rng.random(count) * (steps + 1))
        after = t + np.ceil(steps) - first if shifted else t
        t = np.where(rng.random(count) < 0.4, during, np.maximum(after, 0))
        own = {"start": start, "steps": steps, "first": first}
        return {**own, **{f"schedule.{label}": values for label, values in numbers.items()}}, t

    return draw


BY_LABEL: dict[str, Draw] = {
    "exponential": _exponentials(stair=False, bounded=False),
    "exponential_stair": _exponentials(stair=True, bounded=False),
    "exponential_to": _exponentials(stair=False, bounded=True),
    "exponential_stair_to": _exponentials(stair=True, bounded=True),
    "geometric": _geometrics,
    "inverse_time": _inverse_times,
    "inverse_time_stair": _inverse_times,
    "inverse_sqrt": _inverse_powers(power=False),
    "inverse_power": _inverse_powers(power=True),
    "noam": _noams,
    "linear": _linears,
    "range_test": _range_tests,
    "range_test_stair": _range_tests,
    "polynomial_decay": _polynomials(cycle=False, k_decay=False),
    "polynomial_decay_cycle": _polynomials(cycle=True, k_decay=False),
    "polynomial_decay_k": _polynomials(cycle=False, k_decay=True),
    "polynomial_decay_cycle_k": _polynomials(cycle=True, k_decay=True),
    **{f"warm_up_{shape.replace('1-', 'one_minus_')}": _warm_ups(shape) for shape in SHAPES},
}
for _n in PLACES:
    BY_LABEL[f"multi_step_{_n}"] = partial(_multi_steps, _n)
    for _owner in ("new", "old"):
        BY_LABEL[f"piecewise_constant_{_owner}_{_n}"] = partial(_piecewise, _n)
    for _how in ("linear", "cosine"):
        BY_LABEL[f"interpolate_{_how}_{_n}"] = partial(_interpolations, _n)
for _name in ("linear", "exponential", "polynomial_decay", "inverse_sqrt"):
    BY_LABEL[f"warm_up_of_{_name}"] = _warmed(BY_LABEL[_name])
BY_LABEL["warm_up_of_multi_step"] = _warmed(BY_LABEL[f"multi_step_{PLACES[0]}"])
BY_LABEL["warm_up_of_cosine"] = _warmed(BY_FIELD["cosine"][1])
for _name, _inner in (
    ("cosine_decay", ANNEALED["cosine_decay"]),
    ("step_decay", _whole_steps),
):
    BY_LABEL[f"warm_up_of_{_name}"] = _warmed(_inner)
    BY_LABEL[f"warm_up_of_{_name}_unshifted"] = _warmed(_inner, shifted=False)
