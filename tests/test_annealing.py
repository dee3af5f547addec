"""Decays, cosines and phases in float64, beside plain formulas of 60 digits."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from annealing import DIGITS, RELATIVE, SHAPES, H, L, Shape, T, blended, close, cosine, steps_of
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
    SqrtDecay,
    StepDecay,
    Tanh,
    WarmUp,
    one_cycle,
    restarts,
    scaled_cyclic,
    swa_anneal,
    warmup_stable_decay,
)
from grilly.schedules.base import unchecked

ENDS_AT_LOW = sorted(set(SHAPES) - {"triangle", "tanh"})


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
    with mp.workdps(DIGITS):
        want = float(blended(H, L, shape(mpf(1))))
    assert make(H, L, 0)(np.array([0.0, 1.0, 5.0])).tolist() == pytest.approx([want] * 3)
    if name in ENDS_AT_LOW:
        assert float(make(H, L, 0)(0)) == L == float(make(H, L, 3)(3))


@pytest.mark.parametrize("name", ENDS_AT_LOW)
def test_the_last_steps_of_a_long_decay_keep_their_digits(name: str) -> None:
    make, shape = SHAPES[name]
    long = 10**9
    decay = make(1.0, 0.0, long)
    for t in (1, 2, long - 2, long - 1):
        with mp.workdps(DIGITS):
            want = float(blended(1.0, 0.0, shape(mpf(t) / long)))
        assert float(decay(t)) == pytest.approx(want, rel=RELATIVE, abs=0), t


@pytest.mark.parametrize("cycles", [0.5, 1.0, 1.3, 2.5])
def test_waves_go_on_unless_they_are_clamped(cycles: float) -> None:
    def wave(t: float) -> mpf:
        return blended(H, L, cosine(2 * mpf(cycles) * t / T))

    on = CosineDecay(H, L, T, cycles=cycles, clamped=False)
    close(on, wave, [t for t in steps_of(T) if t >= 0])
    over = CosineDecay(H, L, T, cycles=cycles)
    close(over, lambda t: wave(max(t, 0)) if t < T else L, steps_of(T))


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


@pytest.mark.parametrize(
    ("share", "back", "ends"),
    [(0.5, 0.5, (0, 4, 4, 9)), (0.3, 0.35, (0, 2, 2, 9)), (0.0, 0.0, (-1, -1, -1, 9))],
)
def test_a_phase_of_less_than_a_step_is_none(share: float, back: float, ends: Any) -> None:
    """With torch's knots, too, it is a jump, as share = back is with the others."""
    own = one_cycle(
        1.0, 10, share=share, back=back, start=0.5, end=0.0, how="linear", knots="torch"
    )
    assert own.steps == ends
    falls = [0.5 * (9 - t) / (9 - ends[1]) for t in range(max(ends[1], 0), 10)]
    np.testing.assert_allclose(own(np.arange(max(ends[1], 0), 10)), falls, 1e-15)


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
    (TypeError, "limit", lambda: restarts(Linear(1.0, 0.0, 5), limit="x")),  # type: ignore[arg-type]
    (ValueError, "limit", lambda: restarts(Linear(1.0, 0.0, 5), limit=math.nan)),  # type: ignore[arg-type]
    (ValueError, "limit", lambda: restarts(Linear(1.0, 0.0, 5), limit=1.5)),  # type: ignore[arg-type]
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
    (TypeError, "low", lambda: scaled_cyclic("a", 1.0, 1, 1, 0.5)),  # type: ignore[arg-type]
    (ValueError, "high", lambda: scaled_cyclic(0.0, math.nan, 1, 1, 0.5)),
    (TypeError, "peak", lambda: warmup_stable_decay("x", 2, 3, 4)),  # type: ignore[arg-type]
    (ValueError, "start", lambda: warmup_stable_decay(1.0, 2, 3, 4, start=math.inf)),
    (TypeError, "start", lambda: swa_anneal("x", 0.0, 5)),  # type: ignore[arg-type]
    (ValueError, "end", lambda: swa_anneal(1.0, math.nan, 5)),
    (TypeError, "peak", lambda: one_cycle("x", 10)),  # type: ignore[arg-type]
    (ValueError, "peak", lambda: one_cycle(math.nan, 10)),
    (TypeError, "start", lambda: one_cycle(1.0, 10, start="x")),  # type: ignore[arg-type]
    (ValueError, "end", lambda: one_cycle(1.0, 10, end=math.inf)),
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
    for decay in (CosineDecay(H, L, 9), StepDecay(1.0, 5, 0.5)):
        made += [WarmUp(decay, 5, 0.1, shifted=shifted) for shifted in (True, False)]
    assert [one for one in made if program(one).structure not in shipped] == []


def test_columns_of_numbers_are_evaluated_at_once() -> None:
    """The numbers of several groups, side by side: one evaluation for them all."""
    high, steps = np.array([[1.0], [0.5]]), np.array([[4.0], [8.0]])
    alone = [CosineDecay(1.0, 0.0, 4.0, exponent=2.0), CosineDecay(0.5, 0.0, 8.0, exponent=2.0)]
    columns: Any = (high, np.zeros((2, 1)), steps)
    together = unchecked(CosineDecay, *columns, np.full((2, 1), 2.0), None, 0.5, True)
    t = np.arange(10.0)
    np.testing.assert_allclose(together(t), [one(t) for one in alone], rtol=1e-14)
    starts = tuple(np.array([[0.0, 4.0, 9.0]] * 2).T[:, :, None])
    cosine = unchecked(CosineDecay, *columns, None, None, 0.5, True)
    cycles = unchecked(Cycles, cosine, starts, 1.0, 0.0, 1.0, 2.0)
    assert cycles(np.array([0.0, 4.0, 9.0])).tolist() == [[1.0, 1.0, 0.0], [0.5, 0.5, 0.0]]
    for shape, more in ((Tanh, (-7.0, 3.0)), (RatioDecay, (0.1,)), (PowerDecay, (0.5,))):
        assert unchecked(shape, *columns, *more)(t).shape == (2, 10)
