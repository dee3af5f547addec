"""Random arguments for the constructors that have Hugging Face's and optax's names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from grilly import schedules
from grilly.schedules import Product, Schedule, hugging_face

Arguments = dict[str, Any]
Rng = np.random.Generator


class Draw:
    """Numbers for arguments: steps up to ``most``, 0 and below among them if ``odd``."""

    def __init__(self, rng: Rng, most: float, odd: bool) -> None:
        self.rng, self.most, self.odd = rng, most, odd

    def often(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def steps(self, odd: float = 0) -> int:
        """Return a number of steps; now and then one that is ``odd``, if such are wanted."""
        if self.odd and self.often(0.15):
            return int(odd)
        return int(self.most ** self.rng.uniform(0.2, 1))

    def total(self, warm_up: int) -> int:
        """Return a number of steps above ``warm_up``; the same or less if odd ones are wanted."""
        if self.odd and self.often(0.2):
            return warm_up - int(self.rng.integers(0, 3))
        return warm_up + self.steps(odd=1)

    def value(self) -> float:
        return float(10.0 ** self.rng.uniform(-5, 0))

    def share(self) -> float:
        return 0.0 if self.often(0.3) else float(self.rng.uniform(0, 1))

    def of(self, *usual: Any) -> Any:
        return usual[self.rng.integers(len(usual))]

    def scales(self, count: int) -> dict[int, float]:
        steps = sorted({self.steps() for _ in range(count)})
        return {step: float(10.0 ** self.rng.uniform(-1, 1)) for step in steps}


def _hf_cosine(draw: Draw, *more: str) -> Arguments:
    # Not 0.3 where all bits count: docs/schedules.md, what is exact.
    cycles = draw.of(0.5, 0.5, 1.0, 1.5, *([0.3] if draw.odd else []), 2)
    own = {**_hf_linear(draw), "num_cycles": cycles}
    if more:
        key = draw.of("min_lr", "min_lr_rate")
        own[key] = draw.share() * (0.01 if key == "min_lr" else 1)
        own["default_lr"] = 0.02
    if "warmup_lr_rate" in more:
        own["warmup_lr_rate"] = draw.of(None, draw.share())
    return own


def _hf_linear(draw: Draw) -> Arguments:
    warm_up = draw.steps()
    return {"num_warmup_steps": warm_up, "num_training_steps": draw.total(warm_up)}


def _hf_stable(draw: Draw) -> Arguments:
    own: Arguments = {"num_warmup_steps": draw.steps(), "num_decay_steps": draw.steps()}
    if draw.often(0.5):
        own["num_stable_steps"] = draw.steps()
    else:
        after = sum(own.values()) + draw.steps() * (-1 if draw.odd and draw.often(0.2) else 1)
        own["num_training_steps"] = after
    types = "linear", "cosine", "1-sqrt"
    own |= {"warmup_type": draw.of(*types), "decay_type": draw.of(*types)}
    return {**own, "min_lr_ratio": draw.share(), "num_cycles": draw.of(0.5, 0.5, 1.5, 0.3)}


HUGGING_FACE: dict[str, Callable[[Draw], Arguments]] = {
    "constant": lambda draw: {},
    "constant_with_warmup": lambda draw: {"num_warmup_steps": draw.steps()},
    "linear": _hf_linear,
    "cosine": _hf_cosine,
    "cosine_with_restarts": lambda draw: {**_hf_linear(draw), "num_cycles": draw.of(1, 2, 3, 2.5)},
    "polynomial": lambda draw: {
        **_hf_linear(draw),
        "lr_end": draw.of(1e-7, 1e-3, 0.0),
        "power": draw.of(1.0, 1.0, 2.0, 0.5, 3.3, *([0] if draw.odd else [])),
        "default_lr": 0.02,
    },
    "inverse_sqrt": lambda draw: {
        "num_warmup_steps": draw.steps(),
        "timescale": draw.of(None, draw.steps(odd=7)),
    },
    "cosine_with_min_lr": lambda draw: _hf_cosine(draw, "min_lr"),
    "cosine_warmup_with_min_lr": lambda draw: _hf_cosine(draw, "min_lr", "warmup_lr_rate"),
    "warmup_stable_decay": _hf_stable,
}


def _optax_line(draw: Draw) -> Arguments:
    return {
        "init_value": draw.value() * draw.of(0, 1, 1),
        "end_value": draw.value() * draw.of(0, 1, 1),
        "transition_steps": draw.steps(odd=-1),
        "transition_begin": draw.of(0, draw.steps(odd=-5)),
    }


def _optax_exponential(draw: Draw) -> Arguments:
    return {
        "init_value": draw.value(),
        "transition_steps": draw.steps(),
        "decay_rate": draw.of(0.5, 0.9, 1.01, *([0.0] if draw.odd else [])),
        "transition_begin": draw.of(0, draw.steps(odd=-5)),
        "staircase": draw.of(False, True),
        "end_value": draw.of(None, draw.value()),
    }


def _optax_warm_cosine(draw: Draw) -> Arguments:
    warm_up = draw.steps()
    return {
        "init_value": draw.value() * draw.of(0, 1),
        "peak_value": draw.value() * (0 if draw.odd and draw.often(0.1) else 1),
        "warmup_steps": warm_up,
        "decay_steps": warm_up + draw.steps(odd=1),
        "end_value": draw.value() * draw.of(0, 1),
        "exponent": draw.of(1.0, 1.0, 0.5, 2.0),
    }


def _optax_warm_exponential(draw: Draw) -> Arguments:
    own = _optax_exponential(draw)
    return {
        **own,
        "init_value": draw.value() * draw.of(0, 1),
        "peak_value": own["init_value"],
        "warmup_steps": draw.steps(),
    }


def _optax_cycle(draw: Draw, **more: float) -> Arguments:
    cycle = {"peak_value": draw.value(), "transition_steps": 20 + draw.steps()}
    return {
        **cycle,
        "pct_start": draw.of(0.3, 0.11),
        "div_factor": 25.0,
        "final_div_factor": 1e4,
    } | more


def _optax_restarts(draw: Draw) -> Arguments:
    exponent = draw.of(1.0, 2.0)  # one for all: another structure is another shader to compile
    return {"cosine_kwargs": [_optax_warm_cosine(draw) | {"exponent": exponent} for _ in range(3)]}


OPTAX: dict[str, Callable[[Draw], Arguments]] = {
    "constant_schedule": lambda draw: {"value": draw.value()},
    "linear_schedule": _optax_line,
    "polynomial_schedule": lambda draw: {**_optax_line(draw), "power": draw.of(1, 2, 0.7, 0)},
    "exponential_decay": _optax_exponential,
    "cosine_decay_schedule": lambda draw: {
        "init_value": draw.value(),
        "decay_steps": draw.steps(odd=1),
        "alpha": draw.share(),
        "exponent": draw.of(1.0, 0.5, 2.0),
    },
    "piecewise_constant_schedule": lambda draw: {
        "init_value": draw.value(),
        "boundaries_and_scales": draw.scales(draw.of(1, 3, 7)),
    },
    "piecewise_interpolate_schedule": lambda draw: {
        "interpolate_type": draw.of("linear", "cosine"),
        "init_value": draw.value(),
        "boundaries_and_scales": draw.scales(draw.of(1, 3, 6)),
    },
    "linear_onecycle_schedule": lambda draw: _optax_cycle(draw, pct_final=draw.of(0.85, 0.6)),
    "cosine_onecycle_schedule": _optax_cycle,
    "warmup_constant_schedule": lambda draw: {
        "init_value": draw.value() * draw.of(0, 1),
        "peak_value": draw.value(),
        "warmup_steps": draw.steps(odd=-1),
    },
    "warmup_cosine_decay_schedule": _optax_warm_cosine,
    "warmup_exponential_decay_schedule": _optax_warm_exponential,
    "sgdr_schedule": _optax_restarts,
}


def arguments(name: str, rng: Rng, most: float = 100, odd: bool = True) -> Arguments:
    """Return random arguments for the constructor ``name``, of either library."""
    return (HUGGING_FACE | OPTAX)[name](Draw(rng, most, odd))


def constructed(name: str, own: Arguments, base: float = 0.0) -> Schedule:
    """Return what the constructor makes of arguments: of Hugging Face's a factor of ``base``."""
    if name in OPTAX:
        made: Schedule = getattr(schedules, name)(**own)
        return made
    return Product((base, hugging_face.FACTORS[name](**own)))
