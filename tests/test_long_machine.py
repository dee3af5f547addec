"""A state machine of long trainings: 10,000 rounds with clipping, skips, plateaus, and replays.

hypothesis draws the moves. Gradients and losses are dealt out on the device, a value that is not
finite among them now and then, so nothing tells the host what happens. On numpy and on every Vulkan
device rounds are replayed where the oracle, on numpy, makes them step by step; after each move all
that a user can see must be the same in every bit.
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
from metric_runs import SIZES, Run

import grilly
from grilly import optim, vk
from grilly.optim import ParamScheduler
from grilly.optim.lr_scheduler import CosineAnnealingLR, GreedyLR, ReduceLROnPlateau
from grilly.rules import Plateau
from grilly.schedules import Cosine, OneCycle

ROUNDS = 10_000
LOSSES = 2 * ROUNDS
POOL = 4099
# Of a gradient's 78 values, one in 2000 is not finite: about one update in 25 is left out.
BAD = {500: np.nan, 2500: np.inf}
# Copies a gradient out of the pool, from a place that the round and the update choose.
DEAL = grilly.Kernel(
    """#version 450
    layout(local_size_x = 32) in;
    layout(std430, binding = 0) writeonly buffer Gradient { float gradient[]; };
    layout(std430, binding = 1) readonly buffer Pool { float pool[]; };
    layout(std430, binding = 2) readonly buffer Cursor { float cursor[]; };
    layout(push_constant) uniform Push { uint size; uint offset; };
    void main() {
      uint i = gl_GlobalInvocationID.x;
      uint first = uint(cursor[0]) * 613u + offset;
      if (i < size) gradient[i] = pool[(first + i) % pool.length()];
    }""",
    host=lambda gradient, pool, cursor, size, offset: np.copyto(
        gradient, pool[(int(cursor[0]) * 613 + offset + np.arange(size)) % len(pool)]
    ),
)
MAKES: dict[str, Callable[[Any], list[Any]]] = {
    "plateau": lambda o: [ReduceLROnPlateau(o, patience=30, factor=0.7, cooldown=5, min_lr=1e-3)],
    "greedy": lambda o: [GreedyLR(o, patience=20, factor=0.9, min_lr=1e-3, max_lr=1.0)],
    "cycle and plateau": lambda o: [
        ParamScheduler(
            o,
            {
                "lr": OneCycle((3000.0, 9000.0), (0.01, 0.2, 0.001)) * Plateau(patience=50),
                "weight_decay": Cosine(0.1, 0.001, 777),
            },
        )
    ],
    "plateau beside a cosine": lambda o: [
        ReduceLROnPlateau(o, patience=40, factor=0.8, min_lr=1e-3),
        ParamScheduler(o, {"weight_decay": Cosine(0.1, 1e-6, 5000)}),
    ],
    "cosine": lambda o: [CosineAnnealingLR(o, 700, 0.01)],
}
KINDS: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("Adam", {"amsgrad": True}),
    ("AdamW", {}),
    ("AdamW", {"bias_correction": "exact"}),
]
EDITS = [("lr", 0.2), ("lr", 0.05), ("weight_decay", 0.02), ("eps", 1e-5), ("maximize", True)]
SETTINGS = [("patience", 15), ("factor", 0.5), ("T_max", 300), ("eta_min", 0.02)]


def losses() -> Any:
    """Return losses that fall, rise at once, and fall again, with noise; float32."""
    t = np.arange(LOSSES) % 1300
    noise = np.random.default_rng(1).standard_normal(LOSSES)
    return (0.5 + 2 / (1 + t / 200) + 0.05 * noise).astype(np.float32)


def pool() -> Any:
    values = np.random.default_rng(2).standard_normal(POOL).astype(np.float32)
    values[list(BAD)] = list(BAD.values())
    return values


class Player(Run):
    """A training whose rounds are long forgotten by the host when it looks."""

    def __init__(self, place: Any, kind: Any, make: str, options: dict[str, Any]) -> None:
        more = {**kind[1], **options}
        super().__init__(place, MAKES[make], losses(), kind=getattr(optim, kind[0]), **more)
        self.pool = grilly.device_array(pool(), place)
        self.rows: Any = None
        self.replay: Any = None
        self.updates = 1

    def step(self, updates: int = 1) -> None:
        """Make a round of so many updates, all of it on the device."""
        for update in range(updates):
            for i, p in enumerate(self.params):
                if p.grad is not None:
                    where = (p.data.size, 1000 * update + 100 * i)
                    DEAL([p.grad, self.pool, self._cursor], -(-p.data.size // 32), where)
            self.optimizer.step()
        loss = self.next_loss()
        for scheduler in self.schedulers:
            scheduler.step(*[loss] * self.follows(scheduler))

    def follows(self, scheduler: Any) -> bool:
        """Whether it wants the loss: of two the first does."""
        return scheduler is self.scheduler and not isinstance(scheduler, CosineAnnealingLR)

    def go(self, rounds: int, taped: bool) -> None:
        if not taped:
            for _ in range(rounds):
                self.step(self.updates)
            return
        if self.replay is None:
            self.replay = self.taped(self.updates)
        self.replay(rounds)

    def reload(self, order: int, between: int) -> None:
        """Make some rounds and go back to where it was."""
        everything = [self.optimizer, *self.schedulers]
        states = copy.deepcopy([one.state_dict() for one in everything])
        arrays = [p.data for p in self.params] + [self._cursor]
        kept, at = [array.numpy() for array in arrays], self.at
        self.go(between, taped=False)
        for one, state in [*zip(everything, states, strict=True)][::order]:
            one.load_state_dict(state)
        for array, value in zip(arrays, kept, strict=True):
            array.copy_from(value)
        self.at = at

    def contents(self) -> list[str]:
        """Return all that can be seen, as lines of text."""
        norm = self.optimizer.grad_norm() if self.at else 0.0
        used = self.optimizer.history(64).tolist() if self.at else []
        return [repr((norm, self.optimizer.skipped(), used)), *self.shown().splitlines()]


class LongRuns(RuleBasedStateMachine):
    """The moves; whatever they are, there are ROUNDS rounds in the end."""

    rounds = ROUNDS

    @initialize(
        kind=st.sampled_from(KINDS),
        make=st.sampled_from(sorted(MAKES)),
        max_norm=st.sampled_from([None, 7.5]),
    )
    def start(self, kind: Any, make: str, max_norm: float | None) -> None:
        warnings.simplefilter("ignore")
        places = ["cpu", "cpu", *(info.index for info in vk.devices())]
        options = {"max_norm": max_norm, "skip_nonfinite": True}
        self.oracle, *self.players = [Player(where, kind, make, options) for where in places]

    @property
    def everybody(self) -> list[Player]:
        return [self.oracle, *self.players]

    def go(self, rounds: int, taped: bool) -> None:
        rounds = min(rounds, self.rounds - self.oracle.at)
        # Where updates are skipped, a step after several has another rhythm in a tape: it waits for
        # as many that are made (docs/device-training.md). The devices must still agree.
        self.oracle.go(rounds, taped=taped and self.oracle.updates > 1)
        for player in self.players:
            player.go(rounds, taped)
        self.compare()

    def compare(self) -> None:
        wanted = self.oracle.contents()
        for player in self.players:
            assert player.contents() == wanted, player.optimizer.device

    def anew(self) -> None:
        for player in self.everybody:
            player.replay = None

    @rule(rounds=st.integers(1, 1500))
    def replay(self, rounds: int) -> None:
        self.go(rounds, taped=True)

    @rule(rounds=st.integers(1, 20))
    def step_by_step(self, rounds: int) -> None:
        self.go(rounds, taped=False)

    @rule(updates=st.integers(1, 3), rounds=st.integers(1, 500))
    def another_tape(self, updates: int, rounds: int) -> None:
        self.anew()
        for player in self.everybody:
            player.updates = updates
        self.go(rounds, taped=True)

    @rule(group=st.integers(0, 2), edit=st.sampled_from(EDITS))
    def hand_edit(self, group: int, edit: tuple[str, Any]) -> None:
        for player in self.everybody:
            groups = player.optimizer.param_groups
            own = groups[group % len(groups)]
            own.update([edit] if edit[0] in own else [])

    @rule(setting=st.sampled_from(SETTINGS))
    def edit_a_setting(self, setting: tuple[str, Any]) -> None:
        for player in self.everybody:
            if setting[0] in vars(player.scheduler):
                setattr(player.scheduler, *setting)

    @rule(order=st.sampled_from([1, -1]), between=st.integers(0, 9))
    def load(self, order: int, between: int) -> None:
        for player in self.everybody:
            player.reload(order, between)
        self.compare()

    @precondition(lambda self: len(self.oracle.optimizer.param_groups) < len(SIZES))
    @rule()
    def add_a_group(self) -> None:
        for player in self.everybody:
            player.add_group()
            if hasattr(player.scheduler, "base_lrs"):
                player.scheduler.base_lrs.append(0.35)
        self.anew()

    def teardown(self) -> None:
        """Nobody may end before the others."""
        if hasattr(self, "oracle"):
            while self.oracle.at < self.rounds:
                self.go(1500, taped=True)
            skipped = self.oracle.optimizer.skipped()
            assert self.rounds < 50 or 0 < skipped < self.rounds


class ShortRuns(LongRuns):
    """The same in little."""

    rounds = 60


class TestShortRuns(ShortRuns.TestCase):  # type: ignore[name-defined, misc]
    settings = machine_settings(2, 8, fixed=True)


@pytest.mark.heavy
class TestLongRuns(LongRuns.TestCase):  # type: ignore[name-defined, misc]
    settings = machine_settings(30, 12, fixed=False)
