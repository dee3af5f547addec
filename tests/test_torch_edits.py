"""What users do to a running schedule, for every class: torch's, and ours on twin optimizers.

Hand edits, groups that are added, last_epoch=, rates of other types, and numbers that divide.
"""

from __future__ import annotations

import math
import random
import warnings
from typing import Any

import numpy as np
import pytest
import torch
from targets import THEIRS, GrillyTarget, HostTarget, TorchTarget
from test_torch_schedulers import MAKES, advance, numbers

from grilly.optim import lr_scheduler as ours

BOTH = (THEIRS, ours)
KINDS = [TorchTarget, GrillyTarget]
RELATIVE = 1e-11

# Every class, as it is in the middle of 300 steps; and what 5 times the rate at step 40 is of the
# untouched run's rate at steps 41, 60 and 101.
LONG: dict[str, tuple[Any, tuple[float, float, float]]] = {
    "LambdaLR": (lambda m, o, **k: m.LambdaLR(o, lambda t: 0.99**t, **k), (1, 1, 1)),
    "restarts": (lambda m, o, **k: m.CosineAnnealingWarmRestarts(o, 30, 2, **k), (1, 1, 1)),
    "CyclicLR": (lambda m, o, **k: m.CyclicLR(o, 0.01, 0.1, 20, **k), (1, 1, 1)),
    "OneCycleLR": (lambda m, o, **k: m.OneCycleLR(o, 0.1, 300, **k), (1, 1, 1)),
    "MultiplicativeLR": (lambda m, o, **k: m.MultiplicativeLR(o, lambda t: 0.99, **k), (5, 5, 5)),
    "StepLR": (lambda m, o, **k: m.StepLR(o, 30, 0.5, **k), (5, 5, 5)),
    "MultiStepLR": (lambda m, o, **k: m.MultiStepLR(o, [30, 60, 90], 0.5, **k), (5, 5, 5)),
    "ConstantLR": (lambda m, o, **k: m.ConstantLR(o, 0.5, 60, **k), (5, 5, 5)),
    "LinearLR": (lambda m, o, **k: m.LinearLR(o, 0.1, total_iters=150, **k), (5, 5, 5)),
    "ExponentialLR": (lambda m, o, **k: m.ExponentialLR(o, 0.98, **k), (5, 5, 5)),
    "PolynomialLR": (lambda m, o, **k: m.PolynomialLR(o, 300, 1.5, **k), (5, 5, 5)),
    "CosineAnnealingLR": (lambda m, o, **k: m.CosineAnnealingLR(o, 100, **k), (5, 5, 1)),
    "eta_min": (lambda m, o, **k: m.CosineAnnealingLR(o, 100, 0.02, **k), (4.97, 4.21, 1)),
    "SWALR": (lambda m, o, **k: m.SWALR(o, 0.05, anneal_epochs=100, **k), (4.94, 3.60, 1)),
}


