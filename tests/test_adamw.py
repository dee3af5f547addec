"""AdamW: bits of a plain numpy loop on every device; torch's behaviour with missing gradients."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from cycle import MAX_LR, TOTAL, annealed, exact_rows, rounded
from mpmath import mp, mpf
from plain import F, PlainAdamW, hashed_gradient

from grilly import nn
from grilly.optim import AdamW
from grilly.optim.lr_scheduler import OneCycleLR

SIZE = 1003  # no multiple of 4: the last float4 is part padding
Array = np.ndarray[Any, np.dtype[np.float32]]


def weights(size: int = SIZE, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(size).astype(np.float32)


def test_the_kernel_reads_the_correctly_rounded_row(place: str) -> None:
    optimizer = AdamW([weights()], device=place)
    scheduler = OneCycleLR(optimizer, max_lr=MAX_LR, total_steps=TOTAL)
    for want in exact_rows(600):
        row = optimizer.read_hyperparameters()[0]
        assert tuple(row[["lr", "beta1", "one_minus_beta1", "debias1", "debias2"]]) == want
        optimizer.step(gradients=[np.ones(SIZE)])
        scheduler.step()


def constants(k: int, beta1: float = 0.9, beta2: float = 0.999) -> tuple[F, ...]:
    """Return what PlainAdamW.step takes after lr, for AdamW's default options."""
    with mp.workdps(50):
        debias1 = rounded(1 / (1 - mpf(beta1) ** k))
        debias2 = rounded(1 / mp.sqrt(1 - mpf(beta2) ** k))
        news = rounded(1 - mpf(beta1)), rounded(1 - mpf(beta2))
    return F(beta1), news[0], F(beta2), news[1], F(1e-8), F(0.01), debias1, debias2


def test_a_missing_gradient_delays_only_its_parameter(place: str) -> None:
    """As in torch, each parameter counts its own updates for its bias correction."""
    params = [weights(40, seed=i) for i in range(3)]
    plains = [PlainAdamW(p) for p in params]
    counts = [0, 0, 0]
    optimizer = AdamW([{"params": params[:2]}, {"params": params[2:], "lr": 0.1}], device=place)
    rng = np.random.default_rng(3)
    for step in range(60):
        grads = [
            hashed_gradient(40, 3 * step + i) if rng.random() < 0.7 else None for i in range(3)
        ]
        for i, grad in enumerate(grads):
            if grad is not None:
                counts[i] += 1
                plains[i].step(grad, F(0.1 if i == 2 else 1e-3), *constants(counts[i]))
        optimizer.step(gradients=grads)
        for p, plain in zip(params, plains, strict=True):
            np.testing.assert_array_equal(p, plain.p)
    assert [entry["step"] for entry in optimizer.state_dict()["state"].values()] == counts


def test_the_row_of_a_group_at_rest_is_that_of_its_next_update(place: str) -> None:
    params = [weights(5, seed=i) for i in range(2)]
    optimizer = AdamW([{"params": [p]} for p in params], device=place)
    for step in range(12):
        counts = (step + 1, 1 if step <= 4 else step - 3)
        for row, count in zip(optimizer.read_hyperparameters(), counts, strict=True):
            assert tuple(row[["debias1", "debias2"]]) == constants(count)[-2:]
        optimizer.step(gradients=[np.ones(5), None if step < 4 else np.ones(5)])


def test_the_schedule_changes_the_update_of_each_group(place: str) -> None:
    """With gradient 1 the first AdamW step moves by the rate: torch's own users rely on it."""
    params = [nn.Parameter(np.ones(4, np.float32)) for _ in range(2)]
    groups = [{"params": params[:1]}, {"params": params[1:]}]
    optimizer = AdamW(groups, weight_decay=0.0, eps=0.0, device=place)
    scheduler = OneCycleLR(optimizer, max_lr=[0.25, 0.5], total_steps=10, cycle_momentum=False)
    before = [1.0, 1.0]
    for _ in range(9):
        for p in params:
            p.grad = np.ones(4, np.float32)
        rates = scheduler.get_last_lr()
        optimizer.step()
        scheduler.step()
        moved = [b - float(p.data[0]) for b, p in zip(before, params, strict=True)]
        np.testing.assert_allclose(moved, rates, rtol=1e-5, atol=1e-6)
        before = [float(p.data[0]) for p in params]
    assert before[1] < before[0] < 0


def test_a_hand_edit_takes_effect_at_the_next_step(place: str) -> None:
    optimizer = AdamW([weights()], device=place)
    scheduler = OneCycleLR(optimizer, max_lr=0.1, total_steps=100)
    for step in range(30):
        if step == 10:
            optimizer.param_groups[0]["lr"] = 0.75
            optimizer.param_groups[0]["weight_decay"] = 0.5
        row = optimizer.read_hyperparameters()[0]
        assert row["lr"] == F(optimizer.param_groups[0]["lr"])
        assert row["weight_decay"] == F(0.5 if step >= 10 else 0.01)
        assert (row["lr"] == F(0.75)) == (step == 10)
        optimizer.step(gradients=[np.ones(SIZE)])
        scheduler.step()


