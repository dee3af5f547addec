"""grilly.lint: what others ran into is found, and nothing is found where nothing is wrong."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from targets import GrillyTarget, HostTarget
from test_formulas import PEERS

from grilly import Finding, lint, schedules
from grilly.errors import TextError
from grilly.optim import lr_scheduler as ours
from grilly.optim.param_scheduler import ParamScheduler
from grilly.rules import Plateau
from grilly.schedules import (
    Cosine,
    CosineDecay,
    CosineRestarts,
    Cyclic,
    End,
    Exponential,
    Geometric,
    InverseSqrt,
    Linear,
    MultiStep,
    Noam,
    OneCycle,
    PiecewiseConstant,
    Polynomial,
    PolynomialDecay,
    Schedule,
    Shift,
    StepDecay,
    Stretch,
    Tanh,
    WarmRestarts,
    WarmUp,
    hugging_face,
    join,
    restarts,
    schedule_of,
    warmup_stable_decay,
)

ONE_CYCLE = OneCycle((30.0, 99.0), (0.04, 1.0, 4e-7))
COSINE, DECAY = Cosine(0.1, 0.0, 100), CosineDecay(0.1, 1e-5, 100)


@dataclass(frozen=True)
class Ends(Schedule):
    """A user's class that says where it ends: a line that nobody stops at 0."""

    steps: float

    def __call__(self, t: Any) -> Any:
        return 1.0 - t / self.steps

    def length(self) -> float:
        return self.steps


def found(given: Any, steps: int) -> list[tuple[str, int]]:
    return [(finding.code, finding.step) for finding in lint(given, steps)]


