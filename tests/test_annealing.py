"""Decays, cosines, cycles and phases in float64, beside 60-digit plain formulas and loops."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf

from grilly.program import program
from grilly.schedules import (
    SHIPPED,
    CosineDecay,
    CosineRestarts,
    Cycles,
    Linear,
    OneCycle,
    PolynomialDecay,
    PowerDecay,
    RatioDecay,
    Schedule,
    SqrtDecay,
    Tanh,
    Triangle,
    from_json,
    one_cycle,
    restarts,
    scaled_cyclic,
    swa_anneal,
    warmup_stable_decay,
)

RELATIVE, OF_LARGEST = 1e-12, 4e-16
Shape = Callable[[mpf], mpf]  # the share of the first value, of how much is done
H, L, T = 0.3, 0.02, 37.0


@pytest.fixture(autouse=True)
def sixty_digits() -> Iterator[None]:
    with mp.workdps(60):
        yield


def cosine(x: mpf) -> mpf:
    return (1 + mp.cos(mp.pi * x)) / 2


def tanh(x: mpf) -> mpf:
    return (1 - mp.tanh(-6 * (1 - x) + 4 * x)) / 2


SHAPES: dict[str, tuple[Callable[..., Schedule], Shape]] = {
    "linear": (Linear, lambda x: 1 - x),
    "triangle": (Triangle, lambda x: abs(1 - 2 * x)),
    "sqrt": (SqrtDecay, lambda x: 1 - mp.sqrt(x)),
    "power": (lambda *a: PowerDecay(*a, power=1.7), lambda x: 1 - x ** mpf(1.7)),
    "ratio": (
        lambda *a: RatioDecay(*a, ratio=0.1),
        lambda x: (mpf(0.1) ** x - mpf(0.1)) / (1 - mpf(0.1)),
    ),
    "megatron": (lambda *a: RatioDecay(*a, ratio=0.5), lambda x: 2 * mpf(0.5) ** x - 1),
    "tanh": (lambda *a: Tanh(*a, lower=-6, upper=4), tanh),
    "cosine": (CosineDecay, cosine),
    "exponent": (lambda *a: CosineDecay(*a, exponent=1.7), lambda x: cosine(x) ** mpf(1.7)),
    "k": (lambda *a: CosineDecay(*a, k_decay=1.7), lambda x: cosine(x ** mpf(1.7))),
    "both": (
        lambda *a: CosineDecay(*a, exponent=0.6, k_decay=1.7),
        lambda x: cosine(x ** mpf(1.7)) ** mpf(0.6),
    ),
}
ENDS_AT_LOW = set(SHAPES) - {"triangle", "tanh"}


def blended(high: float, low: float, share: mpf) -> mpf:
    return mpf(low) * (1 - share) + mpf(high) * share


def steps_of(total: float) -> list[float]:
    """Return steps before, in and behind a phase, some of them no whole ones."""
    inside = [0, 0.25, 1, 2, total / 2, total / 3, total - 1, total - 0.5, total - 2**-20]
    return [*inside, -1, -0.5, total, total + 0.5, total + 1, 10 * total]


def close(schedule: Schedule, plain: Callable[[float], Any], steps: list[float]) -> None:
    """Check numbers and arrays of steps: relative to each value or to the largest."""
    want = np.array([float(plain(t)) for t in steps])
    got = np.array([float(schedule(t)) for t in steps])
    np.testing.assert_allclose(
        got, want, rtol=RELATIVE, atol=OF_LARGEST * np.abs(want).max(), err_msg=str(schedule)
    )
    at_once = schedule(np.array(steps))
    np.testing.assert_allclose(at_once, got, rtol=1e-14, atol=0)
    np.testing.assert_array_equal(from_json(schedule.to_json())(np.array(steps)), at_once)


@pytest.mark.parametrize(("high", "low"), [(H, L), (H, 0.0), (L, H), (0.0, H)])
@pytest.mark.parametrize("name", SHAPES)
def test_decays(name: str, high: float, low: float) -> None:
    make, shape = SHAPES[name]

    def plain(t: float) -> mpf:
        return blended(high, low, shape(min(max(mpf(t), 0), T) / T))

    close(make(high, low, T), plain, steps_of(T))


@pytest.mark.parametrize("name", SHAPES)
def test_a_decay_of_no_steps_is_over_at_once(name: str) -> None:
    make, shape = SHAPES[name]
    want = float(blended(H, L, shape(mpf(1))))
    assert make(H, L, 0)(np.array([0.0, 1.0, 5.0])).tolist() == pytest.approx([want] * 3)
    if name in ENDS_AT_LOW:
        assert float(make(H, L, 0)(0)) == L == float(make(H, L, 3)(3))


@pytest.mark.parametrize("name", [*ENDS_AT_LOW])
def test_the_last_steps_of_a_long_decay_keep_their_digits(name: str) -> None:
    make, shape = SHAPES[name]
    long = 10**9
    decay = make(1.0, 0.0, long)
    for t in (1, 2, long - 2, long - 1):
        want = blended(1.0, 0.0, shape(mpf(t) / long))
        assert float(decay(t)) == pytest.approx(float(want), rel=RELATIVE, abs=0), t


@pytest.mark.parametrize("cycles", [0.5, 1.0, 1.3, 2.5])
def test_waves_go_on_unless_they_are_clamped(cycles: float) -> None:
    def wave(t: float) -> mpf:
        return blended(H, L, cosine(2 * mpf(cycles) * t / T))

    on = CosineDecay(H, L, T, cycles=cycles, clamped=False)
    close(on, wave, [t for t in steps_of(T) if t >= 0])
    over = CosineDecay(H, L, T, cycles=cycles)
    close(over, lambda t: wave(max(t, 0)) if t < T else L, steps_of(T))


@pytest.mark.parametrize("cycles", [1, 2, 3, 7, 2.5])
def test_cosine_restarts_are_equal_parts_and_then_low(cycles: float) -> None:
    """Also where the parts are no whole number of steps, and their ends no exact quotients."""

    def plain(t: float) -> mpf:
        at = Fraction(t) * Fraction(cycles) % Fraction(T) / Fraction(T)
        return blended(H, L, cosine(mpf(at.numerator) / at.denominator)) if t < T else mpf(L)

    close(CosineRestarts(H, L, T, cycles), plain, [t for t in steps_of(T) if t >= 0])
    many = CosineRestarts(1.0, 0.0, 7 * 1001, cycles=7)
    assert [float(many(1001 * i)) for i in range(9)] == [1.0] * 7 + [0.0] * 2


class Loop:
    """Cycles one after the other, added up as fractions."""

    def __init__(self, first: str, stretch: str, limit: int, whole: bool = False) -> None:
        self.starts, length = [Fraction(0)], Fraction(first)
        while True:
            length = Fraction(length.numerator // length.denominator) if whole else length
            if length < 1 or len(self.starts) > limit:
                break
            self.starts.append(self.starts[-1] + length)
            length *= Fraction(stretch)

    def at(self, t: float) -> tuple[int, mpf] | None:
        """Return the number of the cycle of step ``t`` and how much of it is done."""
        for i, (start, end) in enumerate(zip(self.starts, self.starts[1:], strict=False)):
            if start <= t < end:
                done = (Fraction(t) - start) / (end - start)
                return i, mpf(done.numerator) / done.denominator
        return None


CYCLES = [("10", "2", 6), ("10", "1.5", 6), ("30", "1.1", 9), ("40", "0.7", 99), ("7.5", "1", 5)]


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize(("first", "stretch", "limit"), CYCLES)
@pytest.mark.parametrize("name", ["cosine", "k", "tanh", "triangle", "linear", "ratio"])
def test_cycles(name: str, first: str, stretch: str, limit: int, whole: bool) -> None:
    make, shape = SHAPES[name]
    loop = Loop(first, stretch, limit, whole)

    def plain(t: float) -> mpf:
        found = loop.at(t)
        i, done = found or (len(loop.starts) - 2, mpf(1))
        peak = L + (mpf(H) - L) * mpf(0.8) ** i
        low = mpf(L) * mpf(0.9) ** i
        return low if found is None else blended(peak, low, shape(done))

    cycles = restarts(
        make(H, L, float(first)), float(stretch), 0.8, toward=L, low_decay=0.9, limit=limit,
        whole=whole,
    )  # fmt: skip
    near = [float(s) + d for s in loop.starts for d in (0, 1, 2.5) if s == int(s)]
    close(cycles, plain, [*near, *range(0, 200, 7), 1e6])


@pytest.mark.parametrize("first", range(1, 13))
@pytest.mark.parametrize("stretch", range(2, 11))
def test_no_restart_is_missed(first: int, stretch: int) -> None:
    """floor(log()) misses one in 36 of these 108; so torch, timm and Keras in float32 do."""
    cycles = restarts(CosineDecay(1.0, 0.0, first), stretch)
    start, length = 0, first
    while start + length < 2**53:
        assert float(cycles(start)) == 1.0, start
        if length > 1:
            assert 0 < float(cycles(start + length - 1)) < 1, start
        start, length = start + length, length * stretch


def test_a_decimal_stretch_restarts_where_the_decimals_do() -> None:
    """1000, 2100, 3310, 4641: the float 1.1 is a little more, and would miss the last."""
    cycles = restarts(Linear(1.0, 0.0, 1000), 1.1)
    assert [float(cycles(t)) for t in (0, 1000, 2100, 3310, 4641)] == [1.0] * 5


def test_equal_cycles_never_end_and_shrinking_ones_do() -> None:
    assert float(restarts(CosineDecay(1.0, 0.0, 10))(10 * 2**45)) == 1.0
    shrinking = restarts(Linear(1.0, 0.0, 4), 0.5)  # of 4, 2 and 1 steps
    assert shrinking(np.arange(9)).tolist() == [1, 0.75, 0.5, 0.25, 1, 0.5, 1, 0, 0]


def test_polynomial_cycles_and_a_limit() -> None:
    cycles = restarts(PolynomialDecay(1.0, 0.0, 2, power=2.0), decay=0.5, limit=3)
    assert cycles(np.arange(8)).tolist() == [1, 0.25, 0.5, 0.125, 0.25, 0.0625, 0, 0]


RISES = {"linear": lambda p: p, "cosine": lambda p: (1 - mp.cos(mp.pi * p)) / 2,
         "1-sqrt": lambda p: 1 - mp.sqrt(1 - p)}  # fmt: skip
FALLS: dict[str, tuple[dict[str, float], Shape]] = {
    "linear": ({}, SHAPES["linear"][1]),
    "cosine": ({"cycles": 1.5}, lambda x: cosine(3 * x)),
    "1-sqrt": ({}, SHAPES["sqrt"][1]),
    "power": ({"power": 1.7}, SHAPES["power"][1]),
    "exponential": ({"ratio": 0.1}, SHAPES["ratio"][1]),
}


@pytest.mark.parametrize("phases", [(10, 20, 15), (0, 20, 15), (10, 0, 15), (10, 20, 0), (0, 0, 0)])
@pytest.mark.parametrize("fall", FALLS)
@pytest.mark.parametrize("rise", RISES)
def test_warmup_stable_decay(rise: str, fall: str, phases: tuple[int, int, int]) -> None:
    up, level, down = phases
    arguments, shape = FALLS[fall]

    def plain(t: float) -> Any:
        if t < up:
            return blended(H, 0.01, RISES[rise](mpf(t) / up))
        if t < up + level:
            return H
        falling = t - up - level
        return blended(H, L, shape(mpf(falling) / down)) if falling < down else L

    schedule = warmup_stable_decay(H, *phases, L, 0.01, rise, fall, **arguments)
    close(schedule, plain, [t / 2 for t in range(110)])


@pytest.mark.parametrize("how", ["cos", "linear"])
def test_swa_anneal_is_torchs_formula(how: str) -> None:
    share = {"cos": lambda u: (1 - mp.cos(mp.pi * u)) / 2, "linear": lambda u: u}[how]
    close(
        swa_anneal(H, L, 10, how),
        lambda k: blended(L, H, share(min(max(mpf(k) / 10, 0), 1))),
        list(range(15)),
    )


@pytest.mark.parametrize("how", ["cosine", "linear"])
@pytest.mark.parametrize("share", [0.0, 0.004, 0.25, 0.3])
def test_one_cycle_with_torchs_knots_is_one_cycle_to_its_end(share: float, how: str) -> None:
    for back in (None, 2 * share):
        ends = [share * 100 - 1, *([] if back is None else [back * 100 - 2]), 99.0]
        values = (0.04, 1.0, *([] if back is None else [0.04]), 4e-6)
        torchs = OneCycle(tuple(ends), values, "cos" if how == "cosine" else how)
        if sorted(ends) != ends:
            continue
        own = one_cycle(1.0, 100, share, back, how=how, knots="torch")
        close(own, torchs, [float(t) for t in range(100)])
        assert float(own(1000)) == 4e-6


def test_one_cycles_knots() -> None:
    def knots(kind: str) -> tuple[float, ...]:
        return one_cycle(1.0, 25, 0.3, 0.86, start=0.1, end=0.0, knots=kind).steps

    assert knots("optax") == (0, 7, 21, 25)
    assert knots("fastai") == (0, 7.5, 21.5, 25)
    assert knots("torch") == (0, 6.5, 19.5, 24)


def test_scaled_cyclic_has_torchs_scale_modes() -> None:
    import torch

    for mode, by in (("cycle", "cycle"), ("iterations", "step")):
        optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
        theirs = torch.optim.lr_scheduler.CyclicLR(
            optimizer, 0.1, 0.7, 5, 8, scale_fn=lambda x: 1 / (1 + x), scale_mode=mode,
            cycle_momentum=False,
        )  # fmt: skip
        ours = scaled_cyclic(0.1, 0.7, 5, 8, lambda x: 1 / (1 + x), by)
        for t in range(60):
            assert float(ours(t)) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-12)
            optimizer.step()
            theirs.step()
        program(ours)  # it runs on the device


WRONG: list[tuple[type[Exception], str, Callable[[], Any]]] = [
    (ValueError, "steps", lambda: CosineDecay(1.0, 0.0, -1)),
    (TypeError, "high", lambda: CosineDecay("1", 0.0, 1)),
    (ValueError, "low", lambda: SqrtDecay(1.0, float("nan"), 1)),
    (ValueError, "exponent", lambda: CosineDecay(1.0, 0.0, 5, exponent=0)),
    (ValueError, "k_decay", lambda: CosineDecay(1.0, 0.0, 5, k_decay=-1)),
    (ValueError, "cycles", lambda: CosineDecay(1.0, 0.0, 5, k_decay=2, cycles=1)),
    (ValueError, "steps", lambda: CosineDecay(1.0, 0.0, 0, clamped=False)),
    (ValueError, "cycles", lambda: CosineRestarts(1.0, 0.0, 5, 0)),
    (ValueError, "power", lambda: PowerDecay(1.0, 0.0, 5, power=0)),
    (ValueError, "ratio", lambda: RatioDecay(1.0, 0.0, 5, ratio=1)),
    (ValueError, "upper", lambda: Tanh(1.0, 0.0, 5, lower=3, upper=-7)),
    (TypeError, "cycle", lambda: restarts(0.5)),  # type: ignore[arg-type]
    (ValueError, "cycle.steps", lambda: restarts(Linear(1.0, 0.0, 0))),
    (ValueError, "cycle.steps", lambda: restarts(Linear(1.0, 0.0, 0.5), 2.0)),
    (ValueError, "stretch", lambda: restarts(Linear(1.0, 0.0, 5), 0)),
    (ValueError, "limit", lambda: restarts(Linear(1.0, 0.0, 5), 2, limit=0)),
    (ValueError, "limit", lambda: restarts(Linear(1.0, 0.0, 5), 1.01)),
    (ValueError, "limit", lambda: restarts(Linear(1.0, 0.0, 5), 1.01, limit=128)),
    (ValueError, "starts", lambda: Cycles(Linear(1.0, 0.0, 5), (0, 5, 4))),
    (ValueError, "starts", lambda: Cycles(Linear(1.0, 0.0, 5), (0,))),
    (ValueError, "limit", lambda: Cycles(Linear(1.0, 0.0, 5), (0, 5, 9), limit=3)),
    (ValueError, "warmup_shape", lambda: warmup_stable_decay(1.0, 1, 1, 1, warmup_shape="log")),
    (ValueError, "decay_shape", lambda: warmup_stable_decay(1.0, 1, 1, 1, decay_shape="cos")),
    (ValueError, "stable_steps", lambda: warmup_stable_decay(1.0, 1, -1, 1)),
    (ValueError, "how", lambda: swa_anneal(1.0, 0.0, 5, "cosine")),
    (ValueError, "back", lambda: one_cycle(1.0, 5, 0.5, 0.4)),
    (ValueError, "share", lambda: one_cycle(1.0, 5, 1.5)),
    (ValueError, "knots", lambda: one_cycle(1.0, 5, knots="keras")),
    (ValueError, "up", lambda: scaled_cyclic(0.0, 1.0, 0, 1, 0.5)),
]


@pytest.mark.parametrize(("error", "name", "make"), WRONG)
def test_errors_name_the_argument(error: type[Exception], name: str, make: Any) -> None:
    with pytest.raises(error, match=rf"\b{name}\b"):
        make()


def test_numbers_of_any_kind_share_the_shipped_structures() -> None:
    shipped = {program(formula).structure for formula in SHIPPED.values()}
    made: list[Any] = [make(H, L, T) for name, (make, _) in SHAPES.items()]
    made += [CosineDecay(1, 0, 9, exponent=1, k_decay=1.0), CosineDecay(1, 0, 9, clamped=False)]
    for name in ("cosine", "k", "tanh", "triangle", "linear"):
        cycle: Any = SHAPES[name][0](H, L, T)
        made += [restarts(cycle), restarts(cycle, 2), restarts(cycle, 0.5, limit=2)]
    made += [restarts(PolynomialDecay(1.0, 0.0, 5, k_decay=k), 1.5) for k in (None, 2.0)]
    made += [warmup_stable_decay(H, 1, 0, 3, 0, 0, up, down) for up in RISES for down in FALLS]
    made += [one_cycle(1.0, 10), one_cycle(1, 10, 0.3, 0.6, how="linear", knots="torch")]
    made += [swa_anneal(1.0, 0.0, 5), swa_anneal(1, 0, 0, "linear")]
    assert [one for one in made if program(one).structure not in shipped] == []
