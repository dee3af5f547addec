"""What cannot be meant: one error that names the argument and the value, and nothing is changed."""

from __future__ import annotations

import copy
import json
import math
import warnings
from typing import Any

import numpy as np
import pytest
import torch

from grilly import StateError, optim
from grilly.optim import SGD
from grilly.optim.lr_scheduler import (
    CosineAnnealingLR,
    LRScheduler,
    OneCycleLR,
    ReduceLROnPlateau,
    StepLR,
)

NAN, INF = math.nan, math.inf
GOOD: dict[type[LRScheduler], dict[str, Any]] = {
    StepLR: {"step_size": 2},
    CosineAnnealingLR: {"T_max": 4},
    OneCycleLR: {"max_lr": 0.5, "total_steps": 20},
    ReduceLROnPlateau: {},
}
# Class, argument, values that are refused.
NO_NUMBERS = (NAN, INF, -INF, "1", None, [1.0], object())
BAD = [
    (StepLR, "step_size", (0, 0.0, *NO_NUMBERS)),
    (StepLR, "gamma", NO_NUMBERS),
    (StepLR, "last_epoch", (NAN, INF, "1", None)),
    (CosineAnnealingLR, "T_max", (0, *NO_NUMBERS)),
    (CosineAnnealingLR, "eta_min", NO_NUMBERS),
    (OneCycleLR, "max_lr", (NAN, INF, "1", None, [0.1, 0.2], [])),
    (OneCycleLR, "total_steps", (0, -3, 2.5, NAN, "9")),
    (OneCycleLR, "pct_start", (NAN, -0.1, 1.5, 1, "x", None)),
    (OneCycleLR, "anneal_strategy", ("x", None, 3)),
    (OneCycleLR, "div_factor", (0, *NO_NUMBERS)),
    (OneCycleLR, "final_div_factor", (0, *NO_NUMBERS)),
    (OneCycleLR, "base_momentum", (NAN, "x", [0.1, 0.2])),
    (OneCycleLR, "max_momentum", (INF, "x", [0.1, 0.2])),
    (ReduceLROnPlateau, "mode", ("x", None, 1)),
    (ReduceLROnPlateau, "factor", (1.0, 2, *NO_NUMBERS)),
    (ReduceLROnPlateau, "patience", NO_NUMBERS),
    (ReduceLROnPlateau, "threshold", NO_NUMBERS),
    (ReduceLROnPlateau, "threshold_mode", ("x", None)),
    (ReduceLROnPlateau, "cooldown", NO_NUMBERS),
    (ReduceLROnPlateau, "min_lr", (NAN, "x", None, [0.1, 0.2], [NAN])),
    (ReduceLROnPlateau, "eps", NO_NUMBERS),
]
CASES = [(kind, name, value) for kind, name, values in BAD for value in values]


def optimizer(lr: float = 0.1) -> SGD:
    return SGD([np.ones(3, np.float32)], lr=lr, momentum=0.9, device="cpu")


def step(target: SGD) -> None:
    target.step(gradients=[np.ones(3, np.float32)])


def everything(target: SGD, scheduler: LRScheduler | None = None) -> str:
    """Return all that an error must leave as it was."""
    return repr((target.param_groups, scheduler and scheduler.state_dict()))


@pytest.mark.parametrize(
    ("kind", "name", "value"), CASES, ids=lambda v: getattr(v, "__name__", repr(v))[:24]
)
def test_a_constructors_argument(kind: type[LRScheduler], name: str, value: Any) -> None:
    target = optimizer()
    before = everything(target)
    with pytest.raises((ValueError, TypeError)) as caught:
        kind(target, **{**GOOD[kind], name: value})
    words = str(caught.value).lower()
    assert name.lower().replace("_", " ").split()[0] in words.replace("_", " "), words
    assert everything(target) == before


@pytest.mark.parametrize("value", [NAN, INF, "3", [1], 2.0**54, -(2**54)], ids=repr)
@pytest.mark.parametrize("kind", [StepLR, CosineAnnealingLR, OneCycleLR])
def test_an_epoch(kind: type[LRScheduler], value: Any) -> None:
    target = optimizer()
    scheduler = kind(target, **GOOD[kind])
    step(target)
    before = everything(target, scheduler)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises((ValueError, TypeError)) as caught:
            scheduler.step(value)
    assert "epoch" in str(caught.value) or "Tried to step" in str(caught.value)
    assert everything(target, scheduler) == before


@pytest.mark.parametrize("value", [NAN, INF, -INF, "x", None, [1.0, 2.0], np.ones(2), {}], ids=repr)
def test_a_metric(value: Any) -> None:
    target = optimizer()
    scheduler = ReduceLROnPlateau(target)
    before = everything(target, scheduler)
    with pytest.raises((ValueError, TypeError), match="metrics must be"):
        scheduler.step(value)
    assert everything(target, scheduler) == before


