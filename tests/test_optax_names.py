"""optax's names: its recorded runs, plain functions of the step, and the rules at the edges."""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sample_named import arguments

from grilly import schedules, xfloat
from grilly.program import evaluate, program
from grilly.schedules import Constant, Schedule, from_json, join_schedules, sgdr_schedule

RECORDED = 1e-9
TRACED = 1e-13
PLAIN = 1e-12
FILES = sorted(
    path
    for path in Path(__file__).with_name("golden").glob("optax_*.json")
    if "plateau" not in path.name  # in test_rules.py
)
Case = dict[str, Any]


def recorded(path: Path) -> tuple[Schedule, list[float]]:
    case = json.loads(path.read_text())
    own = {
        key: {int(step): scale for step, scale in value.items()}
        if isinstance(value, dict)
        else value
        for key, value in case["args"].items()
    }
    made = getattr(schedules, case["scheduler"])(**own)
    return made, [row[0] for row in case["lr"]]


def test_all_files_are_read() -> None:
    assert len(FILES) == 14


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_values_are_optaxs(path: Path) -> None:
    schedule, want = recorded(path)
    assert len(want) == 301
    got = [float(schedule(t)) for t in range(301)]
    np.testing.assert_allclose(got, want, rtol=RECORDED)
    together = np.broadcast_to(schedule(np.arange(301.0)), 301)
    np.testing.assert_allclose(together, got, rtol=1e-15)


