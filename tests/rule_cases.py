"""Random rules and metrics, what Python makes of them, and whether a device does the same."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from rule_runner import run, written

from grilly import vk
from grilly.rules import Greedy, Plateau, packed
from grilly.rules.base import WORST, tolerances
from grilly.rules.on_device import device_greedy, device_plateau, held_of, state_of

METRICS, RULES = 400, 30
JOB = 8  # words between the targets

Draw = Callable[[np.random.Generator, bool], Any]


def common(rng: np.random.Generator, counted: bool) -> dict[str, Any]:
    mode = str(rng.choice(["rel", "abs"]))
    top = {"rel": [0.0, 1e-4, 0.02, 0.3, 1.0], "abs": [0.0, 1e-6, 0.02, 2.0]}[mode]
    return {
        "mode": str(rng.choice(["min", "max"])),
        "threshold_mode": mode,
        "threshold": float(rng.choice(top)),
        "factor": float(rng.choice([0.1, 0.5, 0.95, 1 / 3, rng.random() * 0.9 + 0.05])),
        "cooldown": int(rng.integers(0, 4)),
        "eps": float(rng.choice([0.0, 1e-8, 1e-3])),
        "accept_nonfinite": counted,
    }


def some_plateau(rng: np.random.Generator, counted: bool) -> Plateau:
    value = float(rng.choice([1.0, 0.1, 3e-310, rng.random()]))
    return Plateau(
        value,
        **common(rng, counted),
        patience=int(rng.integers(1, 5)),
        min_value=float(rng.choice([0.0, -1.0, value / 7])),
        convention=rng.choice(["torch", "optax"]).item(),
        accumulation=int(rng.choice([1, 1, 2, 3, 7])),
        atol=float(rng.choice([0.0, 0.0, 1e-3])),
    )


def some_greedy(rng: np.random.Generator, counted: bool) -> Greedy:
    value = float(rng.choice([1.0, 0.1, rng.random()]))
    return Greedy(
        value,
        **common(rng, counted),
        patience=int(rng.integers(0, 4)),
        warmup=int(rng.integers(0, 4)),
        min_value=float(rng.choice([value / 7, value])),
        max_value=float(rng.choice([value, value * 5])),
        smooth=bool(rng.random() < 0.5),
        window_size=int(rng.integers(1, 9)),
        reset_start=int(rng.integers(1, 6)),
    )


KINDS: dict[str, tuple[Draw, Any]] = {
    "plateau": (some_plateau, device_plateau),
    "greedy": (some_greedy, device_greedy),
}


def limit_of(rule: Any, state: dict[str, Any]) -> float:
    """Return the metric at which better begins."""
    best = WORST[rule.mode] if state["best"] is None else state["best"]
    rtol, atol = tolerances(rule.threshold, rule.threshold_mode)
    atol += getattr(rule, "atol", 0.0)
    return best * (1 - rtol) - atol if rule.mode == "min" else best * (1 + rtol) + atol


def next_metric(rng: np.random.Generator, last: float, limit: float, strange: float) -> float:
    """Return a metric: the last one again, at a threshold or beside it, anywhere, or not finite."""
    if rng.random() < strange:
        return float(rng.choice([math.nan, math.inf, -math.inf, 1e308, -1e308, -0.0, 5e-324]))
    how = rng.integers(0, 8)
    near = limit if math.isfinite(limit) else 1.0
    if how < 3:
        return [near, math.nextafter(near, math.inf), math.nextafter(near, -math.inf)][how]
    if how == 3 and math.isfinite(last):
        return last
    trend = near if rng.random() < 0.7 and abs(near) < 1e6 else 0.0
    return float(trend + rng.normal() * 10.0 ** rng.integers(-9, 1))


def same(got: Any, want: Any) -> bool:
    """Return whether two states are the same: floats in every bit, though a nan is a nan."""
    if isinstance(want, dict):
        return got.keys() == want.keys() and all(same(got[key], want[key]) for key in want)
    if isinstance(want, list):
        return len(got) == len(want) and all(map(same, got, want))
    if isinstance(want, float) and not math.isnan(want):
        return bool(got == want) and math.copysign(1, got) == math.copysign(1, want)
    return math.isnan(got) if isinstance(want, float) else bool(got == want)


class Case:
    """Rules, metrics, and what Python makes of them."""

    def __init__(self, kind: str, nonfinite: str, dtype: Any, seed: int) -> None:
        rng = np.random.default_rng([seed, *kind.encode(), *nonfinite.encode()])
        draw, self.on_device = KINDS[kind]
        self.nonfinite, self.dtype = nonfinite, dtype
        self.rules = [draw(rng, nonfinite == "count") for _ in range(RULES)]
        self.states = [[rule.start() for rule in self.rules]]
        # Some rules are in a later phase, some in one that ends.
        self.waits = rng.choice([0, 0, 1, 40], RULES)
        self.lasts = rng.choice([METRICS, METRICS, METRICS, 250, 1], RULES)
        self.metrics: list[float] = []
        self.seen = [[0] * RULES]
        self.refused: list[list[float | None]] = [[None] * RULES]
        for _ in range(METRICS):
            i = rng.integers(0, RULES)
            limit = limit_of(self.rules[i], self.states[-1][i])
            last = self.metrics[-1] if self.metrics else 1.0
            self.take(float(dtype(next_metric(rng, last, limit, 0.02 * seed))))
        slots = rng.permutation(2 * RULES) * JOB
        targets = [slots[2 * i : 2 * i + i % 3].tolist() for i in range(RULES)]
        pairs = zip(self.rules, targets, strict=True)
        self.given = [self.on_device(rule, places, nonfinite) for rule, places in pairs]

    def take(self, metric: float) -> None:
        step = len(self.metrics)
        self.metrics.append(metric)
        counted = self.nonfinite == "count" or math.isfinite(metric)
        awake = [0 <= step - w < n for w, n in zip(self.waits, self.lasts, strict=True)]
        now = zip(self.rules, self.states[-1], self.seen[-1], self.refused[-1], awake, strict=True)
        after = [
            (rule.update(state, metric), seen + 1, refused)
            if look and counted
            else (state, seen, metric if look and refused is None else refused)
            for rule, state, seen, refused, look in now
        ]
        states, seen, refused = zip(*after, strict=True)
        self.states.append(list(states))
        self.seen.append(list(seen))
        self.refused.append(list(refused) if self.nonfinite == "raise" else [None] * RULES)

    def differing(self, device: vk.Device, spirv: bytes | None = None) -> int:
        """Return after how many metrics something on the device is not as it is in Python."""
        jobs = 2 * RULES * JOB
        held = [
            replace(held_of(state), waits=waits, left=None if left == METRICS else left)
            for state, waits, left in zip(self.states[0], self.waits, self.lasts, strict=True)
        ]
        metrics = np.array(self.metrics, self.dtype)
        packing, course = run(device, self.given, held, metrics, jobs, spirv)
        values = [[[state["value"]] for state in row] for row in self.states]
        want_jobs, want_dirty = written(self.given, values, jobs)
        assert want_dirty.any()
        wrong = (course.jobs != want_jobs).any(axis=1) | (course.dirty != want_dirty)[:, 0]
        for step in range(METRICS):
            got = [packed.read_state(packing, i, course.states[step]) for i in range(RULES)]
            wrong[step] |= not same([state_of(one) for one in got], self.states[step + 1])
            wrong[step] |= [one.seen for one in got] != self.seen[step + 1]
            wrong[step] |= not same([one.refused for one in got], self.refused[step + 1])
        return int(wrong.sum())
