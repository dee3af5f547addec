"""Schedulers that follow a loss on the device do to the bit what they do with numbers."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from metric_runs import MAKES, Run, check, falling

import grilly
from grilly.optim import SGD
from grilly.optim.lr_scheduler import GreedyLR, ReduceLROnPlateau
from grilly.rules import Plateau

pytestmark = pytest.mark.turns

SOME = ["plateau", "greedy", "product", "per group"]
ONE_CLASS = [name for name in MAKES if name.startswith(("plateau", "greedy"))]


def eager(run: Run) -> list[str]:
    shown = []
    for rounds in (1, 18, 7):
        for _ in range(rounds):
            run.step()
        shown.append(run.shown())
    return shown


def tapes(run: Run) -> list[str]:
    one = run.taped()
    one(2)
    one(18)
    shown = [run.shown()]
    run.step()
    run.taped(updates=2)(7)
    one(3)
    return [*shown, run.shown()]


def numbers_between(run: Run) -> list[str]:
    """The host reads the loss for some rounds, and then again does not."""
    one = run.taped()
    shown = []
    for _ in range(3):
        run.step()
        run.step()
        for _ in range(3):
            run.step_on_host()
        one(4)
        shown.append(run.shown())
    return shown


def reading(run: Run) -> list[str]:
    """Somebody looks at a number after each step."""
    shown = []
    for i in range(24):
        run.step()
        rates = run.scheduler.get_last_lr() if i % 2 else run.optimizer.param_groups[0]["lr"]
        shown.append(repr((rates, run.scheduler.last_epoch)))
    return [*shown, run.shown()]


def edits(run: Run) -> list[str]:
    """A rate is edited, through the optimizer and through a group taken before; a group comes."""
    old, one = run.optimizer.param_groups[1], run.taped()
    shown = []
    for i in range(4):
        run.step()
        one(3)
        run.optimizer.param_groups[0]["lr"] = 0.3 + 0.01 * i
        run.step()
        run.optimizer.param_groups[0]["lr"] *= 0.75
        one(2)
        old["lr"] = 0.2 + 0.001 * i  # another than the host knows: else it is no edit
        one(1)
        shown.append(run.shown())
    return shown


def added(run: Run) -> list[str]:
    """A group comes while the device knows more than the host, and when it does not."""
    one, shown = run.taped(), []
    run.step()
    one(6)
    run.add_group()
    run.step()
    run.step()
    one = run.taped()
    one(6)
    shown.append(run.shown())
    run.step()
    run.optimizer.param_groups[2]["lr"] = 0.6
    one(12)
    return [*shown, run.shown()]


def added_before_a_tape(run: Run) -> list[str]:
    """Its first update is with its own rate, not with the schedule's."""
    run.step()
    run.add_group()
    run.taped()(25)
    return [run.shown()]


def settings(run: Run) -> list[str]:
    """Settings of the scheduler are edited in mid-run."""
    one, shown = run.taped(), []
    for i in range(5):
        run.step()
        one(2)
        run.scheduler.factor = 0.9 - 0.1 * i
        run.step()
        run.scheduler.patience = i % 2
        one(1)
        run.scheduler.min_lrs = [0.05, 0.01 * i]
        run.step()
        one(1)
        shown.append(run.shown())
    return shown


def saved(run: Run) -> Any:
    """Return states that JSON has carried."""
    states = [run.optimizer.state_dict(), [s.state_dict() for s in run.schedulers]]
    return states[0], json.loads(json.dumps(states[1]))


def load(run: Run, states: Any) -> None:
    run.optimizer.load_state_dict(states[0])
    for scheduler, state in zip(run.schedulers, states[1], strict=True):
        scheduler.load_state_dict(state)


def rewound(run: Run) -> list[str]:
    """A state is loaded over what the device has counted since, into the same objects."""
    one, shown = run.taped(), []
    one(5)
    states, weights = saved(run), [p.data.numpy() for p in run.params]
    for rounds in (9, 4, 7):
        one(rounds)
        run.step()
        load(run, states)
        for p, w in zip(run.params, weights, strict=True):
            p.data.copy_from(w)
        run.step()
        one(2)
        shown.append(run.shown())
    return shown


def schedules_edited(run: Run) -> list[str]:
    """A schedule is replaced while the device knows more than the host."""
    one, shown = run.taped(), []
    one(7)
    run.scheduler.schedules["lr"] = 0.7 * Plateau(patience=0, factor=0.75)
    run.step()
    one(7)
    shown.append(run.shown())
    one(3)
    run.scheduler.schedules["eps"] = Plateau(1e-3, patience=1, eps=0.0)
    one(9)
    return [*shown, run.shown()]


MORE = [numbers_between, reading, edits, added, rewound]
REST = [name for name in MAKES if name not in SOME[:3]]


@pytest.mark.parametrize("name", MAKES)
@pytest.mark.parametrize("program", [eager, tapes])
def test_programs(place: Any, program: Any, name: str) -> None:
    check(place, name, program)


