"""LRScheduler and OneCycleLR: torch 2.13's interface, state, warnings and errors, as it ran."""

from __future__ import annotations

import copy
import gc
import inspect
import json
import pickle
import warnings
import weakref
from typing import Any

import numpy as np
import pytest
import torch

from grilly import StateError
from grilly.optim import AdamW
from grilly.optim.lr_scheduler import (
    CosineAnnealingLR,
    LRScheduler,
    OneCycleLR,
    ReduceLROnPlateau,
    StepLR,
)

# Keys and values of torch 2.13's state_dict after OneCycleLR(AdamW, max_lr=0.01, total_steps=10).
TORCH_STATE = {
    "total_steps": 10,
    "_schedule_phases": [
        {
            "end_step": 2.0,
            "start_lr": "initial_lr",
            "end_lr": "max_lr",
            "start_momentum": "max_momentum",
            "end_momentum": "base_momentum",
        },
        {
            "end_step": 9,
            "start_lr": "max_lr",
            "end_lr": "min_lr",
            "start_momentum": "base_momentum",
            "end_momentum": "max_momentum",
        },
    ],
    "_anneal_func_type": "cos",
    "cycle_momentum": True,
    "use_beta1": True,
    "base_lrs": [0.0004],
    "last_epoch": 0,
    "_step_count": 1,
    "_is_initial": False,
    "_get_lr_called_within_step": False,
    "_last_lr": [0.0004],  # torch's own form gives 0.0003999999999999993
}
ORDER = "Detected call of `lr_scheduler.step\\(\\)` before `optimizer.step\\(\\)`"


@pytest.mark.parametrize(
    "kind", [LRScheduler, StepLR, CosineAnnealingLR, ReduceLROnPlateau, OneCycleLR]
)
def test_the_signature_is_torchs(kind: type[LRScheduler]) -> None:
    theirs = getattr(torch.optim.lr_scheduler, kind.__name__)
    for name in ("__init__", "step"):
        mine, wanted = (inspect.signature(getattr(c, name)).parameters for c in (kind, theirs))
        assert [*mine] == [*wanted]
        assert [p.default for p in mine.values()] == [p.default for p in wanted.values()]


def optimizer(groups: int = 1) -> AdamW:
    params = [{"params": [np.ones(3, np.float32)]} for _ in range(groups)]
    return AdamW(params, lr=0.1, device="cpu")


def advance(target: AdamW, scheduler: LRScheduler, steps: int) -> None:
    for _ in range(steps):
        target.step(gradients=[np.ones(3)] * len(target.param_groups))
        scheduler.step()


def test_the_state_is_torchs_plain_data() -> None:
    scheduler = OneCycleLR(optimizer(), max_lr=0.01, total_steps=10)
    assert scheduler.state_dict() == TORCH_STATE
    assert json.loads(json.dumps(scheduler.state_dict())) == TORCH_STATE


def test_the_state_is_a_copy() -> None:
    scheduler = OneCycleLR(optimizer(), max_lr=0.01, total_steps=10)
    scheduler.state_dict()["base_lrs"][0] = 5.0
    assert scheduler.base_lrs == [0.0004]


def test_the_group_keys_are_torchs() -> None:
    target = optimizer()
    OneCycleLR(target, max_lr=0.01, total_steps=10)
    group = {key: value for key, value in target.param_groups[0].items() if key != "params"}
    assert group == {
        "lr": 0.0004,
        "betas": (0.95, 0.999),
        "eps": 1e-8,
        "weight_decay": 0.01,
        "decoupled_weight_decay": True,
        "foreach": None,
        "capturable": False,
        "differentiable": False,
        "fused": None,
        "amsgrad": False,
        "maximize": False,
        "initial_lr": 0.0004,
        "max_lr": 0.01,
        "min_lr": 4e-08,
        "max_momentum": 0.95,
        "base_momentum": 0.85,
    }


def test_loading_resumes_in_every_order() -> None:
    whole = optimizer()
    scheduler = OneCycleLR(whole, max_lr=0.01, total_steps=50)
    advance(whole, scheduler, 20)
    saved = copy.deepcopy((whole.state_dict(), scheduler.state_dict()))
    want = whole.read_hyperparameters()
    for first in (0, 1):
        target = optimizer()
        fresh = OneCycleLR(target, max_lr=0.01, total_steps=50)
        loads = [
            lambda t=target: t.load_state_dict(saved[0]),
            lambda f=fresh: f.load_state_dict(saved[1]),
        ]
        loads[first]()
        loads[1 - first]()
        np.testing.assert_array_equal(target.read_hyperparameters(), want)
        assert fresh.get_last_lr() == scheduler.get_last_lr() and fresh.last_epoch == 20


@pytest.mark.parametrize("key", ["optimizer", "anneal_func", "_curves"])
def test_a_foreign_key_is_refused(key: str) -> None:
    scheduler = OneCycleLR(optimizer(), max_lr=0.01, total_steps=10)
    before = scheduler.state_dict()
    with pytest.raises(StateError, match=key):
        scheduler.load_state_dict({**before, "last_epoch": 7, key: "x"})
    assert scheduler.state_dict() == before


