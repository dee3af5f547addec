"""Bias correction: torch's power of today's beta, and the exact product of the betas used.

The oracle is a plain loop over Fractions, or over 400-bit numbers where a beta is no fraction.
"""

from __future__ import annotations

import json
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from mpmath import mp, mpf
from plain import PlainAdamW
from truth import exact, float32_bits

from grilly import vk
from grilly.errors import StateError
from grilly.optim import Adam, AdamW, ParamScheduler
from grilly.optim.lr_scheduler import OneCycleLR
from grilly.optim.products import as_floats, correction, from_floats, power, times
from grilly.schedules import Cosine, OneCycle, Ramp, Schedule, StepDecay

Place = str | int
# Fast and slow, through 0, near 1; the last is no fraction.
BETAS: dict[str, Schedule] = {
    "ramp": Ramp(0.875, start=0.5, end=1.0, steps=20),
    "from zero": Ramp(0.9, start=0.0, end=1.0, steps=7),
    "steps": StepDecay(0.999, step_size=5, gamma=0.5),
    "near one": Ramp(1.0, start=0.9375, end=0.99999, steps=12),
    "cosine": Cosine(high=0.999, low=0.9, period=13),
    "cycle": OneCycle(ends=(9.0, 29.0), values=(0.95, 0.85, 0.95)),
}


def bits(value: Any) -> int:
    return int(np.float32(value).view(np.uint32))


def truth(betas: list[Any]) -> tuple[int, int]:
    """Return the bits of 1 / (1 - the product) and of one over its root."""
    with mp.workprec(400):
        product = mpf(1)
        for beta in betas:
            product *= beta
        return float32_bits(1 / (1 - product)), float32_bits(1 / mp.sqrt(1 - product))


def held(optimizer: Any, group: int = 0) -> tuple[int, int]:
    row = optimizer.read_hyperparameters()[group]
    return bits(row["debias1"]), bits(row["debias2"])


def made(place: Place, *sizes: int, kind: Any = AdamW, **options: Any) -> Any:
    params = [np.ones(size, np.float32) for size in sizes or (3,)]
    return kind(params, device=place, bias_correction="exact", **options)


def update(optimizer: Any, *missing: int) -> None:
    params = [p for group in optimizer.param_groups for p in group["params"]]
    optimizer.step(
        gradients=[None if i in missing else np.ones(p.shape) for i, p in enumerate(params)]
    )


@pytest.mark.numbers
@pytest.mark.parametrize("name", BETAS)
def test_the_columns_are_rounded_once(name: str, place: Place) -> None:
    optimizer = made(place)
    scheduler = ParamScheduler(optimizer, {"beta1": BETAS[name], "beta2": BETAS["steps"]})
    first: list[Any] = []
    second: list[Any] = []
    for t in range(40):
        first.append(exact(BETAS[name], t))
        second.append(exact(BETAS["steps"], t))
        assert held(optimizer) == (truth(first)[0], truth(second)[1]), t
        if t == 7:  # torch's would be another
            assert truth(first) != truth([first[-1]] * len(first))
        update(optimizer)
        scheduler.step()


def test_the_update_is_the_plain_one(place: Place) -> None:
    rng = np.random.default_rng(4)
    p = rng.standard_normal(5).astype(np.float32)
    plain = PlainAdamW(p)
    optimizer = AdamW([p], lr=0.125, device=place, bias_correction="exact", weight_decay=0.5)
    beta1 = BETAS["ramp"]
    scheduler = ParamScheduler(optimizer, {"beta1": beta1})
    product = Fraction(1)
    for t in range(60):
        b = Fraction(7, 8) * (Fraction(1, 2) * (20 - min(t, 20)) + min(t, 20)) / 20
        product *= b
        new = 1 - b
        d1 = np.float32(float(1 / (1 - product)))
        with mp.workprec(200):
            k2 = np.float32(float(1 / mp.sqrt(1 - mpf(0.999) ** (t + 1))))
        grad = rng.standard_normal(5).astype(np.float32)
        numbers = [float(b), float(new), 0.999, 1 - mpf(0.999), 1e-8, 0.5]
        f = [np.float32(float(x)) for x in numbers]
        plain.step(grad, np.float32(0.125), f[0], f[1], f[2], f[3], f[4], f[5], d1, k2)
        optimizer.step(gradients=[grad])
        scheduler.step()
        np.testing.assert_array_equal(p, plain.p, str(t))


