"""Rule, what every recurrence is, and the words that plateau and greedy have in common."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from ..errors import StateError
from ..schedules import Schedule
from ..schedules.checks import check_choice, check_number, is_number

# A rule's state: numbers, None for "none yet" and lists of numbers, by name. JSON-able.
State = dict[str, Any]

# Whether a metric is better than the best one so far, by more than the two tolerances.
BETTER: dict[str, Callable[[float, float, float, float], bool]] = {
    "min": lambda metric, best, rtol, atol: metric < best * (1.0 - rtol) - atol,
    "max": lambda metric, best, rtol, atol: metric > best * (1.0 + rtol) + atol,
}
# What every metric but nan is better than or as good as.
WORST = {"min": math.inf, "max": -math.inf}


class Rule(Schedule):
    """A pure recurrence: start() -> state, update(state, metric) -> state, value_of(state).

    Subclasses are frozen dataclasses. A state is a flat dict that no method changes: ``update``
    returns a new one. The clock of a rule is the number of its updates.
    """

    needs_metric: ClassVar[bool] = True
    accept_nonfinite: bool = False

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if isinstance(value, np.generic):  # a float32 would round all that it meets
                object.__setattr__(self, field.name, value.item())
        self.check_settings()

    def check_settings(self) -> None:
        """Raise TypeError or ValueError if the fields are no settings of this rule."""

    def start(self) -> State:
        """Return the state before the first update."""
        raise NotImplementedError

    def update(self, state: State, metric: Any) -> State:
        """Return the state after one more step, whose metric is ``metric``."""
        raise NotImplementedError

    def value_of(self, state: State) -> float:
        """Return the value, float64, that holds in ``state``."""
        value: float = state["value"]
        return value

    def bounds(self) -> tuple[float, float]:
        """Return the least and the most that its value can be."""
        return -math.inf, math.inf

    def check(self, state: Any, where: str) -> None:
        """Raise StateError, with ``where``, unless ``state`` is one that this rule can go on from.

        A state has the names and the kinds of numbers of ``start()``, and a value that the rule can
        come to.
        """
        first = self.start()
        if not isinstance(state, dict) or set(state) != set(first):
            raise StateError(f"{where} must be a dict with the keys {sorted(first)}, got {state!r}")
        for name, value in state.items():
            if not _is_like(first[name], value, not self.accept_nonfinite):
                raise StateError(f"{where}[{name!r}] does not fit {type(self).__name__}: {value!r}")
        value = self.value_of(state)
        least, most = self.bounds()
        if not least <= value <= most:
            raise StateError(
                f"{where} does not fit {type(self).__name__}: the value must be from {least:g} to "
                f"{most:g}, got {value!r}"
            )

    def __call__(self, t: Any) -> Any:
        """Raise TypeError: a rule has no value at a step, only one in a state."""
        raise TypeError(
            f"{type(self).__name__} is a rule, its value depends on the steps before: give the "
            "schedule to a grilly.optim.ParamScheduler, or see it as it is in given states by "
            "grilly.rules.bind(schedule, states)"
        )


def _is_like(first: Any, value: Any, finite: bool) -> bool:
    """Return whether ``value`` can stand where a state starts with ``first``."""
    if isinstance(first, list):
        return isinstance(value, list) and all(_is_like(0.0, one, finite) for one in value)
    if isinstance(first, int):
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if first is None and value is None:
        return True
    return is_number(value) and (not finite or math.isfinite(value))


def metric_of(metrics: Any, accept_nonfinite: bool = False) -> float:
    """Return a metric, a number or what ``float()`` takes, as a float.

    A tensor of one element may be part of a graph: the metric is its value.

    Raises TypeError if it is no number, and ValueError if it is not finite unless
    ``accept_nonfinite``.
    """
    try:
        value = float(metrics.detach() if hasattr(metrics, "detach") else metrics)
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"metrics must be a number, got {metrics!r}") from None
    if not math.isfinite(value) and not accept_nonfinite:
        raise ValueError(
            f"metrics must be finite, got {value}: stop the run, skip this step, or set "
            "accept_nonfinite = True to count it as PyTorch does"
        )
    return value


def tolerances(threshold: float, threshold_mode: str) -> tuple[float, float]:
    """Return torch's threshold as the relative and the absolute tolerance of ``BETTER``."""
    return (threshold, 0.0) if threshold_mode == "rel" else (0.0, threshold)


def reduced(value: float, factor: float, least: float, eps: float) -> float:
    """Return max(value * factor, least), or ``value`` if that is less than by ``eps``."""
    new = max(value * factor, least)
    return new if value - new > eps else value


def raised(value: float, factor: float, most: float, eps: float) -> float:
    """Return min(value / factor, most), or ``value`` if that is more than by ``eps``."""
    new = min(value / factor, most)
    return new if new - value > eps else value


# --- Checks of settings ---------------------------------------------------------------------------


def check_count(name: str, value: Any, least: int = 0) -> None:
    """Raise TypeError or ValueError unless ``value`` is a whole number of at least ``least``."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be an int, got {value!r}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value}")


def check_factor(value: Any) -> None:
    """Raise TypeError or ValueError unless 0 < ``value`` < 1."""
    check_number("factor", value)
    if not 0.0 < value < 1.0:
        raise ValueError(f"factor must be above 0 and below 1, got {value}")


def check_flag(name: str, value: Any) -> None:
    """Raise TypeError unless ``value`` is True or False."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, got {value!r}")


def check_threshold(rule: Any) -> None:
    """Raise TypeError or ValueError unless a rule's mode and threshold can be meant."""
    check_choice("mode", rule.mode, ("min", "max"))
    check_choice("threshold_mode", rule.threshold_mode, ("rel", "abs"))
    check_number("threshold", rule.threshold, at_least=0.0)
    if rule.threshold_mode == "rel" and rule.threshold > 1.0:
        raise ValueError(f"threshold must be at most 1 in mode rel, got {rule.threshold}")
