"""MultiStepLR: the rate is multiplied by gamma at given steps."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from operator import attrgetter
from typing import Any, ClassVar

import numpy as np

from ...schedules import MultiStep, Schedule
from ...schedules.steps import PLACES
from .checks import check_number, check_optimizer, power
from .recurrent import RecurrentLR

MOST = PLACES[-1]  # milestones in a formula: for more, a shader would have to be compiled


class MultiStepLR(RecurrentLR):
    """torch.optim.lr_scheduler.MultiStepLR: same arguments, numbers and state.

    The rate of each group is multiplied by ``gamma`` at each of ``milestones`` that ``last_epoch``
    reaches, as often as it stands there. An edit of a group's "lr" is kept and gone on from.
    Formula: grilly.schedules.MultiStep.

    Raises TypeError or ValueError, naming the argument, for what is no finite number.

    >>> import numpy as np
    >>> from grilly.optim import AdamW
    >>> optimizer = AdamW([np.ones(3, np.float32)], lr=0.5, device="cpu")
    >>> scheduler = MultiStepLR(optimizer, milestones=[1, 3], gamma=0.5)
    >>> rates = []
    >>> for step in range(5):
    ...     rates.append(scheduler.get_last_lr()[0])
    ...     optimizer.step(gradients=[np.ones(3)])
    ...     scheduler.step()
    >>> rates
    [0.5, 0.25, 0.25, 0.125, 0.125]
    """

    __slots__ = ("_end",)
    _formulas_agree = True
    _settings: ClassVar[Any] = attrgetter("base_lrs", "milestones", "gamma")

    def __init__(
        self, optimizer: Any, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        check_optimizer(optimizer)
        self.milestones = _counted(milestones)
        self.gamma = gamma
        self._check_arguments()
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return the rates at last_epoch, from those that the groups hold of the step before."""
        self._warn_get_lr()
        rates = [group["lr"] for group in self.optimizer.param_groups]
        times = self.milestones.get(self.last_epoch)
        if times is None:
            return rates
        factor = power("gamma", self.gamma, times)
        return [rate * factor for rate in rates]

    def _get_closed_form_lr(self) -> list[float]:
        reached = bisect_right(sorted(self.milestones.elements()), self.last_epoch)
        factor = power("gamma", self.gamma, reached)
        return [base * factor for base in self.base_lrs]

    def _first(self, base: float) -> float:
        return base * power("gamma", self.gamma, self.milestones.get(0, 0))

    def _through(self, i: int, rate: float, t: float) -> Schedule | None:
        return MultiStep(rate, tuple(map(float, self._later(t)[:MOST])), self.gamma)

    def _later(self, t: float) -> list[float]:
        """Return the milestones that whole steps from ``t`` on come to, in order."""
        own = self.milestones.elements()
        return sorted(m for m in own if m > t and (m - t) % 1 == 0)

    def _anchor(self, anchors: list[list[float]]) -> None:
        super()._anchor(anchors)
        more = [later[MOST] for _, t in anchors if len(later := self._later(t)) > MOST]
        self._end: float = min(more, default=np.inf) - 1

    def _start_track(self) -> None:
        super()._start_track()
        self._end = np.inf

    def _last_step(self) -> float:
        # After as many milestones as a formula takes it starts from the rate it came to.
        return self._end

    def _check_arguments(self) -> None:
        check_number("gamma", self.gamma)
        for milestone, times in self.milestones.items():
            check_number("milestones", milestone)
            if not isinstance(times, int):
                raise TypeError(f"milestones must be counted in whole numbers, got {times!r}")

    def _check_state(self) -> None:
        # JSON has made texts of the steps.
        self.milestones = Counter({_number(key): n for key, n in self.milestones.items()})
        super()._check_state()
        self._check_arguments()


def _counted(milestones: Any) -> Counter[float]:
    try:
        return Counter(milestones)
    except TypeError:
        raise TypeError(f"milestones must be a list of steps, got {milestones!r}") from None


def _number(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    number = float(text)
    return int(number) if number.is_integer() else number
