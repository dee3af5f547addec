"""ParamScheduler: any hyperparameter of any group follows a schedule of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, NoReturn

import numpy as np

from ..errors import StateError
from ..resident.metrics import lives_on_device
from ..resident.recording import outside, refuse
from ..whole import count_of
from .course import fingerprint
from .following import AllStates
from .lr_scheduler.checks import check_epoch, check_optimizer
from .lr_scheduler.noted import noted, settles
from .lr_scheduler.texts import METRIC
from .param_replays import Replayed
from .param_steps import begins_to_write, plain_step, writes_no_more
from .rows import Values
from .seats import Seat, device_step
from .track import Track
from .written import held, last, put

_STATE = {"last_epoch", "schedules", "rules"}


class ParamScheduler(Replayed):
    """Writes, once per ``step()``, each scheduled number of the groups: its schedule's own value.

    ``schedules`` maps names to a schedule for all groups, or to a list of one for each (None: that
    group is left alone). A schedule is a grilly.schedules.Schedule, a rule of grilly.rules or a
    composition with rules in it, a number, or a function of the step. Names are those of the
    optimizer's options: "lr", "momentum", "dampening", "weight_decay", "eps", "beta1", "beta2"; of
    an optimizer of torch's, or any object with a list ``param_groups``, every number in the groups
    has one (that of ("betas", 0) is "beta1").

    A value is absolute: no initial rate multiplies it. On grilly's optimizers the device computes
    it from the formula, correctly rounded, without an upload per step; a number that a rule has
    changed is uploaded, unless its metric stays on the device (see ``step``), and a function that
    cannot be traced is asked 256 steps ahead on the host, one upload for them all. A function must
    depend on the step alone; that it, or a text, still has its formula's values is looked up once a
    window, of at most 256 steps, and where it has not it is traced anew or asked on the host. So a
    change is noticed at the next window. What somebody else wrote into a scheduled place, by hand
    or as another scheduler, is in effect until the next ``step()`` writes over it.

    With ``skip_nonfinite``, or rules that count on the device, ``last_epoch``, ``get_last()``,
    ``get_last_lr()``, ``state_dict()`` and the optimizer's ``param_groups`` are read back from the
    device when they are asked for, which may wait.

    A group that is added later follows a schedule that was given for all groups; where there is a
    list, append to ``scheduler.schedules[name]``.

    Raises TypeError or ValueError, and writes nothing, for a name that the optimizer has not, for a
    number that another ParamScheduler writes which is neither gone nor closed, for a ``last_epoch``
    below -1, for a function that does not take the step alone, and for what ``step()`` raises.

    >>> from grilly.optim import AdamW
    >>> from grilly.schedules import Ramp
    >>> optimizer = AdamW([np.ones(3, np.float32)], device="cpu")
    >>> warm_up, drop = Ramp(0.5, 0.0, 1.0, steps=2), lambda t: 0.5 if t < 2 else 0.75
    >>> scheduler = ParamScheduler(optimizer, {"lr": warm_up, "beta1": [drop]})
    >>> seen = []
    >>> for step in range(3):
    ...     seen.append((scheduler.get_last_lr()[0], optimizer.param_groups[0]["betas"][0]))
    ...     optimizer.step(gradients=[np.ones(3)])
    ...     scheduler.step()
    >>> seen
    [(0.0, 0.5), (0.25, 0.5), (0.5, 0.75)]
    """

    # What becomes of a metric on the device that is not finite: it does not count, and an error is
    # raised when something is read back; it does not count; or it counts as in torch.
    nonfinite: Literal["raise", "ignore", "count"] = "raise"
    # What a SequentialLR or ChainedScheduler says of it.
    _instead: ClassVar[str] = (
        "its values are absolute and of its own clock: join or multiply the schedules "
        "(grilly.schedules) and give the result to one ParamScheduler"
    )

    def __init__(
        self, optimizer: Any, schedules: Mapping[str, Any], last_epoch: float = -1
    ) -> None:
        check_optimizer(optimizer)
        check_epoch(last_epoch)
        if last_epoch < -1:
            raise ValueError(f"last_epoch must be at least -1, got {last_epoch}")
        if not isinstance(schedules, Mapping) or not schedules:
            raise TypeError(f'schedules must be a dict as {{"lr": schedule}}, got {schedules!r}')
        self.optimizer = optimizer
        self.schedules: dict[str, Any] = {
            name: list(given) if isinstance(given, (list, tuple)) else given
            for name, given in schedules.items()
        }
        # A plain number: a numpy int may overflow, and is no JSON.
        self.last_epoch = plain_step(last_epoch)
        self._closed = False
        self._seat: Seat | None = None
        self._track = Track()
        self._states: AllStates = {}
        self._following = self._taken_in(None)
        with self._unchanged_on_error():
            self._move(self.last_epoch + 1, self._states)
        begins_to_write(self)
        settles(self)

    def __repr__(self) -> str:
        return f"<ParamScheduler of {', '.join(self.schedules)} at step {self.last_epoch:g}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a ParamScheduler holds its optimizer: save its state_dict() instead")

    def step(self, metrics: Any = None) -> None:
        """Move to the next step: write each schedule's value at ``last_epoch`` into the groups.

        ``metrics`` is for the rules that count at the step that has been taken: a number, or a
        DeviceArray of one element or a metric such as grilly.Mean on the optimizer's device. That
        stays there: the device counts it, and its next step has the new values. The host does not
        wait; ``get_last()``, the states and ``optimizer.param_groups`` are read back when they are
        asked for. What one that is not finite means there says ``nonfinite``: "raise" (when
        something is read back; it does not count), "ignore", or "count" as torch does.

        Raises ValueError, and changes nothing, for a value that is not finite or beyond the limits
        of its number (it names the number, group and step), past the end of a schedule that ends
        with an error, for a group that was added to a list of schedules, for ``metrics`` where
        there is no rule, and for rules that a device cannot count or ``metrics`` of another device;
        TypeError or ValueError of a rule that needs metrics; RuntimeError after
        ``close()``; and what a function of yours raises at the step, with a note that names the
        number, group and step (on Python 3.10 without).
        """
        self._check_open()
        if lives_on_device(metrics):
            device_step(self, metrics)
            return
        if metrics is None and self._following.has_rules:
            refuse("a step of rules without a metric", "give it one that is on the device")
        if metrics is None and noted(self):
            return
        if metrics is not None:
            refuse("a step with a number", METRIC)
        self._leave_seat()
        own, track = self._following, self._track
        if (
            metrics is None
            and not own.has_rules
            and track.at + 1 < track.end
            and track.t == self.last_epoch
            and own.fits(self.optimizer, self.schedules)
        ):
            numbers = held(track, self.optimizer.param_groups)
            self.last_epoch = track.t = track.t + 1
            track.at += 1
            put(track, self.optimizer.param_groups, numbers)
            self._drive(anew=False)
            return
        with self._unchanged_on_error():
            self._take_in()
            states = self._following.after(self._states, self.last_epoch, metrics)
            # noted() knows of a step without a metric that it counts
            t = self.last_epoch + 1 if metrics is None else self._next()
            self._move(t, states)

    def get_last_lr(self) -> list[float]:
        """Return the rates that the last ``step()`` wrote, float64, one per group.

        Where the rate is not scheduled it is the one that stands in the group. With
        ``skip_nonfinite``, or rules on the device, they are read back from it, which may wait.
        """
        return last(self._track, self.optimizer.param_groups, ("lr",))

    def get_last(self) -> dict[str, list[float]]:
        """Return what the last ``step()`` wrote, float64, by name and group.

        Of a group that is left alone it is the number that stands there. With ``skip_nonfinite``,
        or rules on the device, all is read back from it, which may wait.
        """
        groups, columns = self.optimizer.param_groups, self._following.columns
        return {name: last(self._track, groups, key) for name, key in columns.items()}

    def preview(self, n: int) -> dict[str, Values]:
        """Return the values of ``n`` steps from the present one on; changes nothing.

        By name, (n, groups) float64: row 0 is for the next update. Rules that need a metric are
        taken to stay as they are, and a group that is left alone too. A value that cannot be, as
        nan, is there as it is.

        Raises TypeError or ValueError for what is no number of steps, and ValueError past the end
        of a schedule that ends with an error.
        """
        count = count_of("n", n)
        self._take_in()
        steps = self.last_epoch + np.arange(count, dtype=np.float64)
        return self._following.values(self._states, steps, self.get_last())

    def close(self) -> None:
        """Write no more: the numbers stay as they are, and another scheduler may write them."""
        self._closed = True
        writes_no_more(self)

    def state_dict(self) -> dict[str, Any]:
        """Return the state as plain JSON data: the step, and the states of rules if there are any.

        "schedules" has a fingerprint of each name's, by which ``load_state_dict`` knows whether it
        is the same; None where a function is in it. With ``skip_nonfinite``, or rules on the
        device, the state is read back from it, which may wait.
        """
        self._take_in()
        state: dict[str, Any] = {
            "last_epoch": self.last_epoch,
            "schedules": {name: fingerprint(given) for name, given in self.schedules.items()},
        }
        return {**state, **self._following.saved(self._states)}

    @outside
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a state, and write its step's values into the groups.

        Before or after the optimizer loads its own: the values are the same. Groups that the state
        does not know begin their rules anew. To go on with other schedules than the saved ones,
        remove "schedules" from the state. Whether a function is the one that was there when the
        state was saved cannot be known, and is not looked at.

        Raises StateError, and changes nothing, if it does not fit.
        """
        self._check_open()
        if not isinstance(state_dict, dict) or "last_epoch" not in state_dict:
            raise StateError(f'state_dict must be a dict with "last_epoch", got {state_dict!r:.80}')
        unknown = set(state_dict) - _STATE
        if unknown:
            names = sorted(map(str, unknown))
            raise StateError(f"state_dict has keys that are not ParamScheduler's: {names}")
        with self._unchanged_on_error():
            try:
                self._take_in()
                self._check_schedules(state_dict.get("schedules", {}))
                states = self._following.loaded(state_dict.get("rules", {}))
                t = state_dict["last_epoch"]
                check_epoch(t)
                if t < 0:
                    raise ValueError(f"last_epoch must be at least 0, got {t}")
                seat, self._seat = self._seat, None
                self._move(t, states)
                if seat is not None:  # what the device has counted is written over
                    seat.drop()
            except (TypeError, ValueError) as error:
                raise StateError(f"state_dict does not fit ParamScheduler: {error}") from error

    def _check_schedules(self, prints: Any) -> None:
        if not isinstance(prints, dict) or not set(prints) <= set(self.schedules):
            raise ValueError(f"schedules are of {sorted(self.schedules)}, got {prints!r}")
        for name, saved in prints.items():
            own = fingerprint(self.schedules[name])
            if saved != own:
                raise ValueError(
                    f"the schedule of {name!r} is not the one that was saved; to go on with the "
                    'new one remove "schedules" from the state'
                )