def test_order_warnings() -> None:
    scheduler = OneCycleLR(optimizer(), max_lr=0.01, total_steps=10)
    with pytest.warns(UserWarning, match=ORDER):
        scheduler.step()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scheduler.step()
    target = optimizer()
    scheduler = OneCycleLR(target, max_lr=0.01, total_steps=10)
    target.step = lambda: None  # type: ignore[assignment, method-assign]
    with pytest.warns(UserWarning, match=r"`optimizer.step\(\)` has been overridden"):
        scheduler.step()


def test_get_lr_outside_step_warns_and_agrees() -> None:
    target = optimizer(2)
    scheduler = OneCycleLR(target, max_lr=[0.01, 0.1], total_steps=10)
    advance(target, scheduler, 1)
    with pytest.warns(UserWarning, match="please use `get_last_lr"):
        rates = scheduler.get_lr()
    assert rates == scheduler.get_last_lr() == pytest.approx([0.0052, 0.052], rel=1e-15)


def test_step_to_an_epoch() -> None:
    """torch 2.13: step(5) of 10 steps to 0.01 gives 0.0061126202193628925, with a warning."""
    target = optimizer()
    scheduler = OneCycleLR(target, max_lr=0.01, total_steps=10)
    advance(target, scheduler, 1)
    with pytest.warns(UserWarning, match="The epoch parameter"):
        scheduler.step(5)
    assert scheduler.last_epoch == 5
    assert scheduler.get_last_lr() == pytest.approx([0.0061126202193628925], rel=1e-15)


def test_a_fractional_epoch_reaches_the_table(place: str) -> None:
    target = AdamW([np.ones(3, np.float32)], device=place)
    scheduler = OneCycleLR(target, max_lr=0.01, total_steps=10, anneal_strategy="linear")
    target.step(gradients=[np.ones(3)])
    with pytest.warns(UserWarning, match="The epoch parameter"):
        scheduler.step(5.5)  # half way from 0.01 at step 2 to 4e-8 at step 9
    for want in ((0.01 + 4e-8) / 2, (0.01 * 2.5 + 4e-8 * 4.5) / 7):
        assert target.read_hyperparameters()["lr"][0] == np.float32(want)
        target.step(gradients=[np.ones(3)])
        scheduler.step()


