"""LambdaLR: the rate is a user's function of the step, times the first one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...schedules import Schedule
from .lambdas import Lambdas


class LambdaLR(Lambdas):
    """torch.optim.lr_scheduler.LambdaLR: same arguments, numbers and state.

    lr(t) = initial_lr f(t), with ``lr_lambda`` one function f for all groups or a list of one for
    each. What stands in a group's "lr" is written over. In place of a function there may be a
    schedule of grilly.schedules, or a text such as "0.95**t * min(1, t / 100)".

    The host asks f at every step, as torch does. On grilly's optimizers f is called more often than
    that, so that not every rate needs an upload: five times to see whether it is a formula that the
    device can compute (with a symbol for the step, an array, and the steps 1 and 2); if it is not,
    for up to 256 steps ahead once in 256 steps; and as a replay begins, at each of its steps, to
    see that its formula is what it gives. What f raises then is not seen (but told by a replay that
    cannot go on), and what it prints is. If f gives another value at a step than it did ahead, what
    it gives there counts; after the second time it is not asked ahead any more.

    These calls go to a copy, with the variables around f, its defaults, and the attributes of an
    object, so that a counter among them counts as in torch. Where these are not numbers, lists,
    dicts, sets, arrays, functions and objects of such, f is called once a step, and each rate is an
    upload. What f changes elsewhere, a global variable, is not known: give a schedule or an object.

    A schedule's values are computed many at once, as no function of Python's is in it.

    Raises ValueError as torch does for a list of another length, and at a step whose value is no
    finite number or past the end of a schedule; TypeError for what is no function of the step
    alone; TextError for a text that says no formula. What a function raises at a step gets a note
    that names group and step (on Python 3.10 none).

    >>> import numpy as np
    >>> from grilly.optim import AdamW
    >>> optimizer = AdamW([np.ones(3, np.float32)], lr=0.5, device="cpu")
    >>> scheduler = LambdaLR(optimizer, lambda t: 1 / (t + 1))
    >>> rates = []
    >>> for step in range(3):
    ...     rates.append(round(scheduler.get_last_lr()[0], 6))
    ...     optimizer.step(gradients=[np.ones(3)])
    ...     scheduler.step()
    >>> rates
    [0.5, 0.25, 0.166667]
    """

    _formulas_agree = True

    def get_lr(self) -> list[float]:
        """Return the rates at last_epoch."""
        self._warn_get_lr()
        factors = self._factors()
        if len(self.base_lrs) != len(factors):
            raise ValueError(
                f"base_lrs has {len(self.base_lrs)} rates, but the optimizer {len(factors)} "
                "groups: append an added group's rate to scheduler.base_lrs"
            )
        return [base * factor for base, factor in zip(self.base_lrs, factors, strict=True)]

    def _source(self, i: int, rate: float, look: bool) -> Schedule | None:
        t, formula = self.last_epoch, None
        if look or t % 1 == 0:
            formula = self._ahead(i).formula(float(self.base_lrs[i]), t, self._given[i])
        return formula or super()._source(i, rate, look)

    def _leap(self, steps: int) -> None:
        """Be where so many calls of ``step()`` lead; where less had led, if it is negative."""
        before = self._snapshot()
        self.last_epoch += steps - 1
        self._step_count += steps
        try:
            self._advance(None)
        except BaseException:
            self._put_back(before)
            raise

    def _rates(self, i: int, rate: float, factors: Sequence[float]) -> Iterable[float]:
        return (float(self.base_lrs[i]) * factor for factor in factors)
