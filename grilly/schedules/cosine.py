"""Cosine: half a cosine down, and what an edit or a restart makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..mathfun import half_cosine
from .base import Schedule
from .checks import check_number, check_numbers


@dataclass(frozen=True)
class Cosine(Schedule):
    """Half a cosine from ``high`` at step 0 to ``low`` at step ``period``, and up again after it.

    Source: I. Loshchilov and F. Hutter, arXiv:1608.03983, equation 5, without restarts, as in
    torch.optim.lr_scheduler.CosineAnnealingLR.

    Raises TypeError or ValueError, naming the argument, for what is no finite number, and a
    ``period`` not above 0.

    >>> Cosine(high=1.0, low=0.2, period=10)(np.array([0, 5, 10, 20])).round(12).tolist()
    [1.0, 0.6, 0.2, 1.0]
    """

    high: float
    low: float
    period: float

    def __post_init__(self) -> None:
        check_numbers(self, "high", "low")
        check_number("period", self.period, above=0)

    def __call__(self, t: Any) -> Any:
        return self.low * half_cosine(t / self.period) + self.high * self._height(t)

    def length(self) -> float:
        return self.period

    def _height(self, t: Any) -> Any:
        """Return the share of ``high``: 1 at step 0, 0 at step ``period``."""
        return half_cosine((self.period - t) / self.period)


@dataclass(frozen=True)
class EditedCosine(Cosine):
    """A Cosine whose value was set by hand: from there its height over ``low`` is scaled.

    Until step ``end``, a trough, it runs through ``edit`` at step ``start``; after it, it is the
    old one. ``floor`` is what the edit stands on: ``low``, or ``high`` if the edit fell on a trough
    (then ``start`` is the step after it, as the trough has no height to scale). That is what
    torch's recurrence, lr(t+1) = low + (lr(t) - low) height(t+1) / height(t), makes of an edit.

    >>> edited = EditedCosine(1.0, 0.0, 10, edit=0.1, start=5, floor=0.0, end=10)
    >>> edited(np.array([5, 10, 20])).round(12).tolist()
    [0.1, 0.0, 1.0]
    """

    edit: float
    start: float
    floor: float
    end: float

    def __post_init__(self) -> None:
        super().__post_init__()
        check_numbers(self, "edit", "start", "floor", "end")

    def __call__(self, t: Any) -> Any:
        scaled = self.floor + (self.edit - self.low) / self._height(self.start)
        high = np.where(t <= self.end, scaled, self.high)
        return self.low * half_cosine(t / self.period) + high * self._height(t)


@dataclass(frozen=True)
class WarmRestarts(Cosine):
    """Half a cosine from ``high`` to ``low``, again from ``high`` every ``period`` steps.

    A cycle begins at step ``start``. Source: arXiv:1608.03983, equation 5, as in
    torch.optim.lr_scheduler.CosineAnnealingWarmRestarts.

    >>> WarmRestarts(high=1.0, low=0.2, period=2)(np.array([0, 1, 2, 3])).round(12).tolist()
    [1.0, 0.6, 1.0, 0.6]
    """

    start: float = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("start", self.start)

    def __call__(self, t: Any) -> Any:
        return super().__call__((t - self.start) % self.period)

    def length(self) -> float:
        return np.inf
