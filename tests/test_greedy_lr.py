"""GreedyLR against a recorded run of Hugging Face's, its rule, and what its users may do to it."""

from __future__ import annotations

import copy
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from targets import GrillyTarget, HostTarget, TorchTarget

from grilly import StateError
from grilly.optim.lr_scheduler import ChainedScheduler, GreedyLR, SequentialLR
from grilly.rules import Greedy

NAN, INF = math.nan, math.inf
CASE = json.loads(Path(__file__).with_name("golden").joinpath("hf_greedy_default.json").read_text())
GROUPS = [{"lr": 0.1}, {"lr": 0.02}]
# The keys of a state of transformers 5.23, without _streaming_avg, which is there with smooth=True.
KEYS = {
    *("factor", "min_lrs", "max_lrs", "patience", "verbose", "cooldown", "warmup"),
    *("cooldown_counter", "warmup_counter", "mode", "threshold", "best", "num_bad_epochs"),
    *("num_good_epochs", "eps", "last_epoch", "smooth", "window_size", "reset_start"),
    *("reset_start_original", "_last_lr", "_init_lrs"),
}
OWN_KEYS = {"threshold_mode", "default_min_lr", "default_max_lr"}  # which there are ignored


def rates(target: Any) -> list[float]:
    return [float(group["lr"]) for group in target.groups]


def noisy(count: int = 200) -> list[float]:
    rng = np.random.default_rng(3)
    trend = np.maximum(np.exp(-np.arange(count) / 20), 0.3)
    return [float(m) for m in trend + 0.05 * rng.standard_normal(count)]


@pytest.mark.parametrize("kind", [HostTarget, TorchTarget])
def test_rates_are_hugging_faces(kind: Any) -> None:
    target = kind("SGD", CASE["groups"])
    scheduler = GreedyLR(target.optimizer, **CASE["args"]["scheduler_specific_kwargs"])
    rows = [rates(target)]
    for metric in CASE["metrics"]:
        target.step()
        scheduler.step(metric)
        rows.append(scheduler.get_last_lr())
        assert rows[-1] == rates(target)
    np.testing.assert_allclose(rows, CASE["lr"], rtol=1e-9)


def test_every_device_holds_their_float32(place: str | int) -> None:
    target = GrillyTarget("SGD", GROUPS, place=place)
    scheduler = GreedyLR(target.optimizer, patience=1, factor=0.7)
    seen = set()
    for metric in noisy(40):
        target.step()
        scheduler.step(metric)
        assert target.held("lr") == [np.float32(rate) for rate in rates(target)]
        seen.add(rates(target)[0])
    assert len(seen) > 4


