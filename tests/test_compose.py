"""Compositions: beside plain loops in float64, exactly on every device, their parts, bad input."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache, reduce
from operator import add, mul, sub, truediv
from typing import Any

import numpy as np
import pytest
from evaluation import mirror, on_gpu, truth
from samples import Samples

from grilly import vk, xfloat
from grilly.errors import TextError
from grilly.program import program
from grilly.schedules import (
    Average,
    Clip,
    Constant,
    Cosine,
    Cyclic,
    Difference,
    End,
    Exponential,
    Function,
    Interpolate,
    InverseSqrt,
    Join,
    Linear,
    MultiStep,
    PiecewiseConstant,
    PolynomialDecay,
    Product,
    Quotient,
    Schedule,
    Shift,
    StepDecay,
    Stretch,
    Sum,
    WarmRestarts,
    WarmUp,
    join,
)

RELATIVE = 1e-12
STEPS = np.concatenate([np.arange(90.0), np.random.default_rng(4).uniform(0, 90, 60)])
Plain = Callable[[float], float]

RAMP, WAVE = Linear(0.2, 1.0, 30), Cosine(0.9, 0.1, 40)
FALL = Exponential(0.5, 0.5, 10)


def ramp(t: float) -> float:
    return 0.2 + 0.8 * min(max(t, 0.0), 30.0) / 30


def wave(t: float) -> float:
    return 0.1 + 0.8 * (1 + math.cos(math.pi * t / 40)) / 2


def fall(t: float) -> float:
    return float(0.5 * 0.5 ** (max(t, 0.0) / 10))


def joined(t: float) -> float:
    """Return the ramp for 20 steps, the wave for 25, the fall after them."""
    if t < 20:
        return ramp(t)
    return wave(t - 20) if t < 45 else fall(t - 45)


def nested(t: float) -> float:
    if t < 50:
        return 0.5 * joined(math.floor(t / 2))
    return min(max(wave(t - 50) + ramp(t - 50), 0.6), 1.1)


# Compositions of positive parts: each rounds correctly to float32.
ROUNDED: dict[str, tuple[Schedule, Plain]] = {
    "sum": (Sum((RAMP, WAVE, 0.25)), lambda t: ramp(t) + wave(t) + 0.25),  # type: ignore[arg-type]
    "product": (Product((RAMP, WAVE, FALL)), lambda t: ramp(t) * wave(t) * fall(t)),
    "quotient": (Quotient((RAMP, WAVE, FALL)), lambda t: ramp(t) / wave(t) / fall(t)),
    "average": (Average((RAMP, WAVE, FALL)), lambda t: (ramp(t) + wave(t) + fall(t)) / 3),
    "join": (Join((RAMP, WAVE, FALL), (20, 45)), joined),
    "join with nothing between": (
        Join((RAMP, WAVE, FALL), (20, 20)),
        lambda t: ramp(t) if t < 20 else fall(t - 20),
    ),
    "join that begins later": (Join((RAMP, WAVE), (0,)), wave),
    "join of numbers": (
        join([1.0, 0.5, 2], [10, 60]),
        lambda t: [1.0, 0.5, 2.0][(t >= 10) + (t >= 60)],
    ),
    "shift": (Shift(RAMP, by=12.5), lambda t: ramp(t - 12.5)),
    "shift back": (Shift(WAVE, by=-7), lambda t: wave(t + 7)),
    "stretch": (Stretch(WAVE, by=7), lambda t: wave(t // 7)),
    "stretch by a half": (Stretch(WAVE, by=0.5), lambda t: wave(t // 0.5)),
    "stretch evenly": (Stretch(WAVE, by=7, whole=False), lambda t: wave(t / 7)),
    "clip": (Clip(WAVE, low=0.3, high=0.7), lambda t: min(max(wave(t), 0.3), 0.7)),
    "clamp": (End(WAVE, 25), lambda t: wave(min(t, 25))),
    "hold": (End(WAVE, 25, "hold"), lambda t: wave(min(t, 24))),
    "cycle": (End(RAMP, 25, "cycle"), lambda t: ramp(t % 25)),
    "error": (End(RAMP, 25, "error"), ramp),
    "operators": (
        (2 * RAMP + WAVE * FALL) / 4 + np.float64(0.5) * (1 / RAMP),
        lambda t: (2 * ramp(t) + wave(t) * fall(t)) / 4 + 0.5 / ramp(t),
    ),
    "warm-up of a product": (
        WarmUp(WAVE * FALL, 16, start=1e-3),
        lambda t: 1e-3 * (1 - t / 16) + 0.45 * t / 16 if t < 16 else wave(t - 16) * fall(t - 16),
    ),
    "nested": (
        Join(
            (0.5 * Stretch(Join((RAMP, WAVE, FALL), (20, 45)), 2), Clip(WAVE + RAMP, 0.6, 1.1)),
            (50,),
        ),
        nested,
    ),
}
# Where values cancel or are negative: the same bits everywhere, no promise about the last ones.
OTHERS: dict[str, tuple[Schedule, Plain]] = {
    "difference": (Difference((RAMP, WAVE, 0.25)), lambda t: ramp(t) - wave(t) - 0.25),  # type: ignore[arg-type]
    "minus": (1 - RAMP, lambda t: 1 - ramp(t)),
    "negative": (-RAMP - 0.5, lambda t: -ramp(t) - 0.5),
}
ALL = {**ROUNDED, **OTHERS}


@pytest.mark.parametrize("name", ALL)
def test_values_are_those_of_a_plain_loop(name: str) -> None:
    schedule, plain = ALL[name]
    want = [plain(float(t)) for t in STEPS]
    np.testing.assert_allclose(schedule(STEPS), want, RELATIVE, 1e-15)
    np.testing.assert_allclose([float(schedule(float(t))) for t in STEPS], want, RELATIVE, 1e-15)


# Compositions of every other built-in schedule, and np.where over schedules, at late steps too.
BUILT_IN: dict[str, Any] = {
    "steps": Join((MultiStep(0.1, (30, 60), 0.3), StepDecay(0.2, 7, 0.9)), (2000,)),
    "points": 3 * Interpolate((0, 500, 4000), (0.1, 1.0, 1e-4), "cosine") + 1e-5,
    "cycles": Product((Cyclic(0.01, 0.1, 30, 70, "triangular2"), Exponential(1.0, 0.999))),
    "restarts": WarmUp(WarmRestarts(0.1, 1e-4, 250), 100, shape="cosine") * 0.7,
    "late": Average((InverseSqrt(0.1, 300), PolynomialDecay(0.5, 0.01, 3000, 1.5), 1e-3)),  # type: ignore[arg-type]
    "stairs": End(Stretch(PiecewiseConstant((3, 9), (1.0, 0.3, 0.1)), 100), 1200, "cycle"),
    "where": lambda t: np.where(t % 3 < 2, RAMP(t / 40) * FALL(t / 100), Clip(WAVE, 0.2, 0.5)(t)),
}
EXACT = {name: schedule for name, (schedule, _) in ALL.items()} | BUILT_IN


def sampled(schedule: Any, count: int) -> Samples:
    """Return random steps of one schedule, whole and fractional, and the first ones."""
    rng = np.random.default_rng(5)
    t = np.floor(10.0 ** rng.uniform(0, 4, count))
    t = np.where(rng.random(count) < 0.1, t * rng.random(count), t)
    t[:100] = np.arange(100.0)
    return Samples(program(schedule), {}, t, np.ones(count, np.int64), lambda i: schedule)


@lru_cache(maxsize=1)
def mirrored(name: str) -> tuple[Samples, Any]:
    """Return samples and the mirror's words at them, for one device after the other."""
    samples = sampled(EXACT[name], 20_000)
    return samples, xfloat.to_words(mirror(samples))


