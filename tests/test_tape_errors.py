"""Tapes: what cannot be recorded or replayed is refused, with words, before anything is changed."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tape_runs import Run, assert_same

import grilly
from grilly import RecordError, vk
from grilly.optim import SGD
from grilly.optim import lr_scheduler as lrs
from grilly.optim.lr_scheduler import ahead
from grilly.optim.param_scheduler import ParamScheduler
from grilly.rules import Plateau
from grilly.schedules import Linear

pytestmark = pytest.mark.turns

Place = str | int


def opaque(t: int) -> float:
    return math.cos(0.01 * t) if t % 3 else 0.5


class Own(lrs.LRScheduler):
    """A user's scheduler, whose get_lr() must be asked at every step."""

    def get_lr(self) -> list[float]:
        return [group["lr"] * 0.9 for group in self.optimizer.param_groups]


class OwnStep(lrs.StepLR):
    def get_lr(self) -> list[float]:
        return [0.1 for _ in self.optimizer.param_groups]


# Schedulers, how often they may be replayed (0: not at all), and the words after that.
SHORT: dict[str, tuple[Any, int, str]] = {
    "function": (lambda o: lrs.LambdaLR(o, opaque), 255, "LambdaLR has 255 steps left.*256"),
    "one of two functions": (
        lambda o: lrs.LambdaLR(o, ["1 / (t + 1)", opaque]),
        255,
        "255 steps left",
    ),
    "product of functions": (
        lambda o: lrs.MultiplicativeLR(o, lambda t: 1 - math.exp(-t - 1)),
        255,
        "MultiplicativeLR has 255.*give LambdaLR a formula",
    ),
    "function of a ParamScheduler": (lambda o: ParamScheduler(o, {"lr": opaque}), 255, "255"),
    "end of one cycle in a chain": (
        lambda o: lrs.ChainedScheduler([lrs.OneCycleLR(o, 0.1, total_steps=20)]),
        20,
        "20 steps left",
    ),
    "end of one cycle": (lambda o: lrs.OneCycleLR(o, 0.1, total_steps=20), 20, "20 steps left"),
    "subclass": (Own, 0, "Own has 0 steps.*get_lr"),
    "subclass of ours": (lambda o: OwnStep(o, 3), 0, "OwnStep has 0 steps.*get_lr"),
    "averaged": (lambda o: lrs.SWALR(o, 0.01), 0, "SWALR has 0 steps.*get_lr"),
    "chained": (
        lambda o: lrs.ChainedScheduler([lrs.StepLR(o, 3), lrs.ExponentialLR(o, 0.9)]),
        0,
        "ChainedScheduler has 0 steps.*ParamScheduler",
    ),
}


@pytest.mark.parametrize("name", SHORT)
def test_a_scheduler_that_needs_the_host(place: Place, name: str) -> None:
    schedule, most, words = SHORT[name]
    run, eager = (Run(where, "SGD", schedule, sizes=(5, 3)) for where in (place, "cpu"))
    run.record()
    for times in (most + 1, 10**6):
        before = run.contents()
        with pytest.raises(RecordError, match=words):
            run.replay(times)
        assert_same(run.contents(), before)
    assert_same(run.replay(most).contents(), eager.eager(most).contents())


@pytest.mark.parametrize(
    "name",
    ["function", "one of two functions", "product of functions", "function of a ParamScheduler"],
)
def test_a_function_is_asked_on_as_a_replay_begins(place: Place, name: str) -> None:
    run, eager = (Run(where, "SGD", SHORT[name][0], sizes=(5, 3)) for where in (place, "cpu"))
    with pytest.raises(RecordError, match=r"has 255 steps left, and replay\(257\) takes 257"):
        run.replay(257)
    assert run.schedulers[0].last_epoch == 0
    for rounds in (200, 200, 255, 1, 255):
        assert_same(run.replay(rounds).contents(), eager.eager(rounds).contents())
    run.optimizer.param_groups[0]["lr"] = 0.3
    eager.optimizer.param_groups[0]["lr"] = 0.3
    for rounds in (3, 255):
        assert_same(run.replay(rounds).contents(), eager.eager(rounds).contents())


