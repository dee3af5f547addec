"""SequentialLR: schedulers one after the other."""

from __future__ import annotations

from bisect import bisect_right
from math import inf
from typing import Any

from ..options import LR
from ..track import Track
from .base import LRScheduler
from .checks import check_epoch, check_number, check_optimizer
from .composite import Composite, all_unchanged_on_error, everything_in
from .noted import noted
from .touch import copied, write


class SequentialLR(Composite):
    """torch.optim.lr_scheduler.SequentialLR: same arguments, numbers and state.

    Scheduler i of ``schedulers`` runs from step ``milestones[i - 1]`` on, with a clock of its own
    that starts there at 0. A class with a closed form starts from its initial rate, others (as
    MultiplicativeLR) from what stands in the groups. Each computes its rates as it does alone.

    Raises ValueError and TypeError as torch does; NotImplementedError, as torch, at the milestone
    of a SequentialLR or ChainedScheduler that is not the first.

    >>> import numpy as np
    >>> from grilly.optim import AdamW
    >>> from grilly.optim.lr_scheduler import ExponentialLR, LinearLR
    >>> optimizer = AdamW([np.ones(3, np.float32)], lr=0.5, device="cpu")
    >>> warm_up = LinearLR(optimizer, start_factor=0.5, total_iters=2)
    >>> decay = ExponentialLR(optimizer, gamma=0.5)
    >>> scheduler = SequentialLR(optimizer, [warm_up, decay], milestones=[2])
    >>> rates = []
    >>> for step in range(5):
    ...     rates.append(scheduler.get_last_lr()[0])
    ...     optimizer.step(gradients=[np.ones(3)])
    ...     scheduler.step()
    >>> rates
    [0.25, 0.375, 0.5, 0.25, 0.125]
    """

    def __init__(
        self,
        optimizer: Any,
        schedulers: list[LRScheduler],
        milestones: list[int],
        last_epoch: int = -1,
    ) -> None:
        name = type(self).__name__
        if len(schedulers) < 1:
            raise ValueError(f"{name} expects at least one scheduler, but got no scheduler.")
        self._check_schedulers(optimizer, schedulers)
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                "Sequential Schedulers expects number of schedulers provided to be one more "
                "than the number of milestone points, but got number of schedulers "
                f"{len(schedulers)} and the number of milestones to be equal to {len(milestones)}"
            )
        check_optimizer(optimizer)
        check_number("last_epoch", last_epoch)
        self._schedulers = schedulers
        self._milestones = milestones
        self._check_milestones()
        self.last_epoch = last_epoch + 1
        self.optimizer = optimizer
        with all_unchanged_on_error(optimizer, everything_in(self)):
            self._start()
        self._take_inside()

    def _start(self) -> None:
        """Undo the first steps of all schedulers, and make that of the one whose turn it is."""
        for group in self.optimizer.param_groups:
            write(group, LR, copied(group["initial_lr"]))
        self.recursive_undo()
        first = self._schedulers[bisect_right(self._milestones, 0)]
        first._initial_step()
        self._last_lr = first.get_last_lr()

    def recursive_undo(self, sched: Any = None) -> None:
        """Set the clocks of all schedulers in ``sched``, or in this one, back by one."""
        own = self if sched is None else sched
        if hasattr(own, "_schedulers"):
            for scheduler in own._schedulers:
                self.recursive_undo(scheduler)
        elif hasattr(own, "last_epoch"):
            own.last_epoch -= 1

    def step(self) -> None:  # type: ignore[override]
        """Move to the next step; at a milestone, to step 0 of the next scheduler."""
        if noted(self):
            return
        t = self.last_epoch + 1
        i = bisect_right(self._milestones, t)
        scheduler = self._schedulers[i]
        if i > 0 and self._milestones[i - 1] == t:
            scheduler._advance(0)
        else:
            scheduler.step()
        self.last_epoch = t
        self._last_lr = scheduler.get_last_lr()

    def _reach(self) -> tuple[float, str]:
        """Return how far the scheduler whose turn it is can go; a milestone is the host's."""
        i = bisect_right(self._milestones, self.last_epoch)
        steps, why = self._schedulers[i]._reach()
        if i == len(self._milestones):
            return steps, why
        left = self._milestones[i] - 1 - self.last_epoch
        return min(steps, left), why if steps < left else ""

    def _look(self, steps: int) -> None:
        self._schedulers[bisect_right(self._milestones, self.last_epoch)]._look(steps)

    def _ask_ahead(self) -> None:
        self._schedulers[bisect_right(self._milestones, self.last_epoch)]._ask_ahead()

    def _left(self) -> float:
        """Return after how many steps ``step()`` raises an error, in this phase or a later one."""
        now, first = self.last_epoch, bisect_right(self._milestones, self.last_epoch)
        left: float = self._schedulers[first]._left()
        ends = [now + left]
        for start, later in zip(
            self._milestones[first:], self._schedulers[first + 1 :], strict=True
        ):
            ends.append(start + later._left() + later.last_epoch)  # it begins anew there
        for end, milestone in zip(ends, [*self._milestones[first:], inf], strict=True):
            if end < milestone - 1:
                return end - now
        return inf

    def _leap(self, steps: int) -> None:
        """Be where so many calls of ``step()`` lead, none of them over a milestone."""
        scheduler = self._schedulers[bisect_right(self._milestones, self.last_epoch)]
        scheduler._leap(steps)
        self.last_epoch += steps
        self._last_lr = scheduler.get_last_lr()

    def _tracks(self) -> list[Track]:
        now: LRScheduler = self._schedulers[bisect_right(self._milestones, self.last_epoch)]
        return now._tracks()

    def _check_milestones(self) -> None:
        for milestone in self._milestones:
            check_number("milestones", milestone)

    def _check_state(self) -> None:
        super()._check_state()
        check_epoch(self.last_epoch)
        self._check_milestones()
        if len(self._milestones) != len(self._schedulers) - 1:
            raise ValueError(
                f"_milestones must have {len(self._schedulers) - 1} steps, got {self._milestones!r}"
            )
