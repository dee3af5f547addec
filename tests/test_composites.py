"""SequentialLR and ChainedScheduler: random trees of them beside torch's, and errors."""

from __future__ import annotations

import copy
import json
import math
import random
import warnings
from typing import Any

import numpy as np
import pytest
from targets import THEIRS, GrillyTarget, TorchTarget
from test_torch_schedulers import advance, target

from grilly import StateError
from grilly.optim import lr_scheduler as ours

# Relative, and in units of the largest rate: torch's recurrences and our forms round differently.
RELATIVE, OF_LARGEST = 1e-11, 1e-14
RAISED = (ValueError, KeyError, NotImplementedError, RuntimeError)

Spec = tuple[str, dict[str, Any]]


def leaf(rng: random.Random) -> Spec:
    one_of = rng.choice
    steps = rng.choices([0, 1, 2, 3, 5, 8, 12.5, 13, 14, 15, 16, 17, 18, 19, 25], k=one_of([1, 12]))
    return one_of(
        [
            ("ExponentialLR", {"gamma": one_of([0.9, 1.02, 0.0])}),
            ("StepLR", {"step_size": one_of([1, 3]), "gamma": one_of([0.5, -0.5])}),
            ("MultiStepLR", {"milestones": steps, "gamma": one_of([0.5, 0.1, -1.0, 0.0])}),
            (
                "ConstantLR",
                {"factor": one_of([0.5, 1 / 3]), "total_iters": one_of([0, 7.0, 7.5])},
            ),
            ("LinearLR", {"end_factor": one_of([1.0, 0.0]), "total_iters": one_of([1, 8.0, -3])}),
            (
                "PolynomialLR",
                {"total_iters": one_of([1, 12, 7.5]), "power": one_of([1, 0.0, 0.9])},
            ),
            ("CosineAnnealingLR", {"T_max": one_of([1, 3, 10]), "eta_min": one_of([0, 0.01])}),
            ("CosineAnnealingWarmRestarts", {"T_0": one_of([1, 5]), "T_mult": one_of([1, 2, 3])}),
            (
                "CyclicLR",
                {
                    "base_lr": 0.01,
                    "max_lr": one_of([0.1, 1.0]),
                    "step_size_up": one_of([1, 3]),
                    "step_size_down": one_of([None, 4]),
                    "mode": one_of(["triangular", "triangular2", "exp_range"]),
                    "gamma": 0.9,
                    "cycle_momentum": one_of([True, False]),
                },
            ),
            ("OneCycleLR", {"max_lr": 0.5, "total_steps": 60}),
            ("SWALR", {"swa_lr": 0.05, "anneal_epochs": one_of([0, 1, 5])}),
            ("LambdaLR", {"lr_lambda": lambda t: 0.9**t}),
            ("MultiplicativeLR", {"lr_lambda": lambda t: 0.9 if t % 2 else 1.1}),
        ]
    )


def tree(rng: random.Random, depth: int = 0) -> Spec:
    kind = rng.random() if depth < 2 else 1.0
    count = rng.choice([1, 2, 3])
    if kind < 0.4:
        # torch refuses to start a composite at a milestone: now and then one is there.
        parts = [tree(rng, depth + 1)]
        parts += [tree(rng, depth + 1 if rng.random() < 0.1 else 2) for _ in range(count - 1)]
        milestones = sorted(rng.choices(range(20), k=count - 1))
        return "SequentialLR", {"schedulers": parts, "milestones": milestones}
    if kind < 0.7:
        return "ChainedScheduler", {"schedulers": [tree(rng, depth + 1) for _ in range(count)]}
    return leaf(rng)


def made(module: Any, optimizer: Any, spec: Spec) -> Any:
    name, arguments = spec
    own = dict(arguments)
    if "schedulers" in own:
        own["schedulers"] = [made(module, optimizer, part) for part in own["schedulers"]]
    kind = getattr(module, name)
    return kind(**own) if name == "ChainedScheduler" else kind(optimizer, **own)


class Player:
    """A target and the tree of schedulers on it, of torch's or of ours."""

    def __init__(self, own: Any, module: Any, spec: Spec) -> None:
        self.target, self.module, self.spec = own, module, spec
        self.scheduler = made(module, own.optimizer, spec)

    def step(self) -> None:
        self.target.step()
        self.scheduler.step()

    def edit(self, group: int, value: float) -> None:
        self.target.groups[group]["lr"] = value

    def reload(self, state: Any, optimizer_first: bool) -> None:
        saved, self.target = self.target.save(), self.target.fresh()
        if optimizer_first:
            self.target.load(saved)
        self.scheduler = made(self.module, self.target.optimizer, self.spec)
        self.scheduler.load_state_dict(state)
        if not optimizer_first:
            self.target.load(saved)

    def numbers(self) -> Any:
        groups = self.target.groups
        momenta = [g["betas"][0] if "betas" in g else g["momentum"] for g in groups]
        return np.array([[float(g["lr"]) for g in groups], momenta])


def move(rng: random.Random, players: list[Player]) -> list[Any]:
    """Let both make a move; return what each of them raised."""
    kind, group = rng.random(), rng.randrange(len(players[0].target.groups))
    if kind < 0.85:
        moves: list[Any] = [player.step for player in players]
    elif kind < 0.9 and "schedulers" not in players[0].spec[1]:
        epoch = rng.choice([0, 1, 4, 9, 20, 2.5, 7.25])
        moves = [lambda p=p: p.scheduler.step(epoch) for p in players]
    elif kind < 0.94:
        value = rng.choice([0.2, 0.0, 3e-3])
        moves = [lambda p=p: p.edit(group, value) for p in players]
    elif kind < 0.97:
        moves = [lambda p=p: p.target.add({"lr": 0.07}) for p in players]
    else:
        first, exchanged = rng.random() < 0.5, rng.random() < 0.3
        states = [copy.deepcopy(players[0].scheduler.state_dict())]
        states.append(json.loads(json.dumps(players[1].scheduler.state_dict())))
        if exchanged:
            states[1] = copy.deepcopy(states[0])
        pairs = zip(players, states, strict=True)
        moves = [lambda p=p, s=s: p.reload(s, first) for p, s in pairs]
    return [error_of(one) for one in moves]


