"""Rules against torch's ReduceLROnPlateau, recorded runs of optax, and plain loops."""

from __future__ import annotations

import copy
import dataclasses
import itertools
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from grilly import StateError, rules
from grilly.program import program
from grilly.rules import Greedy, Multiplicative, Plateau, reduce_on_plateau
from grilly.schedules import Constant, End, Ramp, Schedule, Shift, Stretch, Sum, join

GOLDEN = Path(__file__).with_name("golden")
NAN, INF = math.nan, math.inf


def recorded(name: str) -> dict[str, Any]:
    case: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text())
    return case


def noisy(seed: int, count: int, sign: float = 1.0) -> list[float]:
    """Return metrics that improve for a while and then go up and down."""
    rng = np.random.default_rng(seed)
    trend = np.maximum(np.exp(-np.arange(count) / 20), 0.3)
    return [float(m) for m in sign * (trend + 0.05 * rng.standard_normal(count))]


def run(rule: Any, metrics: list[Any]) -> list[float]:
    """Return a rule's values after each metric."""
    state, values = rule.start(), []
    for metric in metrics:
        state = rule.update(state, metric)
        values.append(rule.value_of(state))
    return values


def play(tree: Any, metrics: list[Any]) -> list[float]:
    """Return the value of a schedule with rules at each step, as a scheduler takes it."""
    states, values = rules.starts(tree), []
    for t, metric in enumerate(metrics):
        values.append(float(rules.bind(tree, states)(t)))
        states = rules.advance(tree, states, t, metric)
    return values


def best_of(rule: Plateau, state: dict[str, Any]) -> float:
    """Return the best metric as torch writes it: an infinity if there is none."""
    none = INF if rule.mode == "min" else -INF
    return none if state["best"] is None else float(state["best"])


# --- torch ---------------------------------------------------------------------------------------

SETTINGS = [
    dict(zip(("mode", "threshold_mode", "patience", "cooldown"), values, strict=True))
    for values in itertools.product(("min", "max"), ("rel", "abs"), (0, 1, 4), (0, 3))
]
EDGES: list[dict[str, Any]] = [
    {"eps": 0.01},
    {"min_lr": 0.02},
    {"min_lr": 0.1},
    {"threshold": 0.0},
    {"threshold": 1.0},
    {"threshold": 0.05},
    {"threshold": 0.05, "threshold_mode": "abs"},
    {"threshold": 0.05, "mode": "max"},
    {"threshold": 0.05, "mode": "max", "threshold_mode": "abs"},
    {"factor": 0.99, "patience": 0, "eps": 9e-4},
    {"factor": 0.999999999},
]


@pytest.mark.parametrize("settings", [*SETTINGS, *EDGES], ids=str)
def test_plateau_is_torchs(settings: dict[str, Any]) -> None:
    settings = {"factor": 0.7, "patience": 1, **settings}
    optimizer = torch.optim.SGD([torch.ones(1)], lr=0.1)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **settings)
    own = {"min_value" if key == "min_lr" else key: value for key, value in settings.items()}
    rule = Plateau(0.1, **own)
    state, cuts = rule.start(), 0
    for metric in noisy(3, 200, 1.0 if settings.get("mode", "min") == "min" else -1.0):
        theirs.step(metric)
        before, state = state, rule.update(state, metric)
        cuts += state["value"] != before["value"]
        assert rule.value_of(state) == theirs.get_last_lr()[0]
        assert best_of(rule, state) == theirs.best
        assert (state["bad"], state["cooldown"]) == (
            theirs.num_bad_epochs,
            theirs.cooldown_counter,
        )
    assert cuts > 0 or settings.get("min_lr") == 0.1 or settings["factor"] > 0.9999


