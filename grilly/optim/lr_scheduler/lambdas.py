"""Lambdas: rates by users' functions of the step; what LambdaLR and MultiplicativeLR share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import takewhile
from math import inf, isfinite, nan
from typing import Any, ClassVar

from ...errors import StateError
from ...schedules import WINDOW, Constant, Schedule
from ...schedules.depth import check_depth
from ..given import check_call, schedule_at
from ..options import LR
from ..sampling import Window, window_of
from .ahead import Ahead
from .base import LRScheduler
from .checks import check_optimizer
from .functions import asked, check_saved, number, restore_functions, saved_function

Function = Callable[[Any], Any] | Schedule | str
ASKED = (
    f"its function is no formula that the device could compute, and is asked {WINDOW} steps ahead "
    "when a replay begins. Replay no more at once, or {}"
)
A_FORMULA = "write the function as a formula"
ENDED = "its function, asked ahead for step {:g}, raised {!r}"
CALLED = "its function cannot be asked ahead, only called at each step"


class Lambdas(LRScheduler):
    """A function per group, of which callable objects keep their attributes in the state.

    Each rate is what the function of the host's makes it. The device is told where the coming ones
    are from: a formula, or a window of what the function gave when it was asked ahead.
    """

    __slots__ = ("_edited", "_followed", "_given", "_windows")
    _HIDDEN: ClassVar[frozenset[str]] = LRScheduler._HIDDEN | {"lr_lambdas"}
    _instead_of_asking: ClassVar[str] = A_FORMULA
    _given: list[float]  # the functions' values at last_epoch, if they were asked

    def __init__(
        self, optimizer: Any, lr_lambda: Function | Sequence[Function], last_epoch: int = -1
    ) -> None:
        check_optimizer(optimizer)
        count = len(optimizer.param_groups)
        functions: list[Any] = (
            list(lr_lambda) if isinstance(lr_lambda, (list, tuple)) else [lr_lambda] * count
        )
        if len(functions) != count:
            raise ValueError(f"Expected {count} lr_lambdas, but got {len(functions)}")
        one = not isinstance(lr_lambda, (list, tuple))
        names = ["lr_lambda" if one else f"lr_lambda[{i}]" for i in range(count)]
        self.lr_lambdas: list[Callable[[Any], Any]] = [*map(_function, functions, names)]
        super().__init__(optimizer, last_epoch)

    def _factors(self) -> list[float]:
        """Return each function's value at last_epoch."""
        count = len(self.optimizer.param_groups)
        if len(self.lr_lambdas) != count:
            raise ValueError(
                f"lr_lambdas has {len(self.lr_lambdas)} functions, but the optimizer {count} "
                "groups: append an added group's function to scheduler.lr_lambdas"
            )
        t, what = self.last_epoch, "lr_lambda[%d](%s)"
        own = [self._ahead(i) for i in range(count)]
        for i, function in enumerate(own):
            if t > function.last:
                end = f"the schedule ends at step {function.last:g}"
                raise ValueError(f"lr_lambda[{i}]: {end}, step {t:g} is past it")
        place = "lr of param_groups[%d] at step %s"
        try:
            results = [asked(one.value, t, place, i, t) for i, one in enumerate(own)]
        except TypeError:  # if it is of a function that takes something else, say so
            for i, given in enumerate(self.lr_lambdas):
                check_call(given, f"lr_lambda[{i}]")
            raise
        self._given = [number(result, what, i, t) for i, result in enumerate(results)]
        return self._given

    def _start_track(self) -> None:
        super()._start_track()
        self._given = []
        self._followed: dict[int, Ahead] = {}
        self._windows: dict[int, Window] = {}
        self._edited = False

    def _wrote(self, rates: list[Any], jump: bool) -> None:
        """Tell the device where the rates come from, each that is more than a number."""
        if not hasattr(self.optimizer, "_driven"):
            return  # another library's: it asks for nothing
        # Where the next step may not be the one after this, there is no use in asking ahead.
        look = not (jump or self._is_initial or self._edited)
        found = [
            self._source(i, rate, look) if isinstance(rate, float) and isfinite(rate) else None
            for i, rate in enumerate(rates[: len(self._given)])
        ]
        formulas = {LR: [own or Constant(0.0) for own in found]}
        pairs = zip(found, rates, strict=False)
        values = [nan if own is None else float(rate) for own, rate in pairs]  # nan: a number
        self._track.stand(formulas, self.last_epoch, {LR: values} if any(found) else {})

    def _source(self, i: int, rate: float, look: bool) -> Schedule | None:
        """Return what has group i's ``rate`` at last_epoch and those after it; None: a number."""
        t = self.last_epoch
        factors = self._ahead(i).factors(t, self._given[i], look)
        if not factors:
            return None
        window = self._windows.get(i)
        if window is None or window.rest(t)[:1] != (rate,):
            if not look:
                return None
            window = window_of(t, takewhile(isfinite, self._rates(i, rate, factors)))
            self._windows[i] = window
        return window.schedule

    def _ahead(self, i: int) -> Ahead:
        function = self.lr_lambdas[i]
        known = self._followed.get(id(function))
        if known is None or known.function is not function:
            known = self._followed[id(function)] = Ahead(function)
        return known

    def _rates(self, i: int, rate: float, factors: Sequence[float]) -> Iterable[float]:
        """Return the rates from last_epoch on, where it is ``rate``, that these factors make."""
        raise NotImplementedError

    def _reach(self) -> tuple[float, str]:
        """Return how many steps the device can go without asking the functions again."""
        track, groups = self._track, self.optimizer.param_groups
        if LR not in track.formulas or track.t != self.last_epoch or not self._given:
            return 0, ""
        same = len(self._given) == len(groups) == len(self.lr_lambdas)
        if not same or self._settings(self) != self._used:
            return 0, ""
        if not track.holds(groups):
            return 0, ""
        if not self._driving():
            return 0, ""  # overtaken: its next step takes the rates back
        known = [self._reach_of(i) for i in range(len(self._given))]
        if None in known:
            return 0, ""
        reach = min((steps for steps in known if steps is not None), default=0)
        return reach, "" if reach == inf else self._why(reach)

    def _why(self, reach: float) -> str:
        """Return why no more than ``reach`` steps are known."""
        if reach < 0:
            return CALLED
        for ahead in self._followed.values():
            if ahead.ended is not None and ahead.ended[0] == self.last_epoch + reach + 1:
                return ENDED.format(*ahead.ended)
        return ASKED.format(self._instead_of_asking)

    def _look(self, steps: int) -> None:
        functions = [(own, self._followed.get(id(own))) for own in self.lr_lambdas]
        known = [ahead for own, ahead in functions if ahead and ahead.function is own]
        if not all(ahead.is_formula for ahead in known):
            steps = min(steps, WINDOW)  # the others need go no further than it can
        for ahead in known:
            ahead.check(self.last_epoch, steps)

    def _ask_ahead(self) -> None:
        """Ask the functions from here on, if the groups hold the rates of the last step."""
        groups, rates = self.optimizer.param_groups, self._last_lr
        held = len(rates) == len(self.lr_lambdas) and [g["lr"] for g in groups] == rates
        driven = self.optimizer._driven
        overtaken = any(driven.get((i, LR)) not in (None, self._track) for i in range(len(groups)))
        if not held or overtaken or self._settings(self) != self._used:
            return  # the next step tells
        for ahead in self._followed.values():
            ahead.forget()
        self._windows.clear()
        self._edited = False
        # Of a MultiplicativeLR that has made no step the first factor is not asked for.
        self._given = self._given or [1.0] * len(rates)
        Lambdas._wrote(self, list(rates), jump=False)
        self._hold()
        self._drive()

    def _reach_of(self, i: int) -> float | None:
        """Return how many steps group i's rates are known for; None: the next step finds out.

        -1: they are known at each step only.
        """
        ahead, t = self._followed.get(id(self.lr_lambdas[i])), self.last_epoch
        if ahead is None or ahead.function is not self.lr_lambdas[i]:
            return None
        followed = self._track.formulas[LR][i]
        if ahead.known_by_formula(float(self.base_lrs[i])) is followed:
            return ahead.formula_lasts(t) - t
        if i in self._windows:
            window = self._windows[i]  # of rates that an edit may have ended
            return len(window.rest(t)) - 1 if window.schedule is followed else None
        return None if ahead.may_ask else -1

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimizer and the functions, in torch's keys; a copy.

        Of a function, a schedule or a text nothing is kept (None), of a callable object its
        attributes.
        """
        functions = [saved_function(function) for function in self.lr_lambdas]
        return {**super().state_dict(), "lr_lambdas": functions}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a state_dict, as LRScheduler does, and the attributes of callable objects."""
        own = dict(state_dict) if isinstance(state_dict, dict) else state_dict
        states = own.pop("lr_lambdas", []) if isinstance(own, dict) else []
        try:
            check_saved("lr_lambdas", self.lr_lambdas, states)
        except (TypeError, ValueError) as error:
            raise StateError(f"state_dict does not fit {type(self).__name__}: {error}") from error
        super().load_state_dict(own)
        restore_functions(self.lr_lambdas, states)


def _function(given: Any, where: str) -> Callable[[Any], Any]:
    """Return what a user gave as a function of the step; raise, with ``where``, if it is none."""
    if isinstance(given, str):
        return schedule_at(given, where)
    if not callable(given):
        raise TypeError(f"lr_lambda should be a function, but got {type(given).__name__}")
    if isinstance(given, Schedule):
        check_depth(given)
    function: Callable[[Any], Any] = given
    return function
