"""Decays, ramps, steps and warm-ups in float64, beside plain loops and other libraries' runs."""

from __future__ import annotations

import json
import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grilly.errors import TextError
from grilly.optim.rows import values_of
from grilly.program import program
from grilly.schedules import (
    SHIPPED,
    Constant,
    Cosine,
    End,
    Exponential,
    Geometric,
    Interpolate,
    InversePower,
    InverseSqrt,
    InverseTime,
    Join,
    Linear,
    MultiStep,
    Noam,
    PiecewiseConstant,
    PolynomialDecay,
    Schedule,
    Shift,
    StepDecay,
    WarmUp,
)

GOLDEN = Path(__file__).with_name("golden")
RELATIVE, OF_LARGEST = 1e-12, 4e-16
Plain = Callable[[float], float]


def clipped(x: float, most: float = 1.0) -> float:
    return min(max(x, 0.0), most)


def multi_step(t: float, milestones: list[float], gamma: float) -> float:
    value = 0.3
    for milestone in milestones:
        if t >= milestone:
            value *= gamma
    return value


def exponential(t: float, end: float | None = None, stair: bool = False) -> float:
    if t <= 20:
        return 0.3
    n = (t - 20) / 7
    value = 0.3 * 0.6 ** (math.floor(n) if stair else n)
    return value if end is None else max(value, end)


def growing(t: float) -> float:
    return min(1e-3 * 1.5 ** (max(t, 0) / 4), 0.2)


def polynomial(t: float, start: float, end: float, power: float) -> float:
    return (start - end) * (1 - clipped(t - 5, 80) / 80) ** power + end


def cyclic(t: float) -> float:
    if t <= 0:
        return 0.3
    steps = 30 * math.ceil(t / 30)
    return (0.3 - 0.01) * (1 - t / steps) ** 1.5 + 0.01


def k_decay(t: float) -> float:
    return 0.01 + (0.3 - 0.01) * (1 - clipped(t, 80) ** 1.7 / 80**1.7) ** 0.9


def noam(t: float, warmup: float) -> float:
    k = max(t, 0) + 1
    late = k**-0.5
    return 0.7 * 512**-0.5 * (min(late, k * warmup**-1.5) if warmup else late)


def between_points(t: float, cosine: bool) -> float:
    steps, values = [3, 20, 20, 50, 90], [0.1, 0.5, 0.3, 0.3, 0.02]
    i = bisect_right(steps, t)
    if i in (0, len(steps)):
        return values[0] if i == 0 else values[-1]
    share = (t - steps[i - 1]) / (steps[i] - steps[i - 1])
    if cosine:
        share = (1 - math.cos(math.pi * share)) / 2
    return values[i - 1] * (1 - share) + values[i] * share


def warmed(t: float, shape: str, first: int = 0) -> float:
    """Return the value of a warm-up of 40 steps from 0.02 to 0.3, then a line to 0."""
    k = max(t + first, 0)
    if k >= 40:
        return 0.3 * (1 - clipped((k - 40) / 50))
    share = {
        "linear": k / 40,
        "cosine": (1 - math.cos(math.pi * k / 40)) / 2,
        "exponential": 0.0,
        "log": math.log(min(k + 1, 40)) / math.log(40),
        "1-sqrt": 1 - math.sqrt(1 - k / 40),
    }[shape]
    if shape == "exponential":
        return float(0.02 * (0.3 / 0.02) ** (k / 40))
    return 0.02 * (1 - share) + 0.3 * share


def warmed_linear(shape: str, first: int = 0) -> WarmUp:
    return WarmUp(Linear(0.3, 0.0, 50), 40, start=0.02, shape=shape, first=first)


BOUNDS, VALUES = [10, 30, 30, 60], [0.1, 0.3, 7.0, 0.2, 0.05]

