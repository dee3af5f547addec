"""Tapes: what they replay is what the same program makes step by step, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tape_runs import Run, assert_same, check

import grilly
from grilly import vk
from grilly.optim import lr_scheduler as lrs
from grilly.optim.param_scheduler import ParamScheduler
from grilly.resident import players
from grilly.schedules import Cosine, Linear

pytestmark = pytest.mark.turns

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
    schedule = SCHEDULES["OneCycleLR" if options.get("momentum", 1) else "StepLR"]

    def make(where: Place) -> Run:
        return Run(where, kind, schedule, **options)

    window = [245] if kind == "AdamW" else []  # to the end of one, and over it
    check(place, ("kind", kind, str(options)), make, [1, 2, 30, -3, *window, 5])


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_scheduler(place: Place, name: str) -> None:
    def make(where: Place) -> Run:
        return Run(where, "AdamW", SCHEDULES[name], sizes=(5, 3))

    check(place, ("schedule", name), make, [-2, 3, 40, 1, -2])


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


ORDERS = ["ao", "oao", "oob", "oaoab", "aoaoao", "oaaob", "a" * 7 + "o", "oa" * 9 + "b"]


@pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step")
@pytest.mark.parametrize("correction", ["torch", "exact"])
@pytest.mark.parametrize("text", ORDERS)
def test_steps_in_every_order(place: Place, text: str, correction: str) -> None:
    def make(where: Place) -> Run:
        options = {"bias_correction": correction}
        return Run(where, "AdamW", _two, _rounds(text), (5, 7), **options)

    check(place, (text, correction), make, [1, 9, -1, 2])


@pytest.mark.parametrize("correction", ["torch", "exact"])
def test_more_steps_in_a_round_than_rows_in_a_window(place: Place, correction: str) -> None:
    def make(where: Place) -> Run:
        options = {"bias_correction": correction}
        return Run(where, "AdamW", _two, _rounds("oa" * 299 + "ob"), (5, 7), **options)

    check(place, ("long", correction), make, [1, 2])


class Pair:
    """Two optimizers in one tape, the first with two steps for each of the other's."""

    def __init__(self, place: Place) -> None:
        self.one = Run(place, "Adam", SCHEDULES["StepLR"], sizes=(5, 3))
        self.two = Run(place, "SGD", SCHEDULES["ExponentialLR"], momentum=0.9, sizes=(5, 3))
        self.tape: Any = None

    def round(self) -> None:
        one, two = self.one, self.two
        one.optimizer.step()
        two.optimizer.zero_grad()
        for p, source in zip(two.params, one.params, strict=True):
            p.grad.add_(source.data, 0.1)
        two.round()
        one.params[0].grad.add_(two.params[0].data, -0.5)
        one.round()

    def eager(self, rounds: int) -> None:
        for _ in range(rounds):
            self.round()

    def replay(self, rounds: int) -> None:
        if self.tape is None:
            with grilly.record() as self.tape:
                self.round()
        self.tape.replay(rounds)

    def contents(self) -> dict[str, Any]:
        two = {f"{name} of the second": own for name, own in self.two.contents().items()}
        return self.one.contents() | two


def test_two_optimizers_with_different_numbers_of_steps(place: Place) -> None:
    def alone(pair: Pair) -> None:
        pair.one.eager(1)

    check(place, "pair", Pair, [1, 4, 131, 7, alone, 9, -1, 2])


def _accumulating(run: Run) -> None:
    """Add three passes into each gradient; what they add depends on the weights."""
    run.optimizer.zero_grad()
    for k in range(3):
        for p in run.params:
            p.grad.add_(p.data, 0.1 + k)
    run.round()


def test_gradients_accumulate_over_recorded_passes(place: Place) -> None:
    def make(where: Place) -> Run:
        return Run(where, "AdamW", SCHEDULES["StepLR"], _accumulating)

    check(place, "accumulating", make, [1, -1, 20])


class Elsewhere(Run):
    """Gradients that are no twins, and among them each other's twins, which stay as they are."""

    def __init__(self, place: Place) -> None:
        super().__init__(place, "AdamW", None, Elsewhere.swapped, (3, 3, 3))
        self.other = grilly.device_array(np.ones(3), place)

    def swapped(self) -> None:
        grads = [p.grad for p in self.params]
        self.other.add_(self.params[2].data, 0.5)
        self.optimizer.step(gradients=[grads[1], grads[0], self.other])


def test_gradients_that_lie_elsewhere(place: Place) -> None:
    check(place, "elsewhere", Elsewhere, [-2, 1, 20, -1])


def test_parameters_without_gradient_rest(place: Place) -> None:
    def rest(run: Run) -> bool:
        run.params[1].grad = None
        return True

    def work(run: Run) -> bool:  # again, with fewer updates than the others
        run.params[1].grad = grilly.device_array(np.ones(700), run.place)
        return True

    def make(where: Place) -> Run:
        return Run(where, "AdamW", SCHEDULES["StepLR"])

    check(place, "resting", make, [-2, 3, rest, 30, -1, 3, work, 30])


def test_no_parameter_has_a_gradient(place: Place) -> None:
    def rest(run: Run) -> bool:
        for p in run.params:
            p.grad = None
        return True

    def make(where: Place) -> Run:
        return Run(where, "SGD", SCHEDULES["StepLR"], momentum=0.9)

    check(place, "all at rest", make, [rest, 5, -1, 4])


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


def test_very_many_rounds_are_several_submissions(
    device: vk.Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(players, "MOST", 100)
    place = device.info.index

    def made(where: Any) -> Run:
        return Run(where, "AdamW", SCHEDULES["OneCycleLR"], sizes=(5, 3)).record()

    run = made(place)
    before = grilly.counters(place).submissions
    run.replay(350)
    assert grilly.counters(place).submissions == before + 4
    assert_same(run.contents(), made("cpu").eager(350).contents())
