"""StepDecay and MultiStep: multiplied by gamma at regular or given steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .base import Schedule

NEVER = 2.0**60  # a step that no clock reaches


@dataclass(frozen=True)
class StepDecay(Schedule):
    """``value``, multiplied by ``gamma`` each time the step reaches a multiple of ``step_size``.

    ``drops`` of these multiplications are in ``value`` already. Formula: that of
    torch.optim.lr_scheduler.StepLR, value * gamma^(floor(t / step_size) - drops).

    >>> StepDecay(0.5, step_size=30, gamma=0.5)(np.array([0, 29, 30, 89, 90])).tolist()
    [0.5, 0.5, 0.25, 0.125, 0.0625]
    """

    value: float
    step_size: float
    gamma: float = 0.1
    drops: float = 0

    def __call__(self, t: Any) -> Any:
        n = t // self.step_size - self.drops
        return _multiplied(self.value, self.gamma, n)


@dataclass(frozen=True)
class MultiStep(Schedule):
    """``value``, multiplied by ``gamma`` at each of ``milestones`` that the step has reached.

    A milestone may stand there more than once. Unused places hold ``NEVER``.

    >>> MultiStep(0.5, milestones=(2, 4, 4), gamma=0.5)(np.array([0, 2, 3, 4])).tolist()
    [0.5, 0.25, 0.25, 0.0625]
    """

    value: float
    milestones: tuple[float, ...]
    gamma: float = 0.1

    def __call__(self, t: Any) -> Any:
        n: Any = 0.0
        for milestone in self.milestones:
            n = n + np.where(t >= milestone, 1.0, 0.0)
        return _multiplied(self.value, self.gamma, n)


def _multiplied(value: Any, gamma: Any, n: Any) -> Any:
    """Return value * gamma^n for a whole ``n``; ``gamma`` has any sign."""
    size = value * np.abs(gamma) ** n
    return np.where((gamma < 0) & (n % 2 == 1), -size, size)
