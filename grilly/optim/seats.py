"""Seats: the rules of a scheduler on its optimizer's device, where a metric comes to them."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import AbstractContextManager
from itertools import count
from typing import TYPE_CHECKING, Any

from ..resident import recording
from ..resident.kept_tapes import alone
from ..resident.metrics import Metric, metric_on_device
from ..resident.ops import Recorded
from ..rules.on_device import Member
from ..schedules.live import revalued
from .lr_scheduler.touch import write
from .options import LR, Key
from .shown import read_back

if TYPE_CHECKING:
    from .. import vk
    from ..resident.places import Place
    from ..rules.packed import Held
    from .track import Track

KEPT_TAPES = 64
REFUSED = (
    "metrics must be finite, got {} on the device, where it was not counted: stop the run, or set "
    'nonfinite of the scheduler to "ignore", which leaves such metrics out, or to "count", which '
    "counts them as PyTorch does"
)
_serials = count()


def new_owner() -> str:
    """Return what the tokens of a scheduler's values begin with: no two are the same."""
    return f"rules {next(_serials)}"


class Seat:
    """What a scheduler's rules are on the device, until the host changes one of them.

    ``key`` says what the host had made of them; ``pending`` whether they have counted metrics of
    which the host does not know. The optimizer holds it, for what the device has changed is to be
    known although the scheduler is gone.
    """

    def __init__(self, scheduler: Any, owner: str, key: Any, members: Sequence[Member]) -> None:
        optimizer = scheduler.optimizer
        self.owner, self.key = owner, key
        self.backend = optimizer._backend
        self.rules = self.backend.rules(members)
        self.pending = False
        self._tokens = [member.tokens for member in members]
        self._track: Track = scheduler._track
        self._refused: float | None = None
        self._left = False
        self._scheduler = weakref.ref(scheduler)
        self._optimizer = weakref.ref(optimizer)
        self._tapes: OrderedDict[Any, vk.Tape] = OrderedDict()
        self._versions: Any = None
        optimizer._seats.append(self)
        read_back(scheduler)

    @property
    def owes(self) -> bool:
        """Whether the host is to be told something when it asks."""
        return self.pending or self._refused is not None

    @property
    def over(self) -> bool:
        """Whether nobody needs it any more."""
        return not self.owes and (self._left or self._scheduler() is None)

    def writes(self, keys: set[Key]) -> bool:
        """Whether one of its numbers is of these."""
        return not keys.isdisjoint(self._track.rows)

    def counted(self) -> None:
        """Take notice that the device has counted metrics."""
        self.pending = True

    def settle(self) -> bool:
        """Let the scheduler know what the device has made of the metrics; whether that was new.

        What it cannot be is raised, and the device is asked again the next time.
        """
        optimizer: Any = self._optimizer()
        if not self.pending or optimizer is None:
            return False
        held, scheduler = self.rules.read(), self._scheduler()
        with _as_if_made(optimizer):
            if scheduler is None:
                self._leave_behind(held, optimizer.param_groups)
            else:
                scheduler._take_held(held)
            self.pending = False
        refused = [one.refused for one in held if one.refused is not None]
        if refused:
            self._refused = refused[0] if self._refused is None else self._refused
            self.rules.forgive()
        return True

    def complain(self) -> None:
        """Raise ValueError, once, for a metric that was refused."""
        refused, self._refused = self._refused, None
        if refused is not None:
            raise ValueError(REFUSED.format(refused))

    def leave(self) -> None:
        """Be left, with what the device has counted: the host goes on."""
        self.settle()
        self._left = True

    def drop(self) -> None:
        """Be left, and let nobody know what the device has counted."""
        self.pending, self._refused, self._left = False, None, True

    def tape(self, step: RuleStep, device: vk.Device) -> vk.Tape:
        """Return a tape of ``step`` alone, kept for the next time that the same is asked for."""
        versions = self.rules.version, self.backend.version
        if versions != self._versions:
            self._tapes.clear()
            self._versions = versions
        key = step.metric.identity
        if key not in self._tapes:
            self._tapes[key] = alone(step, device)
            if len(self._tapes) > KEPT_TAPES:
                self._tapes.popitem(last=False)
        return self._tapes[key]

    def _leave_behind(self, held: Sequence[Held], groups: list[dict[str, Any]]) -> None:
        """Write what the device has made of the numbers, for a scheduler that is gone."""
        pairs = zip(self._tokens, held, strict=True)
        values = {t: v for tokens, one in pairs for t, v in zip(tokens, one.values, strict=True)}
        track = self._track
        own = {
            (i, key)
            for key, formulas in track.formulas.items()
            for i in range(len(formulas))
            if track.wrote(i, key, groups[i])
        }
        track.lay(
            {k: [revalued(f, values) for f in fs] for k, fs in track.formulas.items()},
            track.t,
            track.t,
        )
        for i, key in own:
            write(groups[i], key, track.rows[key][0][i])