def test_a_formula_is_asked_no_further_than_the_function_beside_it(place, monkeypatch) -> None:
    """That a replay of a million steps is refused takes no million calls."""
    windows: list[float] = []
    agrees = ahead.Ahead._agrees
    monkeypatch.setattr(
        ahead.Ahead,
        "_agrees",
        lambda self, own, first: windows.append(first) or agrees(self, own, first),
    )
    run = Run(place, "SGD", SHORT["one of two functions"][0], sizes=(5, 3)).record()
    with pytest.raises(RecordError, match="255 steps left"):
        run.replay(10**6)
    assert len(windows) == 1


def test_a_function_is_asked_when_a_tape_is_recorded(place: Place) -> None:
    """So that a replay uploads nothing."""
    run = Run(place, "SGD", SHORT["function"][0], sizes=(5, 3)).record()
    before = grilly.counters(place)
    run.replay(255)
    after = grilly.counters(place)
    assert (after.bytes_up, after.allocations) == (before.bytes_up, before.allocations)
    assert after.submissions - before.submissions == (place != "cpu")


def test_a_function_that_cannot_be_asked_ahead(place: Place) -> None:
    class Thing:
        __slots__ = ("__weakref__",)

    thing = Thing()
    run = Run(place, "SGD", lambda o: lrs.LambdaLR(o, lambda t: 0.5 if thing else t), sizes=(5,))
    for times in (1, 2):
        with pytest.raises(RecordError, match=r"has 0 steps left.*called at each step"):
            run.replay(times)
    assert run.eager(1).schedulers[0].last_epoch == 1


@pytest.mark.parametrize(
    "schedule",
    [
        lambda o: [lrs.ExponentialLR(o, 0.9), lrs.StepLR(o, 3)],
        lambda o: [lrs.OneCycleLR(o, 0.1, 99), ParamScheduler(o, {"beta1": Linear(0.9, 0.8, 9)})],
        lambda o: [ParamScheduler(o, {"lr": [None, 0.1]}), lrs.LambdaLR(o, "1 / (t + 1)")],
    ],
)
def test_two_schedulers_of_the_same_number(place: Place, schedule: Any) -> None:
    run = Run(place, "AdamW", schedule, sizes=(5, 3))
    with pytest.raises(RecordError, match=r"both write '.*' of param_groups.*step without a tape"):
        run.record()
    with pytest.raises(RecordError, match=r"broken.*record anew"):
        run.replay(1)


def test_the_end_of_a_later_phase(place: Place) -> None:
    def phases(o: Any) -> Any:
        return lrs.SequentialLR(o, [lrs.StepLR(o, 2), lrs.OneCycleLR(o, 0.1, total_steps=10)], [3])

    run, eager = (Run(where, "SGD", phases, sizes=(5,)) for where in (place, "cpu"))
    run.record()
    for rounds, left in ((1, 12), (4, 8), (8, 0)):
        with pytest.raises(RecordError, match=f"{left + rounds} steps left"):
            run.replay(50)
        assert_same(run.replay(rounds).contents(), eager.eager(rounds).contents())
    with pytest.raises(RecordError, match="0 steps left"):
        run.replay(1)
    with pytest.raises(ValueError, match="Tried to step 11 times"):
        eager.eager(1)


