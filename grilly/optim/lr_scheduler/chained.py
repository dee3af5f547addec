"""ChainedScheduler: several schedulers at every step, on the same groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..track import Track
from .base import LRScheduler
from .checks import check_optimizer
from .composite import Composite, all_unchanged_on_error, everything_in
from .noted import noted
from .touch import copied

CHAINED = (
    "each of its schedulers goes on from what the others wrote at the same step. Multiply the "
    "schedules (grilly.schedules) and give the product to a ParamScheduler"
)


class ChainedScheduler(Composite):
    """torch.optim.lr_scheduler.ChainedScheduler: same arguments, numbers and state.

    Each step is a step of each scheduler, in their order, on the same groups. A class that goes on
    from what stands in a group multiplies the rate of those before it; one that does not (LambdaLR,
    OneCycleLR, CyclicLR, CosineAnnealingWarmRestarts) writes over it.

    Raises ValueError and TypeError as torch does.

    >>> import numpy as np
    >>> from grilly.optim import AdamW
    >>> from grilly.optim.lr_scheduler import ConstantLR, ExponentialLR
    >>> optimizer = AdamW([np.ones(3, np.float32)], lr=0.5, device="cpu")
    >>> warm_up = ConstantLR(optimizer, factor=0.5, total_iters=2)
    >>> scheduler = ChainedScheduler([warm_up, ExponentialLR(optimizer, gamma=0.5)])
    >>> rates = []
    >>> for step in range(4):
    ...     rates.append(scheduler.get_last_lr()[0])
    ...     optimizer.step(gradients=[np.ones(3)])
    ...     scheduler.step()
    >>> rates
    [0.25, 0.125, 0.125, 0.0625]
    """

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Any = None) -> None:
        if len(schedulers) < 1:
            raise ValueError(
                f"{type(self).__name__} expects at least one scheduler to be chained, "
                "but got no scheduler."
            )
        own = getattr(schedulers[0], "optimizer", None) if optimizer is None else optimizer
        self._check_schedulers(own, schedulers)
        check_optimizer(own)
        self._schedulers = schedulers
        self.optimizer = own
        self._last_lr = self._rates()
        self._take_inside()

    def step(self) -> None:  # type: ignore[override]
        """Make a step of each scheduler."""
        if noted(self):
            return
        with all_unchanged_on_error(self.optimizer, everything_in(self)):
            for scheduler in self._schedulers:
                scheduler.step()
        self._last_lr = self._rates()

    def _reach(self) -> tuple[float, str]:
        """Return that of an only scheduler; several edit each other's rates at every step."""
        if len(self._schedulers) == 1:
            only: LRScheduler = self._schedulers[0]
            return only._reach()
        return 0, CHAINED

    def _look(self, steps: int) -> None:
        if len(self._schedulers) == 1:
            self._schedulers[0]._look(steps)

    def _ask_ahead(self) -> None:
        if len(self._schedulers) == 1:
            self._schedulers[0]._ask_ahead()

    def _left(self) -> float:
        left: list[float] = [scheduler._left() for scheduler in self._schedulers]
        return min(left)

    def _leap(self, steps: int) -> None:
        self._schedulers[0]._leap(steps)
        self._last_lr = self._rates()

    def _tracks(self) -> list[Track]:
        return [track for scheduler in self._schedulers for track in scheduler._tracks()]

    def _rates(self) -> list[Any]:
        return [copied(group["lr"]) for group in self.optimizer.param_groups]
