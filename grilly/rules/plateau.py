"""Plateau: a value that is cut when a metric has stopped to improve."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from ..schedules.checks import check_choice, check_number
from .base import (
    BETTER,
    WORST,
    Rule,
    State,
    check_count,
    check_factor,
    check_flag,
    check_threshold,
    metric_of,
    reduced,
    tolerances,
)


def count_bad(
    better: bool, bad: float, waiting: float, patience: float, cooldown: float
) -> tuple[float, float, bool]:
    """Return how many metrics are bad, for how many none counts, and whether to cut now.

    torch's recurrence: a cut comes after more than ``patience`` bad metrics, and for ``cooldown``
    metrics after it none is bad.
    """
    bad = 0 if better else bad + 1
    if waiting > 0:
        waiting, bad = waiting - 1, 0
    if bad > patience:
        return 0, cooldown, True
    return bad, waiting, False


class Cuts(NamedTuple):
    """What a plateau goes by: when a metric is better, and what becomes of values when none is."""

    mode: str
    margins: tuple[float, float]  # see ``tolerances``
    factor: float
    patience: float
    cooldown: float
    eps: float

    @classmethod
    def of(cls, scheduler: Any) -> Cuts:
        """Return those of torch's ReduceLROnPlateau, with the settings that it has now."""
        margins = tolerances(scheduler.threshold, scheduler.threshold_mode)
        own = scheduler.factor, scheduler.patience, scheduler.cooldown, scheduler.eps
        return cls(scheduler.mode, margins, *own)


def plateau_step(
    cuts: Cuts, counts: State, values: Sequence[float], metric: float, least: Sequence[float]
) -> tuple[State, list[float]]:
    """Return the counts and the values, of one rule or of several groups, after ``metric``.

    ``least`` is what each value does not fall below.
    """
    best = WORST[cuts.mode] if counts["best"] is None else counts["best"]
    better = BETTER[cuts.mode](metric, best, *cuts.margins)
    bad, waiting, cut = count_bad(
        better, counts["bad"], counts["cooldown"], cuts.patience, cuts.cooldown
    )
    counts = {**counts, "bad": bad, "cooldown": waiting}
    if better:
        counts["best"] = metric
    if not cut:
        return counts, list(values)
    pairs = zip(values, least, strict=True)
    return counts, [reduced(value, cuts.factor, bound, cuts.eps) for value, bound in pairs]


@dataclass(frozen=True)
class Plateau(Rule):
    """``value`` at first, and max(value * factor, min_value) each time a metric stops improving.

    As torch.optim.lr_scheduler.ReduceLROnPlateau counts. A metric is bad if it is not better than
    the best one: for ``mode`` "min" and ``threshold_mode`` "rel" that is below
    best * (1 - threshold) - atol, for "abs" below best - threshold - atol; for "max" the signs are
    turned. After more than ``patience`` bad ones the value is cut, if that takes more than ``eps``
    off it, and the next ``cooldown`` metrics do not count.

    ``convention="optax"`` counts as optax.contrib.reduce_on_plateau: cut at ``patience`` bad ones,
    and whatever ``eps`` is. ``accumulation``: judge the mean of so many metrics.

    With ``value`` 1.0 it is a scale for a product, with an initial rate a schedule of its own.

    Raises TypeError or ValueError for settings that cannot be meant, and from ``update`` for a
    metric that is no finite number. ``accept_nonfinite`` takes it as torch does: nan is bad.

    >>> plateau = Plateau(0.5, factor=0.5, patience=1)
    >>> state = plateau.start()
    >>> for loss in [1.0, 0.9, 0.9, 0.9]:
    ...     state = plateau.update(state, loss)
    >>> plateau.value_of(state), state["best"], state["bad"]
    (0.25, 0.9, 0)
    """

    value: float = 1.0
    factor: float = 0.1
    patience: int = 10
    threshold: float = 1e-4
    threshold_mode: Literal["rel", "abs"] = "rel"
    mode: Literal["min", "max"] = "min"
    cooldown: int = 0
    min_value: float = 0.0
    eps: float = 1e-8
    convention: Literal["torch", "optax"] = "torch"
    accumulation: int = 1
    atol: float = 0.0
    accept_nonfinite: bool = False

    def check_settings(self) -> None:
        """Raise TypeError or ValueError if the fields are no settings of this rule."""
        check_number("value", self.value)
        check_factor(self.factor)
        check_choice("convention", self.convention, ("torch", "optax"))
        check_count("patience", self.patience, least=1 if self.convention == "optax" else 0)
        check_threshold(self)
        check_count("cooldown", self.cooldown)
        check_number("min_value", self.min_value)
        if self.min_value > self.value:
            raise ValueError(
                f"min_value must be at most value={self.value}, got {self.min_value}: no cut can "
                "lead to it"
            )
        check_number("eps", self.eps, at_least=0.0)
        check_count("accumulation", self.accumulation, least=1)
        check_number("atol", self.atol, at_least=0.0)
        check_flag("accept_nonfinite", self.accept_nonfinite)

    def start(self) -> State:
        """Return the state before any metric: no best one, nothing counted."""
        return {
            "value": float(self.value),
            "best": None,
            "bad": 0,
            "cooldown": 0,
            "count": 0,
            "mean": 0.0,
        }

    def bounds(self) -> tuple[float, float]:
        """Return the least that its value can be, and no most: the first value may be another."""
        return self.min_value, math.inf

    def update(self, state: State, metric: Any) -> State:
        """Return the state after one more metric."""
        number = metric_of(metric, self.accept_nonfinite)
        count = state["count"] + 1
        mean = (state["count"] * state["mean"] + number) / count
        if count < self.accumulation:
            return {**state, "count": count, "mean": mean}
        return {**self._judged(state, mean), "count": 0, "mean": 0.0}

    def _judged(self, state: State, metric: float) -> State:
        """Return the state after a metric, or the mean of some, has been compared and counted."""
        counts, (value,) = plateau_step(
            self.cuts(), state, [state["value"]], metric, [self.min_value]
        )
        return {**counts, "value": value}

    def cuts(self) -> Cuts:
        """Return what it goes by, in torch's terms."""
        rtol, atol = tolerances(self.threshold, self.threshold_mode)
        optax = self.convention == "optax"
        return Cuts(
            self.mode,
            (rtol, atol + self.atol),
            self.factor,
            self.patience - optax,
            self.cooldown,
            0.0 if optax else self.eps,
        )


def reduce_on_plateau(
    factor: float = 0.1,
    patience: int = 10,
    rtol: float = 1e-4,
    atol: float = 0.0,
    cooldown: int = 0,
    accumulation_size: int = 1,
    min_scale: float = 0.0,
) -> Plateau:
    """Return optax.contrib.reduce_on_plateau, with its arguments and numbers, as a scale.

    Multiply a schedule by it. Raises TypeError or ValueError as Plateau does.

    >>> scale = reduce_on_plateau(factor=0.5, patience=2)
    >>> state = scale.start()
    >>> for loss in [1.0, 1.0, 1.0]:
    ...     state = scale.update(state, loss)
    >>> scale.value_of(state)
    0.5
    """
    return Plateau(
        factor=factor,
        patience=patience,
        threshold=rtol,
        atol=atol,
        cooldown=cooldown,
        accumulation=accumulation_size,
        min_value=min_scale,
        convention="optax",
    )
