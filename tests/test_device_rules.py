"""The rule kernels against the rules in Python: every state, value and target, in every bit."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rule_runner import run, written
from targets import HostTarget

from grilly import shaders, vk, xfloat
from grilly.errors import DeviceLimitError, StateError
from grilly.optim.lr_scheduler import GreedyLR, ReduceLROnPlateau
from grilly.rules import Greedy, Plateau, packed, reduce_on_plateau, words
from grilly.rules.base import WORST, metric_of, tolerances
from grilly.rules.on_device import (
    device_greedy,
    device_plateau,
    greedy_groups,
    held_of,
    plateau_groups,
    plateau_groups_held,
    state_of,
)
from grilly.rules.packed import DeviceRule, Held
from grilly.vk import spirv as vk_spirv

GOLDEN = Path(__file__).with_name("golden")
ROOT = Path(__file__).parents[1]
METRICS, RULES = 400, 30
JOB = 8  # words between the targets of the tests

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


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("nonfinite", words.NONFINITE)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("seed", [1, 2])
@np.errstate(over="ignore")
def test_a_kernel_does_what_the_rules_do(
    device: vk.Device, kind: str, nonfinite: str, dtype: Any, seed: int
) -> None:
    case = Case(kind, nonfinite, dtype, seed)
    moved = [len({row[i]["value"] for row in case.states}) for i in range(RULES)]
    assert sum(count > 2 for count in moved) > RULES // 5
    assert case.differing(device) == 0


@pytest.mark.heavy
@pytest.mark.parametrize("kind", KINDS)
@np.errstate(over="ignore")
def test_a_kernel_does_what_the_rules_do_for_many_more(device: vk.Device, kind: str) -> None:
    for seed in range(100, 120):
        for nonfinite in words.NONFINITE:
            assert Case(kind, nonfinite, np.float64, seed).differing(device) == 0


def test_a_refused_metric_is_told_as_on_the_host(device: vk.Device) -> None:
    rule = Plateau(0.5)
    metrics = np.array([1.0, math.inf, 2.0, math.nan], np.float32)
    packing, course = run(device, [device_plateau(rule, [])], [held_of(rule.start())], metrics, 1)
    held = packed.read_state(packing, 0, course.states[-1])
    assert (held.seen, held.refused, held.counts["best"]) == (2, math.inf, 1.0)
    with pytest.raises(ValueError, match="metrics must be finite, got inf"):
        metric_of(held.refused)


# (kernel, policy, text, what it becomes): each must show
MUTANTS = [
    ("plateau", "count", "f64_less(setting(at + SETTING_PATIENCE), bad)", "false"),
    ("plateau", "count", "better || waits", "better"),
    ("plateau", "count", "f64_mul(before, held(counts + STATE_MEAN))", "F64_ONE"),
    ("plateau", "count", "!f64_less(count, wanted)", "f64_less(wanted, count)"),
    ("plateau", "count", "setting(at + SETTING_COOLDOWN), waiting", "F64_ZERO, waiting"),
    ("greedy", "count", "many == places", "many + 1u == places"),
    ("greedy", "count", "(oldest + many) % places", "many % places"),
    ("greedy", "count", "hold(better ? bad : good, F64_ZERO);", ""),
    ("greedy", "count", "anew = !f64_less(F64_ONE, left)", "anew = false"),
    ("greedy", "count", "if (anew) forget(at, counts);\n  else ", ""),
    ("greedy", "count", "u64_select(over, limit, number)", "number"),
    ("greedy", "count", "if (k == many && at_least)", "if (k == many)"),
    ("greedy", "count", "setting(at + SETTING_RESET_START)", "F64_ONE"),
    ("greedy", "raise", "if (!admitted(at, counts, metric)) return;", ""),
]


@pytest.mark.gpu
@pytest.mark.skipif(not vk.devices(), reason="no Vulkan device")
@pytest.mark.parametrize(("kind", "nonfinite", "text", "planted"), MUTANTS)
@np.errstate(over="ignore")
def test_planted_errors_are_seen(kind: str, nonfinite: str, text: str, planted: str) -> None:
    device = vk.open_device(vk.devices()[-1])  # one: it is the comparison that is tested here
    original = (ROOT / "shaders" / "rule" / f"{kind}.comp").read_text()
    assert original.count(text) == 1
    spirv = vk.compile_glsl(original.replace(text, planted))
    assert Case(kind, nonfinite, np.float64, 1).differing(device, spirv) > 0


# ---- One count for the values of several groups --------------------------------------------------

GROUPS = [{"lr": 0.1}, {"lr": 0.02}, {"lr": 0.5}]


def noisy(rng: np.random.Generator, count: int) -> Any:
    trend = np.maximum(np.exp(-np.arange(count) / 40), 0.3)
    return np.round(trend + 0.02 * rng.standard_normal(count), 3)  # round: many are equal


def rates(target: Any) -> list[float]:
    return [float(group["lr"]) for group in target.groups]


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


def greedy_rule(scheduler: GreedyLR, targets: Any) -> DeviceRule:
    bounds = list(zip(scheduler.min_lrs, scheduler.max_lrs, scheduler._init_lrs, strict=True))
    return greedy_groups(scheduler, bounds, scheduler.reset_start_original, targets)


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


def values_of(device: vk.Device, rule: Any, held: Held, metrics: list[float]) -> list[list[float]]:
    packing, course = run(device, [rule], [held], np.array(metrics), 1)
    return [packed.read_state(packing, 0, row).values for row in course.states]


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


# ---- Words ---------------------------------------------------------------------------------------


def test_a_name_has_one_place_in_all_kinds() -> None:
    """The printed constants do not say of which kind they are."""
    for kinds in (words.SETTINGS, words.STATES, words.BOUNDS):
        places: dict[str, set[int]] = {}
        for fields in kinds.values():
            for name, at in words.offsets(fields).items():
                places.setdefault(name, set()).add(at)
        assert all(len(found) == 1 for found in places.values())


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_comes_back_as_it_was_written(kind: str) -> None:
    case = Case(kind, "count", np.float64, 5)
    packing = packed.pack(case.given)
    for row in case.states[:: METRICS // 8]:
        held = [replace(held_of(state, 7), refused=-math.inf, waits=3, left=4) for state in row]
        state = np.concatenate([packed.write_state(packing, i, one) for i, one in enumerate(held)])
        assert len(state) == packing.state_words
        got = [packed.read_state(packing, i, state) for i in range(RULES)]
        assert same([state_of(one) for one in got], row)
        assert all((o.seen, o.refused, o.waits, o.left) == (7, -math.inf, 3, 4) for o in got)


def test_as_many_targets_as_the_loops_allow(device: vk.Device) -> None:
    rule = Plateau(0.5, factor=0.5, patience=0)
    count = words.MAX_ROUNDS - 7
    given = device_plateau(rule, [3 * i for i in range(count)])
    _, course = run(device, [given], [held_of(rule.start())], np.array([1.0, 1.0]), 3 * count)
    assert np.array_equal(
        course.jobs[1], np.tile(xfloat.to_words(xfloat.from_float64(0.25)), count)
    )
    with pytest.raises(DeviceLimitError, match="rules take 65536 rounds"):
        packed.pack([device_plateau(rule, [0] * (count + 1))])


def test_as_many_rules_as_the_loops_allow(device: vk.Device) -> None:
    rule = Plateau(0.5, factor=0.5, patience=0, accumulation=2)
    count = words.MAX_ROUNDS // 7
    held = [held_of(rule.start())] * count
    metrics = np.ones(4, np.float32)
    packing, course = run(device, [device_plateau(rule, [])] * count, held, metrics, 1)
    last = packed.read_state(packing, count - 1, course.states[-1])
    assert (last.values, last.seen) == ([0.25], 4)


def test_as_many_values_as_the_loops_allow(device: vk.Device) -> None:
    count = (words.MAX_ROUNDS - 6) // 6
    target = HostTarget("SGD", [{"lr": 0.25}])
    scheduler = GreedyLR(target.optimizer, factor=0.5, patience=0, smooth=True)
    bounds = [(0.0, 1.0, 0.25)] * count
    rule = greedy_groups(scheduler, bounds, 500, [[]] * count)
    held = Held(scheduler._counts(), [0.25] * count)
    got = values_of(device, rule, held, [1.0, 2.0, 2.0])
    assert got == [[0.5] * count, [0.25] * count, [0.125] * count]
    with pytest.raises(DeviceLimitError, match="rounds of a loop"):
        packed.pack([greedy_groups(scheduler, [*bounds, (0, 1, 0)], 500, [[]] * (count + 1))])


PLATEAU, GREEDY = Plateau(0.5), Greedy(0.5, smooth=True, window_size=2)


def test_rules_that_no_device_can_count() -> None:
    with pytest.raises(ValueError, match="cooldown must be at most 2\\*\\*53"):
        device_plateau(Plateau(cooldown=2**54), [])
    with pytest.raises(ValueError, match="nonfinite must be"):
        device_plateau(PLATEAU, [], "skip")
    with pytest.raises(ValueError, match=r"least must be finite, got -inf"):
        plateau_groups(PLATEAU, [-math.inf], [[]])
    with pytest.raises(ValueError, match="each of its values, got 2 and 1"):
        plateau_groups(PLATEAU, [0, 0], [[]])
    with pytest.raises(ValueError, match="targets must be words of the jobs, got -1"):
        packed.pack([device_plateau(PLATEAU, [-1])])
    with pytest.raises(ValueError, match=r"one kind, got \['greedy', 'plateau'\]"):
        packed.pack([device_plateau(PLATEAU, []), device_greedy(GREEDY, [])])
    with pytest.raises(ValueError, match=r"one kind, got \[\]"):
        packed.pack([])


def test_states_that_no_device_can_go_on_from() -> None:
    packing = packed.pack([device_greedy(GREEDY, [])])
    counts = held_of(GREEDY.start()).counts
    with pytest.raises(StateError, match="window must have at most window_size=2 metrics, got 3"):
        packed.write_state(packing, 0, Held({**counts, "window": [1.0, 2.0, 3.0]}, [0.5]))
    with pytest.raises(StateError, match="values must be 1 finite numbers"):
        packed.write_state(packing, 0, Held(counts, [math.nan]))
    with pytest.raises(StateError, match="values must be 1 finite numbers"):
        packed.write_state(packing, 0, Held(counts, [0.5, 0.5]))
    with pytest.raises(StateError, match="left must be from 0 to"):
        packed.write_state(packing, 0, Held(counts, [0.5], left=-1))
    with pytest.raises(ValueError, match="bad must be at most"):
        packed.write_state(packing, 0, Held({**counts, "bad": 2**54}, [0.5]))


@pytest.mark.parametrize("kind", KINDS)
def test_the_kernels_have_no_floating_point(kind: str) -> None:
    code = shaders.spirv(f"rule/{kind}")
    opcodes = {number for number, _ in vk_spirv._instructions(code)}
    assert 21 in opcodes and 22 not in opcodes  # OpTypeInt, OpTypeFloat
