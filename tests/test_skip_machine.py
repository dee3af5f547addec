"""A state machine of training in which updates are skipped: the bits of a plain loop, everywhere.

hypothesis draws the moves: updates with good and bad gradients, steps of schedulers per update and
per epoch, replays, hand edits through a group that was taken before, loads, added groups. The plain
loop of tests/skipping.py makes them, and so does grilly on numpy and on every Vulkan device, where
nobody looks, so that nothing is settled, until the draw says so.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from machines import machine_settings
from plain import F, hashed_gradient
from skipping import DEFAULTS, Loop, Ticks, per_step

import grilly
from grilly import optim, vk
from grilly.errors import RecordError
from grilly.optim import ParamScheduler
from grilly.optim import lr_scheduler as lrs
from grilly.schedules import Ramp

Make = Callable[[Any], Any]
SIZES = (5, 3)
ADDED = ("max_lr", "min_lr", "max_momentum", "base_momentum", "betas", "momentum")
BAD = (np.inf, -np.inf, np.nan)


class Custom(lrs.LRScheduler):
    """A user's get_lr()."""

    def get_lr(self) -> list[float]:
        rates = [group["lr"] for group in self.optimizer.param_groups]
        return rates if self._is_initial else [rate * 0.75 for rate in rates]


def sequence(optimizer: Any) -> Any:
    warm_up = lrs.LinearLR(optimizer, 0.25, total_iters=3)
    cosine = lrs.CosineAnnealingLR(optimizer, 4)
    return lrs.SequentialLR(optimizer, [warm_up, cosine, lrs.ExponentialLR(optimizer, 0.9)], [3, 8])


def chain(optimizer: Any) -> Any:
    return lrs.ChainedScheduler(
        [lrs.ConstantLR(optimizer, 0.5, total_iters=5), lrs.ExponentialLR(optimizer, 0.9)]
    )


MAKES: dict[str, Make] = {
    "OneCycleLR": lambda o: lrs.OneCycleLR(o, 0.1, total_steps=1000),
    "StepLR": lambda o: lrs.StepLR(o, 3, 0.5),
    "ExponentialLR": lambda o: lrs.ExponentialLR(o, 0.9),
    "CosineAnnealingLR": lambda o: lrs.CosineAnnealingLR(o, 5, 0.01),
    "CosineAnnealingWarmRestarts": lambda o: lrs.CosineAnnealingWarmRestarts(o, 3, 2),
    "MultiStepLR": lambda o: lrs.MultiStepLR(o, [2, 5, 9], 0.5),
    "LambdaLR, a formula": lambda o: lrs.LambdaLR(o, lambda t: 1 / (t + 1)),
    "LambdaLR": lambda o: lrs.LambdaLR(o, per_step),
    "MultiplicativeLR": lambda o: lrs.MultiplicativeLR(o, per_step),
    "SequentialLR": sequence,
    "ChainedScheduler": chain,
    "ParamScheduler": lambda o: ParamScheduler(o, {"lr": Ramp(0.1, 0.0, 0.01, steps=12)}),
    "Custom": Custom,
}
# Of these a replay may be refused: the host is asked.
ASKED = {"LambdaLR", "MultiplicativeLR", "ChainedScheduler", "Custom"}


class Ours:
    """An optimizer on ``place`` and its schedulers."""

    def __init__(self, place: str | int, start: Callable[[Ours], None]) -> None:
        self.place, self.begin = place, start
        self.params: list[Any] = []
        start(self)

    def group(self, number: int, options: dict[str, Any]) -> dict[str, Any]:
        new = [grilly.nn.Parameter(w, device=self.place) for w in weights(number)]
        self.params += new
        return {"params": new, **options}

    def record(self) -> None:
        with grilly.record() as self.tape:
            self.optimizer.step()
            self.scheduler.step()

    def replay(self, grads: list[Any], times: int) -> bool:
        """Replay the tape; what must be asked so often that it cannot be, do by hand."""
        self.give(grads)
        try:
            self.tape.replay(times)
        except RecordError:
            assert self.make in ASKED, self.make
            for _ in range(times):
                self.optimizer.step()
                self.scheduler.step()
            return False
        return True

    def give(self, grads: list[Any]) -> list[Any]:
        """Put gradients where they belong; return them as step() takes them."""
        for p, grad in zip(self.params, grads, strict=True):
            if grad is not None:
                p.grad.copy_from(grad)
        return [None if g is None else p.grad for p, g in zip(self.params, grads, strict=True)]


