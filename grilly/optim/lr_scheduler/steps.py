"""Steps: how a scheduler with formulas, or with a get_lr(), comes to its next rates."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from operator import itemgetter
from typing import Any, ClassVar

import numpy as np

from ...schedules.steps import MOST_STEPS
from ..options import LR
from ..track import Formulas, Track
from .checks import check_epoch
from .touch import copied, unchanged_on_error, write

RATE = itemgetter("lr")


class Steps:
    """The step that is not prepared: all is computed before anything is written."""

    # What is no part of the state: as in torch, that is all of __dict__ but the optimizer.
    __slots__ = ("__dict__", "__weakref__", "_held", "_inside", "_seat", "_track", "_used")

    optimizer: Any
    last_epoch: float
    _step_count: int
    _last_lr: list[Any]
    _settings: ClassVar[Any]
    _slots: ClassVar[tuple[str, ...]]
    _own_get_lr: ClassVar[bool]
    _reads: Any

    def get_lr(self) -> list[float]:
        """Return the rates at ``last_epoch``, one per group."""
        raise NotImplementedError

    # --- What a subclass with formulas defines ---------------------------------------------------

    def _formulas(self, t: float, jump: bool) -> Formulas:
        """Return the formula of each number that is written from step ``t`` on.

        The groups hold the values of the step before, unless it is a ``jump`` to a given epoch.
        {}: only get_lr() can tell. The same object as before: nothing has changed.
        """
        return {}

    def _last_step(self) -> float:
        """Return the last step that the formulas hold for."""
        return np.inf

    def _wrote(self, rates: list[Any], jump: bool) -> None:
        """Take notice of the rates at last_epoch, which get_lr() or the closed form gave."""

    # --- The step --------------------------------------------------------------------------------

    def _start_track(self) -> None:
        self._track = Track()
        self._used: Any = None  # the settings that the track was laid with
        self._held: list[Any] = []  # what ``_reads`` of the groups gave then

    def _advance(self, epoch: float | None) -> None:
        """Move to the next step or to ``epoch``; compute all before anything is written."""
        before = self._snapshot()
        jump = epoch is not None
        t = self.last_epoch + 1 if epoch is None else epoch
        check_epoch(t)
        try:
            formulas = self._formulas(t, jump)
            self.last_epoch = t
            self._lay(formulas)
            rates = None if LR in self._track.rows else self._python_rates(jump)
            with unchanged_on_error(self.optimizer.param_groups):
                self._write(rates)
        except BaseException:
            self._put_back(before)
            raise
        if rates is not None and not self._asks_get_lr:
            self._wrote(self._last_lr, jump)
        self._hold()
        self._drive()

    @property
    def _asks_get_lr(self) -> bool:
        """Whether rates are those of a user's get_lr(), of the class or of this object."""
        return self._own_get_lr or "get_lr" in self.__dict__

    def _lay(self, formulas: Formulas) -> None:
        if self._asks_get_lr:
            formulas = {key: own for key, own in formulas.items() if key != LR}
        if formulas:
            last = min(self._last_step(), MOST_STEPS)
            self._track.lay(formulas, self.last_epoch, last)
        else:
            self._track.stand(formulas, self.last_epoch, {})

    def _python_rates(self, jump: bool) -> list[Any]:
        """Return what get_lr(), or for a given epoch the closed form, says: one rate per group."""
        closed_form = getattr(self, "_get_closed_form_lr", None) if jump else None
        with self._flag("_get_lr_called_within_step"):
            rates = self.get_lr() if closed_form is None else closed_form()
        count = len(self.optimizer.param_groups)
        rates = list(rates) if isinstance(rates, Iterable) else rates
        if not isinstance(rates, list) or len(rates) != count:
            raise ValueError(f"get_lr() must return one rate per group ({count}), got {rates!r}")
        return rates

    def _write(self, rates: list[Any] | None) -> None:
        groups = self.optimizer.param_groups
        for key, rows in self._track.rows.items():
            for group, value in zip(groups, rows[0], strict=True):
                write(group, key, value)
        for group, rate in zip(groups, rates or (), strict=rates is not None):
            write(group, LR, rate)
        self._last_lr = [copied(group["lr"]) for group in groups]

    def _hold(self) -> None:
        """Remember what the track was laid for, if the next step may go along it."""
        if self._asks_get_lr and not self._track.rows:
            return  # get_lr() is asked at every step
        groups = self.optimizer.param_groups
        used = self._settings(self)
        if used != self._used:
            self._used = copy.deepcopy(used)
        self._held = list(map(copied, map(self._reads, groups)))
        plain = all([type(group["lr"]) is float for group in groups])
        if not plain or LR not in self._track.rows:
            self._track.end = 1

    def _drive(self) -> None:
        """Tell grilly's optimizer which formula each number is, so that its device computes it."""
        driven = getattr(self.optimizer, "_driven", None)
        if driven is not None:
            groups = range(len(self.optimizer.param_groups))
            driven.update({(i, key): self._track for key in self._track.rows for i in groups})

    def _driving(self) -> bool:
        """Whether no other scheduler has overtaken this one, in any number."""
        driven, track, groups = self.optimizer._driven, self._track, self.optimizer.param_groups
        return all(
            [driven.get((i, key)) is track for key in track.rows for i in range(len(groups))]
        )

    @contextmanager
    def _flag(self, name: str) -> Iterator[None]:
        setattr(self, name, True)
        try:
            yield
        finally:
            setattr(self, name, False)

    def _snapshot(self) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """Return all that this scheduler is now, for ``_put_back``."""
        hidden = {name: getattr(self, name) for name in self._slots if hasattr(self, name)}
        track = hidden.get("_track")
        return dict(self.__dict__), hidden, {} if track is None else dict(track.__dict__)

    def _put_back(self, snapshot: tuple[dict[str, Any], dict[str, Any], dict[str, Any]]) -> None:
        """Be again what ``_snapshot`` saw."""
        own, hidden, track = snapshot
        self.__dict__.clear()
        self.__dict__.update(own)
        for name, value in hidden.items():
            setattr(self, name, value)
        if track:
            self._track.__dict__.update(track)
