"""SWALR: the rate goes over to the one of stochastic weight averaging, and stays there."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

from .base import LRScheduler
from .checks import check_optimizer, formatted
from .touch import unchanged_on_error

ANNEALS: dict[str, Callable[[float], float]] = {
    "cos": lambda t: (1 - math.cos(math.pi * t)) / 2,
    "linear": lambda t: t,
}


class SWALR(LRScheduler):
    """torch.optim.swa_utils.SWALR: same arguments, numbers, group key and state.

    In ``anneal_epochs`` steps the rate goes from the one in the group to ``swa_lr`` (a number, or
    one per group, kept as the group's "swa_lr"): lr(n) = a swa_lr + (1 - a) lr_0, where a is
    n / anneal_epochs or, for "cos", half a cosine of it, and lr_0 is what the present rate came
    from, so that an edit fades. Computed on the host: a rate that changes is uploaded.
    Source: P. Izmailov et al., arXiv:1803.05407.

    Raises ValueError as torch does, and for rates that are no finite numbers.

    >>> import numpy as np
    >>> from grilly.optim import AdamW
    >>> optimizer = AdamW([np.ones(3, np.float32)], lr=0.5, device="cpu")
    >>> scheduler = SWALR(optimizer, swa_lr=0.25, anneal_epochs=2, anneal_strategy="linear")
    >>> rates = []
    >>> for step in range(4):
    ...     rates.append(scheduler.get_last_lr()[0])
    ...     optimizer.step(gradients=[np.ones(3)])
    ...     scheduler.step()
    >>> rates
    [0.5, 0.375, 0.25, 0.25]
    """

    def __init__(
        self,
        optimizer: Any,
        swa_lr: float | list[float],
        anneal_epochs: int = 10,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(optimizer)
        groups = optimizer.param_groups
        rates = formatted("swa_lr", swa_lr, len(groups))
        self._anneal_strategy = anneal_strategy
        self.anneal_epochs = anneal_epochs
        self._check_arguments()
        with unchanged_on_error(groups):
            for group, rate in zip(groups, rates, strict=True):
                group["swa_lr"] = rate
            super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return the rates at this step, from those that the groups hold of the step before."""
        self._warn_get_lr()
        # torch counts calls here, not epochs; without annealing the first one is there already.
        n = self._step_count - 1 if self.anneal_epochs else max(1, self._step_count - 1)
        before, now = self._share(n - 1), self._share(n)
        return [
            group["swa_lr"] * now + _start(group["lr"], group["swa_lr"], before) * (1 - now)
            for group in self.optimizer.param_groups
        ]

    def _share(self, n: float) -> float:
        """Return the weight of swa_lr after ``n`` steps."""
        done = max(0, min(1, n / max(1, self.anneal_epochs)))
        return ANNEALS[self._anneal_strategy](done)

    def _check_arguments(self) -> None:
        if self._anneal_strategy not in ANNEALS:
            raise ValueError(
                "anneal_strategy must be one of 'cos' or 'linear', "
                f"instead got {self._anneal_strategy}"
            )
        if not isinstance(self.anneal_epochs, int) or self.anneal_epochs < 0:
            raise ValueError(
                f"anneal_epochs must be equal or greater than 0, got {self.anneal_epochs}"
            )

    def _check_state(self) -> None:
        super()._check_state()
        self._check_arguments()


def _start(rate: float, swa_lr: float, share: float) -> float:
    """Return the rate that annealing by ``share`` made ``rate`` of."""
    return swa_lr if share == 1 else (rate - share * swa_lr) / (1 - share)
