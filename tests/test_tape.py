"""Tapes: what they replay is what the same program makes step by step, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tape_runs import Run, assert_same

import grilly
from grilly.optim import lr_scheduler as lrs
from grilly.optim.param_scheduler import ParamScheduler
from grilly.schedules import Cosine, Linear

Place = str | int

KINDS: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("SGD", {"momentum": 0.8, "dampening": 0.3, "maximize": True, "weight_decay": 0.1}),
    ("Adam", {}),
    ("Adam", {"amsgrad": True, "weight_decay": 0.1}),
    ("Adam", {"decoupled_weight_decay": True, "maximize": True}),
    ("AdamW", {"betas": (0.7, 0.95), "eps": 1e-6}),
    ("AdamW", {"amsgrad": True, "maximize": True}),
    ("AdamW", {"bias_correction": "exact"}),
]

SCHEDULES: dict[str, Any] = {
    "none": lambda o: [],
    "StepLR": lambda o: lrs.StepLR(o, 7, 0.5),
    "MultiStepLR": lambda o: lrs.MultiStepLR(o, [3, 4, 30, 290], 0.5),
    "ExponentialLR": lambda o: lrs.ExponentialLR(o, 0.99),
    "ConstantLR": lambda o: lrs.ConstantLR(o, 0.5, 11),
    "LinearLR ends": lambda o: lrs.LinearLR(o, 0.1, total_iters=13),
    "PolynomialLR": lambda o: lrs.PolynomialLR(o, 20, 2.0),
    "CosineAnnealingLR": lambda o: lrs.CosineAnnealingLR(o, 9, 0.001),
    "WarmRestarts": lambda o: lrs.CosineAnnealingWarmRestarts(o, 5, 1),
    "WarmRestarts grow": lambda o: lrs.CosineAnnealingWarmRestarts(o, 3, 2, 0.001),
    "CyclicLR": lambda o: lrs.CyclicLR(o, 0.01, 0.1, 4, 3, "exp_range", 0.99),
    "OneCycleLR": lambda o: lrs.OneCycleLR(o, [0.1, 0.2], total_steps=400),
    "OneCycleLR three": lambda o: lrs.OneCycleLR(o, 0.1, total_steps=400, three_phase=True),
    "LambdaLR traced": lambda o: lrs.LambdaLR(o, lambda t: 1 / (t + 1)),
    "LambdaLR schedule": lambda o: lrs.LambdaLR(o, Linear(1.0, 0.1, 50)),
    "LambdaLR text": lambda o: lrs.LambdaLR(o, "0.95**t * min(1, (t + 1) / 20)"),
    "MultiplicativeLR": lambda o: lrs.MultiplicativeLR(o, lambda t: 0.99 if t % 3 else 1.01),
    "ParamScheduler": lambda o: ParamScheduler(
        o,
        {
            "lr": Cosine(0.1, 0.01, 60),
            "weight_decay": [lambda t: 0.1 / (t + 1), None],
            "eps": "1e-3 / (t + 1)",
        },
    ),
    "SequentialLR": lambda o: lrs.SequentialLR(
        o,
        [lrs.LinearLR(o, 0.1, total_iters=5), lrs.ExponentialLR(o, 0.9), lrs.StepLR(o, 4, 0.5)],
        [5, 6],
    ),
    "ChainedScheduler of one": lambda o: lrs.ChainedScheduler([lrs.StepLR(o, 7, 0.5)]),
    "hugging face": lambda o: lrs.get_scheduler("cosine", o, 10, 100),
    "two of different numbers": lambda o: [
        lrs.OneCycleLR(o, 0.1, total_steps=400),
        ParamScheduler(o, {"weight_decay": Linear(0.1, 0.0, 30)}),
    ],
}


@pytest.mark.parametrize(("kind", "options"), KINDS, ids=str)
def test_every_optimizer(place: Place, kind: str, options: dict[str, Any]) -> None:
    schedule = SCHEDULES["OneCycleLR"] if options.get("momentum", 1) else SCHEDULES["StepLR"]
    replayed, eager = (Run(where, kind, schedule, **options) for where in (place, "cpu"))
    for rounds in (1, 2, 40, 260):
        assert_same(replayed.replay(rounds), eager.eager(rounds))
    assert_same(replayed.eager(3), eager.eager(3))
    assert_same(replayed.replay(5), eager.eager(5))


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_scheduler(place: Place, name: str) -> None:
    replayed, eager = (Run(where, "AdamW", SCHEDULES[name]) for where in (place, "cpu"))
    replayed.eager(2)
    eager.eager(2)
    for rounds in (3, 50, 1):
        assert_same(replayed.replay(rounds), eager.eager(rounds))
    assert_same(replayed.eager(2), eager.eager(2))


def _rounds(text: str) -> Any:
    """Return a program: o is a step of the optimizer, a and b are those of two schedulers."""

    def program(run: Run) -> None:
        for letter in text:
            if letter == "o":
                run.optimizer.step()
            else:
                run.schedulers["ab".index(letter)].step()

    return program


def _two(optimizer: Any) -> list[Any]:
    return [
        lrs.OneCycleLR(optimizer, 0.1, total_steps=2500),
        ParamScheduler(optimizer, {"weight_decay": Linear(0.1, 0.0, 100)}),
    ]


@pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step")
@pytest.mark.parametrize("exact", [False, True], ids=["", "exact"])
@pytest.mark.parametrize(
    "text", ["ao", "oao", "oob", "oaoab", "aoaoao", "oaaob", "ooao", "a" * 7 + "o", "oa" * 9 + "b"]
)
def test_steps_in_every_order(place: Place, text: str, exact: bool) -> None:
    options = {"bias_correction": "exact"} if exact else {}
    replayed, eager = (
        Run(where, "AdamW", _two, _rounds(text), (5, 70), **options) for where in (place, "cpu")
    )
    for rounds in (1, 30, 7):
        assert_same(replayed.replay(rounds), eager.eager(rounds))
    assert_same(replayed.eager(1), eager.eager(1))
    assert_same(replayed.replay(2), eager.eager(2))


@pytest.mark.parametrize("exact", [False, True], ids=["", "exact"])
def test_more_steps_in_a_round_than_rows_in_a_window(place: Place, exact: bool) -> None:
    options = {"bias_correction": "exact"} if exact else {}
    replayed, eager = (
        Run(where, "AdamW", _two, _rounds("oa" * 299 + "ob"), (5, 70), **options)
        for where in (place, "cpu")
    )
    for rounds in (1, 2):
        assert_same(replayed.replay(rounds), eager.eager(rounds))


class Pair:
    """Two optimizers in one tape, the first with two steps for each of the other's."""

    def __init__(self, place: Place) -> None:
        self.one = Run(place, "AdamW", SCHEDULES["OneCycleLR three"])
        self.two = Run(place, "SGD", SCHEDULES["ExponentialLR"], momentum=0.9, sizes=(70, 3))
        self.scaled = [grilly.zeros(p.shape, place) for p in self.two.params]

    def round(self) -> None:
        self.one.optimizer.step()
        self.two.optimizer.zero_grad()
        for p, source in zip(
            self.two.params, (self.one.params[1], self.one.params[0]), strict=True
        ):
            p.grad.add_(p.data, 0.1)
            assert source.shape != p.shape
        self.two.optimizer.step()
        self.two.schedulers[0].step()
        self.one.optimizer.step()
        self.one.schedulers[0].step()


