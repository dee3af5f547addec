"""Functions of the step on the devices: right at every step, and few uploads.

The host's rates are those of the plain loop that torch makes; the device holds their float32.
"""

from __future__ import annotations

import copy
import math
import random
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from grilly.optim import SGD
from grilly.optim.lr_scheduler import (
    ConstantLR,
    ExponentialLR,
    LambdaLR,
    MultiplicativeLR,
    SequentialLR,
    lambdas,
)
from grilly.optim.lr_scheduler.ahead import MOST_SURPRISES
from grilly.schedules import WINDOW, Constant, Cosine, End, Function, Linear, Ramp, Schedule, parse

STEPS = 2 * WINDOW + 50


def seen_by_all() -> Any:
    """Return a class with a list: what a copy of a function writes there is seen here."""
    return type("Seen", (), {"calls": []})


class Run:
    """An optimizer on a device whose plans, which are its uploads, are counted step by step."""

    def __init__(self, place: str | int, rates: tuple[float, ...] = (0.3,)) -> None:
        self.params = [np.ones(3, np.float32) for _ in rates]
        groups = [{"params": [p], "lr": r} for p, r in zip(self.params, rates, strict=True)]
        self.optimizer = SGD(groups, device=place)
        self.plans = 0
        self.groups = self.optimizer.param_groups
        self._plan = self.optimizer._backend.plan
        self.optimizer._backend.plan = self._counted  # type: ignore[method-assign]

    def _counted(self, plan: Any) -> None:
        self.plans += 1
        self._plan(plan)

    def step(self) -> list[float]:
        """Make an update; return the rates, which must be what the device took."""
        held = self.optimizer.read_hyperparameters()["lr"]
        rates = [group["lr"] for group in self.groups]
        assert held.tolist() == np.float32(rates).tolist()
        self.optimizer.step(gradients=[np.zeros(3)] * len(self.params))
        return rates

    def play(self, scheduler: Any, steps: int = STEPS) -> list[list[float]]:
        rates = []
        for _ in range(steps):
            rates.append(self.step())
            scheduler.step()
        return rates


TRACED: dict[str, Any] = {
    "numpy": lambda t: 0.995**t * np.minimum(1, (t + 1) / 100),
    "text": "0.995**t * min(1, (t + 1) / 100)",
    "schedule": Cosine(1.0, 0.1, 700),
    "composition": Ramp(1.0, 0.5, 1.0, 100) * parse("0.5 if t % 7 < 3 else 1"),
    "constant": lambda t: 0.5,
    "square of what is negative": "(t - 300) ** 2 / 1000",
    "the same, a function": lambda t: (t - 300) ** 2 / 1000 + 0.001,
}


@pytest.mark.alike
@pytest.mark.parametrize("name", TRACED)
def test_what_can_be_traced_is_uploaded_once(place: str | int, name: str) -> None:
    run, function = Run(place), TRACED[name]
    call = parse(function) if isinstance(function, str) else function
    rates = run.play(LambdaLR(run.optimizer, function))
    want = [[0.3 * float(call(t))] for t in range(STEPS)]
    if callable(function) and not isinstance(function, Schedule):
        assert rates == want
    # Of a schedule the values are computed many at once, which numpy rounds another way.
    np.testing.assert_allclose(rates, want, 1e-15, 1e-17)
    assert run.plans <= 2  # a first plan, and one that knows that the schedule moves


def test_a_text_that_compares_nan_is_the_hosts(place: str | int) -> None:
    """The device's root of a negative number is 0, which is less than 1; nan is not."""
    run = Run(place, (1.0,))
    rates = run.play(LambdaLR(run.optimizer, "0.1 if sqrt(t - 3) < 1 else 0.5"))
    assert rates[:5] == [[0.5], [0.5], [0.5], [0.1], [0.5]]


# Not all of these raise when they are traced: some give a formula that is wrong.
OPAQUE: dict[str, Any] = {
    "branch": lambda t: 0.5 if t < 10 else 0.1 + 1 / (t + 1),
    "math": lambda t: math.exp(-t / 100),
    "list": [1 / (i + 1) for i in range(STEPS + 1)].__getitem__,
    "dict": lambda t: {0: 0.5, 5: 0.25}.get(t, 0.1),
    "type": lambda t: 0.5 / (t + 1) if isinstance(t, int) else 0.25,
    "nested": lambda t: sum(1 / (i + t + 1) for i in range(2000)) if type(t) is int else deep(t),
}


def deep(t: Any) -> Any:
    return deep(t)


