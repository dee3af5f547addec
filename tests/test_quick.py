"""numpy's quick values: float64 with bounds, the mirror where in doubt, and always its bits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from evaluation import mirror
from mpmath import mp, mpf
from sample_numbers import BY_FIELD
from samples import Samples, draw
from test_random_formulas import draw as draw_random
from test_random_formulas import programs

from grilly import quick, xfloat
from grilly.expr import OPS, log2_of_base, numbers_in_a_list, power_from_log
from grilly.mathfun import cospi, half_cosine, sinpi
from grilly.program import Node, Structure, evaluate, program
from grilly.quick import functions, near, rows
from grilly.quick.rules import RULES
from grilly.schedules import (
    SHIPPED,
    Constant,
    Cosine,
    Debias1,
    Debias2,
    Exponential,
    Linear,
    OneCycle,
    PolynomialDecay,
    StepDecay,
)

pytestmark = pytest.mark.numbers

SAMPLES = 100_000
ATTACKS = 1000


def float32_bits(x: xfloat.X, shape: Any) -> Any:
    return np.broadcast_to(xfloat.to_float32(x), shape).view(np.uint32)


def wrong(structure: Structure, constants: Any, t: Any, k: Any) -> Any:
    """Return the places of the samples where the bits are not the mirror's."""
    steps = xfloat.from_float64(t), xfloat.from_int(k)
    want = float32_bits(evaluate(structure, constants, *steps), t.shape)
    return np.flatnonzero(quick.values(structure, constants, *steps).view(np.uint32) != want)


def count_of(samples: Any, total: int) -> int:
    """Return how many samples of a structure take a fraction of a second."""
    long = samples.program.structure.words
    return total if long < 100 else total // 50 if long < 1000 else total // 500


