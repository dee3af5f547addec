"""The 27 known differences between the existing grilly (0.3.0) and PyTorch: none of them is here.

Numbered as in the survey that found them; what torch gives is beside each, or is computed by torch.
"""

from __future__ import annotations

import copy
import json
import math
import warnings
from typing import Any

import numpy as np
import pytest
import torch

from grilly.optim import SGD, Adam, AdamW, Optimizer, lr_scheduler
from grilly.optim.lr_scheduler import (
    CosineAnnealingLR,
    LRScheduler,
    OneCycleLR,
    ReduceLROnPlateau,
    StepLR,
)

Array = np.ndarray[Any, np.dtype[np.float32]]


def one(value: float = 1.0) -> Array:
    return np.array([value], np.float32)


def sgd(*rates: float, lr: float = 0.1, **options: Any) -> SGD:
    groups = [{"params": [one()], "lr": rate} for rate in rates or (lr,)]
    return SGD(groups, lr=lr, device="cpu", **options)


def torch_sgd(lr: float = 0.1, **options: Any) -> Any:
    return torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=lr, **options)


def steps(optimizer: Any, scheduler: Any, count: int, *arguments: Any) -> list[float]:
    for _ in range(count):
        _update(optimizer)
        scheduler.step(*arguments)
    return [float(rate) for rate in scheduler.get_last_lr()]


def _update(optimizer: Any) -> None:
    if isinstance(optimizer, torch.optim.Optimizer):
        optimizer.step()
    else:
        optimizer.step(gradients=[one() for group in optimizer.param_groups])


@pytest.mark.parametrize("kind", [SGD, Adam, AdamW])
def test_01_a_scheduled_rate_changes_the_update(kind: type[Optimizer], place: str) -> None:
    p = one()
    optimizer = kind([p], lr=1.0, weight_decay=0.0, device=place)  # type: ignore[call-arg]
    scheduler = StepLR(optimizer, 1, gamma=0)
    _update(optimizer)
    moved = p.copy()
    assert moved < 0.01
    scheduler.step()
    _update(optimizer)
    np.testing.assert_array_equal(p, moved)


def test_02_each_group_has_its_rate(place: str) -> None:
    params = [one(), one()]
    groups = [{"params": params[:1], "lr": 0.5}, {"params": params[1:], "lr": 0.01}]
    optimizer = SGD(groups, lr=0.1, device=place)
    _update(optimizer)
    np.testing.assert_array_equal(np.concatenate(params), np.float32([0.5, 1 - np.float32(0.01)]))


def test_03_a_cycled_momentum_and_beta_reach_the_kernel(place: str) -> None:
    for optimizer, key in (
        (SGD([one()], momentum=0.9, device=place), "momentum"),
        (Adam([one()], device=place), "beta1"),
    ):
        scheduler = OneCycleLR(optimizer, 0.1, total_steps=10, pct_start=0.5)
        seen = []
        for _ in range(9):
            seen.append(float(optimizer.read_hyperparameters()[key][0]))
            _update(optimizer)
            scheduler.step()
        assert max(seen) == pytest.approx(0.95) and min(seen) == pytest.approx(0.85)


def test_04_the_group_gets_its_initial_lr() -> None:
    optimizer = sgd()
    StepLR(optimizer, 10)
    assert optimizer.param_groups[0].get("initial_lr") == 0.1


def test_05_a_second_scheduler_keeps_the_initial_lr() -> None:
    optimizer = sgd()
    StepLR(optimizer, 10)
    optimizer.param_groups[0]["lr"] = 0.5
    assert CosineAnnealingLR(optimizer, 10).base_lrs == [0.1]


@pytest.mark.parametrize(
    "make",
    [
        StepLR,
        CosineAnnealingLR,
        lambda o, n, last_epoch: OneCycleLR(o, 1.0, n, last_epoch=last_epoch),
    ],
)
def test_06_and_22_resuming_a_fresh_optimizer_is_an_error(make: Any) -> None:
    with pytest.raises(KeyError, match="param 'initial_lr' is not specified in param_groups"):
        make(sgd(), 30, last_epoch=5)


