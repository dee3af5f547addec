"""Cyclic: up and down between two bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .base import Schedule
from .checks import check_choice, check_number, check_numbers

MODES = ("triangular", "triangular2", "exp_range")


@dataclass(frozen=True)
class Cyclic(Schedule):
    """From ``low`` in ``up`` steps to ``high`` and in ``down`` steps back, again and again.

    ``mode`` scales the height of a cycle: "triangular" leaves it, "triangular2" halves it from
    cycle to cycle, "exp_range" multiplies it by gamma^t. ``low`` may be above ``high``.
    Source: L. N. Smith, arXiv:1506.01186, as in torch.optim.lr_scheduler.CyclicLR.

    Raises TypeError or ValueError, naming the argument, for what is no finite number, another
    mode, ``up`` or ``down`` not above 0, and a negative ``gamma``.

    >>> Cyclic(0.25, 0.75, up=2, down=2)(np.array([0, 1, 2, 3, 4])).tolist()
    [0.25, 0.5, 0.75, 0.5, 0.25]
    """

    low: float
    high: float
    up: float
    down: float
    mode: str = "triangular"
    gamma: float = 1.0

    def __post_init__(self) -> None:
        check_numbers(self, "low", "high")
        check_number("up", self.up, above=0)
        check_number("down", self.down, above=0)
        check_choice("mode", self.mode, MODES)
        check_number("gamma", self.gamma, at_least=0)

    def __call__(self, t: Any) -> Any:
        period = self.up + self.down
        at = t % period
        rising = at <= self.up
        done = np.where(rising, at / self.up, (period - at) / self.down)
        if self.mode == "triangular":
            left = np.where(rising, (self.up - at) / self.up, (at - self.up) / self.down)
            return self.low * left + self.high * done
        scale = np.exp2(-(t // period)) if self.mode == "triangular2" else self.gamma**t
        return self.low + (self.high - self.low) * (done * scale)