def check_bits(name: str, total: int) -> None:
    samples = draw(name, count_of(draw(name, 2, 0), total), seed=5)
    own = samples.program.structure
    assert wrong(own, samples.constants, samples.t, samples.k).size == 0


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_structures_have_the_mirrors_bits(name: str) -> None:
    check_bits(name, SAMPLES if name in BY_FIELD else SAMPLES // 50)


@pytest.mark.heavy
@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_structures_have_the_mirrors_bits_1e5(name: str) -> None:
    check_bits(name, SAMPLES)


def test_random_formulas_have_the_mirrors_bits() -> None:
    check_random(60, 1000)


@pytest.mark.heavy
def test_many_more_random_formulas_have_the_mirrors_bits() -> None:
    check_random(1000, 5000)


def check_random(formulas: int, count: int) -> None:
    for seed, own in enumerate(programs(formulas)):
        samples = draw_random(own, count, seed)
        found = wrong(own.structure, samples.constants, samples.t, samples.k)
        assert found.size == 0, (own.structure, samples.t[found[:3]], samples.k[found[:3]])


# ---- Values beside the middle of two float32 -----------------------------------------------------


def attacked(samples: Samples) -> tuple[Structure, Any]:
    """Return a structure, scale * what it was, and constants that bring it next to a tie.

    scale is a middle between two float32 over the value, rounded to float64: the product is within
    2^-53 of the tie, on any side of it, and float64's own errors cross it again and again.
    """
    own, constants = samples.program.structure, samples.constants
    value = xfloat.to_float64(mirror(samples))
    value = np.broadcast_to(value, samples.t.shape)
    usable = (np.abs(value) > 1e-30) & (np.abs(value) < 1e30)
    rng = np.random.default_rng(1)
    middle = 1 + (2.0 * rng.integers(0, 1 << 23, len(value)) + 1) * 2.0**-24
    scale = np.where(usable, middle / np.where(usable, value, 1), 1.0)
    words = xfloat.to_words(xfloat.from_float64(scale))
    nodes = (*own.nodes, Node("constant", (len(own.slots),)))
    nodes = (*nodes, Node(np.multiply, (len(nodes) - 2, len(nodes) - 1)))
    return Structure(nodes, (*own.slots, "number")), np.concatenate([constants, words], axis=1)


@pytest.mark.parametrize("name", SHIPPED)
def test_values_next_to_a_tie_have_the_mirrors_bits(name: str) -> None:
    samples = draw(name, count_of(draw(name, 2, 0), ATTACKS * 10) // 10, seed=6)
    structure, constants = attacked(samples)
    assert wrong(structure, constants, samples.t, samples.k).size == 0


# An operation, and the function of (x, y) that the numbers of a sample go through.
ATTACKED: dict[Callable[..., Any], Callable[[Any, Any], Any]] = {
    np.add: lambda x, y: x / 3 + y,
    np.subtract: lambda x, y: x / 3 - y,
    np.multiply: lambda x, y: x * y,
    np.true_divide: lambda x, y: x / y,
    np.remainder: lambda x, y: (x / 3) % y,
    np.sqrt: lambda x, y: np.sqrt(x),
    np.exp2: lambda x, y: np.exp2(x / 64),
    np.exp: lambda x, y: np.exp(-x / 50),
    np.log: lambda x, y: np.log(x),
    np.log2: lambda x, y: np.log2(x),
    np.log10: lambda x, y: np.log10(x),
    np.sin: lambda x, y: np.sin(x),
    np.cos: lambda x, y: np.cos(x),
    np.tanh: lambda x, y: np.tanh(x / 100),
    sinpi: lambda x, y: sinpi(x / 7),
    cospi: lambda x, y: cospi(x / 7),
    half_cosine: lambda x, y: half_cosine(x / 1000),
    power_from_log: lambda x, y: np.power(np.absolute(x), y),
    log2_of_base: lambda x, y: np.power(np.absolute(x / 3), 0.9),
}


def attack(op: Callable[..., Any]) -> tuple[Structure, Any, Any, Any]:
    """Return a structure with ``op``, constants next to ties, and steps."""
    rng = np.random.default_rng(7)
    own = program(lambda t, k: ATTACKED[op](t, k / 8))
    t, k = rng.integers(1, 500, ATTACKS) + rng.random(ATTACKS), rng.integers(1, 30, ATTACKS)
    samples = Samples(own, {}, t, k, lambda i: None)
    return *attacked(samples), t, k


@pytest.mark.parametrize("op", ATTACKED, ids=lambda op: op.__name__)
def test_each_operation_next_to_a_tie(op: Callable[..., Any]) -> None:
    assert wrong(*attack(op)).size == 0


@pytest.mark.parametrize("op", ATTACKED, ids=lambda op: op.__name__)
def test_a_bound_that_is_too_small_is_seen(
    op: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def careless(rule: Callable[..., near.Near]) -> Callable[..., near.Near]:
        return lambda *args: near.Near(rule(*args).value)

    for one in {op, np.multiply, power_from_log}:  # what follows the operation adds nothing
        monkeypatch.setitem(RULES, one, careless(RULES[one]))
    monkeypatch.setattr(rows, "MARGIN", 0.0)
    assert wrong(*attack(op)).size > 0


def test_every_operation_has_a_rule() -> None:
    """Without one a formula is right, and slow; a list is always a constant."""
    assert {*OPS} - {*RULES} == {numbers_in_a_list}


# ---- numpy's functions keep to what they are allowed ---------------------------------------------

NUMPY: dict[str, tuple[Any, Any, Any]] = {
    "exp2": (np.exp2, lambda x: mpf(2) ** x, lambda rng, n: rng.uniform(-1000, 999, n)),
    "exp": (np.exp, mp.exp, lambda rng, n: rng.uniform(-690, 690, n)),
    "log": (np.log, mp.log, lambda rng, n: positive(rng, n)),
    "log2": (np.log2, lambda x: mp.log(x) / mp.log(2), lambda rng, n: positive(rng, n)),
    "log10": (np.log10, mp.log10, lambda rng, n: positive(rng, n)),
    "sin": (np.sin, mp.sin, lambda rng, n: np.pi / 2 * 2.0 ** -rng.exponential(2, n)),
    "cos": (np.cos, mp.cos, lambda rng, n: rng.uniform(-np.pi / 4, np.pi / 4, n)),
    "tanh": (np.tanh, mp.tanh, lambda rng, n: rng.normal(0, 2, n) * 2.0 ** -rng.exponential(3, n)),
}


def positive(rng: np.random.Generator, count: int) -> Any:
    """Return numbers of all sizes, half of them next to 1."""
    beside = 1 + rng.choice([-1, 1], count) * 2.0 ** -rng.uniform(1, 52, count)
    return np.where(rng.random(count) < 0.5, beside, 2.0 ** rng.uniform(-900, 900, count))


@pytest.mark.parametrize("name", NUMPY)
def test_numpys_functions_are_within_half_of_their_bound(name: str) -> None:
    function, exact, drawn = NUMPY[name]
    x = drawn(np.random.default_rng(8), 5000)
    with mp.workprec(200):
        for a, b in zip(x.tolist(), function(x).tolist(), strict=True):
            true = exact(mpf(a))
            assert abs(b - true) <= functions.FUNCTION / 2 * near.UNIT * abs(true), a


@pytest.mark.parametrize("name", ["sin", "cos"])
def test_sines_of_large_angles_have_a_small_absolute_error(name: str) -> None:
    rng = np.random.default_rng(9)
    x = rng.uniform(-1, 1, 5000) * 2.0 ** rng.uniform(1, np.log2(functions.LARGEST_ANGLE), 5000)
    x[:1000] = np.pi / 2 * rng.integers(-600_000, 600_000, 1000)
    with mp.workprec(200):
        for a, b in zip(x.tolist(), getattr(np, name)(x).tolist(), strict=True):
            assert abs(b - getattr(mp, name)(mpf(a))) <= functions.FUNCTION / 2 * near.UNIT, a


# ---- Steps and constants of all kinds ------------------------------------------------------------

STEPS = {
    "late": np.concatenate([2.0**53 - np.arange(2000.0), 2.0**40 + np.arange(2000.0)]),
    "fractional": np.arange(4000) / 7 - 50,
    "near a joint": np.concatenate([j + np.arange(-40, 40) / 8 for j in (0.0, 300, 999, 1000)]),
}
SCHEDULES = {
    "cosine": Cosine(0.1, 0.0, 1000),
    "tie": Linear(0.0, 1.0, 2**25),
    "flat tie": Linear(1 + 2.0**-24, 1 + 2.0**-24, 10),
    "one_cycle": OneCycle((299.0, 999.0), (0.004, 0.1, 4e-7), "cos"),
    "step_decay": StepDecay(0.1, 30.0, 0.5, 0.0),
    "to subnormals": Exponential(1e-30, 0.99),
    "polynomial": PolynomialDecay(0.1, 0.0, 1000, 0.9),
}


@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize("name", SCHEDULES)
def test_unusual_steps(name: str, steps: str) -> None:
    own, t = program(SCHEDULES[name]), STEPS[steps]
    assert wrong(own.structure, own.constants, t, np.ones(len(t), np.int64)).size == 0
    got = quick.filled(own.structure, own.constants, {"t": t}, t.shape)
    x = xfloat.from_float64(t)
    np.testing.assert_array_equal(
        got.view(np.uint32), float32_bits(evaluate(own.structure, own.constants, x, x), t.shape)
    )


def test_steps_that_float64_does_not_hold() -> None:
    own = program(lambda t: t / 3)
    t = xfloat.from_int(np.arange(1 << 60, (1 << 60) + 50))
    got = quick.values(own.structure, own.constants, t, xfloat.from_int(1))
    want = float32_bits(evaluate(own.structure, own.constants, t, t), (50,))
    np.testing.assert_array_equal(got.view(np.uint32), want)


@pytest.mark.parametrize("block", [1, 3, 7, 64])
def test_jobs_in_parts(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "BLOCK", block)
    for name in ("one_cycle_cos2", "debias1", "multi_step_8", "polynomial_decay"):
        samples = draw(name, 5, seed=3)
        constants = samples.constants[:, None, :]
        t = xfloat.from_float64(samples.t[:, None] + np.arange(8.0))
        k = xfloat.from_int(samples.k[:, None] + np.arange(8))
        own = samples.program.structure
        got = quick.values(own, constants, t, k)
        want = float32_bits(evaluate(own, constants, t, k), (5, 8))
        np.testing.assert_array_equal(got.view(np.uint32), want)


def test_no_rows() -> None:
    own = program(Cosine(0.1, 0.0, 10))
    assert quick.filled(own.structure, own.constants, {"t": np.empty(0)}, (0,)).shape == (0,)


@pytest.fixture
def doubted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows the mirror is asked for, call by call."""
    asked: list[int] = []
    by_mirror = rows._by_mirror
    monkeypatch.setattr(
        rows, "_by_mirror", lambda *args: asked.append(args[-1].sum()) or by_mirror(*args)
    )
    return asked


@pytest.mark.parametrize("name", ["cosine", "one_cycle", "polynomial"])
def test_next_to_no_row_of_a_usual_table_is_in_doubt(name: str, doubted: list[int]) -> None:
    SCHEDULES[name].table(0, 100_000, device="cpu")
    assert sum(doubted) <= 200


# beta^k is below what a Near can be from k = 5921, 623,500 and 10 on.
VANISHING: dict[str, Any] = {
    "debias1": Debias1(Constant(0.9)),
    "debias2": Debias2(Constant(0.999)),
    "at once": Debias1(Constant(2.0**-100)),
}


@pytest.mark.parametrize("first", [1, 5800, 620_000, 2**21, 2**40])
@pytest.mark.parametrize("name", VANISHING)
def test_what_is_next_to_nothing_is_nothing_beside_one(
    name: str, first: int, doubted: list[int]
) -> None:
    own, k = program(VANISHING[name]), first + np.arange(2000)
    assert wrong(own.structure, own.constants, k.astype(np.float64), k).size == 0
    assert sum(doubted) <= 20 or first == 2**40  # that far a power's error is not bounded


def test_what_is_next_to_nothing_counts_beside_its_like() -> None:
    x = 2.0 ** -np.arange(100.0, 1070, 10)
    steps = xfloat.from_float64(x)
    for fn in (
        lambda t: (t * t - t * t * 0.75) / (t * t),
        lambda t: (1.0 + t * t) - 1.0,
        lambda t: (t * t + t) / t,
        lambda t: (t - t * t * 4.0) / t,
    ):
        own = program(fn)
        got = quick.values(own.structure, own.constants, steps, xfloat.from_int(1))
        want = float32_bits(evaluate(own.structure, own.constants, steps, steps), x.shape)
        np.testing.assert_array_equal(got.view(np.uint32), want)