@pytest.mark.numbers
@pytest.mark.parametrize("name", EXACT)
def test_gpu_equals_mirror_in_all_bits(device: vk.Device, name: str) -> None:
    samples, want = mirrored(name)
    np.testing.assert_array_equal(on_gpu(device, samples), want)


@pytest.mark.numbers
@pytest.mark.parametrize("name", [*ROUNDED, *BUILT_IN])
def test_mirror_is_correctly_rounded(name: str) -> None:
    samples = sampled(EXACT[name], 1000)
    got = np.broadcast_to(xfloat.to_float32(mirror(samples)), 1000).view(np.uint32)
    np.testing.assert_array_equal(got, truth(samples))


def test_numbers_are_no_part_of_a_structure() -> None:
    one = Join((Linear(0.1, 1.0, 5) * 0.5, Clip(Cosine(0.3, 0.1, 9), 0.1, 0.2)), (7,))
    two = Join((Linear(7.0, 0.0, 2) * 3.0, Clip(Cosine(1.0, 0.5, 4), 0.3, 0.9)), (1,))
    assert program(one).structure == program(two).structure


def test_the_parts_are_those_that_count_with_their_own_steps() -> None:
    def parts(schedule: Schedule, t: float) -> list[tuple[Schedule, float]]:
        return list(schedule.parts(t))

    assert parts(RAMP * WAVE + 1.0, 7) == [(RAMP * WAVE, 7), (Constant(1.0), 7)]
    sequence = Join((RAMP, WAVE, FALL), (20, 45))
    steps = (0, 19.5, 20, 44, 45, 99)
    active = [(RAMP, 0), (RAMP, 19.5), (WAVE, 0), (WAVE, 24), (FALL, 0), (FALL, 54)]
    assert [parts(sequence, t) for t in steps] == [[one] for one in active]
    assert parts(Join((RAMP, WAVE, FALL), (20, 20)), 20) == [(FALL, 0)]
    assert parts(Shift(RAMP, 3), 10) == [(RAMP, 7)]
    assert parts(Stretch(RAMP, 4), 10) == [(RAMP, 2)]
    assert parts(Stretch(RAMP, 4, whole=False), 10) == [(RAMP, 2.5)]
    assert parts(Clip(RAMP, 0.0, 1.0), 10) == [(RAMP, 10)]
    ends = {then: parts(End(RAMP, 8, then), 10) for then in ("clamp", "hold", "cycle", "error")}
    own_steps = {"clamp": 8, "hold": 7, "cycle": 2, "error": 10}
    assert ends == {then: [(RAMP, t)] for then, t in own_steps.items()}
    assert parts(RAMP, 3) == []


