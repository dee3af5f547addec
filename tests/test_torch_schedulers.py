"""Every scheduler beside torch's: state, in both directions, errors, and what functions keep."""

from __future__ import annotations

import copy
import json
import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
from targets import THEIRS, HostTarget, TorchTarget

from grilly import StateError
from grilly.optim import lr_scheduler as ours
from grilly.optim.lr_scheduler import multistep
from grilly.optim.swa_utils import SWALR as OUR_SWALR


class Halving:
    """A callable object with a state."""

    def __init__(self, factor: float) -> None:
        self.factor, self.calls = factor, 0

    def __call__(self, t: float) -> float:
        self.calls += 1
        return float(self.factor**t)


# name of the case: how to make it of a module of schedulers and an optimizer
MAKES: dict[str, Any] = {
    "StepLR": lambda m, o: m.StepLR(o, 3, gamma=-0.5),
    "MultiStepLR": lambda m, o: m.MultiStepLR(o, [0, 2, 2, 5, 30.5], gamma=0.5),
    "many milestones": lambda m, o: m.MultiStepLR(o, range(1, 20), gamma=-0.9),
    "ConstantLR": lambda m, o: m.ConstantLR(o, factor=0.25, total_iters=7),
    "LinearLR": lambda m, o: m.LinearLR(o, start_factor=0.1, total_iters=8),
    "ExponentialLR": lambda m, o: m.ExponentialLR(o, gamma=0.9),
    "PolynomialLR": lambda m, o: m.PolynomialLR(o, total_iters=10, power=1.5),
    "CosineAnnealingLR": lambda m, o: m.CosineAnnealingLR(o, T_max=6),
    "restarts": lambda m, o: m.CosineAnnealingWarmRestarts(o, T_0=3),
    "longer restarts": lambda m, o: m.CosineAnnealingWarmRestarts(o, 2, T_mult=2, eta_min=0.01),
    "OneCycleLR": lambda m, o: m.OneCycleLR(o, max_lr=0.5, total_steps=40),
    "triangular": lambda m, o: m.CyclicLR(o, [0.01, 0.02], 0.3, step_size_up=3, step_size_down=4),
    "triangular2": lambda m, o: m.CyclicLR(o, 0.01, 0.3, 3, mode="triangular2"),
    "exp_range": lambda m, o: m.CyclicLR(o, 0.01, 0.3, 3, mode="exp_range", gamma=0.95),
    "no momentum": lambda m, o: m.CyclicLR(o, 0.3, 0.01, 3, cycle_momentum=False),
    "scale_fn": lambda m, o: m.CyclicLR(o, 0.01, 0.3, 3, scale_fn=Halving(0.5)),
    "LambdaLR": lambda m, o: m.LambdaLR(o, [lambda t: 0.9**t, Halving(0.5)]),
    "MultiplicativeLR": lambda m, o: m.MultiplicativeLR(o, Halving(0.99)),
    "SWALR": lambda m, o: m.SWALR(o, swa_lr=[0.05, 0.3], anneal_epochs=8),
    "SWALR line": lambda m, o: m.SWALR(o, 0.05, anneal_epochs=0, anneal_strategy="linear"),
    "SequentialLR": lambda m, o: m.SequentialLR(
        o, [m.LinearLR(o), m.MultiStepLR(o, [4]), m.CosineAnnealingWarmRestarts(o, 3)], [5, 12]
    ),
    "ChainedScheduler": lambda m, o: m.ChainedScheduler(
        [m.SequentialLR(o, [m.ConstantLR(o), m.ExponentialLR(o, 0.9)], [4]), m.StepLR(o, 5)]
    ),
    "ReduceLROnPlateau": lambda m, o: m.ReduceLROnPlateau(o, patience=1),
}
OWN_KEYS = {"_anchors"}  # what ours has beside torch's keys


