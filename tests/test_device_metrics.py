"""What can happen to schedulers that follow a metric on the device, and what is never lost."""

from __future__ import annotations

import gc
import math
import re
import weakref
from typing import Any

import numpy as np
import pytest
import torch
from metric_runs import CYCLE, MAKES, NEXT, SIZES, Run, falling, optimizer_on

import grilly
from grilly import Mean, StateError, rules, vk
from grilly.optim import ParamScheduler, seats
from grilly.optim.lr_scheduler import GreedyLR, ReduceLROnPlateau, StepLR
from grilly.optim.optimizer import Optimizer
from grilly.resident import ops
from grilly.rules import Plateau
from grilly.schedules import Join

pytestmark = pytest.mark.turns

PLATEAU = MAKES["plateau"]

# --- Metrics that are not finite -----------------------------------------------------------------


def test_a_refused_metric_is_told_once(place: Any) -> None:
    run, losses = Run(place, PLATEAU, falling(40)), [1.0, math.nan, 1.0, math.inf, 1.0]
    for loss in losses:
        run.optimizer.step()
        run.loss.copy_from([loss])
        run.scheduler.step(run.loss)
    run.optimizer.step()  # trains on
    with pytest.raises(ValueError, match=r"must be finite, got nan.*nonfinite.*ignore.*count"):
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


@pytest.mark.parametrize("kind", [ReduceLROnPlateau, GreedyLR])
@pytest.mark.parametrize("policy", ["raise", "ignore", "count"])
def test_the_policy_is_for_metrics_on_a_device(place: Any, kind: Any, policy: Any) -> None:
    """A number is refused whatever it says, unless accept_nonfinite is set; and help() says so."""
    scheduler = kind(optimizer_on(place))
    scheduler.nonfinite = policy
    with pytest.raises(ValueError, match=r"metrics must be finite, got nan.*accept_nonfinite"):
        scheduler.step(math.nan)
    assert scheduler.last_epoch == 0
    scheduler.accept_nonfinite = True
    scheduler.step(math.nan)
    assert scheduler.last_epoch == 1
    for word in ("``nonfinite``", f'"{policy}"', "accept_nonfinite"):
        assert word in kind.__doc__


@pytest.mark.parametrize("name", ["plateau", "greedy", "product", "skipping"])
def test_help_says_what_waits_for_the_device(name: str) -> None:
    if name == "skipping":
        scheduler: Any = StepLR(optimizer_on("cpu", skip_nonfinite=True), 3)
    else:
        run = Run("cpu", MAKES[name], falling(40))
        run.step()
        scheduler = run.scheduler
    kind = type(scheduler)
    numbers = ("last_epoch", "_last_lr", *getattr(kind, "_READ_BACK", ()))
    shown = [vars(kind)[number].__doc__ for number in numbers]
    shown += [getattr(kind, method).__doc__ for method in ("get_last_lr", "state_dict")]
    shown.append(type(scheduler.optimizer).param_groups.__doc__)
    assert [text for text in shown if not re.search("the device.* if it knows what", text)] == []
    for method in ("get_last_lr", "state_dict"):
        assert re.search(r"read\s+back from it,\s+which", getattr(kind.__mro__[1], method).__doc__)
    assert "read back" in (Optimizer.__doc__ or "")


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
def test_an_edit_before_the_first_step_of_a_tape(place: Any, name: str) -> None:
    """It is in effect for the first update, although the tape was recorded after it."""
    runs = [Run(p, MAKES[name], falling(40)) for p in (place, None)]
    for run in runs:
        run.optimizer.param_groups[0].update(lr=0.7, betas=(0.5, 0.9))
        run.taped()(12)
    assert runs[0].shown() == runs[1].shown()


def test_a_scheduler_that_is_closed_leaves_its_numbers(place: Any) -> None:
    runs = [Run(p, MAKES["columns"], falling(40)) for p in (place, None)]
    for run in runs:
        for _ in range(14):
            run.step()
        old = run.scheduler
        old.close()
        run.schedulers = [ParamScheduler(run.optimizer, {"lr": CYCLE * Plateau(patience=0)})]
        run.taped()(9)
        with pytest.raises(RuntimeError, match="is closed"):
            old.step(1.0)
    assert runs[0].shown() == runs[1].shown()


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


def test_a_steps_commands_are_recorded_once(
    device: vk.Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For each parity, and anew for another metric or a table of another shape."""
    recorded = []
    monkeypatch.setattr(seats, "alone", lambda op, at: recorded.append(op) or ops.alone(op, at))
    run = Run(device.info.index, PLATEAU, falling(40))
    for _ in range(4):
        run.step()
    known = len(recorded)
    assert known <= 4
    for _ in range(16):
        run.step()
    assert len(recorded) == known
    run.metric = Mean(run.loss)
    for _ in range(8):
        run.step()
    assert known < len(recorded) <= known + 2