@pytest.mark.parametrize("name", OPAQUE)
def test_what_cannot_be_traced_is_uploaded_once_a_window(place: str | int, name: str) -> None:
    run, function = Run(place), OPAQUE[name]
    rates = run.play(LambdaLR(run.optimizer, function))
    assert rates == [[0.3 * function(t)] for t in range(STEPS)]
    windows = -(-STEPS // WINDOW)
    assert windows <= run.plans <= windows + 2  # and a number at first


def test_rates_that_cancel_become_windows(place: str | int) -> None:
    """Near its end 1 + cos is far from what the exact formula has: there the host's counts."""
    run = Run(place)

    def function(t: Any) -> Any:
        return 0.5 * (1 + np.cos(np.pi * t / STEPS))

    rates = run.play(LambdaLR(run.optimizer, function))
    assert rates == [[0.3 * float(function(t))] for t in range(STEPS)]
    assert run.plans <= 6


def multiplied(rate: float, factor: Callable[[int], float], steps: int) -> list[float]:
    rates = [rate]
    for t in range(1, steps):
        rates.append(rates[-1] * factor(t))
    return rates


@pytest.mark.parametrize("function", [lambda t: 0.99, lambda t: 0.5 if t % 100 == 0 else 1.001])
def test_products_are_uploaded_once_a_window(place: str | int, function: Any) -> None:
    run = Run(place, (0.3, 0.7))
    rates = run.play(MultiplicativeLR(run.optimizer, function))
    columns = [multiplied(rate, function, STEPS) for rate in (0.3, 0.7)]
    assert rates == [list(row) for row in zip(*columns, strict=True)]
    assert run.plans <= -(-STEPS // WINDOW) + 2


def test_an_edit_of_a_product_is_gone_on_from(place: str | int) -> None:
    asked = seen_by_all()

    def function(t: int) -> float:
        asked.calls.append(t)
        return 0.9 if t % 2 else 1.05

    run = Run(place)
    scheduler = MultiplicativeLR(run.optimizer, function)
    run.play(scheduler, 20)
    run.groups[0]["lr"] = 0.5
    before = len(asked.calls)
    rates = [rate for (rate,) in run.play(scheduler, 60)]
    want = [0.5]
    for t in range(21, 80):
        want.append(want[-1] * (0.9 if t % 2 else 1.05))
    assert rates == want
    assert run.plans <= 6
    # What was asked ahead is still known: the edit was not the function's.
    assert len(asked.calls) - before == 60


def test_several_groups_and_kinds(place: str | int) -> None:
    run = Run(place, (0.1, 0.2, 0.3, 0.4))
    functions: list[Any] = [
        lambda t: 0.99**t,
        "1 / (t + 1)",
        lambda t: 1.0 if t < 100 else 0.5,
        Cosine(1.0, 0.0, 300),
    ]
    rates = run.play(LambdaLR(run.optimizer, functions), 300)
    calls = [parse(f) if isinstance(f, str) else f for f in functions]
    for t, row in enumerate(rates):
        pairs = zip((0.1, 0.2, 0.3, 0.4), calls, strict=True)
        np.testing.assert_allclose(row, [base * float(call(t)) for base, call in pairs], 1e-15)
    assert run.plans <= 5


# --- Functions that do not keep to what they gave -------------------------------------------------


def test_randomness_stays_right(place: str | int) -> None:
    seen = seen_by_all()
    seen.random, given = random.Random(1).random, seen.calls

    def function(t: Any) -> float:
        seen.calls.append(seen.random() + (0 if isinstance(t, int) else math.sqrt(t)))
        return float(seen.calls[-1])

    run = Run(place)
    scheduler = LambdaLR(run.optimizer, function)
    for _ in range(50):
        (rate,) = run.step()
        before = len(given)
        scheduler.step()
        assert run.groups[0]["lr"] == 0.3 * given[before]
        assert rate != run.groups[0]["lr"]
    # It was asked ahead until it had given another value than it was known to, and no more.
    assert len(given) <= 60 + MOST_SURPRISES * WINDOW
    before = len(given)
    scheduler.step()
    assert len(given) == before + 1


class Scale:
    """What a function reads each time."""

    now = 1.0


CLOSURES: dict[str, Any] = {
    "traced": lambda t: Scale.now * 0.99**t,
    "asked": lambda t: Scale.now * 0.99**t if t < 1000 else 0.0,
}


@pytest.mark.parametrize("name", CLOSURES)
def test_a_closure_that_changes_is_noticed(
    place: str | int, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(place)
    scheduler = LambdaLR(run.optimizer, CLOSURES[name])
    plans = []
    run.step()
    for t in range(1, 141):
        if t % 20 == 0:
            monkeypatch.setattr(Scale, "now", 1.0 / t)
            plans.append(run.plans)
            run.plans = 0
        scheduler.step()
        assert run.step() == [0.3 * (Scale.now * 0.99**t)]
    # It is traced twice, and asked ahead until two changes were met; from then on step by step.
    few = {"traced": 4, "asked": 2}[name]
    assert max(plans[:few]) <= 2 and set(plans[few:]) == {20}


def test_a_closure_that_changes_once_is_traced_anew(
    place: str | int, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(place)
    scheduler = LambdaLR(run.optimizer, CLOSURES["traced"])
    run.play(scheduler, 30)
    monkeypatch.setattr(Scale, "now", 0.5)
    run.plans = 0
    run.play(scheduler, 300)
    assert run.plans <= 3
    assert run.groups[0]["lr"] == 0.3 * (0.5 * 0.99**330)


def test_a_list_ends_where_it_ends(place: str | int) -> None:
    run = Run(place)
    values = [0.5, 0.25, 0.125, 0.75, 0.5]
    scheduler = LambdaLR(run.optimizer, lambda t: values[t])
    assert run.play(scheduler, 4) == [[0.3 * value] for value in values[:4]]
    run.step()
    before = scheduler.state_dict(), copy.copy(run.groups[0])
    with pytest.raises(IndexError):
        scheduler.step()
    assert (scheduler.state_dict(), run.groups[0]) == before
    values += [0.1]
    scheduler.step()
    assert run.step() == [0.3 * 0.1]


class Counter:
    """A callable object: its attributes are its state."""

    def __init__(self) -> None:
        self.calls, self.seen = 0, list[Any]()

    def __call__(self, t: Any) -> float:
        self.calls += 1
        self.seen.append(t)
        return 1.0 / self.calls


def test_the_state_of_a_callable_object_is_torchs(place: str | int) -> None:
    """Asked ahead is a copy of it, which has its state: so even a counter is known ahead."""
    ours, theirs = Counter(), Counter()
    run = Run(place)
    scheduler = LambdaLR(run.optimizer, ours)
    sgd = torch.optim.SGD([torch.ones(3)], lr=0.3)
    reference = torch.optim.lr_scheduler.LambdaLR(sgd, theirs)
    for _ in range(STEPS):
        assert run.step() == [sgd.param_groups[0]["lr"]]
        sgd.step()
        scheduler.step()
        reference.step()
    assert scheduler.state_dict()["lr_lambdas"] == reference.state_dict()["lr_lambdas"]
    assert ours.seen == theirs.seen == list(range(STEPS + 1))
    assert run.plans <= -(-STEPS // WINDOW) + 2


def closure_of_list() -> Any:
    calls = [0]

    def function(t: Any) -> float:
        calls[0] += 1
        return 1.0 / calls[0]

    return function


def closure_of_a_number() -> Any:
    calls = 0

    def function(t: Any) -> float:
        nonlocal calls
        calls += 1
        return 1.0 / calls

    return function


def function_with_a_default(t: Any, calls: Any) -> float:
    calls.append(t)
    return 1.0 / len(calls)


def closure_of_a_closure() -> Any:
    inner = closure_of_list()
    return lambda t: inner(t)


class Method:
    """An object, and one within, of which methods are given."""

    def __init__(self) -> None:
        self.calls = Counter()

    def rate(self, t: Any) -> float:
        return self.calls(t)


def closure_of_an_object() -> Any:
    own = Method()
    return lambda t: own.rate(t)


def itself() -> Any:
    def function(t: Any) -> float:
        function.calls = getattr(function, "calls", 0) + 1  # type: ignore[attr-defined]
        return 1.0 / function.calls  # type: ignore[attr-defined]

    return function


def default() -> Any:
    calls: list[Any] = []
    return lambda t, calls=calls: function_with_a_default(t, calls)


def popping() -> Any:
    values = [1.0 / (t + 1) for t in range(STEPS + 5)][::-1]
    return lambda t: values.pop()


STATEFUL: dict[str, Callable[[], Any]] = {
    "method": lambda: Method().rate,
    "partial": lambda: partial(function_with_a_default, calls=[]),
    "partial of an object": lambda: partial(Counter()),
    "list": closure_of_list,
    "number": closure_of_a_number,
    "closure": closure_of_a_closure,
    "object": closure_of_an_object,
    "attribute": itself,
    "default": default,
    "pop": popping,
    "schedule": lambda: Constant(1.0) * Function(closure_of_list()),
}
# These cannot be copied, so that no call is made but torch's.
ALONE: dict[str, Callable[[], Any]] = {
    "iterator": lambda: partial(lambda it, t: next(it), iter([1 / (i + 1) for i in range(999)])),
    "model": lambda: partial(lambda own, t: float(own.add_(1)[0]) ** -1, torch.zeros(1)),
    "schedule of one": lambda: 1.0 * Function(ALONE["iterator"]()),
}


@pytest.mark.alike
@pytest.mark.parametrize("name", [*STATEFUL, *ALONE])
@pytest.mark.parametrize("kind", [LambdaLR, MultiplicativeLR])
def test_functions_with_state_give_torchs_numbers(place: str | int, kind: Any, name: str) -> None:
    make = {**STATEFUL, **ALONE}[name]
    run, ours, theirs = Run(place), make(), make()
    steps = STEPS if kind is LambdaLR and name in STATEFUL else 20
    scheduler = kind(run.optimizer, ours)
    sgd = torch.optim.SGD([torch.ones(3)], lr=0.3)
    reference = getattr(torch.optim.lr_scheduler, kind.__name__)(sgd, lambda t: theirs(t))
    for _ in range(steps):
        assert run.step() == [sgd.param_groups[0]["lr"]]
        sgd.step()
        scheduler.step()
        reference.step()
    assert run.plans <= (-(-steps // WINDOW) + 2 if name in STATEFUL else steps)


@pytest.mark.parametrize("kind", [LambdaLR, MultiplicativeLR])
def test_a_schedule_that_ends_with_an_error_does(place: str | int, kind: Any) -> None:
    for last, schedule in (
        (3, End(Linear(1.0, 0.5, 4), 4, "error")),
        (2, 0.5 * End(Function(lambda t: 0.5 if t < 2 else 0.25), 3, "error")),
    ):
        run = Run(place)
        scheduler = kind(run.optimizer, schedule)
        run.play(scheduler, last)
        run.step()
        before = scheduler.state_dict(), copy.copy(run.groups[0])
        for _ in range(2):
            text = rf"lr_lambda\[0\]: the schedule ends at step {last}, step {last + 1} is past it"
            with pytest.raises(ValueError, match=text):
                scheduler.step()
            assert (scheduler.state_dict(), run.groups[0]) == before
        run.step()


class Uncopied(Counter):
    """One that does not let itself be copied."""

    def __deepcopy__(self, memo: Any) -> Any:
        raise ValueError("no copy")


class Large(Counter):
    """One with a state of many numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.table = list(range(20_000))


class Owner(Counter):
    """One that holds what may be anything: a model."""

    def __init__(self) -> None:
        super().__init__()
        self.model = torch.ones(3)


class Circular(Counter):
    """One that holds itself."""

    def __init__(self) -> None:
        super().__init__()
        self.seen.append(self.seen)


@pytest.mark.parametrize("kind", [Uncopied, Large, Owner, Circular])
def test_what_is_not_copied_is_asked_step_by_step(place: str | int, kind: Any) -> None:
    run, function = Run(place), kind()
    rates = run.play(LambdaLR(run.optimizer, function), 10)
    assert rates == [[0.3 * (1.0 / (t + 1))] for t in range(10)]
    assert function.seen[-11:] == list(range(11)) and run.plans == 10


class Asked:
    """Remembers for which steps its function, which cannot be traced, was called."""

    def __init__(self) -> None:
        seen = seen_by_all()

        def function(t: int) -> float:
            seen.calls.append(t)
            return 0.5 if t < 10 else math.exp(-t)

        self.steps, self.function = seen.calls, function


def test_an_optimizer_of_another_library_makes_torchs_calls_only() -> None:
    for kind in (LambdaLR, MultiplicativeLR):
        asked = Asked()
        sgd = torch.optim.SGD([torch.ones(3)], lr=0.3)
        scheduler = kind(sgd, asked.function)
        for _ in range(5):
            sgd.step()
            scheduler.step()
        assert asked.steps == [0, 1, 2, 3, 4, 5][kind is MultiplicativeLR :]


def test_where_the_next_step_is_not_known_it_is_not_asked_ahead() -> None:
    run, asked = Run("cpu"), Asked()
    scheduler = LambdaLR(run.optimizer, asked.function)
    run.step()
    for epoch in (7, 7.5, 3, 100):
        with pytest.warns(UserWarning, match="epoch parameter"):
            scheduler.step(epoch)
    assert len(asked.steps) <= 5 + 2  # and when it was traced


def test_under_edits_at_every_step_no_windows_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    window_of = lambdas.window_of
    monkeypatch.setattr(lambdas, "window_of", lambda *a: made.append(a) or window_of(*a))
    run, asked = Run("cpu"), Asked()
    product = MultiplicativeLR(run.optimizer, asked.function)
    other = ExponentialLR(run.optimizer, 0.99)
    for _ in range(20):
        run.step()
        product.step()
        other.step()
    assert len(made) <= 1  # at the first step no edit was seen yet
    assert len(asked.steps) <= 20 + WINDOW


def test_an_error_of_the_function_is_the_users(place: str | int) -> None:
    def function(t: Any) -> float:
        if t == 5:
            raise RuntimeError("mine")
        return 0.5 / (1 + t)

    run = Run(place)
    scheduler = LambdaLR(run.optimizer, function)
    run.play(scheduler, 4)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="mine"):
            scheduler.step()
    assert scheduler.last_epoch == 4 and run.step() == [0.3 * (0.5 / 5)]


# --- Other moves ----------------------------------------------------------------------------------


def test_jumps_and_fractions(place: str | int) -> None:
    run = Run(place)
    for function in (TRACED["numpy"], OPAQUE["math"]):
        scheduler = LambdaLR(run.optimizer, function)
        run.step()
        for epoch in (0, 7, 7.5, 8.5, 3, 4, 900.25, 12):
            with pytest.warns(UserWarning, match="epoch parameter"):
                scheduler.step(epoch)
            assert run.step() == [0.3 * float(function(epoch))]
        for t in (13, 14, 15):
            scheduler.step()
            assert run.step() == [0.3 * float(function(t))]


def test_in_a_sequence_and_in_a_chain(place: str | int) -> None:
    run = Run(place)
    first, second = ConstantLR(run.optimizer), LambdaLR(run.optimizer, OPAQUE["math"])
    sequence = SequentialLR(run.optimizer, [first, second], [10])
    rates = run.play(sequence, 100)
    assert rates[10:] == [[0.3 * OPAQUE["math"](t)] for t in range(90)]
    assert run.plans <= 7
    run = Run(place)
    product = MultiplicativeLR(run.optimizer, lambda t: 0.9)
    other = ExponentialLR(run.optimizer, 0.99)
    want = 0.3
    for _ in range(30):
        assert run.step() == [want]
        product.step()
        other.step()
        want = want * 0.9 * 0.99


def test_an_edited_base_rate_counts_at_the_next_step(place: str | int) -> None:
    for function in (TRACED["numpy"], OPAQUE["math"]):
        run = Run(place)
        scheduler = LambdaLR(run.optimizer, function)
        run.play(scheduler, 5)
        scheduler.base_lrs[0] = 0.7
        scheduler.step()
        assert run.step() == [0.7 * float(function(6))]
        run.plans = 0
        scheduler.step()
        run.play(scheduler, 50)
        assert run.plans == 0


def test_a_state_is_torchs_and_is_gone_on_from(place: str | int) -> None:
    functions: list[Any] = ["0.9**t", Cosine(1.0, 0.0, 9), Function(math.exp), lambda t: 0.5 + t]
    rates = (0.1, 0.2, 0.3, 0.4)
    run = Run(place, rates)
    scheduler = LambdaLR(run.optimizer, functions)
    run.play(scheduler, 7)
    state = scheduler.state_dict()
    assert state["lr_lambdas"] == [None] * 4
    sgd = torch.optim.SGD([{"params": [torch.ones(3)], "lr": rate} for rate in rates])
    made = [parse(f) if isinstance(f, str) else f for f in functions]
    calls = [lambda t, f=f: float(f(t)) for f in made]
    reference = torch.optim.lr_scheduler.LambdaLR(sgd, calls)
    assert set(reference.state_dict()) == set(state)
    reference.load_state_dict(state)
    again = Run(place, rates)
    resumed = LambdaLR(again.optimizer, functions)
    resumed.load_state_dict(reference.state_dict())
    for one in (sgd, scheduler, resumed, reference):
        one.step()
    theirs = [group["lr"] for group in sgd.param_groups]
    assert theirs == [group["lr"] for group in run.groups] == [g["lr"] for g in again.groups]
    again.play(resumed, 20)


def test_tracing_calls_a_function_five_times_more() -> None:
    own = seen_by_all()
    seen = own.calls

    def function(t: Any) -> Any:
        own.calls.append(type(t).__name__)
        return 0.5 * t

    run = Run("cpu")
    scheduler = LambdaLR(run.optimizer, function)
    assert seen[0] == "int" and len(seen) == 6
    before = len(seen)
    run.play(scheduler, 30)
    assert len(seen) == before + 30
