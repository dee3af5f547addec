"""PolynomialLR: the rate goes to 0 in total_iters steps, along a power of what is left."""

from __future__ import annotations

from operator import attrgetter
from typing import Any, ClassVar

import numpy as np

from ...schedules import Polynomial, Schedule
from ...schedules.base import unchecked
from .checks import check_number, check_optimizer, power
from .ramps import RampLR


class PolynomialLR(RampLR):
    """torch.optim.lr_scheduler.PolynomialLR: same arguments, numbers and state.

    lr(t) = initial_lr (1 - t / N)^power with N = ``total_iters``, and 0 from step N on. An edit of
    a group's "lr" is kept and gone on from. Formula: grilly.schedules.Polynomial.

    Raises TypeError or ValueError, naming the argument, for what is no finite number, and where
    torch stops with a bare ZeroDivisionError (a negative ``power`` at step N).

    >>> import numpy as np
    >>> from grilly.optim import AdamW
    >>> optimizer = AdamW([np.ones(3, np.float32)], lr=0.5, device="cpu")
    >>> scheduler = PolynomialLR(optimizer, total_iters=4, power=2.0)
    >>> rates = []
    >>> for step in range(5):
    ...     rates.append(round(scheduler.get_last_lr()[0], 12))
    ...     optimizer.step(gradients=[np.ones(3)])
    ...     scheduler.step()
    >>> rates
    [0.5, 0.28125, 0.125, 0.03125, 0.0]
    """

    _settings: ClassVar[Any] = attrgetter("base_lrs", "total_iters", "power")

    def __init__(
        self, optimizer: Any, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1
    ) -> None:
        check_optimizer(optimizer)
        self.total_iters = total_iters
        self.power = power
        self._check_arguments()
        super().__init__(optimizer, last_epoch)

    def _ramp(self, i: int, rate: float, t: float) -> Schedule:
        steps, left = float(self.total_iters), float(self.total_iters - t)
        return unchecked(Polynomial, rate, steps, left, self.power)

    def _last_step(self) -> float:
        ends = self.power < 0 and self.last_epoch < self.total_iters
        return self.total_iters - 1 if ends else np.inf

    def _factor(self, t: float) -> float | None:
        if self._is_initial or t > self.total_iters:
            return None
        left = (self.total_iters - t) / (self.total_iters - (t - 1))
        return self._to_the_power(left)

    def _get_closed_form_lr(self) -> list[float]:
        factor = self._to_the_power(1 - self._share(self.last_epoch))
        return [base * factor for base in self.base_lrs]

    def _to_the_power(self, left: float) -> float:
        if left == 0 and self.power < 0:
            raise ValueError(
                f"power must not be negative where nothing is left, at step {self.last_epoch} of "
                f"total_iters={self.total_iters}, got {self.power}"
            )
        return power("1 - t / total_iters", left, self.power)

    def _check_arguments(self) -> None:
        super()._check_arguments()
        check_number("power", self.power)
