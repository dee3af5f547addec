"""LRScheduler: torch's base class, whose subclasses name a formula or write a ``get_lr()``."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from operator import attrgetter, itemgetter
from typing import Any, ClassVar

import numpy as np

from ...errors import StateError
from ...planning import Pace
from ...schedules.steps import MOST_STEPS
from ..options import LR
from ..track import Formulas, Track
from .checks import check_epoch, check_number, check_optimizer, check_rate
from .noted import noted, settles
from .preview import preview
from .texts import EPOCH_DEPRECATION_WARNING, GET_LR_OUTSIDE, NO_INITIAL_LR, ORDER, OVERRIDDEN
from .touch import copied, note_steps, plain, unchanged_on_error, write


class LRScheduler:
    """Writes each group's "lr" once per ``step()``, as torch's does.

    A subclass defines ``get_lr()`` in plain Python: each rate that changes then costs an upload and
    a refill of the table. Ours define ``_formulas()`` too: then the rate is computed on the
    optimizer's device from the formula, correctly rounded, and no ``step()`` costs an upload.
    ``optimizer`` is grilly's, torch's, or any object with a list ``param_groups``.

    Raises TypeError if it has none; KeyError if ``last_epoch`` resumes a group that lacks
    "initial_lr"; ValueError if ``get_lr()`` gives another number of rates than there are groups.
    """

    # What is no part of the state: as in torch, that is all of __dict__ but the optimizer.
    __slots__ = ("__dict__", "__weakref__", "_held", "_inside", "_seat", "_track", "_used")
    _slots: ClassVar[tuple[str, ...]] = ("_held", "_track", "_used")
    _get_lr_called_within_step: bool = False
    _is_initial: bool = False
    # What the formulas depend on: attributes of the scheduler, and a group's values.
    _settings: ClassVar[Any] = attrgetter("base_lrs")
    _reads: Any = itemgetter("lr")
    # Whether get_lr() is a user's own: it then overrules the formulas of our class beneath it.
    _own_get_lr: ClassVar[bool] = True
    _formulas_agree: ClassVar[bool] = False
    _last_lr: list[Any]
    # What a state may have although this object has only its class's.
    _OPTIONAL: ClassVar[frozenset[str]] = frozenset()
    # What of __dict__ has no place in a state as it is.
    _HIDDEN: ClassVar[frozenset[str]] = frozenset({"optimizer"})

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._slots = (*cls._slots, *vars(cls).get("__slots__", ()))
        ours: Any = next((c for c in cls.__mro__ if vars(c).get("_formulas_agree")), None)
        cls._own_get_lr = ours is None or cls.get_lr is not ours.get_lr

    def __init__(self, optimizer: Any, last_epoch: int = -1) -> None:
        check_optimizer(optimizer)
        check_number("last_epoch", last_epoch)
        groups = optimizer.param_groups
        if last_epoch != -1:
            for i, group in enumerate(groups):
                if "initial_lr" not in group:
                    raise KeyError(NO_INITIAL_LR.format(i=i))
        self.optimizer = optimizer
        added = [group for group in groups if "initial_lr" not in group]
        for group in added:
            group["initial_lr"] = copied(group["lr"])
        self.base_lrs: list[float] = [copied(group["initial_lr"]) for group in groups]
        self.last_epoch: float = last_epoch
        self._get_lr_called_within_step = False
        self._start_track()
        note_steps(optimizer)
        try:
            self._initial_step()
        except BaseException:
            for group in added:
                del group["initial_lr"]
            raise
        settles(self)

    def _start_track(self) -> None:
        self._track = Track()
        self._used: Any = None  # the settings that the track was laid with
        self._held: list[Any] = []  # what ``_reads`` of the groups gave then

    def _initial_step(self) -> None:
        self._step_count = 0
        with self._flag("_is_initial"):
            self.step()

    def get_lr(self) -> list[float]:
        """Return the rates at ``last_epoch``, one per group; torch's users call get_last_lr()."""
        raise NotImplementedError(f"{type(self).__name__} must define get_lr()")

    def get_last_lr(self) -> list[float]:
        """Return the rates that the last ``step()`` wrote, float64, one per group; a copy."""
        return list(self._last_lr)

    def preview(self, n: int) -> Any:
        """Return the rates of the next ``n`` steps, (n, groups) float64; row 0 are those of now.

        A copy of the scheduler makes the steps, so that nothing changes, and a hand edit is gone on
        from. A user's function is called for each step ahead. Raises what ``step()`` would raise.

        >>> from types import SimpleNamespace
        >>> from grilly.optim.lr_scheduler import StepLR
        >>> optimizer = SimpleNamespace(param_groups=[{"lr": 0.5}, {"lr": 1.0}])
        >>> StepLR(optimizer, step_size=2, gamma=0.5).preview(3).tolist()
        [[0.5, 1.0], [0.5, 1.0], [0.25, 0.5]]
        """
        return preview(self, n)

    def step(self, epoch: float | None = None) -> None:
        """Move to the next step of the schedule (or, deprecated in torch, to ``epoch``).

        Inside ``grilly.record()`` the step is noted for the tape. Raises ValueError or TypeError,
        and changes nothing, if ``epoch`` is no finite number.
        """
        if noted(self, epoch):
            return
        count = self._step_count
        if count == 1:
            self._warn_order()
        # Fast while all is as it was left: the next values have been computed already.
        track, groups, at = self._track, self.optimizer.param_groups, self._track.at + 1
        if (
            epoch is None
            and at < track.end
            and track.t == self.last_epoch
            and "get_lr" not in self.__dict__
            and self._settings(self) == self._used
            and list(map(self._reads, groups)) == self._held
        ):
            self._step_count = count + 1
            self.last_epoch = track.t = track.t + 1
            track.at = at
            self._put(groups, at)
            return
        self._step_count = count + 1
        try:
            if epoch is not None:
                warnings.warn(EPOCH_DEPRECATION_WARNING, UserWarning, stacklevel=2)
            self._advance(epoch)
        except BaseException:
            self._step_count = count
            raise

    def _put(self, groups: list[dict[str, Any]], at: int) -> None:
        """Write row ``at`` of the track, which has a rate for each of the groups, into them."""
        rates = self._track.rows[LR][at]
        if rates is not self._held:
            for group, rate in zip(groups, rates):  # noqa: B905 - strict doubles a step's time
                if type(group["lr"]) is float:
                    group["lr"] = rate
                else:
                    write(group, LR, rate)
            self._last_lr = rates
            if self._reads is LRScheduler._reads:
                self._held = rates

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimizer, as plain data, in torch's keys; a copy."""
        state = {k: v for k, v in self.__dict__.items() if k not in self._HIDDEN}
        return {key: plain(value) for key, value in state.items()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a state_dict of this class or of torch's; the groups stay as they are.

        Raises StateError, and changes nothing, if it has a key that this class does not know or a
        value that the schedule cannot be gone on from.
        """
        if not isinstance(state_dict, dict):
            raise StateError(f"state_dict must be a dict, got {type(state_dict).__name__}")
        unknown = set(state_dict) - {k for k in self.__dict__ if k not in self._HIDDEN}
        unknown -= {"_get_lr_called_within_step", "_is_initial", *self._OPTIONAL}
        # A user's class may set attributes of its own at any time.
        if unknown and type(self).__module__.startswith("grilly."):
            names = sorted(map(str, unknown))
            raise StateError(f"state_dict has keys that are not {type(self).__name__}'s: {names}")
        before = self._snapshot()
        self.__dict__.update(copy.deepcopy(state_dict))
        try:
            self._check_state()
            self._take_up(state_dict)
        except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
            self._put_back(before)
            raise StateError(f"state_dict does not fit {type(self).__name__}: {error}") from error

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

    def _check_state(self) -> None:
        """Raise ValueError or TypeError if a loaded state cannot be gone on from."""
        check_epoch(self.last_epoch)
        check_number("_step_count", self._step_count)
        groups = self.optimizer.param_groups
        for name, rates in (("base_lrs", self.base_lrs), ("_last_lr", self._last_lr)):
            if not isinstance(rates, list) or len(rates) > len(groups):
                raise ValueError(f"{name} must be a list of {len(groups)} rates, got {rates!r}")
            for rate in rates:
                check_rate(name, rate)

    def _take_up(self, state_dict: dict[str, Any]) -> None:
        """Go on from a state that was loaded."""
        self._start_track()

    def _go_on(self) -> None:
        """Stand on the formulas at the step of a state that was loaded."""
        if self.last_epoch >= 0:
            self._lay(self._formulas(self.last_epoch, jump=True))
            self._track.end = 1
            self._drive()

    # --- Replays of a tape -----------------------------------------------------------------------

    def _reach(self) -> tuple[float, str]:
        """Return how many steps from now on the device can go along the formulas that it has.

        And why the host cannot give it others in the midst of a replay; "" if it can.
        """
        if self._asks_get_lr:
            return 0, "its get_lr() must be asked at every step"
        left = self._last_step() - self.last_epoch
        return (left if left > 0 and self._stands() else 0), ""

    def _stands(self) -> bool:
        """Whether nobody has edited anything, and the next step is along the same formulas.

        There is one before their last step.
        """
        track, groups = self._track, self.optimizer.param_groups
        return (
            LR in track.rows
            and len(self._held) == len(groups)
            and track.t == self.last_epoch
            and self._settings(self) == self._used
            and list(map(self._reads, groups)) == self._held
            and track.holds(groups)
            and self.optimizer._driven.get((0, LR)) is track  # no one has overtaken it
            and self._goes_on()
        )

    def _goes_on(self) -> bool:
        """Whether the next step is along the same formulas, if nobody has edited anything."""
        return self._formulas(self.last_epoch + 1, False) is self._track.formulas

    def _left(self) -> float:
        """Return after how many steps ``step()`` will raise an error."""
        return np.inf

    def _leap(self, steps: int) -> None:
        """Be where so many calls of ``step()`` lead, all of them along the formulas.

        Or where less of them had led, if ``steps`` is negative: an edit of a setting meanwhile is
        for the next step.
        """
        reads_more = self._reads is not LRScheduler._reads
        edited = self._settings(self) != self._used or (
            reads_more and list(map(self._reads, self.optimizer.param_groups)) != self._held
        )
        self.last_epoch += steps
        self._step_count += steps
        self._track.leap(self.last_epoch, steps, self._last_step)
        self._write(None)
        self._hold()
        if edited:
            self._used = None

    def _enters(self) -> bool:
        """Be ready for a replay; return whether the device was asked for that."""
        return False

    def _leaps(self, steps: int, pace: Pace) -> None:
        """Be where so many steps of replays lead in which it moves at this pace."""
        self._leap(steps)

    def _tracks(self) -> list[Track]:
        """Return the tracks that are written along now."""
        return [self._track]

    # --- The step that is not prepared -----------------------------------------------------------

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

    @contextmanager
    def _flag(self, name: str) -> Iterator[None]:
        setattr(self, name, True)
        try:
            yield
        finally:
            setattr(self, name, False)

    def _warn_get_lr(self) -> None:
        if not self._get_lr_called_within_step:
            warnings.warn(GET_LR_OUTSIDE, UserWarning, stacklevel=3)

    def _warn_order(self) -> None:
        step = getattr(self.optimizer, "step", None)
        if step is None:
            return
        if not hasattr(step, "_wrapped_by_lr_sched"):
            warnings.warn(OVERRIDDEN, UserWarning, stacklevel=3)
        elif not getattr(self.optimizer, "_opt_called", False):
            warnings.warn(ORDER, UserWarning, stacklevel=3)