def weights(group: int) -> list[Any]:
    return [hashed_gradient(size, 100 + 10 * group + size) for size in SIZES]


class Training(RuleBasedStateMachine):
    """The moves."""

    @initialize(
        kind=st.sampled_from(sorted(DEFAULTS)),
        rates=st.lists(st.sampled_from([0.1, 0.5, 0.013]), min_size=1, max_size=2),
        make=st.sampled_from(sorted(MAKES)),
        max_norm=st.sampled_from([None, 0.5, 100.0]),
        exact=st.booleans(),
    )
    def start(
        self, kind: str, rates: list[float], make: str, max_norm: float | None, exact: bool
    ) -> None:
        warnings.simplefilter("ignore")
        exact = exact and kind != "SGD"
        options = {"max_norm": max_norm, "skip_nonfinite": True, **DEFAULTS[kind]}
        options |= {"bias_correction": "exact"} if exact else {}

        def begin(ours: Ours) -> None:
            ours.make = make
            groups = [ours.group(i, {"lr": rate}) for i, rate in enumerate(rates)]
            make_class = getattr(optim, kind)
            ours.optimizer = make_class(groups, lr=0.1, device=ours.place, **options)
            ours.held = list(ours.optimizer.param_groups)
            ours.scheduler = MAKES[make](ours.optimizer)
            ours.second = ParamScheduler(ours.optimizer, {"weight_decay": per_step})
            ours.record()

        self.ours = [Ours(place, begin) for place in ["cpu", *(i.index for i in vk.devices())]]
        groups = [{"params": weights(i), "lr": rate} for i, rate in enumerate(rates)]
        self.loop = Loop(kind, groups, np.inf if max_norm is None else max_norm, exact)
        self.ticks = Ticks(self.loop, MAKES[make](self.loop.bare))
        self.epochs = Ticks(self.loop, ParamScheduler(self.loop.bare, {"weight_decay": per_step}))
        self.seed = 0

    def gradients(self, bad: bool, missing: bool = False) -> list[Any]:
        self.seed += 1
        count = len(self.loop.params)
        grads: list[Any] = [
            hashed_gradient(SIZES[i % 2], 1000 * self.seed + i) for i in range(count)
        ]
        if missing and not bad:
            grads[self.seed % count] = None
        if bad:
            where = grads[self.seed % count]
            where[self.seed % where.size] = BAD[self.seed % 3]
        return grads

    def update(self, bad: bool, missing: bool = False) -> None:
        grads = self.gradients(bad, missing)
        self.loop.step(grads)
        for ours in self.ours:
            ours.optimizer.step(gradients=ours.give(grads))

    @rule(bad=st.lists(st.booleans(), min_size=1, max_size=12))
    def training_steps(self, bad: list[bool]) -> None:
        for one in bad:
            self.update(one)
            self.tick()

    @rule(bad=st.lists(st.booleans(), min_size=1, max_size=3), missing=st.booleans())
    def updates(self, bad: list[bool], missing: bool) -> None:
        for one in bad:
            self.update(one, missing)

    @rule()
    def tick(self) -> None:
        self.ticks.step()
        for ours in self.ours:
            ours.scheduler.step()

    @rule()
    def epoch(self) -> None:
        self.epochs.step()
        for ours in self.ours:
            ours.second.step()

    @rule(times=st.integers(1, 9), bad=st.booleans())
    def replay(self, times: int, bad: bool) -> None:
        grads = self.gradients(bad)
        replayed = [ours.replay(grads, times) for ours in self.ours]
        assert len(set(replayed)) == 1
        for _ in range(times):
            if replayed[0]:  # it has a count of its own
                self.ticks.seen = len(self.loop.made)
            self.loop.step(grads)
            self.ticks.step()

    @rule(
        group=st.integers(0, 2),
        edit=st.sampled_from([("lr", 0.2), ("lr", 3e-3), ("weight_decay", 0.5)]),
    )
    def edit_what_was_taken(self, group: int, edit: tuple[str, float]) -> None:
        for groups in (self.loop.bare.param_groups, *(ours.held for ours in self.ours)):
            groups[group % len(groups)].update([edit])

    @rule(setting=st.sampled_from([("gamma", 0.7), ("eta_min", 0.02), ("step_size", 2)]))
    def edit_a_setting(self, setting: tuple[str, float]) -> None:
        for scheduler in (self.ticks.scheduler, *(ours.scheduler for ours in self.ours)):
            if setting[0] in scheduler.__dict__:
                setattr(scheduler, *setting)

    @precondition(lambda self: len(self.loop.bare.param_groups) < 3)
    @rule(lr=st.sampled_from([0.1, 0.3]))
    def add_a_group(self, lr: float) -> None:
        number = len(self.loop.bare.param_groups)
        schedulers = [self.ticks.scheduler]
        first = self.loop.bare.param_groups[0]
        options = {key: first[key] for key in ADDED if key in first}
        options |= {"lr": lr, "initial_lr": lr}
        self.loop.add({"params": weights(number), **options})
        for ours in self.ours:
            ours.optimizer.add_param_group(ours.group(number, options))
            ours.held = list(ours.optimizer.param_groups)
            schedulers.append(ours.scheduler)
        for scheduler in schedulers:
            grow(scheduler, lr)
        for ours in self.ours:
            ours.record()

    @rule()
    def save_and_load(self) -> None:
        """Into the same objects, after something else has happened to them."""
        for ours in self.ours:
            state = copy.deepcopy(ours.optimizer.state_dict())
            own = copy.deepcopy([ours.scheduler.state_dict(), ours.second.state_dict()])
            ours.optimizer.load_state_dict(state)
            ours.scheduler.load_state_dict(own[0])
            ours.second.load_state_dict(own[1])
        own = [self.ticks.scheduler, self.epochs.scheduler]
        for scheduler in own:
            scheduler.load_state_dict(copy.deepcopy(scheduler.state_dict()))

    @rule()
    def look(self) -> None:
        wanted = self.ticks.scheduler
        for ours in self.ours:
            assert ours.scheduler.get_last_lr() == pytest.approx(wanted.get_last_lr(), rel=1e-12)
            assert getattr(ours.scheduler, "last_epoch", 0) == getattr(wanted, "last_epoch", 0)
            assert getattr(ours.scheduler, "_step_count", 0) == getattr(wanted, "_step_count", 0)
            assert ours.second.last_epoch == self.epochs.scheduler.last_epoch
            assert ours.optimizer.skipped() == self.loop.made.count(False)
            if self.loop.made:
                assert_same(F(ours.optimizer.grad_norm()), self.loop.norm)
            for group, own in zip(
                ours.optimizer.param_groups, self.loop.bare.param_groups, strict=True
            ):
                for key in ("lr", "weight_decay"):
                    assert group[key] == pytest.approx(own[key], rel=1e-12)
            self.look_at_bits(ours)

    def look_at_bits(self, ours: Ours) -> None:
        state = ours.optimizer.state_dict()["state"]
        for i, (p, own) in enumerate(zip(ours.params, self.loop.params, strict=True)):
            assert_same(p.data.numpy(), own.p)
            if not self.loop.k[i]:
                assert i not in state
            elif self.loop.kind == "SGD":
                assert_same(state[i]["momentum_buffer"], own.buffer)
            else:
                assert state[i]["step"] == self.loop.k[i]
                assert_same(state[i]["exp_avg"], own.m)
                assert_same(state[i]["exp_avg_sq"], own.v)
        rows = ours.optimizer.read_hyperparameters()
        assert_same(rows["lr"], [F(group["lr"]) for group in self.loop.bare.param_groups])

    def teardown(self) -> None:
        """Everybody must have come to the same."""
        if hasattr(self, "ours"):
            self.look()


def grow(scheduler: Any, lr: float) -> None:
    """Let a scheduler know of an added group."""
    for one in getattr(scheduler, "_schedulers", [scheduler]):
        for name, value in (("base_lrs", lr), ("lr_lambdas", per_step)):
            if name in one.__dict__:
                one.__dict__[name].append(value)


def assert_same(a: Any, b: Any) -> None:
    np.testing.assert_array_equal(a, b)


class TestTraining(Training.TestCase):  # type: ignore[name-defined, misc]
    settings = machine_settings(15, 15, fixed=True)


@pytest.mark.heavy
class TestMoreTraining(Training.TestCase):  # type: ignore[name-defined, misc]
    settings = machine_settings(400, 15, fixed=False)
