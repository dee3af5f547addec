"""Programs that a replay must do as the same steps without a tape, where that is not plain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import grilly
from grilly.nn import Parameter
from grilly.optim import SGD, AdamW, ParamScheduler
from grilly.optim import lr_scheduler as lrs
from grilly.schedules import Cosine, Linear, Ramp

Place = str | int
F = np.float32
# Returns an optimizer and its schedulers; the last one is stepped.
Make = Callable[[list[Any]], tuple[Any, Any]]


def params(place: Place, count: int) -> list[Any]:
    made = [Parameter(np.linspace(-1, 1, 5).astype(F), device=place) for _ in range(count)]
    for p in made:
        p.grad.copy_from(np.full(5, 0.25))
    return made


def momentum_from_0(own: list[Any]) -> tuple[Any, Any]:
    groups = [{"params": own[:1]}, {"params": own[1:], "momentum": 0.5, "dampening": 0.5}]
    optimizer = SGD(groups, lr=0.1, dampening=0.5)
    ramps = [Ramp(0.9, 0.0, 1.0, steps=4), None]
    return optimizer, ParamScheduler(optimizer, {"momentum": ramps})


def momentum_through_0(own: list[Any]) -> tuple[Any, Any]:
    optimizer = SGD(own, lr=0.1, momentum=0.5)
    return optimizer, ParamScheduler(optimizer, {"momentum": Linear(0.5, 0.0, 3)})


def overtaken_in_beta1(own: list[Any]) -> tuple[Any, Any]:
    optimizer = AdamW(own, lr=0.1)
    scheduler = lrs.OneCycleLR(optimizer, 0.1, total_steps=20)
    optimizer.other = ParamScheduler(optimizer, {"beta1": Linear(0.95, 0.5, 10)})
    return optimizer, scheduler


def overtaken_in_a_group(kind: Callable[[Any], Any]) -> Make:
    def make(own: list[Any]) -> tuple[Any, Any]:
        optimizer = SGD([{"params": [p]} for p in own], lr=0.5)
        scheduler = kind(optimizer)
        optimizer.other = ParamScheduler(optimizer, {"lr": [None, Cosine(0.5, 0.0, 10)]})
        return optimizer, scheduler

    return make


TABLE = [1.0, 1.0, 1.0, 1.0, 0.5, 0.25]


def _looked_up(t: Any) -> float:
    try:
        return TABLE[int(t)]
    except Exception:
        return 1.0


DISGUISED: dict[str, Any] = {
    "catches every error": _looked_up,
    "asks for the type": lambda t: 0.1 if isinstance(t, int) and t >= 4 else 1.0,
    "compares types": lambda t: 0.1 if type(t) is int and t in (4, 5) else 1.0,
    "reads digits": lambda t: 0.1 if str(t).endswith("3") else 1.0,
    "formats": lambda t: {"4": 0.1}.get(f"{t}", 1.0),
    "hashes": lambda t: {4: 0.1}.get(t, 1.0),
}


def follows(kind: str, function: Callable[[Any], float]) -> Make:
    def make(own: list[Any]) -> tuple[Any, Any]:
        optimizer = SGD(own, lr=0.5)
        if kind == "ParamScheduler":
            return optimizer, ParamScheduler(optimizer, {"lr": lambda t: 0.5 * function(t)})
        scheduler: Any = lrs.LambdaLR(optimizer, function)
        if kind == "ChainedScheduler":
            scheduler = lrs.ChainedScheduler([scheduler])
        if kind == "SequentialLR":
            constant = lrs.ConstantLR(optimizer, 1.0, 1)
            scheduler = lrs.SequentialLR(optimizer, [constant, scheduler], [1])
        return optimizer, scheduler

    return make


PROGRAMS: dict[str, Make] = {
    "momentum from 0": momentum_from_0,
    "momentum through 0": momentum_through_0,
    "overtaken in beta1": overtaken_in_beta1,
    "overtaken in a group": overtaken_in_a_group(lambda o: lrs.ExponentialLR(o, 0.5)),
    "overtaken in a group, LambdaLR": overtaken_in_a_group(
        lambda o: lrs.LambdaLR(o, lambda t: 0.5**t)
    ),
    **{
        f"{kind} of what {name}": follows(kind, function)
        for kind in ("LambdaLR", "ParamScheduler", "SequentialLR", "ChainedScheduler")
        for name, function in DISGUISED.items()
    },
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_replay_does_what_the_steps_do(place: Place, name: str) -> None:
    seen = []
    for replaying in (True, False):
        own = params(place, 2)
        optimizer, scheduler = PROGRAMS[name](own)
        if replaying:
            with grilly.record() as tape:
                optimizer.step()
                scheduler.step()
            for times in (2, 1, 6):
                tape.replay(times)
        else:
            for _ in range(9):
                optimizer.step()
                scheduler.step()
        weights = [p.data.numpy().tobytes() for p in own]
        used = optimizer.history(9).tobytes(), optimizer.read_hyperparameters().tobytes()
        states = {i: sorted(own) for i, own in optimizer.state_dict()["state"].items()}
        seen.append((weights, used, states, [g["lr"] for g in optimizer.param_groups]))
    assert seen[0] == seen[1]


@pytest.mark.parametrize("looked", [False, True])
@pytest.mark.parametrize("replayed", [False, True])
def test_a_cut_after_a_skipped_update_is_kept(place: Place, looked: bool, replayed: bool) -> None:
    (p,) = params(place, 1)
    optimizer = SGD([p], lr=0.4, skip_nonfinite=True)
    decay = lrs.ExponentialLR(optimizer, 0.5)
    plateau = lrs.ReduceLROnPlateau(optimizer, factor=0.5, patience=0)
    with grilly.record() as tape:
        optimizer.step()
        decay.step()
    for grad in (0.25, 0.25, 0.25, np.inf):
        p.grad.copy_from(np.full(5, grad))
        if replayed:
            tape.replay()
        else:
            optimizer.step()
            decay.step()
    if looked:
        assert decay.last_epoch == 3
    plateau.best = 0.5
    plateau.step(grilly.device_array([1.0], place))
    p.grad.copy_from(np.full(5, 0.25))
    optimizer.step()
    assert optimizer.history(1)["lr"][0, 0] == F(0.025)


@pytest.mark.parametrize("replayed", [False, True])
def test_skipped_updates_wrap_no_restart(place: Place, replayed: bool) -> None:
    (p,) = params(place, 1)
    optimizer = SGD([p], lr=0.5, skip_nonfinite=True)
    scheduler = lrs.CosineAnnealingWarmRestarts(optimizer, T_0=4)
    with grilly.record() as tape:
        optimizer.step()
        scheduler.step()
    for grad, times in ((0.25, 3), (np.inf, 9)):
        p.grad.copy_from(np.full(5, grad))
        if replayed:
            tape.replay(times)
        for _ in range(0 if replayed else times):
            optimizer.step()
            scheduler.step()
    assert (scheduler.last_epoch, scheduler.T_cur) == (3, 3)


def test_last_rates_are_those_that_a_metric_wrote(place: Place) -> None:
    (p,) = params(place, 1)
    optimizer = SGD([p], lr=0.5)
    scheduler = lrs.ReduceLROnPlateau(optimizer)
    group = optimizer.param_groups[0]
    scheduler.step(grilly.device_array([1.0], place))
    group["lr"] = 0.25
    assert scheduler.get_last_lr() == [0.5]
    assert optimizer.param_groups[0]["lr"] == 0.25
