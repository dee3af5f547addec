"""CosineAnnealingLR: the rate goes down half a cosine, and up again after T_max steps."""

from __future__ import annotations

import math
from operator import attrgetter
from typing import Any, ClassVar

import numpy as np

from ...schedules import Cosine, EditedCosine, Schedule
from ...schedules.base import unchecked
from .checks import check_number, check_optimizer
from .recurrent import RecurrentLR

NEVER = 2.0**60


class CosineAnnealingLR(RecurrentLR):
    """torch.optim.lr_scheduler.CosineAnnealingLR: same arguments, numbers and state.

    lr(t) = eta_min + (initial_lr - eta_min) (1 + cos(pi t / T_max)) / 2, without restarts: it rises
    again after ``T_max`` steps. An edit of a group's "lr" is gone on from until the next trough
    (t = T_max, 3 T_max, ...); after it the old curve holds again, as in torch.
    Source: arXiv:1608.03983. Formulas: grilly.schedules.Cosine and EditedCosine.

    Raises TypeError or ValueError, naming the argument, for what is no finite number, and where
    torch stops with a bare ZeroDivisionError (``T_max=0``).

    >>> import numpy as np
    >>> from grilly.optim import AdamW
    >>> optimizer = AdamW([np.ones(3, np.float32)], lr=0.5, device="cpu")
    >>> scheduler = CosineAnnealingLR(optimizer, T_max=2)
    >>> rates = []
    >>> for step in range(5):
    ...     rates.append(round(scheduler.get_last_lr()[0], 12))
    ...     optimizer.step(gradients=[np.ones(3)])
    ...     scheduler.step()
    >>> rates
    [0.5, 0.25, 0.0, 0.25, 0.5]
    """

    _formulas_agree = True
    _cancels = True
    _settings: ClassVar[Any] = attrgetter("base_lrs", "T_max", "eta_min")

    def __init__(
        self,
        optimizer: Any,
        T_max: int,  # noqa: N803 - torch's name
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(optimizer)
        self.T_max = T_max
        self.eta_min = eta_min
        self._check_arguments()
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return the rates at last_epoch, from those that the groups hold of the step before."""
        self._warn_get_lr()
        rates = [group["lr"] for group in self.optimizer.param_groups]
        if self._is_initial:
            return rates
        t, low = self.last_epoch, self.eta_min
        if self._step_count == 1 and t > 0:
            self._pairs(rates)
            return self._get_closed_form_lr()
        if (t - 1 - self.T_max) % (2 * self.T_max) == 0:
            rise = (1 - math.cos(math.pi / self.T_max)) / 2
            return [rate + (base - low) * rise for base, rate in self._pairs(rates)]
        ratio = self._height(t) / self._height(t - 1)
        return [ratio * (rate - low) + low for rate in rates]

    def _get_closed_form_lr(self) -> list[float]:
        low, height = self.eta_min, self._height(self.last_epoch)
        return [low + (base - low) * height / 2 for base in self.base_lrs]

    def _height(self, t: float) -> float:
        return 1 + math.cos(math.pi * t / self.T_max)

    def _pairs(self, rates: list[float]) -> list[tuple[float, float]]:
        """Return (base rate, rate) by group; ValueError, as torch's, for a group added later."""
        if len(self.base_lrs) != len(rates):
            raise ValueError(
                f"base_lrs has {len(self.base_lrs)} rates, but the optimizer {len(rates)} groups, "
                f"and at step {self.last_epoch} CosineAnnealingLR starts again from them: append "
                "an added group's rate to scheduler.base_lrs"
            )
        return list(zip(self.base_lrs, rates, strict=True))

    def _through(self, i: int, rate: float, t: float) -> Schedule | None:
        period, low = abs(self.T_max), self.eta_min
        base = float(self.base_lrs[i]) if i < len(self.base_lrs) else rate
        if t == 0 and rate == base:
            return unchecked(Cosine, rate, low, period)
        if period % 1 and t % 1:
            return None  # whether whole steps from t come to a trough takes exact fractions
        if period % 1 or t % 1:  # they never do
            return unchecked(EditedCosine, base, low, period, rate, t, low, NEVER)
        trough = self._trough(t)
        if trough == t:
            return unchecked(EditedCosine, base, low, period, rate, t + 1, base, t + 2 * period)
        return unchecked(EditedCosine, base, low, period, rate, t, low, trough)

    def _trough(self, t: float) -> float:
        """Return the first whole step, ``t`` or later, at which the rate is eta_min."""
        period = abs(self.T_max)
        return t + (period - t) % (2 * period)

    def _last_step(self) -> float:
        # A group added later has no base rate to start again from: get_lr() then says so.
        whole = self.T_max % 1 == 0 and self.last_epoch % 1 == 0
        missing = len(self.base_lrs) < len(self.optimizer.param_groups)
        return self._trough(self.last_epoch) if whole and missing else np.inf

    def _check_arguments(self) -> None:
        check_number("T_max", self.T_max, zero=False)
        check_number("eta_min", self.eta_min)

    def _check_state(self) -> None:
        super()._check_state()
        self._check_arguments()