CASES: dict[str, tuple[Any, int, list[tuple[str, int]]]] = {
    # Hugging Face, torchtune, gpt-neox, DeepSpeed: the first step has lr 0.
    "warm-up from 0": (WarmUp(DECAY, 10), 110, [("zero-start", 0)]),
    "warm-up from 1 / steps": (WarmUp(DECAY, 10, first=1), 109, []),
    "text": ("0.95**t * min(1, t/100)", 100, [("zero-start", 0)]),
    "always 0": (0.0, 10, []),
    # timm #1242: the cosine's clock runs all along, and it has fallen when its turn comes.
    "a jump": (WarmUp(DECAY, 20, 1e-6, shifted=False), 100, [("jump", 20)]),
    "a jump of many steps": (
        WarmUp(CosineDecay(0.1, 1e-5, 28_000), 2000, 1e-6, shifted=False),
        28_000,
        [("jump", 2000)],
    ),
    "less than a step of the warm-up": (WarmUp(DECAY, 5, 1e-6, shifted=False), 100, []),
    "less than 1 %": (
        WarmUp(CosineDecay(0.1, 1e-5, 10_000), 500, 1e-6, shifted=False),
        10_000,
        [],
    ),
    "another target": (WarmUp(DECAY, 10, 0.01, target=0.5), 110, [("jump", 10)]),
    "another start": (join([Linear(0.1, 0.5, 10), COSINE], [10]), 110, [("jump", 10)]),
    "a constant after a line": (join([Linear(1.0, 0.5, 9), 0.1], [20]), 99, [("jump", 20)]),
    "from a constant": (join([0.1, Linear(1.0, 0.5, 9)], [20]), 99, [("jump", 20)]),
    "constants": (join([1.0, 0.1], [30]), 100, []),
    "a boundary late by one": (join([Linear(0.1, 1.0, 9), Linear(1.0, 0.1, 90)], [10]), 100, []),
    "a boundary early by one": (
        join([Linear(0.1, 1.0, 9), 1.0], [8]),
        100,
        [
            ("end-never-reached", 7),
        ],
    ),
    "a drop at the joint": (join([StepDecay(1.0, 9, 0.5), Linear(0.5, 0.1, 20)], [9]), 29, []),
    "no drop at the joint": (join([StepDecay(1.0, 9, 0.5), Linear(1.0, 0.1, 20)], [9]), 29, []),
    "another drop at the joint": (
        join([StepDecay(1.0, 9, 0.5), Linear(0.1, 0.01, 20)], [9]),
        29,
        [("jump", 9)],
    ),
    "moved and stretched": (
        0.5 * Shift(Stretch(join([Linear(0.1, 0.5, 10), COSINE], [10]), 7), 3),
        773,
        [("jump", 73)],
    ),
    "stretched, no jump": (Stretch(join([Linear(0.1, 1.0, 9), 1.0], [9]), 100), 3000, []),
    "a joint between two steps": (join([0.1, Linear(1.0, 0.5, 9)], [4.5]), 20, [("jump", 5)]),
    "a joint that is not reached": (join([0.1, Linear(1.0, 0.5, 9)], [20]), 20, []),
    # torch #40971, #38170, #32898; Hugging Face's cosine_past_end.
    "a cosine to its end": (COSINE, 101, []),
    "a cosine past its end": (COSINE, 102, [("past-end", 101)]),
    "a wave past its end": (
        CosineDecay(0.1, 0.0, 100, clamped=False),
        130,
        [("past-end", 101)],
    ),
    "one cycle": (ONE_CYCLE, 100, []),
    "one cycle and a step": (ONE_CYCLE, 101, [("past-end", 100)]),
    "an error at the end": (End(COSINE, 100, "error"), 102, [("past-end", 100)]),
    "a cycle at the end": (End(COSINE, 100, "cycle"), 1000, []),
    "held at the end": (End(COSINE, 100, "hold"), 1000, []),
    "a phase past its end": (
        join([Cosine(1.0, 0.5, 10), 0.6], [30]),
        50,
        [
            ("past-end", 11),
            ("jump", 30),
        ],
    ),
    "after a warm-up": (WarmUp(COSINE, 10, 0.01), 130, [("past-end", 111)]),
    "a user's own end": (Ends(10), 21, [("negative", 11), ("past-end", 11)]),
    "clamped": (Polynomial(0.1, 50, 50, 2.0), 200, []),
    "clamped too": (PolynomialDecay(0.1, 0.001, 50, 2.0), 200, []),
    # The end is never reached.
    "too long": (Linear(0.1, 0.0, 500), 100, [("end-never-reached", 99)]),
    "as long as it takes": (Linear(0.1, 0.0, 100), 100, []),
    "begins too late": (Linear(0.1, 0.0, 90, begin=20), 100, [("end-never-reached", 99)]),
    "milestones": (MultiStep(0.1, (30, 60, 90)), 80, [("end-never-reached", 79)]),
    "after a warm-up, too long": (WarmUp(DECAY, 10, 0.01), 100, [("end-never-reached", 99)]),
    "stretched too long": (Stretch(Linear(0.1, 0.0, 11), 10), 100, [("end-never-reached", 99)]),
    "a warm-up without end": (WarmUp(0.1, 101, 0.01), 100, [("end-never-reached", 99)]),
    "a warm-up to the end": (WarmUp(0.1, 100, 0.01), 100, []),
    "phases without a step": (join([0.3, 0.2, 0.1], [50, 200]), 100, [("end-never-reached", 99)]),
    "cut by another": (
        join([WarmUp(0.1, 30, 0.01), 0.1], [20]),
        100,
        [("end-never-reached", 19), ("jump", 20)],
    ),
    "boundary owned by the old": (PiecewiseConstant((5, 9), (0.3, 0.2, 0.1), "old"), 20, []),
    # What a rate should not be.
    "negative": (lambda t: 1.0 - t / 10, 20, [("negative", 11)]),
    "not finite": (lambda t: math.inf if t > 3 else 0.1, 5, [("nonfinite", 4)]),
    "not finite in float32": (lambda t: 1e39, 5, [("nonfinite", 0)]),
    "nan": (lambda t: np.log(t - 2.0), 9, [("nonfinite", 0)]),
    "0 in float32": (Exponential(1.0, 0.5), 151, [("float32-zero", 150)]),
    "just not 0 in float32": (Exponential(1.0, 0.5), 150, []),
    # Nothing is wrong with these.
    "constant": (0.1, 10, []),
    "a function": (lambda t: 0.1 if t < 5 else 0.01, 10, []),
    "noam": (Noam(1.0, 40), 1000, []),
    "inverse sqrt": (WarmUp(InverseSqrt(0.1, 40), 40, 0.001), 1000, []),
    "range test": (Geometric(1e-7, 1.0, 100), 100, []),
    "restarts": (WarmRestarts(0.1, 0.0, 30), 100, []),
    "restarts after a warm-up": (WarmUp(WarmRestarts(0.1, 0.0, 30), 9, 0.01), 100, []),
    "cycles": (restarts(CosineDecay(0.1, 0.0, 30), 2.0, 0.5, limit=3), 300, []),
    "cycles that shrink": (restarts(Tanh(0.1, 0.0, 50), 0.5), 300, []),
    "cycles without end": (restarts(CosineDecay(0.1, 0.0, 30), 2.0), 300, []),
    "equal restarts": (CosineRestarts(0.1, 0.0, 90, 3), 300, []),
    "triangles": (Cyclic(0.01, 0.1, 10, 20, "triangular2"), 300, []),
    "wsd": (warmup_stable_decay(1.0, 10, 50, 40, start=0.1, decay_shape="1-sqrt"), 101, []),
    "a rule": (WarmUp(Plateau(0.5), 5, 0.1), 100, []),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_found(name: str) -> None:
    given, steps, want = CASES[name]
    assert found(given, steps) == want


@pytest.mark.parametrize("name", PEERS)
def test_what_others_ship_is_clean_but_for_a_start_at_0(name: str) -> None:
    own = PEERS[name]
    for schedule in own if isinstance(own, list) else [own]:
        starts_at_0 = [("zero-start", 0)] if schedule(0) == 0 else []
        assert found(schedule, 301) == starts_at_0


CLEAN: list[tuple[Schedule, int]] = [
    (schedules.warmup_constant_schedule(0.0, 0.1, 30), 100),
    (schedules.warmup_cosine_decay_schedule(0.0, 0.1, 30, 100, 0.001), 101),
    (schedules.warmup_exponential_decay_schedule(0.0, 0.1, 30, 20, 0.9), 300),
    (schedules.piecewise_constant_schedule(0.1, {30: 0.5, 60: 0.1}), 100),
    (schedules.linear_onecycle_schedule(100, 0.1), 101),
    (schedules.cosine_onecycle_schedule(100, 0.1), 101),
    (schedules.swa_anneal(0.1, 0.05, 20), 100),
    (hugging_face.constant_with_warmup(30), 100),
    (hugging_face.linear(30, 300), 300),
    (hugging_face.cosine(30, 300), 300),
    (hugging_face.cosine_with_restarts(30, 300, 3), 300),
    (hugging_face.inverse_sqrt(30), 300),
]


@pytest.mark.parametrize(("schedule", "steps"), CLEAN)
def test_schedules_of_two_libraries_are_clean_too(schedule: Schedule, steps: int) -> None:
    assert found(schedule, steps) == ([("zero-start", 0)] if schedule(0) == 0 else [])


def test_hugging_faces_cosine_rises_behind_its_end() -> None:
    assert found(hugging_face.cosine(30, 300), 320) == [("zero-start", 0), ("past-end", 301)]


def test_a_jump_is_measured_by_the_composition_that_it_is_in() -> None:
    warm = join([Linear(0.001, 0.005, 10), Linear(0.01, 0.001, 90)], [10])
    assert found(warm + 100.0, 100) == found(warm, 100) == [("jump", 10)]


def test_a_function_of_whole_steps_has_joints_too() -> None:
    def level(t: Any) -> float:
        return {i: 0.1 for i in range(20)}[t]  # of no step in between

    for second, want in [(0.5, [("jump", 5)]), (0.1, [])]:
        sequence = join([schedule_of(level), Linear(second, 0.0, 10)], [5])
        assert found(sequence, 15) == want


def test_what_a_function_raises_is_raised() -> None:
    with pytest.raises(IndexError):
        lint(lambda t: [0.1, 0.2][t], 3)


def target(count: int = 1) -> Any:
    return HostTarget("SGD", [{"lr": 0.1 * (i + 1)} for i in range(count)])


def test_a_scheduler_of_torchs_name() -> None:
    one = target()
    assert found(ours.CosineAnnealingLR(one.optimizer, 100), 101) == []
    assert found(ours.CosineAnnealingLR(target().optimizer, 100), 102) == [("past-end", 101)]
    assert found(ours.LinearLR(target().optimizer, total_iters=50), 40) == [
        ("end-never-reached", 39)
    ]
    assert found(ours.LambdaLR(target().optimizer, lambda t: t / 10), 20) == [("zero-start", 0)]


def test_step_0_of_a_scheduler_is_now() -> None:
    scheduler = ours.CosineAnnealingLR(target().optimizer, 100)
    for _ in range(60):
        scheduler.step()
    assert found(scheduler, 42) == [("past-end", 41)]
    assert found(scheduler, 41) == []
    assert scheduler.last_epoch == 60


def test_a_scheduler_that_raises_is_past_its_end() -> None:
    scheduler = ours.OneCycleLR(target().optimizer, 0.1, total_steps=10, cycle_momentum=False)
    assert found(scheduler, 10) == []
    past = lint(scheduler, 12)
    assert [(one.code, one.step) for one in past] == [("past-end", 10), ("past-end", 11)]
    assert "Tried to step 11 times" in past[1].message


def test_groups_are_named() -> None:
    scheduler = ours.LambdaLR(target(2).optimizer, [lambda t: 1.0, lambda t: 1.0 - t])
    assert lint(scheduler, 3) == [
        Finding("negative", 2, "group 1: the value -0.2 is negative"),
    ]


def test_composites_and_metric_schedulers_by_their_rates() -> None:
    one = target().optimizer
    parts = [ours.ConstantLR(one, 0.0, 5), ours.ExponentialLR(one, 0.9)]
    assert found(ours.SequentialLR(one, parts, [5]), 20) == [("zero-start", 0)]
    assert found(ours.ReduceLROnPlateau(target().optimizer), 20) == []


def test_each_schedule_of_a_param_scheduler() -> None:
    own = GrillyTarget("AdamW", [{}, {}])
    scheduler = ParamScheduler(
        own.optimizer, {"lr": [COSINE, None], "weight_decay": Linear(0.0, 0.1, 50)}
    )
    assert [str(finding) for finding in lint(scheduler, 102)] == [
        "step 101: lr of group 0: Cosine is at its end, 0, after 100 steps, and goes on to "
        "2.47e-05 in 101 (past-end)",
    ]


def test_findings_say_what_is_there() -> None:
    early = join([Linear(0.0, 0.1, 5), Cosine(0.5, 0.0, 200)], [5])
    assert [str(finding) for finding in lint(early, 100)] == [
        "step 0: the first value is 0: a rate of 0 makes no update (zero-start)",
        "step 5: Linear comes to 0.1, Cosine starts at 0.5 (jump)",
        "step 99: Cosine is at its end after 200 steps, and has 95 here (end-never-reached)",
    ]
    error = End(COSINE, 10, "error")
    assert [one.message[:33] for one in lint(error, 20)] == [
        "Cosine is at its end after 100 st",
        "there is no value behind step 9: ",
    ]


@pytest.mark.parametrize(
    ("given", "steps", "kind", "words"),
    [
        (0.1, 0, ValueError, "steps must be at least 1, got 0"),
        (0.1, 1.0, TypeError, "steps must be an int"),
        (None, 5, TypeError, "schedule must be a schedule, a number"),
        ("t +", 5, TextError, "t \\+"),
    ],
)
def test_arguments_are_checked(given: Any, steps: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        lint(given, steps)


# --- What the steps of a ParamScheduler would raise -----------------------------------------------


@pytest.mark.parametrize(
    ("name", "given", "step", "words"),
    [
        ("beta1", "0.9 + t / 50", 5, "beta1: Invalid beta parameter at index 0: 1.0"),
        ("eps", "1e-8 - t * 1e-9", 11, "eps: Invalid epsilon value: -1"),
        ("lr", lambda t: -t, None, ""),
    ],
)
def test_out_of_range_is_where_the_run_raises(
    name: str, given: Any, step: int | None, words: str
) -> None:
    own = GrillyTarget("AdamW", [{}])
    scheduler = ParamScheduler(own.optimizer, {name: given})
    ranges = [one for one in lint(scheduler, 20) if one.code == "out-of-range"]
    if step is None:
        assert ranges == []
        return
    (one,) = ranges
    assert one.step == step and one.message.startswith(words)
    for _ in range(step - 1):
        scheduler.step()
    assert [one.step for one in lint(scheduler, 20) if one.code == "out-of-range"] == [1]
    with pytest.raises(ValueError) as caught:
        scheduler.step()
    assert str(caught.value).endswith(one.message.split(": ", 1)[1])


def test_a_number_that_is_not_finite_is_found_once() -> None:
    scheduler = ParamScheduler(GrillyTarget("AdamW", [{}]).optimizer, {"beta1": "1 / (9 - t) / 9"})
    assert [(one.code, one.step) for one in lint(scheduler, 10)] == [("nonfinite", 9)]


@pytest.mark.parametrize("name", ["lr", "momentum", "weight_decay"])
def test_only_a_rate_must_not_start_at_0(name: str) -> None:
    scheduler = ParamScheduler(GrillyTarget("SGD", [{}]).optimizer, {name: Linear(0.0, 0.5, 9)})
    want = [("zero-start", 0)] if name == "lr" else []
    assert [(one.code, one.step) for one in lint(scheduler, 10)] == want


# --- Arguments that are likely others -------------------------------------------------------------


SUSPICIOUS: dict[str, tuple[Any, list[tuple[int, str]]]] = {
    "a ratio": (
        WarmUp(0.1, 0.1, 0.01),
        [(0, "WarmUp has steps=0.1, less than one step: give a number of steps, no share")],
    ),
    "a ratio in a phase": (
        0.5 * join([0.2, Linear(0.2, 0.1, 0.5)], [7]),
        [(7, "Linear has steps=0.5, less than one step")],
    ),
    "a ratio of a run": (Stretch(Linear(0.2, 0.1, 0.5), 20), []),
    "a ratio of Noam": (Noam(1.0, 0.5), [(0, "Noam has warmup_steps=0.5")]),
    "swapped": (CosineDecay(1e-5, 0.1, 20), [(0, "CosineDecay has low=0.1 and high=1e-05: are")]),
    "swapped cosine": (Cosine(0.01, 0.11, 20), [(0, "Cosine has low=0.11 and high=0.01: are")]),
    "a rise": (CosineDecay(0.04, 0.4, 20), []),
    "no steps": (WarmUp(0.1, 0, 0.01), []),
}


@pytest.mark.parametrize("name", SUSPICIOUS)
def test_suspicious_arguments(name: str) -> None:
    given, want = SUSPICIOUS[name]
    seen = [one for one in lint(given, 21) if one.code == "suspicious"]
    assert [one.step for one in seen] == [step for step, _ in want]
    assert all(one.message.startswith(words) for one, (_, words) in zip(seen, want, strict=True))


# --- Many steps -----------------------------------------------------------------------------------


def test_of_many_steps_some_are_looked_at() -> None:
    asked = 0

    @dataclass(frozen=True)
    class Counting(Ends):
        def __call__(self, t: Any) -> Any:
            nonlocal asked
            asked += np.size(t)
            return np.where(t < 0.5 * self.steps, 1.0, np.where(t == self.steps + 3, -1.0, 0.5))

    end = 33_333_333
    findings = [(one.code, one.step) for one in lint(Counting(end), 10**8)]
    assert ("negative", end + 3) in findings  # one step near the end
    assert 10**6 <= asked < 1.1e6
    late = join([0.1, Linear(0.2, 0.1, 10)], [8_765_432])
    assert [(one.code, one.step) for one in lint(late, 10**7)] == [("jump", 8_765_432)]


def test_rates_that_come_one_by_one_are_not_looked_at_by_the_million() -> None:
    scheduler = ours.StepLR(HostTarget("SGD", [{"lr": 0.1}]).optimizer, 30)
    words = "steps must be at most 1000000 for StepLR, whose rates come one by one, got 1000001"
    with pytest.raises(ValueError, match=words):
        lint(scheduler, 10**6 + 1)
    with pytest.raises(ValueError, match=r"steps must be at most 2\^53"):
        lint(0.1, 2**53 + 1)
