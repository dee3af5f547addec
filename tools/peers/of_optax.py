"""optax on JAX's CPU: one jitted call a step, which may reuse the memory of what it is given."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

os.environ["JAX_PLATFORMS"] = "cpu"  # before JAX looks for devices

import jax
import optax
from workload import (
    BETAS,
    DECAY,
    EPS,
    LENGTH,
    MOMENTUM,
    RATE,
    SCHEDULES,
    Case,
    Workload,
    arrays,
    stepping,
)

Update = Callable[[Any, Any, Any], tuple[Any, Any]]


def _one_cycle() -> optax.Schedule:
    # Torch's defaults: 0.3 of the way up, from 1/25 of the peak, down to 1e-4 of where it began.
    return optax.cosine_onecycle_schedule(LENGTH, RATE, 0.3, div_factor=25, final_div_factor=1e4)


def _lambda() -> optax.Schedule:
    factor = SCHEDULES["LambdaLR"]["lr_lambda"]
    return lambda t: RATE * factor(t)


RATES: dict[str, Callable[[], optax.Schedule]] = {
    "CosineAnnealingLR": lambda: optax.cosine_decay_schedule(RATE, LENGTH),
    "OneCycleLR": _one_cycle,
    "LambdaLR": _lambda,
}
RULES: dict[str, Callable[[optax.Schedule], optax.GradientTransformation]] = {
    "AdamW": lambda rate: optax.adamw(rate, *BETAS, eps=EPS, weight_decay=DECAY),
    "SGD": lambda rate: optax.sgd(rate, momentum=MOMENTUM),
}


def jitted(case: Case) -> Workload:
    """Return a jitted update, called once a step."""
    rule = RULES[case.optimizer](RATES[case.schedule]())

    @partial(jax.jit, donate_argnums=(0, 1))
    def update(weights: Any, state: Any, gradient: Any) -> tuple[Any, Any]:
        updates, state = rule.update(gradient, state, weights)
        return optax.apply_updates(weights, updates), state

    return _workload(case, rule, update)


def _workload(case: Case, rule: optax.GradientTransformation, update: Update) -> Workload:
    weights, gradient = map(jax.device_put, arrays(case.size))
    state = rule.init(weights)

    def step() -> None:
        nonlocal weights, state
        weights, state = update(weights, state, gradient)

    def wait() -> None:
        jax.block_until_ready((weights, state))

    about = f"optax {optax.__version__}, jax {jax.__version__} on {jax.devices()[0].device_kind}"
    return Workload(stepping(step, wait), lambda: weights, lambda: about)
