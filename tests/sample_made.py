"""Samples of the schedules that the constructors with Hugging Face's and optax's names make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sample_named import HUGGING_FACE, Arguments, Rng, arguments, constructed

from grilly.program import Program, program
from grilly.schedules import SHIPPED, Schedule
from grilly.schedules.recipes import RISES

# Of each shipped structure: the constructor, and the arguments that select it.
NAMED: dict[str, tuple[str, Arguments]] = {
    f"hf_{name}": (name, {}) for name in HUGGING_FACE if f"hf_{name}" in SHIPPED
}
NAMED |= {
    f"hf_warmup_stable_decay_{rise}_{fall}".replace("1-sqrt", "sqrt"): (
        "warmup_stable_decay",
        {"warmup_type": rise, "decay_type": fall},
    )
    for rise in RISES
    for fall in RISES
}
NAMED |= {
    "optax_cosine": ("warmup_cosine_decay_schedule", {"exponent": 1.0}),
    "optax_cosine_exponent": ("warmup_cosine_decay_schedule", {"exponent": 0.5}),
}
NAMED |= {
    "optax_exponential" + "_stair" * stair + "_to" * (end is not None): (
        "warmup_exponential_decay_schedule",
        {"staircase": stair, "end_value": end},
    )
    for stair in (False, True)
    for end in (None, 1e-4)
}
EACH = 100  # steps of one schedule


@dataclass
class Made:
    """Evaluations of schedules of one structure: their row constants, and a step of each."""

    program: Program
    constants: np.ndarray[Any, Any]
    t: np.ndarray[Any, Any]
    k: np.ndarray[Any, Any]
    formula: Callable[[int], Schedule]


def named(name: str, count: int, rng: Rng) -> Made:
    """Return ``count`` samples of the shipped structure ``name``."""
    constructor, fixed = NAMED[name]
    each = min(EACH, count)
    draws = [drawn(constructor, fixed, each, rng) for _ in range(count // each)]
    return made([schedule for schedule, _ in draws], [steps for _, steps in draws])


def drawn(constructor: str, fixed: Arguments, count: int, rng: Rng) -> tuple[Schedule, Any]:
    """Return a schedule that ``constructor`` makes, and ``count`` steps."""
    own = arguments(constructor, rng, most=10.0 ** rng.uniform(1, 9), odd=False) | fixed
    return constructed(constructor, own, float(10.0 ** rng.uniform(-6, 1))), _steps(own, count, rng)


def made(schedules: list[Schedule], steps: list[Any]) -> Made:
    """Return samples of schedules of one structure, each at as many steps."""
    each, programs = len(steps[0]), [program(schedule) for schedule in schedules]
    assert all(own.structure == programs[0].structure for own in programs)
    rows = np.repeat(np.stack([own.constants for own in programs]), each, axis=0)
    k = np.ones(len(rows), np.int64)
    return Made(programs[0], rows, np.concatenate(steps), k, lambda i: schedules[i // each])


def _steps(own: Arguments, count: int, rng: Rng) -> Any:
    """Return steps, half of them close to where something begins or ends."""
    lengths = [0.0, *_whole(own)]
    marks = [a + b for a in lengths for b in lengths]
    near = rng.choice(marks, count) + rng.integers(-2, 3, count)
    anywhere = np.floor(1.2 * max(marks) * rng.random(count))
    return np.clip(np.where(rng.random(count) < 0.5, near, anywhere), 0, 2.0**53)


def _whole(value: Any) -> list[int]:
    """Return the whole numbers in arguments: lengths and boundaries."""
    if isinstance(value, dict):
        return [n for pair in value.items() for one in pair for n in _whole(one)]
    if isinstance(value, list):
        return [n for one in value for n in _whole(one)]
    return [value] if isinstance(value, int) and not isinstance(value, bool) else []
