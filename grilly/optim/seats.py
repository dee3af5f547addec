"""Seats: the rules of a scheduler on its optimizer's device, where a metric comes to them."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from contextlib import nullcontext
from itertools import count
from typing import TYPE_CHECKING, Any

from ..resident import recording
from ..resident.metrics import Metric, metric_on_device
from ..resident.ops import alone
from ..rules.base import metric_of
from ..rules.on_device import Member
from .lr_scheduler.noted import moved_on
from .shown import read_back

if TYPE_CHECKING:
    from .. import vk
    from ..resident.places import Place

_serials = count()


def new_owner() -> str:
    """Return what the tokens of a scheduler's values begin with: no two are the same."""
    return f"rules {next(_serials)}"


class Seat:
    """What a scheduler's rules are on the device, until the host changes one of them.

    ``key`` says what the host had made of them; ``pending`` whether they have counted metrics of
    which the host does not know.
    """

    def __init__(self, scheduler: Any, owner: str, key: Any, members: Sequence[Member]) -> None:
        self.optimizer = scheduler.optimizer
        self.owner, self.key = owner, key
        self.rules = self.optimizer._backend.rules(members)
        self.pending = False
        self._refused: float | None = None
        self._scheduler = weakref.ref(scheduler)
        self.optimizer._seats.append(weakref.ref(self))
        read_back(scheduler)

    def counted(self) -> None:
        """Take notice that the device has counted metrics."""
        self.pending = True

    def settle(self) -> bool:
        """Let the scheduler know what the device has made of the metrics; whether that was new.

        Raises ValueError, once, for a metric that was refused.
        """
        scheduler = self._scheduler()
        if not self.pending or scheduler is None:
            return False
        held = self.rules.read()
        self.pending = False
        scheduler._take_held(held)
        refused = next((one.refused for one in held if one.refused is not None), None)
        if refused is not None and self._refused is None:
            self._refused = refused
            metric_of(refused)
        return True


class RuleStep:
    """That the rules in a seat count a metric: an Op."""

    def __init__(self, seat: Seat, metric: Metric) -> None:
        self.seat = seat
        self.metric = metric
        self.backend = seat.optimizer._backend

    @property
    def place(self) -> Place:
        """Where the metric and the rules are."""
        return self.metric.place

    @property
    def version(self) -> int:
        """Changes when what a tape of it binds does."""
        version: int = self.seat.rules.version
        return version

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
        return alone(self, device)

    def check(self) -> None:
        """Nothing can be wrong with it."""

    def again(self) -> None:
        """Do it without a tape."""
        self.place.run(self)


def device_step(scheduler: Any, given: Any) -> None:
    """Make a step of a scheduler whose metric is on the device, or note it for a tape."""
    metric = metric_on_device(given)
    backend = getattr(scheduler.optimizer, "_backend", None)
    if backend is None or metric.place != backend.place:
        where = type(scheduler.optimizer).__name__ if backend is None else backend.name
        raise ValueError(
            f"metrics is on {metric.place.name}, but the optimizer on {where}: give a number, as "
            "in scheduler.step(loss.item())"
        )
    as_if_made = getattr(scheduler.optimizer, "_as_if_made", nullcontext)
    with as_if_made():
        seat = scheduler._seated()
    step, tape = RuleStep(seat, metric), recording.current()
    if tape is not None:
        tape.tick(scheduler, given, step=step)
        return
    metric.place.check()
    metric.place.run(step)
    _move(scheduler)
    seat.counted()


def _move(scheduler: Any) -> None:
    """Let the schedules around the rules make a step, which is one by the updates as any."""

    def step() -> None:
        scheduler._counted_on_device(1)

    optimizer = scheduler.optimizer
    ledger = optimizer._ledger
    if not scheduler._tracks() or moved_on(scheduler, step):
        return
    if ledger is not None:
        with optimizer._lock:
            optimizer._ask_applied()
    if ledger is None or ledger.counts(scheduler):
        with optimizer._as_if_made():
            step()