@pytest.mark.parametrize("value", [1, 1.0, np.float32(1), np.array(1.0), torch.tensor(1.0), "1.0"])
def test_metrics_that_are_numbers(value: Any) -> None:
    scheduler = ReduceLROnPlateau(optimizer())
    scheduler.step(value)
    assert scheduler.best == 1.0


@pytest.mark.parametrize("mode", ["min", "max"])
def test_metrics_that_are_not_finite_as_torch_counts_them(mode: str) -> None:
    ours, theirs = optimizer(), torch.optim.SGD([torch.ones(1)], lr=0.1)
    arguments: dict[str, Any] = {"mode": mode, "patience": 1, "factor": 0.5}
    mine = ReduceLROnPlateau(ours, **arguments)
    mine.accept_nonfinite = True
    other = torch.optim.lr_scheduler.ReduceLROnPlateau(theirs, **arguments)
    for metric in (NAN, NAN, NAN, 1.0, INF, NAN, 0.5, NAN, -INF, 1.0, 1.0, 1.0, NAN):
        mine.step(metric)
        other.step(metric)
        assert mine.get_last_lr() == other.get_last_lr()
        assert (mine.best, mine.num_bad_epochs) == (other.best, other.num_bad_epochs)


STATES: list[tuple[type[LRScheduler], dict[Any, Any]]] = [
    (StepLR, {"optimizer": "x"}),
    (StepLR, {"_track": None}),
    (StepLR, {3: 4}),
    (StepLR, {"step_size": 0}),
    (StepLR, {"step_size": "7"}),
    (StepLR, {"gamma": NAN}),
    (StepLR, {"last_epoch": 1e300}),
    (StepLR, {"_step_count": None}),
    (StepLR, {"_last_lr": [0.1, 0.2]}),
    (StepLR, {"_last_lr": ["x"]}),
    (StepLR, {"_last_lr": None}),
    (StepLR, {"_anchors": [[0.1]]}),
    (StepLR, {"_anchors": [[0.1, NAN]]}),
    (StepLR, {"_anchors": 5}),
    (StepLR, {"_anchors": [[0.1, 0], [0.1, 0]]}),
    (StepLR, {"base_lrs": ["0.1"]}),
    (StepLR, {"base_lrs": [True]}),
    (CosineAnnealingLR, {"T_max": 0}),
    (CosineAnnealingLR, {"eta_min": INF}),
    (CosineAnnealingLR, {"base_lrs": "ab"}),
    (OneCycleLR, {"last_epoch": 21}),
    (OneCycleLR, {"_anneal_func_type": "x"}),
    (OneCycleLR, {"_schedule_phases": [{}]}),
    (OneCycleLR, {"use_beta1": True}),
    (OneCycleLR, {"total_steps": True}),
    (ReduceLROnPlateau, {"factor": 2.0}),
    (ReduceLROnPlateau, {"min_lrs": ["0.01"]}),
    (ReduceLROnPlateau, {"default_min_lr": "x"}),
    (ReduceLROnPlateau, {"mode": "x"}),
    (ReduceLROnPlateau, {"min_lrs": 3}),
    (ReduceLROnPlateau, {"best": "x"}),
    (ReduceLROnPlateau, {"cooldown_counter": None}),
    (ReduceLROnPlateau, {"patience": NAN}),
]


@pytest.mark.parametrize(("kind", "state"), STATES, ids=lambda v: getattr(v, "__name__", repr(v)))
def test_a_state(kind: type[LRScheduler], state: dict[Any, Any]) -> None:
    target = optimizer()
    scheduler = kind(target, **GOOD[kind])
    before = everything(target, scheduler)
    with pytest.raises(StateError, match="state_dict"):
        scheduler.load_state_dict({**scheduler.state_dict(), **state})
    assert everything(target, scheduler) == before


@pytest.mark.parametrize("state", [None, 3, "x", [], [("last_epoch", 3)]], ids=repr)
@pytest.mark.parametrize("kind", list(GOOD))
def test_a_state_that_is_no_dict(kind: type[LRScheduler], state: Any) -> None:
    scheduler = kind(optimizer(), **GOOD[kind])
    with pytest.raises(StateError, match="state_dict must be a dict"):
        scheduler.load_state_dict(state)


