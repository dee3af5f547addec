"""Functions as schedules: what counts as one, what is traced, and what is computed ahead."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from grilly import TraceError, glsl, hyper, lint
from grilly.backend import choose
from grilly.optim import SGD, ParamScheduler
from grilly.optim.lr_scheduler import LambdaLR
from grilly.optim.sampling import sampled, traces
from grilly.planning import Clock, Job, Plan
from grilly.program import MOST_DEPTH, program
from grilly.schedules import (
    WINDOW,
    Average,
    Clip,
    Constant,
    Cosine,
    Function,
    Join,
    Product,
    Schedule,
    Shift,
    Sum,
    Text,
    schedule_of,
)
from grilly.schedules.depth import check_depth

TABLE = {0: 0.5, 1: 0.25}


def caught(t: Any) -> float:
    try:
        return [0.5, 0.4, 0.3][t]
    except Exception:
        return 0.1


# A function of the step, and whether a device can compute it.
FUNCTIONS: dict[str, tuple[Any, bool]] = {
    "numpy": (lambda t: 0.9**t * np.minimum(1, t / 100), True),
    "constant": (lambda t: 0.5, True),
    "schedule inside": (lambda t: Cosine(1.0, 0.0, 10)(t) ** 2, True),
    "math": (lambda t: math.sqrt(t), False),
    "branch": (lambda t: 0.5 if t < 3 else 0.1, False),
    "list": (lambda t: [0.5, 0.1][t], False),
    "dict": (lambda t: TABLE.get(t, 0.1), False),
    "set": (lambda t: 1.0 if t in {3, 4} else 0.1, False),
    "type": (lambda t: 0.5 if isinstance(t, int) else 0.1, False),
    "catches all": (lambda t: caught(t), False),
    "kink": (lambda t: np.maximum(0.0, t - 1.5), True),
    "pole": (lambda t: 1 / np.abs(t - 1.0 + 0 * np.sqrt(t)), True),
    "raises": (lambda t: 1 / 0, False),
    "text": (lambda t: "0.5", False),
    "two numbers": (lambda t: np.array([0.5, 0.1, 0.2]), False),
    "condition": (lambda t: t > 3, False),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_traces(name: str) -> None:
    function, can = FUNCTIONS[name]
    assert traces(Function(function)) is can
    assert traces(Product((0.5, Function(function)))) is can


def test_what_a_schedule_is_made_of() -> None:
    cosine = Cosine(1.0, 0.0, 10)
    assert schedule_of(cosine) is cosine
    for number in (2, 2.0, np.float32(2), np.int64(2)):
        assert schedule_of(number) == Constant(2.0)
    assert schedule_of("0.5*t") == Text("0.5*t")
    made = schedule_of(math.sqrt)
    assert isinstance(made, Function) and made(4) == 2


@pytest.mark.parametrize("value", [None, True, [0.1], Cosine, np.ones(3), 1j])
def test_what_is_no_schedule_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match=r"^warm_up must be a schedule, a number"):
        schedule_of(value, "warm_up")


def test_each_function_is_traced_by_itself() -> None:
    factor = 0.5
    one, two = (Function(lambda t: factor * t) for _ in range(2))
    assert one == one and one != Function(one.call) and one != two
    assert {one: 1}[one] == 1


class Asked:
    """A function that remembers for which steps it was asked, and of which type they were."""

    def __init__(self, last: float = math.inf) -> None:
        self.last, self.steps = last, list[Any]()

    def __call__(self, t: Any) -> float:
        self.steps.append(t)
        if t > self.last:
            raise IndexError(t)
        return t / 2


def test_a_window_is_asked_step_by_step() -> None:
    asked = Asked()
    schedule, last = sampled(asked, 10.0)
    assert asked.steps == list(range(10, 10 + WINDOW)) and last == 10 + WINDOW - 1
    assert {type(t) for t in asked.steps} == {int}
    assert [float(schedule(t)) for t in asked.steps] == [t / 2 for t in asked.steps]


def test_fractional_steps_stay_fractional() -> None:
    asked = Asked()
    schedule, last = sampled(asked, 2.5)
    assert asked.steps[:2] == [2.5, 3.5] and last == 2.5 + WINDOW - 1
    assert float(schedule(3.5)) == 1.75


@pytest.mark.parametrize("asked,last", [(Asked(7), math.inf), (Asked(), 7.0)])
def test_a_window_ends_before_an_error_and_at_the_last_step(asked: Asked, last: float) -> None:
    schedule, end = sampled(asked, 5, last)
    assert end == 7
    assert schedule.values == (2.5, 3.0, *(3.5,) * (WINDOW - 2))
    assert isinstance(schedule, Schedule)


def test_an_error_at_the_step_itself_is_the_callers() -> None:
    with pytest.raises(IndexError, match="8"):
        sampled(Asked(7), 8)


def nested(depth: int) -> Schedule:
    """Return schedules of several kinds, one in another."""
    schedule: Schedule = Cosine(1.0, 0.0, 10)
    for i in range(depth - 1):
        kinds: list[Any] = [
            lambda one: one * 1.25,
            lambda one: Clip(one, -1.0, 1.0),
            lambda one: Join((Constant(0.5), one), (0.0,)),
            lambda one: -one,
            lambda one: Clip(one, -0.9, 0.9),
        ]
        # A driver compiles each operation anew, and an addition is long: there is one of them.
        schedule = Shift(schedule, 1.0) if i == 50 else kinds[i % 5](schedule)
    return schedule


def test_schedules_may_be_100_deep(place: str | int) -> None:
    """Hashed, traced, printed, compiled and filled in on every device."""
    schedule = nested(MOST_DEPTH)
    assert hash(schedule) == hash(nested(MOST_DEPTH)) and schedule == nested(MOST_DEPTH)
    assert traces(schedule) and repr(schedule)
    text = glsl.shader(program(schedule).structure)
    assert text.count("x_m") >= MOST_DEPTH // 2
    backend = choose(place, "SGD")
    backend.allocate([1], ())
    columns = range(len(hyper.COLUMNS["SGD"]))
    jobs = tuple(Job(0, i, schedule if i == 0 else Constant(0.5), 0, 40.0) for i in columns)
    backend.plan(Plan(1, jobs, (0,)))
    backend.start(Clock(1))
    assert backend.row()[hyper.COLUMNS["SGD"][0]] == np.float32(schedule(40.0))


def test_what_is_nested_too_deep_says_how_deep() -> None:
    schedule = nested(2000)
    with pytest.raises(TraceError, match="schedules may be 100 deep"):
        program(schedule)
    assert not traces(schedule)


@pytest.mark.parametrize("depth", [MOST_DEPTH + 1, 500, 5000])
def test_every_entry_says_how_deep(depth: int) -> None:
    schedule: Schedule = Constant(0.5)
    for _ in range(depth - 1):
        schedule = Shift(schedule, 1.0)
    optimizer = SGD([np.zeros(3, np.float32)], lr=0.1, device="cpu")
    before = optimizer.state_dict()
    entries: list[Callable[[], Any]] = [
        lambda: schedule.table(0, 3),
        lambda: schedule.table(0, 3, device="cpu"),
        lambda: schedule.plot(),
        lambda: ParamScheduler(optimizer, {"lr": schedule}),
        lambda: ParamScheduler(optimizer, {"lr": [Sum((1.0, schedule))]}),
        lambda: LambdaLR(optimizer, schedule),
        lambda: lint(schedule, 10),
    ]
    for entry in entries:
        with pytest.raises(TraceError, match="schedules may be 100 deep one in another"):
            entry()
    assert optimizer.state_dict() == before


def test_depth_is_counted_once_for_what_stands_in_many_places() -> None:
    schedule: Schedule = Constant(0.5)
    for _ in range(MOST_DEPTH - 1):
        schedule = Average((schedule, schedule))
    check_depth(schedule)
    with pytest.raises(TraceError, match="100 deep"):
        check_depth(Average((schedule, schedule)))


def test_a_graph_that_shares_its_parts_takes_no_time() -> None:
    def doubled(t: Any) -> Any:
        constant = Cosine(0.25, 0.0, 10)(t * 0 + 3)
        for _ in range(300):
            t, constant = (t + t) * 0.5, (constant + constant) * 0.5
        return t + constant

    for formula in (Function(doubled), Function(lambda t: doubled(t) + t)):
        before = time.process_time()
        made = program(formula)
        assert time.process_time() - before < 5
        assert 600 <= len(made.structure.nodes) <= 2000


def test_names_of_constants_do_not_grow_without_end() -> None:
    def powers(base: Any, t: Any) -> Any:
        for _ in range(60):
            base = base * 0.5 + base * 0.5
        return base * t

    one, other = (program(Powers(powers, base)) for base in (0.5, 0.25))
    assert one.structure == other.structure and one.constants.tolist() != other.constants.tolist()
    assert sum(map(len, one.labels)) < 2000


@dataclass(frozen=True)
class Powers(Schedule):
    """A formula with a number."""

    formula: Any
    base: float

    def __call__(self, t: Any) -> Any:
        return self.formula(self.base, t)