@pytest.mark.parametrize(("period", "count", "want"), [(10, 3, 0.020611), (5, 10, 0.1)])
def test_07_and_08_a_cosine_is_resumed_by_last_epoch(period: int, count: int, want: float) -> None:
    """At step 4, then on: in the first case to step 7, in the second through trough and peak."""
    optimizer = sgd()
    scheduler = CosineAnnealingLR(optimizer, period)
    first = 4 if period == 10 else 0
    steps(optimizer, scheduler, first)
    if first:
        saved = optimizer.state_dict()
        optimizer = sgd()
        optimizer.load_state_dict(saved)
        scheduler = CosineAnnealingLR(optimizer, period, last_epoch=int(scheduler.last_epoch) - 1)
        assert scheduler.base_lrs == [0.1]
    assert steps(optimizer, scheduler, count) == pytest.approx([want], rel=1e-4)


def test_09_and_10_a_step_to_an_epoch_is_taken() -> None:
    for make, epoch, want in (
        (lambda o: StepLR(o, step_size=10), 25, 0.001),
        (lambda o: CosineAnnealingLR(o, 10), 5, 0.05),
    ):
        optimizer = sgd()
        scheduler = make(optimizer)
        _update(optimizer)
        with pytest.warns(UserWarning, match="The epoch parameter in `scheduler.step"):
            scheduler.step(epoch)
        assert scheduler.get_last_lr() == pytest.approx([want], rel=1e-12)


def test_11_the_order_of_steps_is_watched() -> None:
    scheduler = StepLR(sgd(), 10)
    with pytest.warns(UserWarning, match="Detected call of `lr_scheduler.step"):
        scheduler.step()


def test_12_plateau_has_a_last_lr() -> None:
    assert ReduceLROnPlateau(sgd()).get_last_lr() == [0.1]


def test_13_plateau_is_a_scheduler() -> None:
    assert isinstance(ReduceLROnPlateau(sgd()), LRScheduler)


def test_14_plateau_takes_in_an_added_group() -> None:
    optimizer = sgd()
    scheduler = ReduceLROnPlateau(optimizer, factor=0.5, patience=0)
    optimizer.add_param_group({"params": [one()], "lr": 1.0})
    assert steps(optimizer, scheduler, 3, 1.0) == [0.025, 0.25]


def test_15_a_cosine_says_what_an_added_group_lacks() -> None:
    optimizer = sgd()
    scheduler = CosineAnnealingLR(optimizer, 10)
    optimizer.add_param_group({"params": [one()], "lr": 1.0})
    steps(optimizer, scheduler, 10)
    _update(optimizer)
    with pytest.raises(ValueError, match=r"append an added group's rate to scheduler\.base_lrs"):
        scheduler.step()
    scheduler.base_lrs.append(1.0)
    assert steps(optimizer, scheduler, 10) == pytest.approx([0.1, 1.0])


def test_16_one_cycle_says_that_an_added_group_is_not_scheduled() -> None:
    optimizer = sgd()
    scheduler = OneCycleLR(optimizer, 1.0, 10, cycle_momentum=False)
    optimizer.add_param_group({"params": [one()]})
    _update(optimizer)
    with pytest.raises(KeyError, match="initial_lr"):
        scheduler.step()


def test_17_three_phases() -> None:
    assert OneCycleLR(
        sgd(), 1.0, 10, three_phase=True, cycle_momentum=False
    ).get_last_lr() == pytest.approx([0.04])


def test_18_pct_start_is_a_float() -> None:
    with pytest.raises(ValueError, match="Expected float between 0 and 1 pct_start, but got 1"):
        OneCycleLR(sgd(), 1.0, 10, pct_start=1)


def test_19_steps_past_the_end_are_counted() -> None:
    optimizer = sgd()
    scheduler = OneCycleLR(optimizer, 1.0, 3, pct_start=0.5, cycle_momentum=False)
    with pytest.raises(ValueError, match=r"Tried to step 4 times\. The specified number"):
        steps(optimizer, scheduler, 4)


