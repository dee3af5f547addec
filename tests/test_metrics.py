"""Metrics on the device: means and moving averages, and what schedulers refuse as a metric."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from metric_runs import CYCLE, optimizer_on

import grilly
from grilly import Ema, Mean, RecordError, device_array, vk
from grilly.nn import Parameter
from grilly.optim import AdamW, ParamScheduler
from grilly.optim.lr_scheduler import ReduceLROnPlateau
from grilly.rules import Multiplicative, Plateau
from grilly.schedules import End, Stretch

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
