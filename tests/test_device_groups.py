"""The rule kernels as schedulers have them: one count for several groups; recorded runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rule_cases import same
from rule_runner import greedy_rule, rates, run, values_of, written
from targets import HostTarget

from grilly import vk
from grilly.optim.lr_scheduler import GreedyLR, ReduceLROnPlateau
from grilly.rules import packed, reduce_on_plateau
from grilly.rules.base import WORST
from grilly.rules.on_device import device_plateau, held_of, plateau_groups, plateau_groups_held
from grilly.rules.packed import Held

GOLDEN = Path(__file__).with_name("golden")

GROUPS = [{"lr": 0.1}, {"lr": 0.02}, {"lr": 0.5}]


def noisy(rng: np.random.Generator, count: int) -> Any:
    trend = np.maximum(np.exp(-np.arange(count) / 40), 0.3)
    return np.round(trend + 0.02 * rng.standard_normal(count), 3)  # round: many are equal


def bested(rule: Any, held: Held) -> dict[str, Any]:
    """Return the counts, the worst metric where no other is the best one."""
    best = held.counts["best"]
    return {**held.counts, "best": WORST[rule.mode] if best is None else best}


def compare_groups(device: vk.Device, scheduler: Any, rule: Any, held: Any, metrics: Any) -> None:
    """Compare the states that ``held()`` returns with the device's, after each of the metrics."""
    courses = [held()]
    for metric in metrics:
        scheduler.step(metric)
        courses.append(held())
    packing, course = run(device, [rule], courses[:1], np.array(metrics), 99)
    for step, want in enumerate(courses[1:]):
        got = packed.read_state(packing, 0, course.states[step])
        assert same(got.values, want.values) and got.seen == want.seen
        assert same(bested(rule, got), bested(rule, want))
    jobs, dirty = written([rule], [[one.values] for one in courses], 99)
    assert np.array_equal(course.jobs, jobs) and np.array_equal(course.dirty, dirty)
    assert 0 < dirty.sum() < len(metrics)


PLATEAUS: list[dict[str, Any]] = [
    {"factor": 0.5, "patience": 3},
    {"factor": 0.7, "patience": 0, "cooldown": 2.5, "threshold": 0.02},
    {"factor": 0.9, "patience": 1.5, "mode": "max", "threshold_mode": "abs"},
    {"factor": -0.5, "patience": 4, "eps": 0.01},
    {"factor": 0.3, "patience": 2, "threshold": 1, "eps": 0},
]


@pytest.mark.parametrize("settings", PLATEAUS, ids=str)
def test_groups_share_one_count_as_in_torch(device: vk.Device, settings: dict[str, Any]) -> None:
    target = HostTarget("SGD", GROUPS)
    scheduler = ReduceLROnPlateau(target.optimizer, min_lr=[0.003, 0, 0.04], **settings)
    rule = plateau_groups(scheduler, scheduler.min_lrs, [[3, 30], [], [60]])
    falling = noisy(np.random.default_rng(7), 200)

    def held() -> Held:
        return plateau_groups_held(scheduler, rates(target))

    compare_groups(device, scheduler, rule, held, [*falling, -0.0, 0.0, *-falling])


GREEDIES: list[dict[str, Any]] = [
    {"factor": 0.5, "patience": 2, "reset_start": 3},
    {"factor": 0.7, "patience": 1.5, "cooldown": 1.5, "warmup": 2, "reset_start": 2.5},
    {"factor": 0.9, "patience": 1, "smooth": True, "window_size": 4.5, "reset_start": 2},
    {"factor": 0.6, "patience": 0, "mode": "max", "eps": 0.01, "reset_start": 1},
]


@pytest.mark.parametrize("settings", GREEDIES, ids=str)
def test_groups_share_one_count_as_in_greedy_lr(
    device: vk.Device, settings: dict[str, Any]
) -> None:
    target = HostTarget("SGD", GROUPS)
    bounds = {"min_lr": [0.05, 0.01, 0.3], "max_lr": [0.4, 0.02, 1]}
    scheduler = GreedyLR(target.optimizer, **bounds, **settings)
    rule = greedy_rule(scheduler, [[3, 30], [], [60]])

    def held() -> Held:
        return Held(scheduler._counts(), rates(target), scheduler.last_epoch)

    falling = noisy(np.random.default_rng(8), 300)
    compare_groups(device, scheduler, rule, held, falling)


# ---- What torch, optax and transformers recorded -------------------------------------------------


def recorded(name: str) -> Any:
    return json.loads((GOLDEN / f"{name}.json").read_text())


@pytest.mark.parametrize("name", ["max_abs", "max_rel_cool", "min_abs_eps"])
def test_groups_are_torchs(device: vk.Device, name: str) -> None:
    case = recorded(f"torch_plateau_{name}")
    target = HostTarget("SGD", [{"lr": group["lr"]} for group in case["groups"]])
    scheduler = ReduceLROnPlateau(target.optimizer, **case["args"])
    rule = plateau_groups(scheduler, scheduler.min_lrs, [[]] * len(case["groups"]))
    held = plateau_groups_held(scheduler, rates(target))
    assert [rates(target), *values_of(device, rule, held, case["metrics"])] == case["lr"]


def test_a_state_is_gone_on_from_with_one_group_more(device: vk.Device) -> None:
    case = recorded("torch_plateau_add_group")
    target = HostTarget("SGD", [{"lr": group["lr"]} for group in case["groups"]])
    scheduler = ReduceLROnPlateau(target.optimizer, **case["args"])
    added = next(t for t, row in enumerate(case["lr"]) if len(row) == 4)
    rule = plateau_groups(scheduler, [0] * 3, [[]] * 3)
    first = plateau_groups_held(scheduler, rates(target))
    metrics = np.array(case["metrics"])
    packing, course = run(device, [rule], [first], metrics[:added], 1)
    held = packed.read_state(packing, 0, course.states[-1])
    more = Held(held.counts, [*held.values, case["events"][0]["group"]["lr"]], held.seen)
    got = values_of(device, plateau_groups(scheduler, [0] * 4, [[]] * 4), more, metrics[added:])
    assert [more.values, *got] == case["lr"][added:]


@pytest.mark.parametrize("name", ["default", "p3_cool4", "accum5"])
def test_plateau_is_optaxs(device: vk.Device, name: str) -> None:
    case = recorded(f"optax_plateau_{name}")
    rule = reduce_on_plateau(**case["args"])
    got = values_of(device, device_plateau(rule, []), held_of(rule.start()), case["metrics"])
    np.testing.assert_allclose(got, case["scale"], rtol=1e-9)


def test_greedy_is_hugging_faces(device: vk.Device) -> None:
    case = recorded("hf_greedy_default")
    target = HostTarget("SGD", case["groups"])
    scheduler = GreedyLR(target.optimizer, **case["args"]["scheduler_specific_kwargs"])
    held = Held(scheduler._counts(), rates(target))
    got = values_of(device, greedy_rule(scheduler, [[], []]), held, case["metrics"])
    np.testing.assert_allclose([rates(target), *got], case["lr"], rtol=1e-9)