def test_20_an_edited_max_lr_counts() -> None:
    optimizer = sgd()
    scheduler = OneCycleLR(optimizer, 0.5, 300, cycle_momentum=False)
    steps(optimizer, scheduler, 120)
    optimizer.param_groups[0]["max_lr"] = 0.25
    assert steps(optimizer, scheduler, 1) == pytest.approx([0.2359], abs=5e-5)


def test_21_the_groups_have_torchs_keys() -> None:
    optimizer = sgd(momentum=0.9)
    scheduler = OneCycleLR(optimizer, 1.0, 10)
    keys = {"initial_lr", "max_lr", "min_lr", "base_momentum", "max_momentum"}
    assert keys <= set(optimizer.param_groups[0]) and scheduler.base_lrs == [0.04]


@pytest.mark.parametrize("name", ["StepLR", "CosineAnnealingLR", "OneCycleLR", "ReduceLROnPlateau"])
def test_23_a_state_is_plain_data(name: str) -> None:
    arguments = {"OneCycleLR": (1.0, 10), "ReduceLROnPlateau": ()}.get(name, (10,))
    optimizer = sgd(momentum=0.9)
    scheduler = getattr(lr_scheduler, name)(optimizer, *arguments)
    text = json.dumps(scheduler.state_dict())
    assert len(text) < 700
    assert json.loads(text) == scheduler.state_dict()


def test_24_what_is_no_optimizer_is_refused() -> None:
    for value in ("x", object()):
        with pytest.raises(TypeError, match=f"{type(value).__name__} is not an Optimizer"):
            StepLR(value, 10)


@pytest.mark.parametrize("name", ["StepLR", "CosineAnnealingLR", "OneCycleLR", "ReduceLROnPlateau"])
def test_25_states_go_to_torch_and_back(name: str) -> None:
    arguments = {"OneCycleLR": (1.0, 40), "ReduceLROnPlateau": ()}.get(name, (7,))
    metric = (1.0,) if name == "ReduceLROnPlateau" else ()
    mine, theirs = sgd(momentum=0.9), torch_sgd(momentum=0.9)
    ours = getattr(lr_scheduler, name)(mine, *arguments)
    other = getattr(torch.optim.lr_scheduler, name)(theirs, *arguments)
    assert set(other.state_dict()) <= set(ours.state_dict()), "a key of torch's is missing"
    for _ in range(2):
        steps(mine, ours, 13, *metric)
        steps(theirs, other, 13, *metric)
        mine_state, their_state = copy.deepcopy((ours.state_dict(), other.state_dict()))
        ours.load_state_dict(their_state)
        other.load_state_dict(mine_state)
        for group, held in zip(mine.param_groups, theirs.param_groups, strict=True):
            assert group["lr"] == pytest.approx(held["lr"], rel=1e-12)
    assert ours.last_epoch == other.last_epoch == 26
    assert ours.get_last_lr() == pytest.approx(other.get_last_lr(), rel=1e-12)


def test_26_the_classes_are_there() -> None:
    theirs = {
        name
        for name, kind in vars(torch.optim.lr_scheduler).items()
        if isinstance(kind, type) and name.endswith(("LR", "Restarts", "Plateau", "LRScheduler"))
    }
    theirs = {name for name in theirs if not name.startswith("_")} | {"SWALR", "ChainedScheduler"}
    assert theirs - {"LRScheduler"} <= set(lr_scheduler.__all__)


def test_27_an_optimizers_contract(place: str) -> None:
    """add_param_group exists, state_dict() is a copy, and states are numbered."""
    p, later = one(), one(2.0)
    optimizer = SGD([p], lr=0.5, momentum=0.5, device=place)
    optimizer.add_param_group({"params": [later], "lr": 0.25})
    _update(optimizer)
    state = optimizer.state_dict()
    assert sorted(state["state"]) == [0, 1] and math.isclose(float(later[0]), 1.75)
    state["param_groups"][0]["lr"] = 9.0
    state["state"][0]["momentum_buffer"][:] = 9.0
    assert optimizer.param_groups[0]["lr"] == 0.5
    assert optimizer.state_dict()["state"][0]["momentum_buffer"][0] == 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        optimizer.load_state_dict(optimizer.state_dict())
