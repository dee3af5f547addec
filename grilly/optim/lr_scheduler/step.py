"""StepLR: the rate is multiplied by gamma every step_size steps."""

from __future__ import annotations

from operator import attrgetter
from typing import Any, ClassVar

from ...schedules import Constant, Schedule, StepDecay
from ...schedules.base import unchecked
from .checks import check_number, check_optimizer, power
from .recurrent import RecurrentLR


class StepLR(RecurrentLR):
    """torch.optim.lr_scheduler.StepLR: same arguments, numbers and state.

    The rate of each group is multiplied by ``gamma`` whenever ``last_epoch`` is a multiple of
    ``step_size``, other than 0. An edit of a group's "lr" is kept and gone on from.
    Formula: grilly.schedules.StepDecay.

    Raises TypeError or ValueError, naming the argument, for what is no finite number, and where
    torch stops with a bare ZeroDivisionError (``step_size=0``).

    >>> import numpy as np
    >>> from grilly.optim import AdamW
    >>> optimizer = AdamW([np.ones(3, np.float32)], lr=0.5, device="cpu")
    >>> scheduler = StepLR(optimizer, step_size=2, gamma=0.5)
    >>> rates = []
    >>> for step in range(5):
    ...     rates.append(scheduler.get_last_lr()[0])
    ...     optimizer.step(gradients=[np.ones(3)])
    ...     scheduler.step()
    >>> rates
    [0.5, 0.5, 0.25, 0.25, 0.125]
    """

    _formulas_agree = True
    _settings: ClassVar[Any] = attrgetter("base_lrs", "step_size", "gamma")

    def __init__(
        self, optimizer: Any, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        check_optimizer(optimizer)
        self.step_size = step_size
        self.gamma = gamma
        self._check_arguments()
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return the rates at last_epoch, from those that the groups hold of the step before."""
        self._warn_get_lr()
        rates = [group["lr"] for group in self.optimizer.param_groups]
        if self.last_epoch == 0 or self.last_epoch % self.step_size:
            return rates
        return [rate * self.gamma for rate in rates]

    def _get_closed_form_lr(self) -> list[float]:
        factor = power("gamma", self.gamma, self.last_epoch // self.step_size)
        return [base * factor for base in self.base_lrs]

    def _through(self, i: int, rate: float, t: float) -> Schedule | None:
        size = abs(self.step_size)  # torch's remainder does not see its sign
        if size % 1:
            return None
        if t % 1:
            return Constant(rate)  # whole steps never come to a multiple of step_size
        return unchecked(StepDecay, rate, size, self.gamma, t // size)

    def _check_arguments(self) -> None:
        check_number("step_size", self.step_size, zero=False)
        check_number("gamma", self.gamma)

    def _check_state(self) -> None:
        super()._check_state()
        self._check_arguments()
