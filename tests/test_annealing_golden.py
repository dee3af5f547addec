"""Cosines, cycles, tanh and warmup-stable-decay beside recorded runs of five other libraries."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from grilly.optim import SGD, ParamScheduler
from grilly.schedules import (
    CosineDecay,
    End,
    Interpolate,
    Schedule,
    Tanh,
    Triangle,
    WarmUp,
    restarts,
    schedule_of,
    warmup_stable_decay,
)

GOLDEN = Path(__file__).with_name("golden")
RELATIVE = 1e-9
Arguments = dict[str, Any]


def keras_cosine(a: Arguments, lr: float) -> Schedule:
    peak = a.get("warmup_target", lr)
    decay = CosineDecay(peak, a["alpha"] * peak, a["decay_steps"])
    return WarmUp(decay, a["warmup_steps"], start=lr) if "warmup_steps" in a else decay


def keras_restarts(a: Arguments, lr: float) -> Schedule:
    low = a.get("alpha", 0.0) * lr
    return restarts(
        CosineDecay(lr, low, a["first_decay_steps"]), a["t_mul"], a["m_mul"], toward=low
    )


def timm_cycled(decay: Any, a: Arguments) -> Schedule:
    names = {"stretch": "cycle_mul", "decay": "cycle_decay"}
    return restarts(
        decay, **{own: a.get(key, 1.0) for own, key in names.items()}, limit=a.get("cycle_limit", 1)
    )


def timm_cosine(a: Arguments, lr: float) -> Schedule:
    low = a.get("lr_min", 0.0)
    cycles = timm_cycled(CosineDecay(lr, low, a["t_initial"], k_decay=a.get("k_decay")), a)
    if "noise_pct" in a:
        return cycles * schedule_of(timm_noise(a))
    if "warmup_t" in a:
        return WarmUp(cycles, a["warmup_t"], a["warmup_lr_init"], target=lr, shifted=False)
    return cycles


def timm_noise(a: Arguments) -> Callable[[float], float]:
    """Return 1 + n: n is normal, seeded by the step, drawn again until it is below the limit."""
    first, last = a["noise_range_t"]

    def factor(t: float) -> float:
        if not first <= t < last:
            return 1.0
        generator = torch.Generator()
        generator.manual_seed(a["noise_seed"] + int(t))
        while True:
            n = a["noise_std"] * torch.randn(1, generator=generator).item()
            if abs(n) < a["noise_pct"]:
                return 1.0 + n

    return factor


def timm_tanh(a: Arguments, lr: float) -> Schedule:
    cycle = Tanh(lr, a.get("lr_min", 0.0), a["t_initial"], a["lb"], a["ub"])
    return WarmUp(timm_cycled(cycle, a), a["warmup_t"], start=0.0, target=lr)


def timm_wsd(a: Arguments, lr: float) -> Schedule:
    return warmup_stable_decay(
        max(lr, a["lr_min"]),
        a["warmup_t"],
        a["t_initial"] - a["decay_t"],
        a["decay_t"],
        low=a["lr_min"],
        start=a["warmup_lr_init"],
        decay_shape=a["decay_fn"],
    )


def ignite(shape: Any) -> Callable[[Arguments, float], Schedule]:
    def made(a: Arguments, _: float) -> Schedule:
        return restarts(
            shape(a["start_value"], a["end_value"], a["cycle_size"]),
            a.get("cycle_mult", 1.0),
            a.get("start_value_mult", 1.0),
            low_decay=a.get("end_value_mult", 1.0),
            whole=True,
        )

    return made


def ignite_monotonic(a: Arguments, _: float) -> Schedule:
    """Return the saw of which each tooth begins with a warm-up, but for the first."""
    start, end, size = a["start_value"], a["end_value"], a["cycle_size"]
    period = size + a["warmup_duration"]
    return End(Interpolate((0, size, period), (start, end, start)), period, "cycle")


MAKERS: dict[str, Callable[[Arguments, float], Schedule]] = {
    "keras_cosine": keras_cosine,
    "keras_cosine_warm": keras_cosine,
    "keras_cosine_restarts_1": keras_restarts,
    "timm_cosine": timm_cosine,
    "timm_cosine_cycles": timm_cosine,
    "timm_cosine_cycles_same": timm_cosine,
    "timm_cosine_noise": timm_cosine,
    "timm_cosine_warm_noprefix": timm_cosine,
    "timm_tanh_cycles": timm_tanh,
    "timm_wsd_linear": timm_wsd,
    "timm_wsd_power": timm_wsd,
    "fvcore_cosine": lambda a, _: CosineDecay(a["start_value"], a["end_value"], 300),
    "ignite_cosine": ignite(CosineDecay),
    "ignite_linear_cyc": ignite(Triangle),
    "ignite_linear_cyc_mono_warm": ignite_monotonic,
    "ignite_linear_cyc_mult": ignite(Triangle),
}


def load(name: str) -> tuple[list[tuple[Schedule, float]], Any]:
    """Return each group's schedule and the factor of its rates, and the recorded rates."""
    case = json.loads((GOLDEN / f"{name}.json").read_text())
    arguments = case["args"]
    groups = case["groups"] or [{"lr": arguments.get("initial_learning_rate", math.nan)}]
    schedules = [
        (MAKERS[name](arguments, group["lr"]), group.get("lr_scale", 1.0)) for group in groups
    ]
    return schedules, np.array(case["lr"])


@pytest.mark.parametrize("name", MAKERS)
def test_values_are_theirs(name: str) -> None:
    schedules, want = load(name)
    for group, (schedule, factor) in enumerate(schedules):
        got = [factor * float(schedule(float(t))) for t in range(len(want))]
        np.testing.assert_allclose(got, want[:, group], rtol=RELATIVE, atol=0)


@pytest.mark.alike
@pytest.mark.parametrize(
    "name", ["timm_cosine_noise", "timm_tanh_cycles", "ignite_linear_cyc_mult"]
)
def test_a_scheduler_writes_them_and_the_device_holds_them(name: str, place: str | int) -> None:
    """Seeded noise is no formula: it is sampled on the host, a window of steps ahead."""
    schedules, want = load(name)
    groups = [{"params": [np.zeros(1, np.float32)]} for _ in schedules]
    optimizer = SGD(groups, lr=1.0, device=place)
    scheduler = ParamScheduler(optimizer, {"lr": [one * scale for one, scale in schedules]})
    for row in want:
        rates = scheduler.get_last_lr()
        np.testing.assert_allclose(rates, row, rtol=RELATIVE, atol=0)
        held = optimizer.read_hyperparameters()["lr"]
        np.testing.assert_array_equal(held, np.float32(rates))
        optimizer.step(gradients=[np.zeros(1, np.float32)] * len(groups))
        scheduler.step()