def target() -> TorchTarget:
    return TorchTarget("SGD", [{"lr": 0.1}, {"lr": 0.5, "momentum": 0.3}])


def advance(own: Any, scheduler: Any, steps: int) -> None:
    metric = [1.0] if hasattr(scheduler, "num_bad_epochs") else []
    for _ in range(steps):
        own.step()
        scheduler.step(*metric)


def numbers(own: Any) -> Any:
    return np.array([[float(group["lr"]), group["momentum"]] for group in own.groups])


def keys(state: Any) -> Any:
    """Return the keys of a state and of the states in it, without those that only ours has."""
    if isinstance(state, Counter):
        return "Counter"
    if isinstance(state, dict):
        return {k: keys(v) for k, v in state.items() if k not in OWN_KEYS}
    return [keys(one) for one in state if isinstance(one, dict)] if isinstance(state, list) else 0


@pytest.mark.parametrize("name", MAKES)
@pytest.mark.parametrize("at", [0, 1, 6, 13])
def test_states_go_both_ways(name: str, at: int) -> None:
    make = MAKES[name]
    pairs = [(own := target(), make(module, own.optimizer)) for module in (THEIRS, ours)]
    for own, scheduler in pairs:
        advance(own, scheduler, at)
    states = [scheduler.state_dict() for _, scheduler in pairs]
    assert keys(states[0]) == keys(states[1])
    as_json = json.loads(json.dumps(states[1]))
    loads = [(THEIRS, states[1]), (ours, states[0]), (ours, states[1]), (ours, as_json)]
    for module, state in loads:
        own = target()
        scheduler = make(module, own.optimizer)
        own.load(pairs[0][0].save())
        scheduler.load_state_dict(copy.deepcopy(state))
        pairs.append((own, scheduler))
    for _ in range(15):
        for own, scheduler in pairs:
            advance(own, scheduler, 1)
            np.testing.assert_allclose(numbers(own), numbers(pairs[0][0]), rtol=1e-11, atol=1e-15)
            last = [float(rate) for rate in scheduler.get_last_lr()]
            assert last == [float(group["lr"]) for group in own.groups]


TEXTS: dict[str, Any] = {
    "lambdas": lambda m, o: m.LambdaLR(o, [abs]),
    "multiplicative": lambda m, o: m.MultiplicativeLR(o, (abs, abs, abs)),
    "no function": lambda m, o: m.MultiplicativeLR(o, 0.5),
    "factor": lambda m, o: m.ConstantLR(o, factor=1.5),
    "start_factor": lambda m, o: m.LinearLR(o, start_factor=0),
    "end_factor": lambda m, o: m.LinearLR(o, end_factor=-0.1),
    "T_0": lambda m, o: m.CosineAnnealingWarmRestarts(o, 0),
    "T_0 float": lambda m, o: m.CosineAnnealingWarmRestarts(o, 2.0),
    "T_mult": lambda m, o: m.CosineAnnealingWarmRestarts(o, 2, T_mult=1.5),
    "eta_min": lambda m, o: m.CosineAnnealingWarmRestarts(o, 2, eta_min="x"),
    "epoch": lambda m, o: m.CosineAnnealingWarmRestarts(o, 2).step(-1),
    "mode": lambda m, o: m.CyclicLR(o, 0.1, 0.2, mode="square"),
    "base_lr": lambda m, o: m.CyclicLR(o, [0.1], 0.2),
    "max_momentum": lambda m, o: m.CyclicLR(o, 0.1, 0.2, max_momentum=[0.9]),
    "swa_lr": lambda m, o: m.SWALR(o, [0.1]),
    "strategy": lambda m, o: m.SWALR(o, 0.1, anneal_strategy="x"),
    "anneal_epochs": lambda m, o: m.SWALR(o, 0.1, anneal_epochs=-1),
    "resumed": lambda m, o: m.ExponentialLR(o, 0.9, last_epoch=3),
    "no schedulers": lambda m, o: m.SequentialLR(o, [], []),
    "nothing chained": lambda m, o: m.ChainedScheduler([]),
    "milestones": lambda m, o: m.SequentialLR(o, [m.LinearLR(o)], [3]),
    "no scheduler": lambda m, o: m.SequentialLR(o, ["x"], []),
    "plateau": lambda m, o: m.ChainedScheduler([m.ReduceLROnPlateau(o)]),
}


