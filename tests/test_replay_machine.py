"""A state machine of what users do with tapes: replays have the bits of the same steps by hand.

hypothesis draws the moves. On numpy and on every Vulkan device rounds are replayed where the
oracle, on numpy, makes them step by step; after each move everything must be the same in every bit.
"""

from __future__ import annotations

import copy
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from machines import error_of, machine_settings
from tape_runs import Run, assert_same, gradient
from test_state_machine import MAKES

import grilly
from grilly import RecordError, vk
from grilly.optim import lr_scheduler as lrs
from grilly.optim.param_scheduler import ParamScheduler
from grilly.schedules import Cosine, Linear

KINDS: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"momentum": 0.5, "nesterov": True}),
    ("Adam", {"amsgrad": True}),
    ("AdamW", {}),
    ("AdamW", {"bias_correction": "exact"}),
]
# What more an optimizer may be made with: options to draw from, by name.
MORE_OPTIONS: dict[str, st.SearchStrategy[Any]] = {}
# o is a step of the optimizer, a one of its first scheduler, b one of the second, + adds weights
# to gradients on the device, 0 is zero_grad().
PROGRAMS = ["oa", "oab", "ao", "+oa", "0+o+oab", "oob", "oaa", "oaob", "o" * 20 + "a"]

HOST = {"ReduceLROnPlateau", "SWALR"}  # they are the host's at every step
OWN: dict[str, Any] = {
    "OneCycleLR, long": lambda o: lrs.OneCycleLR(o, 0.1, total_steps=5000),
    "SequentialLR": lambda o: lrs.SequentialLR(
        o,
        [lrs.LinearLR(o, 0.1, total_iters=9), lrs.StepLR(o, 3, 0.9), lrs.ExponentialLR(o, 0.99)],
        [9, 10],
    ),
    "ParamScheduler": lambda o: ParamScheduler(o, {"lr": Cosine(0.1, 0.01, 300)}),
    "ParamScheduler of a text": lambda o: ParamScheduler(o, {"lr": ["0.1 / (t + 1)", None]}),
}
SCHEDULERS = st.one_of(
    st.sampled_from(sorted(OWN)).map(lambda name: (name, {})),
    st.sampled_from(sorted(MAKES.keys() - HOST)).flatmap(
        lambda name: st.tuples(st.just(name), MAKES[name])
    ),
)
SECOND = ["weight_decay", "eps"]
EDITS = [
    ("lr", 0.2),
    ("lr", 0.0),
    ("weight_decay", 0.5),
    ("eps", 1e-3),
    ("maximize", True),
    ("betas", (0.5, 0.9)),
    ("momentum", 0.3),
    ("amsgrad", True),
]
SETTINGS = [("gamma", 0.5), ("step_size", 2), ("T_max", 6), ("eta_min", 0.01), ("T_cur", 1)]


class Player(Run):
    """A run whose round is a text."""

    def __init__(self, place: Any, kind: Any, make: Any, second: str) -> None:
        super().__init__(place, kind[0], sizes=(5, 3, 1), program=Player.said, **kind[1])
        self.text = "oa"
        self.missing: set[int] = set()
        first = OWN.get(make[0]) or (lambda o: getattr(lrs, make[0])(o, **make[1]))
        known = self.optimizer.param_groups[0]
        name = second if second in known else "weight_decay"
        self.schedulers = [
            first(self.optimizer),
            ParamScheduler(self.optimizer, {name: Linear(0.1, 0.001, 50)}),
        ]

    def said(self) -> None:
        for letter in self.text:
            if letter == "o":
                self.optimizer.step()
            elif letter == "0":
                self.optimizer.zero_grad()
            elif letter == "+":
                for p in self.params:
                    if p.grad is not None:
                        p.grad.add_(p.data, 0.125)
            else:
                self.schedulers["ab".index(letter)].step()

    @property
    def made(self) -> float:
        """How often the schedulers were stepped, both together."""
        return sum(scheduler.last_epoch for scheduler in self.schedulers)

    def add(self, lr: float) -> None:
        param = grilly.nn.Parameter(np.linspace(-1, 1, 6), device=self.place)
        param.grad.copy_from(gradient(6, len(self.params)))
        self.params.append(param)
        self.optimizer.add_param_group({"params": [param], "lr": lr})
        for name in ("base_lrs", "max_lrs", "base_momentums", "max_momentums", "lr_lambdas"):
            numbers = getattr(self.schedulers[0], name, None)
            if isinstance(numbers, list):  # what a user must do, where a class has them
                numbers.append(numbers[0])
        for given in getattr(self.schedulers[0], "schedules", {}).values():
            if isinstance(given, list):
                given.append(None)

    def reload(self, order: str, between: int) -> None:
        """Go back to where it is now, after some steps."""
        states = copy.deepcopy([one.state_dict() for one in (self.optimizer, *self.schedulers)])
        kept = [
            (p, p.data.numpy(), None if p.grad is None else p.grad.numpy()) for p in self.params
        ]
        self.eager(between)
        pairs = [*zip((self.optimizer, *self.schedulers), states, strict=True)]
        for one, state in pairs if order == "optimizer first" else pairs[::-1]:
            one.load_state_dict(state)
        for p, data, grad in kept:
            p.data.copy_from(data)
            if p.grad is not None:
                p.grad.copy_from(grad)


