"""LRScheduler.preview: the rates that the next steps will write, with nothing changed."""

from __future__ import annotations

import copy
import random
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from targets import GrillyTarget, HostTarget, TorchTarget

from grilly.optim import lr_scheduler as ours

Make = Callable[[Any], Any]


class Counter:
    """A callable object whose state moves with each call: a copy of it must do that."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, t: int) -> float:
        self.calls += 1
        return 0.9**self.calls

    def method(self, t: int) -> float:
        return 0.5**t


class Own(ours.LRScheduler):
    """A user's class with a get_lr()."""

    def get_lr(self) -> list[float]:
        return [group["lr"] * 0.75 for group in self.optimizer.param_groups]


def sequence(optimizer: Any) -> Any:
    parts = [
        ours.LinearLR(optimizer, 0.25, total_iters=4),
        ours.CosineAnnealingLR(optimizer, T_max=10),
        ours.MultiplicativeLR(optimizer, lambda t: 0.75),
    ]
    return ours.SequentialLR(optimizer, parts, [4, 16])


def chain(optimizer: Any) -> Any:
    inner = [ours.ConstantLR(optimizer, 0.5, 3), ours.ExponentialLR(optimizer, 0.9)]
    return ours.ChainedScheduler([ours.ChainedScheduler(inner), ours.StepLR(optimizer, 5, 0.5)])


MAKES: dict[str, Make] = {
    "StepLR": lambda o: ours.StepLR(o, 7, 0.5),
    "MultiStepLR": lambda o: ours.MultiStepLR(o, [3, 9, 9, 20], 0.5),
    "ConstantLR": lambda o: ours.ConstantLR(o, 0.5, 6),
    "LinearLR": lambda o: ours.LinearLR(o, 0.25, total_iters=9),
    "ExponentialLR": lambda o: ours.ExponentialLR(o, 0.9),
    "PolynomialLR": lambda o: ours.PolynomialLR(o, 12, 2.0),
    "CosineAnnealingLR": lambda o: ours.CosineAnnealingLR(o, 9, 0.001),
    "CosineAnnealingWarmRestarts": lambda o: ours.CosineAnnealingWarmRestarts(o, 4, 2),
    "CyclicLR": lambda o: ours.CyclicLR(o, 0.01, 0.1, 3, mode="exp_range", gamma=0.9),
    "CyclicLR of a function": lambda o: ours.CyclicLR(o, 0.01, 0.1, 3, scale_fn=lambda x: 1 / x),
    "OneCycleLR": lambda o: ours.OneCycleLR(o, 0.1, total_steps=40),
    "LambdaLR": lambda o: ours.LambdaLR(o, lambda t: 1 / (t + 1)),
    "LambdaLR of an object": lambda o: ours.LambdaLR(o, [Counter(), Counter()]),
    "LambdaLR of a method": lambda o: ours.LambdaLR(o, Counter().method),
    "MultiplicativeLR": lambda o: ours.MultiplicativeLR(o, lambda t: 1 + 1 / t),
    "SWALR": lambda o: ours.SWALR(o, 0.05, 5),
    "SequentialLR": sequence,
    "ChainedScheduler": chain,
    "a get_lr()": Own,
}
TARGETS: dict[str, Any] = {"host": HostTarget, "grilly": GrillyTarget, "torch": TorchTarget}


def rates(target: Any) -> list[float]:
    return [float(group["lr"]) for group in target.groups]


def seen(scheduler: Any, target: Any) -> Any:
    """Return all that a preview might change."""
    state = copy.deepcopy(scheduler.state_dict())
    groups = [{k: v for k, v in group.items() if k != "params"} for group in target.groups]
    return copy.deepcopy((state, groups, target.held("lr")))