SETTINGS: list[dict[str, Any]] = [
    {"patience": 0, "cooldown": 2},
    {"patience": 1, "warmup": 3, "factor": 0.5},
    {"patience": 2, "smooth": True, "window_size": 4},
    {"patience": 1, "mode": "max", "threshold_mode": "rel", "threshold": 0.02},
    {"patience": 0, "eps": 0.004},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_each_group_follows_the_rule_with_its_own_bounds(settings: dict[str, Any]) -> None:
    target = HostTarget("SGD", GROUPS)
    scheduler = GreedyLR(target.optimizer, min_lr=[0.03, 1e-3], max_lr=(0.2, 0.04), **settings)
    own = [
        Greedy(0.1, min_value=0.03, max_value=0.2, **settings),
        Greedy(0.02, min_value=1e-3, max_value=0.04, **settings),
    ]
    states = [rule.start() for rule in own]
    seen = set()
    for metric in noisy():
        scheduler.step(metric)
        states = [rule.update(state, metric) for rule, state in zip(own, states, strict=True)]
        assert scheduler.get_last_lr() == [state["value"] for state in states] == rates(target)
        seen.add(tuple(rates(target)))
    assert len(seen) > 3


def test_all_begins_anew_when_every_group_has_stood_at_its_least() -> None:
    target = HostTarget("SGD", GROUPS)
    scheduler = GreedyLR(target.optimizer, factor=0.5, patience=0, min_lr=0.01, reset_start=3)
    scheduler.step(1.0)  # good: up
    lasts = []
    for _ in range(7):
        scheduler.step(2.0)
        lasts.append(scheduler.get_last_lr())
    # 0.2, 0.04 after the good one; the second group waits at its least for the first.
    assert [row[1] for row in lasts[:4]] == [0.02, 0.01, 0.01, 0.01]
    assert [row[0] for row in lasts[:4]] == pytest.approx([0.1, 0.05, 0.025, 0.0125])
    # The fifth is the first with both there, the seventh the third.
    assert lasts[4:] == [[0.01, 0.01], [0.01, 0.01], [0.1, 0.02]]
    assert (scheduler.best, scheduler.reset_start, scheduler.num_bad_epochs) == (INF, 3, 0)


def test_a_hand_edit_is_gone_on_from_and_an_array_stays_the_same() -> None:
    target = HostTarget("SGD", [{"lr": np.array(0.5)}, {"lr": torch.tensor(0.25)}])
    held = [group["lr"] for group in target.groups]
    scheduler = GreedyLR(target.optimizer, factor=0.5, patience=0)
    scheduler.step(1.0)
    assert rates(target) == [1.0, 0.5]
    target.groups[0]["lr"][...] = 0.125
    scheduler.step(2.0)
    assert rates(target) == [0.0625, 0.25]
    assert all(group["lr"] is one for group, one in zip(target.groups, held, strict=True))
    state = scheduler.state_dict()
    assert json.loads(json.dumps(state)) == state


def test_an_added_group_follows() -> None:
    target = HostTarget("SGD", [{"lr": 0.5}])
    scheduler = GreedyLR(target.optimizer, factor=0.5, patience=0, min_lr=0.1, reset_start=1)
    target.add({"lr": 0.25})
    scheduler.step(1.0)
    assert scheduler.get_last_lr() == [1.0, 0.5] and scheduler._init_lrs == [0.5, 0.25]
    for _ in range(4):
        scheduler.step(2.0)
    assert scheduler.get_last_lr() == [0.5, 0.25]
    listed = GreedyLR(target.optimizer, min_lr=[0.1, 0.1])
    target.add({"lr": 0.25})
    before = listed.state_dict()
    with pytest.raises(RuntimeError, match=r"append an added group's to scheduler\.min_lrs"):
        listed.step(1.0)
    assert listed.state_dict() == before
    listed.min_lrs.append(0.1)
    listed.step(1.0)
    assert len(listed.get_last_lr()) == 3


@pytest.mark.parametrize("settings", [{}, *SETTINGS], ids=str)
@pytest.mark.parametrize("at", [0, 7, 60])
def test_a_state_goes_on_and_writes_the_rates(settings: dict[str, Any], at: int) -> None:
    target, other = HostTarget("SGD", GROUPS), HostTarget("SGD", [{"lr": 9.0}, {"lr": 9.0}])
    scheduler, metrics = GreedyLR(target.optimizer, **settings), noisy()
    for metric in metrics[:at]:
        scheduler.step(metric)
    state = scheduler.state_dict()
    average = {"_streaming_avg"} if settings.get("smooth") else set()
    assert set(state) == KEYS | OWN_KEYS | average
    # One that went through Hugging Face's class has only its own keys.
    theirs = {key: value for key, value in state.items() if key not in OWN_KEYS}
    fresh = GreedyLR(other.optimizer, threshold_mode=settings.get("threshold_mode", "abs"))
    fresh.load_state_dict(json.loads(json.dumps(theirs)))
    for metric in metrics[at:]:
        assert rates(other) == rates(target)
        scheduler.step(metric)
        fresh.step(metric)
    assert fresh.state_dict() == scheduler.state_dict()


def test_a_state_is_a_copy() -> None:
    scheduler = GreedyLR(HostTarget("SGD", GROUPS).optimizer, smooth=True)
    state = scheduler.state_dict()
    kept = copy.deepcopy(state)
    scheduler.step(1.0)
    assert state == kept
    scheduler.load_state_dict(state)
    scheduler.step(1.0)
    assert state == kept


BAD_STATES: list[Any] = [
    {"more": 1},
    {"factor": 1.0},
    {"factor": 0},
    {"mode": "x"},
    {"threshold_mode": None},
    {"patience": NAN},
    {"best": NAN},
    {"best": "x"},
    {"num_good_epochs": None},
    {"reset_start": "3"},
    {"window_size": 0},
    {"min_lrs": 3},
    {"max_lrs": [0.1, "x"]},
    {"_init_lrs": [0.1, 0.2, 0.3]},
    {"_last_lr": [0.1, NAN]},
    {"_last_lr": [0.1, 0.1, 0.1]},
    {"_streaming_avg": {"values": []}},
    {"_streaming_avg": {"window_size": 4, "values": ["x"], "sum": 0.0}},
    {"_streaming_avg": [1.0]},
    {"default_min_lr": "x"},
]


@pytest.mark.parametrize("change", BAD_STATES, ids=str)
def test_a_state_that_does_not_fit_changes_nothing(change: dict[str, Any]) -> None:
    target = HostTarget("SGD", GROUPS)
    scheduler = GreedyLR(target.optimizer, smooth=True)
    scheduler.step(1.0)
    before = repr((target.groups, scheduler.state_dict()))
    with pytest.raises(StateError, match="state_dict"):
        scheduler.load_state_dict({**scheduler.state_dict(), "_last_lr": [0.7, 0.7], **change})
    assert repr((target.groups, scheduler.state_dict())) == before


NO_NUMBERS = (NAN, INF, "1", None, [1.0])
BAD = [
    ("mode", ("x", None)),
    ("factor", (1.0, 1.5, 0, -0.5, *NO_NUMBERS)),
    ("patience", NO_NUMBERS),
    ("threshold", NO_NUMBERS),
    ("threshold_mode", ("x", None)),
    ("cooldown", NO_NUMBERS),
    ("warmup", NO_NUMBERS),
    ("min_lr", (2.0, [0.1, 1.5], NAN, "x", None, [0.1], [0.1, NAN], [0.1, 0.1, 0.1])),
    ("max_lr", (1e-4, [0.1, 1e-4], NAN, "x", None, [0.1], [0.1, NAN])),
    ("eps", NO_NUMBERS),
    ("window_size", (0, -1, *NO_NUMBERS)),
    ("reset_start", (0, -1, *NO_NUMBERS)),
]


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in BAD for value in values]
)
def test_an_argument_that_cannot_be_meant(name: str, value: Any) -> None:
    target = HostTarget("SGD", GROUPS)
    before = repr(target.groups)
    with pytest.raises((ValueError, TypeError)) as caught:
        GreedyLR(target.optimizer, **{name: value})
    words = str(caught.value).lower().replace("_", " ")
    assert name.split("_")[0] in words, words
    assert repr(target.groups) == before


