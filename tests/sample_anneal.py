"""Random numbers and steps for decays, cosines that end, cycles, and warmup-stable-decay."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from sample_numbers import Numbers, peaks, times

from grilly.schedules import NEVER, SHIPPED
from grilly.schedules.cycles import STARTS
from grilly.schedules.shipped import ANNEALED, CYCLES, WARM_UPS

Drawn = tuple[Numbers, Any]

# What shapes a decay: usual numbers, and between which others lie.
_SHAPES: dict[str, tuple[list[float], float, float]] = {
    "lower": ([-7.0, -6.0], -12.0, -0.5),
    "upper": ([3.0, 4.0], 0.5, 8.0),
    "ratio": ([0.1, 0.5, 1e-3, 2.0], 0.001, 0.999),
    "cycles": ([0.5, 0.5, 1.0, 1.5, 2.0], 0.1, 5.0),
    "power": ([0.5, 1.0, 2.0, 3.0], 0.1, 5.0),
    "exponent": ([0.5, 1.0, 2.0, 3.0], 0.1, 5.0),
    "k_decay": ([0.5, 1.0, 2.0, 1.5], 0.1, 5.0),
}


def _mixed(
    usual: list[float], low: float, high: float, count: int, rng: np.random.Generator
) -> Any:
    often = rng.random(count) < 0.4
    return np.where(often, rng.choice(usual, count), rng.uniform(low, high, count))


def _decay(template: Any, steps: Any, rng: np.random.Generator) -> Numbers:
    """Return numbers for a decay: falls and rises, also from or to 0."""
    count = len(steps)
    high = peaks(count, rng)
    low = np.where(rng.random(count) < 0.4, 0.0, high * 10.0 ** -rng.uniform(0, 8, count))
    rises = rng.random(count) < 0.2
    first, last = np.where(rises, low, high), np.where(rises, high, low)
    numbers: Numbers = {}
    for field, value in vars(template).items():
        if field in _SHAPES and value is not None:
            numbers[field] = _mixed(*_SHAPES[field], count, rng)
        elif not isinstance(value, (bool, str)) and value is not None:
            known = {"high": first, "start": first, "low": last, "end": last, "steps": steps}
            numbers[field] = known.get(field, np.zeros(count))
    if "k_decay" in numbers and "cycles" in numbers:
        numbers["cycles"] = np.full(count, 0.5)
    return numbers


def _lengths(count: int, rng: np.random.Generator) -> Any:
    return np.floor(10.0 ** rng.uniform(0, 9, count)) * (rng.random(count) < 0.97)


def _decays(name: str, count: int, rng: np.random.Generator) -> Drawn:
    """Of 0 to a billion steps; what goes on for ever has a first wave of some."""
    steps = np.maximum(_lengths(count, rng), "waves" in name)
    t = times([0 * steps, steps, np.floor(steps / 2)], 2 * np.maximum(steps, 1), rng)
    return _decay(ANNEALED[name], steps, rng), t


def _cycles(name: str, count: int, rng: np.random.Generator) -> Drawn:
    template: Any = SHIPPED[name]
    period = np.maximum(_lengths(count, rng), 1)
    if template.starts:
        period = np.floor(10.0 ** rng.uniform(0, 4, count))
    cycle = _decay(template.cycle, period, rng)
    bottom = np.minimum(*(cycle[key] for key in list(cycle)[:2]))
    numbers = {
        **{f"cycle.{key}": value for key, value in cycle.items()},
        "decay": _mixed([1.0, 0.5, 0.0], 0.2, 1.05, count, rng),
        "low_decay": _mixed([1.0], 0.2, 1.05, count, rng),
        "toward": np.where(rng.random(count) < 0.5, 0.0, bottom),
    }
    limit = np.floor(2.0 ** rng.uniform(0, 6, count))
    if not template.starts:
        numbers["limit"] = np.where(rng.random(count) < 0.5, NEVER, limit)
        return numbers, times([period, 2 * period, limit * period], (limit + 2) * period, rng)
    starts, begun = _starts(period, rng)
    numbers["limit"] = np.where(rng.random(count) < 0.5, begun, np.minimum(limit, begun))
    numbers |= {f"starts[{i}]": start for i, start in enumerate(starts)}
    i = np.floor(rng.random(count) * begun).astype(np.int64)
    begin, end = starts[i, np.arange(count)], starts[i + 1, np.arange(count)]
    return numbers, begin + times([0 * begin, end - begin], 1.2 * (end - begin) + 2, rng)


def _starts(period: Any, rng: np.random.Generator) -> tuple[Any, Any]:
    """Return where cycles of growing or shrinking length start, and how many there are."""
    stretch = _mixed([2.0, 1.5, 3.0], 0.7, 2.5, len(period), rng)
    lengths = np.floor(period * np.minimum(stretch ** np.arange(STARTS)[:, None], 1e9))
    starts = np.concatenate([0 * lengths[:1], np.cumsum(lengths, axis=0)[:-1]])
    begun = np.sum((lengths[:-1] >= 1) & (starts[:-1] < 2.0**48), axis=0)
    return np.where(np.arange(STARTS)[:, None] > begun, NEVER, starts), begun * 1.0


def _warm_ups(name: str, count: int, rng: np.random.Generator) -> Drawn:
    template: Any = WARM_UPS[name]
    up, level, down = (_lengths(count, rng) for _ in range(3))
    decay = _decay(template.schedule.schedule, down, rng)
    peak, low = (decay[key] for key in list(decay)[:2])
    numbers = {
        **{f"schedule.schedule.{key}": value for key, value in decay.items()},
        "schedule.by": level,
        "steps": up,
        "start": np.where(rng.random(count) < 0.5, low, peak * rng.random(count)),
        "target": peak,
        "first": np.zeros(count),
    }
    falls = up + level
    return numbers, times([up, falls, falls + down], falls + 2 * down + 2, rng)


BY_LABEL: dict[str, Callable[[int, np.random.Generator], Drawn]] = {
    name: partial(draw, name)
    for draw, names in ((_decays, ANNEALED), (_cycles, CYCLES), (_warm_ups, WARM_UPS))
    for name in names
}