@pytest.mark.parametrize("name", SOME[:3])
@pytest.mark.parametrize("program", MORE)
def test_what_users_do(place: Any, program: Any, name: str) -> None:
    check(place, name, program)


@pytest.mark.heavy
@pytest.mark.parametrize("name", REST)
@pytest.mark.parametrize("program", MORE)
def test_what_users_do_with_more(place: Any, program: Any, name: str) -> None:
    check(place, name, program)


def carried(run: Run, other: Run) -> None:
    """Let ``other`` go on from where ``run`` is."""
    load(other, saved(run))
    for p, q in zip(run.params, other.params, strict=True):
        q.data.copy_from(p.data.numpy())
    other.at = run.at
    other._cursor.copy_from([float(run.at)])


@pytest.mark.parametrize("name", SOME)
@pytest.mark.parametrize("taped", [False, True])
def test_states_go_from_the_device_to_the_host_and_back(place: Any, name: str, taped: bool) -> None:
    whole, *parts = (
        Run(p, MAKES[name], falling(40)) for p in (None, place, None, place, "cpu", place)
    )
    for _ in range(30):
        whole.step()
    for i, run in enumerate(parts):
        if i:
            carried(parts[i - 1], run)
        go = run.taped() if taped else lambda n, run=run: [run.step() for _ in range(n)]
        go(6)
    assert parts[-1].shown().splitlines() == whole.shown().splitlines()


@pytest.mark.parametrize("name", ["plateau", "product"])
def test_a_tape_after_a_group_has_come(place: Any, name: str) -> None:
    check(place, name, added_before_a_tape)


@pytest.mark.parametrize("name", ONE_CLASS)
def test_settings_are_edited(place: Any, name: str) -> None:
    check(place, name, settings)


@pytest.mark.parametrize("name", ["rule", "product", "join"])
def test_schedules_are_edited(place: Any, name: str) -> None:
    check(place, name, schedules_edited)


@pytest.mark.parametrize("name", [*SOME, "two schedulers"])
@pytest.mark.parametrize("taped", [False, True])
def test_nothing_moves_and_nobody_waits(place: Any, name: str, taped: bool) -> None:
    run = Run(place, MAKES[name], falling(40))
    go = run.taped() if taped else lambda n: [run.step() for _ in range(n)]
    go(4)
    rates = repr(run.scheduler.state_dict())
    go(4)
    before = run.counters()
    for _ in range(5):
        go(4)
    assert run.counters() == before
    assert repr(run.scheduler.state_dict()) != rates


def edited(place: Any, kind: Any, how: str) -> list[Any]:
    """Return what a scheduler shows after edits of its counts: by numbers, steps or replays."""
    p = grilly.nn.Parameter(np.ones(3, np.float32), device=place)
    optimizer = SGD([p], lr=0.5)
    scheduler, loss = kind(optimizer, patience=10), grilly.device_array([0.5], place)
    metric: Any = 0.5 if how == "numbers" else loss
    scheduler.step(metric)
    with grilly.record() as tape:
        optimizer.step()
        scheduler.step(loss)

    def rounds(times: int) -> None:
        if how == "replays":
            tape.replay(times)
        for _ in range(0 if how == "replays" else times):
            optimizer.step()
            scheduler.step(metric)

    rounds(2)
    scheduler.best, scheduler.num_bad_epochs = 0.1, 7
    shown = [scheduler.best, scheduler.num_bad_epochs]
    rounds(2)
    shown += [scheduler.best, scheduler.num_bad_epochs, scheduler.last_epoch]
    scheduler.num_bad_epochs, scheduler.last_epoch = 0, 40
    rounds(1)
    return [*shown, scheduler.num_bad_epochs, scheduler.last_epoch, scheduler.get_last_lr()]


@pytest.mark.parametrize("kind", [ReduceLROnPlateau, GreedyLR])
def test_edits_of_what_the_device_counts(place: Any, kind: Any) -> None:
    """They are taken at the next step, as with a number on the host."""
    want = edited(place, kind, "numbers")
    assert want[:5] == [0.1, 7, 0.1, 9, 5] and want[6] == 41
    assert edited(place, kind, "steps") == edited(place, kind, "replays") == want


@pytest.mark.parametrize(
    ("name", "value"),
    [("best", "a"), ("num_bad_epochs", None), ("patience", "x"), ("threshold", float("nan"))],
)
def test_settings_that_cannot_be_are_named(place: Any, name: str, value: Any) -> None:
    p = grilly.nn.Parameter(np.ones(3, np.float32), device=place)
    scheduler, loss = ReduceLROnPlateau(SGD([p], lr=0.5)), grilly.device_array([0.5], place)
    scheduler.step(loss)
    setattr(scheduler, name, value)
    with pytest.raises((TypeError, ValueError), match=f"^{name}"):
        scheduler.step(loss)
