"""Ruled: a ParamScheduler whose rules count metrics on the optimizer's device."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from ..rules.packed import Held
from .following import AllStates
from .lr_scheduler.touch import write
from .options import option
from .param_steps import Moving
from .seats import Seat, new_owner

PHASE_AND_SKIPPING = (
    "a rule that looks at metrics in a phase only cannot count them on a device that skips updates "
    "(skip_nonfinite=True): there a phase is so many metrics, and a skipped update ends none. Give "
    "step() a number, as in scheduler.step(loss.item())"
)


class Ruled(Moving):
    """Has a seat there, from a metric that stays on the device until the host goes on."""

    nonfinite: Literal["raise", "ignore", "count"]

    def _seated(self) -> Seat:
        """Return the seat of the rules on the optimizer's device, a new one after a change."""
        if self._seat is not None and self._fits(self._seat):
            return self._seat
        self._leave_seat()
        with self._unchanged_on_error():
            self._take_in()
            self._check_rules()
            owner = new_owner()
            members = self._following.members(self._states, self.last_epoch, owner, self._policy)
            if self.optimizer.skip_nonfinite and any(one.held.in_phase for one in members):
                raise ValueError(PHASE_AND_SKIPPING)
            self._seat = Seat(self, owner, self._key(), members)
            self._stay(self._states)
        return self._seat

    def _can_sit(self) -> bool:
        """Whether a seat can be taken before the step is made, and nothing shows it."""
        fits = self._following.fits(self.optimizer, self.schedules)
        return fits and self._track.holds(self.optimizer.param_groups)

    def _fits(self, seat: Seat) -> bool:
        return self._following.fits(self.optimizer, self.schedules) and seat.key == self._key()

    def _check_rules(self) -> None:
        """Raise ValueError where no rule can take a metric, or its value is needed on the host."""
        following = self._following
        if not following.has_rules:
            raise ValueError("metrics is for a rule, and no schedule has one: call step()")
        exact = self.optimizer._timeline.products_of
        for name, i, course in following.scheduled():
            if course.starts and following.columns[name] in exact:
                raise ValueError(
                    f"{name} of param_groups[{i}]: bias_correction='exact' multiplies the betas on "
                    "the host, which does not know a rule's on the device: give step() a number, "
                    "as in scheduler.step(loss.item())"
                )

    def _leave_seat(self) -> None:
        """Go on on the host, with what the device has counted."""
        if self._seat is not None:
            self._seat.leave()
            self._seat = None

    def _key(self) -> Any:
        return self._following, self._policy, self.optimizer.skip_nonfinite

    @property
    def _policy(self) -> str:
        return self.nonfinite

    @contextmanager
    def _counting_on_device(self) -> Iterator[None]:
        """Move on by one step, if the device can be told to count its metric."""
        ledger = self.optimizer._ledger
        foreseen = ledger is not None and ledger.foresees(self)
        t = self.last_epoch + 1 if foreseen else self._next()
        with self._unchanged_on_error():
            self._move(t, self._states)
            yield
        if foreseen:
            ledger.went_on(self)

    def _next(self) -> float:
        """Return the next step: after an update that was skipped, the present one again."""
        ledger = getattr(self.optimizer, "_ledger", None)
        if ledger is None:
            return self.last_epoch + 1
        if ledger.unknown(self.optimizer):
            with self.optimizer._lock:
                self.optimizer._ask_applied()
        return self.last_epoch + int(ledger.counts(self))

    def _take_held(self, held: list[Held]) -> None:
        """Be what the device has made of its metrics."""
        self._stay(self._following.with_held(self._states, held))

    def _stay(self, states: AllStates) -> None:
        """Have the rules in ``states`` at the present step; an edit of a number is kept."""
        groups, track = self.optimizer.param_groups, self._track
        numbers = self._following.numbers
        edits = [(i, key) for i, key in numbers if not track.wrote(i, key, groups[i])]
        kept = [option(groups[i], key) for i, key in edits]
        self._move(self.last_epoch, states)
        for (i, key), value in zip(edits, kept, strict=True):
            write(groups[i], key, value)
