"""Metrics on the device: what they are, what schedulers refuse, and what is never lost."""

from __future__ import annotations

import gc
import math
import weakref
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from metric_runs import CYCLE, MAKES, NEXT, SIZES, Run, falling

import grilly
from grilly import Ema, Mean, RecordError, StateError, device_array, rules, vk
from grilly.nn import Parameter
from grilly.optim import SGD, AdamW, ParamScheduler
from grilly.optim.lr_scheduler import GreedyLR, ReduceLROnPlateau, StepLR
from grilly.rules import Multiplicative, Plateau
from grilly.schedules import End, Join, Stretch

PLATEAU = MAKES["plateau"]


def optimizer_on(place: Any, **options: Any) -> Any:
    p = Parameter(np.ones(3, np.float32), device=place)
    p.grad.copy_from(np.full(3, 0.5))
    return SGD([p], lr=1.0, **options)


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
        with pytest.raises(RecordError, match="with a number cannot be recorded"):
            with grilly.record():
                scheduler.step(1.0)
    with pytest.raises(RecordError, match="a step of rules without a metric"), grilly.record():
        scheduler.step()
    with pytest.raises(ValueError, match="epoch must be None"):
        ReduceLROnPlateau(optimizer).step(grilly.zeros(1, "cpu"), epoch=3)
    with pytest.raises(ValueError, match=r"shape \(2,\)"):
        scheduler.step(grilly.zeros(2, "cpu"))


# --- Metrics that are not finite -----------------------------------------------------------------


def test_a_refused_metric_is_told_once(place: Any) -> None:
    run, losses = Run(place, PLATEAU, falling(40)), [1.0, math.nan, 1.0, math.inf, 1.0]
    for loss in losses:
        run.optimizer.step()
        run.loss.copy_from([loss])
        run.scheduler.step(run.loss)
    run.optimizer.step()  # trains on
    with pytest.raises(ValueError, match="metrics must be finite, got nan"):
        run.scheduler.get_last_lr()
    assert run.scheduler.last_epoch == 3 and run.scheduler.num_bad_epochs == 0
    assert run.scheduler.get_last_lr() == [0.125, 0.2]
    run.loss.copy_from([-math.inf])
    run.scheduler.step(run.loss)
    run.scheduler.factor = 0.25  # the host takes over, and has it to tell still
    with pytest.raises(ValueError, match="metrics must be finite, got -inf"):
        run.scheduler.step(0.5)
    run.scheduler.step(0.5)
    assert (run.scheduler.last_epoch, run.scheduler.best) == (4, 0.5)


def test_loading_a_state_asks_for_no_metric(place: Any) -> None:
    run = Run(place, PLATEAU, falling(40))
    run.step()
    state = run.scheduler.state_dict()
    run.loss.copy_from([math.nan])
    run.scheduler.step(run.loss)
    run.scheduler.load_state_dict(state)
    assert run.scheduler.state_dict() == state
    run.step()
    assert run.scheduler.last_epoch == 2


@pytest.mark.parametrize("name", ["plateau", "greedy", "product"])
@pytest.mark.parametrize("policy", ["ignore", "count", "accept_nonfinite"])
def test_other_policies(place: Any, policy: str, name: str) -> None:
    losses = falling(24)
    losses[[3, 7, 8, 9, 15]] = math.nan, math.inf, math.nan, math.nan, -math.inf
    runs = Run(place, MAKES[name], losses), Run(None, MAKES[name], losses)
    for run in runs:
        counts = {"count": True, "accept_nonfinite": True}.get(policy, False)
        if name == "product" and counts:
            run.schedulers[0].close()
            rule = Plateau(patience=1, factor=0.5, accept_nonfinite=policy != "count")
            if not run.on_device:
                rule = Plateau(patience=1, factor=0.5, accept_nonfinite=True)
            run.schedulers = [ParamScheduler(run.optimizer, {"lr": 0.3 * rule})]
        elif policy == "accept_nonfinite" or (counts and not run.on_device):
            run.scheduler.accept_nonfinite = True
        if run.on_device and policy != "accept_nonfinite":
            run.scheduler.nonfinite = policy
        for loss in losses:
            run.optimizer.step()
            metric = run.next_loss()
            if run.on_device or counts or math.isfinite(loss):
                run.scheduler.step(metric)
            elif name == "product":  # its clock goes on
                run.scheduler._move(run.scheduler.last_epoch + 1, run.scheduler._states)
    got, want = ([r.scheduler.get_last_lr(), r.params[1].data.numpy().tolist()] for r in runs)
    assert got == want
    assert runs[0].scheduler.last_epoch == runs[1].scheduler.last_epoch


def test_an_unknown_policy(place: Any) -> None:
    scheduler = ReduceLROnPlateau(optimizer_on(place))
    scheduler.nonfinite = "raises"  # type: ignore[assignment]
    with pytest.raises(ValueError, match="nonfinite must be"):
        scheduler.step(grilly.zeros(1, place))
    assert scheduler.last_epoch == 0