class RuleStep(Recorded):
    """That the rules of a scheduler count a metric: an Op, which asks for its seat each time."""

    def __init__(self, scheduler: Any, metric: Metric) -> None:
        self._scheduler = scheduler
        self.metric = metric
        self.backend = scheduler.optimizer._backend

    @property
    def seat(self) -> Seat:
        """Where the rules are now: after an edit it is another."""
        seat: Seat = self._scheduler._seat
        return seat

    @property
    def place(self) -> Place:
        """Where the metric and the rules are."""
        return self.metric.place

    @property
    def version(self) -> Any:
        """Changes when what a tape of it binds does."""
        seat: Seat | None = getattr(self._scheduler, "_seat", None)
        return None if seat is None else (seat.owner, seat.rules.version)

    def on_host(self) -> None:
        """Do it on the numpy device."""
        self.metric.on_host()
        self.seat.rules.on_host(self.metric)

    def record(self, tape: vk.Tape) -> None:
        """Record it: the optimizer's next step has the new values."""
        self.metric.record(tape)
        self.seat.rules.record(tape, self.metric)

    def tape(self, device: vk.Device) -> vk.Tape:
        """Return a tape of it alone, before the optimizer's next step."""
        return self.seat.tape(self, device)


def device_step(scheduler: Any, given: Any) -> None:
    """Make a step of a scheduler whose metric is on the device, or note it for a tape."""
    metric, optimizer = metric_on_device(given), scheduler.optimizer
    backend = getattr(optimizer, "_backend", None)
    if backend is None or metric.place != backend.place:
        where = type(optimizer).__name__ if backend is None else backend.name
        raise ValueError(
            f"metrics is on {metric.place.name}, but the optimizer on {where}: give a number, as "
            "in scheduler.step(loss.item())"
        )
    settle_others(scheduler)
    step, tape = RuleStep(scheduler, metric), recording.current()
    if tape is None and not _sits(scheduler):  # a new seat goes on from the groups' numbers
        optimizer._settle_applied(complaining=False)
    with _as_if_made(optimizer):
        if tape is None or scheduler._can_sit():  # else a replay's first round is the host's
            scheduler._seated()
    if tape is not None:
        tape.tick(scheduler, given, step=step)
        return
    metric.place.check()
    with _as_if_made(optimizer), scheduler._counting_on_device():
        metric.place.run(step)
    scheduler._seat.counted()


def _sits(scheduler: Any) -> bool:
    seat = getattr(scheduler, "_seat", None)
    with _as_if_made(scheduler.optimizer):
        return seat is not None and bool(scheduler._fits(seat))


def settle_others(scheduler: Any) -> None:
    """Ask the device if another scheduler's rules may have changed what this one goes on from."""
    own = getattr(scheduler, "_seat", None)
    others = [seat for seat in scheduler.optimizer._seated() if seat.pending and seat is not own]
    if others:
        keys = {key for track in scheduler._tracks() for key in track.rows} or {LR}
        for seat in others:
            if seat.writes(keys):
                seat.settle()


def _as_if_made(optimizer: Any) -> AbstractContextManager[Any]:
    """Return a context in which nobody asks the device, of an optimizer that would."""
    context: AbstractContextManager[Any] = optimizer._as_if_made()
    return context