CASES: dict[str, tuple[Schedule, Plain]] = {
    "multi_step": (
        MultiStep(0.3, (40, 7, 40, 90), -0.5),
        lambda t: multi_step(t, [7, 40, 40, 90], -0.5),
    ),
    "multi_step ahead": (
        MultiStep(0.3, (40, 7), 0.1, ahead=1),
        lambda t: multi_step(t + 1, [40, 7], 0.1),
    ),
    "no milestones": (MultiStep(0.3, ()), lambda t: 0.3),
    "20 milestones": (
        MultiStep(0.3, tuple(range(0, 100, 5)), 0.9),
        lambda t: multi_step(t, list(range(0, 100, 5)), 0.9),
    ),
    "piecewise new": (
        PiecewiseConstant(BOUNDS, VALUES),  # type: ignore[arg-type]
        lambda t: VALUES[bisect_right(BOUNDS, t)],
    ),
    "piecewise old": (
        PiecewiseConstant(BOUNDS, VALUES, "old"),  # type: ignore[arg-type]
        lambda t: VALUES[bisect_left(BOUNDS, t)],
    ),
    "piecewise old ahead": (
        PiecewiseConstant(BOUNDS, VALUES, "old", ahead=1),  # type: ignore[arg-type]
        lambda t: VALUES[bisect_left(BOUNDS, t + 1)],
    ),
    "piecewise of one": (PiecewiseConstant((), (0.3,)), lambda t: 0.3),
    "piecewise of 8": (
        PiecewiseConstant(tuple(range(0, 80, 10)), tuple(range(9))),
        lambda t: float(sum(t >= bound for bound in range(0, 80, 10))),
    ),
    "exponential": (Exponential(0.3, 0.6, 7, begin=20), exponential),
    "exponential stair": (
        Exponential(0.3, 0.6, 7, 20, staircase=True),
        lambda t: exponential(t, stair=True),
    ),
    "exponential to": (Exponential(0.3, 0.6, 7, 20, end=0.01), lambda t: exponential(t, 0.01)),
    "exponential stair to": (
        Exponential(0.3, 0.6, 7, 20, True, 0.01),
        lambda t: exponential(t, 0.01, True),
    ),
    "growing": (Exponential(1e-3, 1.5, 4, end=0.2), growing),
    "rate 0": (Exponential(0.3, 0.0, 4), lambda t: 0.3 if t <= 0 else 0.0),
    "geometric": (
        Geometric(1e-5, 2.0, 60, begin=9),
        lambda t: float(1e-5 * 2e5 ** (clipped((t - 9) / 60))),
    ),
    "geometric at once": (Geometric(0.1, 2.0, 0, begin=9), lambda t: 0.1 if t < 9 else 2.0),
    "inverse_time": (
        InverseTime(0.3, 0.5, 8, begin=3),
        lambda t: 0.3 / (1 + 0.5 * max(t - 3, 0) / 8),
    ),
    "inverse_time stair": (
        InverseTime(0.3, 0.5, 8, staircase=True),
        lambda t: 0.3 / (1 + 0.5 * math.floor(max(t, 0) / 8)),
    ),
    "inverse_sqrt": (
        InverseSqrt(0.3, 16, begin=10),
        lambda t: 0.3 / math.sqrt((max(t - 10, 0) + 16) / 16),
    ),
    "Megatron's": (
        InverseSqrt(0.3, 16, begin=16),
        lambda t: 0.3 * math.sqrt(16) / math.sqrt(max(t, 16)),
    ),
    "inverse_power": (
        InversePower(0.3, 16, 0.8, begin=10),
        lambda t: float(0.3 * (1 + max(t - 10, 0) / 16) ** -0.8),
    ),
    "noam": (Noam(0.7, 40, 512), lambda t: noam(t, 40)),
    "noam without warm-up": (Noam(0.7, 0, 512), lambda t: noam(t, 0)),
    "linear": (
        Linear(0.3, 0.1, 70, begin=4),
        lambda t: 0.3 + (0.1 - 0.3) * clipped((t - 4) / 70),
    ),
    "linear up": (Linear(0.0, 0.1, 33), lambda t: 0.1 * clipped(t / 33)),
    "linear at once": (Linear(0.3, 0.1, 0, begin=4), lambda t: 0.3 if t < 4 else 0.1),
    "polynomial": (
        PolynomialDecay(0.3, 0.01, 80, 2.5, begin=5),
        lambda t: polynomial(t, 0.3, 0.01, 2.5),
    ),
    "polynomial up": (
        PolynomialDecay(0.01, 0.3, 80, 0.7, begin=5),
        lambda t: polynomial(t, 0.01, 0.3, 0.7),
    ),
    "polynomial of power 0": (
        PolynomialDecay(0.3, 0.01, 80, 0, begin=5),
        lambda t: polynomial(t, 0.3, 0.01, 0),
    ),
    "polynomial at once": (PolynomialDecay(0.3, 0.1, 0), lambda t: 0.3 if t < 0 else 0.1),
    "polynomial cycle": (PolynomialDecay(0.3, 0.01, 30, 1.5, cycle=True), cyclic),
    "polynomial k": (PolynomialDecay(0.3, 0.01, 80, 0.9, k_decay=1.7), k_decay),
    "interpolate": (
        Interpolate((3, 20, 20, 50, 90), (0.1, 0.5, 0.3, 0.3, 0.02)),
        lambda t: between_points(t, False),
    ),
    "interpolate cosine": (
        Interpolate((3, 20, 20, 50, 90), (0.1, 0.5, 0.3, 0.3, 0.02), "cosine"),
        lambda t: between_points(t, True),
    ),
    "interpolate one": (Interpolate((3,), (0.1,)), lambda t: 0.1),
    **{
        f"warm_up {shape}": (warmed_linear(shape), lambda t, s=shape: warmed(t, s))
        for shape in ("linear", "cosine", "exponential", "log", "1-sqrt")
    },
    "warm_up first": (warmed_linear("linear", 1), lambda t: warmed(t, "linear", 1)),
    "warm_up of a number": (WarmUp(0.3, 4), lambda t: 0.3 * clipped(t / 4)),  # type: ignore[arg-type]
    "warm_up to another": (
        WarmUp(Linear(0.3, 0.0, 50), 10, target=1.0),
        lambda t: clipped(t, 10) / 10 if t < 10 else 0.3 * (1 - clipped((t - 10) / 50)),
    ),
    "warm_up unshifted": (
        WarmUp(Linear(0.3, 0.0, 50), 10, shifted=False),
        lambda t: 0.3 * clipped(t / 10) if t < 10 else 0.3 * (1 - clipped(t / 50)),
    ),
    "no warm_up": (
        WarmUp(Linear(0.3, 0.0, 50), 0),
        lambda t: 0.3 * (1 - clipped(t / 50)) if t >= 0 else 0.0,
    ),
}
STEPS = np.concatenate([np.arange(-3.0, 130.0), np.random.default_rng(3).uniform(0, 130, 200)])


