"""Hugging Face's schedules: factors of a rate, with transformers' names, arguments and numbers.

Each function has the name and the defaults of one that transformers.get_scheduler knows (version
5), off-by-ones and ends without a clamp included, and returns a Schedule. W and T below are
``num_warmup_steps`` and ``num_training_steps``. To drive an optimizer there is
grilly.optim.get_scheduler; a factor can be used by itself:

>>> import numpy as np
>>> rate = 0.1 * linear(num_warmup_steps=2, num_training_steps=6)
>>> rate(np.arange(8)).round(12).tolist()
[0.0, 0.05, 0.1, 0.075, 0.05, 0.025, 0.0, 0.0]

``default_lr`` is the optimizer's default rate: ``min_lr`` and ``lr_end`` are divided by it, for
groups of another rate too. All raise TypeError or ValueError that names the argument.
"""

from __future__ import annotations

import warnings

from .anneal import CosineDecay, CosineRestarts
from .base import Constant, Schedule
from .checks import check_choice, check_number
from .compose import Join, Shift
from .decays import InverseSqrt
from .linear import Linear, PolynomialDecay
from .recipes import DECAYS, RISES
from .warm_up import WarmUp


def constant() -> Schedule:
    """Return 1 at every step."""
    return Constant(1.0)


def constant_with_warmup(num_warmup_steps: float) -> Schedule:
    """Return t / W before step W, then 1."""
    return _warmed_up(Constant(1.0), num_warmup_steps)


def linear(num_warmup_steps: float, num_training_steps: float) -> Schedule:
    """Return a line from 0 to 1 at step W and one back to 0 at step T."""
    steps = max(_steps_left(num_warmup_steps, num_training_steps), 0)
    # With less than one step left its line begins lower, as transformers divides by 1 at least.
    return _warmed_up(Linear(min(steps, 1.0), 0.0, steps), num_warmup_steps)


def cosine(num_warmup_steps: float, num_training_steps: float, num_cycles: float = 0.5) -> Schedule:
    """Return a warm-up and ``num_cycles`` waves until step T, which go on after it."""
    waves = _waves(num_warmup_steps, num_training_steps, num_cycles, 0.0)
    return _warmed_up(waves, num_warmup_steps)


def cosine_with_restarts(
    num_warmup_steps: float, num_training_steps: float, num_cycles: float = 1
) -> Schedule:
    """Return a warm-up and ``num_cycles`` half waves from 1 to 0 until step T, then 0."""
    steps = max(_steps_left(num_warmup_steps, num_training_steps), 1)
    check_number("num_cycles", num_cycles, above=0)
    return _warmed_up(CosineRestarts(1.0, 0.0, steps, num_cycles), num_warmup_steps)


