"""Steps that are made as the last one was: the same bits as without, and every edit is noticed."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import grilly
from grilly.nn import Parameter
from grilly.optim import SGD, AdamW, Optimizer
from grilly.optim import optimizer as module
from grilly.optim.lr_scheduler import CosineAnnealingLR, ExponentialLR, OneCycleLR
from grilly.optim.param_scheduler import ParamScheduler
from grilly.optim.ready import Ready
from grilly.optim.stepping import Stepping
from grilly.schedules import PiecewiseConstant

pytestmark = pytest.mark.turns

F = np.float32
SIZES = 5, 700, 64


class Run:
    """A training that is the same each time, but for what ``edit`` does to it."""

    def __init__(self, place: str, kind: type[Any] = AdamW, home: bool = False, **options: Any):
        arrays = [np.linspace(-1, 1, size, dtype=F) for size in SIZES]
        self.params = [Parameter(x, device=place if home else None) for x in arrays]
        self.home = home
        groups = [{"params": self.params[:1]}, {"params": self.params[1:], "lr": 0.05}]
        self.optimizer: Any = kind(groups, lr=0.1, device=place, **options)
        self.scheduler: Any = self.schedule(self.optimizer)
        self.k = 0

    def schedule(self, optimizer: Any) -> Any:
        cycled = "betas" in optimizer.defaults
        return OneCycleLR(optimizer, [0.1, 0.2], total_steps=100, cycle_momentum=cycled)

    def step(self) -> None:
        for i, p in enumerate(self.params):
            grad = np.cos(np.arange(SIZES[i]) + self.k + i).astype(F)
            if not self.home:
                p.grad = grad
            elif p.grad is not None:
                p.grad.copy_from(grad)
        self.k += 1
        self.optimizer.step()
        self.scheduler.step()

    def seen(self) -> list[Any]:
        rows = self.optimizer.read_hyperparameters()
        states = self.optimizer.state_dict()["state"]
        arrays = [entry[name] for entry in states.values() for name in sorted(entry)]
        weights = [np.array(p) for p in self.params]
        return [*weights, *arrays, *(rows[name] for name in rows.dtype.names)]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Return, of each step that was asked, whether it was made as the last one was."""
    found = []
    asked = Ready.gradients

    def noting(self: Ready, optimizer: Any, given: Any) -> Any:
        grads = asked(self, optimizer, given)
        found.append(grads is not None)
        return grads

    monkeypatch.setattr(Ready, "gradients", noting)
    return found


def long_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ready", lambda *given: None)


def assert_same(got: Run, want: Run) -> None:
    for a, b in zip(got.seen(), want.seen(), strict=True):
        np.testing.assert_array_equal(a, b)


def first(run: Run) -> dict[str, Any]:
    group: dict[str, Any] = run.optimizer.param_groups[0]
    return group


def last(run: Run) -> dict[str, Any]:
    group: dict[str, Any] = run.optimizer.param_groups[1]
    return group


def replace_data(run: Run) -> None:
    run.params[1].data = np.full(SIZES[1], 0.25, F)


def array_rate(run: Run) -> None:
    last(run)["weight_decay"] = np.array(0.01)  # equal to what stands there


def in_place(run: Run) -> None:
    held = last(run)["weight_decay"]
    if isinstance(held, np.ndarray):
        held[...] = 0.5
    else:
        last(run)["weight_decay"] = 0.5


def second_scheduler(run: Run) -> None:
    run.scheduler = ExponentialLR(run.optimizer, 0.5)


def add_group(run: Run) -> None:
    run.optimizer.add_param_group({"params": [np.ones(3, F)], "lr": 0.3})
    run.scheduler = CosineAnnealingLR(run.optimizer, 7)


def no_gradient(run: Run) -> None:
    step = run.step

    def idle() -> None:
        for i, p in enumerate(run.params):
            p.grad = None if i == 1 else np.full(SIZES[i], 0.5, F)
        run.optimizer.step()
        run.scheduler.step()
        run.step = step  # type: ignore[method-assign]

    run.step = idle  # type: ignore[method-assign]