def quietly(call: Any) -> Any:
    """Return the ValueError, KeyError or ZeroDivisionError of a call, or None; without warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            call()
        except (ValueError, KeyError, ZeroDivisionError) as error:
            return error
    return None


class Pair:
    """torch's scheduler on torch's optimizer, and ours on one of ``kind``."""

    def __init__(self, make: Any, kind: Any = TorchTarget, **options: Any) -> None:
        groups = [{"lr": 0.1}, {"lr": 0.5}]
        self.targets = [TorchTarget("SGD", groups), kind("SGD", groups)]
        self.make = make
        self.schedulers = self.made(**options)

    def made(self, **options: Any) -> list[Any]:
        pairs = zip(BOTH, self.targets, strict=True)
        return [self.make(module, own.optimizer, **options) for module, own in pairs]

    def walk(self, steps: int) -> None:
        for _ in range(steps):
            for own, scheduler in zip(self.targets, self.schedulers, strict=True):
                advance(own, scheduler, 1)
            self.check()

    def check(self) -> None:
        want, got = (numbers(own) for own in self.targets)
        np.testing.assert_allclose(got, want, rtol=RELATIVE, atol=1e-15)
        held = self.targets[1].held("lr")
        assert held is None or held == got[:, 0].astype(np.float32).tolist()

    def edit(self, i: int, rate: Any) -> None:
        for own in self.targets:
            own.groups[i]["lr"] = rate

    def rates(self) -> Any:
        return numbers(self.targets[1])[:, 0]


# --- Hand edits ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", LONG)
def test_what_an_edit_means(name: str, kind: Any) -> None:
    """Ignored, kept, or kept until the next trough; of one group, and the other goes on alone."""
    make, want = LONG[name]
    plain, edited = Pair(make, kind), Pair(make, kind)
    for pair in (plain, edited):
        pair.walk(40)
    edited.edit(0, 5 * edited.rates()[0])
    got = []
    for t in range(41, 102):
        for pair in (plain, edited):
            pair.walk(1)
        if t in (41, 60, 101):
            got.append(edited.rates() / plain.rates())
    np.testing.assert_allclose([ratio[1] for ratio in got], 1.0, rtol=1e-11)
    np.testing.assert_allclose([ratio[0] for ratio in got], want, atol=6e-3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("low", [0.0, 0.02])
@pytest.mark.parametrize("at", [9, 10, 11, 30])
def test_a_cosine_edited_around_its_trough(at: int, low: float, kind: Any) -> None:
    """At the trough itself (10, 30) the recurrence goes on from the edit, for a whole period."""
    pair = Pair(lambda m, o: m.CosineAnnealingLR(o, 10, low), kind)
    pair.walk(at)
    pair.edit(0, 0.07)
    rate = 0.07
    for t in range(at + 1, at + 45):
        pair.walk(1)
        if (t - 11) % 20 == 0:  # the step after a trough
            rate += (0.1 - low) * (1 - math.cos(math.pi / 10)) / 2
        else:
            now, before = (1 + math.cos(math.pi * x / 10) for x in (t, t - 1))
            rate = now / before * (rate - low) + low
        assert pair.rates()[0] == pytest.approx(rate, rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("name", LONG)
def test_an_edit_before_each_step(name: str) -> None:
    """As another program that writes the rates would make it."""
    pair, rng = Pair(LONG[name][0], GrillyTarget), random.Random(5)
    for _ in range(50):
        pair.walk(1)
        pair.edit(rng.randrange(2), rng.choice([0.25, 0.0, 1.5]))
        if rng.random() < 0.3:
            pair.walk(3)


# --- Groups that are added -----------------------------------------------------------------------

# What is raised, and how many steps after the group was added at step 20; None: it is scheduled.
ADDED = {
    "LambdaLR": (ValueError, 1, "lr_lambdas"),
    "MultiplicativeLR": (ValueError, 1, "lr_lambdas"),
    "restarts": (ValueError, 1, "base_lrs"),
    "CyclicLR": (ValueError, 1, "base_lrs"),
    "OneCycleLR": (KeyError, 1, "initial_lr"),
    "SWALR": (KeyError, 1, "swa_lr"),
    "CosineAnnealingLR": (ValueError, 81, "base_lrs"),
    "eta_min": (ValueError, 81, "base_lrs"),
}
KEYS: dict[str, Any] = {
    "OneCycleLR": {"initial_lr": 0.004, "max_lr": 0.1, "min_lr": 4e-7, "max_momentum": 0.95},
    "SWALR": {"swa_lr": 0.05},
}


def mend(name: str, scheduler: Any) -> None:
    """Do what the error says: append what the schedule of the added group needs."""
    if name in ("LambdaLR", "MultiplicativeLR"):
        scheduler.lr_lambdas.append(scheduler.lr_lambdas[0])
    if name in KEYS:
        scheduler.optimizer.param_groups[2].update(KEYS[name])
    if name == "OneCycleLR":
        scheduler.optimizer.param_groups[2]["base_momentum"] = 0.85
    if name == "CyclicLR":
        for numbers_ in (scheduler.max_lrs, scheduler.base_momentums, scheduler.max_momentums):
            numbers_.append(numbers_[0])
    scheduler.base_lrs.append(0.07)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", LONG)
def test_a_group_that_is_added(name: str, kind: Any) -> None:
    pair = Pair(LONG[name][0], kind)
    pair.walk(20)
    for own in pair.targets:
        own.add({"lr": 0.07})
    error, after, word = ADDED.get(name, (None, 121, ""))
    pair.walk(after - 1)
    if error is None:
        return
    for own in pair.targets:
        own.step()
    mine = pair.schedulers[1]
    before = repr((mine.state_dict(), numbers(pair.targets[1])))
    raised = [quietly(scheduler.step) for scheduler in pair.schedulers]
    assert [type(one) for one in raised] == [error, error]
    assert word in str(raised[1])
    assert repr((mine.state_dict(), numbers(pair.targets[1]))) == before
    mend(name, mine)
    rates = []
    for _ in range(60):
        advance(pair.targets[1], mine, 1)
        rates.append(pair.rates())
        held = pair.targets[1].held("lr")
        assert held is None or held == rates[-1].astype(np.float32).tolist()
    assert all(np.ptp(column) > 0 for column in np.transpose(rates))


def test_a_constant_multiplies_an_added_group_at_its_end() -> None:
    """It never had the factor, but is divided by it: torch's group ends at twice its rate."""
    pair = Pair(lambda m, o: m.ConstantLR(o, 0.5, 60), GrillyTarget)
    pair.walk(20)
    for own in pair.targets:
        own.add({"lr": 0.07})
    pair.walk(45)
    assert pair.rates()[2] == pytest.approx(0.14, rel=1e-15)


