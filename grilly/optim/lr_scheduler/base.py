"""LRScheduler: torch's base class, whose subclasses name a formula or write a ``get_lr()``."""

from __future__ import annotations

import copy
import warnings
from operator import attrgetter
from typing import Any, ClassVar

from ...errors import StateError
from ...resident.recording import outside
from ..options import LR
from .checks import check_epoch, check_number, check_optimizer, check_rate
from .noted import noted, settles
from .preview import preview
from .replayed import Replayed
from .steps import RATE
from .texts import EPOCH_DEPRECATION_WARNING, GET_LR_OUTSIDE, NO_INITIAL_LR, ORDER, OVERRIDDEN
from .touch import copied, note_steps, plain, write


class LRScheduler(Replayed):
    """Writes each group's "lr" once per ``step()``, as torch's does.

    A subclass defines ``get_lr()`` in plain Python: each rate that changes then costs an upload and
    a refill of the table. Ours define ``_formulas()`` too: then the rate is computed on the
    optimizer's device from the formula, correctly rounded, and no ``step()`` costs an upload.
    ``optimizer`` is grilly's, torch's, or any object with a list ``param_groups``.

    Where the device decides what counts, as updates may be left out there (``skip_nonfinite``) or
    rules count metrics there, the host does not wait for it: what is shown, ``last_epoch``,
    ``get_last_lr()``, ``_last_lr``, ``state_dict()`` and the optimizer's ``param_groups``, is then
    read back when it is asked for, which waits for the device.

    Raises TypeError if it has none; KeyError if ``last_epoch`` resumes a group that lacks
    "initial_lr"; ValueError if ``get_lr()`` gives another number of rates than there are groups.
    """

    __slots__ = ()
    _slots: ClassVar[tuple[str, ...]] = ("_held", "_track", "_used")
    _get_lr_called_within_step: bool = False
    _is_initial: bool = False
    # What the formulas depend on: attributes of the scheduler, and a group's values.
    _settings: ClassVar[Any] = attrgetter("base_lrs")
    _reads: Any = RATE
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

    def _initial_step(self) -> None:
        self._step_count = 0
        with self._flag("_is_initial"):
            self.step()

    def get_lr(self) -> list[float]:
        """Return the rates at ``last_epoch``, one per group; torch's users call get_last_lr()."""
        raise NotImplementedError(f"{type(self).__name__} must define get_lr()")

    def get_last_lr(self) -> list[float]:
        """Return the rates that the last ``step()`` wrote, float64, one per group; a copy.

        With ``skip_nonfinite``, or rules on the device, they are read back from it, which may wait.
        """
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
            if self._reads is RATE:
                self._held = rates

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimizer, as plain data, in torch's keys; a copy.

        With ``skip_nonfinite``, or rules on the device, it is read back from it, which may wait.
        """
        state = {k: v for k, v in self.__dict__.items() if k not in self._HIDDEN}
        return {key: plain(value) for key, value in state.items()}

    @outside
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

    # --- What of a state a subclass checks and takes up ------------------------------------------

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

    # --- Warnings ---------------------------------------------------------------------------------

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