@pytest.mark.parametrize("name", CASES)
def test_values_are_those_of_the_plain_formula(name: str) -> None:
    schedule, plain = CASES[name]
    want = np.array([plain(float(t)) for t in STEPS])
    atol = OF_LARGEST * np.abs(want).max()
    got = np.broadcast_to(schedule(STEPS), STEPS.shape)
    np.testing.assert_allclose(got, want, RELATIVE, atol)
    alone = [float(schedule(t)) for t in (*map(int, STEPS[:40]), *map(float, STEPS[-40:]))]
    np.testing.assert_allclose(alone, [*want[:40], *want[-40:]], RELATIVE, atol)


def test_all_side_by_side_have_their_own_values() -> None:
    """A group each: those of one class are computed at once where they differ in numbers only."""
    schedules = [schedule for schedule, _ in CASES.values()]
    alone = [np.broadcast_to(schedule(STEPS), STEPS.shape) for schedule in schedules]
    # A power with an array of exponents may round otherwise than with one.
    np.testing.assert_allclose(values_of(schedules, STEPS), alone, rtol=4e-16)


@pytest.mark.parametrize("name", ["linear", "linear up", "polynomial", "geometric", "interpolate"])
def test_the_ends_are_exactly_those_given(name: str) -> None:
    schedule = CASES[name][0]
    ends = schedule(-1), schedule(1000)
    given = [value for value in vars(schedule).values() if isinstance(value, float)]
    assert ends == tuple(given[:2] or (0.1, 0.02))


def test_a_first_step_far_below_the_end_keeps_its_digits() -> None:
    """1 - (1 - 1e-9)^3 cancels to seven digits if it is computed so."""
    ramp = PolynomialDecay(0.0, 1.0, 10**9, power=3)
    assert float(ramp(1)) == pytest.approx(3e-9 - 3e-18, rel=1e-15, abs=0)
    slow = PolynomialDecay(1.0, 0.0, 10**9, power=1, k_decay=3)
    assert float(slow(10**9 - 1)) == pytest.approx(3e-9 - 3e-18, rel=1e-15, abs=0)