def polynomial(
    num_warmup_steps: float,
    num_training_steps: float,
    lr_end: float = 1e-7,
    power: float = 1.0,
    *,
    default_lr: float,
) -> Schedule:
    """Return a warm-up and a power of the share of steps left, down to lr_end / default_lr at T.

    With T = W, where transformers divides by 0 at step W, the end is reached there.
    """
    steps = max(_steps_left(num_warmup_steps, num_training_steps), 0)
    check_number("default_lr", default_lr, above=0)
    check_number("lr_end", lr_end)
    check_number("power", power, at_least=0)
    if not default_lr > lr_end:
        raise ValueError(f"lr_end must be below the default lr, {default_lr}, got {lr_end}")
    end = lr_end / default_lr
    decay = PolynomialDecay(1.0, end, steps, power)
    if power == 0:  # 1 up to step T, if that comes, and the end behind it
        decay = PolynomialDecay(1.0, end, 0, begin=steps // 1 + 1 if steps > 0 else 0)
    return _warmed_up(decay, num_warmup_steps)


def inverse_sqrt(num_warmup_steps: float, timescale: float | None = None) -> Schedule:
    """Return a warm-up and sqrt(s / (s + t - W)), s being ``timescale``, by default W, or 10000."""
    check_number("num_warmup_steps", num_warmup_steps, at_least=0)
    scale = (num_warmup_steps or 10_000) if timescale is None else timescale
    check_number("timescale", scale, above=0)
    return _warmed_up(InverseSqrt(1.0, scale), num_warmup_steps)


def cosine_with_min_lr(
    num_warmup_steps: float,
    num_training_steps: float,
    num_cycles: float = 0.5,
    min_lr: float | None = None,
    min_lr_rate: float | None = None,
    *,
    default_lr: float | None = None,
) -> Schedule:
    """Return ``cosine``, but not down to 0: to ``min_lr_rate``, or min_lr / default_lr."""
    least = _least(min_lr, min_lr_rate, default_lr)
    waves = _waves(num_warmup_steps, num_training_steps, num_cycles, least)
    return _warmed_up(waves, num_warmup_steps)


def cosine_warmup_with_min_lr(
    num_warmup_steps: float,
    num_training_steps: float,
    num_cycles: float = 0.5,
    min_lr: float | None = None,
    min_lr_rate: float | None = None,
    warmup_lr_rate: float | None = None,
    *,
    default_lr: float | None = None,
) -> Schedule:
    """Return ``cosine_with_min_lr`` one step ahead: 1 at step W - 1, and the least at step T - 1.

    The warm-up is (t + 1) / W, or with ``warmup_lr_rate`` a line from that value at step 0.
    """
    least = _least(min_lr, min_lr_rate, default_lr)
    waves = _waves(num_warmup_steps, num_training_steps, num_cycles, least)
    if warmup_lr_rate is None:
        rise = Linear(0.0, 1.0, max(num_warmup_steps, 1), begin=-1)
    else:
        check_number("warmup_lr_rate", warmup_lr_rate)
        rise = Linear(warmup_lr_rate, 1.0, max(num_warmup_steps - 1, 1))
    return Join((rise, Shift(waves, -1)), (num_warmup_steps,))


def warmup_stable_decay(
    num_warmup_steps: float,
    num_decay_steps: float,
    num_training_steps: float | None = None,
    num_stable_steps: float | None = None,
    warmup_type: str = "linear",
    decay_type: str = "cosine",
    min_lr_ratio: float = 0,
    num_cycles: float = 0.5,
) -> Schedule:
    """Return ``min_lr_ratio`` to 1 in W steps, 1 for the stable steps, and down to the ratio again.

    Each type is "linear", "cosine" (with ``num_cycles`` waves in the decay) or "1-sqrt". The stable
    steps are by default what the others leave of T: if that is below 0, the decay has begun
    before step W, and the value falls there.
    """
    check_choice("warmup_type", warmup_type, RISES)
    check_choice("decay_type", decay_type, RISES)
    check_number("num_decay_steps", num_decay_steps, at_least=0)
    check_number("min_lr_ratio", min_lr_ratio, at_least=0)
    check_number("num_cycles", num_cycles, at_least=0)
    if num_stable_steps is None:
        if num_training_steps is None:
            raise ValueError("num_training_steps or num_stable_steps must be given, got None")
        left = _steps_left(num_warmup_steps, num_training_steps)
        num_stable_steps = left - num_decay_steps
    elif num_training_steps is not None:
        warnings.warn(
            f"num_stable_steps={num_stable_steps} is given: num_training_steps is not looked at",
            stacklevel=3,
        )
    check_number("num_stable_steps", num_stable_steps)
    shape = {"cycles": num_cycles} if decay_type == "cosine" else {}
    decay = DECAYS[decay_type](1.0, min_lr_ratio, num_decay_steps, **shape)
    return _warmed_up(Shift(decay, num_stable_steps), num_warmup_steps, min_lr_ratio, warmup_type)


FACTORS = {
    factor.__name__: factor
    for factor in (
        constant,
        constant_with_warmup,
        linear,
        cosine,
        cosine_with_restarts,
        polynomial,
        inverse_sqrt,
        cosine_with_min_lr,
        cosine_warmup_with_min_lr,
        warmup_stable_decay,
    )
}


def _warmed_up(
    schedule: Schedule, steps: float, start: float = 0.0, shape: str = "linear"
) -> Schedule:
    check_number("num_warmup_steps", steps, at_least=0)
    return WarmUp(schedule, steps, start, 1.0, shape)


def _steps_left(num_warmup_steps: float, num_training_steps: float) -> float:
    """Return how many steps there are after the warm-up; below 0 if it is too long."""
    check_number("num_warmup_steps", num_warmup_steps, at_least=0)
    check_number("num_training_steps", num_training_steps)
    return num_training_steps - num_warmup_steps


def _waves(
    num_warmup_steps: float, num_training_steps: float, num_cycles: float, least: float
) -> Schedule:
    steps = max(_steps_left(num_warmup_steps, num_training_steps), 1)
    check_number("num_cycles", num_cycles, at_least=0)
    return CosineDecay(1.0, least, steps, cycles=num_cycles, clamped=False)


def _least(min_lr: float | None, min_lr_rate: float | None, default_lr: float | None) -> float:
    """Return the least factor, given as such or as a rate."""
    if min_lr is not None and min_lr_rate is not None:
        raise ValueError(f"give only one of min_lr and min_lr_rate, got {min_lr} and {min_lr_rate}")
    if min_lr is not None:
        check_number("min_lr", min_lr, at_least=0)
        if default_lr is None:
            raise ValueError(f"min_lr={min_lr} is a share of default_lr: give that, got None")
        check_number("default_lr", default_lr, above=0)
        return min_lr / default_lr
    if min_lr_rate is None:
        raise ValueError(
            "give min_lr or min_lr_rate, got None for both: to get_scheduler as "
            'scheduler_specific_kwargs={"min_lr_rate": ...}'
        )
    check_number("min_lr_rate", min_lr_rate, at_least=0)
    return min_lr_rate
