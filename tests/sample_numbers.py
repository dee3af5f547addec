"""Random numbers and steps for the schedules of which each field is a number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from grilly.schedules import (
    Cosine,
    EditedCosine,
    EditedRamp,
    Held,
    Polynomial,
    Ramp,
    Sampled,
    StepDecay,
    WarmRestarts,
)
from grilly.schedules.shipped import WINDOW

Numbers = dict[str, np.ndarray[Any, Any]]


def step_decays(count: int, rng: np.random.Generator) -> tuple[Numbers, Any]:
    """Decays and growths of both signs, over 0 to thousands of drops, and steps up to 2^53."""
    value, size = peaks(count, rng), np.floor(10.0 ** rng.uniform(0, 7, count))
    usual = rng.choice([0.1, 0.5, 0.3, 0.9, 0.95, 0.99, 1.0, 1.003, -0.5, 2.0, 0.0], count)
    gamma = np.where(rng.random(count) < 0.5, usual, rng.uniform(0.2, 1.05, count))
    most = np.where(np.abs(np.log2(np.abs(gamma) + 1e-9)) > 0.2, 60, 3000)
    drops = np.floor(rng.random(count) * rng.choice([0, 10, 1000], count))
    t = (drops + np.floor(most * rng.random(count))) * size + np.floor(rng.random(count) * size)
    late = rng.random(count) < 0.05
    size[late], drops[late], gamma[late] = 2.0**51, 0, 0.1
    t[late] = np.floor(2.0 ** rng.uniform(24, 53, late.sum())) - rng.integers(0, 3, late.sum())
    return {"value": value, "step_size": size, "gamma": gamma, "drops": drops}, t


def _cosines(count: int, rng: np.random.Generator) -> tuple[Numbers, Any]:
    high = peaks(count, rng)
    low = np.where(rng.random(count) < 0.4, 0.0, high * 10.0 ** -rng.uniform(0, 8, count))
    period = np.floor(10.0 ** rng.uniform(0, 9, count))
    period = np.where(rng.random(count) < 0.1, period + 0.5, period)
    t = times([period, 2 * period, 3 * period], 4 * period, rng)
    return {"high": high, "low": low, "period": period}, t


def _edited_cosines(count: int, rng: np.random.Generator) -> tuple[Numbers, Any]:
    numbers, _ = _cosines(count, rng)
    high, low, period = numbers.values()
    period = np.floor(period)
    start = np.floor(rng.random(count) * 3 * period)
    at_trough = (start + period) % (2 * period) == 0
    trough = start + np.where(at_trough, 2 * period, (period - start) % (2 * period))
    edit = low + peaks(count, rng)
    t = start + 1 + np.floor(rng.random(count) * 3 * period)
    edited = {
        "edit": edit,
        "start": start + at_trough,
        "floor": np.where(at_trough, high, low),
        "end": trough,
    }
    return {"high": high, "low": low, "period": period, **edited}, t


def _warm_restarts(count: int, rng: np.random.Generator) -> tuple[Numbers, Any]:
    numbers, _ = _cosines(count, rng)
    period = np.floor(numbers["period"])
    start = np.floor(period * rng.random(count) * rng.choice([0, 1, 100], count))
    start = np.where(rng.random(count) < 0.1, start + 0.5, start)
    t = np.ceil(start) + times([period, 2 * period, 3 * period], 4 * period, rng)
    return {**numbers, "period": period, "start": start}, t


def _helds(count: int, rng: np.random.Generator) -> tuple[Numbers, Any]:
    end = np.floor(10.0 ** rng.uniform(0, 9, count))
    share = np.where(rng.random(count) < 0.4, 1 / 3, rng.uniform(0.001, 1, count))
    edited = rng.random(count) < 0.5
    factor, over = np.where(edited, 1.0, share), np.where(edited, share, 1.0)
    factor = np.where(rng.random(count) < 0.05, 0.0, factor)
    t = times([end - 1, end], 2 * end, rng)
    return {"value": peaks(count, rng), "factor": factor, "end": end, "over": over}, t


def _ramps(count: int, rng: np.random.Generator) -> tuple[Numbers, Any]:
    steps = np.floor(10.0 ** rng.uniform(0, 9, count))
    usual = rng.choice([1.0, 1 / 3, 0.1, 0.01, 1e-3, 1e-12], (2, count))
    start, end = np.where(rng.random((2, count)) < 0.5, usual, rng.random((2, count)))
    end = np.where(rng.random(count) < 0.3, rng.choice([0.0, 1.0], count), end)
    t = times([0 * steps, steps], 2 * steps, rng)
    return {"value": peaks(count, rng), "start": start, "end": end, "steps": steps}, t


def _edited_ramps(count: int, rng: np.random.Generator) -> tuple[Numbers, Any]:
    numbers, t = _ramps(count, rng)
    since = np.floor(rng.random(count) * numbers["steps"])
    return {**numbers, "since": since}, np.maximum(t, since)


def _polynomials(count: int, rng: np.random.Generator) -> tuple[Numbers, Any]:
    steps = np.floor(10.0 ** rng.uniform(0, 9, count))
    edited = rng.random(count) < 0.5
    since = np.where(edited, np.floor(rng.random(count) * steps), 0.0)
    usual = rng.choice([1.0, 2.0, 0.5, 0.9, 1.5, 3.0, 0.0], count)
    power = np.where(rng.random(count) < 0.6, usual, rng.uniform(0.01, 10, count))
    t = np.maximum(times([since, steps], 2 * steps, rng), since)
    over = steps - since
    return {"value": peaks(count, rng), "steps": steps, "over": over, "power": power}, t


def _sampled(count: int, rng: np.random.Generator) -> tuple[Numbers, Any]:
    start = np.floor(10.0 ** rng.uniform(0, 15, count))
    own = peaks((WINDOW, count), rng) * rng.choice([-1, 1], (WINDOW, count))
    t = start + rng.integers(-3, WINDOW + 3, count) + rng.choice([0, 0.5], count)
    return {"start": start, **{f"values[{i}]": values for i, values in enumerate(own)}}, t


def peaks(count: Any, rng: np.random.Generator) -> Any:
    usual = rng.choice([1.0, 0.5, 0.1, 0.05, 0.01, 1e-3, 3e-4, 0.25, 3.0], count)
    return np.where(rng.random(count) < 0.4, usual, 10.0 ** rng.uniform(-6, 0.5, count))


def times(ends: list[Any], total: Any, rng: np.random.Generator) -> Any:
    """Return steps of the cycle: anywhere, close to the ends of its phases, fractional, past it."""
    count = len(total)
    anywhere = np.floor(rng.random(count) * total)
    end = np.choose(rng.integers(0, len(ends), count), ends)
    near = np.round(end + rng.choice([-1, 1], count) * total ** rng.random(count))
    t = np.where(rng.random(count) < 0.5, anywhere, near)
    t = np.clip(t, 0, total - 1)
    t = np.where(rng.random(count) < 0.05, t * rng.random(count), t)
    return np.where(rng.random(count) < 0.02, total, t)


def momenta(count: int, phases: int, rng: np.random.Generator) -> list[Any]:
    top = np.where(rng.random(count) < 0.5, 0.95, rng.uniform(0.5, 0.999, count))
    base = np.where(rng.random(count) < 0.5, 0.85, top * rng.uniform(0.5, 1, count))
    return [top, base, top, *([top] if phases == 3 else [])]


def rates(count: int, phases: int, rng: np.random.Generator) -> list[Any]:
    peak = peaks(count, rng)
    start = peak / np.where(rng.random(count) < 0.5, 25.0, 10.0 ** rng.uniform(0, 3, count))
    end = start / np.where(rng.random(count) < 0.5, 1e4, 10.0 ** rng.uniform(0, 6, count))
    return [start, peak, *([start] if phases == 3 else []), end]


# Structures of which each field is a number, or a tuple of them.
BY_FIELD: dict[str, tuple[type[Any], Callable[..., tuple[Numbers, Any]]]] = {
    "step_decay": (StepDecay, step_decays),
    "cosine": (Cosine, _cosines),
    "edited_cosine": (EditedCosine, _edited_cosines),
    "warm_restarts": (WarmRestarts, _warm_restarts),
    "held": (Held, _helds),
    "ramp": (Ramp, _ramps),
    "edited_ramp": (EditedRamp, _edited_ramps),
    "polynomial": (Polynomial, _polynomials),
    "sampled": (Sampled, _sampled),
}
