"""Tape: what a program says to a device, recorded once and replayed without the host."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from itertools import chain
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..errors import RecordError
from ..interrupt import Uninterrupted
from ..whole import count_of
from . import recording
from .entries import Tick, Update, by_owner
from .kernel import Dispatch, Kernel
from .players import player
from .schedulers import Reaches, Schedulers
from .together import alone, as_if_made, distinct

if TYPE_CHECKING:
    from .array import DeviceArray
    from .kernel import Groups
    from .ops import Op
    from .places import Place

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
        self._lock = threading.RLock()  # optimizers have their own

    def __enter__(self) -> Tape:
        if self._state != "new":
            raise RecordError("a tape records once: call grilly.record() again")
        self._state = "broken"  # if Ctrl-C comes now
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
        self._place.make_room()  # before Ctrl-C is put off
        with alone(self._locks):
            for update in chain.from_iterable(self._updates):
                update.check()
            self._schedulers.check()
            reaches = self._reaches_of_sound(count)
            self._schedulers.check_reaches(reaches, count)
            self._replay(count, reaches if self._schedulers.enter() else None)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for all that was submitted to the device; False if ``timeout`` s were not enough.

        Ctrl-C works. Raises DeviceLostError.
        """
        return self._place is None or self._place.wait(timeout)

    # --- The end of recording --------------------------------------------------------------------

    def _finish(self) -> None:
        if self._place is None:
            raise RecordError(EMPTY)
        self._updates = by_owner(Update, self._entries, lambda entry: entry.optimizer)
        self._schedulers = Schedulers(self._entries)
        own = [updates[0].optimizer for updates in self._updates] + self._schedulers.optimizers
        self._optimizers = distinct(own)
        self._locks = [optimizer._lock for optimizer in self._optimizers] or [self._lock]
        for updates in self._updates:
            updates[0].check_alike(updates)
        self._schedulers.check()
        self._player = player(self._place, self._entries)
        if self._able(self._schedulers.reaches(1)):
            self._player.prepare()
        self._state = "ready"

    # --- A replay --------------------------------------------------------------------------------

    def _reaches_of_sound(self, times: int) -> Reaches:
        """Return how far the schedulers can go; of a group that lacks a number it is said which."""
        try:
            return self._schedulers.reaches(times)
        except (KeyError, IndexError, TypeError):
            for own in self._updates:
                own[0].check_groups()
            raise

    def _replay(self, times: int, reaches: Reaches | None) -> None:
        while times > 0:
            able = min(times, self._able(reaches or self._schedulers.reaches(1)))
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
                reaches = self._schedulers.reaches(times)
                self._schedulers.check_reaches(reaches, times)

    def _able(self, reaches: Reaches) -> int:
        """Return how many times it can be done from here on without the host, and be ready."""
        able = self._schedulers.able(reaches)
        if able:
            with as_if_made(self._optimizers):
                paces = self._schedulers.by_track()
                for own in self._updates:
                    able = min(able, own[0].ready(paces, len(own)) // len(own))
        return able

    def _play(self, times: int) -> int:
        """Do it along the formulas; return how often. What was done is counted in any case."""
        player = self._player
        with Uninterrupted() as ctrl_c:
            try:
                player.play(times, ctrl_c)
            finally:
                with as_if_made(self._optimizers):
                    self._count(player.done, self._entries[: player.part])
        return player.done

    def _count(self, rounds: int, part: Sequence[Any]) -> None:
        """Count whole rounds, and of one that an error ended the entries in ``part``."""
        for own in self._updates:
            own[0].made(rounds * len(own))
        if rounds:
            self._schedulers.leap(rounds)
        for entry in part:
            if isinstance(entry, Update):
                entry.made(1)
            elif isinstance(entry, Tick):
                self._schedulers.leap_one(entry)
        for own in self._updates if part else ():
            own[0].cut()
