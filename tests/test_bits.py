"""Every option of every optimizer: after 10,000 steps the bits of a plain numpy loop, everywhere.

The rate and the momentum (beta1) follow OneCycleLR. Option sets are the groups of one optimizer,
each with one parameter; the plain loops take their hyperparameters from mpmath.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

import numpy as np
import pytest
from cycle import MAX_LR, STEPS, TOTAL, exact_rows, rounded
from mpmath import mpf
from plain import F, PlainAdam, PlainAdamW, PlainSGD, hashed_gradient

from grilly.optim import SGD, Adam, AdamW
from grilly.optim.lr_scheduler import OneCycleLR

pytestmark = pytest.mark.numbers

SIZE = 1003  # no multiple of 4: the last float4 is part padding
Options = dict[str, Any]
Array = np.ndarray[Any, np.dtype[np.float32]]

DECAY = {"weight_decay": 0.03}
MAXIMIZE = {"maximize": True}
BOTH = {**DECAY, **MAXIMIZE}
AMSGRAD = {"amsgrad": True}
PLAIN_SGD = [{}, DECAY, MAXIMIZE, BOTH]
# What of a set is the scheduler's: a momentum that is cycled, or none.
MOMENTUM = {"momentum": 0.9}
MOMENTA = [
    {},
    BOTH,
    MOMENTUM,
    {**MOMENTUM, "dampening": 0.3},
    {**MOMENTUM, "nesterov": True},
    {**MOMENTUM, **DECAY},
    {**MOMENTUM, **MAXIMIZE, "nesterov": True},
    {**MOMENTUM, **BOTH, "dampening": 0.3},
    {**MOMENTUM, **BOTH, "dampening": -0.3, "nesterov": True},
]
MOMENTS = [{}, DECAY, MAXIMIZE, BOTH]
LARGEST = [AMSGRAD, {**AMSGRAD, **DECAY}, {**AMSGRAD, **MAXIMIZE}, {**AMSGRAD, **BOTH}, DECAY]
# One optimizer each; without the state in any of its groups it has a kernel of its own.
CASES: dict[str, tuple[Any, list[Options]]] = {
    "SGD": (SGD, PLAIN_SGD),
    "SGD momentum": (SGD, MOMENTA),
    "Adam": (Adam, MOMENTS),
    "Adam amsgrad": (Adam, LARGEST),
    "AdamW": (AdamW, MOMENTS),
    "AdamW amsgrad": (AdamW, LARGEST),
}


def weights() -> Array:
    return np.random.default_rng(0).standard_normal(SIZE).astype(np.float32)


@lru_cache(maxsize=STEPS)
def gradient(step: int) -> Array:
    """Return each step's gradient, which many parameters get."""
    made = hashed_gradient(SIZE, step)
    made.flags.writeable = False
    return made


@cache
def plain_sgd(options: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    """Return what a parameter is and has after all steps."""
    chosen = dict(options)
    momentum = chosen.pop("momentum", 0) != 0
    fresh = rounded(1 - mpf(chosen.pop("dampening", 0)))
    decay = F(chosen.pop("weight_decay", 0))
    plain = PlainSGD(weights(), **chosen)
    for step, (lr, cycled, *_) in enumerate(exact_rows(STEPS)):
        plain.step(gradient(step), lr, cycled if momentum else F(0), fresh, decay)
    has = {} if plain.buffer is None else {"momentum_buffer": plain.buffer}
    return {"p": plain.p, **has}


@cache
def plain_adam(kind: type[PlainAdam], options: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    """Return what a parameter is and has after all steps."""
    chosen = dict(options)
    decay, new2 = F(chosen.pop("weight_decay", 0)), rounded(1 - mpf(0.999))
    plain = kind(weights(), **chosen)
    for step, (lr, beta1, new1, debias1, debias2) in enumerate(exact_rows(STEPS)):
        grad = gradient(step)
        plain.step(grad, lr, beta1, new1, F(0.999), new2, F(1e-8), decay, debias1, debias2)
    has = {"max_exp_avg_sq": plain.largest} if plain.amsgrad else {}
    return {"p": plain.p, "exp_avg": plain.m, "exp_avg_sq": plain.v, "step": STEPS, **has}


def wanted(kind: Any, options: Options) -> dict[str, Any]:
    key = tuple(sorted(options.items()))
    if kind is SGD:
        return plain_sgd(key)
    return plain_adam(PlainAdam if kind is Adam else PlainAdamW, key)


@pytest.mark.parametrize("name", CASES)
def test_bits_of_a_plain_loop(place: str, name: str) -> None:
    kind, sets = CASES[name]
    params = [weights() for _ in sets]
    groups = [
        {"params": [p], "weight_decay": 0, **options}
        for p, options in zip(params, sets, strict=True)
    ]
    optimizer = kind(groups, device=place)
    # A momentum of 0 is cycled between 0 and 0.
    cycled = [kind is not SGD or "momentum" in options for options in sets]
    momenta = {
        "base_momentum": [0.85 * on for on in cycled],
        "max_momentum": [0.95 * on for on in cycled],
    }
    scheduler = OneCycleLR(optimizer, max_lr=MAX_LR, total_steps=TOTAL, **momenta)
    for step in range(STEPS):
        optimizer.step(gradients=[gradient(step)] * len(params))
        scheduler.step()
    state = optimizer.state_dict()["state"]
    for i, (p, options) in enumerate(zip(params, sets, strict=True)):
        got = {"p": p, **state.get(i, {})}
        want = wanted(kind, options)
        assert set(got) == set(want)
        for what in want:
            np.testing.assert_array_equal(got[what], want[what], f"{options} {what}")
