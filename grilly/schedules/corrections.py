"""What an optimizer makes of a scheduled momentum: formulas of the schedule's step and its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..mathfun import pick, positive_power
from .base import Schedule


@dataclass(frozen=True)
class OneMinus(Schedule):
    """1 - beta(t): the weight of what is new in an exponential average."""

    beta: Schedule

    def __call__(self, t: Any) -> Any:
        return 1.0 - self.beta(t)


@dataclass(frozen=True)
class Debias1:
    """1 / (1 - beta(t)**k), k = 1, 2, ... updates: unbiases Adam's mean (arXiv:1412.6980)."""

    beta: Schedule

    def __call__(self, t: Any, k: Any) -> Any:
        return 1.0 / (1.0 - positive_power(self.beta(t), k))


@dataclass(frozen=True)
class Debias2:
    """1 / sqrt(1 - beta(t)**k): unbiases the root of Adam's mean square (arXiv:1412.6980)."""

    beta: Schedule

    def __call__(self, t: Any, k: Any) -> Any:
        return 1.0 / np.sqrt(1.0 - positive_power(self.beta(t), k))


@dataclass(frozen=True)
class Fresh:
    """1 at a momentum's first update, k = 1, then 1 - dampening(t): the new gradient's weight."""

    dampening: Schedule

    def __call__(self, t: Any, k: Any) -> Any:
        return np.where(k == 1, 1.0, 1.0 - self.dampening(t))


@dataclass(frozen=True)
class Counted:
    """``values[i]`` at update ``start + i``: corrections that the host has computed, a window."""

    start: float
    values: tuple[float, ...]

    def __call__(self, t: Any, k: Any) -> Any:
        return pick(k - self.start, self.values)