# Schedules of lists, by their length: all must be one of the shipped structures.
OF_LENGTH: dict[str, Callable[[int], Schedule]] = {
    "multi_step": lambda n: MultiStep(0.1, tuple(range(n)), 0.9),
    "piecewise_constant_new": lambda n: PiecewiseConstant(tuple(range(n)), (0.1,) * (n + 1)),
    "piecewise_constant_old": lambda n: PiecewiseConstant(tuple(range(n)), (0.1,) * (n + 1), "old"),
    "interpolate_linear": lambda n: Interpolate(tuple(range(n)), (0.1,) * n),
    "interpolate_cosine": lambda n: Interpolate(tuple(range(n)), (0.1,) * n, "cosine"),
}


@pytest.mark.parametrize("name", OF_LENGTH)
def test_no_length_of_a_list_is_a_structure_of_its_own(name: str) -> None:
    shipped = {places: program(SHIPPED[f"{name}_{places}"]).structure for places in (8, 64, 512)}
    for n in (1, 2, 6, 7, 8, 9, 63, 64, 65, 511, 512):
        room = n + (name != "multi_step")
        if room <= 512:
            places = next(p for p in shipped if p >= room)
            assert program(OF_LENGTH[name](n)).structure == shipped[places], n


def scaled(schedule: Callable[[float], Schedule]) -> list[Schedule]:
    """Return timm's two groups: rates 0.1, and 0.01 with lr_scale 0.5."""
    return [schedule(0.1), 0.5 * schedule(0.01)]


ROWS = 301
PEERS: dict[str, Schedule | list[Schedule]] = {
    "keras_exponential_stair": Exponential(0.1, 0.6, 50, staircase=True),
    "keras_inverse_time_stair": InverseTime(0.1, 0.5, 20, staircase=True),
    "keras_piecewise": PiecewiseConstant((50, 120, 200), (0.1, 0.05, 0.2, 0.01), "old"),
    "keras_polynomial": PolynomialDecay(0.1, 0.001, 200, 2.0),
    "keras_polynomial_cycle": PolynomialDecay(0.1, 0.001, 70, cycle=True),
    "timm_multistep": scaled(lambda lr: WarmUp(MultiStep(lr, (60, 120, 240), 0.1, ahead=1), 5)),
    "timm_poly": scaled(
        lambda lr: WarmUp(PolynomialDecay(lr, 1e-5, 250, 0.9), 10, start=1e-5, shifted=False)
    ),
    "fvcore_linear": Linear(0.1, 0.01, 300),
    "fvcore_multistep": PiecewiseConstant((100, 200), (0.1, 0.05, 0.01)),
    "fvcore_poly": PolynomialDecay(0.1, 0.0, 300, 0.9),
    "fvcore_step": PiecewiseConstant((75, 150, 225), (0.1, 0.01, 0.001, 0.0001)),
    "fvcore_step_gamma": StepDecay(0.1, 75, 0.1),
    # The second phase's clock has run all along.
    "fvcore_composite_fixed": Join(
        (Linear(0.0, 0.1, 30), Shift(Cosine(0.1, 0.0, 300), by=-30)), (30,)
    ),
    "ignite_piecewise_linear": Interpolate((10, 20, 21, 30, 200), (0.5, 0.45, 0.3, 0.1, 0.01)),
    "mlx_linear": Linear(0.0, 0.1, 100),
    "mlx_step": StepDecay(0.1, 10, 0.9),
    "mlx_join": Join((Linear(0.0, 0.1, 20), End(Cosine(0.1, 0.0, 250), 250)), (20,)),
}


@pytest.mark.parametrize("name", PEERS)
def test_values_are_those_that_others_gave(name: str) -> None:
    recorded = json.loads((GOLDEN / f"{name}.json").read_text())
    want = np.array(recorded["lr"]).T
    own = PEERS[name]
    steps = np.arange(float(want.shape[1]))
    got = [schedule(steps) for schedule in (own if isinstance(own, list) else [own])]
    # MLX computes in float32, a cosine as 1 + cos.
    relative, absolute = (2e-6, 1e-8) if name.startswith("mlx") else (1e-9, 0)
    np.testing.assert_allclose(got, want, relative, absolute)
    assert want.shape[1] == (ROWS if recorded["error"] is None else recorded["error"]["row"])