@pytest.mark.parametrize("mode", ["min", "max"])
def test_metrics_that_are_not_finite_count_as_torch_counts_them(mode: Any) -> None:
    optimizer = torch.optim.SGD([torch.ones(1)], lr=0.1)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode=mode, patience=1)
    rule = Plateau(0.1, mode=mode, patience=1, accept_nonfinite=True)
    state = rule.start()
    for metric in (NAN, INF, NAN, 1.0, INF, NAN, 0.5, NAN, -INF, 1.0, 1.0, 1.0, NAN):
        theirs.step(metric)
        state = rule.update(state, metric)
        rule.check(json.loads(json.dumps(state)), "state")
        assert rule.value_of(state) == theirs.get_last_lr()[0]
        assert best_of(rule, state) == theirs.best


# --- optax ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["default", "accum5", "p3_cool4"])
def test_plateau_is_optaxs(name: str) -> None:
    case = recorded(f"optax_plateau_{name}")
    values = run(reduce_on_plateau(**case["args"]), case["metrics"])
    np.testing.assert_allclose(values, np.array(case["scale"])[:, 0], rtol=1e-9)
    assert len(set(values)) > 3


def test_one_bad_metric_more_is_torchs_patience() -> None:
    flat = [1.0] * 8
    assert run(Plateau(patience=3, factor=0.5), flat).index(0.5) == 4
    assert run(Plateau(patience=3, factor=0.5, convention="optax"), flat).index(0.5) == 3


def test_optax_has_no_eps() -> None:
    scales = run(reduce_on_plateau(patience=1), [1.0] * 12)
    np.testing.assert_allclose(scales, [0.1**t for t in range(12)], rtol=1e-14)


def test_accumulation_judges_means() -> None:
    metrics = noisy(5, 300)
    means = [sum(metrics[i : i + 3]) / 3 for i in range(0, 300, 3)]
    every = run(Plateau(patience=2, factor=0.5, accumulation=3), metrics)
    assert every[2::3] == run(Plateau(patience=2, factor=0.5), means)
    assert every[3::3] == every[2:-1:3] and len(set(every)) > 3


# --- Hugging Face --------------------------------------------------------------------------------


def greedy_loop(metrics: list[float], value: float, **more: Any) -> list[float]:
    """Hugging Face's rule as a loop over one rate, written from its description."""
    s = {"factor": 0.95, "patience": 10, "threshold": 1e-6, "mode": "min", "rel": False}
    s |= {"cooldown": 0, "warmup": 0, "low": 1e-3, "high": 1.0, "eps": 1e-8, "size": 0}
    s |= {"resets": 500, **more}
    first, rates, seen = value, [], []
    sign = 1 if s["mode"] == "min" else -1
    best, good, bad, rest, left = INF, 0, 0, 0, s["resets"]
    for metric in metrics:
        seen = [*seen, metric][-s["size"] :] if s["size"] else [metric]
        m = sign * sum(seen) / len(seen)
        if rest:
            rest, good, bad = rest - 1, 0, 0
            rates.append(value)
            continue
        margin = s["threshold"] * (abs(best) if s["rel"] and best < INF else 1)
        if m < best - margin:
            best, good, bad = m, good + 1, 0
        else:
            good, bad = 0, bad + 1
        if good > s["patience"]:
            new, good, rest, left = min(value / s["factor"], s["high"]), 0, s["warmup"], s["resets"]
            value = new if new - value > s["eps"] else value
        elif bad > s["patience"]:
            new, bad, rest = max(value * s["factor"], s["low"]), 0, s["cooldown"]
            value = new if value - new > s["eps"] else value
            left -= value <= s["low"]
            if left <= 0:
                value, best, good, bad, rest, left, seen = first, INF, 0, 0, 0, s["resets"], []
        rates.append(value)
    return rates


GREEDY: list[dict[str, Any]] = [
    {"patience": 0},
    {"patience": 1, "cooldown": 2},
    {"patience": 1, "warmup": 3, "factor": 0.5},
    {"patience": 2, "smooth": True, "window_size": 4},
    {"patience": 0, "factor": 0.5, "min_value": 0.05, "reset_start": 3},
    {"patience": 0, "factor": 0.5, "min_value": 0.05, "reset_start": 1, "smooth": True},
    {"patience": 1, "mode": "max"},
    {"patience": 1, "threshold_mode": "rel", "threshold": 0.02},
    {"patience": 0, "eps": 0.004},
    {"patience": 0, "max_value": 0.15},
    {"patience": 0, "max_value": 0.103, "eps": 0.004},
]