# --- last_epoch= ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("last_epoch", [0, 28, 59, 60])
@pytest.mark.parametrize("name", LONG)
def test_resuming_by_last_epoch(name: str, last_epoch: int, kind: Any) -> None:
    """With torch's numbers where they are not those of the run that was not interrupted, too."""
    pair = Pair(LONG[name][0], kind)
    pair.walk(last_epoch)
    saved = [own.save() for own in pair.targets]
    pair.targets = [own.fresh() for own in pair.targets]
    for own, state in zip(pair.targets, saved, strict=True):
        own.load(state)
    pair.schedulers = pair.made(last_epoch=last_epoch - 1)
    pair.check()
    theirs, mine = pair.schedulers
    assert (mine.last_epoch, mine._step_count) == (theirs.last_epoch, theirs._step_count)
    np.testing.assert_allclose(
        np.array(mine.get_last_lr(), float), np.array(theirs.get_last_lr(), float), rtol=RELATIVE
    )
    pair.walk(70)


@pytest.mark.parametrize("last_epoch", [0, 2, 4])
def test_a_sequence_resumed_by_last_epoch(last_epoch: int) -> None:
    pair = Pair(
        lambda m, o, **k: m.SequentialLR(
            o, [m.ConstantLR(o, 0.5, 3), m.ExponentialLR(o, 0.9)], [3], **k
        )
    )
    pair.walk(last_epoch)
    pair.schedulers = pair.made(last_epoch=last_epoch)
    pair.walk(20)


# --- Rates of other types, on grilly's optimizers ------------------------------------------------

NUMBERS = {
    "0-d float64": np.array,
    "0-d float32": lambda x: np.array(x, np.float32),
    "tensor float32": torch.tensor,
    "tensor float64": lambda x: torch.tensor(x, dtype=torch.float64),
    "numpy": np.float64,
}


@pytest.mark.alike
@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("name", MAKES)
def test_rates_that_are_arrays(name: str, number: str, place: str) -> None:
    """The array or tensor stays; its numbers are torch's, and the device holds their float32."""
    make = NUMBERS[number]
    own = GrillyTarget("SGD", [{"lr": make(0.125)}, {"lr": make(0.5)}], place=place)
    other = TorchTarget("SGD", [{"lr": 0.125}, {"lr": 0.5}])
    for one in (own, other):
        one.groups[1]["momentum"] = 0.3
    mine, theirs = MAKES[name](ours, own.optimizer), MAKES[name](THEIRS, other.optimizer)
    rates = [group["lr"] for group in own.groups]
    rough = 1e-11 if "32" not in number else 1e-6
    for _ in range(14):
        np.testing.assert_allclose(numbers(own), numbers(other), rtol=rough, atol=1e-8 * rough)
        if number != "numpy":
            assert all(group["lr"] is rate for group, rate in zip(own.groups, rates, strict=True))
        assert own.held("lr") == [np.float32(float(group["lr"])) for group in own.groups]
        advance(own, mine, 1)
        advance(other, theirs, 1)


# --- Numbers that divide -------------------------------------------------------------------------