def test_a_part_on_its_own_step_has_its_value() -> None:
    """What parts() says must be what the value is made of."""
    for name in ("join", "shift", "stretch", "clamp", "hold", "cycle", "join that begins later"):
        schedule = ALL[name][0]
        for t in STEPS:
            ((part, own),) = schedule.parts(float(t))
            assert float(part(own)) == float(schedule(float(t))), (name, t)


LAST = End(RAMP, 30, "error")  # has steps 0 to 29
LASTS: dict[str, tuple[Schedule, float]] = {
    "none": (RAMP * WAVE, math.inf),
    "error": (LAST, 29),
    "sum": (RAMP + LAST, 29),
    "shorter": (LAST * End(WAVE, 10, "error"), 9),
    "shift": (Shift(LAST, 5), 34),
    "stretch": (Stretch(LAST, 10), 299),
    "stretch evenly": (Stretch(LAST, 10, whole=False), 290),
    "clip": (Clip(LAST, 0.0, 1.0), 29),
    "clamp in time": (End(LAST, 29), math.inf),
    "clamp too late": (End(LAST, 30), 29),
    "hold in time": (End(LAST, 30, "hold"), math.inf),
    "cycle in time": (End(LAST, 30, "cycle"), math.inf),
    "cycle too late": (End(LAST, 31, "cycle"), 29),
    "error first": (End(LAST, 12, "error"), 11),
    "error later": (End(LAST, 40, "error"), 29),
    "join in time": (Join((LAST, WAVE), (30,)), math.inf),
    "join too late": (Join((LAST, WAVE), (31,)), 29),
    "join at its end": (Join((WAVE, LAST), (50,)), 79),
    "warm-up": (WarmUp(LAST, 5), 34),
    "warm-up from its second step": (WarmUp(LAST, 5, first=1), 33),
    "warm-up on its clock": (WarmUp(LAST, 5, shifted=False), 29),
}


@pytest.mark.parametrize("name", LASTS)
def test_the_last_step_is_the_last_that_has_a_value(name: str) -> None:
    schedule, last = LASTS[name]
    assert schedule.last_step() == last
    assert last == next((t - 1 for t in range(400) if not has_value(schedule, t)), math.inf)


def has_value(schedule: Schedule, t: float) -> bool:
    """Whether no part that counts at step ``t`` is past an end that is an error."""
    if isinstance(schedule, End) and schedule.then == "error" and t > schedule.steps - 1:
        return False
    return all(has_value(part, own) for part, own in schedule.parts(t))