@pytest.mark.parametrize("settings", GREEDY, ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_greedy_is_the_described_loop(settings: dict[str, Any], seed: int) -> None:
    metrics = noisy(seed, 250, -1.0 if settings.get("mode") == "max" else 1.0)
    names = {"min_value": "low", "max_value": "high", "reset_start": "resets"}
    plain = {names.get(key, key): value for key, value in settings.items()}
    plain["rel"] = plain.pop("threshold_mode", "abs") == "rel"
    plain["size"] = plain.pop("window_size", 50) if plain.pop("smooth", False) else 0
    values = run(Greedy(0.1, **settings), metrics)
    np.testing.assert_allclose(values, greedy_loop(metrics, 0.1, **plain), rtol=1e-12)
    assert len(set(values)) > 2 and (max(values) > 0.1 or min(values) < 0.1)


@pytest.mark.parametrize("group", [0, 1])
def test_greedy_is_hugging_faces(group: int) -> None:
    case = recorded("hf_greedy_default")
    rates = np.array(case["lr"])[:, group]
    values = run(Greedy(rates[0], min_value=1e-6), case["metrics"])
    np.testing.assert_allclose(values, rates[1:], rtol=1e-9)
    assert len(set(values)) == 5


# --- Products of a function ----------------------------------------------------------------------


def test_multiplicative_is_torchs() -> None:
    def factor(t: int) -> float:
        return 0.9 if t % 3 else 1.05

    optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.5)
    theirs = torch.optim.lr_scheduler.MultiplicativeLR(optimizer, factor)
    rates = []
    for _ in range(40):
        rates += theirs.get_last_lr()
        optimizer.step()
        theirs.step()
    tree = 0.5 * Multiplicative(factor)
    np.testing.assert_allclose(play(tree, [None] * 40), rates, rtol=1e-13)


def test_multiplicative_of_a_schedule_and_of_a_number() -> None:
    ramp = Ramp(1.0, 0.5, 1.0, steps=4)
    products = np.cumprod([1.0, *(ramp(t) for t in range(1, 8))])
    np.testing.assert_allclose(play(Multiplicative(ramp), [None] * 8), products, rtol=1e-14)
    assert play(Multiplicative(0.5), [None] * 4) == [1.0, 0.5, 0.25, 0.125]


# --- Inside compositions -------------------------------------------------------------------------

HALVE = Plateau(factor=0.5, patience=0)
FLAT = [1.0] * 8


def test_a_rule_after_a_warm_up_counts_from_its_boundary() -> None:
    tree = join([Ramp(0.4, 0.25, 1.0, steps=3), Plateau(0.4, factor=0.5, patience=1)], [3])
    assert play(tree, FLAT) == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4, 0.4, 0.2, 0.2])
    # A metric of the warm-up that is better than all later ones is not the one to beat.
    falling = [0.0, 0.0, 0.0, 5.0, 4.0, 3.0, 2.0, 1.0]
    assert play(tree, falling)[3:] == [0.4] * 5


def test_a_rule_before_a_boundary_stops_there() -> None:
    tree = join([HALVE, Constant(0.3)], [3])
    assert play(tree, FLAT) == [1.0, 1.0, 0.5, *[0.3] * 5]


def test_a_warm_up_needs_no_metric_and_the_rule_after_it_says_that_it_does() -> None:
    tree = 2.0 * join([Ramp(1.0, 0.0, 1.0, steps=2), HALVE], [2])
    states = rules.starts(tree)
    assert rules.advance(tree, states, 0) == rules.advance(tree, states, 1) == states
    with pytest.raises(TypeError, match=r"Plateau at members\[1\]\.phases\[1\] needs a metric"):
        rules.advance(tree, states, 2)
    with pytest.raises(TypeError, match=r"^Plateau needs a metric"):
        rules.advance(HALVE, rules.starts(HALVE), 0)


