"""Moving: a ParamScheduler's values, from step to step, and into the groups."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..schedules.steps import MOST_STEPS
from .columns import limits_of, sound
from .following import AllStates, Following
from .lr_scheduler.checks import check_epoch
from .lr_scheduler.touch import unchanged_on_error
from .options import Key, check_number
from .rows import Values
from .seats import Seat
from .track import Track
from .written import held, put

# Those that are alive and not closed: no two may write the same number. Threads make them, too.
_writers: weakref.WeakSet[Moving] = weakref.WeakSet()
_writing = threading.RLock()


class Moving:
    """What a ParamScheduler writes at a step, and what it goes on from.

    ``_following`` are the courses of all numbers, ``_states`` the rules' states, and ``_track`` has
    the values of the steps ahead. ``_seat`` is where rules count on the device, if they do.
    """

    optimizer: Any
    schedules: dict[str, Any]
    last_epoch: float
    _following: Following
    _states: AllStates
    _track: Track
    _seat: Seat | None
    _closed: bool

    def _take_in(self) -> None:
        """See to it that the groups and schedules that are there now are those followed."""
        if not self._following.fits(self.optimizer, self.schedules):
            self._following = self._taken_in(self._following)
            self._track.end = 0  # it is of the groups and schedules before

    def _taken_in(self, before: Following | None) -> Following:
        following = Following(self.optimizer, self.schedules, before)
        for other in others(self):
            _check_apart(self, following, other)
        self._states = following.states(before, self._states)
        return following

    def _move(self, t: float, states: AllStates) -> None:
        """Stand at step ``t`` with the rules in ``states``, and write its values."""
        check_epoch(t)
        t = plain_step(t)
        while not self._stood(t, states):
            pass
        self.last_epoch, self._states = t, states
        groups = self.optimizer.param_groups
        put(self._track, groups, held(self._track, groups))
        self._drive(anew=True)

    def _stood(self, t: float, states: AllStates) -> bool:
        """Stand at step ``t``; return whether the formulas for it have proved to be right."""
        track = self._track
        owner = None if self._seat is None else self._seat.owner
        formulas, end = self._following.formulas(states, t, owner)
        if formulas == track.formulas:
            formulas = track.formulas  # the same object: the track may look further ahead
        if formulas is track.formulas and t == track.t + 1 and track.at + 1 < track.end:
            track.t, track.at = t, track.at + 1
            return True
        track.lay(formulas, t, min(end, MOST_STEPS), self._sound)
        return self._following.agree(track)

    def _sound(self, key: Key, values: Values, steps: Values) -> int:
        """Return at how many steps the values are sound; raise if there is none."""
        name = next(name for name, own in self._following.columns.items() if own == key)
        limits = limits_of(self.optimizer)
        alone = [course is None for course in self._following.courses[name]]
        good = sound(limits, key, values) | np.array(alone, np.bool_)[:, None]
        count = int(np.append(good.all(axis=0), False).argmin())
        if count == 0:
            i = int(good[:, 0].argmin())
            try:
                check_number(limits, key, float(values[i, 0]), name)
            except ValueError as error:
                where = f"{name} of param_groups[{i}] at step {steps[0]:g}"
                raise ValueError(f"{where}: {error}") from None
        return count

    def _drive(self, anew: bool) -> None:
        """Tell grilly's optimizer the formulas, unless it has them from the step before."""
        driven, own = getattr(self.optimizer, "_driven", None), self._following
        if driven is None:
            return
        # A scheduler that has overtaken this one has done so in all groups.
        if anew or not self._driving():
            driven.update(dict.fromkeys(own.numbers, self._track))

    def _driving(self) -> bool:
        driven = self.optimizer._driven
        return all(driven.get(first) is self._track for first in self._following.firsts)

    @contextmanager
    def _unchanged_on_error(self) -> Iterator[None]:
        before, track = dict(self.__dict__), dict(self._track.__dict__)
        keys = [*self._following.columns.values()]
        try:
            with unchanged_on_error(self.optimizer.param_groups, keys):
                yield
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            self._track.__dict__.update(track)
            raise

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError(f"{self!r} is closed: make a new one")


def begins_to_write(scheduler: Moving) -> None:
    """Take note of a scheduler that is made."""
    with _writing:
        _writers.add(scheduler)


def writes_no_more(scheduler: Moving) -> None:
    """Take note of a scheduler that is closed."""
    with _writing:
        _writers.discard(scheduler)


def others(scheduler: Moving) -> list[Moving]:
    """Return the other schedulers that write numbers."""
    with _writing:
        return [other for other in _writers if other is not scheduler]


def plain_step(step: Any) -> float:
    return int(step) if isinstance(step, (int, np.integer)) else float(step)


def _check_apart(scheduler: Moving, following: Following, other: Moving) -> None:
    """Raise ValueError if another ParamScheduler writes one of the numbers in ``following``."""
    mine = following.written(scheduler.optimizer)
    theirs = other._following.written(other.optimizer)
    for number, name in mine.items():
        if number in theirs:
            raise ValueError(
                f"{name} is written by {other!r} already, so {scheduler!r} cannot write it: "
                "close() the other one, or give all schedules to one ParamScheduler"
            )