@pytest.mark.alike
@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        (StepLR, {"step_size": -3}),
        (StepLR, {"step_size": 2, "gamma": -1}),
        (StepLR, {"step_size": 2.5}),
        (StepLR, {"step_size": 2, "gamma": 0}),
        (CosineAnnealingLR, {"T_max": -5}),
        (CosineAnnealingLR, {"T_max": 4, "eta_min": -0.5}),
        (CosineAnnealingLR, {"T_max": 4, "eta_min": 1.0}),
        (CosineAnnealingLR, {"T_max": 0.5}),
        (ReduceLROnPlateau, {"factor": -1, "patience": -1}),
        (ReduceLROnPlateau, {"min_lr": -1, "cooldown": -2, "patience": 0.5}),
    ],
    ids=str,
)
def test_what_torch_takes_with_finite_results(
    kind: type[LRScheduler], arguments: dict[str, Any], place: str
) -> None:
    target = SGD([np.ones(3, np.float32)], lr=0.1, device=place)
    theirs = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.1)
    mine = kind(target, **arguments)
    other = getattr(torch.optim.lr_scheduler, kind.__name__)(theirs, **arguments)
    metric = (1.0,) if kind is ReduceLROnPlateau else ()
    for _ in range(24):
        assert target.param_groups[0]["lr"] == pytest.approx(
            theirs.param_groups[0]["lr"], rel=1e-12, abs=1e-16
        )
        held = target.read_hyperparameters()["lr"][0]
        assert held == np.float32(target.param_groups[0]["lr"])
        step(target)
        theirs.step()
        mine.step(*metric)
        other.step(*metric)


def test_an_error_in_a_users_get_lr_changes_nothing() -> None:
    class Failing(LRScheduler):
        def get_lr(self) -> list[float]:
            if self.last_epoch == 2:
                raise ZeroDivisionError("a user's own")
            return [0.5]

    target = optimizer()
    scheduler = Failing(target)
    step(target)
    scheduler.step()
    before = copy.deepcopy(scheduler.state_dict())
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            scheduler.step()
        assert scheduler.state_dict() == before


# What users change in the middle of a run: a scheduler's own attributes.
EDITS: list[tuple[type[LRScheduler], dict[str, Any], str, Any]] = [
    (StepLR, {"step_size": 1, "gamma": 0.9}, "gamma", 0.5),
    (StepLR, {"step_size": 3, "gamma": 0.5}, "step_size", 2),
    (CosineAnnealingLR, {"T_max": 30}, "T_max", 12),
    (CosineAnnealingLR, {"T_max": 9, "eta_min": 0.0}, "eta_min", 0.02),
    (CosineAnnealingLR, {"T_max": 9}, "base_lrs", [0.3]),
    (StepLR, {"step_size": 3, "gamma": 0.5}, "last_epoch", 7),
    (OneCycleLR, {"max_lr": 0.5, "total_steps": 40}, "last_epoch", 12),
    (ReduceLROnPlateau, {"patience": 3}, "patience", 0),
    (ReduceLROnPlateau, {"factor": 0.1, "patience": 0}, "factor", 0.5),
]


@pytest.mark.parametrize("where", ["attribute", "state", "state of the other library"])
@pytest.mark.parametrize(("kind", "arguments", "name", "value"), EDITS, ids=lambda v: str(v)[:30])
def test_an_edited_scheduler_goes_on_as_torchs(
    kind: type[LRScheduler], arguments: dict[str, Any], name: str, value: Any, where: str
) -> None:
    ours = optimizer()
    theirs = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.1, momentum=0.9)
    mine = kind(ours, **arguments)
    other = getattr(torch.optim.lr_scheduler, kind.__name__)(theirs, **arguments)
    metric = (1.0,) if kind is ReduceLROnPlateau else ()

    def advance(steps: int) -> None:
        for _ in range(steps):
            step(ours)
            theirs.step()
            mine.step(*metric)
            other.step(*metric)

    advance(4)
    states = copy.deepcopy([mine.state_dict(), other.state_dict()])
    if where == "attribute":
        setattr(mine, name, copy.copy(value))
        setattr(other, name, copy.copy(value))
    else:
        if where != "state":
            states.reverse()
        mine.load_state_dict({**states[0], name: value})
        other.load_state_dict({**states[1], name: value})
    for _ in range(25):
        advance(1)
        rate = theirs.param_groups[0]["lr"]
        assert ours.param_groups[0]["lr"] == pytest.approx(rate, rel=1e-11, abs=1e-15)
        held = ours.read_hyperparameters()["lr"][0]
        assert held == np.float32(ours.param_groups[0]["lr"])


def test_a_state_that_went_through_torch_goes_on() -> None:
    """torch carries our anchors along in its state, though its rates have gone on without them."""
    ours, theirs = optimizer(), torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.1)
    mine, other = StepLR(ours, 2, 0.5), torch.optim.lr_scheduler.StepLR(theirs, 2, 0.5)
    step(ours)
    mine.step()
    other.load_state_dict(mine.state_dict())
    theirs.param_groups[0]["lr"] = 0.7
    theirs.step()
    other.step()
    mine.load_state_dict(other.state_dict())
    ours.param_groups[0]["lr"] = theirs.param_groups[0]["lr"]
    for _ in range(6):
        step(ours)
        theirs.step()
        mine.step()
        other.step()
        assert mine.get_last_lr() == pytest.approx(other.get_last_lr(), rel=1e-12)