def test_rules_in_a_product_and_a_sum_have_states_of_their_own() -> None:
    slow = dataclasses.replace(HALVE, patience=2)
    tree = Sum((Ramp(1.0, 1.0, 0.0, steps=8) * HALVE, slow, 0.25 * Multiplicative(0.5)))
    states = rules.starts(tree)
    assert list(states) == ["members[0].members[1]", "members[1]", "members[2].members[1]"]
    fast, slower = [1.0, *run(HALVE, FLAT)], [1.0, *run(slow, FLAT)]
    want = [(1 - t / 8) * fast[t] + slower[t] + 0.25 * 0.5**t for t in range(8)]
    assert play(tree, FLAT) == pytest.approx(want, rel=1e-15)


def test_one_rule_in_two_places_counts_in_each_for_itself() -> None:
    tree = join([HALVE, Constant(0.25), HALVE], [3, 5])
    assert play(tree, FLAT) == [1.0, 1.0, 0.5, 0.25, 0.25, 1.0, 1.0, 0.5]


def test_two_groups_with_settings_of_their_own() -> None:
    metrics = noisy(9, 120)
    pairs = (0.1, (0.5, 1)), (0.3, (0.9, 4))
    for initial, (factor, patience) in pairs:
        optimizer = torch.optim.SGD([torch.ones(1)], lr=initial)
        theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimizer, factor=factor, patience=patience, eps=0
        )
        rates = []
        for metric in metrics:
            rates += theirs.get_last_lr()
            theirs.step(metric)
        got = play(initial * Plateau(factor=factor, patience=patience, eps=0), metrics)
        assert got == pytest.approx(rates, rel=1e-12) and len(set(got)) > 3


def test_the_clocks_of_what_is_around_a_rule() -> None:
    product = Multiplicative(0.5)
    none = [None] * 8
    assert play(Shift(product, by=3), none) == [1, 1, 1, 1, 0.5, 0.25, 0.125, 0.0625]
    assert play(Stretch(product, by=3), none) == [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25]
    assert play(Stretch(product, by=3, whole=False), none) == [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25]
    assert play(End(product, 3, "clamp"), none) == [1, 0.5, 0.25, *[0.125] * 5]
    assert play(End(product, 3, "hold"), none) == [1, 0.5, *[0.25] * 6]
    assert play(End(product, 3, "cycle"), none) == [1, 0.5, 0.25] * 2 + [1, 0.5]
    again = End(join([1.0, product], [2]), 4, "cycle")
    assert play(again, none) == [1, 1, 1, 0.5] * 2


@dataclasses.dataclass(frozen=True)
class Turns(Schedule):
    """A user's composition: one schedule at even steps and the other at odd ones."""

    even: Schedule
    odd: Schedule

    def __call__(self, t: Any) -> Any:
        return np.where(t % 2 == 0, self.even(t), self.odd(t))

    def parts(self, t: float) -> Any:
        yield (self.odd if t % 2 else self.even), t


def test_a_rule_that_takes_turns_keeps_its_state() -> None:
    tree = Turns(Multiplicative(0.5), Constant(7.0))
    assert play(tree, [None] * 6) == [1, 7, 0.5, 7, 0.25, 7]


def test_binding_leaves_what_has_no_rule_and_the_structure() -> None:
    ramp = Ramp(1.0, 0.0, 1.0, steps=4)
    plain = join([ramp, 0.5], [4])
    assert rules.bind(plain, {}) is plain and rules.advance(plain, {}, 3, None) == {}
    tree = join([ramp, HALVE], [4])
    bound = rules.bind(tree, rules.starts(tree))
    assert bound.phases == (ramp, Constant(1.0)) and bound.phases[0] is ramp
    assert tree.phases[1] is HALVE
    np.testing.assert_array_equal(bound(np.arange(6)), [0, 0.25, 0.5, 0.75, 1.0, 1.0])
    later = rules.bind(tree, {"phases[1]": {"value": 0.25}})
    assert later(5) == 0.25 and program(later).structure == program(bound).structure


