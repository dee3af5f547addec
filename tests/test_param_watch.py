"""ParamScheduler: what is shown is what the device has, whatever a function or text does.

And what is changed in the middle of a window: a schedule, a group.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from param_cases import CURVES, Place, made, update

from grilly.optim import ParamScheduler
from grilly.rules import Plateau
from grilly.schedules import End, Function, Join, Product, Schedule, parse


def shown(scheduler: Any) -> float:
    """Return the rate that is shown; check that the device has it too."""
    rates: list[float] = scheduler.get_last_lr()
    held = scheduler.optimizer.read_hyperparameters()["lr"]
    np.testing.assert_allclose(held, rates, rtol=2.0**-23)
    return rates[0]


def walk(scheduler: Any, steps: int, *metrics: float) -> list[float]:
    """Return the rate at each step, the same on the host and the device."""
    seen = []
    for _ in range(steps):
        seen.append(shown(scheduler))
        update(scheduler.optimizer)
        scheduler.step(*metrics)
    return seen


@dataclass(frozen=True)
class Typed(Schedule):
    """A class of a user's, which asks for its step's type."""

    def __call__(self, t: Any) -> Any:
        return typed(t)


def typed(t: Any) -> Any:
    return 0.01 if isinstance(t, (int, float)) and t >= 5 else 0.5


# A root of what is negative is nan on the host, and no number is less; on the device it is 0.
ROOT = "0.1 if sqrt(t - 3) < 1 else 0.5"
ROOTS = [0.5, 0.5, 0.5, 0.1, 0.5, 0.5, 0.5, 0.5]
TYPES = [0.5] * 5 + [0.01] * 3


@pytest.mark.parametrize(
    ("schedule", "want"),
    [
        (ROOT, ROOTS),
        (Product((1.0, parse(ROOT))), ROOTS),
        (typed, TYPES),
        (Typed(), TYPES),
        (Join((Function(typed), 0.25), (100,)), TYPES),
        (lambda t: 0.01 if isinstance(t, int) and t >= 5 else 0.5, TYPES),
    ],
)
def test_one_value_is_shown_and_held(schedule: Any, want: list[float], place: Place) -> None:
    scheduler = ParamScheduler(made("SGD", place), {"lr": schedule})
    assert scheduler.preview(8)["lr"][:, 0].tolist() == want
    assert walk(scheduler, 8) == want


@pytest.mark.parametrize("t", [0, 5, 1000])
def test_a_loaded_step_is_looked_at_at_once(t: int) -> None:
    scheduler = ParamScheduler(made("SGD"), {"lr": typed})
    scheduler.load_state_dict({"last_epoch": t})
    assert walk(scheduler, 3) == [typed(t + i) for i in range(3)]


@pytest.mark.parametrize("make", [lambda call: call, lambda call: Product((0.5, Function(call)))])
def test_a_closure_that_changes_is_noticed_at_the_next_window(make: Callable[..., Any]) -> None:
    factor = {"x": 1.0}
    scheduler = ParamScheduler(made("SGD"), {"lr": make(lambda t: factor["x"] * 0.5)})
    first = shown(scheduler)
    for change in (0.5, 0.25, 0.125, 0.0625, 2.0):  # traced anew, and then asked on the host
        walk(scheduler, 100)
        factor["x"] = change
        later = walk(scheduler, 256)
        assert later[-1] == first * change and set(later) <= {later[0], later[-1]}


def test_a_window_is_at_most_256_steps_and_a_function_is_traced_anew() -> None:
    factor = {"x": 1.0}
    scheduler = ParamScheduler(made("SGD"), {"lr": lambda t: factor["x"] * 0.5})
    (course,) = {course for _, _, course in scheduler._following.scheduled()}
    for change, on_host in ((0.5, False), (0.25, False), (0.125, True)):
        for _ in range(520):
            scheduler.step()
        factor["x"] = change
        for _ in range(256):
            scheduler.step()
        assert scheduler.get_last_lr() == [0.5 * change] * 2
        assert course._on_host == on_host


def test_a_closure_that_changes_beside_a_rule(place: Place) -> None:
    factor = {"x": 1.0}
    tree = Product((Function(lambda t: factor["x"] * 0.5), Plateau(1.0, factor=0.5, patience=0)))
    scheduler = ParamScheduler(made("SGD", place), {"lr": tree})
    assert walk(scheduler, 3, 1.0) == [0.5, 0.5, 0.25]
    factor["x"] = 0.5
    walk(scheduler, 2, 1.0)
    assert shown(scheduler) == 0.25 * 2.0**-4


def test_formulas_that_agree_stay_on_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Roundings are no difference: of what comes near 0, relative to the window's largest."""
    asked: list[Any] = []

    def wave(t: Any) -> Any:
        asked.append(t)
        return 1e-3 * np.cos(math.pi * t / 40) ** 2 * 0.97**t

    scheduler = ParamScheduler(made("SGD"), {"lr": wave, "momentum": "half_cosine(t / 40)"})
    for _ in range(1100):
        scheduler.step()
    assert not any(course._on_host for _, _, course in scheduler._following.scheduled())
    plain = [t for t in asked if isinstance(t, (int, float))]
    assert len(plain) < 60 and all(type(t) is int for t in plain)