def traced(schedule: Schedule, steps: Any) -> Any:
    """Return the values of the traced formula, all 64 bits, as float64."""
    own = program(schedule)
    t = xfloat.from_float64(np.asarray(steps, np.float64))
    constants = np.broadcast_to(own.constants, (len(steps), own.constants.size))
    return xfloat.to_float64(
        evaluate(own.structure, constants, t, xfloat.from_int(np.ones(1, int)))
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_traced_formula_is_the_same(path: Path) -> None:
    schedule, _ = recorded(path)
    steps = np.arange(301.0)
    want = np.broadcast_to(schedule(steps), 301)
    np.testing.assert_allclose(traced(schedule, steps), want, rtol=TRACED)


# --- Plain functions, over arguments that no file has ---------------------------------------------


def polynomial(t: float, own: Case) -> float:
    """linear_schedule has no power."""
    begin, steps = max(own.get("transition_begin", 0), 0), own["transition_steps"]
    if steps <= 0:
        return float(own["init_value"])
    left = 1 - min(max(t - begin, 0), steps) / steps
    drop = own["init_value"] - own["end_value"]
    return float(drop * left ** own.get("power", 1) + own["end_value"])


def exponential(t: float, own: Case) -> float:
    begin, steps, rate = (
        own[key] for key in ("transition_begin", "transition_steps", "decay_rate")
    )
    clock = t - max(begin, 0)
    if steps <= 0 or rate == 0:
        return float(own["init_value"])
    n = math.floor(clock / steps) if own["staircase"] else clock / steps
    value = own["init_value"] * (rate**n if clock > 0 else 1)
    if own["end_value"] is not None:
        value = (max if rate < 1 else min)(value, own["end_value"])
    return float(value)


def cosine(t: float, own: Case) -> float:
    height = 0.5 * (1 + math.cos(math.pi * min(t, own["decay_steps"]) / own["decay_steps"]))
    alpha = own["alpha"]
    return float(own["init_value"] * ((1 - alpha) * height ** own["exponent"] + alpha))


def scaled(t: float, own: Case) -> float:
    value = own["init_value"]
    for boundary, scale in own["boundaries_and_scales"].items():
        value *= scale if t >= boundary else 1
    return float(value)


def interpolated(t: float, own: Case) -> float:
    steps, values = [0], [own["init_value"]]
    for boundary, scale in sorted(own["boundaries_and_scales"].items()):
        steps.append(boundary)
        values.append(values[-1] * scale)
    i = bisect_right(steps, t)
    if i == len(steps):
        return float(values[-1])
    share = (t - steps[i - 1]) / (steps[i] - steps[i - 1])
    if own["interpolate_type"] == "cosine":
        share = 0.5 * (1 - math.cos(math.pi * share))
    return float(values[i - 1] + (values[i] - values[i - 1]) * share)


def one_cycle(t: float, own: Case) -> float:
    count, first = own["transition_steps"], own["peak_value"] / own["div_factor"]
    last = first / own["final_div_factor"]
    points = {0: first, int(own["pct_start"] * count): own["peak_value"]}
    points |= {int(own["pct_final"] * count): first} if "pct_final" in own else {}
    points |= {count: last}
    kind = "linear" if "pct_final" in own else "cosine"
    values = list(points.values())
    scales = [b / a for a, b in pairwise(values)]
    between = dict(zip(list(points)[1:], scales, strict=True))
    plain = {"init_value": first, "boundaries_and_scales": between, "interpolate_type": kind}
    return interpolated(t, plain)


def warmed_up(t: float, own: Case, decay: Callable[[float, Case], float]) -> float:
    warm_up, peak = own["warmup_steps"], own["peak_value"]
    if t < warm_up:
        return float(own["init_value"] + (peak - own["init_value"]) * t / warm_up)
    return decay(t - warm_up, {**own, "init_value": peak})


def warm_cosine(t: float, own: Case) -> float:
    alpha = own["end_value"] / own["peak_value"] if own["peak_value"] else 0.0
    steps = own["decay_steps"] - own["warmup_steps"]
    return warmed_up(t, {**own, "alpha": alpha, "decay_steps": steps}, cosine)


def restarted(t: float, own: Case) -> float:
    *earlier, last = own["cosine_kwargs"]
    for cycle in earlier:
        if t < cycle["decay_steps"]:
            return warm_cosine(t, cycle)
        t -= cycle["decay_steps"]
    return warm_cosine(t, last)


PLAIN_FUNCTIONS: dict[str, Callable[[float, Case], float]] = {
    "constant_schedule": lambda t, own: float(own["value"]),
    "linear_schedule": polynomial,
    "polynomial_schedule": polynomial,
    "exponential_decay": exponential,
    "cosine_decay_schedule": cosine,
    "piecewise_constant_schedule": scaled,
    "piecewise_interpolate_schedule": interpolated,
    "linear_onecycle_schedule": one_cycle,
    "cosine_onecycle_schedule": one_cycle,
    "warmup_constant_schedule": lambda t, own: polynomial(
        t, {**own, "end_value": own["peak_value"], "transition_steps": own["warmup_steps"]}
    ),
    "warmup_cosine_decay_schedule": warm_cosine,
    "warmup_exponential_decay_schedule": lambda t, own: warmed_up(t, own, exponential),
    "sgdr_schedule": restarted,
}


class TestDrawn:
    """Schedules of random arguments."""

    @pytest.mark.parametrize("name", PLAIN_FUNCTIONS)
    def test_values_are_those_of_a_plain_function(self, name: str) -> None:
        rng = np.random.default_rng(list(name.encode()))
        for _ in range(60):
            own = arguments(name, rng)
            schedule = getattr(schedules, name)(**own)
            want = [PLAIN_FUNCTIONS[name](t, own) for t in range(150)]
            got = np.broadcast_to(schedule(np.arange(150.0)), 150)
            tolerance = 4e-16 * max(map(abs, want)) * 10
            np.testing.assert_allclose(got, want, PLAIN, tolerance, err_msg=str(own))
            np.testing.assert_allclose(
                traced(schedule, np.arange(150.0)), got, rtol=TRACED, err_msg=str(own)
            )

    @pytest.mark.parametrize("name", PLAIN_FUNCTIONS)
    def test_they_are_saved_as_json(self, name: str) -> None:
        rng = np.random.default_rng(list(name.encode()))
        for _ in range(20):
            schedule = getattr(schedules, name)(**arguments(name, rng))
            assert from_json(schedule.to_json()) == schedule


# --- Rules at the edges, and errors ---------------------------------------------------------------


def test_a_transition_without_steps_never_happens() -> None:
    for name in ("linear_schedule", "polynomial_schedule", "exponential_decay"):
        own = {"linear_schedule": (0.5,), "polynomial_schedule": (0.5, 2)}.get(name, ())
        for steps in (0, -3):
            more = {"decay_rate": 0.5} if name == "exponential_decay" else {}
            made = getattr(schedules, name)(0.1, *own, transition_steps=steps, **more)
            assert made == Constant(0.1), name
    assert schedules.exponential_decay(0.1, 5, 0.0, end_value=0.5) == Constant(0.1)
    assert schedules.warmup_constant_schedule(0.1, 0.5, 0) == Constant(0.1)
    assert schedules.piecewise_constant_schedule(0.1) == Constant(0.1)
    assert schedules.piecewise_interpolate_schedule("linear", 0.1, {}) == Constant(0.1)


@pytest.mark.parametrize("exponent", [0, 0.0])
def test_the_exponent_0_is_optaxs(exponent: float) -> None:
    own = {"init_value": 0.3, "decay_steps": 5, "alpha": 0.25, "exponent": exponent}
    made = schedules.cosine_decay_schedule(**own)
    assert [float(made(t)) for t in range(8)] == [cosine(t, own) for t in range(8)] == [0.3] * 8
    warmed = schedules.warmup_cosine_decay_schedule(0.0, 0.3, 2, 6, 0.1, exponent)
    assert [float(warmed(t)) for t in range(8)] == [0.0, 0.15, *[0.3] * 6]


def test_a_begin_below_0_is_0() -> None:
    for name, own in (
        ("linear_schedule", (0.1, 0.5, 10)),
        ("polynomial_schedule", (0.1, 0.5, 2, 10)),
        ("exponential_decay", (0.1, 10, 0.5)),
    ):
        made = getattr(schedules, name)
        assert made(*own, transition_begin=-4) == made(*own)


def test_a_cycle_whose_points_fall_together_is_optaxs() -> None:
    # int(0.3), int(0.85) are 0 both: the later scale is the one that counts.
    made = schedules.linear_onecycle_schedule(1, 1.0)
    assert float(made(0)) == pytest.approx(1 / 25 / 25)
    assert float(made(1)) == pytest.approx(1 / 25 / 25 / 1e4)


def test_any_schedules_are_joined() -> None:
    made = join_schedules([lambda t: 0.5 + t, "t / 4", 0.25, Constant(0.125)], [2, 4, 6])
    assert [float(made(t)) for t in range(8)] == [0.5, 1.5, 0, 0.25, 0.25, 0.25, 0.125, 0.125]


SCALES: Any = {5: 0.5, 2: -0.1}
ERRORS: list[tuple[str, tuple[Any, ...], str]] = [
    ("constant_schedule", ("x",), "value must be a number"),
    ("constant_schedule", (math.nan,), "value must be finite"),
    ("linear_schedule", (0.1, math.inf, 10), "end_value must be finite"),
    ("linear_schedule", (0.1, 0.5, None), "transition_steps must be a number"),
    ("linear_schedule", (0.1, 0.5, 10, "1"), "transition_begin must be a number"),
    ("polynomial_schedule", (0.1, 0.5, "2", 10), "power must be a number"),
    ("polynomial_schedule", (0.1, 0.5, -1, 10), "power must be at least 0"),
    ("exponential_decay", (0.1, 10, -0.5), "^decay_rate must be at least 0"),
    ("exponential_decay", (0.1, 10, math.nan), "decay_rate must be finite"),
    ("cosine_decay_schedule", (0.1, 0), "decay_steps must be above 0, got 0"),
    ("cosine_decay_schedule", (0.1, -3), "decay_steps must be above 0, got -3"),
    ("cosine_decay_schedule", (0.1, 5, "a"), "alpha must be a number"),
    ("cosine_decay_schedule", (0.1, 5, 0, -1), "exponent must be at least 0"),
    ("cosine_decay_schedule", ("a", 3), "^init_value must be a number, got 'a'"),
    ("exponential_decay", (0.1, 10, 0.5, 0, False, math.nan), "^end_value must be finite"),
    ("warmup_constant_schedule", (0.1, math.nan, 5), "^peak_value must be finite"),
    ("warmup_constant_schedule", (0.1, 0.5, "x"), "^warmup_steps must be a number"),
    ("warmup_cosine_decay_schedule", (0.0, math.nan, 1, 3), "^peak_value must be finite"),
    ("warmup_cosine_decay_schedule", (0.0, 1.0, 1, 3, math.nan), "^end_value must be finite"),
    ("warmup_exponential_decay_schedule", (0, math.nan, 1, 10, 0.5), "^peak_value must be finite"),
    ("linear_onecycle_schedule", (10, 1.0, "x"), "^pct_start must be a number"),
    ("linear_onecycle_schedule", (10, 1.0, 0.3, math.nan), "^pct_final must be finite"),
    ("cosine_onecycle_schedule", (10, 1.0, math.nan), "^pct_start must be finite"),
    ("cosine_onecycle_schedule", (10, "x"), "^peak_value must be a number"),
    ("piecewise_constant_schedule", (0.1, SCALES), r"\[2\] must be at least 0, got -0.1"),
    ("piecewise_constant_schedule", (0.1, {"5": 1.0}), "a boundary must be a number"),
    ("piecewise_interpolate_schedule", ("cubic", 0.1), "interpolate_type must be one of linear"),
    ("piecewise_interpolate_schedule", ("linear", 0.1, SCALES), r"\[2\] must be at least 0"),
    ("piecewise_interpolate_schedule", ("linear", 0.1, {-1: 1.0}), "at least 0, got -1"),
    ("linear_onecycle_schedule", (0, 0.1), "transition_steps must be above 0, got 0"),
    ("cosine_onecycle_schedule", (-1, 0.1), "transition_steps must be above 0, got -1"),
    ("cosine_onecycle_schedule", (10, 0.1, 0.3, 0), "div_factor must be above 0"),
    ("linear_onecycle_schedule", (10, 0.1, 0.3, 0.8, 25, 0), "final_div_factor must be above 0"),
    ("warmup_cosine_decay_schedule", (0, 0.1, 10, 10), "decay_steps must be above 10, got 10"),
    ("warmup_cosine_decay_schedule", (0, 0.1, -1, 10), "warmup_steps must be at least 0"),
    ("warmup_exponential_decay_schedule", (0, 0.1, -1, 10, 0.5), "warmup_steps must be at least"),
    ("sgdr_schedule", ([],), "one boundary less than schedules"),
    ("join_schedules", ([0.1, 0.2], []), "one boundary less than schedules"),
    ("join_schedules", ([0.1, 0.2, 0.3], [5, 4]), "boundaries must not fall"),
    ("join_schedules", ([0.1, None], [5]), r"schedules\[1\] must be a schedule"),
]


@pytest.mark.parametrize(("name", "own", "text"), ERRORS)
def test_an_argument_that_cannot_be_meant(name: str, own: Any, text: str) -> None:
    with pytest.raises((ValueError, TypeError), match=text):
        getattr(schedules, name)(*own)


def test_a_cycle_that_lacks_an_argument() -> None:
    with pytest.raises(TypeError, match="decay_steps"):
        sgdr_schedule([{"init_value": 0.0, "peak_value": 1.0, "warmup_steps": 1}])
