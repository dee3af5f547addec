"""Greedy: a value that rises while a metric improves and falls while it does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..schedules.checks import check_number
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
    raised,
    reduced,
    tolerances,
)


def fresh(reset_start: int) -> State:
    """Return the counts before any metric."""
    return {
        "best": None,
        "good": 0,
        "bad": 0,
        "cooldown": 0,
        "warmup": 0,
        "resets_in": int(reset_start),
        "window": [],
        "total": 0.0,
    }


def smoothed(counts: State, metric: float, size: int) -> tuple[State, float]:
    """Return the counts with ``metric`` in their window of ``size``, and the window's mean.

    By a running sum, as Hugging Face does it.
    """
    window, total = [*counts["window"], metric], counts["total"] + metric
    if len(window) > size:
        total -= window.pop(0)
    return {**counts, "window": window, "total": total}, total / len(window)


def count_both(rule: Any, counts: State, metric: float) -> tuple[State, int]:
    """Return the counts after ``metric``, and what it leads to: 1 up, -1 down, 0 neither."""
    for name in ("cooldown", "warmup"):
        if counts[name] > 0:
            return {**counts, name: counts[name] - 1}, 0
    best = WORST[rule.mode] if counts["best"] is None else counts["best"]
    if BETTER[rule.mode](metric, best, *tolerances(rule.threshold, rule.threshold_mode)):
        counts = {**counts, "best": metric, "good": counts["good"] + 1, "bad": 0}
    else:
        counts = {**counts, "good": 0, "bad": counts["bad"] + 1}
    if counts["good"] > rule.patience:
        return {**counts, "good": 0, "warmup": rule.warmup}, 1
    if counts["bad"] > rule.patience:
        return {**counts, "bad": 0, "cooldown": rule.cooldown}, -1
    return counts, 0


def greedy_step(
    rule: Any,
    counts: State,
    values: Sequence[float],
    metric: float,
    bounds: Sequence[tuple[float, float]],
    firsts: Sequence[float],
    reset_start: int,
) -> tuple[State, list[float]]:
    """Return the counts and the values, of one rule or of several groups, after ``metric``.

    ``rule`` has the settings by name, ``bounds`` each value's least and most, and ``firsts`` what
    they go back to when all have stood at their least for ``reset_start`` reductions.
    """
    if rule.smooth:
        counts, metric = smoothed(counts, metric, rule.window_size)
    counts, way = count_both(rule, counts, metric)
    pairs = list(zip(values, bounds, strict=True))
    if way > 0:
        up = [raised(value, rule.factor, most, rule.eps) for value, (_, most) in pairs]
        return {**counts, "resets_in": reset_start}, up
    if way == 0:
        return counts, list(values)
    down = [reduced(value, rule.factor, least, rule.eps) for value, (least, _) in pairs]
    if any(value > least for value, (least, _) in zip(down, bounds, strict=True)):
        return counts, down
    if counts["resets_in"] <= 1:
        return fresh(reset_start), list(firsts)
    return {**counts, "resets_in": counts["resets_in"] - 1}, down


@dataclass(frozen=True)
class Greedy(Rule):
    """``value`` at first, / ``factor`` while a metric improves, * ``factor`` while it does not.

    The rule of Hugging Face's GreedyLR (transformers 5; arXiv 2512.14527). More than ``patience``
    metrics in a row that are better than the best one: min(value / factor, max_value), and the next
    ``warmup`` metrics do not count. More than ``patience`` that are not:
    max(value * factor, min_value), and the next ``cooldown`` do not count. A change of ``eps`` or
    less is not made. "Better" is by ``threshold``, as for Plateau.

    ``smooth``: compare the mean of the last ``window_size`` metrics. ``reset_start``: after so many
    reductions at ``min_value`` all begins anew.

    Raises TypeError or ValueError for settings that cannot be meant, and from ``update`` for a
    metric that is no finite number; ``accept_nonfinite`` counts it as not better.

    >>> greedy = Greedy(0.5, factor=0.5, patience=1)
    >>> state, values = greedy.start(), []
    >>> for loss in [1.0, 0.9, 0.9, 0.9, 0.9, 0.9]:
    ...     state = greedy.update(state, loss)
    ...     values.append(greedy.value_of(state))
    >>> values
    [0.5, 1.0, 1.0, 0.5, 0.5, 0.25]
    """

    value: float = 1.0
    factor: float = 0.95
    patience: int = 10
    threshold: float = 1e-6
    threshold_mode: Literal["rel", "abs"] = "abs"
    mode: Literal["min", "max"] = "min"
    cooldown: int = 0
    warmup: int = 0
    min_value: float = 1e-3
    max_value: float = 1.0
    eps: float = 1e-8
    smooth: bool = False
    window_size: int = 50
    reset_start: int = 500
    accept_nonfinite: bool = False

    def check_settings(self) -> None:
        """Raise TypeError or ValueError if the fields are no settings of this rule."""
        check_factor(self.factor)
        check_threshold(self)
        for name in ("patience", "cooldown", "warmup"):
            check_count(name, getattr(self, name))
        for name in ("value", "min_value", "max_value"):
            check_number(name, getattr(self, name))
        if not self.min_value <= self.value <= self.max_value:
            raise ValueError(
                f"value must be from min_value={self.min_value} to max_value={self.max_value}, "
                f"got {self.value}: name the two for this value"
            )
        check_number("eps", self.eps, at_least=0.0)
        check_count("window_size", self.window_size, least=1)
        check_count("reset_start", self.reset_start, least=1)
        check_flag("smooth", self.smooth)
        check_flag("accept_nonfinite", self.accept_nonfinite)

    def start(self) -> State:
        """Return the state before any metric: no best one, nothing counted."""
        return {"value": float(self.value), **fresh(self.reset_start)}

    def bounds(self) -> tuple[float, float]:
        """Return the least and the most that its value can be."""
        return self.min_value, self.max_value

    def update(self, state: State, metric: Any) -> State:
        """Return the state after one more metric."""
        counts, (value,) = greedy_step(
            self,
            {name: number for name, number in state.items() if name != "value"},
            [state["value"]],
            metric_of(metric, self.accept_nonfinite),
            [(self.min_value, self.max_value)],
            [float(self.value)],
            self.reset_start,
        )
        return {"value": value, **counts}