EDITS: dict[str, Callable[[Run], Any]] = {
    "lr": lambda run: first(run).update(lr=0.7),
    "lr to what it is": lambda run: first(run).update(lr=float(first(run)["lr"])),
    "beta 0": lambda run: first(run).update(betas=(0.5, first(run)["betas"][1])),
    "beta 1": lambda run: last(run).update(betas=(last(run)["betas"][0], 0.9)),
    "a list of betas": lambda run: last(run).update(betas=[*last(run)["betas"]]),
    "eps": lambda run: last(run).update(eps=1e-3),
    "weight decay": lambda run: first(run).update(weight_decay=0.3),
    "maximize": lambda run: first(run).update(maximize=True),
    "amsgrad": lambda run: last(run).update(amsgrad=True),
    "an array that is equal": array_rate,
    "max_norm": lambda run: setattr(run.optimizer, "max_norm", 0.01),
    "data": replace_data,
    "a scheduler more": second_scheduler,
    "a group more": add_group,
    "a scheduler's step left out": lambda run: run.optimizer.step(),
    "a scheduler's step more": lambda run: run.scheduler.step(),
    "no gradient once": no_gradient,
    "a state": lambda run: run.optimizer.load_state_dict(run.optimizer.state_dict()),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_an_edit_is_noticed(
    edit: Callable[[Run], Any], place: str, quick: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    got = Run(place)
    runs = [got]
    for _ in range(2):
        run = runs[-1]
        for _ in range(5):
            run.step()
        edit(run)
        run.step()
        in_place(run)
        for _ in range(12):
            run.step()
        if run is got:
            assert quick[:3] == [True] * 3
            long_way(monkeypatch)
            del quick[:]
            runs.append(Run(place))
    assert not quick
    assert_same(*runs)


@pytest.mark.parametrize("kind", [AdamW, SGD])
@pytest.mark.parametrize("home", [False, True])
def test_the_same_bits(
    kind: type[Optimizer],
    home: bool,
    place: str,
    quick: list[bool],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    got = Run(place, kind, home)
    for _ in range(40):
        got.step()
    assert quick.count(True) >= 36  # but the first two and those that fill the window
    long_way(monkeypatch)
    want = Run(place, kind, home)
    for _ in range(40):
        want.step()
    assert_same(got, want)


def test_a_scheduler_per_epoch(
    place: str, quick: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    def trained() -> Run:
        run = Run(place)
        scheduler, run.scheduler = run.scheduler, SimpleNamespace(step=lambda: None)
        for step in range(24):
            run.step()
            if step % 6 == 5:
                scheduler.step()
        return run

    got = trained()
    assert quick.count(True) >= 10
    long_way(monkeypatch)
    assert_same(got, trained())


ERRORS: dict[str, tuple[Callable[[Run], Any], str]] = {
    "nan": (lambda run: first(run).update(lr=float("nan")), "finite"),
    "no option": (lambda run: first(run).pop("eps"), "eps"),
    "differentiable": (lambda run: first(run).update(differentiable=True), "differentiable"),
    "a parameter": (lambda run: last(run)["params"].pop(), "by hand"),
    "another parameter": (
        lambda run: last(run)["params"].__setitem__(0, Parameter(np.ones(SIZES[1], F))),
        "by hand",
    ),
    "a group": (lambda run: run.optimizer.param_groups.pop(), "by hand"),
    "read-only": (lambda run: run.params[1].data.setflags(write=False), "read-only"),
    "max_norm": (lambda run: setattr(run.optimizer, "max_norm", -1.0), "max_norm"),
    "shape": (lambda run: setattr(run.params[0], "data", np.ones(3, F)), "shape"),
}


@pytest.mark.parametrize(("edit", "message"), ERRORS.values(), ids=ERRORS)
def test_what_cannot_be_done_is_refused(
    edit: Callable[[Run], Any], message: str, place: str, quick: list[bool]
) -> None:
    run = Run(place)
    for _ in range(6):
        run.step()
    assert quick[-1]
    edit(run)
    before = [np.array(p) for p in run.params]
    with pytest.raises((ValueError, TypeError), match=message):
        run.optimizer.step()
    for p, held in zip(run.params, before, strict=True):
        np.testing.assert_array_equal(np.array(p), held)


def test_a_rate_past_float32_is_refused(quick: list[bool]) -> None:
    p = np.ones(2, F)
    optimizer = SGD([p], lr=1.0, device="cpu")
    scheduler = ExponentialLR(optimizer, 2.0)
    with pytest.raises(ValueError, match=r"param_groups\[0\] lr must be finite in float32"):
        for _ in range(200):
            optimizer.step(gradients=[np.zeros(2, F)])
            scheduler.step()
    assert scheduler.last_epoch == 128 and any(quick)


def test_a_momentum_that_is_scheduled_away(
    place: str, quick: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    def trained() -> Run:
        run = Run(place, SGD, momentum=0.5)
        momentum = PiecewiseConstant((6, 9), (0.5, 0.0, 0.25))
        run.scheduler = ParamScheduler(run.optimizer, {"momentum": momentum})
        for _ in range(24):
            run.step()
        return run

    got = trained()
    assert quick.count(True) >= 10
    long_way(monkeypatch)
    assert_same(got, trained())


def test_a_gradient_that_is_the_parameter_is_read_first(quick: list[bool]) -> None:
    p = np.ones(2, F)
    optimizer = SGD([p], lr=0.5, weight_decay=0.5, device="cpu")
    for _ in range(6):
        optimizer.step(gradients=[p])
    assert quick[-1]
    np.testing.assert_array_equal(p, np.full(2, 0.25**6, F))


def wait_and_step(run: Run, tape: Any, times: int) -> None:
    for _ in range(times):
        run.optimizer.step()
        run.scheduler.step()


def replay(run: Run, tape: Any, times: int) -> None:
    tape.replay(times)


BETWEEN: dict[str, Callable[[Run], Any]] = {
    "nothing": lambda run: None,
    "a step": lambda run: wait_and_step(run, None, 1),
    "lr": lambda run: first(run).update(lr=0.7),
    "weight decay": lambda run: last(run).update(weight_decay=0.5),
    "an array": array_rate,
    "in place": in_place,
    "a state": lambda run: run.optimizer.load_state_dict(run.optimizer.state_dict()),
    "the numbers are read": lambda run: run.optimizer.read_hyperparameters(),
    "a scheduler's step more": lambda run: run.scheduler.step(),
}


@pytest.mark.parametrize("between", BETWEEN.values(), ids=BETWEEN)
def test_replays_are_steps(between: Callable[[Run], Any], place: str) -> None:
    runs = []
    for act in (replay, wait_and_step):
        run = Run(place, home=True)
        for i, p in enumerate(run.params):
            p.grad.copy_from(np.cos(np.arange(SIZES[i])))
        with grilly.record() as tape:
            run.optimizer.step()
            run.scheduler.step()
        for times in (3, 3, 3, 3, 1, 1, 7, 2, 3, 3):
            act(run, tape, times)
            if times == 7:
                between(run)
        runs.append(run)
    assert_same(*runs)
    got, want = runs
    assert got.scheduler.last_epoch == want.scheduler.last_epoch
    assert got.scheduler.get_last_lr() == want.scheduler.get_last_lr()
    assert [g["betas"] for g in got.optimizer.param_groups] == [
        g["betas"] for g in want.optimizer.param_groups
    ]


def test_replays_that_go_on_need_no_preparation(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(place, home=True)
    with grilly.record() as tape:
        run.optimizer.step()
        run.scheduler.step()
    tape.replay(4)
    tape.replay(4)
    monkeypatch.setattr(Stepping, "_prepare", lambda *given: pytest.fail("prepared again"))
    for _ in range(6):
        tape.replay(4)
    assert run.scheduler.last_epoch == 32