WRONG: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "steps": (lambda: Linear(0.1, 0.2, -1), ValueError, "steps must be at least 0, got -1"),
    "a word": (lambda: Linear("0.1", 0.2, 1), TypeError, "start must be a number, got '0.1'"),  # type: ignore[arg-type]
    "a bool": (lambda: Noam(True), TypeError, "factor must be a number, got True"),
    "nan": (lambda: Exponential(math.nan, 0.5), ValueError, "value must be finite, got nan"),
    "rate": (lambda: Exponential(0.1, -0.5), ValueError, "rate must be at least 0, got -0.5"),
    "end": (lambda: Exponential(0.1, 0.5, end=math.inf), ValueError, "end must be finite, got inf"),
    "zero steps": (lambda: InverseTime(0.1, 0.5, 0), ValueError, "steps must be above 0, got 0"),
    "timescale": (lambda: InverseSqrt(0.1, 0), ValueError, "timescale must be above 0, got 0"),
    "power": (
        lambda: PolynomialDecay(0.1, 0, 5, power=-1),
        ValueError,
        "power must be at least 0, got -1",
    ),
    "cycle": (
        lambda: PolynomialDecay(0.1, 0, 0, cycle=True),
        ValueError,
        "steps must be above 0, got 0",
    ),
    "k_decay": (lambda: PolynomialDecay(1, 0, 5, k_decay=0), ValueError, "k_decay must be above 0"),
    "way from 0": (lambda: Geometric(0.0, 1.0, 5), ValueError, "of one sign.* got 0.0 and 1.0"),
    "no list": (lambda: MultiStep(0.1, 30), TypeError, "milestones must be a list of numbers"),  # type: ignore[arg-type]
    "milestones": (
        lambda: MultiStep(0.1, (3, math.nan)),
        ValueError,
        r"milestones\[1\] must be finite, got nan",
    ),
    "values": (
        lambda: PiecewiseConstant((1, 2), (0.1, 0.2)),
        ValueError,
        "got 2 boundaries and 2 values",
    ),
    "boundaries": (
        lambda: PiecewiseConstant((2, 1), (0.1, 0.2, 0.3)),
        ValueError,
        r"boundaries must not fall, got \(2, 1\)",
    ),
    "owner": (
        lambda: PiecewiseConstant((1,), (0.1, 0.2), "older"),
        ValueError,
        "owner must be one of new, old, got 'older'",
    ),
    "points": (lambda: Interpolate((1, 2), (0.1,)), ValueError, "got 2 steps and 1 values"),
    "no points": (lambda: Interpolate((), ()), ValueError, "steps must have at least 1 numbers"),
    "points fall": (lambda: Interpolate((2, 1), (0.1, 0.2)), ValueError, "steps must not fall"),
    "how": (lambda: Interpolate((1,), (0.1,), "log"), ValueError, "how must be one of linear, cos"),
    "shape": (lambda: WarmUp(Constant(1.0), 5, shape="sqrt"), ValueError, "shape must be one of"),
    "from 0": (lambda: WarmUp(Constant(1.0), 5, shape="exponential"), ValueError, "of one sign"),
    "schedule": (lambda: WarmUp("cosine", 5), TextError, "'cosine' is no name"),  # type: ignore[arg-type]
    "first": (lambda: WarmUp(Constant(1.0), 5, first=-1), ValueError, "first must be at least 0"),
}


@pytest.mark.parametrize("name", WRONG)
def test_errors_name_the_argument_and_what_was_seen(name: str) -> None:
    make, kind, text = WRONG[name]
    with pytest.raises(kind, match=text):
        make()


def test_a_warm_up_counts_its_schedule_only_after_it() -> None:
    decay = Linear(0.3, 0.0, 50)
    assert list(WarmUp(decay, 10).parts(9)) == []
    assert list(WarmUp(decay, 10).parts(12)) == [(decay, 2.0)]
    assert list(WarmUp(decay, 10, first=1).parts(9)) == [(decay, 0.0)]
    assert list(WarmUp(decay, 10, shifted=False).parts(12)) == [(decay, 12.0)]
    ending = End(decay, 30, "error")
    assert WarmUp(ending, 10).last_step() == 39
    assert WarmUp(ending, 10, first=1).last_step() == 38
    assert WarmUp(ending, 10, shifted=False).last_step() == 29