def test_what_is_no_optimizer() -> None:
    with pytest.raises(TypeError, match="str is not an Optimizer"):
        GreedyLR("optimizer")


@pytest.mark.parametrize("value", [NAN, INF, "x", None, [1.0, 2.0]], ids=repr)
def test_a_metric_that_is_no_finite_number(value: Any) -> None:
    target = HostTarget("SGD", GROUPS)
    scheduler = GreedyLR(target.optimizer)
    before = repr((target.groups, scheduler.state_dict()))
    with pytest.raises((ValueError, TypeError), match="metrics must be"):
        scheduler.step(value)
    assert repr((target.groups, scheduler.state_dict())) == before
    scheduler.accept_nonfinite = True
    for _ in range(11):
        scheduler.step(NAN)
    assert rates(target) == [0.1 * 0.95, 0.02 * 0.95]


@pytest.mark.parametrize("kind", [SequentialLR, ChainedScheduler])
def test_it_is_no_part_of_a_composite(kind: Any) -> None:
    target = HostTarget("SGD", GROUPS)
    scheduler = GreedyLR(target.optimizer)
    with pytest.raises(ValueError, match="does not support `GreedyLR`"):
        if kind is ChainedScheduler:
            kind([scheduler])
        else:
            kind(target.optimizer, [scheduler], [])


def test_verbose_prints_what_changes(capsys: pytest.CaptureFixture[str]) -> None:
    scheduler = GreedyLR(HostTarget("SGD", GROUPS).optimizer, patience=0, max_lr=0.1, verbose=True)
    scheduler.step(1.0)
    assert capsys.readouterr().out == "Epoch 1: learning rate of group 1 set to 2.1053e-02.\n"