class Replays(RuleBasedStateMachine):
    """The moves. After an error that all raise the run is over."""

    @initialize(
        kind=st.sampled_from(KINDS),
        make=SCHEDULERS,
        second=st.sampled_from(SECOND),
        more=st.fixed_dictionaries(MORE_OPTIONS),
    )
    def start(self, kind: Any, make: Any, second: str, more: dict[str, Any]) -> None:
        warnings.simplefilter("ignore")
        places = ["cpu", "cpu", *(info.index for info in vk.devices())]
        own = kind[0], {**kind[1], **more}
        self.over = False
        try:
            self.oracle, *self.players = [Player(where, own, make, second) for where in places]
        except ValueError:  # as cycled momentum without momentum
            self.over = True

    def all(self, move: Any) -> None:
        """Let everybody make a move; either all raise the same error or none does."""
        errors = [error_of(move, player) for player in (self.oracle, *self.players)]
        assert len(set(map(type, errors))) == 1, errors
        self.over = errors[0] is not None
        if not self.over:
            self.compare()

    def compare(self) -> None:
        want = self.oracle.contents()
        for player in self.players:
            assert_same(player.contents(), want, f"{player.optimizer.device}: ")

    def anew(self) -> None:
        for player in self.players:
            player.tape = None

    @precondition(lambda self: not self.over)
    @rule(rounds=st.sampled_from([0, 1, 2, 3, 7, 30]))
    def replay(self, rounds: int) -> None:
        """One that a scheduler refuses may have made a round, which has shown that."""
        before = self.oracle.made
        each = sum(letter in "ab" for letter in self.oracle.text)
        errors = [error_of(lambda p: p.replay(rounds), player) for player in self.players]
        assert len({(type(e), str(e)) for e in errors}) == 1, errors
        if errors[0] is not None and not isinstance(errors[0], RecordError):
            self.over = True
            assert type(error_of(lambda p: p.eager(rounds), self.oracle)) is type(errors[0])
            return
        done = {(player.made - before) / (each or 1) for player in self.players}
        assert len(done) == 1 and done <= ({rounds} if errors[0] is None else {0, 1}), done
        self.oracle.eager(rounds if errors[0] is None else int(done.pop()))
        self.compare()

    @precondition(lambda self: not self.over)
    @rule(rounds=st.integers(1, 3))
    def step_by_step(self, rounds: int) -> None:
        self.all(lambda player: player.eager(rounds))

    @precondition(lambda self: not self.over)
    @rule(text=st.sampled_from(PROGRAMS))
    def another_tape(self, text: str) -> None:
        for player in (self.oracle, *self.players):
            player.text = text
        self.anew()

    @precondition(lambda self: not self.over)
    @rule(group=st.integers(0, 3), edit=st.sampled_from(EDITS))
    def hand_edit(self, group: int, edit: tuple[str, Any]) -> None:
        def move(player: Player) -> None:
            groups = player.optimizer.param_groups
            own = groups[group % len(groups)]
            if edit[0] in own:
                own[edit[0]] = edit[1]

        self.all(move)

    @precondition(lambda self: not self.over)
    @rule(edit=st.sampled_from(SETTINGS))
    def edit_a_setting(self, edit: tuple[str, Any]) -> None:
        def move(player: Player) -> None:
            first = player.schedulers[0]
            if hasattr(first, edit[0]) and not isinstance(first, lrs.CyclicLR):
                setattr(first, *edit)

        self.all(move)

    @precondition(lambda self: not self.over)
    @rule(order=st.sampled_from(["optimizer first", "scheduler first"]), between=st.integers(0, 2))
    def load(self, order: str, between: int) -> None:
        self.all(lambda player: player.reload(order, between))

    @precondition(lambda self: not self.over and len(self.oracle.params) < 5)
    @rule(lr=st.sampled_from([0.1, 0.013]))
    def add_a_group(self, lr: float) -> None:
        self.all(lambda player: player.add(lr))
        if set(self.oracle.text) & {"+", "0"}:  # what is recorded knows the old gradients only
            self.anew()

    @precondition(lambda self: not self.over)
    @rule(number=st.integers(0, 4), missing=st.booleans())
    def gradient_comes_or_goes(self, number: int, missing: bool) -> None:
        for player in (self.oracle, *self.players):
            p = player.params[number % len(player.params)]
            elsewhere = grilly.device_array(np.full(p.shape, 0.5), player.place)
            p.grad = None if missing else elsewhere
        self.anew()

    @precondition(lambda self: self.over)
    @rule()
    def nothing_more(self) -> None:
        """After an error that everybody raised the run is over."""


class TestReplays(Replays.TestCase):  # type: ignore[name-defined, misc]
    settings = machine_settings(15, 15, fixed=True)


@pytest.mark.heavy
class TestMoreReplays(Replays.TestCase):  # type: ignore[name-defined, misc]
    settings = machine_settings(500, 15, fixed=False)