# --- States --------------------------------------------------------------------------------------

ALL: list[Any] = [
    Plateau(0.5, factor=0.5, patience=1, accumulation=2),
    reduce_on_plateau(factor=0.5, patience=2, cooldown=2),
    Greedy(0.5, factor=0.5, patience=1, smooth=True, window_size=3, cooldown=1, warmup=1),
    Multiplicative(lambda t: 1 - 1 / (t + 1) ** 2),
]


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: type(rule).__name__)
def test_a_state_goes_on_from_json_and_is_never_changed(rule: Any) -> None:
    tree = 0.5 * join([Constant(1.0), rule], [2])
    metrics = noisy(11, 60)
    states = rules.starts(tree)
    values = []
    for t, metric in enumerate(metrics):
        text = json.dumps(states, allow_nan=False)
        assert len(text) < 400
        held = copy.deepcopy(states)
        new = rules.advance(tree, states, t, metric)
        assert states == held
        states = json.loads(json.dumps(new, allow_nan=False))
        rules.check_states(tree, states)
        assert states == new
        values.append(float(rules.bind(tree, states)(t + 1)))
    assert values[:-1] == play(tree, metrics)[1:] and len(set(values)) > 2


@pytest.mark.parametrize(
    "change",
    [
        {"bad": -1},
        {"bad": 1.5},
        {"bad": True},
        {"best": "1"},
        {"best": NAN},
        {"best": -INF},
        {"value": INF},
        {"value": None},
        {"more": 1},
        {"cooldown": None},
    ],
    ids=str,
)
def test_a_state_that_does_not_fit(change: dict[str, Any]) -> None:
    tree = 0.1 * HALVE
    states = rules.starts(tree)
    rules.check_states(tree, states)
    with pytest.raises(StateError, match=r"states\['members\[1\]'\]"):
        rules.check_states(tree, {"members[1]": {**states["members[1]"], **change}})


@pytest.mark.parametrize(
    ("rule", "values", "words"),
    [
        (Plateau(0.5, min_value=0.0), (-5.0, -1e-300), "must be from 0 to inf"),
        (Plateau(0.5, min_value=0.25), (0.125,), "must be from 0.25 to inf"),
        (Greedy(0.5), (-1.0, 9e-4, 1.5), "must be from 0.001 to 1"),
    ],
)
def test_a_value_that_the_rule_cannot_come_to(rule: Any, values: Any, words: str) -> None:
    first = rules.starts(rule)
    for value in (rule.min_value, 0.5, 1.0):
        rules.check_states(rule, {"": {**first[""], "value": value}})
    for value in values:
        with pytest.raises(StateError, match=words):
            rules.check_states(rule, {"": {**first[""], "value": value}})


@pytest.mark.parametrize("name", ["bad", "good", "cooldown", "warmup", "resets_in", "count", "t"])
def test_no_count_is_negative(name: str) -> None:
    for rule in (Plateau(0.5), Greedy(0.5), Multiplicative(0.5)):
        if name in rule.start():
            with pytest.raises(StateError, match=name):
                rules.check_states(rule, {"": {**rule.start(), name: -1}})


@pytest.mark.parametrize("states", [None, [], {}, {"": {}}, {"members[1]": None}], ids=repr)
def test_states_that_do_not_fit(states: Any) -> None:
    with pytest.raises(StateError, match=r"states.*must be a dict"):
        rules.check_states(0.1 * HALVE, states)


@pytest.mark.parametrize("window", ["abc", [1.0, "2"], [NAN], [True], None])
def test_a_window_that_does_not_fit(window: Any) -> None:
    rule = Greedy(smooth=True)
    with pytest.raises(StateError, match="window"):
        rule.check({**rule.start(), "window": window}, "state")


# --- Bad input -----------------------------------------------------------------------------------