class Case:
    """What a user has at hand while recording."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.run = Run(place, "SGD", lambda o: lrs.StepLR(o, 3), sizes=(5, 3))
        self.host = SGD([np.ones(3, "f4")], lr=0.1, device=place)
        self.mixed = SGD([grilly.nn.Parameter(np.ones(3), device=place)], lr=0.1)
        self.plateau = lrs.ReduceLROnPlateau(self.run.optimizer)
        self.bare = lrs.StepLR(SimpleNamespace(param_groups=[{"lr": 0.1}]), 3)
        self.ruled = ParamScheduler(self.host, {"lr": Plateau(0.1)})


def _alike(case: Case) -> None:
    one, two = case.run.params
    case.run.optimizer.step()
    case.run.optimizer.step(gradients={id(one): one.grad})
    assert two.grad is not None


REFUSED: dict[str, tuple[Any, type[Exception], str]] = {
    "nothing": (lambda c: None, RecordError, "the tape is empty"),
    "a scheduler alone": (lambda c: c.run.schedulers[0].step(), RecordError, "the tape is empty"),
    "closure": (lambda c: c.run.optimizer.step(lambda: 0.5), RecordError, r"step\(closure\)"),
    "no closure": (lambda c: c.run.optimizer.step(3), TypeError, "closure must be callable"),
    "nested": (lambda c: grilly.record().__enter__(), RecordError, "recording already"),
    "replay inside": (lambda c: c.ready.replay(1), RecordError, "a tape holds no other tape"),
    "reading": (lambda c: c.run.params[0].data.numpy(), RecordError, "reading a device array"),
    "epoch": (
        lambda c: c.run.schedulers[0].step(3),
        RecordError,
        r"step\(3\) cannot be recorded",
    ),
    "no optimizer of ours": (lambda c: c.bare.step(), RecordError, "SimpleNamespace"),
    "metric": (lambda c: c.plateau.step(1.0), RecordError, "ReduceLROnPlateau.*from the host"),
    "metric of a rule": (lambda c: c.ruled.step(1.0), RecordError, "from the host"),
    "preview": (lambda c: c.run.schedulers[0].preview(3), RecordError, "preview"),
    "host parameter": (
        lambda c: c.host.step(gradients=[grilly.zeros(3, c.place)]),
        RecordError,
        "parameter 0 is in host memory.*device=",
    ),
    "host gradient": (
        lambda c: c.mixed.step(gradients=[np.ones(3, "f4")]),
        RecordError,
        "the gradient of parameter 0 is in host memory",
    ),
    "shape": (
        lambda c: c.mixed.step(gradients=[grilly.zeros(4, c.place)]),
        ValueError,
        r"gradient of parameter 0.*\(3,\), got \(4,\)",
    ),
    "number of gradients": (lambda c: c.mixed.step(gradients=[]), ValueError, "one entry per"),
    "other parameters": (_alike, RecordError, "of the same parameters"),
    "an error of the user's": (lambda c: 1 / 0, ZeroDivisionError, "zero"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_recorded(place: Place, name: str) -> None:
    act, error, words = REFUSED[name]
    case = Case(place)
    case.ready = Run(place).record().tape  # type: ignore[attr-defined]
    before = case.run.contents()
    with pytest.raises(error, match=words), grilly.record() as tape:
        act(case)
    with pytest.raises(RecordError, match=r"broken.*record anew"):
        tape.replay()
    with pytest.raises(RecordError, match="records once"), tape:
        pass
    assert_same(case.run.contents(), before)
    case.run.replay(2)  # nothing goes on recording
    assert case.run.schedulers[0].last_epoch == 2


# Calls that are neither noted nor harmless: nothing has run, and a replay does not repeat them.
OUTSIDE: dict[str, Any] = {
    "state_dict": lambda o, s: o.state_dict(),
    "grad_norm": lambda o, s: o.grad_norm(),
    "skipped": lambda o, s: o.skipped(),
    "history": lambda o, s: o.history(3),
    "read_hyperparameters": lambda o, s: o.read_hyperparameters(),
    "add_param_group": lambda o, s: o.add_param_group({"params": [np.ones(3, "f4")]}),
    "load_state_dict": lambda o, s: o.load_state_dict(s),
}


@pytest.mark.parametrize("options", [{}, {"skip_nonfinite": True, "max_norm": 1.0}], ids=str)
@pytest.mark.parametrize("name", OUTSIDE)
def test_what_an_optimizer_does_outside_only(
    place: Place, name: str, options: dict[str, Any]
) -> None:
    run = Run(place, "SGD", lambda o: lrs.StepLR(o, 3), sizes=(5, 3), **options).eager(2)
    state, before = run.optimizer.state_dict(), run.contents()
    with pytest.raises(
        RecordError, match=rf"SGD\.{name}\(\) cannot be recorded: .*outside the with"
    ):
        with grilly.record():
            run.optimizer.step()
            OUTSIDE[name](run.optimizer, state)
    assert_same(run.contents(), before)
    if options:
        OUTSIDE[name](run.optimizer, state)  # and there it can


LOADED: dict[str, Any] = {
    "steps": lambda o: lrs.StepLR(o, 3),
    "one cycle": lambda o: lrs.OneCycleLR(o, 0.1, total_steps=20),
    "cyclic": lambda o: lrs.CyclicLR(o, 0.1, 0.2, cycle_momentum=False),
    "function": lambda o: lrs.LambdaLR(o, "1 / (t + 1)"),
    "phases": lambda o: lrs.SequentialLR(o, [lrs.StepLR(o, 2), lrs.ExponentialLR(o, 0.9)], [3]),
    "plateau": lambda o: lrs.ReduceLROnPlateau(o),
    "any number": lambda o: ParamScheduler(o, {"lr": Linear(0.1, 0.0, 9)}),
}


@pytest.mark.parametrize("skipping", [False, True])
@pytest.mark.parametrize("name", LOADED)
def test_a_scheduler_loads_outside_only(name: str, skipping: bool) -> None:
    run = Run("cpu", "SGD", LOADED[name], sizes=(5, 3), skip_nonfinite=skipping)
    if name == "plateau":
        run.program = lambda run: run.schedulers[0].step(1.0)
    scheduler = run.eager(4).schedulers[0]
    kind, state = type(scheduler).__name__, scheduler.state_dict()
    before = run.eager(2).contents()
    with pytest.raises(
        RecordError, match=rf"{kind}\.load_state_dict\(\) cannot be recorded.*outside"
    ):
        with grilly.record():
            run.optimizer.step()
            scheduler.load_state_dict(state)
    assert_same(run.contents(), before)
    scheduler.load_state_dict(state)
    assert scheduler.state_dict() == state


def test_what_the_host_knows_may_be_looked_at_while_recording(place: Place) -> None:
    run = Run(place, "SGD", lambda o: lrs.StepLR(o, 3), sizes=(5, 3)).eager(4)
    with grilly.record() as run.tape:
        run.round()
        seen = run.schedulers[0].get_last_lr(), run.schedulers[0].state_dict()["last_epoch"]
        rates = [group["lr"] for group in run.optimizer.param_groups]
    eager = Run("cpu", "SGD", lambda o: lrs.StepLR(o, 3), sizes=(5, 3)).eager(4)
    assert seen == (eager.schedulers[0].get_last_lr(), 4) and rates == seen[0]
    assert_same(run.replay(2).contents(), eager.eager(2).contents())


@pytest.mark.parametrize(
    ("times", "error", "words"),
    [
        (-1, ValueError, "times must be at least 0, got -1"),
        (2.0, TypeError, "times must be an int, got 2.0"),
        (True, TypeError, "times must be an int, got True"),
        ("3", TypeError, "times must be an int, got '3'"),
    ],
)
def test_what_is_no_number_of_times(times: Any, error: type[Exception], words: str) -> None:
    run = Run("cpu", sizes=(5,)).record()
    with pytest.raises(error, match=words):
        run.tape.replay(times)


def test_a_tape_that_is_not_recorded_to_its_end() -> None:
    tape = grilly.record()
    assert "new" in repr(tape) and tape.wait()
    with pytest.raises(RecordError, match=r"new.*with block first"):
        tape.replay()
    with pytest.raises(RecordError, match=r"dispatch\(\) is for inside.*new"):
        tape.dispatch(None, [], 1)  # type: ignore[arg-type]


def test_a_tape_is_for_one_device(device: vk.Device) -> None:
    here, there = (grilly.zeros(3, where) for where in (device.info.index, "cpu"))
    with pytest.raises(RecordError, match=r"one device.*numpy"), grilly.record():
        here.fill_zero()
        there.fill_zero()


def test_a_scheduler_made_while_recording_makes_its_first_step(place: Place) -> None:
    run = Run(place, "SGD", sizes=(5,))
    with grilly.record() as tape:
        run.optimizer.step()
        scheduler = lrs.LinearLR(run.optimizer, 0.5, total_iters=4)
        assert scheduler.last_epoch == 0 and scheduler.get_last_lr()[0] == 0.025
        scheduler.step()
    tape.replay(3)
    assert scheduler.last_epoch == 3


def test_nobody_is_a_step_ahead_when_a_number_cannot_be(place: Place) -> None:
    """The first round after an edit is made step by step."""
    runs = [Run(place, "SGD", lambda o: lrs.StepLR(o, 3), sizes=(5, 3)) for _ in range(2)]
    with grilly.record() as tape:
        for run in runs:
            run.round()
    tape.replay(3)
    runs[0].optimizer.param_groups[0]["lr"] = 0.3
    runs[1].optimizer.param_groups[1]["lr"] = math.nan
    params = [p for run in runs for p in run.params]
    weights = [p.data.numpy() for p in params]
    with pytest.raises(ValueError, match=r"lr must be.*nan"):
        tape.replay(3)
    assert [run.schedulers[0].last_epoch for run in runs] == [3, 3]
    for p, array in zip(params, weights, strict=True):
        np.testing.assert_array_equal(p.data.numpy(), array)


def test_a_number_that_is_gone_is_named(place: Place) -> None:
    run = Run(place, "SGD", lambda o: lrs.StepLR(o, 3), sizes=(5, 3)).replay(2)
    del run.optimizer.param_groups[1]["lr"]
    with pytest.raises(ValueError, match=r"param_groups\[1\] must have lr"):
        run.replay(2)


@pytest.mark.parametrize("times", [2**53 + 1, 2**70])
def test_more_times_than_can_be_counted(place: Place, times: int) -> None:
    with pytest.raises(ValueError, match=rf"times must be at most 2\^53.*got {times}"):
        Run(place, sizes=(5,)).replay(times)


def test_what_a_function_raises_ahead_is_told(place: Place) -> None:
    def until_ten(t: Any) -> float:
        if t >= 10:
            raise RuntimeError("no more")
        return 1.0

    p = grilly.nn.Parameter(np.ones(3, np.float32), device=place)
    optimizer = SGD([p], lr=0.5)
    scheduler = lrs.LambdaLR(optimizer, until_ten)
    with grilly.record() as tape:
        optimizer.step()
        scheduler.step()
    with pytest.raises(
        RecordError, match=r"9 steps left.*for step 10, raised RuntimeError.'no more'"
    ):
        tape.replay(20)
    tape.replay(9)
    assert scheduler.last_epoch == 9


def test_a_parameter_that_is_anothers_gradient_is_refused(place: Place) -> None:
    p = grilly.nn.Parameter(np.ones(2, np.float32), device=place)
    with pytest.raises(ValueError, match="parameter 1 is the gradient of parameter 0"):
        SGD([p, grilly.nn.Parameter(p.grad)], lr=0.5)


def test_a_function_is_held_against_its_formula_a_window_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of very many replays neither all steps nor all values are in memory at once."""
    sizes: list[int] = []
    exact = ahead.exact
    monkeypatch.setattr(ahead, "exact", lambda f, t: sizes.append(len(t)) or exact(f, t))
    p = grilly.nn.Parameter(np.ones(3, np.float32), device="cpu")
    optimizer = SGD([p], lr=0.5)
    scheduler = lrs.LambdaLR(optimizer, lambda t: 1.0 / (1.0 + t))
    with grilly.record() as tape:
        optimizer.step()
        scheduler.step()
    tape.replay(3000)
    assert max(sizes) <= 256 and 3000 <= sum(sizes) <= 4000
    assert scheduler.last_epoch == 3000


def test_a_function_whose_variables_can_be_copied_no_more(place: Place) -> None:
    scale = [0.5]
    p = grilly.nn.Parameter(np.ones(3, np.float32), device=place)
    optimizer = SGD([p], lr=0.5)
    scheduler = lrs.LambdaLR(optimizer, lambda t: scale[0] + 0.0 * t)
    with grilly.record() as tape:
        optimizer.step()
        scheduler.step()
    tape.replay(2)
    scale.append(iter([1]))  # type: ignore[arg-type]
    with pytest.raises(RecordError, match="only called at each step"):
        tape.replay(2000)
