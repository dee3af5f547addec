"""ConstantLR and LinearLR: the rate goes over to a last one in total_iters steps."""

from __future__ import annotations

from operator import attrgetter
from typing import Any, ClassVar

from ...schedules import Constant, EditedRamp, Held, Ramp, Schedule
from ...schedules.base import unchecked
from .checks import check_number, check_optimizer
from .recurrent import RecurrentLR


class RampLR(RecurrentLR):
    """Base of the classes that end after total_iters steps: the recurrence's factor."""

    _formulas_agree = True
    total_iters: int

    def get_lr(self) -> list[float]:
        """Return the rates at last_epoch, from those that the groups hold of the step before."""
        self._warn_get_lr()
        return self._rates()

    def _rates(self) -> list[float]:
        factor = self._factor(self.last_epoch)
        rates = [group["lr"] for group in self.optimizer.param_groups]
        return rates if factor is None else [rate * factor for rate in rates]

    def _factor(self, t: float) -> float | None:
        """Return what step ``t`` multiplies the rates by; None where it leaves them alone."""
        raise NotImplementedError

    def _share(self, t: float) -> float:
        """Return the part of the ramp that lies behind at step ``t``, for the closed form."""
        if self.total_iters == 0:
            raise ValueError(
                "total_iters divides when a schedule is moved to a step and must not be 0, got 0"
            )
        return min(self.total_iters, t) / self.total_iters

    def _through(self, i: int, rate: float, t: float) -> Schedule | None:
        if t >= self.total_iters:
            return Constant(rate)
        # From a fractional step, whole ones do not come to the ramp's end: get_lr() tells.
        return None if t % 1 or self.total_iters % 1 else self._ramp(i, rate, t)

    def _ramp(self, i: int, rate: float, t: float) -> Schedule | None:
        """Return the formula through ``rate`` at step ``t``, both whole, before the end."""
        raise NotImplementedError

    def _base(self, i: int, rate: float, t: float) -> float | None:
        """Return the group's base rate if ``rate`` at step ``t`` is what it starts with."""
        base = float(self.base_lrs[i]) if t == 0 and i < len(self.base_lrs) else None
        return base if base is not None and rate == self._first(base) else None

    def _check_arguments(self) -> None:
        check_number("total_iters", self.total_iters)

    def _check_state(self) -> None:
        super()._check_state()
        self._check_arguments()


class ConstantLR(RampLR):
    """torch.optim.lr_scheduler.ConstantLR: same arguments, numbers and state.

    lr(t) = initial_lr factor before step ``total_iters``, and initial_lr from it on. An edit of a
    group's "lr" is kept and gone on from: at ``total_iters`` it is divided by ``factor``.
    Formula: grilly.schedules.Held.

    Raises ValueError as torch does, and TypeError or ValueError, naming the argument, for what is
    no finite number.

    >>> import numpy as np
    >>> from grilly.optim import AdamW
    >>> optimizer = AdamW([np.ones(3, np.float32)], lr=0.5, device="cpu")
    >>> scheduler = ConstantLR(optimizer, factor=0.5, total_iters=2)
    >>> rates = []
    >>> for step in range(4):
    ...     rates.append(scheduler.get_last_lr()[0])
    ...     optimizer.step(gradients=[np.ones(3)])
    ...     scheduler.step()
    >>> rates
    [0.25, 0.25, 0.5, 0.5]
    """

    _formulas_agree = True
    _settings: ClassVar[Any] = attrgetter("base_lrs", "factor", "total_iters")

    def __init__(
        self,
        optimizer: Any,
        factor: float = 1.0 / 3,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(optimizer)
        self.factor = factor
        self.total_iters = total_iters
        self._check_arguments()
        super().__init__(optimizer, last_epoch)

    def _rates(self) -> list[float]:
        if self.factor == 0 and self.last_epoch == self.total_iters != 0:
            return self._get_closed_form_lr()  # no recurrence comes back from 0
        return super()._rates()

    def _first(self, base: float) -> float:
        return base * self.factor

    def _ramp(self, i: int, rate: float, t: float) -> Schedule | None:
        base, end = self._base(i, rate, t), float(self.total_iters)
        if base is not None:
            return unchecked(Held, base, self.factor, end)
        return unchecked(Held, rate, 1.0, end, self.factor) if self.factor else None

    def _factor(self, t: float) -> float | None:
        if t == 0:
            return self.factor
        return 1.0 / self.factor if t == self.total_iters else None

    def _get_closed_form_lr(self) -> list[float]:
        factor = 1.0 if self.last_epoch >= self.total_iters else self.factor
        return [base * factor for base in self.base_lrs]

    def _check_arguments(self) -> None:
        super()._check_arguments()
        check_number("factor", self.factor)
        if not 0 <= self.factor <= 1:
            raise ValueError("Constant multiplicative factor expected to be between 0 and 1.")


class LinearLR(RampLR):
    """torch.optim.lr_scheduler.LinearLR: same arguments, numbers and state.

    lr(t) = initial_lr (start_factor (N - t) + end_factor t) / N with N = ``total_iters``, and
    initial_lr end_factor from step N on. An edit of a group's "lr" is kept and gone on from.
    Formulas: grilly.schedules.Ramp and EditedRamp.

    Raises ValueError as torch does, and TypeError or ValueError, naming the argument, for what is
    no finite number.

    >>> import numpy as np
    >>> from grilly.optim import AdamW
    >>> optimizer = AdamW([np.ones(3, np.float32)], lr=0.5, device="cpu")
    >>> scheduler = LinearLR(optimizer, start_factor=0.25, total_iters=3)
    >>> rates = []
    >>> for step in range(5):
    ...     rates.append(round(scheduler.get_last_lr()[0], 12))
    ...     optimizer.step(gradients=[np.ones(3)])
    ...     scheduler.step()
    >>> rates
    [0.125, 0.25, 0.375, 0.5, 0.5]
    """

    _settings: ClassVar[Any] = attrgetter("base_lrs", "start_factor", "end_factor", "total_iters")

    def __init__(
        self,
        optimizer: Any,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(optimizer)
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        self._check_arguments()
        super().__init__(optimizer, last_epoch)

    def _first(self, base: float) -> float:
        return base * self.start_factor

    def _ramp(self, i: int, rate: float, t: float) -> Schedule:
        base = self._base(i, rate, t)
        numbers = self.start_factor, self.end_factor, float(self.total_iters)
        if base is not None:
            return unchecked(Ramp, base, *numbers)
        return unchecked(EditedRamp, rate, *numbers, t)

    def _factor(self, t: float) -> float | None:
        if t == 0:
            return self.start_factor
        if self._is_initial or t > self.total_iters:
            return None
        return self._weight(t) / self._weight(t - 1)

    def _weight(self, t: float) -> float:
        """Return the rate at step ``t`` of the ramp, in units of initial_lr / total_iters."""
        return self.start_factor * (self.total_iters - t) + self.end_factor * t

    def _get_closed_form_lr(self) -> list[float]:
        done = self._share(self.last_epoch)
        factor = self.start_factor * (1 - done) + self.end_factor * done
        return [base * factor for base in self.base_lrs]

    def _check_arguments(self) -> None:
        super()._check_arguments()
        check_number("start_factor", self.start_factor)
        check_number("end_factor", self.end_factor)
        if not 0 < self.start_factor <= 1:
            raise ValueError(
                "Starting multiplicative factor expected to be greater than 0 and less or equal "
                "to 1."
            )
        if not 0 <= self.end_factor <= 1:
            raise ValueError("Ending multiplicative factor expected to be between 0 and 1.")
