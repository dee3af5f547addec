"""Tapes between whose replays somebody edits groups, settings and states, or adds groups."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tape_runs import Run, assert_same, check, gradient
from test_tape import SCHEDULES
from test_tape_errors import opaque

import grilly
from grilly import RecordError
from grilly.optim import lr_scheduler as lrs
from grilly.optim.param_scheduler import ParamScheduler
from grilly.schedules import Linear

pytestmark = pytest.mark.turns

Place = str | int
Move = Callable[[Run], object]


def edited(group: int, key: str, value: Any) -> Move:
    """Return an edit of a group; the tape stays."""

    def edit(run: Run) -> None:
        run.optimizer.param_groups[group][key] = copy.copy(value)

    return edit


def setting(name: str, value: Any, number: int = 0) -> Move:
    def edit(run: Run) -> None:
        setattr(run.schedulers[number], name, value)

    return edit


def reload(first: str) -> Move:
    """Return a move that loads both states again, in an order, after other steps."""

    def load(run: Run) -> None:
        states = copy.deepcopy((run.optimizer.state_dict(), run.schedulers[0].state_dict()))
        weights = [p.data.numpy() for p in run.params]
        run.eager(3)
        if first == "optimizer":
            run.optimizer.load_state_dict(states[0])
        run.schedulers[0].load_state_dict(states[1])
        if first != "optimizer":
            run.optimizer.load_state_dict(states[0])
        for p, values in zip(run.params, weights, strict=True):
            p.data.copy_from(values)

    return load


def add_group(run: Run) -> bool:
    """Add a group; its step must be recorded anew, as the gradients of all parameters are."""
    param = grilly.nn.Parameter(np.linspace(-1, 1, 6), device=run.place)
    param.grad.copy_from(gradient(6, 9))
    run.params.append(param)
    run.optimizer.add_param_group({"params": [param], "lr": 0.03})
    for scheduler in run.schedulers:
        if isinstance(scheduler, lrs.LRScheduler):
            group = run.optimizer.param_groups[-1]
            group["initial_lr"] = 0.03
            scheduler.base_lrs.append(0.03)
        if isinstance(scheduler, lrs.LambdaLR):
            scheduler.lr_lambdas.append(scheduler.lr_lambdas[0])
    return True


EDITS: dict[str, tuple[str, list[Any]]] = {
    "rate": ("ExponentialLR", [3, edited(1, "lr", 0.5), 4, edited(0, "lr", 0.0), 1, -1, 3]),
    "rate of an absolute one": ("LambdaLR traced", [3, edited(1, "lr", 0.5), 1, 4]),
    "rate written by one cycle": ("OneCycleLR", [3, edited(0, "lr", 0.5), 4]),
    "every column": (
        "StepLR",
        [
            2,
            edited(0, "weight_decay", 0.5),
            edited(1, "eps", 1e-3),
            3,
            edited(1, "betas", (0.5, 0.9)),
            edited(0, "maximize", True),
            3,
            edited(0, "amsgrad", True),  # which needs a state more
            3,
        ],
    ),
    "numpy and 0-d numbers": (
        "StepLR",
        [2, edited(0, "lr", np.float64(0.3)), 3, edited(1, "lr", np.array(0.2)), 9, 3],
    ),
    "gamma": ("ExponentialLR", [3, setting("gamma", 0.5), 4, -1, setting("gamma", 0.9), 2]),
    "step size": ("StepLR", [6, setting("step_size", 2), 5]),
    "T_max": ("CosineAnnealingLR", [5, setting("T_max", 30), 9, edited(0, "lr", 0.2), 20]),
    "eta_min": ("WarmRestarts", [4, setting("eta_min", 0.02), 5]),
    "T_cur": ("WarmRestarts", [4, setting("T_cur", 1), 7, setting("T_cur", 2.5), 6]),
    "T_i": ("WarmRestarts grow", [4, setting("T_i", 9), 20]),
    "milestones": ("MultiStepLR", [2, setting("milestones", Counter([6, 8, 8])), 12]),
    "base rates": ("LinearLR ends", [4, setting("base_lrs", [0.2, 0.4]), 15]),
    "schedules of a ParamScheduler": (
        "ParamScheduler",
        [3, setting("schedules", {"lr": Linear(0.1, 0.0, 40), "eps": 1e-4}), 5],
    ),
    "a rate that a ParamScheduler writes": ("ParamScheduler", [3, edited(0, "lr", 0.7), 1, 5]),
    "load, optimizer first": ("OneCycleLR", [7, reload("optimizer"), 5, -1, 4]),
    "load, scheduler first": ("ExponentialLR", [7, reload("scheduler"), 5]),
    "load of a sequence": ("SequentialLR", [7, reload("optimizer"), 5]),
    "load of warm restarts": ("WarmRestarts grow", [7, reload("optimizer"), 25]),
    "load of a ParamScheduler": ("ParamScheduler", [7, reload("scheduler"), 5]),
    "jump": ("StepLR", [3, lambda run: run.schedulers[0]._advance(20), 9]),
    "a group": ("ExponentialLR", [3, add_group, 4, edited(2, "lr", 0.3), 3]),
    "a group of functions": ("LambdaLR traced", [3, add_group, 9]),
    "base rates of functions": ("LambdaLR traced", [3, setting("base_lrs", [0.2, 0.3]), 9]),
    "base rates of an opaque function": ("opaque", [3, setting("base_lrs", [0.2, 0.3]), 9]),
    "another function": (
        "opaque",
        [3, setting("lr_lambdas", [lambda t: 0.5 + t % 2, lambda t: 1 / (t + 2)]), 9, -1, 3],
    ),
    "a group of a ParamScheduler": (
        "two of different numbers",
        [3, lambda run: setattr(run, "schedulers", run.schedulers[1:]) or True, 2, add_group, 5],
    ),
}


@pytest.mark.parametrize("name", EDITS)
def test_edits_between_replays(place: Place, name: str) -> None:
    schedule, moves = EDITS[name]

    def make(where: Place) -> Run:
        made = SCHEDULES.get(schedule, lambda o: lrs.LambdaLR(o, opaque))
        return Run(where, "AdamW", made, sizes=(5, 3))

    check(place, ("edit", name), make, moves)


@pytest.mark.parametrize("kind", ["SGD", "AdamW"])
@pytest.mark.parametrize("name", ["ExponentialLR", "OneCycleLR"])
def test_an_added_group_joins_in(place: Place, kind: str, name: str) -> None:
    def add(run: Run) -> None:
        add_group(run)
        first = run.optimizer.param_groups[0]
        cycle = ("max_lr", "min_lr", "max_momentum", "base_momentum")
        own = {key: first[key] for key in cycle if key in first}
        run.optimizer.param_groups[-1].update(own)

    def make(where: Place) -> Run:
        options = {"momentum": 0.9} if kind == "SGD" else {}
        return Run(where, kind, SCHEDULES[name], sizes=(5, 3), **options)

    check(place, ("joins", kind, name), make, [2, add, 3, -1, 40, add, 1, 9])


def test_a_tape_with_given_gradients_knows_none_of_an_added_group(place: Place) -> None:
    run = Run(place, "AdamW", SCHEDULES["ExponentialLR"], sizes=(5, 3))
    with grilly.record() as tape:
        run.optimizer.step(gradients=[p.grad for p in run.params])
    tape.replay(2)
    add_group(run)
    before = run.contents()
    with pytest.raises(RecordError, match=r"parameters were added.*record anew"):
        tape.replay(3)
    assert_same(run.contents(), before)


@pytest.mark.parametrize("device", [True, False])
@pytest.mark.parametrize("what", ["the array", "the gradient"])
def test_another_array_is_refused(place: Place, what: str, device: bool) -> None:
    """The tape's kernels know the old one."""
    run = Run(place, sizes=(5, 3)).replay(2)
    before = run.contents()
    param = run.params[1]
    array: Any = np.ones(3, np.float32)
    name = "data" if what == "the array" else "grad"
    old = getattr(param, name)
    setattr(param, name, grilly.device_array(array, place) if device else array)
    with pytest.raises(RecordError, match=f"{what} of parameter 1 is another.*record anew"):
        run.replay(2)
    setattr(param, name, old)
    assert_same(run.contents(), before)
    run.replay(2)


