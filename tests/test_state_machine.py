"""A state machine of what users do: the groups hold torch's numbers, and all devices equal bits.

hypothesis draws the moves; torch.optim with torch's schedulers makes them, and so does grilly on
numpy and on every Vulkan device. After each move the numbers of every group must be torch's, and
parameters, states and the hyperparameters of the next step the same on all devices.
"""

from __future__ import annotations

import copy
import json
import warnings
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from machines import error_of, machine_settings
from targets import SIZE, THEIRS, GrillyTarget, TorchTarget

from grilly import optim, vk

# Rates: torch's recurrences and our closed forms round differently, and each edit starts from the
# rounded value. Relative, or in units of the largest rate of the run.
RELATIVE, OF_LARGEST = 1e-11, 1e-14

KINDS = [name for name in ("SGD", "Adam", "AdamW") if hasattr(optim, name)]
RATES = st.sampled_from([0.1, 0.5, 0.013, 1.0, 3e-4])
FUNCTIONS: list[Any] = [lambda t: 0.9**t, lambda t: 1.0 if t % 3 else 0.5]
MAKES: dict[str, Any] = {
    "StepLR": st.fixed_dictionaries(
        {
            "step_size": st.sampled_from([1, 2, 3, 7, 1000]),
            "gamma": st.sampled_from([0.1, 0.5, 0.97, 1.0, 1.1, 0.0, -0.5]),
        }
    ),
    "CosineAnnealingLR": st.fixed_dictionaries(
        {
            "T_max": st.sampled_from([1, 2, 3, 5, 8, 13, 7.5, 1000]),
            "eta_min": st.sampled_from([0.0, 1e-3, 0.05]),
        }
    ),
    "ExponentialLR": st.fixed_dictionaries(
        {"gamma": st.sampled_from([0.9, 0.97, 1.0, 1.02, 0.0, -0.5])}
    ),
    "MultiStepLR": st.fixed_dictionaries(
        {
            "milestones": st.sampled_from(
                [[], [3], [1, 2, 2, 9], [0, 5], [4.5, 7], list(range(1, 25))]
            ),
            "gamma": st.sampled_from([0.1, 0.5, 0.97, 0.0, -0.5]),
        }
    ),
    "ConstantLR": st.fixed_dictionaries(
        {
            "factor": st.sampled_from([1 / 3, 0.5, 1.0]),
            "total_iters": st.sampled_from([0, 1, 3, 8.0, 1000]),
        }
    ),
    "LinearLR": st.fixed_dictionaries(
        {
            "start_factor": st.sampled_from([1 / 3, 0.1, 1.0]),
            "end_factor": st.sampled_from([1.0, 0.5, 0.0]),
            "total_iters": st.sampled_from([1, 3, 8.0, 1000]),
        }
    ),
    "PolynomialLR": st.fixed_dictionaries(
        {
            "total_iters": st.sampled_from([1, 3, 8.0, 1000]),
            "power": st.sampled_from([1.0, 0.0, 0.9, 2]),
        }
    ),
    "CosineAnnealingWarmRestarts": st.fixed_dictionaries(
        {
            "T_0": st.sampled_from([1, 2, 5]),
            "T_mult": st.sampled_from([1, 2]),
            "eta_min": st.sampled_from([0.0, 1e-3]),
        }
    ),
    "CyclicLR": st.fixed_dictionaries(
        {
            "base_lr": st.sampled_from([1e-3, 0.05]),
            "max_lr": RATES,
            "step_size_up": st.sampled_from([1, 3, 20]),
            "step_size_down": st.sampled_from([None, 2, 7]),
            "mode": st.sampled_from(["triangular", "triangular2", "exp_range"]),
            "gamma": st.sampled_from([1.0, 0.99]),
            "cycle_momentum": st.booleans(),
        }
    ),
    "LambdaLR": st.fixed_dictionaries({"lr_lambda": st.sampled_from(FUNCTIONS)}),
    "MultiplicativeLR": st.fixed_dictionaries({"lr_lambda": st.sampled_from(FUNCTIONS)}),
    "SWALR": st.fixed_dictionaries(
        {
            "swa_lr": RATES,
            "anneal_epochs": st.sampled_from([0, 1, 5, 100]),
            "anneal_strategy": st.sampled_from(["cos", "linear"]),
        }
    ),
    "OneCycleLR": st.fixed_dictionaries(
        {
            "max_lr": RATES,
            "total_steps": st.sampled_from([60, 100, 1000]),
            "anneal_strategy": st.sampled_from(["cos", "linear"]),
            "three_phase": st.booleans(),
            "cycle_momentum": st.booleans(),
        }
    ),
    "ReduceLROnPlateau": st.fixed_dictionaries(
        {
            "factor": st.sampled_from([0.1, 0.5]),
            "patience": st.sampled_from([0, 1, 2]),
            "cooldown": st.sampled_from([0, 2]),
            "threshold_mode": st.sampled_from(["rel", "abs"]),
            "min_lr": st.sampled_from([0, 1e-3]),
        }
    ),
}
SCHEDULERS = st.sampled_from(sorted(MAKES)).flatmap(lambda n: st.tuples(st.just(n), MAKES[n]))


