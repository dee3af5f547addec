"""Steps past 2^24, 2^32 and up to 2^53: rates and bias corrections stay exact on every device."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf
from truth import float32_bits

from grilly.optim import Adam
from grilly.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, OneCycleLR, StepLR

pytestmark = pytest.mark.numbers

LAST = 2**53
STARTS = (2**24 - 2, 2**31 - 2, 2**32 - 2, 2**40 + 1, LAST - 6)
STEPS = 5


def step_decay(t: int) -> mpf:
    return mpf(0.1) * mpf(0.5) ** (t // 2**48)


def quick_decay(t: int) -> mpf:
    """With gamma close to 1 every step counts; past 2^31 what is left is 0 in float32."""
    return mpf(0.1) * mpf(1 - 2.0**-20) ** (t // 3)


def cosine(t: int) -> mpf:
    """A period that is no power of two, so that every step differs."""
    period = 2**24 + 7
    return mpf(0.001) + (mpf(0.1) - mpf(0.001)) * (1 + mp.cospi(mpf(t) / period)) / 2


def one_cycle(t: int) -> mpf:
    total, peak = LAST, mpf(0.1)
    start, end = mpf(0.1 / 25.0), mpf(0.1 / 25.0 / 1e4)
    up, last = mpf(float(0.3 * total) - 1), mpf(total - 1)
    a, b, share = (start, peak, t / up) if t <= up else (peak, end, (t - up) / (last - up))
    return a * mp.sinpi((1 - share) / 2) ** 2 + b * mp.sinpi(share / 2) ** 2


CASES: dict[str, tuple[Callable[[Any], LRScheduler], Callable[[int], mpf]]] = {
    "StepLR": (lambda o: StepLR(o, 2**48, 0.5), step_decay),
    "StepLR, every third": (lambda o: StepLR(o, 3, 1 - 2.0**-20), quick_decay),
    "CosineAnnealingLR": (lambda o: CosineAnnealingLR(o, 2**24 + 7, 0.001), cosine),
    "OneCycleLR": (lambda o: OneCycleLR(o, 0.1, LAST, cycle_momentum=False), one_cycle),
}


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("name", CASES)
def test_the_kernel_reads_the_rounded_truth(name: str, start: int, place: str) -> None:
    make, truth = CASES[name]
    optimizer = Adam([np.ones(3, np.float32)], lr=0.1, device=place)
    optimizer.step(gradients=[np.ones(3)])
    state = optimizer.state_dict()
    state["state"][0]["step"] = start
    optimizer.load_state_dict(state)
    scheduler = make(optimizer)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scheduler.step(start)
    for t in range(start, start + STEPS):
        row = optimizer.read_hyperparameters()[0]
        with mp.workdps(60):
            beta1, beta2 = mpf(0.9) ** (t + 1), mpf(0.999) ** (t + 1)
            wanted = {"lr": truth(t), "debias1": 1 / (1 - beta1), "debias2": 1 / mp.sqrt(1 - beta2)}
            for column, value in wanted.items():
                assert int(row[column].view(np.uint32)) == float32_bits(value), (column, t)
        optimizer.step(gradients=[np.ones(3)])
        scheduler.step()
    assert scheduler.last_epoch == start + STEPS
    assert optimizer.state_dict()["state"][0]["step"] == start + STEPS


def test_the_last_update_that_can_be_counted(place: str) -> None:
    """Past it a parameter is refused and nothing changes; another one may still be updated."""
    p, q = np.ones(3, np.float32), np.ones(2, np.float32)
    optimizer = Adam([p, q], lr=0.1, device=place)
    optimizer.step(gradients=[np.ones(3), np.ones(2)])
    state = optimizer.state_dict()
    state["state"][0]["step"] = LAST - 1
    optimizer.load_state_dict(state)
    optimizer.step(gradients=[np.ones(3), np.ones(2)])
    before, weights = str(optimizer.state_dict()), p.copy()
    for call in (
        lambda: optimizer.step(gradients=[np.ones(3), np.ones(2)]),
        optimizer.read_hyperparameters,
    ):
        with pytest.raises(ValueError, match=r"parameter 0 has had 2\^53 updates"):
            call()
    assert str(optimizer.state_dict()) == before
    np.testing.assert_array_equal(p, weights)
    optimizer.step(gradients=[None, np.ones(2)])
    after = optimizer.state_dict()["state"]
    assert (after[0]["step"], after[1]["step"]) == (LAST, 3)
    twin = Adam([r := np.ones(2, np.float32)], lr=0.1, device=place)
    for _ in range(3):
        twin.step(gradients=[np.ones(2)])
    np.testing.assert_array_equal(q, r)


@pytest.mark.parametrize("name", CASES)
def test_past_2_to_the_53_a_step_is_refused(name: str) -> None:
    optimizer = Adam([np.ones(3, np.float32)], lr=0.1, device="cpu")
    scheduler = CASES[name][0](optimizer)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scheduler.step(LAST - 1)
        scheduler.step()
        before = scheduler.state_dict()
        with pytest.raises(ValueError, match=r"within 2\^53|Tried to step"):
            scheduler.step()
    assert scheduler.state_dict() == before