@pytest.mark.parametrize("name", TEXTS)
def test_errors_are_torchs(name: str) -> None:
    caught = []
    for module in (THEIRS, ours):
        own = target()
        before = [{k: v for k, v in group.items() if k != "params"} for group in own.groups]
        with pytest.raises((ValueError, TypeError, KeyError)) as error:
            TEXTS[name](module, own.optimizer)
        caught.append((type(error.value), str(error.value)))
    assert caught[0] == caught[1]
    if name not in ("epoch", "milestones"):  # these have made a scheduler before
        after = [{k: v for k, v in group.items() if k != "params"} for group in own.groups]
        assert after == before


def test_another_optimizers_scheduler() -> None:
    own, other = HostTarget("SGD", [{}]), HostTarget("SGD", [{}])
    with pytest.raises(ValueError, match="expects all schedulers to belong to the same optimizer"):
        ours.SequentialLR(own.optimizer, [ours.LinearLR(other.optimizer)], [])


# What torch accepts, or stops at without a word: the text of ours, and whether a step says it.
NAMED: dict[str, tuple[Any, str, int]] = {
    "gamma": (lambda o: ours.ExponentialLR(o, math.nan), "gamma must be finite, got nan", 0),
    "milestones": (lambda o: ours.MultiStepLR(o, ["x"]), "milestones must be a number, got 'x'", 0),
    "no list": (lambda o: ours.MultiStepLR(o, 3), "milestones must be a list of steps, got 3", 0),
    "total_iters": (lambda o: ours.LinearLR(o, total_iters=math.inf), "total_iters must be fin", 0),
    "up": (lambda o: ours.CyclicLR(o, 0.1, 0.2, 0), "step_size_up divides and must not be 0", 0),
    "sum": (lambda o: ours.CyclicLR(o, 0.1, 0.2, 3, -3), "step_size_up [+] step_size_down div", 0),
    "swa_lr": (lambda o: ours.SWALR(o, math.inf), "swa_lr must be finite, got inf", 0),
    "nan": (lambda o: ours.LambdaLR(o, lambda t: math.nan), r"lr_lambda\[0\]\(0\) .* got nan", 0),
    "text": (lambda o: ours.LambdaLR(o, lambda t: "x"), r"must return a number, got 'x'", 0),
    "later": (lambda o: ours.MultiplicativeLR(o, lambda t: math.inf), r"\(1\) must .* got inf", 1),
    "scale": (
        lambda o: ours.CyclicLR(o, 0, 1, 2, scale_fn=lambda c: math.nan),
        r"scale_fn\(1\)",
        0,
    ),
    "power": (
        lambda o: ours.PolynomialLR(o, 2, power=-1),
        "power must not be negative .* got -1",
        2,
    ),
    "growth": (
        lambda o: ours.CyclicLR(o, 0, 1, 2, mode="exp_range", gamma=1e300),
        "gamma=1e.300",
        2,
    ),
}


@pytest.mark.parametrize("name", NAMED)
def test_named_errors_change_nothing(name: str) -> None:
    make, text, steps = NAMED[name]
    own = HostTarget("SGD", [{"lr": 0.1}, {"lr": 0.5}])
    scheduler = None
    if steps:
        scheduler = make(own.optimizer)
        advance(own, scheduler, steps - 1)
    before = copy.deepcopy((own.groups, scheduler and scheduler.state_dict()))
    with pytest.raises((ValueError, TypeError), match=text):
        scheduler.step() if scheduler else make(own.optimizer)
    assert (own.groups, scheduler and scheduler.state_dict()) == before


