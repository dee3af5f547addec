"""MultiplicativeLR: the rate is the product of a user's function's values so far."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import accumulate
from operator import mul
from typing import Any

from .lambdas import Lambdas
from .touch import copied

# Steps that can be taken back: more than are made ahead of the device's word.
TRAIL = 1024


class MultiplicativeLR(Lambdas):
    """torch.optim.lr_scheduler.MultiplicativeLR: same arguments, numbers and state.

    lr(t) = lr(t - 1) f(t), from initial_lr at t = 0, with ``lr_lambda`` one function f for all
    groups or a list of one for each. An edit of a group's "lr" is kept and gone on from. In place
    of a function there may be a schedule or a text, as in LambdaLR. On grilly's optimizers f is
    asked for up to 256 steps ahead, as there: each such window of rates is one upload.

    Raises ValueError, TypeError and TextError as LambdaLR does.

    >>> import numpy as np
    >>> from grilly.optim import AdamW
    >>> optimizer = AdamW([np.ones(3, np.float32)], lr=0.5, device="cpu")
    >>> scheduler = MultiplicativeLR(optimizer, lambda t: 0.5 if t % 2 == 0 else 1.0)
    >>> rates = []
    >>> for step in range(5):
    ...     rates.append(scheduler.get_last_lr()[0])
    ...     optimizer.step(gradients=[np.ones(3)])
    ...     scheduler.step()
    >>> rates
    [0.5, 0.5, 0.25, 0.25, 0.125]
    """

    __slots__ = ("_trail",)
    _formulas_agree = True
    _instead_of_asking = "give LambdaLR a formula of the product"

    def get_lr(self) -> list[float]:
        """Return the rates at last_epoch, from those that the groups hold of the step before."""
        self._warn_get_lr()
        rates = [group["lr"] for group in self.optimizer.param_groups]
        if self._is_initial:
            self._given = []
            return rates
        self._edited = rates != self._last_lr
        return [rate * factor for rate, factor in zip(rates, self._factors(), strict=True)]

    def _start_track(self) -> None:
        super()._start_track()
        self._trail: deque[tuple[float, list[float], list[float]]] = deque(maxlen=TRAIL)

    def _wrote(self, rates: list[Any], jump: bool) -> None:
        if getattr(self.optimizer, "skip_nonfinite", False):
            self._trail.append((self.last_epoch, [*map(copied, rates)], self._given))
        super()._wrote(rates, jump)

    def _leap(self, steps: int) -> None:
        """Be where so many calls of ``step()`` lead; where less had led, if it is negative."""
        for _ in range(steps):
            self._advance(None)
        self._step_count += steps
        if steps < 0:
            self._turn_back(self.last_epoch + steps)

    def _turn_back(self, t: float) -> None:
        """Stand at step ``t`` again, with the rates that were there: none could be divided out."""
        while self._trail[-1][0] > t:
            self._trail.pop()
        self.last_epoch, rates, self._given = self._trail.pop()
        self._write(rates)
        self._wrote(self._last_lr, jump=False)
        self._hold()

    def _rates(self, i: int, rate: float, factors: Sequence[float]) -> Iterable[float]:
        return accumulate(factors[1:], mul, initial=rate)