def test_a_gradient_that_goes_is_refused(place: Place) -> None:
    run = Run(place, sizes=(5, 3)).replay(2)
    run.params[0].grad = None
    with pytest.raises(RecordError, match=r"the gradient of parameter 0 is another.*record anew"):
        run.replay(1)
    run.record().replay(1)


def test_a_function_that_changes_is_followed(place: Place) -> None:
    """A callable object whose attributes somebody edits is asked anew at the next window."""

    class Factor:
        def __init__(self) -> None:
            self.height = 1.0

        def __call__(self, t: int) -> float:
            return self.height / (t + 1)

    def edit(run: Run) -> None:
        run.schedulers[0].lr_lambdas[0].height = 3.0

    def make(where: Place) -> Run:
        return Run(where, "SGD", lambda o: lrs.LambdaLR(o, Factor()), sizes=(5, 3))

    check(place, "function", make, [3, edit, 1, 5])


def test_a_closed_scheduler_is_refused(place: Place) -> None:
    def schedule(optimizer: Any) -> Any:
        return ParamScheduler(optimizer, {"lr": Linear(0.1, 0.0, 40)})

    run = Run(place, "SGD", schedule, sizes=(5,)).replay(3)
    before = run.contents()
    run.schedulers[0].close()
    with pytest.raises(RuntimeError, match="closed"):
        run.replay(1)
    assert run.contents()["parameter 0"].tobytes() == before["parameter 0"].tobytes()


def test_an_edit_of_all_rates_is_gone_on_from(place: Place) -> None:
    """What was asked ahead was of other rates, and the device has a number till the next step."""

    def edit(run: Run) -> None:
        for group in run.optimizer.param_groups:
            group["lr"] = 0.04

    def make(where: Place) -> Run:
        return Run(where, "SGD", lambda o: lrs.MultiplicativeLR(o, lambda t: 0.5))

    check(place, "all rates", make, [3, edit, 3, edit, 1, 4])


OVERTAKEN: dict[str, Callable[[Any], Any]] = {
    "LambdaLR": lambda o: lrs.LambdaLR(o, lambda t: 0.5**t),
    "MultiplicativeLR": lambda o: lrs.MultiplicativeLR(o, lambda t: 0.5),
    "ExponentialLR": lambda o: lrs.ExponentialLR(o, 0.5),
}


@pytest.mark.parametrize("name", OVERTAKEN)
def test_a_scheduler_that_another_has_overtaken_takes_the_rates_back(
    place: Place, name: str
) -> None:
    """Making the other one has written its rates; the tape is of the first alone."""

    def overtake(run: Run) -> None:
        run.other = lrs.LambdaLR(run.optimizer, lambda t: 1.0 + 0 * t)  # type: ignore[attr-defined]

    def make(where: Place) -> Run:
        return Run(where, "SGD", OVERTAKEN[name])

    check(place, (name, "overtaken"), make, [3, overtake, 3, 4])
    check(place, (name, "overtaken before"), make, [overtake, 3, 4])