# --- torch's own numbers -------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["min", "max"])
def test_torchs_numbers(place: Any, mode: Any) -> None:
    losses = falling(40, seed=4) * (1 if mode == "min" else -1)
    options: dict[str, Any] = {"mode": mode, "factor": 0.3, "patience": 2, "cooldown": 1}
    theirs = torch.optim.SGD([torch.ones(1)], lr=1.0)
    want = torch.optim.lr_scheduler.ReduceLROnPlateau(theirs, **options)
    optimizer, loss = optimizer_on(place), grilly.zeros(1, place)
    scheduler = ReduceLROnPlateau(optimizer, **options)
    for x in losses:
        optimizer.step()
        loss.copy_from([x])
        scheduler.step(loss)
        want.step(float(x))
        names = ("best", "num_bad_epochs", "cooldown_counter", "last_epoch", "in_cooldown")
        for name in names[1:] if len(scheduler.get_last_lr()) else ():
            assert getattr(scheduler, name) == getattr(want, name)
        assert scheduler.best == want.best
        assert scheduler.get_last_lr() == want.get_last_lr()


# --- What else can happen to a scheduler ---------------------------------------------------------


def test_the_cut_is_in_the_table_of_the_next_step(place: Any) -> None:
    """Without anybody reading: SGD's weights say with which rate each step was made."""
    optimizer, loss = optimizer_on(place), grilly.zeros(1, place)
    weights = optimizer._params[0].data
    scheduler, rates, before = ReduceLROnPlateau(optimizer, patience=0, factor=0.5), [], 1.0
    for _ in range(5):
        optimizer.step()
        scheduler.step(loss)
        now = float(weights.numpy()[0])
        rates.append((before - now) / 0.5)
        before = now
    assert rates == [1.0, 1.0, 0.5, 0.25, 0.125]
    assert optimizer.read_hyperparameters()["lr"].tolist() == [0.0625]


@pytest.mark.parametrize("name", ["plateau", "greedy", "product"])
@pytest.mark.parametrize("read", [False, True])
def test_a_scheduler_that_is_dropped_leaves_its_rates(place: Any, name: str, read: bool) -> None:
    runs = Run(place, MAKES[name], falling(40)), Run(None, MAKES[name], falling(40))
    for run in runs:
        for _ in range(14):
            run.step()
        gone = weakref.ref(run.scheduler)
        run.schedulers = []
        assert gone() is None  # at once: its numbers may be another's
        if read:
            run.optimizer.param_groups[0]["weight_decay"] = 0.5
        for _ in range(3):
            run.optimizer.step()
        if not read:
            run.optimizer.param_groups[1]["weight_decay"] = 0.5
        run.optimizer.step()
        run.schedulers = [ParamScheduler(run.optimizer, {"lr": 0.5 * Plateau(patience=0)})]
        for _ in range(5):
            run.step()
    assert runs[0].shown() == runs[1].shown()


def test_nothing_is_held_by_a_dropped_optimizer(place: Any) -> None:
    run = Run(place, PLATEAU, falling(40))
    run.step()
    run.step()
    gone = [weakref.ref(run.optimizer), weakref.ref(run.scheduler)]
    gc.disable()
    try:
        del run
        assert [ref() for ref in gone] == [None, None]
    finally:
        gc.enable()


def test_a_tape_of_a_scheduler_alone(place: Any) -> None:
    optimizer, loss = optimizer_on(place), grilly.zeros(1, place)
    scheduler = ReduceLROnPlateau(optimizer, patience=0, factor=0.5)
    with grilly.record() as tape:
        scheduler.step(loss)
    tape.replay(2)
    optimizer.step()
    assert optimizer._params[0].data.numpy()[0] == 1 - 0.5 * 0.5
    tape.replay(3)
    optimizer.step()
    assert scheduler.get_last_lr() == [0.5**4]
    assert optimizer._params[0].data.numpy()[0] == 0.75 - 0.5 * 0.5**4


def test_optimizers_that_share_a_loss(place: Any) -> None:
    runs = [Run(place, MAKES[name], falling(40)) for name in ("plateau", "product")]
    hosts = [Run(None, MAKES[name], falling(40)) for name in ("plateau", "product")]
    mean = Mean(runs[0].loss)

    def together() -> None:
        for run in runs:
            run.optimizer.step()
        NEXT([runs[0].loss, runs[0]._all, runs[0]._cursor], 1)
        for run in runs:
            run.scheduler.step(mean)

    with grilly.record() as tape:
        together()
    tape.replay(9)
    together()
    tape.replay(14)
    for run, host in zip(runs, hosts, strict=True):
        for _ in range(24):
            host.step()
        assert run.shown() == host.shown()


