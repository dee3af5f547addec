"""Schedulers that torch writes as a recurrence on the group's rate, and that have a formula too.

torch multiplies what stands in the group, so an edit by hand or by another scheduler is gone on
from. Here each group has an anchor, a rate and its step, and the formula that runs through it: an
edit moves the anchor, and until the next one the device computes every rate from the formula.
"""

from __future__ import annotations

import copy
from typing import Any, ClassVar

import numpy as np

from ...schedules import Schedule
from ...schedules.steps import MOST_STEPS
from ..options import LR
from ..track import Formulas
from .base import LRScheduler
from .checks import check_epoch, check_number
from .touch import rounded

# Our own form of a rate and torch's recurrence differ by roundings; more than this is an edit.
RELATIVE = 1e-12


class RecurrentLR(LRScheduler):
    """Base of the classes whose get_lr() makes the next rate of the one that the group holds."""

    __slots__ = ("_curves", "_edits")

    def _start_track(self) -> None:
        super()._start_track()
        self._anchors: list[list[float]] = []
        self._curves: Formulas = {}
        self._edits = 0  # steps in a row that began with an edit

    # Whether rates of the closed form may be off the base rates' curve by more than roundings.
    _cancels: ClassVar[bool] = False

    def _first(self, base: float) -> float:
        """Return the rate at step 0 of a group whose "initial_lr" is ``base``."""
        return base

    def _through(self, i: int, rate: float, t: float) -> Schedule | None:
        """Return what the recurrence makes, after step ``t``, of group i's ``rate`` at step ``t``.

        None where there is no formula for it, so that get_lr() must tell.
        """
        raise NotImplementedError

    def _formulas(self, t: float, jump: bool) -> Formulas:
        if jump or self._is_initial or self._asks_get_lr or t > self._last_step():
            return {}
        groups, held = self.optimizer.param_groups, self._held
        known = range(len(held))
        if self._settings(self) != self._used or self._track.t != self.last_epoch:
            known = range(0)
        edited = [i for i, group in enumerate(groups) if i not in known or group["lr"] != held[i]]
        before = 0 if self._track.at else self._edits  # since the last edit it may have walked
        self._edits = before + 1 if edited else 0
        if self._edits > 1:
            return {}  # edited at every step, as by another scheduler: no curve would last
        if edited:
            anchors = {i: [float(groups[i]["lr"]), self.last_epoch] for i in edited}
            self._anchor([anchors.get(i) or self._anchors[i] for i in range(len(groups))])
        elif before > 1:
            self._anchor(self._anchors)
        return self._curves

    def _goes_on(self) -> bool:
        # As ``_formulas`` would say, but without counting a step.
        edits = 0 if self._track.at else self._edits
        return edits <= 1 and self._curves is self._track.formulas

    def _anchor(self, anchors: list[list[float]]) -> None:
        """Lay the curves through these anchors."""
        curves = [
            self._through(i, rate, t) if np.isfinite(rate) and 0 <= t < MOST_STEPS else None
            for i, (rate, t) in enumerate(anchors)
        ]
        found = [curve for curve in curves if curve is not None]
        self._anchors = anchors
        self._curves = {LR: found} if len(found) == len(curves) else {}

    def _leap(self, steps: int) -> None:
        super()._leap(steps)
        self._edits = 0  # it has walked along the curves

    def _wrote(self, rates: list[Any], jump: bool) -> None:
        t = self.last_epoch
        if self._edits > 1 and not jump:
            self._anchors, self._curves = [[float(rate), t] for rate in rates], {}
            return
        if jump and t >= 0 and t == int(t):  # the closed form is the curve of the base rates
            self._anchor([[self._first(float(base)), 0] for base in self.base_lrs])
            self._stand(rates)
            if self._track.rows or self._cancels:
                return
        self._anchor([[float(rate), t] for rate in rates])
        self._stand(rates)

    def _stand(self, rates: list[Any]) -> None:
        """Let the device compute the rates at last_epoch if they are on the curves."""
        t, curves = self.last_epoch, self._curves.get(LR, [])
        values = [float(rate) for rate in rates[: len(curves)]]
        on_curve = all(self._meets(i, curves[i], rate, t) for i, rate in enumerate(values))
        self._track.stand(self._curves, t, {LR: values} if on_curve else {})

    def _check_state(self) -> None:
        super()._check_state()
        if len(self._anchors) > len(self.optimizer.param_groups):
            raise ValueError(f"_anchors has more entries than there are groups: {self._anchors!r}")
        for rate, t in self._anchors:
            check_number("_anchors", rate)
            check_epoch(t)

    def _take_up(self, state_dict: dict[str, Any]) -> None:
        # torch keeps no anchors: its rates are on the curves of base_lrs, or were edited.
        rates, t, saved = self._last_lr, self.last_epoch, self._anchors
        self._start_track()
        self._used, self._held = copy.deepcopy(self._settings(self)), copy.deepcopy(rates)
        if self._asks_get_lr:
            return
        if not saved or "_anchors" not in state_dict:
            bases = self.base_lrs[: len(rates)]
            self._anchor([[self._first(float(base)), 0] for base in bases])
            self._stand(rates)
            # Not so for an added group, nor where the recurrence's steps are not the curve's.
            known = self._track.rows and len(bases) == len(rates) and 0 <= t == int(t)
            saved = self._anchors if known else [[float(rate), t] for rate in rates]
        new = [[float(rate), t] for rate in rates[len(saved) :]]
        kept = [self._still(i, *anchor) for i, anchor in enumerate(saved[: len(rates)])]
        self._anchor(kept + new)
        self._stand(rates)
        self._drive()

    def _still(self, i: int, rate: float, t: float) -> list[float]:
        """Return a loaded anchor, or a new one where the rate is not on the curve through it.

        Somebody may have changed the rate or a setting (gamma, T_max) since the anchor was set.
        """
        last, now = float(self._last_lr[i]), self.last_epoch
        usable = np.isfinite(rate) and 0 <= t < MOST_STEPS
        curve = self._through(i, rate, t) if usable else None
        if [rate, t] == [last, now] or (curve is not None and self._meets(i, curve, last, now)):
            return [rate, t]
        return [last, now]

    def _meets(self, i: int, curve: Schedule, rate: float, t: float) -> bool:
        """Whether group i's ``rate`` is that of ``curve`` at step ``t``, but for roundings."""
        held = self.optimizer.param_groups[i]["lr"]  # a float32 tensor, say, which rounds more
        with np.errstate(all="ignore"):
            value = rounded(float(curve(np.float64(t))), held)
        return abs(value - rate) <= RELATIVE * abs(rate)
