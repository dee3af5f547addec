"""Schedules of several phases from numbers: warmup-stable-decay, one-cycle, SWA, scaled cycles."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

from .anneal import CosineDecay, PowerDecay, RatioDecay, SqrtDecay
from .base import Schedule
from .checks import check_arguments, check_choice, check_number
from .compose import Shift, Stretch
from .cyclic import Cyclic
from .function import schedule_of
from .interpolate import Interpolate
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
    check_arguments(peak=peak, low=low, start=start)
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
    check_arguments(start=start, end=end)
    check_choice("how", how, ("cos", "linear"))
    return (CosineDecay if how == "cos" else Linear)(start, end, steps)


KNOTS = ("optax", "torch", "fastai")


def one_cycle(
    peak: float,
    steps: float,
    share: float = 0.3,
    back: float | None = None,
    start: float | None = None,
    end: float | None = None,
    how: str = "cosine",
    knots: str = "optax",
) -> Interpolate:
    """Return ``start`` to ``peak`` in a ``share`` of the steps, then to ``end``, level from there.

    With ``back`` there are three phases: at that share of the steps it is at ``start`` again.
    ``start`` is by default peak / 25 and ``end`` is start / 10000. ``how`` is "cosine" or "linear".
    ``knots`` says at which steps the phases end, of T = ``steps``:

    - "optax": int(share T), int(back T) and T
    - "torch": share T - 1, back T - 2 (or where the first ends, if that is later) and T - 1; back
      is 2 * share in its OneCycleLR. PyTorch goes on behind the end: that is OneCycle
    - "fastai": share T, back T and T, rounded nowhere

    Source: L. N. Smith and N. Topin, arXiv:1708.07120. Raises TypeError or ValueError, naming the
    argument: 0 <= share <= back <= 1, and ``steps`` are not negative.

    >>> up_and_down = one_cycle(1.0, 10, share=0.4, start=0.2, end=0.0, how="linear")
    >>> [round(float(up_and_down(t)), 12) for t in (0, 2, 4, 7, 10, 11)]
    [0.2, 0.6, 1.0, 0.5, 0.0, 0.0]
    """
    check_number("peak", peak)
    check_number("steps", steps, at_least=0)
    check_choice("knots", knots, KNOTS)
    start = peak / 25 if start is None else start
    check_number("start", start)
    end = start / 1e4 if end is None else end
    check_number("end", end)
    shares, values = [share], [start, peak]
    if back is not None:
        shares, values = [share, back], [start, peak, start]
    for name, value in zip(("share", "back"), shares, strict=False):
        check_number(name, value, at_least=0)
        if value > 1:
            raise ValueError(f"{name} must be at most 1, got {value!r}")
    if back is not None and back < share:
        raise ValueError(f"back must be at least share={share!r}, got {back!r}")
    ends = _knots([*shares, 1], steps, knots)
    return Interpolate((min(0, ends[0]), *ends), (*values, end), how)


def _knots(shares: list[float], steps: float, knots: str) -> list[float]:
    if knots == "optax":
        return [*(int(share * steps) for share in shares[:-1]), steps]
    if knots == "fastai":
        return [share * steps for share in shares]
    ends = [share * steps - i for i, share in enumerate(shares, 1)]
    return list(accumulate([*ends[:-1], steps - 1], max))


def scaled_cyclic(
    low: float, high: float, up: float, down: float, scale: Any, by: str = "cycle"
) -> Schedule:
    """Return Cyclic's triangles, of which ``scale`` multiplies the height over ``low``.

    ``scale`` is a schedule or a function: of the number of the cycle, 1, 2, ..., or with by="step"
    of the step. As CyclicLR's scale_fn, whose scale_mode is "cycle" or "iterations".

    >>> halved = scaled_cyclic(0.0, 1.0, up=2, down=2, scale=lambda c: 2.0 ** (1 - c))
    >>> [float(halved(t)) for t in (0, 2, 4, 6, 10)]
    [0.0, 1.0, 0.0, 0.5, 0.25]
    """
    check_arguments(low=low, high=high)
    for name, steps in (("up", up), ("down", down)):
        check_number(name, steps, above=0)
    check_choice("by", by, ("cycle", "step"))
    height = schedule_of(scale, "scale")
    if by == "cycle":
        height = Stretch(Shift(height, -1), up + down)
    return low + Cyclic(0.0, high - low, up, down) * height