OVERLAPPING: dict[str, Any] = {
    "two metrics": lambda o: [
        ReduceLROnPlateau(o, patience=0, factor=0.5),
        GreedyLR(o, factor=0.9, patience=1),
    ],
    "steps": lambda o: [Ticking(StepLR(o, 3, 0.75)), ReduceLROnPlateau(o, patience=0, factor=0.9)],
    "steps after": lambda o: [GreedyLR(o, patience=0, factor=0.9), Ticking(StepLR(o, 3, 0.75))],
}


class Ticking:
    """A scheduler that needs no metric, stepped as one that does."""

    def __init__(self, scheduler: Any) -> None:
        self._scheduler = scheduler

    def step(self, _: Any) -> None:
        self._scheduler.step()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._scheduler, name)


@pytest.mark.parametrize("name", OVERLAPPING)
@pytest.mark.parametrize("taped", [False, True])
def test_schedulers_that_write_the_same_number(place: Any, name: str, taped: bool) -> None:
    """Each goes on from what the other has made of the rate."""
    runs = [Run(p, OVERLAPPING[name], falling(40)) for p in (place, None)]
    for run in runs:
        (run.taped() if taped else lambda n, run=run: [run.step() for _ in range(n)])(20)
    shown = [
        (
            [(s.last_epoch, s.get_last_lr()) for s in run.schedulers],
            [p.data.numpy().tolist() for p in run.params],
            run.optimizer.read_hyperparameters().tobytes(),
        )
        for run in runs
    ]
    assert shown[0] == shown[1]


def test_a_plateau_after_one_cycle_in_one_tape(place: Any) -> None:
    def joined(o: Any) -> list[Any]:
        rule = Plateau(0.2, patience=1, factor=0.5)
        return [ParamScheduler(o, {"lr": Join((CYCLE, rule, CYCLE), (7.0, 19.0))})]

    runs = Run(place, joined, falling(40)), Run(None, joined, falling(40))
    for replay in [run.taped(updates=2) for run in runs]:
        replay(30)
    assert runs[0].shown() == runs[1].shown()
    bad = runs[0].scheduler.state_dict()["rules"]["lr"][0]["phases[1]"]
    assert bad["value"] < 0.2


@pytest.mark.parametrize("name", ["plateau", "product", "columns"])
@pytest.mark.parametrize("taped", [False, True])
def test_skipped_updates(place: Any, name: str, taped: bool) -> None:
    """A metric counts whether or not the update before it was made."""
    options = {"skip_nonfinite": True}
    runs = [Run(p, MAKES[name], falling(40), **options) for p in (place, None)]
    for run in runs:
        go = run.taped() if taped else lambda n, run=run: [run.step() for _ in range(n)]
        go(5)
        good = run.params[0].grad.numpy()
        run.params[0].grad.copy_from(np.full(SIZES[0], np.nan))
        go(2)
        run.params[0].grad.copy_from(good)
        go(9)
    assert runs[0].optimizer.skipped() == runs[1].optimizer.skipped() == 2
    assert runs[0].shown() == runs[1].shown()
    assert runs[0].scheduler.last_epoch == (16 if name == "plateau" else 14)


def test_phases_where_updates_are_skipped(place: Any) -> None:
    run = Run(place, MAKES["join"], falling(40), skip_nonfinite=True)
    with pytest.raises(ValueError, match="looks at metrics in a phase only"):
        run.step()
    assert run.scheduler.last_epoch == 0


def test_a_state_that_does_not_fit_changes_nothing(place: Any) -> None:
    for name in ("plateau", "greedy", "product"):
        run = Run(place, MAKES[name], falling(40))
        for _ in range(12):
            run.step()
        with pytest.raises(StateError):
            run.scheduler.load_state_dict({"last_epoch": -3, "rules": {}, "best": "x"})
        host = Run(None, MAKES[name], falling(40))
        for _ in range(12):
            host.step()
        for one in (run, host):
            for _ in range(6):
                one.step()
        assert run.shown() == host.shown()


def test_a_value_that_cannot_be_is_told_at_the_next_read(place: Any) -> None:
    rule = rules.Greedy(0.9, factor=0.5, patience=0, max_value=1.5)
    run = Run(place, lambda o: [ParamScheduler(o, {"beta1": rule})], -falling(40))
    run.losses = -np.arange(40, dtype=np.float32)
    run._all.copy_from(run.losses)
    state = run.scheduler.state_dict()
    run.step()
    ParamScheduler(optimizer_on("cpu"), {"lr": 0.5})  # is not told of it
    for _ in range(2):
        with pytest.raises(ValueError, match=r"beta1 of param_groups\[0\] at step"):
            run.scheduler.get_last()
    run.scheduler.load_state_dict({**state, "last_epoch": 0})
    assert run.scheduler.state_dict() == state