NO_NUMBERS = (NAN, INF, "1", None, [1.0], True)
BAD: list[tuple[Any, str, tuple[Any, ...]]] = [
    (Plateau, "value", NO_NUMBERS),
    (Plateau, "factor", (1.0, 1.5, 0.0, -0.5, *NO_NUMBERS)),
    (Plateau, "patience", (-1, 0.5, *NO_NUMBERS)),
    (Plateau, "threshold", (-0.1, 1.5, *NO_NUMBERS)),
    (Plateau, "threshold_mode", ("x", None, [])),
    (Plateau, "mode", ("x", None, 1)),
    (Plateau, "cooldown", (-1, 0.5, *NO_NUMBERS)),
    (Plateau, "min_value", (2.0, *NO_NUMBERS)),
    (Plateau, "eps", (-1e-9, *NO_NUMBERS)),
    (Plateau, "convention", ("keras", None)),
    (Plateau, "accumulation", (0, -1, 1.5, *NO_NUMBERS)),
    (Plateau, "atol", (-1.0, *NO_NUMBERS)),
    (Plateau, "accept_nonfinite", (1, None)),
    (Greedy, "value", (2.0, 1e-4, *NO_NUMBERS)),
    (Greedy, "factor", (1.0, 0.0, *NO_NUMBERS)),
    (Greedy, "patience", (-1, *NO_NUMBERS)),
    (Greedy, "warmup", (-1, *NO_NUMBERS)),
    (Greedy, "min_value", (1.5, *NO_NUMBERS)),
    (Greedy, "max_value", (0.5, *NO_NUMBERS)),
    (Greedy, "window_size", (0, *NO_NUMBERS)),
    (Greedy, "reset_start", (0, *NO_NUMBERS)),
    (Greedy, "smooth", (1, None)),
    (Multiplicative, "factor", (NAN, INF, "1", None, [1.0], True, HALVE, 2.0 * HALVE)),
]


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [(kind, name, value) for kind, name, values in BAD for value in values],
    ids=lambda v: getattr(v, "__name__", repr(v))[:24],
)
def test_settings_that_cannot_be_meant(kind: Any, name: str, value: Any) -> None:
    with pytest.raises((ValueError, TypeError), match=name):
        kind(**{name: value})


def test_optaxs_patience_is_at_least_one() -> None:
    with pytest.raises(ValueError, match="patience must be at least 1, got 0"):
        reduce_on_plateau(patience=0)


@pytest.mark.parametrize("rule", [HALVE, Greedy()])
@pytest.mark.parametrize("value", [NAN, INF, -INF, "x", None, [1.0, 2.0], np.ones(2)], ids=repr)
def test_a_metric_that_is_no_finite_number(rule: Any, value: Any) -> None:
    state = rule.start()
    with pytest.raises((ValueError, TypeError), match="metrics must be"):
        rule.update(state, value)
    assert state == rule.start()


@pytest.mark.parametrize("value", [1, np.float32(1), np.array(1.0), torch.tensor(1.0)], ids=repr)
def test_a_metric_of_another_type(value: Any) -> None:
    assert HALVE.update(HALVE.start(), value)["best"] == 1.0


def test_settings_of_numpys_types_are_plain_numbers() -> None:
    rule: Any = Plateau(
        np.float32(0.5), factor=np.float64(0.5), patience=np.int64(0), cooldown=np.int32(2)
    )
    state = rule.update(rule.update(rule.start(), 1.0), 1.0)
    assert json.loads(json.dumps(state)) == state and state["cooldown"] == 2
    assert type(rule.factor) is float and rule.value_of(state) == 0.25


def test_a_product_that_is_no_number() -> None:
    with pytest.raises(TypeError, match=r"factor\(1\) must be a number, got 'x'"):
        run(Multiplicative(lambda t: "x"), [None])
    with pytest.raises(ValueError, match=r"factor\(2\)"):
        run(Multiplicative(lambda t: 1e200), [None, None])


def test_a_rule_has_no_value_at_a_step() -> None:
    with pytest.raises(TypeError, match=r"Plateau is a rule.*ParamScheduler"):
        (0.1 * HALVE)(3)