ERRORS: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "total 0": ({"total_steps": 0}, ValueError, "Expected positive integer total_steps, but got 0"),
    "total 5.0": (
        {"total_steps": 5.0},
        ValueError,
        "Expected positive integer total_steps, but got 5.0",
    ),
    "no total": (
        {"epochs": 3},
        ValueError,
        "You must define either total_steps OR (epochs AND steps_per_epoch)",
    ),
    "epochs": (
        {"epochs": 0, "steps_per_epoch": 3},
        ValueError,
        "Expected positive integer epochs, but got 0",
    ),
    "pct_start": (
        {"total_steps": 10, "pct_start": 1},
        ValueError,
        "Expected float between 0 and 1 pct_start, but got 1",
    ),
    "strategy": (
        {"total_steps": 10, "anneal_strategy": "x"},
        ValueError,
        "anneal_strategy must be one of 'cos' or 'linear', instead got x",
    ),
    "lengths": (
        {"total_steps": 10, "max_lr": [1.0, 2.0]},
        ValueError,
        "max_lr must have the same length as optimizer.param_groups. "
        "max_lr has 2 values, param_groups has 1.",
    ),
    "nan": ({"total_steps": 10, "max_lr": np.nan}, ValueError, "max_lr must be finite, got nan"),
    "string": ({"total_steps": 10, "max_lr": "1"}, TypeError, "max_lr must be a number, got '1'"),
    "div": (
        {"total_steps": 10, "div_factor": 0},
        ValueError,
        "div_factor divides and must not be 0, got 0",
    ),
    "resume": (
        {"total_steps": 10, "last_epoch": 3},
        KeyError,
        "param 'initial_lr' is not specified",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_are_torchs_and_change_nothing(name: str) -> None:
    arguments, error, text = ERRORS[name]
    target = optimizer()
    before = copy.deepcopy(target.param_groups)
    with pytest.raises(error) as caught:
        OneCycleLR(target, **{"max_lr": 0.1, **arguments})
    assert text in str(caught.value)
    assert str(target.param_groups) == str(before)


@pytest.mark.parametrize("value", ["x", object(), None])
def test_what_is_no_optimizer(value: Any) -> None:
    for make in (lambda: OneCycleLR(value, 0.1, 10), lambda: LRScheduler(value)):
        with pytest.raises(TypeError, match=f"{type(value).__name__} is not an Optimizer"):
            make()


def test_momentum_to_cycle_must_be_there() -> None:
    class Bare:
        defaults = {"lr": 0.1}  # noqa: RUF012
        param_groups = [{"lr": 0.1}]  # noqa: RUF012

    with pytest.raises(ValueError, match="optimizer must support momentum or beta1"):
        OneCycleLR(Bare(), max_lr=0.1, total_steps=10)
    OneCycleLR(Bare(), max_lr=0.1, total_steps=10, cycle_momentum=False)


def test_a_step_too_many_changes_nothing() -> None:
    target = optimizer()
    scheduler = OneCycleLR(target, max_lr=0.01, total_steps=3)
    advance(target, scheduler, 3)
    before = scheduler.state_dict(), copy.deepcopy(target.param_groups[0]["lr"])
    with pytest.raises(ValueError, match=r"Tried to step 4 times\. The specified number .* is 3"):
        scheduler.step()
    assert (scheduler.state_dict(), target.param_groups[0]["lr"]) == before


class Halving(LRScheduler):
    """A user's own subclass, in plain Python."""

    def get_lr(self) -> list[float]:
        return [base * 0.5**self.last_epoch for base in self.base_lrs]


def test_a_subclass_in_plain_python(place: str) -> None:
    target = AdamW([np.ones(3, np.float32)], lr=1.0, device=place)
    scheduler = Halving(target)
    for step in range(20):
        assert target.read_hyperparameters()["lr"][0] == 0.5**step
        target.step(gradients=[np.ones(3)])
        scheduler.step()
    assert scheduler.get_last_lr() == [0.5**20]


class Halved(OneCycleLR):
    """A user's own rates over OneCycleLR's: its get_lr() counts, its momentum stays cycled."""

    def get_lr(self) -> list[float]:
        return [rate / 2 for rate in super().get_lr()]


def test_a_subclass_of_a_formula(place: str) -> None:
    targets = [AdamW([np.ones(3, np.float32)], device=place) for _ in range(2)]
    kinds = (OneCycleLR, Halved)
    schedulers = [k(t, 0.01, total_steps=20) for k, t in zip(kinds, targets, strict=True)]
    for _ in range(10):
        whole, half = (target.read_hyperparameters()[0] for target in targets)
        assert half["lr"] == pytest.approx(whole["lr"] / 2, rel=1e-6)
        assert half["beta1"] == whole["beta1"]
        for target, scheduler in zip(targets, schedulers, strict=True):
            target.step(gradients=[np.ones(3)])
            scheduler.step()


@pytest.mark.parametrize(
    "state",
    [
        {"last_epoch": "x"},
        {"last_epoch": None},
        {"last_epoch": float("nan")},
        {"_schedule_phases": []},
        {"_schedule_phases": [{"end_step": 3}]},
        {"total_steps": -3},
        {"base_lrs": [1.0, 2.0]},
        {"base_lrs": None},
    ],
    ids=str,
)
def test_a_state_that_does_not_fit_changes_nothing(state: dict[str, Any]) -> None:
    target = optimizer()
    scheduler = OneCycleLR(target, max_lr=0.01, total_steps=10)
    advance(target, scheduler, 2)
    before = scheduler.state_dict()
    with pytest.raises(StateError, match="state_dict does not fit OneCycleLR"):
        scheduler.load_state_dict(state)
    assert scheduler.state_dict() == before
    advance(target, scheduler, 1)


def test_a_cycled_beta1_must_be_below_1() -> None:
    with pytest.raises(ValueError, match=r"momenta must be in \[0, 1\) .* got 1.0"):
        OneCycleLR(optimizer(), max_lr=0.01, total_steps=10, max_momentum=1.0)


def test_the_base_class_asks_for_get_lr() -> None:
    with pytest.raises(NotImplementedError):
        LRScheduler(optimizer())


def test_a_second_scheduler_takes_over() -> None:
    """torch's: the last writer wins, and initial_lr stays what the first one made it."""
    target = optimizer()
    OneCycleLR(target, max_lr=0.01, total_steps=10)
    second = Halving(target)
    assert second.base_lrs == [0.0004]
    advance(target, second, 2)
    assert target.read_hyperparameters()["lr"][0] == np.float32(0.0001)


def test_nothing_keeps_the_optimizer_alive() -> None:
    target = optimizer()
    scheduler = OneCycleLR(target, max_lr=0.01, total_steps=10)
    gone = weakref.ref(target)
    del target, scheduler
    gc.collect()
    assert gone() is None


def test_annealing_functions() -> None:
    """As torch's: half a cosine, a line, from start (0) to end (1)."""
    assert OneCycleLR._annealing_cos(1.0, 3.0, 0.25) == pytest.approx(
        1 + 2 * (1 - np.sqrt(0.5)) / 2
    )
    assert OneCycleLR._annealing_linear(1.0, 3.0, 0.25) == 1.5


def test_a_state_survives_pickle() -> None:
    scheduler = OneCycleLR(optimizer(), max_lr=0.01, total_steps=10)
    state = pickle.loads(pickle.dumps(scheduler.state_dict()))
    scheduler.load_state_dict(state)
    assert scheduler.state_dict() == state
