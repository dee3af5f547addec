"""Tape: what a program says to a device, recorded once and replayed without the host."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from itertools import chain
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..errors import RecordError
from ..interrupt import Uninterrupted
from ..planning import Pace
from ..whole import MOST, count_of
from . import recording
from .entries import Tick, Update
from .kernel import Dispatch, Kernel
from .players import player
from .refusals import refuse_restless, refuse_short

if TYPE_CHECKING:
    from .array import DeviceArray
    from .kernel import Groups
    from .ops import Op
    from .places import Place

ALL_KNOWN = nullcontext()
EMPTY = "the tape is empty: nothing was said to a device inside grilly.record()"
HINTS = {
    "new": "record inside its with block first",
    "recording": "leave its with block first",
    "broken": "an error ended its recording, so record anew with grilly.record()",
}


def record() -> Tape:
    """Return a tape that records what this thread says to a device inside its ``with`` block.

    Kernels, operations on device arrays, ``optimizer.step()``, ``zero_grad()`` and
    ``scheduler.step()`` are not done then but noted; ``tape.replay(n)`` does all of it n times, in
    their order. Parameters and gradients must live on the device. What is the host's alone is not
    noted: to read an array, or to ask or load an optimizer, raises RecordError, and an edit of a
    group takes effect at once.

    >>> import numpy as np
    >>> import grilly
    >>> from grilly.optim import SGD
    >>> from grilly.optim.lr_scheduler import StepLR
    >>> p = grilly.nn.Parameter(np.ones(2, np.float32), device="cpu")
    >>> p.grad.copy_from(np.ones(2))
    >>> optimizer = SGD([p], lr=0.5)
    >>> scheduler = StepLR(optimizer, step_size=1, gamma=0.5)
    >>> with grilly.record() as tape:
    ...     optimizer.step()
    ...     scheduler.step()
    >>> tape.replay(2)
    >>> p.data.numpy(), scheduler.last_epoch, scheduler.get_last_lr()
    (array([0.25, 0.25], dtype=float32), 2, [0.125])
    """
    return Tape()


class Tape:
    """What ``record()`` noted; ``replay(n)`` does it n times in one submission.

    Everything that a replay needs is made at the end of the ``with`` block: replaying uploads,
    downloads and allocates nothing. ``replay`` returns when it is submitted; replays may be queued,
    and what is read later waits for them. At its return ``last_epoch``, the optimizers' counts and
    the groups' numbers are those of the end.

    A hand edit of a group or a loaded state between replays is noticed: the next replay does its
    first round step by step, from the host, and has the device go on from there. So it is where a
    scheduler's formula ends: at a milestone of SequentialLR, at a restart with T_mult above 1. An
    error in such a round leaves what it had made till then; Ctrl-C waits for the end of a round. A
    group that was added joins in with its parameters' ``grad``, if step() was recorded without
    ``gradients``. Where a parameter has another array or gradient, a tape must be recorded anew.
    """

    def __init__(self) -> None:
        self._entries: list[Op | Update | Tick] = []
        self._place: Place | None = None
        self._state = "new"

    def __enter__(self) -> Tape:
        if self._state != "new":
            raise RecordError("a tape records once: call grilly.record() again")
        recording.start(self)
        self._state = "recording"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        recording.end(self)
        self._state = "broken"
        if kind is None:
            self._finish()

    def __repr__(self) -> str:
        where = "" if self._place is None else f" on {self._place.name}"
        return f"<Tape of {len(self._entries)} entries{where}, {self._state}>"

    def dispatch(
        self,
        kernel: Kernel,
        arrays: Sequence[DeviceArray],
        groups: Groups,
        push: Sequence[int | float] | bytes = (),
    ) -> None:
        """Record ``kernel(arrays, groups, push)``: see Kernel."""
        if self._state != "recording":
            raise RecordError(
                f"dispatch() is for inside grilly.record(), but the tape is {self._state}"
            )
        self.append(Dispatch.of(kernel, arrays, groups, push))

    def append(self, entry: Op | Update) -> None:
        """Note something to do on a device."""
        self._append(entry, entry.place)

    def _append(self, entry: Any, place: Place) -> None:
        if self._place is not None and place != self._place:
            raise RecordError(
                f"a tape is for one device: this is on {place.name}, what came before on "
                f"{self._place.name}"
            )
        entry.check()
        self._place = place
        self._entries.append(entry)

    def tick(self, scheduler: Any, *arguments: Any, step: Any = None) -> None:
        """Note a step of a scheduler; ``step`` is what of it is done on the device."""
        entry = Tick(scheduler, arguments, step)
        if step is None:
            self._entries.append(entry)
        else:
            self._append(entry, step.place)

    def replay(self, times: int = 1) -> None:
        """Do what was recorded ``times`` times; returns when that is submitted.

        Raises RecordError, before anything is submitted, if a scheduler cannot go on so long
        without the host (a function that is no formula is asked 256 steps ahead as the replay
        begins), and names the steps left; if parameters went to the host since it was recorded, or
        were added to an optimizer whose gradients were given; TypeError or ValueError for what is
        no number of times; DeviceError if the device fails.
        """
        count = count_of("times", times)
        recording.refuse("a replay", "a tape holds no other tape")
        if self._state != "ready":
            raise RecordError(f"this tape is {self._state}: {HINTS[self._state]}")
        assert self._place is not None
        self._place.check()
        with _alone([own[0].lock for own in self._updates]):
            for update in chain.from_iterable(self._updates):
                update.check()
            refuse_restless(self._ticks)
            reaches = self._reaches_of_sound(count)
            refuse_short(self._ticks, self._paces, reaches, count)
            asked = [own[0].scheduler._enters() for own in self._ticks]
            self._replay(count, None if any(asked) else reaches)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for all that was submitted to the device; False if ``timeout`` s were not enough.

        Ctrl-C works. Raises DeviceLostError.
        """
        return self._place is None or self._place.wait(timeout)

    # --- The end of recording --------------------------------------------------------------------

    def _finish(self) -> None:
        if self._place is None:
            raise RecordError(EMPTY)
        self._updates = _by(Update, self._entries, lambda entry: entry.optimizer)
        self._ticks = _by(Tick, self._entries, lambda entry: entry.scheduler)
        own = [updates[0].optimizer for updates in self._updates]
        own += [ticks[0].scheduler.optimizer for ticks in self._ticks]
        self._optimizers = list({id(optimizer): optimizer for optimizer in own}.values())
        for updates in self._updates:
            updates[0].check_alike(updates)
        self._paces = [self._paces_of(own) for own in self._ticks]
        refuse_restless(self._ticks)
        self._player = player(self._place, self._entries)
        if self._able(self._reaches(1)):
            self._player.prepare()
        self._state = "ready"

    def _paces_of(self, ticks: list[Tick]) -> Pace:
        """Return how a scheduler moves with the updates of its optimizer."""
        scheduler, before, within = ticks[0].scheduler, 0, []
        for entry in self._entries:
            if isinstance(entry, Update) and entry.optimizer is scheduler.optimizer:
                within.append(before)
            before += isinstance(entry, Tick) and entry.scheduler is scheduler
        return Pace(len(ticks), tuple(within))

    # --- A replay --------------------------------------------------------------------------------

    def _as_if_made(self) -> AbstractContextManager[None]:
        """Ask no optimizer's device for what is not known, but take it for what was foreseen."""
        asking = [own for own in self._optimizers if getattr(own, "_reads_back", False)]
        return _trusting(asking) if asking else ALL_KNOWN

    def _reaches_of_sound(self, times: int) -> list[tuple[float, str]]:
        """Return ``_reaches``; of a group that lacks a number it is said which."""
        try:
            return self._reaches(times)
        except (KeyError, IndexError, TypeError):
            for own in self._updates:
                own[0].check_groups()
            raise

    def _reaches(self, times: int) -> list[tuple[float, str]]:
        """Return how many steps each scheduler can go without the host, and why no more.

        Where it is too short for ``times`` it is found out what can be: of the device, which
        updates were made; of the functions of users, what comes.
        """
        schedulers = [own[0].scheduler for own in self._ticks]
        with self._as_if_made():
            reaches = [scheduler._reach() for scheduler in schedulers]
            left = [scheduler._left() for scheduler in schedulers]
        short = [
            scheduler
            for scheduler, pace, (steps, _), end in zip(
                schedulers, self._paces, reaches, left, strict=True
            )
            if min(steps, end) < times * pace.each
        ]
        for scheduler in short:
            scheduler.optimizer._settle_applied()
            scheduler._ask_ahead()
        # Settling moves all the schedulers of an optimizer.
        return [scheduler._reach() for scheduler in schedulers] if short else reaches

    def _replay(self, times: int, reaches: list[tuple[float, str]] | None) -> None:
        while times:
            able = min(times, self._able(reaches or self._reaches(1)))
            reaches = None
            if able:
                times -= self._play(able)
                continue
            for own in self._updates:  # else one optimizer may be a step ahead of another
                own[0].check_groups()
            with Uninterrupted():
                for entry in self._entries:
                    entry.again()
            times -= 1
            if times:  # it may be known of more schedulers now
                reaches = self._reaches(times)
                refuse_short(self._ticks, self._paces, reaches, times)

    def _able(self, reaches: list[tuple[float, str]]) -> int:
        """Return how many times it can be done from here on without the host, and be ready."""
        able = MOST
        for (steps, _), pace in zip(reaches, self._paces, strict=True):
            able = min(able, int(max(min(steps, MOST), 0)) // pace.each)
        if able:
            with self._as_if_made():
                paces = self._by_track()
                for own in self._updates:
                    able = min(able, own[0].ready(paces, len(own)) // len(own))
        return able

    def _by_track(self) -> dict[int, Pace]:
        return {
            id(track): pace
            for own, pace in zip(self._ticks, self._paces, strict=True)
            for track in own[0].scheduler._tracks()
        }

    def _play(self, times: int) -> int:
        """Do it along the formulas; return how often. What was done is counted in any case."""
        player = self._player
        with Uninterrupted() as ctrl_c:
            try:
                player.play(times, ctrl_c)
            finally:
                with self._as_if_made():
                    self._count(player.done, self._entries[: player.part])
        return player.done

    def _count(self, rounds: int, part: Sequence[Any]) -> None:
        """Count whole rounds, and of one that an error ended the entries in ``part``."""
        for own in self._updates:
            own[0].made(rounds * len(own))
        paces = {}
        for (first, *_), pace in zip(self._ticks, self._paces, strict=True):
            paces[id(first.scheduler)] = pace
            if rounds:
                first.scheduler._leaps(rounds * pace.each, pace)
        for entry in part:
            if isinstance(entry, Update):
                entry.made(1)
            elif isinstance(entry, Tick):
                entry.scheduler._leaps(1, paces[id(entry.scheduler)])
        for own in self._updates if part else ():
            own[0].cut()


def _alone(locks: Sequence[Any]) -> AbstractContextManager[Any]:
    """Return a context that holds the locks, in an order that all tapes with them share."""
    return locks[0] if len(locks) == 1 else _together(sorted(locks, key=id))


@contextmanager
def _together(locks: Sequence[Any]) -> Iterator[None]:
    with ExitStack() as alone:
        for lock in locks:
            alone.enter_context(lock)
        yield


@contextmanager
def _trusting(optimizers: Sequence[Any]) -> Iterator[None]:
    with ExitStack() as together:
        for optimizer in optimizers:
            together.enter_context(optimizer._as_if_made())
        yield


def _by(kind: type, entries: Sequence[Any], key: Any) -> list[list[Any]]:
    """Return the entries of a kind, together those of which ``key`` is the same object."""
    found: dict[int, list[Any]] = {}
    for entry in _of(kind, entries):
        found.setdefault(id(key(entry)), []).append(entry)
    return list(found.values())


def _of(kind: type, entries: Sequence[Any]) -> Iterator[Any]:
    return (entry for entry in entries if isinstance(entry, kind))