class Player:
    """A target with its schedulers, of torch's or of grilly's."""

    def __init__(self, target: Any, module: Any) -> None:
        self.target, self.module = target, module
        self.schedulers: list[Any] = []
        self.makes: list[tuple[str, dict[str, Any]]] = []

    def schedule(self, make: tuple[str, dict[str, Any]], keep: bool) -> None:
        """Build a scheduler beside the one that is there, or in its place."""
        scheduler = getattr(self.module, make[0])(self.target.optimizer, **make[1])
        kept = 1 if keep else 0
        self.schedulers = [*self.schedulers[-kept:][:kept], scheduler]
        self.makes = [*self.makes[-kept:][:kept], make]

    def step_schedulers(self, metric: float, epoch: int | None) -> None:
        for (name, _), scheduler in zip(self.makes, self.schedulers, strict=True):
            if name == "ReduceLROnPlateau":
                scheduler.step(metric)
            else:
                scheduler.step(epoch)

    def step(self, seed: int, missing: float) -> None:
        rng = np.random.default_rng(seed)
        params = [p for group in self.target.groups for p in group["params"]]
        grads = [
            None if rng.random() < missing else rng.standard_normal(SIZE).astype(np.float32)
            for _ in params
        ]
        if isinstance(self.target, TorchTarget):
            for p, grad in zip(params, grads, strict=True):
                p.grad = None if grad is None else torch.from_numpy(grad)
            self.target.optimizer.step()
        else:
            self.target.optimizer.step(gradients=grads)

    def reload(self, order: str) -> None:
        """Go on in new objects from what state_dict() gave."""
        states = [scheduler.state_dict() for scheduler in self.schedulers]
        if not isinstance(self.target, TorchTarget):
            states = json.loads(json.dumps(states))
        saved = self.target.save(), copy.deepcopy(states)
        self.target = fresh = self.target.fresh()
        if order == "optimizer first":
            fresh.load(saved[0])
        makes, self.schedulers, self.makes = self.makes, [], []
        for make in makes:
            self.schedule(make, keep=True)
        for scheduler, state in zip(self.schedulers, saved[1], strict=True):
            scheduler.load_state_dict(state)
        if order != "optimizer first":
            fresh.load(saved[0])

    def numbers(self) -> list[dict[str, Any]]:
        keys = ("lr", "betas", "momentum", "weight_decay", "initial_lr", "max_lr", "min_lr")
        return [{k: group[k] for k in keys if k in group} for group in self.target.groups]

    def bits(self) -> list[Any]:
        state = self.target.optimizer.state_dict()["state"]
        states = [value for i in sorted(state) for _, value in sorted(state[i].items())]
        params = [p for group in self.target.groups for p in group["params"]]
        return [*params, *states, self.target.optimizer.read_hyperparameters()]


