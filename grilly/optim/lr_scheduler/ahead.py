"""What a user's function will give at the coming steps, so that a device need not be told each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...program import exact, program
from ...schedules import WINDOW, Constant, Function, Product, Schedule
from ..course import fingerprint
from ..functions_in import written_in
from ..rows import values_of
from ..sampling import Window, plain_step, sampled, traces, window_of
from .detached import detached
from .functions import number

# A function and its formula differ by roundings; more than this is another function.
RELATIVE = 1e-12
# So often a function is traced: a closure may have changed since the first time.
MOST_TRACES = 2
# So often it may give another value than it gave ahead; then it is not asked ahead any more.
MOST_SURPRISES = 2


class Ahead:
    """Follows one function: as a formula while it has one, else by asking it ahead.

    What it really gives, step by step, is the truth; what is known ahead counts while they agree.
    """

    def __init__(self, function: Any) -> None:
        self.function = function
        known = isinstance(function, Schedule) and fingerprint(function) is not None
        # A schedule in which a user wrote nothing is its formula, whatever float64 rounds. (A text
        # may compare what is nan here and a number on the device.)
        self._fixed = known and not any(written_in(function))
        self._traces_left, self._surprises_left = MOST_TRACES, MOST_SURPRISES
        self._formula: Schedule | None = None
        self._products: dict[float, Schedule] = {}
        # Windows of the formula's values, and of the function's when it was asked ahead.
        self._exact: Window | None = None
        self._asked: Window | None = None
        self.last = function.last_step() if isinstance(function, Schedule) else np.inf
        # Such a schedule's values are computed many at once: one alone takes as long.
        self._at_once = known and traces(function)
        self._values: list[float] = []
        self._start: float = 0
        # The step up to which the function was seen to give what its formula does.
        self._checked: float = -np.inf
        # The step that could not be asked ahead, and what was raised there.
        self.ended: tuple[float, Exception] | None = None

    def value(self, t: float) -> Any:
        """Return what the function gives at step ``t``."""
        if not self._at_once:
            return self.function(t)
        at = self._place(t)  # it may compute others
        return self._values[at]

    def _place(self, t: float) -> int:
        """Return where in the schedule's values step ``t`` is; they are computed if it is not."""
        at = t - self._start
        if not (0 <= at < len(self._values) and at % 1 == 0):
            steps = np.float64(t) + np.arange(WINDOW)
            self._values, self._start, at = values_of([self.function], steps)[0].tolist(), t, 0
        return int(at)

    def formula(self, base: float, t: float, factor: float) -> Schedule | None:
        """Return ``base`` times the function, if a formula of it has ``factor`` at step ``t``."""
        while self._formula is None or not self._meets(self._formula, t, factor):
            if not self._traces_left:
                self._formula = None
                return None
            self._trace()
        if base not in self._products:
            product = Product((Constant(base), self._formula))
            try:
                program(product)
            except Exception:  # it was traced just before: a function that does what it likes
                self._formula, self._traces_left = None, 0
                return None
            self._products[base] = product
        return self._products[base]

    @property
    def is_formula(self) -> bool:
        """Whether the function has a formula, as far as is known."""
        return self._formula is not None

    def known_by_formula(self, base: float) -> Schedule | None:
        """Return what ``formula`` returned for ``base``, if the function has one."""
        return None if self._formula is None else self._products.get(base)

    def formula_lasts(self, t: float) -> float:
        """Return the last step, ``t`` or later, for which the formula is known to hold."""
        return self.last if self._fixed else min(self.last, max(t, self._checked))

    def check(self, t: float, steps: int) -> None:
        """Call the function for so many steps after ``t``; it has no formula if that is another.

        So a function that asks for its step's type, or is another one by now, is found out before
        a device goes along the formula.
        """
        last = min(t + steps, self.last)
        if self._fixed or self._formula is None or max(t, self._checked) >= last:
            return
        self.ended, own = None, detached(self.function)
        if own is None:  # what is around it can be copied no more
            self._formula, self._traces_left = None, 0
            return
        while max(t, self._checked) < last:
            if not self._agrees(own, max(t, self._checked) + 1):
                return

    def _agrees(self, own: Any, first: float) -> bool:
        """Check a window from step ``first`` on; return whether all of it is the formula's."""
        coming = np.arange(first, min(first + WINDOW - 1, self.last) + 1)
        formula: Any = self._formula
        for step, value in zip(coming.tolist(), exact(formula, coming).tolist(), strict=True):
            try:
                factor = number(own(plain_step(step)), "the function at %s", step)
            except Exception as error:
                self.ended = step, error
                return False
            if abs(value - factor) > RELATIVE * abs(factor):
                self._formula, self._traces_left = None, 0
                return False
            self._checked = step
        return True

    @property
    def may_ask(self) -> bool:
        """Whether the function can be asked ahead, as far as is known."""
        return self._at_once or self._surprises_left > 0

    def _trace(self) -> None:
        own = detached(self.function)
        schedule = own if own is None or isinstance(own, Schedule) else Function(own)
        self._formula = schedule if schedule is not None and traces(schedule) else None
        self._traces_left = self._traces_left - 1 if self._formula is not None else 0
        self._exact, self._products, self._checked = None, {}, -np.inf

    def _meets(self, formula: Schedule, t: float, factor: float) -> bool:
        if self._fixed:
            return True
        if not (self._exact and self._exact.rest(t)):
            self._exact = window_of(t, exact(formula, t + np.arange(WINDOW)).tolist())
        return abs(self._exact.rest(t)[0] - factor) <= RELATIVE * abs(factor)

    def factors(self, t: float, factor: float, look: bool) -> Sequence[float]:
        """Return what the function will give from step ``t`` on, where it gave ``factor``.

        Nothing if that is not known; with ``look`` it is asked ahead then.
        """
        if self._at_once:
            at = self._place(t)
            return self._values[at:]
        known = self._asked.rest(t) if self._asked else ()
        if known and known[0] != factor:
            self._surprises_left -= 1
            self._asked, known = None, ()
        if known or not look or self._surprises_left <= 0:
            return known
        self._asked = self._ask(t, factor)
        return self._asked.rest(t) if self._asked else ()

    def forget(self) -> None:
        """Forget what was asked ahead."""
        self._asked = None

    def _ask(self, t: float, factor: float) -> Window | None:
        own = detached(self.function)
        if own is None:
            self._surprises_left = 0
            return None

        def value_at(step: float) -> float:
            try:
                return factor if step == t else number(own(step), "the function at %s", step)
            except Exception as error:
                self.ended = step, error
                raise

        self.ended = None
        return sampled(value_at, t, self.last)
