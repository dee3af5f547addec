"""Metrics on the device: means and moving averages, and what schedulers refuse as a metric."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from metric_runs import CYCLE, optimizer_on

import grilly
from grilly import Ema, Mean, RecordError, StateError, device_array, reductions, vk
from grilly.nn import Parameter
from grilly.optim import AdamW, ParamScheduler
from grilly.optim.lr_scheduler import ReduceLROnPlateau
from grilly.rules import Multiplicative, Plateau
from grilly.schedules import End, Stretch

pytestmark = pytest.mark.turns

# --- Mean and Ema --------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 63, 1024, 1025, 100_000])
def test_a_mean_is_the_exact_sum_divided(place: Any, size: int) -> None:
    values = (np.random.default_rng(size).standard_normal(size) * 1e3).astype(np.float32)
    mean = Mean(device_array(values, place))
    assert math.isnan(mean.value())
    mean.update()
    exact = sum(map(Fraction, values.tolist()))
    assert mean.value() == float(exact) / size  # the sum rounded once, then the quotient


def test_a_mean_follows_its_array(place: Any) -> None:
    array = device_array(np.ones((2, 3)), place)
    mean = Mean(array)
    with grilly.record() as tape:
        array.add_(array)
        mean.update()
    tape.replay(3)
    assert mean.value() == 8.0


@pytest.mark.parametrize("debias", [False, True])
def test_an_ema_of_a_mean(place: Any, debias: bool) -> None:
    array = device_array([0.0, 0.0], place)
    ema, average, power = Ema(Mean(array), 0.75, debias), 0.0, 1.0
    for i, loss in enumerate([3.0, 1.0, 0.5, 7.0]):
        array.copy_from([loss, loss + 1])
        ema.update()
        new = loss + 0.5
        average = new if i == 0 and not debias else 0.75 * average + 0.25 * new
        power *= 0.75
        assert ema.value() == (average / (1 - power) if debias else average)


@pytest.mark.parametrize("metric", ["mean", "ema"])
def test_a_scheduler_follows_a_metric_that_it_updates(place: Any, metric: str) -> None:
    losses = np.round(np.random.default_rng(1).random((30, 7)) + 1, 3).astype(np.float32)
    array, optimizer, host = (
        device_array(losses[0], place),
        optimizer_on(place),
        optimizer_on("cpu"),
    )
    made: Any = Mean(array) if metric == "mean" else Ema(Mean(array), 0.5)
    schedulers = [ReduceLROnPlateau(o, patience=0, factor=0.75) for o in (optimizer, host)]
    average = None
    for row in losses:
        optimizer.step()
        array.copy_from(row)
        schedulers[0].step(made)
        host.step()
        mean = math.fsum(row.tolist()) / 7
        average = mean if average is None or metric == "mean" else 0.5 * average + 0.5 * mean
        schedulers[1].step(average)
        assert schedulers[0].best == schedulers[1].best
        assert schedulers[0].get_last_lr() == schedulers[1].get_last_lr()


def test_what_is_no_metric() -> None:
    with pytest.raises(TypeError, match="array must be a DeviceArray, got list"):
        Mean([1.0])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least one element"):
        Mean(grilly.zeros(0, "cpu"))
    with pytest.raises(TypeError, match="metric must be a DeviceArray or a Metric, got float"):
        Ema(1.0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"shape \(2,\): give grilly.Mean"):
        Ema(grilly.zeros(2, "cpu"))
    with pytest.raises(ValueError, match="decay"):
        Ema(grilly.zeros(1, "cpu"), decay=1.0)


# --- An average that is saved and gone on from ----------------------------------------------------

LOSSES = [3.0, 1.25, 0.1, 7.7, math.nan, 2.5, 0.3, math.inf, 1.1, 0.7]


@pytest.mark.parametrize("debias", [False, True])
@pytest.mark.parametrize("cut", [0, 1, 3, 5, 8])
def test_a_saved_average_goes_on_to_the_same_bits(place: Any, debias: bool, cut: int) -> None:
    """On its own device and on another, by steps and by a tape that was recorded before."""
    rule = reductions.Ema(0.7, debias)
    states = [rule.start()]
    for loss in LOSSES:
        states.append(rule.update(states[-1], float(np.float32(loss))))
    text = json.dumps(averaged(place, debias, LOSSES[:cut])[0].state_dict(), allow_nan=False)
    assert text == json.dumps(averaged("cpu", debias, LOSSES[:cut])[0].state_dict())
    for home in (place, "cpu"):
        ema, loss = averaged(home, debias, [9.0, 8.0])
        with grilly.record() as tape:
            ema.update()
        ema.load_state_dict(json.loads(text))
        np.testing.assert_equal(ema.value(), states[cut]["value"])
        for i, number in enumerate(LOSSES[cut:], cut + 1):
            loss.copy_from([number])
            tape.replay() if i % 2 else ema.update()
            np.testing.assert_equal(ema.value(), states[i]["value"])


def averaged(place: Any, debias: bool, losses: list[float]) -> tuple[Ema, Any]:
    loss = grilly.zeros(1, place)
    ema = Ema(loss, 0.7, debias)
    for number in losses:
        loss.copy_from([number])
        ema.update()
    return ema, loss


def test_an_average_of_averages_is_saved_with_them(place: Any) -> None:
    loss, rng = device_array([0.5], place), np.random.default_rng(3)
    one = Ema(Ema(Mean(loss), 0.5), 0.25, debias=True)
    other = Ema(Ema(Mean(loss), 0.5), 0.25, debias=True)
    for _ in range(3):
        loss.copy_from(rng.random(1))
        one.update()
    other.load_state_dict(json.loads(json.dumps(one.state_dict())))
    for _ in range(3):
        loss.copy_from(rng.random(1))
        one.update()
        other.update()
        assert other.value() == one.value() and other.state_dict() == one.state_dict()


def test_a_run_with_an_average_goes_on_to_the_same_bits(place: Any) -> None:
    """The plateau counts what the average is: it must be the one that was there."""
    losses = np.random.default_rng(5).random(24).astype(np.float32)

    def started() -> tuple[Any, Any, Any, Any]:
        optimizer, loss = optimizer_on(place), grilly.zeros(1, place)
        ema = Ema(loss, 0.8)
        return optimizer, loss, ema, ReduceLROnPlateau(optimizer, patience=1, factor=0.5)

    def train(run: Any, rows: Any) -> None:
        optimizer, loss, ema, scheduler = run
        for row in rows:
            optimizer.step()
            loss.copy_from([row])
            scheduler.step(ema)

    whole, first, second = started(), started(), started()
    train(whole, losses)
    train(first, losses[:11])
    for one, other in zip(first, second, strict=True):
        if hasattr(one, "state_dict"):
            other.load_state_dict(one.state_dict())
    second[0]._params[0].data.copy_from(first[0]._params[0].data)
    train(second, losses[11:])
    assert second[3].state_dict() == whole[3].state_dict()
    assert second[2].state_dict() == whole[2].state_dict()
    assert whole[3].get_last_lr()[0] < 1.0


GOOD = {"decay": 0.7, "debias": False, "average": 2.0, "weight": 0.7, "seen": 1, "value": 2.0}


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (None, "must be a dict with the keys.*got None"),
        ({}, "must be a dict with the keys"),
        ({**GOOD, "more": 1}, "must be a dict with the keys.*more"),
        ({**GOOD, "metric": GOOD}, "must be a dict with the keys.*metric"),
        ({**GOOD, "decay": 0.5}, "decay was 0.5 when it was saved, and is 0.7 here"),
        ({**GOOD, "debias": True}, "debias was True when it was saved, and is False"),
        ({**GOOD, "average": math.nan}, "average must be finite, got nan"),
        ({**GOOD, "average": "2"}, "average must be a number, got '2'"),
        ({**GOOD, "weight": 1.5}, "weight must be at most 1, got 1.5"),
        ({**GOOD, "weight": -0.5}, "weight must be at least 0, got -0.5"),
        ({**GOOD, "seen": 1.0}, "seen must be an int, got 1.0"),
        ({**GOOD, "seen": -1}, "seen must be at least 0, got -1"),
        ({**GOOD, "value": "much"}, "value must be .*got 'much'"),
        ({**GOOD, "value": math.inf}, "value must be finite, got inf"),
    ],
)
def test_a_state_that_no_average_can_have(place: Any, state: Any, words: str) -> None:
    ema, _ = averaged(place, False, [3.0, 1.0])
    outer = Ema(ema, 0.7)
    outer.update()
    before = outer.state_dict()
    with pytest.raises(StateError, match=f"^state_dict does not fit Ema: .*{words}"):
        ema.load_state_dict(state)
    with pytest.raises(StateError, match=rf"^state_dict\['metric'\] does not fit Ema: .*{words}"):
        outer.load_state_dict({**GOOD, "metric": state})
    inner = {**before["metric"], "average": 17.0}
    with pytest.raises(StateError, match=r"decay was 0\.1"):
        outer.load_state_dict({**GOOD, "decay": 0.1, "metric": inner})
    assert outer.state_dict() == before


def test_averages_are_saved_and_loaded_outside_of_a_tape(place: Any) -> None:
    ema, _ = averaged(place, False, [3.0])
    state = ema.state_dict()
    for act in (ema.state_dict, lambda: ema.load_state_dict(GOOD)):
        with pytest.raises(RecordError, match=r"Ema\..*_dict\(\) cannot be recorded: .*outside"):
            with grilly.record():
                ema.update()
                act()
    assert ema.state_dict() == state


# --- What is refused -----------------------------------------------------------------------------


def test_a_metric_of_another_device(any_device: vk.Device) -> None:
    index = any_device.info.index
    for place, other in (("cpu", index), (index, "cpu")):
        scheduler = ReduceLROnPlateau(optimizer_on(place))
        with pytest.raises(ValueError, match=r"metrics is on .*, but the optimizer on .*item\(\)"):
            scheduler.step(grilly.zeros(1, other))
        assert scheduler.last_epoch == 0
    foreign = torch.optim.SGD([torch.ones(1)], lr=1.0)
    with pytest.raises(ValueError, match="metrics is on numpy, but the optimizer on SGD"):
        ReduceLROnPlateau(foreign).step(grilly.zeros(1, "cpu"))


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (Multiplicative(0.9) * 0.5, "Multiplicative has no form on a device"),
        (Plateau(0.5) * (lambda t: 1.0 if t < 3 else 0.5), "a function in it is no formula"),
        (Stretch(Plateau(0.5), 2.0), "a clock that is not the schedule's"),
        (End(CYCLE * Plateau(), 20, "cycle"), "a clock that is not the schedule's"),
        (CYCLE, "metrics is for a rule, and no schedule has one"),
    ],
)
@pytest.mark.parametrize("recorded", [False, True])
def test_rules_that_no_device_can_count(schedule: Any, words: str, recorded: bool) -> None:
    optimizer = optimizer_on("cpu")
    scheduler = ParamScheduler(optimizer, {"lr": schedule})
    before = scheduler.state_dict(), scheduler.get_last_lr()
    with pytest.raises(ValueError, match=words):
        if recorded:
            with grilly.record():
                scheduler.step(grilly.zeros(1, "cpu"))
        else:
            scheduler.step(grilly.zeros(1, "cpu"))
    assert (scheduler.state_dict(), scheduler.get_last_lr()) == before
    if scheduler.state_dict().get("rules"):
        scheduler.step(1.0)  # the host can
        assert scheduler.last_epoch == 1


def test_exact_bias_corrections_need_the_betas_on_the_host() -> None:
    p = Parameter(np.ones(3, np.float32), device="cpu")
    p.grad.copy_from(np.ones(3))
    optimizer = AdamW([p], bias_correction="exact")
    scheduler = ParamScheduler(optimizer, {"beta1": Plateau(0.9)})
    with pytest.raises(ValueError, match=r"beta1 of param_groups\[0\]: bias_correction='exact'"):
        scheduler.step(grilly.zeros(1, "cpu"))
    scheduler.step(1.0)
    optimizer.step()


def test_numbers_of_the_host_in_a_tape() -> None:
    optimizer = optimizer_on("cpu")
    for scheduler in (ReduceLROnPlateau(optimizer), ParamScheduler(optimizer, {"lr": Plateau()})):
        with pytest.raises(RecordError, match="cannot be recorded: "):
            with grilly.record():
                scheduler.step(1.0)
    with pytest.raises(RecordError, match="a step of rules without a metric"), grilly.record():
        scheduler.step()
    with pytest.raises(ValueError, match="epoch must be None"):
        ReduceLROnPlateau(optimizer).step(grilly.zeros(1, "cpu"), epoch=3)
    with pytest.raises(ValueError, match=r"shape \(2,\)"):
        scheduler.step(grilly.zeros(2, "cpu"))
