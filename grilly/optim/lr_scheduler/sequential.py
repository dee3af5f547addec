"""SequentialLR and ChainedScheduler: schedulers one after the other, or all at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import inf
from typing import Any, ClassVar

from ...errors import StateError
from ...resident.recording import outside
from ..options import LR
from ..track import Track
from .base import LRScheduler
from .checks import check_epoch, check_number, check_optimizer
from .metric import MetricLR
from .noted import noted, settles
from .touch import copied, unchanged_on_error, write

CHAINED = (
    "each of its schedulers goes on from what the others wrote at the same step. Multiply the "
    "schedules (grilly.schedules) and give the product to a ParamScheduler"
)


class _Composite(LRScheduler):
    """Drives other schedulers of one optimizer, which write the rates."""

    _HIDDEN: ClassVar[frozenset[str]] = LRScheduler._HIDDEN | {"_schedulers"}
    _schedulers: Sequence[Any]

    def get_lr(self) -> list[float]:
        """Raise NotImplementedError, as torch's does: the schedulers inside know the rates."""
        raise NotImplementedError(
            f"{type(self).__name__} has no rates of its own and cannot start at a milestone of a "
            "SequentialLR: put its schedulers into the SequentialLR, or let it be the first"
        )

    def _advance(self, epoch: float | None) -> None:
        self.get_lr()  # what a milestone of a SequentialLR asks for

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimizer, with a state for each scheduler; a copy."""
        return {**super().state_dict(), "_schedulers": [s.state_dict() for s in self._schedulers]}

    @outside
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a state_dict of this class or of torch's; the groups stay as they are.

        Raises StateError, and changes nothing, if a part of it does not fit.
        """
        if not isinstance(state_dict, dict):
            raise StateError(f"state_dict must be a dict, got {type(state_dict).__name__}")
        own = dict(state_dict)
        states, count = own.pop("_schedulers", None), len(self._schedulers)
        if not isinstance(states, (list, tuple)) or len(states) != count:
            got = len(states) if isinstance(states, (list, tuple)) else type(states).__name__
            raise StateError(f"state_dict: _schedulers must be a list of {count} states, got {got}")
        with _all_unchanged_on_error(self.optimizer, _all(self)):
            for name in {"_step_count"} & set(own):  # of one that another composite has started
                self.__dict__.setdefault(name, 0)
            super().load_state_dict(own)
            for scheduler, state in zip(self._schedulers, states, strict=False):
                scheduler.load_state_dict(state)

    def _check_state(self) -> None:
        for rate in self._last_lr:
            check_number("_last_lr", float(rate))

    def _take_up(self, state_dict: dict[str, Any]) -> None:
        """Nothing is kept beside the state."""

    def _take_inside(self) -> None:
        """Let the schedulers know that another one steps them."""
        for scheduler in self._schedulers:
            scheduler._inside = True
        settles(self)

    def _check_schedulers(self, optimizer: Any, schedulers: Sequence[Any]) -> None:
        name = type(self).__name__
        for i, scheduler in enumerate(schedulers):
            if not hasattr(scheduler, "optimizer"):
                raise TypeError(f"{name} at index {i} should have `optimizer` as its attribute.")
            if not isinstance(scheduler, LRScheduler):
                kind = f"{type(scheduler).__module__}.{type(scheduler).__qualname__}"
                instead = getattr(scheduler, "_instead", "use the one of that name there")
                raise TypeError(
                    f"{name} drives schedulers of grilly.optim.lr_scheduler, got {kind} at "
                    f"index {i}: {instead}"
                )
            if isinstance(scheduler, MetricLR):
                raise ValueError(
                    f"{name} does not support `{type(scheduler).__name__}` scheduler as it "
                    "requires additional kwargs to be specified when calling `step`, "
                    f"but got one at index {i} in the given schedulers sequence."
                )
            if optimizer is not scheduler.optimizer:
                raise ValueError(
                    f"{name} expects all schedulers to belong to the same optimizer, but "
                    f"got scheduler {type(scheduler).__name__} at index {i} has "
                    f"{scheduler.optimizer}, which is different from {type(optimizer).__name__}."
                )


class SequentialLR(_Composite):
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
        with _all_unchanged_on_error(optimizer, _all(self)):
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


class ChainedScheduler(_Composite):
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
        with _all_unchanged_on_error(self.optimizer, _all(self)):
            for scheduler in self._schedulers:
                scheduler.step()
        self._last_lr = self._rates()

    def _reach(self) -> tuple[float, str]:
        """Return that of an only scheduler; several edit each other's rates at every step."""
        if len(self._schedulers) == 1:
            only: LRScheduler = self._schedulers[0]
            return only._reach()
        return 0, CHAINED

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


def _all(scheduler: Any) -> list[Any]:
    """Return a scheduler and all that are inside it."""
    inside = getattr(scheduler, "_schedulers", ())
    return [scheduler, *(one for child in inside for one in _all(child))]


@contextmanager
def _all_unchanged_on_error(optimizer: Any, schedulers: list[Any]) -> Iterator[None]:
    """Put the groups and the schedulers back to what they are now if there is an error."""
    before = [scheduler._snapshot() for scheduler in schedulers]
    try:
        with unchanged_on_error(optimizer.param_groups):
            yield
    except BaseException:
        for scheduler, snapshot in zip(schedulers, before, strict=True):
            scheduler._put_back(snapshot)
            if hasattr(scheduler, "_track"):
                scheduler._drive()
        raise