def test_a_constant_beta_is_the_closed_form_on_the_device(place: Place) -> None:
    """The same formula and bits as torch's, and nothing to upload."""
    optimizer, other = made(place), AdamW([np.ones(3, np.float32)], device=place)
    scheduler = ParamScheduler(optimizer, {"beta1": 0.9, "lr": BETAS["ramp"]})
    plans: list[Any] = []
    plan = optimizer._backend.plan
    optimizer._backend.plan = lambda new: (plans.append(new), plan(new))[1]
    for _ in range(300):
        update(optimizer)
        update(other)
        scheduler.step()
    assert held(optimizer) == held(other) == truth([0.9] * 301)[:1] + truth([0.999] * 301)[1:]
    assert len(plans) <= 3
    np.testing.assert_array_equal(
        optimizer.state_dict()["state"][0]["beta1_product"], as_floats(power(0.9, 300))
    )


def test_one_upload_per_window(device: vk.Device) -> None:
    optimizer = made(device.info.index)
    scheduler = ParamScheduler(optimizer, {"beta1": BETAS["cosine"], "beta2": BETAS["cosine"]})
    up = []
    for _ in range(600):
        before = device.counters.bytes_up
        update(optimizer)
        up.append(device.counters.bytes_up - before)
        scheduler.step()
    more = [t for t, size in enumerate(up) if size > min(up)]
    assert [t for t in more if t > 10] == [264, 520]


def test_a_hand_edit_counts_from_then_on(place: Place) -> None:
    optimizer = made(place)
    used = []
    for t in range(30):
        if t in (3, 4, 11):
            optimizer.param_groups[0]["betas"] = (0.5 + t / 32, 0.75)
        betas = optimizer.param_groups[0]["betas"]
        used.append(betas)
        assert held(optimizer) == (truth([a for a, _ in used])[0], truth([b for _, b in used])[1])
        update(optimizer)


def test_a_missing_gradient_gives_a_lane_of_its_own(place: Place) -> None:
    """Equal counts do not mean equal products: each parameter has the betas of its own updates."""
    optimizer = made(place, 3, 2, 4, kind=Adam)
    curve = BETAS["ramp"]
    scheduler = ParamScheduler(optimizer, {"beta1": curve})
    used: list[list[Any]] = [[], [], []]
    weights = [p for group in optimizer.param_groups for p in group["params"]]
    plains = [PlainProducts(p) for p in weights]
    for t in range(24):
        missing = [i for i, plain in enumerate(plains) if plain.misses(t, i)]
        for i in {0, 1, 2} - set(missing):
            used[i].append(exact(curve, t))
            plains[i].step(used[i], exact(curve, t))
        update(optimizer, *missing)
        scheduler.step()
        for p, plain in zip(weights, plains, strict=True):
            np.testing.assert_array_equal(p, plain.p, str(t))
    assert len(used[0]) == len(used[1]) != len(used[2])
    for i, entry in optimizer.state_dict()["state"].items():
        product = math.prod((Fraction(*_ratio(beta)) for beta in used[i]), start=Fraction(1))
        error = sum(map(Fraction, entry["beta1_product"])) / product - 1
        assert abs(error) < Fraction(len(used[i]), 2**62)


def _ratio(value: Any) -> tuple[int, int]:
    _, m, e, _ = value._mpf_
    return (int(m) << max(e, 0)), 1 << max(-e, 0)


class PlainProducts(PlainAdamW):
    """Adam without decay, with gradients of ones."""

    def misses(self, t: int, i: int) -> bool:
        """Parameters 0 and 1 take turns, and 2 is there more often."""
        return t % 2 == i if i < 2 else t % 5 == 4

    def step(self, used: list[Any], beta: Any) -> None:  # type: ignore[override]
        with mp.workprec(400):
            d1 = np.uint32(truth(used)[0]).view(np.float32)
            d2 = np.uint32(truth([mpf(0.999)] * len(used))[1]).view(np.float32)
            rounded = [
                np.uint32(float32_bits(x)).view(np.float32)
                for x in (beta, 1 - beta, mpf(0.999), 1 - mpf(0.999), mpf(1e-8), mpf(1e-3))
            ]
        b1, n1, b2, n2, eps, lr = rounded
        super().step(np.ones_like(self.p), lr, b1, n1, b2, n2, eps, np.float32(0), d1, d2)