@pytest.mark.parametrize("number", [np.float64, np.float32, int, np.array, torch.tensor])
@pytest.mark.parametrize("kind", list(GOOD))
def test_rates_of_other_types(kind: type[LRScheduler], number: Any) -> None:
    """As the constructor's, and set in mid-run; an array or a tensor stays the same object."""
    ours, theirs = optimizer(), torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.1)
    arguments = {**GOOD[kind], **({"cycle_momentum": False} if kind is OneCycleLR else {})}
    for target in (ours, theirs):
        target.param_groups[0]["lr"] = number(1.0)
    mine = kind(ours, **arguments)
    other = getattr(torch.optim.lr_scheduler, kind.__name__)(theirs, **arguments)
    metric = (1.0,) if kind is ReduceLROnPlateau else ()
    for t in range(14):
        if t == 6:
            for target in (ours, theirs):
                target.param_groups[0]["lr"] = number(float(target.param_groups[0]["lr"]))
        before = ours.param_groups[0]["lr"]
        step(ours)
        theirs.step()
        mine.step(*metric)
        other.step(*metric)
        assert float(ours.param_groups[0]["lr"]) == pytest.approx(
            float(theirs.param_groups[0]["lr"]), rel=1e-6
        )
        if number in (np.array, torch.tensor):
            assert ours.param_groups[0]["lr"] is before


class Mixed:
    """A user's rates, to be mixed in before a class of ours."""

    def get_lr(self) -> Any:
        return (0.5**self.last_epoch for _ in self.base_lrs)  # type: ignore[attr-defined]


class MixedStepLR(Mixed, StepLR):
    pass


def test_a_get_lr_from_anywhere_counts() -> None:
    target = optimizer()
    scheduler: Any = MixedStepLR(target, 3)
    for t in range(5):
        assert scheduler.get_last_lr() == [0.5**t]
        step(target)
        scheduler.step()
    scheduler = StepLR(target, 3)
    scheduler.get_lr = lambda: np.array([0.7])
    step(target)
    scheduler.step()
    assert scheduler.get_last_lr() == [0.7]


class Lazy(StepLR):
    """A user's class that sets an attribute late."""

    def step(self, epoch: Any = None) -> None:
        super().step(epoch)
        if self.last_epoch == 3:
            self.seen = True


def test_a_users_class_loads_what_it_saved() -> None:
    target = optimizer()
    scheduler = Lazy(target, 2)
    for _ in range(4):
        step(target)
        scheduler.step()
    fresh = Lazy(target, 2)
    fresh.load_state_dict(scheduler.state_dict())
    assert fresh.seen


def test_a_cut_that_fails_in_one_group_changes_none() -> None:
    target = SGD([{"params": [np.ones(3, np.float32)]} for _ in range(2)], lr=0.1, device="cpu")
    scheduler = ReduceLROnPlateau(target, patience=0)
    scheduler.step(1.0)
    target.param_groups[1]["lr"] = "x"
    with pytest.raises(ValueError):
        scheduler.step(2.0)
    assert target.param_groups[0]["lr"] == 0.1


@pytest.mark.parametrize("number", [np.float32, np.float64, np.array, torch.tensor])
@pytest.mark.parametrize("kind", list(GOOD))
def test_a_state_is_plain_whatever_the_rate_is(kind: type[LRScheduler], number: Any) -> None:
    target = optimizer()
    target.param_groups[0]["lr"] = number(0.5)
    scheduler = kind(target, **GOOD[kind])
    state = scheduler.state_dict()
    assert json.loads(json.dumps(state)) == state
    scheduler.load_state_dict(state)


@pytest.mark.parametrize("kind", ["Adam", "SGD"])
def test_momentum_that_is_no_longer_cycled_stays(kind: str) -> None:
    """cycle_momentum switched off in mid-run: the rate goes on, the momentum stays as it is."""
    mine: Any = getattr(optim, kind)([np.ones(3, np.float32)], lr=0.1, device="cpu")
    theirs = getattr(torch.optim, kind)([torch.ones(3, requires_grad=True)], lr=0.1)
    own = OneCycleLR(mine, 0.1, 40)
    other = torch.optim.lr_scheduler.OneCycleLR(theirs, 0.1, 40)
    for t in range(20):
        if t == 5:
            own.cycle_momentum = other.cycle_momentum = False
        step(mine)
        theirs.step()
        own.step()
        other.step()
        for key in ("lr", "betas", "momentum"):
            if key in theirs.param_groups[0]:
                got, want = mine.param_groups[0][key], theirs.param_groups[0][key]
                assert got == pytest.approx(want, rel=1e-12)