def test_two_optimizers_with_different_numbers_of_steps(place: Place) -> None:
    replayed, eager = Pair(place), Pair("cpu")
    with grilly.record() as tape:
        replayed.round()
    for rounds in (1, 4, 130, 77):
        tape.replay(rounds)
        for _ in range(rounds):
            eager.round()
        assert_same(replayed.one, eager.one)
        assert_same(replayed.two, eager.two)
    replayed.one.eager(1)
    eager.one.eager(1)
    tape.replay(9)
    for _ in range(9):
        eager.round()
    assert_same(replayed.one, eager.one)
    assert_same(replayed.two, eager.two)


def _accumulating(run: Run) -> None:
    """Add three passes into each gradient; what they add depends on the weights."""
    run.optimizer.zero_grad()
    for k in range(3):
        for p in run.params:
            p.grad.add_(p.data, 0.1 + k)
    run.round()


def test_gradients_accumulate_over_recorded_passes(place: Place) -> None:
    replayed, eager = (
        Run(where, "AdamW", SCHEDULES["StepLR"], _accumulating) for where in (place, "cpu")
    )
    for rounds in (1, 60):
        assert_same(replayed.replay(rounds), eager.eager(rounds))
    assert np.ptp(replayed.params[1].grad.numpy()) > 0