ODD = [0, 0.0, -0.0, 1, -1, 2, 0.5, -3, 2.5, 1e-300, 5e-324, 1e300, -1e300, 10**400, 2**70]
ARGUMENTS: dict[str, tuple[str, ...]] = {
    "StepLR": ("step_size", "gamma"),
    "ExponentialLR": ("gamma",),
    "ConstantLR": ("factor", "total_iters"),
    "LinearLR": ("start_factor", "end_factor", "total_iters"),
    "PolynomialLR": ("total_iters", "power"),
    "CosineAnnealingLR": ("T_max", "eta_min"),
    "CosineAnnealingWarmRestarts": ("T_0", "T_mult", "eta_min"),
    "CyclicLR": ("base_lr", "max_lr", "step_size_up", "step_size_down", "gamma"),
    "OneCycleLR": ("max_lr", "total_steps", "pct_start", "div_factor", "final_div_factor"),
    "SWALR": ("swa_lr", "anneal_epochs"),
}
USUAL: dict[str, dict[str, Any]] = {
    "StepLR": {"step_size": 2},
    "ExponentialLR": {"gamma": 0.5},
    "CosineAnnealingLR": {"T_max": 3},
    "CosineAnnealingWarmRestarts": {"T_0": 3},
    "CyclicLR": {"base_lr": 0.1, "max_lr": 0.5},
    "OneCycleLR": {"max_lr": 0.5, "total_steps": 9},
    "SWALR": {"swa_lr": 0.05},
}


def odd_run(module: Any, kind: str, arguments: dict[str, Any], moves: list[Any]) -> Any:
    """Return the error of a run with such arguments, if any."""
    own = HostTarget("SGD", [{"lr": 0.1}]) if module is ours else TorchTarget("SGD", [{"lr": 0.1}])
    others: list[Any] = []

    def play() -> None:
        make = getattr(module, kind)
        if moves[0] == "sequence":
            first = module.ExponentialLR(own.optimizer, 0.9)
            parts = [first, make(own.optimizer, **arguments)]
            others.append(module.SequentialLR(own.optimizer, parts, [2]))
        else:
            others.append(make(own.optimizer, **arguments))
        for move in moves[1:]:
            others[0].step(*([] if move is None or moves[0] == "sequence" else [move]))

    return quietly(play)


def test_no_division_by_zero_escapes() -> None:
    rng, stopped = random.Random(2), 0
    for _ in range(4000):
        kind = rng.choice(list(ARGUMENTS))
        some = rng.sample(ARGUMENTS[kind], rng.randint(1, len(ARGUMENTS[kind])))
        arguments = {**USUAL.get(kind, {}), **{name: rng.choice(ODD) for name in some}}
        if kind == "CyclicLR":
            arguments["mode"] = rng.choice(["triangular", "triangular2", "exp_range"])
        first = rng.choice(["alone", "sequence"])
        moves = [
            first,
            *(rng.choice([None, None, None, 0, 2, 2.5, -1, 9, 2**40]) for _ in range(7)),
        ]
        error = odd_run(ours, kind, arguments, moves)
        assert not isinstance(error, ZeroDivisionError), (kind, arguments, moves)
        if error is not None:
            stopped += 1
            assert len(str(error)) > 10
    assert 500 < stopped < 3900


ZEROS: list[tuple[str, dict[str, Any], list[Any]]] = [
    ("StepLR", {"step_size": 0}, ["alone", None]),
    ("CosineAnnealingLR", {"T_max": 0}, ["alone", None]),
    ("ConstantLR", {"factor": 0, "total_iters": 2}, ["alone", None, None]),
    ("LinearLR", {"total_iters": 0}, ["sequence", None, None]),
    ("PolynomialLR", {"total_iters": 0}, ["alone", 3]),
    ("PolynomialLR", {"total_iters": 2, "power": -1}, ["alone", None, None]),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 0.5, "step_size_up": 0}, ["alone"]),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 10, "pct_start": 0.1}, ["alone"]),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 10, "div_factor": 0}, ["alone"]),
    ("ExponentialLR", {"gamma": 0}, ["alone", -1]),
]


@pytest.mark.parametrize("case", ZEROS, ids=str)
def test_where_torch_divides_by_zero(case: Any) -> None:
    kind, arguments, _ = case
    assert isinstance(odd_run(THEIRS, *case), ZeroDivisionError)
    error = odd_run(ours, *case)
    if kind == "ConstantLR":
        assert error is None  # the base rates
    else:
        assert isinstance(error, ValueError)
        assert any(name in str(error) for name in arguments), str(error)


