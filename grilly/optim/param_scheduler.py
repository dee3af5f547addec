"""ParamScheduler: any hyperparameter of any group follows a schedule of its own."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, Literal, NoReturn

import numpy as np

from ..errors import StateError
from ..planning import Pace
from ..resident.metrics import lives_on_device
from ..resident.recording import refuse
from ..rules.packed import Held
from ..schedules.steps import MOST_STEPS
from ..whole import count_of
from .columns import limits_of, sound
from .course import fingerprint
from .following import AllStates, Following
from .lr_scheduler.checks import check_epoch, check_optimizer
from .lr_scheduler.lambdas import ASKED
from .lr_scheduler.noted import noted, settles
from .lr_scheduler.texts import METRIC
from .lr_scheduler.touch import unchanged_on_error, write
from .options import Key, check_number, option
from .rows import Values
from .seats import Seat, device_step, new_owner
from .track import Track
from .written import held, last, put

# Those that are alive and not closed: no two may write the same number.
_writers: weakref.WeakSet[ParamScheduler] = weakref.WeakSet()
_STATE = {"last_epoch", "schedules", "rules"}


class ParamScheduler:
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
        self.last_epoch = _plain(last_epoch)
        self._closed = False
        self._seat: Seat | None = None
        self._track = Track()
        self._states: AllStates = {}
        self._following = self._taken_in(None)
        with self._unchanged_on_error():
            self._move(self.last_epoch + 1, self._states)
        _writers.add(self)
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

        Where the rate is not scheduled it is the one that stands in the group.
        """
        return last(self._track, self.optimizer.param_groups, ("lr",))

    def get_last(self) -> dict[str, list[float]]:
        """Return what the last ``step()`` wrote, float64, by name and group.

        Of a group that is left alone it is the number that stands there.
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
        _writers.discard(self)

    def state_dict(self) -> dict[str, Any]:
        """Return the state as plain JSON data: the step, and the states of rules if there are any.

        "schedules" has a fingerprint of each name's, by which ``load_state_dict`` knows whether it
        is the same; None where a function is in it.
        """
        self._take_in()
        state: dict[str, Any] = {
            "last_epoch": self.last_epoch,
            "schedules": {name: fingerprint(given) for name, given in self.schedules.items()},
        }
        return {**state, **self._following.saved(self._states)}

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

    # --- A step ----------------------------------------------------------------------------------

    def _take_in(self) -> None:
        """See to it that the groups and schedules that are there now are those followed."""
        if not self._following.fits(self.optimizer, self.schedules):
            self._following = self._taken_in(self._following)
            self._track.end = 0  # it is of the groups and schedules before

    def _taken_in(self, before: Following | None) -> Following:
        following = Following(self.optimizer, self.schedules, before)
        for other in _writers - {self}:
            _check_apart(self, following, other)
        self._states = following.states(before, self._states)
        return following

    def _move(self, t: float, states: AllStates) -> None:
        """Stand at step ``t`` with the rules in ``states``, and write its values."""
        check_epoch(t)
        t = _plain(t)
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

    # --- Replays of a tape -----------------------------------------------------------------------

    def _reach(self) -> tuple[float, str]:
        """Return how many steps from now on the device can go along the formulas that it has.

        And why the host cannot give it others in the midst of a replay; "" if it can.
        """
        self._check_open()
        seat = self._seat
        if self._following.has_rules and seat is None:
            return 0, ""
        track, groups = self._track, self.optimizer.param_groups
        stands = (
            (seat is None or self._fits(seat))
            and self._driving()
            and track.t == self.last_epoch
            and track.at < track.end
            and self._following.fits(self.optimizer, self.schedules)
            and track.holds(groups)
        )
        if not stands:
            return 0, ""
        ends = [
            (course.reach(track.t), course.on_host) for *_, course in self._following.scheduled()
        ]
        reach = min((end for end, _ in ends), default=np.inf)
        asked = any(on_host and end == reach for end, on_host in ends)
        return reach, ASKED if asked else ""

    def _left(self) -> float:
        """Return after how many steps ``step()`` will raise an error."""
        ends = (course.last for *_, course in self._following.scheduled())
        return min(ends, default=np.inf) - self.last_epoch

    def _leap(self, steps: int) -> None:
        """Be where so many calls of ``step()`` lead, all of them along the formulas."""
        self._move(self.last_epoch + steps, self._states)
        if self._seat is not None:
            self._seat.counted()

    def _enters(self) -> bool:
        """Be ready for a replay; return whether the device was asked for that."""
        return False

    def _leaps(self, steps: int, pace: Pace) -> None:
        """Be where so many steps of replays lead in which it moves at this pace."""
        self._leap(steps)

    def _tracks(self) -> list[Track]:
        """Return the tracks that are written along now."""
        return [self._track]

    # --- Rules on the device ---------------------------------------------------------------------

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

    # --- States and errors -----------------------------------------------------------------------

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


PHASE_AND_SKIPPING = (
    "a rule that looks at metrics in a phase only cannot count them on a device that skips updates "
    "(skip_nonfinite=True): there a phase is so many metrics, and a skipped update ends none. Give "
    "step() a number, as in scheduler.step(loss.item())"
)


def _plain(step: Any) -> float:
    return int(step) if isinstance(step, (int, np.integer)) else float(step)


def _check_apart(scheduler: ParamScheduler, following: Following, other: ParamScheduler) -> None:
    """Raise ValueError if another ParamScheduler writes one of the numbers in ``following``."""
    mine = following.written(scheduler.optimizer)
    theirs = other._following.written(other.optimizer)
    for number, name in mine.items():
        if number in theirs:
            raise ValueError(
                f"{name} is written by {other!r} already, so {scheduler!r} cannot write it: "
                "close() the other one, or give all schedules to one ParamScheduler"
            )