@pytest.mark.parametrize("every", [1, 3, 10])
def test_a_scheduler_that_steps_per_epoch(every: int, place: Place) -> None:
    optimizer = made(place)
    scheduler = ParamScheduler(optimizer, {"beta2": BETAS["ramp"]})
    used = []
    for step in range(45):
        used.append(exact(BETAS["ramp"], step // every))
        if step % 4 == 0:
            assert held(optimizer)[1] == truth(used)[1]
        update(optimizer)
        if step % every == every - 1:
            scheduler.step()


def test_torchs_schedulers_and_other_edits_beside(place: Place) -> None:
    """A rate from plain Python plans anew at every step: the products go on all the same."""
    optimizer = made(place)
    cycle = OneCycleLR(optimizer, 0.1, total_steps=40, pct_start=0.5)
    used = []
    for t in range(30):
        used.append(exact(OneCycle((19.0, 39.0), (0.95, 0.85, 0.95)), t))
        assert held(optimizer)[0] == truth(used)[0], t
        update(optimizer)
        optimizer.param_groups[0]["weight_decay"] = 0.01 * t
        cycle.step()


def test_by_default_it_is_torchs_formula(place: Place) -> None:
    p = np.ones(3, np.float32)
    optimizer = AdamW([p], device=place)
    scheduler = ParamScheduler(optimizer, {"beta1": BETAS["ramp"]})
    for t in range(10):
        assert held(optimizer)[0] == truth([exact(BETAS["ramp"], t)] * (t + 1))[0]
        update(optimizer)
        scheduler.step()
    assert set(optimizer.state_dict()["state"][0]) == {"step", "exp_avg", "exp_avg_sq"}


# --- States ---------------------------------------------------------------------------------------


@pytest.mark.alike
@pytest.mark.parametrize("at", [1, 7, 8, 9, 40])
def test_a_loaded_state_goes_on_to_the_same_bits(at: int, place: Place) -> None:
    def start() -> tuple[Any, Any]:
        optimizer = made(place, 3, 2)
        return optimizer, ParamScheduler(
            optimizer, {"beta1": BETAS["cosine"], "beta2": BETAS["near one"]}
        )

    def go(optimizer: Any, scheduler: Any, steps: range) -> list[Any]:
        seen = []
        for t in steps:
            seen.append((held(optimizer), optimizer.param_groups[0]["betas"]))
            update(optimizer, *([1] if t % 3 == 0 else []))
            scheduler.step()
        return seen

    optimizer, scheduler = start()
    go(optimizer, scheduler, range(at))
    saved = optimizer.state_dict(), scheduler.state_dict()
    weights = [p.copy() for p in optimizer.param_groups[0]["params"]]
    products = [e["beta1_product"] for e in saved[0]["state"].values()]
    assert json.loads(json.dumps(products)) == [list(p) for p in products]
    want = go(optimizer, scheduler, range(at, at + 20))
    again, follows = start()
    for p, old in zip(again.param_groups[0]["params"], weights, strict=True):
        p[...] = old
    again.load_state_dict(saved[0])
    follows.load_state_dict(saved[1])
    assert go(again, follows, range(at, at + 20)) == want
    for name in ("param_groups", "state"):
        assert str(again.state_dict()[name]) == str(optimizer.state_dict()[name])


def test_a_state_without_products_is_taken_to_have_used_todays_beta(place: Place) -> None:
    """As torch's; and torch takes ours, with the products in it."""
    optimizer = made(place)
    scheduler = ParamScheduler(optimizer, {"beta1": BETAS["ramp"]})
    for _ in range(5):
        update(optimizer)
        scheduler.step()
    ours = optimizer.state_dict()
    as_tensor = {k: torch.as_tensor(v, dtype=torch.float32) for k, v in ours["state"][0].items()}
    theirs = torch.optim.AdamW([torch.ones(3, requires_grad=True)])
    theirs.load_state_dict({**ours, "state": {0: as_tensor}})
    back = theirs.state_dict()
    for name in ("beta1_product", "beta2_product"):
        del back["state"][0][name]
    other = made(place)
    other.load_state_dict(back)
    beta1 = ours["param_groups"][0]["betas"][0]
    assert held(other) == (truth([beta1] * 6)[0], truth([0.999] * 6)[1])
    plain = AdamW([np.ones(3, np.float32)], device=place)  # that keeps none takes the rest
    plain.load_state_dict(ours)
    assert set(plain.state_dict()["state"][0]) == {"step", "exp_avg", "exp_avg_sq"}


@pytest.mark.parametrize(
    "bad", ["x", 0.5, (0.5,), (1.5, 0.0), (-0.5, 0.0), (0.5, 0.1), (math.nan, 0)]
)
def test_a_bad_product_changes_nothing(bad: Any) -> None:
    optimizer = made("cpu")
    update(optimizer)
    state = optimizer.state_dict()
    before = str(state)
    state["state"][0]["beta2_product"] = bad
    with pytest.raises(StateError, match=r'"state"\]\[0\]\[.beta2_product.\] must be'):
        optimizer.load_state_dict(state)
    assert str(optimizer.state_dict()) == before


def test_an_added_group_begins_anew(place: Place) -> None:
    optimizer = made(place)
    scheduler = ParamScheduler(optimizer, {"beta1": BETAS["ramp"]})
    for _ in range(3):
        update(optimizer)
        scheduler.step()
    optimizer.add_param_group({"params": [np.ones(2, np.float32)]})
    update(optimizer)
    scheduler.step()
    used = [exact(BETAS["ramp"], t) for t in range(5)]
    assert held(optimizer)[0] == truth(used)[0]
    assert held(optimizer, 1)[0] == truth([mpf(0.9), used[4]])[0]


def test_what_is_no_bias_correction() -> None:
    for value in ("Exact", None, True, 1):
        with pytest.raises(ValueError, match='bias_correction must be "torch" or "exact", got'):
            AdamW([np.ones(3, np.float32)], device="cpu", bias_correction=value)  # type: ignore[arg-type]


# --- The arithmetic -------------------------------------------------------------------------------


def test_products_and_powers_are_rounded_at_their_width() -> None:
    rng = np.random.default_rng(1)
    for beta in [0.9, 0.999, 1 - 2.0**-53, 0.5, *rng.random(20)]:
        product, want = (1, 0), Fraction(1)
        for k in range(1, 60):
            whole = (Fraction(beta).numerator, 1 - Fraction(beta).denominator.bit_length())
            product, want = times(product, whole), want * Fraction(beta)
            for got in (product, power(float(beta), k)):
                error = abs(_fraction(got) / want - 1)
                assert error <= Fraction(k, 2**96)
            assert from_floats(*as_floats(product)) == product
    assert power(0.9, 2**53) == (0, 0) and power(0.0, 1) == (0, 0) and power(0.0, 0) == (1, 0)
    late = _fraction(power(1 - 2.0**-53, 2**53))
    with mp.workprec(400):
        got, want_late = mpf(late.numerator) / late.denominator, (1 - mpf(2) ** -53) ** (2**53)
        assert abs(got / want_late - 1) < mpf(2) ** -95


def _fraction(number: tuple[int, int]) -> Fraction:
    return Fraction(number[0]) * Fraction(2) ** number[1]


@pytest.mark.parametrize("root", [1, 2])
def test_a_correction_is_rounded_once(root: int) -> None:
    rng = np.random.default_rng(root)
    exponents = rng.integers(1, 120, 500).tolist()
    sizes = [int(m) | 1 for m in rng.integers(1, 2**62, 500)]
    cases: list[tuple[int, int]] = [
        (m, -m.bit_length() - e // 8) for m, e in zip(sizes, exponents, strict=True)
    ]
    cases += [
        (2**60 - m % 2**e, -60) for m, e in zip(sizes, [1 + e % 59 for e in exponents], strict=True)
    ]
    cases += [(0, 0), (3, -2), (2**24 - 1, -24)]
    # 2^-96 above the middle between two float32.
    cases += [(2**48 - 2**24 + 1, -72), (2**49 - 3 * 2**24 + 4, -72)]
    for product in cases:
        with mp.workprec(400):
            rest = 1 - mpf(product[0]) * mpf(2) ** product[1]
            want = 1 / (rest if root == 1 else mp.sqrt(rest))
            assert bits(correction(product, root)) == float32_bits(want), product