STATES = [
    ("ExponentialLR", {"gamma": math.nan}),
    ("MultiStepLR", {"milestones": {"x": 1}}),
    ("MultiStepLR", {"milestones": [3]}),
    ("LinearLR", {"start_factor": 0}),
    ("restarts", {"T_0": 0}),
    ("restarts", {"T_i": 0}),
    ("triangular", {"total_size": 0}),
    ("triangular", {"max_lrs": [None]}),
    ("LambdaLR", {"lr_lambdas": [{"a": 1}]}),
    ("LambdaLR", {"lr_lambdas": 3}),
    ("scale_fn", {"_scale_fn_custom": 3}),
    ("SWALR", {"_anneal_strategy": "x"}),
    ("SequentialLR", {"_schedulers": [{"start_factor": 0.3}, {"gamma": "x"}]}),
    ("SequentialLR", {"_milestones": [3]}),
    ("SequentialLR", {"_schedulers": 3}),
    ("ChainedScheduler", {"unknown": 3}),
    ("ChainedScheduler", 3),
]


@pytest.mark.parametrize(("name", "state"), STATES, ids=str)
def test_a_state_that_does_not_fit_changes_nothing(name: str, state: Any) -> None:
    own = target()
    scheduler = MAKES[name](ours, own.optimizer)
    advance(own, scheduler, 2)
    before = scheduler.state_dict()
    with pytest.raises(StateError):
        scheduler.load_state_dict(state)
    assert scheduler.state_dict() == before
    advance(own, scheduler, 2)


def test_of_functions_only_objects_have_a_state() -> None:
    own = target()
    scheduler = ours.LambdaLR(own.optimizer, [math.exp, Halving(0.5)])
    advance(own, scheduler, 1)
    saved = scheduler.state_dict()["lr_lambdas"]
    assert saved == [None, {"factor": 0.5, "calls": 2}]
    again = ours.LambdaLR(target().optimizer, [math.exp, Halving(0.9)])
    again.load_state_dict(scheduler.state_dict())
    assert vars(again.lr_lambdas[1]) == saved[1]


def test_restarts_are_counted_exactly() -> None:
    """torch's logarithm misses 121 = 1 + 3 + 9 + 27 + 81, and leaves the rate at eta_min."""
    own = target()
    scheduler = ours.CosineAnnealingWarmRestarts(own.optimizer, T_0=1, T_mult=3)
    scheduler.step(121)
    assert (scheduler.T_cur, scheduler.T_i) == (0, 243)
    assert scheduler.get_last_lr() == [0.1, 0.5]
    scheduler.step(122.5)
    assert (scheduler.T_cur, scheduler.last_epoch) == (1.5, 122)


def test_restarts_follow_a_clock_set_by_hand() -> None:
    pairs = [
        (own := target(), m.CosineAnnealingWarmRestarts(own.optimizer, 10)) for m in (THEIRS, ours)
    ]
    for own, scheduler in pairs:
        advance(own, scheduler, 3)
        scheduler.T_cur = 7
        advance(own, scheduler, 1)
        np.testing.assert_allclose(numbers(own), numbers(pairs[0][0]), rtol=1e-12)


def test_swalr_has_torchs_second_place() -> None:
    assert OUR_SWALR is ours.SWALR


def test_more_milestones_than_a_formula_takes_are_torchs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multistep, "MOST", 3)
    players = [(target(), THEIRS), (target(), ours)]
    rates: list[list[list[float]]] = []
    for own, module in players:
        scheduler = module.MultiStepLR(own.optimizer, range(1, 20), gamma=-0.9)
        rates.append([])
        for _ in range(25):
            advance(own, scheduler, 1)
            rates[-1].append([group["lr"] for group in own.groups])
    np.testing.assert_allclose(rates[1], rates[0], rtol=1e-12)