def test_a_functions_int_does_not_overflow() -> None:
    """End makes an int64 of an int: its power would be another number from step 79 on."""
    curve = End(Function(lambda t: 0.5 / (1.0 + 1e-15 * t**10)), 1000)
    scheduler = ParamScheduler(made("SGD"), {"lr": curve})
    for t in range(200):
        assert scheduler.get_last_lr()[0] == pytest.approx(0.5 / (1.0 + 1e-15 * t**10), rel=1e-12)
        scheduler.step()


def test_an_optimizer_of_torch_gets_the_functions_values_too() -> None:
    optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.1)
    scheduler = ParamScheduler(optimizer, {"lr": typed})
    for rate in TYPES:
        assert scheduler.get_last_lr() == [rate]
        scheduler.step()


# --- Changes in the middle of a window ------------------------------------------------------------


def in_mid_window(schedules: dict[str, Any]) -> ParamScheduler:
    """Return a scheduler whose next steps are known already."""
    scheduler = ParamScheduler(made("SGD"), schedules)
    for _ in range(10):
        scheduler.step()
    assert scheduler._track.at + 3 < scheduler._track.end
    return scheduler


def test_a_schedule_that_is_replaced_counts_from_the_next_step_on() -> None:
    scheduler = in_mid_window({"lr": CURVES[0]})
    scheduler.schedules["lr"] = CURVES[1]
    scheduler.step()
    assert shown(scheduler) == pytest.approx(float(CURVES[1](11)), rel=1e-15)


def test_a_schedule_in_a_list_that_is_replaced_counts_from_the_next_step_on() -> None:
    scheduler = in_mid_window({"lr": [CURVES[0], CURVES[2]]})
    scheduler.schedules["lr"][1] = 0.25
    scheduler.step()
    assert scheduler.get_last_lr() == pytest.approx([float(CURVES[0](11)), 0.25], rel=1e-15)


def test_a_name_that_is_added_counts_from_the_next_step_on() -> None:
    scheduler = in_mid_window({"lr": CURVES[0]})
    scheduler.schedules["momentum"] = 0.25
    scheduler.step()
    assert [group["momentum"] for group in scheduler.optimizer.param_groups] == [0.25] * 2


def test_a_group_that_is_added_follows_from_the_next_step_on() -> None:
    scheduler = in_mid_window({"lr": CURVES[0]})
    scheduler.optimizer.add_param_group({"params": [np.ones(2, np.float32)], "lr": 7.0})
    scheduler.step()
    assert scheduler.get_last_lr() == pytest.approx([float(CURVES[0](11))] * 3, rel=1e-15)
    assert scheduler.optimizer.param_groups[2]["lr"] == scheduler.get_last_lr()[2]