@pytest.mark.parametrize("on", TARGETS)
@pytest.mark.parametrize("name", MAKES)
def test_it_is_what_the_steps_then_give(name: str, on: str) -> None:
    target = TARGETS[on]("SGD", [{"lr": 0.1, "momentum": 0.5}, {"lr": 0.02, "momentum": 0.5}])
    scheduler = MAKES[name](target.optimizer)
    rng = random.Random(name)
    for _ in range(4):
        before = seen(scheduler, target)
        foretold = scheduler.preview(8)
        assert foretold.shape == (8, 2) and foretold.dtype == np.float64
        np.testing.assert_equal(seen(scheduler, target), before)
        for row in foretold:
            assert rates(target) == row.tolist()
            target.step()
            scheduler.step()
        if rng.random() < 0.7:
            target.groups[1]["lr"] *= 3.0


def test_it_starts_from_a_hand_edit() -> None:
    target = HostTarget("SGD", [{"lr": 1.0}])
    scheduler = ours.ExponentialLR(target.optimizer, 0.5)
    target.groups[0]["lr"] = 8.0
    assert scheduler.preview(3).tolist() == [[8.0], [4.0], [2.0]]
    assert scheduler.get_last_lr() == [1.0]


def test_a_rate_that_is_a_tensor_stays_as_it_is() -> None:
    target = TorchTarget("SGD", [{"lr": torch.tensor(1.0)}])
    scheduler = ours.ExponentialLR(target.optimizer, 0.5)
    assert scheduler.preview(3).tolist() == [[1.0], [0.5], [0.25]]
    assert target.groups[0]["lr"].item() == 1.0


@pytest.mark.parametrize("make", [ours.ReduceLROnPlateau, ours.GreedyLR])
def test_of_a_metric_scheduler_it_is_the_rates_of_now(make: Make) -> None:
    scheduler = make(HostTarget("SGD", [{"lr": 0.5}, {"lr": 0.25}]).optimizer)
    assert scheduler.preview(3).tolist() == [[0.5, 0.25]] * 3
    assert scheduler.preview(0).shape == (0, 2)


def test_what_a_method_belongs_to_is_not_copied() -> None:
    class Trainer:
        def warm_up(self, t: int) -> float:
            return 0.5**t

        def __deepcopy__(self, memo: Any) -> Any:
            raise AssertionError("a trainer holds a model")

    target = HostTarget("SGD", [{"lr": 1.0}])
    inner = ours.LambdaLR(target.optimizer, Trainer().warm_up)
    assert inner.preview(2).tolist() == [[1.0], [0.5]]
    assert ours.ChainedScheduler([inner]).preview(2).tolist() == [[1.0], [0.5]]


def test_a_preview_of_nothing() -> None:
    scheduler = ours.ExponentialLR(HostTarget("SGD", [{}, {}]).optimizer, 0.5)
    assert scheduler.preview(0).shape == (0, 2)


def test_an_error_of_a_later_step_changes_nothing() -> None:
    target = HostTarget("SGD", [{"lr": 0.5}])
    scheduler = ours.OneCycleLR(target.optimizer, 0.1, total_steps=5, cycle_momentum=False)
    before = seen(scheduler, target)
    assert scheduler.preview(6).shape == (6, 1)
    with pytest.raises(ValueError, match="Tried to step 6 times"):
        scheduler.preview(7)
    assert seen(scheduler, target) == before


def test_it_does_not_warn_of_steps_that_are_none() -> None:
    target = TorchTarget("SGD", [{}])  # torch's warning: scheduler.step() before optimizer.step()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ours.ExponentialLR(target.optimizer, 0.5).preview(3)


@pytest.mark.parametrize(
    ("n", "kind", "words"),
    [(1.5, TypeError, "n must be an int, got 1.5"), (-1, ValueError, "n must be at least 0")],
)
@pytest.mark.parametrize("make", [ours.GreedyLR, lambda o: ours.ExponentialLR(o, 0.5)])
def test_n_is_checked(make: Make, n: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        make(HostTarget("SGD", [{}]).optimizer).preview(n)
