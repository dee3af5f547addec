"""CosineAnnealingWarmRestarts: half a cosine down, and again from the top."""

from __future__ import annotations

import math
from operator import attrgetter
from typing import Any, ClassVar

import numpy as np

from ...schedules import WarmRestarts
from ...schedules.base import unchecked
from ..options import LR
from ..track import Formulas
from .base import LRScheduler
from .checks import check_epoch, check_number, check_optimizer
from .noted import noted


class CosineAnnealingWarmRestarts(LRScheduler):
    """torch.optim.lr_scheduler.CosineAnnealingWarmRestarts: same arguments, numbers and state.

    lr = eta_min + (initial_lr - eta_min) (1 + cos(pi T_cur / T_i)) / 2, where T_cur is the step of
    the cycle and T_i its length: ``T_0``, then ``T_mult`` times that of the cycle before. What
    stands in a group's "lr" is written over. ``step(epoch)`` with a fractional epoch is for calls
    in the middle of an epoch; as in torch, it does not warn. Source: arXiv:1608.03983.
    Formula: grilly.schedules.WarmRestarts.

    Raises ValueError as torch does, and TypeError for what is no number.

    >>> import numpy as np
    >>> from grilly.optim import AdamW
    >>> optimizer = AdamW([np.ones(3, np.float32)], lr=0.5, device="cpu")
    >>> scheduler = CosineAnnealingWarmRestarts(optimizer, T_0=2)
    >>> rates = []
    >>> for step in range(5):
    ...     rates.append(round(scheduler.get_last_lr()[0], 12))
    ...     optimizer.step(gradients=[np.ones(3)])
    ...     scheduler.step()
    >>> rates
    [0.5, 0.25, 0.5, 0.25, 0.5]
    """

    __slots__ = ("_curves", "_left_at")
    _formulas_agree = True
    _settings: ClassVar[Any] = attrgetter("base_lrs", "T_0", "T_mult", "T_i", "eta_min")
    _curves: Formulas
    _left_at: tuple[float, float]

    def __init__(
        self,
        optimizer: Any,
        T_0: int,  # noqa: N803 - torch's name
        T_mult: int = 1,  # noqa: N803 - torch's name
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(optimizer)
        self.T_0: int = T_0
        self.T_i: float = T_0
        self.T_mult: int = T_mult
        self.eta_min = eta_min
        self.T_cur: float = last_epoch
        self._check_arguments()
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return the rates at step T_cur of a cycle of T_i steps."""
        self._warn_get_lr()
        low, height = self.eta_min, 1 + math.cos(math.pi * self.T_cur / self.T_i)
        if len(self.base_lrs) != len(self.optimizer.param_groups):
            raise ValueError(
                f"base_lrs has {len(self.base_lrs)} rates, but the optimizer "
                f"{len(self.optimizer.param_groups)} groups: append an added group's rate to "
                "scheduler.base_lrs"
            )
        return [low + (base - low) * height / 2 for base in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Move to the next step, or to ``epoch``, which may be fractional.

        Raises ValueError or TypeError, and changes nothing, if ``epoch`` is negative or no number.
        """
        if noted(self, epoch):
            return
        if epoch is None and self.last_epoch < 0:
            epoch = 0
        before = self.T_cur, self.T_i
        if before != self._left_at:  # they were set by hand
            self._track.end = 0
        self.T_cur, self.T_i = self._clock(epoch)
        try:
            if epoch is None:
                super().step()
            else:
                self._advance(math.floor(epoch))
        except BaseException:
            self.T_cur, self.T_i = before
            raise
        finally:
            self._left_at = self.T_cur, self.T_i
            self._step_count = 0  # torch's does not count here: no warning about the order

    def _formulas(self, t: float, jump: bool) -> Formulas:
        if len(self.base_lrs) != len(self.optimizer.param_groups):
            return {}  # get_lr() says so
        bases = [float(base) for base in self.base_lrs]
        start = (t - self.T_cur) % self.T_i if self.T_mult == 1 else t - self.T_cur
        numbers = self.eta_min, float(self.T_i), float(start)  # ints may be past 2^64
        curves = [unchecked(WarmRestarts, base, *numbers) for base in bases]
        if self._curves.get(LR) != curves:
            self._curves = {LR: curves}
        return self._curves

    def _last_step(self) -> float:
        if self.T_mult == 1:
            return np.inf
        return math.ceil(self.last_epoch - self.T_cur + self.T_i) - 1

    def _goes_on(self) -> bool:
        # Sums of fractions would be rounded at every step.
        whole = self.T_cur % 1 == 0 and self.T_i % 1 == 0
        return whole and (self.T_cur, self.T_i) == self._left_at

    def _leap(self, steps: int) -> None:
        at = self.T_cur + steps
        self.T_cur = at if 0 <= at < self.T_i else at % self.T_i
        self._left_at = self.T_cur, self.T_i
        super()._leap(steps)
        self._step_count = 0

    def _start_track(self) -> None:
        super()._start_track()
        self._curves = {}
        self._left_at = self.T_cur, self.T_i

    def _take_up(self, state_dict: dict[str, Any]) -> None:
        super()._take_up(state_dict)
        self._go_on()

    def _clock(self, epoch: float | None) -> tuple[float, float]:
        """Return the step of the cycle, and its length, for the next step or for ``epoch``."""
        if epoch is None:
            at, length = self.T_cur + 1, self.T_i
            return (at, length) if at < length else (at % length, length * self.T_mult)
        check_epoch(epoch)
        if epoch < 0:
            raise ValueError(f"Expected non-negative epoch, but got {epoch}")
        if self.T_mult == 1:
            return epoch % self.T_0, self.T_0
        at, length = epoch, self.T_0
        while at >= length:  # a logarithm misses some of the restarts
            at, length = at - length, length * self.T_mult
        return at, length

    def _check_arguments(self) -> None:
        if not isinstance(self.T_0, int) or self.T_0 <= 0:
            raise ValueError(f"Expected positive integer T_0, but got {self.T_0}")
        if not isinstance(self.T_mult, int) or self.T_mult < 1:
            raise ValueError(f"Expected integer T_mult >= 1, but got {self.T_mult}")
        check_number("T_0", self.T_0)
        check_number("T_mult", self.T_mult)
        if not isinstance(self.eta_min, (float, int)):
            raise ValueError(
                f"Expected float or int eta_min, but got {self.eta_min} of type "
                f"{type(self.eta_min)}"
            )
        check_number("eta_min", self.eta_min)

    def _check_state(self) -> None:
        super()._check_state()
        self._check_arguments()
        check_number("T_cur", self.T_cur)
        check_number("T_i", self.T_i, zero=False)
