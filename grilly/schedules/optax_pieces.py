"""optax's piecewise schedules and one-cycles, by their names there: see optax_names.py."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from operator import mul

from .base import Constant, Schedule
from .checks import check_choice, check_number
from .interpolate import Interpolate
from .steps import PiecewiseConstant

Scales = Mapping[int, float] | None


def piecewise_constant_schedule(
    init_value: float, boundaries_and_scales: Scales = None
) -> Schedule:
    """Return ``init_value``, times each scale whose boundary the step has reached.

    >>> float(piecewise_constant_schedule(1.0, {4: 0.5, 2: 0.5})(2))
    0.5
    """
    boundaries, values = _scaled(init_value, boundaries_and_scales)
    return PiecewiseConstant(boundaries, values) if boundaries else Constant(init_value)


def piecewise_interpolate_schedule(
    interpolate_type: str, init_value: float, boundaries_and_scales: Scales = None
) -> Schedule:
    """Return piecewise_constant_schedule's values at its boundaries, and what lies between them.

    ``interpolate_type`` is "linear" or "cosine".

    >>> float(piecewise_interpolate_schedule("linear", 1.0, {4: 0.5})(2))
    0.75
    """
    check_choice("interpolate_type", interpolate_type, ("linear", "cosine"))
    boundaries, values = _scaled(init_value, boundaries_and_scales)
    if not boundaries:
        return Constant(init_value)
    check_number("boundaries_and_scales: a boundary", boundaries[0], at_least=0)
    return Interpolate((0, *boundaries), values, interpolate_type)


def linear_onecycle_schedule(
    transition_steps: int,
    peak_value: float,
    pct_start: float = 0.3,
    pct_final: float = 0.85,
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
) -> Schedule:
    """Return lines from peak / div to the peak, back, and down to peak / div / final_div.

    They end at steps int(pct_start N), int(pct_final N) and N: one later than torch's.

    >>> float(linear_onecycle_schedule(10, peak_value=1.0)(3))
    1.0
    """
    check_number("pct_final", pct_final, at_least=0)
    _check_cycle(transition_steps, peak_value, pct_start, div_factor, final_div_factor)
    scales = {
        int(pct_start * transition_steps): div_factor,
        int(pct_final * transition_steps): 1.0 / div_factor,
        transition_steps: 1.0 / final_div_factor,
    }
    return piecewise_interpolate_schedule("linear", peak_value / div_factor, scales)


def cosine_onecycle_schedule(
    transition_steps: int,
    peak_value: float,
    pct_start: float = 0.3,
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
) -> Schedule:
    """Return half cosines from peak / div to the peak, and to peak / div / final_div.

    They end at steps int(pct_start N) and N: one later than torch's.

    >>> float(cosine_onecycle_schedule(10, peak_value=1.0)(3))
    1.0
    """
    _check_cycle(transition_steps, peak_value, pct_start, div_factor, final_div_factor)
    scales = {
        int(pct_start * transition_steps): div_factor,
        int(transition_steps): 1.0 / (div_factor * final_div_factor),
    }
    return piecewise_interpolate_schedule("cosine", peak_value / div_factor, scales)


def _check_cycle(
    transition_steps: float,
    peak_value: float,
    pct_start: float,
    div_factor: float,
    final_div_factor: float,
) -> None:
    check_number("peak_value", peak_value)
    check_number("transition_steps", transition_steps, above=0)
    check_number("pct_start", pct_start, at_least=0)
    check_number("div_factor", div_factor, above=0)
    check_number("final_div_factor", final_div_factor, above=0)


def _scaled(init_value: float, scales: Scales) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the boundaries in order, and the value before each and after the last."""
    check_number("init_value", init_value)
    ordered = sorted((scales or {}).items())
    for boundary, scale in ordered:
        check_number("boundaries_and_scales: a boundary", boundary)
        check_number(f"boundaries_and_scales[{boundary}]", scale, at_least=0)
    values = accumulate((scale for _, scale in ordered), mul, initial=init_value)
    return tuple(boundary for boundary, _ in ordered), tuple(values)