# --- Compositions that the issue names -----------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_chain_is_no_product(kind: Any) -> None:
    """A class that writes over what is there undoes those before it, not the ones after it."""
    own = kind("SGD", [{"lr": 1.0}])
    chain = ours.ChainedScheduler(
        [ours.LambdaLR(own.optimizer, lambda t: 1), ours.StepLR(own.optimizer, 2, 0.5)]
    )
    rates = []
    for _ in range(5):
        rates.append(own.groups[0]["lr"])
        assert own.held("lr") in (None, rates[-1:])
        advance(own, chain, 1)
    assert rates == [1, 1, 0.5, 1, 0.5]


COMPOSED: dict[str, Any] = {
    "cosine with a floor in a chain": lambda m, o: m.ChainedScheduler(
        [m.CosineAnnealingLR(o, 7, 0.02), m.ExponentialLR(o, 0.95)]
    ),
    "cosine with a floor after another": lambda m, o: m.ChainedScheduler(
        [m.LinearLR(o, 0.1, total_iters=4), m.CosineAnnealingLR(o, 7, 0.02), m.StepLR(o, 5, 0.5)]
    ),
    "SWALR after a decay": lambda m, o: m.SequentialLR(
        o, [m.ExponentialLR(o, 0.9), m.SWALR(o, 0.05, anneal_epochs=6)], [8]
    ),
    "SWALR line after a cosine": lambda m, o: m.SequentialLR(
        o,
        [m.CosineAnnealingLR(o, 20), m.SWALR(o, [0.05, 0.3], 6, "linear")],
        [8],
    ),
    "milestone 0": lambda m, o: m.SequentialLR(o, [m.ConstantLR(o), m.ExponentialLR(o, 0.9)], [0]),
    "milestones 0 and 0": lambda m, o: m.SequentialLR(
        o, [m.ConstantLR(o), m.StepLR(o, 2), m.LinearLR(o)], [0, 0]
    ),
    "momentum in a chain": lambda m, o: m.ChainedScheduler(
        [m.CyclicLR(o, 0.01, 0.1, 4), m.ExponentialLR(o, 0.9)]
    ),
    "momentum at a milestone": lambda m, o: m.SequentialLR(
        o, [m.LinearLR(o), m.CyclicLR(o, 0.01, 0.1, 4), m.ExponentialLR(o, 0.9)], [3, 15]
    ),
    "one cycle in a sequence": lambda m, o: m.SequentialLR(
        o, [m.LinearLR(o), m.OneCycleLR(o, 0.4, 40)], [5]
    ),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", COMPOSED)
def test_compositions(name: str, kind: Any) -> None:
    pair = Pair(COMPOSED[name], kind)
    pair.check()
    pair.walk(12)
    pair.edit(0, 0.33)
    pair.walk(25)
    theirs, mine = (scheduler.get_last_lr() for scheduler in pair.schedulers)
    assert mine == pytest.approx(theirs, rel=RELATIVE)


def test_the_floor_of_a_cosine_in_a_chain_is_a_recurrence() -> None:
    """In float64, as torch's: it moves with what the other scheduler makes of the rate."""
    own = GrillyTarget("SGD", [{"lr": 0.1}])
    chain = ours.ChainedScheduler(
        [ours.CosineAnnealingLR(own.optimizer, 7, 0.02), ours.ExponentialLR(own.optimizer, 0.95)]
    )
    rate = 0.1
    for t in range(1, 40):
        advance(own, chain, 1)
        if (t - 8) % 14 == 0:
            rate += 0.08 * (1 - math.cos(math.pi / 7)) / 2
        else:
            now, before = (1 + math.cos(math.pi * x / 7) for x in (t, t - 1))
            rate = now / before * (rate - 0.02) + 0.02
        rate *= 0.95
        assert own.groups[0]["lr"] == pytest.approx(rate, rel=1e-9)


def test_swalr_in_a_sequence_starts_from_the_rate_before_its_milestone() -> None:
    own = GrillyTarget("SGD", [{"lr": 1.0}])
    parts = [
        ours.ExponentialLR(own.optimizer, 0.5),
        ours.SWALR(own.optimizer, 0.01, anneal_epochs=4, anneal_strategy="linear"),
    ]
    sequence = ours.SequentialLR(own.optimizer, parts, [3])
    rates = [own.groups[0]["lr"]]
    for _ in range(8):
        advance(own, sequence, 1)
        rates.append(own.groups[0]["lr"])
    last = 0.25  # at step 2
    want = [1, 0.5, 0.25, *(last + (0.01 - last) * n / 4 for n in (0, 1, 2, 3, 4)), 0.01]
    assert rates == pytest.approx(want, rel=1e-12)
