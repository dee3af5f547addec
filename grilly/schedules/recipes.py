"""Schedules in several phases, of numbers: warmup-stable-decay, one-cycle, annealing to SWA."""

from __future__ import annotations

from typing import Any

from .anneal import CosineDecay, PowerDecay, RatioDecay, SqrtDecay
from .base import Schedule
from .checks import check_choice, check_number
from .compose import Shift
from .linear import Linear
from .warm_up import WarmUp

RISES = ("linear", "cosine", "1-sqrt")
DECAYS: dict[str, Any] = {
    "linear": Linear,
    "cosine": CosineDecay,
    "1-sqrt": SqrtDecay,
    "power": PowerDecay,
    "exponential": RatioDecay,
}


def warmup_stable_decay(
    peak: float,
    warmup_steps: float,
    stable_steps: float,
    decay_steps: float,
    low: float = 0.0,
    start: float = 0.0,
    warmup_shape: str = "linear",
    decay_shape: str = "linear",
    **shape: float,
) -> WarmUp:
    """Return ``start`` to ``peak``, level for ``stable_steps``, down to ``low``, level from there.

    ``warmup_shape`` is "linear", "cosine" or "1-sqrt", as WarmUp has them. ``decay_shape`` is
    "linear" (Linear), "cosine" (CosineDecay), "1-sqrt" (SqrtDecay), "power" (PowerDecay) or
    "exponential" (RatioDecay), and ``shape`` is passed to it: cycles, power, or ratio, which is
    0.5 for Megatron-LM's exponential. A phase without steps is left out.

    Hugging Face has start = low = peak * min_lr_ratio; timm has start=warmup_lr_init and a
    ``peak`` of at least lr_min. Raises TypeError or ValueError that names the argument.

    >>> import numpy as np
    >>> wsd = warmup_stable_decay(1.0, 2, 4, 4, low=0.5, decay_shape="1-sqrt")
    >>> wsd(np.array([0, 1, 2, 6, 7, 10, 11])).tolist()
    [0.0, 0.5, 1.0, 1.0, 0.75, 0.5, 0.5]
    """
    check_number("warmup_steps", warmup_steps, at_least=0)
    check_number("stable_steps", stable_steps, at_least=0)
    check_number("decay_steps", decay_steps, at_least=0)
    check_choice("warmup_shape", warmup_shape, RISES)
    check_choice("decay_shape", decay_shape, tuple(DECAYS))
    decay = DECAYS[decay_shape](peak, low, decay_steps, **shape)
    return WarmUp(Shift(decay, stable_steps), warmup_steps, start, peak, warmup_shape)


def swa_anneal(start: float, end: float, steps: float, how: str = "cos") -> Schedule:
    """Return ``start`` to ``end`` in ``steps`` steps, held from there, by "cos" or "linear".

    As torch.optim.swa_utils.SWALR anneals to the rate of stochastic weight averaging
    (arXiv:1803.05407). Raises ValueError if ``how`` is neither, or ``steps`` is negative.

    >>> import numpy as np
    >>> swa_anneal(0.5, 0.25, steps=4, how="linear")(np.array([0, 2, 4, 5])).tolist()
    [0.5, 0.375, 0.25, 0.25]
    """
    check_choice("how", how, ("cos", "linear"))
    return (CosineDecay if how == "cos" else Linear)(start, end, steps)
