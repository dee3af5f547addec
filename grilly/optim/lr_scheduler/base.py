"""LRScheduler: torch's base class, whose subclasses name a schedule or write a ``get_lr()``."""

from __future__ import annotations

import copy
import warnings
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ClassVar

import numpy as np

from ...errors import StateError
from ...schedules import Schedule
from ..options import Key
from ..timeline import Driven
from .curve import Curve
from .texts import EPOCH_DEPRECATED, GET_LR_OUTSIDE, NO_INITIAL_LR, ORDER, OVERRIDDEN

LR: Key = ("lr",)


class LRScheduler:
    """Writes each group's "lr" once per ``step()``, from ``get_lr()``, as torch's does.

    A subclass defines ``get_lr()`` in plain Python: each rate that changes then costs an upload and
    a refill of the table. Or it defines ``_schedules(group)``: then the rate is computed on the
    optimizer's device from the formula, correctly rounded, and no ``step()`` costs an upload.
    ``optimizer`` is grilly's, torch's, or any object with ``param_groups``.

    Raises TypeError if it has none; KeyError if ``last_epoch`` resumes a group that lacks
    "initial_lr".
    """

    _get_lr_called_within_step: bool = False
    _is_initial: bool = False
    # What of an instance is no part of its state.
    _HIDDEN: ClassVar[frozenset[str]] = frozenset({"optimizer", "_curves"})

    def __init__(self, optimizer: Any, last_epoch: int = -1) -> None:
        if not isinstance(getattr(optimizer, "param_groups", None), list):
            raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise KeyError(NO_INITIAL_LR.format(i=i))
        self.base_lrs: list[float] = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch: float = last_epoch
        self._curves: dict[Schedule, Curve] = {}
        _note_steps(optimizer)
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count = 0
        with self._flag("_is_initial"):
            self.step()

    def _schedules(self, group: dict[str, Any]) -> dict[Key, Schedule]:
        """Return the formula of each number of ``group`` that this class writes; {}: get_lr()."""
        return {}

    def get_lr(self) -> list[float]:
        """Return the rates at ``last_epoch``, one per group; torch's users call get_last_lr()."""
        if not self._has_schedules:
            raise NotImplementedError(f"{type(self).__name__} must define get_lr()")
        if not self._get_lr_called_within_step:
            warnings.warn(GET_LR_OUTSIDE, UserWarning, stacklevel=2)
        groups = self.optimizer.param_groups
        return [self._curve(self._schedules(group)[LR])(self.last_epoch) for group in groups]

    def get_last_lr(self) -> list[float]:
        """Return the rates that the last ``step()`` wrote, float64, one per group."""
        return self._last_lr

    def step(self, epoch: float | None = None) -> None:
        """Move to the next step of the schedule (or, deprecated in torch, to ``epoch``)."""
        if self._step_count == 1:
            self._warn_order()
        if epoch is not None:
            warnings.warn(EPOCH_DEPRECATED, UserWarning, stacklevel=2)
        self._update(self.last_epoch + 1 if epoch is None else epoch)
        self._step_count += 1

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimizer, as plain data, in torch's keys; a copy."""
        state = {k: v for k, v in self.__dict__.items() if k not in self._HIDDEN}
        return copy.deepcopy(state)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a state_dict of this class or of torch's; the groups stay as they are.

        Raises StateError, and changes nothing, if it has a key that this class does not know.
        """
        unknown = set(state_dict) - {k for k in self.__dict__ if k not in self._HIDDEN}
        unknown -= {"_get_lr_called_within_step", "_is_initial"}
        if unknown:
            raise StateError(
                f"state_dict has keys that are not {type(self).__name__}'s: {sorted(unknown)}"
            )
        before = dict(self.__dict__)
        self.__dict__.update(copy.deepcopy(state_dict))
        try:
            self._check_state()
            self._take_up()
        except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
            self.__dict__.update(before)
            raise StateError(f"state_dict does not fit {type(self).__name__}: {error}") from error

    def _check_state(self) -> None:
        """Raise ValueError if a loaded state cannot be gone on from."""
        epoch, lrs = self.last_epoch, self.base_lrs
        if not isinstance(epoch, (int, float)) or not np.isfinite(epoch):
            raise ValueError(f"last_epoch must be a finite number, got {epoch!r}")
        if len(lrs) != len(self.optimizer.param_groups):
            raise ValueError(
                f"base_lrs has {len(lrs)} rates, the optimizer another number of groups"
            )

    def _update(self, epoch: float) -> None:
        before, self.last_epoch = self.last_epoch, epoch
        try:
            with self._flag("_get_lr_called_within_step"):
                self._write()
        except BaseException:
            self.last_epoch = before
            raise
        self._last_lr: list[float] = [group["lr"] for group in self.optimizer.param_groups]

    def _write(self) -> None:
        groups = self.optimizer.param_groups
        curves = self._group_curves()
        rates = None if self._is_formula else self._rates()
        if rates is not None:
            for mine in curves:
                mine.pop(LR, None)
        values = [{key: c(self.last_epoch) for key, c in own.items()} for own in curves]
        # Nothing is written before all is computed: an error changes nothing.
        for group, rate in zip(groups, rates or (), strict=rates is not None):
            group["lr"] = rate
        for group, own in zip(groups, values, strict=True):
            for key, value in own.items():
                _put(group, key, value)
        self._drive(curves, values)

    def _take_up(self) -> None:
        """After a load: numbers in the groups that are the formulas' own count as written by us."""
        curves = self._group_curves()
        self._drive(curves, [{key: c(self.last_epoch) for key, c in own.items()} for own in curves])

    def _drive(self, curves: list[dict[Key, Curve]], values: list[dict[Key, float]]) -> None:
        """Tell grilly's optimizer which formula each number is, so that its device computes it."""
        driven = getattr(self.optimizer, "_driven", None)
        if driven is None:
            return
        for i, own in enumerate(curves):
            for key, curve in own.items():
                entry = driven.get((i, key))
                if entry is None or entry.schedule is not curve.schedule:
                    entry = driven[i, key] = Driven(curve.schedule)
                entry.wrote(values[i][key], self.last_epoch)

    @property
    def _is_formula(self) -> bool:
        """Whether the rates are those of ``_schedules``: not if a subclass has its own get_lr()."""
        mro = type(self).__mro__
        formula, python = (
            next(i for i, c in enumerate(mro) if name in vars(c))
            for name in ("_schedules", "get_lr")
        )
        return formula <= python and self._has_schedules

    @property
    def _has_schedules(self) -> bool:
        return type(self)._schedules is not LRScheduler._schedules

    def _rates(self) -> list[float]:
        """Return what get_lr() says, one rate per group."""
        rates, count = self.get_lr(), len(self.optimizer.param_groups)
        if not isinstance(rates, (list, tuple)) or len(rates) != count:
            raise ValueError(f"get_lr() must return one rate per group ({count}), got {rates!r}")
        return list(rates)

    def _group_curves(self) -> list[dict[Key, Curve]]:
        groups = self.optimizer.param_groups
        return [{k: self._curve(s) for k, s in self._schedules(g).items()} for g in groups]

    def _curve(self, schedule: Schedule) -> Curve:
        # One object per formula: it is compared at every step.
        if len(self._curves) > 4096:
            self._curves.clear()
        if schedule not in self._curves:
            self._curves[schedule] = Curve(schedule)
        return self._curves[schedule]

    @contextmanager
    def _flag(self, name: str) -> Iterator[None]:
        setattr(self, name, True)
        try:
            yield
        finally:
            setattr(self, name, False)

    def _warn_order(self) -> None:
        step = getattr(self.optimizer, "step", None)
        if step is None:
            return
        if not hasattr(step, "_wrapped_by_lr_sched"):
            warnings.warn(OVERRIDDEN, UserWarning, stacklevel=3)
        elif not getattr(self.optimizer, "_opt_called", False):
            warnings.warn(ORDER, UserWarning, stacklevel=3)


def _put(group: dict[str, Any], key: Key, value: float) -> None:
    if len(key) == 1:
        group[key[0]] = value
    else:
        numbers = list(group[key[0]])
        numbers[key[1]] = value
        group[key[0]] = tuple(numbers)


def _note_steps(optimizer: Any) -> None:
    """Wrap this optimizer's ``step`` so that it is known to have been called, as torch does."""
    step = getattr(optimizer, "step", None)
    if step is None or hasattr(step, "_wrapped_by_lr_sched") or not hasattr(step, "__func__"):
        return
    # Through a weak reference: the wrapper lives in the optimizer and must not keep it alive.
    function, optimizer_ref = step.__func__, weakref.ref(optimizer)

    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        own = optimizer_ref()
        if own is None:
            raise ReferenceError("the optimizer of this step() is gone")
        own._opt_called = True
        return function(own, *args, **kwargs)

    wrapper._wrapped_by_lr_sched = True  # type: ignore[attr-defined]
    optimizer.step = wrapper