def error_of(call: Any) -> type[Exception] | None:
    try:
        call()
    except RAISED as error:
        return type(error)
    return None


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("kind", ["torch", "numpy"])
def test_random_trees_are_torchs(kind: str, seed: int) -> None:
    rng = random.Random(seed)
    spec, name = tree(rng), rng.choice(["SGD", "Adam"])
    groups = [{"lr": rate} for rate in rng.choices([0.1, 0.5, 3e-4], k=rng.choice([1, 2]))]
    own = TorchTarget(name, groups) if kind == "torch" else GrillyTarget(name, groups)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        makes = [(TorchTarget(name, groups), THEIRS), (own, ours)]
        players = [Player(one, module, spec) for one, module in makes]
        largest = 1.0
        for _ in range(40):
            want, got = (player.numbers() for player in players)
            largest = max(largest, np.abs(want).max())
            np.testing.assert_allclose(got, want, rtol=RELATIVE, atol=OF_LARGEST * largest)
            held = players[1].target.held("lr")
            assert held is None or held == got[0].astype(np.float32).tolist()
            errors = move(rng, players)
            assert errors[0] == errors[1], spec
            if errors[0]:
                break


def test_a_chain_in_which_one_raises_changes_nothing() -> None:
    own = target()
    bad: list[float] = []
    schedulers = [
        ours.ExponentialLR(own.optimizer, 0.5),
        ours.CyclicLR(own.optimizer, 0.1, 0.2, 4),
        ours.MultiplicativeLR(own.optimizer, lambda t: math.nan if t in bad else 0.5),
    ]
    chain = ours.ChainedScheduler(schedulers)
    advance(own, chain, 2)
    bad.append(3)
    before = copy.deepcopy(([dict(g, params=None) for g in own.groups], chain.state_dict()))
    with pytest.raises(ValueError, match=r"lr_lambda\[0\]\(3\)"):
        chain.step()
    assert ([dict(g, params=None) for g in own.groups], chain.state_dict()) == before
    bad.clear()
    advance(own, chain, 1)
    assert own.groups[0]["lr"] == pytest.approx((0.1 + 0.1 * 3 / 4) / 2, rel=1e-12)


def test_a_sequence_in_which_one_raises_changes_nothing() -> None:
    own = target()
    nested = ours.ChainedScheduler([ours.ExponentialLR(own.optimizer, 0.5)])
    parts = [ours.LinearLR(own.optimizer), nested]
    sequence = ours.SequentialLR(own.optimizer, parts, [2])
    advance(own, sequence, 1)
    before = copy.deepcopy(sequence.state_dict())
    with pytest.raises(NotImplementedError, match="cannot start at a milestone"):
        advance(own, sequence, 1)
    assert sequence.state_dict() == before


def test_a_sequence_that_cannot_start_changes_nothing() -> None:
    own = target()
    bad: list[float] = []
    first = ours.LambdaLR(own.optimizer, lambda t: math.nan if bad else 0.5)
    bad.append(0)
    before = [group["lr"] for group in own.groups], first.state_dict()
    with pytest.raises(ValueError, match="must return a finite number"):
        ours.SequentialLR(own.optimizer, [first], [])
    assert ([group["lr"] for group in own.groups], first.state_dict()) == before


def test_a_state_of_which_a_part_does_not_fit_changes_nothing() -> None:
    own = target()
    parts = [ours.ExponentialLR(own.optimizer, 0.5), ours.StepLR(own.optimizer, 2)]
    chain = ours.ChainedScheduler(parts)
    advance(own, chain, 3)
    before = chain.state_dict()
    state = copy.deepcopy(before)
    state["_schedulers"][0]["last_epoch"] = 7
    state["_schedulers"][1]["step_size"] = 0
    with pytest.raises(StateError, match="step_size"):
        chain.load_state_dict(state)
    assert chain.state_dict() == before


@pytest.mark.parametrize(
    "state", [{}, {"_schedulers": []}, {"_schedulers": [{}]}, {"_schedulers": 3}]
)
def test_a_state_with_parts_missing_is_refused(state: dict[str, Any]) -> None:
    own = target()
    scheduler = ours.SequentialLR(
        own.optimizer, [ours.LinearLR(own.optimizer), ours.ExponentialLR(own.optimizer, 0.9)], [2]
    )
    before = repr(scheduler.state_dict())
    with pytest.raises(StateError, match="_schedulers must be a list of 2 states, got"):
        scheduler.load_state_dict(state)
    assert repr(scheduler.state_dict()) == before


@pytest.mark.parametrize("name", ["SequentialLR", "ChainedScheduler"])
def test_torchs_own_schedulers_are_not_driven(name: str) -> None:
    own = TorchTarget("SGD", [{"lr": 0.1}])
    theirs = [THEIRS.LinearLR(own.optimizer), THEIRS.ExponentialLR(own.optimizer, 0.9)]
    arguments = (own.optimizer, theirs, [2]) if name == "SequentialLR" else (theirs,)
    with pytest.raises(
        TypeError, match=r"got torch\.optim\.lr_scheduler\.LinearLR at index 0: use"
    ):
        getattr(ours, name)(*arguments)