class Training(RuleBasedStateMachine):
    """The moves. After an error that all raise the run is over."""

    @initialize(
        kind=st.sampled_from(KINDS),
        rates=st.lists(RATES, min_size=1, max_size=3),
        make=SCHEDULERS,
    )
    def start(self, kind: str, rates: list[float], make: Any) -> None:
        warnings.simplefilter("ignore")
        groups = [{"lr": rate} for rate in rates]
        places = ["cpu", *(info.index for info in vk.devices())]
        self.torch = Player(TorchTarget(kind, groups), THEIRS)
        self.ours = [
            Player(GrillyTarget(kind, groups, place=place), optim.lr_scheduler) for place in places
        ]
        self.over = False
        self.seed = 0
        self.largest = max(rates)
        self.all(lambda player: player.schedule(make, keep=False))

    def all(self, move: Any) -> None:
        """Let everybody make a move; either all raise the same error or none does."""
        errors = [error_of(move, player) for player in (self.torch, *self.ours)]
        assert len(set(map(type, errors))) == 1, errors
        self.over = errors[0] is not None
        if not self.over:
            self.compare()

    def compare(self) -> None:
        want = self.torch.numbers()
        self.largest = max([self.largest, *(float(group["lr"]) for group in want)])
        for player in self.ours:
            for group, wanted in zip(player.numbers(), want, strict=True):
                assert group.keys() >= wanted.keys()
                for key, value in wanted.items():
                    error = np.abs(np.subtract(group[key], value))
                    bound = np.maximum(RELATIVE * np.abs(value), OF_LARGEST * self.largest)
                    assert (error <= bound).all(), (key, group[key], value)
        first, *others = [player.bits() for player in self.ours]
        for bits in others:
            for a, b in zip(first, bits, strict=True):
                np.testing.assert_array_equal(a, b)

    @precondition(lambda self: not self.over)
    @rule(missing=st.sampled_from([0.0, 0.0, 0.5]), times=st.integers(1, 3))
    def optimizer_steps(self, missing: float, times: int) -> None:
        for _ in range(times):
            self.seed += 1
            self.all(lambda player: player.step(self.seed, missing))

    @precondition(lambda self: not self.over)
    @rule(metric=st.sampled_from([1.0, 0.5, 0.9, 2.0]), times=st.integers(1, 12))
    def training_steps(self, metric: float, times: int) -> None:
        for _ in range(times):
            if not self.over:
                self.seed += 1
                self.all(lambda player: player.step(self.seed, 0.0))
                self.all(lambda player: player.step_schedulers(metric, None))

    @precondition(lambda self: not self.over)
    @rule(metric=st.sampled_from([1.0, 0.5]))
    def scheduler_step(self, metric: float) -> None:
        self.all(lambda player: player.step_schedulers(metric, None))

    @precondition(lambda self: not self.over)
    @rule(epoch=st.integers(0, 30))
    def scheduler_jump(self, epoch: int) -> None:
        self.all(lambda player: player.step_schedulers(1.0, epoch))

    @precondition(lambda self: not self.over)
    @rule(
        group=st.integers(0, 3),
        edit=st.sampled_from(
            [("lr", 0.2), ("lr", 0.0), ("lr", 3e-3), ("weight_decay", 0.5), ("max_lr", 0.7)]
        ),
    )
    def hand_edit(self, group: int, edit: tuple[str, float]) -> None:
        def move(player: Player) -> None:
            groups = player.target.groups
            own = groups[group % len(groups)]
            if edit[0] in own:
                own[edit[0]] = edit[1]

        self.all(move)

    @precondition(lambda self: not self.over)
    @rule(
        edit=st.sampled_from(
            [("gamma", 0.5), ("step_size", 2), ("T_max", 6), ("eta_min", 0.01), ("patience", 1)]
        )
    )
    def edit_a_setting(self, edit: tuple[str, Any]) -> None:
        def move(player: Player) -> None:
            for scheduler in player.schedulers:
                # An edited gamma of CyclicLR is a listed difference.
                named = type(scheduler).__name__ != "CyclicLR"
                if named and edit[0] in scheduler.state_dict():
                    setattr(scheduler, *edit)

        self.all(move)

    @precondition(lambda self: not self.over)
    @rule(wrap=st.sampled_from([np.float64, np.array]), group=st.integers(0, 3))
    def wrap_a_rate(self, wrap: Any, group: int) -> None:
        """The rate as a numpy scalar or a 0-d array; torch's own optimizers take floats only."""
        for player in self.ours:
            own = player.target.groups[group % len(player.target.groups)]
            own["lr"] = wrap(own["lr"])
        self.compare()

    @precondition(lambda self: not self.over)
    @rule(make=SCHEDULERS, keep=st.booleans())
    def another_scheduler(self, make: Any, keep: bool) -> None:
        self.all(lambda player: player.schedule(make, keep))

    @precondition(lambda self: not self.over and len(self.torch.target.groups) < 4)
    @rule(lr=RATES)
    def add_a_group(self, lr: float) -> None:
        self.all(lambda player: player.target.add({"lr": lr}))

    @precondition(lambda self: not self.over)
    @rule(order=st.sampled_from(["optimizer first", "scheduler first"]))
    def save_and_load(self, order: str) -> None:
        self.all(lambda player: player.reload(order))

    @precondition(lambda self: self.over)
    @rule()
    def nothing_more(self) -> None:
        """After an error that everybody raised the run is over."""


class TestTraining(Training.TestCase):  # type: ignore[name-defined, misc]
    settings = machine_settings(30, 20, fixed=True)


@pytest.mark.heavy
class TestMoreTraining(Training.TestCase):  # type: ignore[name-defined, misc]
    settings = machine_settings(1000, 20, fixed=False)