def test_gradients_that_lie_elsewhere(place: Place) -> None:
    """Among them each other's places; the gradients' own arrays keep what is in them."""

    def program(run: Run) -> None:
        swapped = [run.params[1].grad, run.params[0].grad, others[run.place]]
        others[run.place].add_(run.params[2].data, 0.5)
        run.optimizer.step(gradients=swapped)

    others = {where: grilly.device_array(np.ones(3), where) for where in (place, "cpu")}
    replayed, eager = (Run(where, "AdamW", None, program, (3, 3, 3)) for where in (place, "cpu"))
    assert_same(replayed.eager(2), eager.eager(2)) if place != "cpu" else eager
    for rounds in (1, 20):
        if place == "cpu":
            break
        assert_same(replayed.replay(rounds), eager.eager(rounds))


def test_parameters_without_gradient_rest(place: Place) -> None:
    runs = [Run(where, "AdamW", SCHEDULES["StepLR"]) for where in (place, "cpu")]
    for run in runs:
        run.eager(2)
        run.params[1].grad = None
    replayed, eager = runs
    assert_same(replayed.replay(30), eager.eager(30))
    for run in runs:  # back again, with fewer updates than the others; in a tape of its own
        run.params[1].grad = grilly.device_array(np.ones(700), run.place)
    assert_same(replayed.record().replay(30), eager.eager(30))


def test_no_parameter_has_a_gradient(place: Place) -> None:
    runs = [Run(where, "SGD", SCHEDULES["StepLR"]) for where in (place, "cpu")]
    for run in runs:
        for p in run.params:
            p.grad = None
    assert_same(runs[0].replay(5), runs[1].eager(5))


def test_raw_arrays_are_parameters(place: Place) -> None:
    results = []
    for where, replays in ((place, True), ("cpu", False)):
        weights = grilly.device_array(np.linspace(-1, 1, 9), where)
        grads = grilly.device_array(np.ones(9), where)
        optimizer = grilly.optim.Adam([weights], lr=0.1)
        if replays:
            with grilly.record() as tape:
                grads.add_(weights)
                optimizer.step(gradients=[grads])
            tape.replay(10)
        else:
            for _ in range(10):
                grads.add_(weights)
                optimizer.step(gradients=[grads])
        results.append((weights.numpy(), grads.numpy()))
    np.testing.assert_array_equal(results[0], results[1])


def test_a_tape_without_an_optimizer(place: Place) -> None:
    x, y = grilly.device_array([1.0, 2.0], place), grilly.zeros(2, place)
    with grilly.record() as tape:
        y.add_(x, 0.5)
        x.copy_from(y)
    assert y.numpy().tolist() == [0, 0] and "2 entries" in repr(tape)
    tape.replay(np.int64(3))
    tape.replay(0)
    assert tape.wait() and tape.wait(10)
    assert x.numpy().tolist() == [1.125, 2.25]