@pytest.mark.parametrize("every", [1, 7, 50])
def test_per_epoch_users_get_their_rates(place: str, every: int) -> None:
    optimizer = AdamW([weights()], device=place)
    scheduler = OneCycleLR(optimizer, max_lr=0.1, total_steps=300)
    for step in range(1, 300):
        row = optimizer.read_hyperparameters()[0]
        assert row["lr"] == rounded(cycled_at(int(scheduler.last_epoch), 300))
        optimizer.step(gradients=[np.ones(SIZE)])
        if step % every == 0:
            scheduler.step()


@cache
def cycled_at(t: int, total: int) -> mpf:
    with mp.workdps(50):
        peak, last, start = mpf(float(0.3 * total) - 1), mpf(total - 1), 0.1 / 25.0
        if t <= peak:
            return annealed(start, 0.1, t / peak)
        return annealed(0.1, start / 1e4, (t - peak) / (last - peak))


def test_groups_added_later_join_in(place: str) -> None:
    first, second = weights(10, 1), weights(10, 2)
    plains = [PlainAdamW(first), PlainAdamW(second)]
    optimizer = AdamW([first], device=place)
    grads = [hashed_gradient(10, i) for i in range(6)]
    for step, grad in enumerate(grads):
        if step == 3:
            optimizer.add_param_group({"params": [second], "lr": 0.5})
        plains[0].step(grad, F(1e-3), *constants(step + 1))
        if step >= 3:
            plains[1].step(grad, F(0.5), *constants(step - 2))
        optimizer.step(gradients=[grad] * (1 if step < 3 else 2))
    np.testing.assert_array_equal(first, plains[0].p)
    np.testing.assert_array_equal(second, plains[1].p)


@pytest.mark.parametrize("amsgrad", [False, True])
def test_state_dict_resumes_to_the_same_bits(place: str, amsgrad: bool) -> None:
    def start(p: Array) -> tuple[AdamW, OneCycleLR]:
        optimizer = AdamW([{"params": [p[:7]]}, {"params": [p[7:]]}], amsgrad=amsgrad, device=place)
        return optimizer, OneCycleLR(optimizer, max_lr=0.01, total_steps=50)

    def advance(optimizer: AdamW, scheduler: OneCycleLR, steps: range) -> None:
        for step in steps:
            grad = hashed_gradient(20, step)
            optimizer.step(gradients=[grad[:7], grad[7:]])
            scheduler.step()

    whole = weights(20)
    half = whole.copy()
    advance(*start(whole), range(40))
    optimizer, scheduler = start(half)
    advance(optimizer, scheduler, range(25))
    saved = optimizer.state_dict(), scheduler.state_dict()
    optimizer, scheduler = start(half)
    optimizer.load_state_dict(saved[0])
    scheduler.load_state_dict(saved[1])
    advance(optimizer, scheduler, range(25, 40))
    np.testing.assert_array_equal(half, whole)


def test_any_shape_and_layout_is_updated_in_place(place: str) -> None:
    base = weights(60).reshape(6, 10)
    params = [
        base[::2, 1:9:3],
        np.array(2.0, np.float32),
        np.zeros((0, 3), np.float32),
        base[1:2].T,
    ]
    plains = [PlainAdamW(p) for p in params]
    optimizer = AdamW(params, device=place)
    for step in range(5):
        grads = [np.full(p.shape, 0.5 - step, np.float32) for p in params]
        for plain, grad in zip(plains, grads, strict=True):
            plain.step(grad, F(1e-3), *constants(step + 1))
        optimizer.step(gradients={id(p): g for p, g in zip(params, grads, strict=True)})
    for p, plain in zip(params, plains, strict=True):
        np.testing.assert_array_equal(p, plain.p)


def test_a_host_edit_of_the_weights_is_seen(place: str) -> None:
    p = nn.Parameter(weights(12))
    optimizer = AdamW([p], lr=0.0, device=place)
    p.grad = np.ones(12)
    optimizer.step()
    p.data[:] = 3.0
    optimizer.step()
    np.testing.assert_array_equal(p.data, np.full(12, 3.0, np.float32))


def test_nothing_happens_without_gradients(place: str) -> None:
    p = nn.Parameter(weights(12))
    before = p.data.copy()
    optimizer = AdamW([p], device=place)
    assert optimizer.step(lambda: 42) == 42
    np.testing.assert_array_equal(p.data, before)
    assert optimizer.state_dict()["state"] == {}
