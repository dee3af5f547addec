"""ExponentialLR: the rate is multiplied by gamma at every step."""

from __future__ import annotations

import math
from operator import attrgetter
from typing import Any, ClassVar

from ...schedules import Schedule, StepDecay
from ...schedules.base import unchecked
from .checks import check_number, check_optimizer, power
from .recurrent import RecurrentLR


class ExponentialLR(RecurrentLR):
    """torch.optim.lr_scheduler.ExponentialLR: same arguments, numbers and state.

    lr(t) = initial_lr gamma^t. An edit of a group's "lr" is kept and gone on from.
    Formula: grilly.schedules.StepDecay.

    Raises TypeError or ValueError, naming the argument, for what is no finite number.

    >>> import numpy as np
    >>> from grilly.optim import AdamW
    >>> optimizer = AdamW([np.ones(3, np.float32)], lr=0.5, device="cpu")
    >>> scheduler = ExponentialLR(optimizer, gamma=0.5)
    >>> rates = []
    >>> for step in range(4):
    ...     rates.append(scheduler.get_last_lr()[0])
    ...     optimizer.step(gradients=[np.ones(3)])
    ...     scheduler.step()
    >>> rates
    [0.5, 0.25, 0.125, 0.0625]
    """

    _formulas_agree = True
    _settings: ClassVar[Any] = attrgetter("base_lrs", "gamma")

    def __init__(self, optimizer: Any, gamma: float, last_epoch: int = -1) -> None:
        check_optimizer(optimizer)
        self.gamma = gamma
        self._check_arguments()
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return the rates at last_epoch, from those that the groups hold of the step before."""
        self._warn_get_lr()
        rates = [group["lr"] for group in self.optimizer.param_groups]
        return rates if self._is_initial else [rate * self.gamma for rate in rates]

    def _get_closed_form_lr(self) -> list[float]:
        factor = power("gamma", self.gamma, self.last_epoch)
        return [base * factor for base in self.base_lrs]

    def _through(self, i: int, rate: float, t: float) -> Schedule | None:
        return unchecked(StepDecay, rate, 1, self.gamma, math.floor(t))

    def _check_arguments(self) -> None:
        check_number("gamma", self.gamma)

    def _check_state(self) -> None:
        super()._check_state()
        self._check_arguments()