WRONG: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "nothing": (lambda: Sum(()), ValueError, "Sum needs at least one schedule, got none"),
    "a word": (lambda: Product((RAMP, "x")), TextError, "'x' is no name"),  # type: ignore[arg-type]
    "a bool": (
        lambda: Sum((RAMP, True)),
        TypeError,
        r"members\[1\] must be a schedule, .*, got True",
    ),  # type: ignore[arg-type]
    "plus a word": (lambda: RAMP + "x", TextError, "'x' is no name"),
    "minus a list": (lambda: [1.0] - RAMP, TypeError, "unsupported operand"),
    "few boundaries": (
        lambda: Join((RAMP, WAVE), ()),
        ValueError,
        r"one boundary less than schedules, got 2 schedules and boundaries=\(\)",
    ),
    "no schedules": (lambda: Join((), ()), ValueError, "got 0 schedules"),
    "boundaries": (
        lambda: Join((RAMP, WAVE, FALL), (5, 4)),
        ValueError,
        r"boundaries must not fall, got \(5, 4\)",
    ),
    "nan boundary": (
        lambda: Join((RAMP, WAVE), (math.nan,)),
        ValueError,
        r"boundaries\[0\] must be finite, got nan",
    ),
    "shift": (lambda: Shift(RAMP, "5"), TypeError, "by must be a number, got '5'"),  # type: ignore[arg-type]
    "stretch": (lambda: Stretch(RAMP, 0), ValueError, "by must be above 0, got 0"),
    "clip": (lambda: Clip(RAMP, 2.0, 1.0), ValueError, "low must not be above high, got 2.0 and"),
    "clip nan": (lambda: Clip(RAMP, 0.0, math.nan), ValueError, "high must be finite, got nan"),
    "then": (
        lambda: End(RAMP, 5, "stop"),
        ValueError,
        "then must be one of clamp, hold, cycle, error, got 'stop'",
    ),
    "no steps": (lambda: End(RAMP, 0), ValueError, "steps must be at least 1, got 0"),
    "no schedule": (lambda: Shift(None, 5), TypeError, "schedule must be a schedule, .*, got None"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("name", WRONG)
def test_errors_name_what_was_seen(name: str) -> None:
    make, kind, text = WRONG[name]
    with pytest.raises(kind, match=text):
        make()


def test_a_phase_need_not_have_a_value_before_its_time() -> None:
    """StepDecay divides by its gamma before step 0: no warning, as pytest makes it an error."""
    schedule = Join((RAMP, StepDecay(0.1, 10, gamma=0.0)), (5,))
    assert schedule(np.array([4.0, 5.0, 14.0, 15.0])).tolist() == [float(RAMP(4)), 0.1, 0.1, 0.0]


@pytest.mark.parametrize("wrapped", [False, True])
def test_warm_ups_one_in_another_ask_for_few_values(wrapped: bool) -> None:
    """Each asks its schedule for two; 2^20 of them would take minutes."""
    asked = []

    def level(t: Any) -> Any:
        asked.append(t)
        return t * 0 + 0.5

    schedule: Schedule = Function(level)
    for _ in range(20):
        schedule = WarmUp(schedule, 2)
        schedule = Clip(schedule, 0.0, 1.0) if wrapped else schedule
    # Each first value but the innermost is 0, until the clock of the innermost comes.
    assert [float(schedule(t)) for t in (0, 38, 39, 40, 99)] == [0.0, 0.0, 0.25, 0.5, 0.5]
    np.testing.assert_array_equal(schedule(np.array([38, 39, 40])), [0.0, 0.25, 0.5])
    made = program(schedule)
    assert len(asked) <= 7 * 25
    assert len(made.structure.nodes) < 20 * 40


def test_a_warm_up_asks_anew_each_time() -> None:
    """Functions may change between two evaluations."""
    level = [0.5]
    schedule = WarmUp(Function(lambda t: level[0]), 2)
    assert float(schedule(1)) == 0.25
    level[0] = 1.0
    assert float(schedule(1)) == 0.5


@pytest.mark.parametrize("operation", [add, sub, mul, truediv])
def test_a_long_chain_of_operators_is_one_combination(operation: Callable[..., Any]) -> None:
    """With the roundings of Python's own chain, which goes from left to right."""
    numbers = np.random.default_rng(3).uniform(0.5, 2.0, 300).tolist()
    chain = reduce(operation, map(Constant, numbers))
    assert len(chain.members) == len(numbers)
    assert chain(0) == reduce(operation, numbers)
    assert program(reduce(operation, [Linear(n, 0.0, 10) for n in numbers[:150]]))
    right = Constant(3.0) - (Constant(2.0) - Constant(1.0))
    assert right(0) == 2.0
    assert len((Average((1.0, 2.0)) + 1.0).members) == 2
