"""Tape: what a program says to a device, recorded once and replayed without the host."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..backend import Pace
from ..errors import RecordError
from . import recording
from .entries import Tick, Update
from .kernel import Dispatch, Kernel
from .players import player

if TYPE_CHECKING:
    from .array import DeviceArray
    from .kernel import Groups
    from .ops import Op
    from .places import Place

EMPTY = "the tape is empty: nothing was said to a device inside grilly.record()"
RESTLESS = (
    "{} gives its optimizer other formulas at every step, so nothing can be replayed: let one "
    "ParamScheduler follow the product of the schedules, or step without a tape"
)


def record() -> Tape:
    """Return a tape that records what this thread says to a device inside its ``with`` block.

    Kernels, operations on device arrays, ``optimizer.step()``, ``zero_grad()`` and
    ``scheduler.step()`` are not done then but noted; ``tape.replay(n)`` does all of it n times, in
    their order. Parameters and gradients must live on the device. Not noted is what is the host's
    alone: reading an array raises RecordError.

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

    A hand edit of a group, a loaded state or an added group between replays is noticed: the next
    replay does its first round step by step, from the host, and has the device go on from there. So
    it is where a scheduler's formula ends, as at a milestone of SequentialLR.
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
        place = entry.place
        if self._place is not None and place != self._place:
            raise RecordError(
                f"a tape is for one device: this is on {place.name}, what came before on "
                f"{self._place.name}"
            )
        self._place = place
        self._entries.append(entry)

    def tick(self, scheduler: Any, *arguments: Any) -> None:
        """Note a step of a scheduler."""
        self._entries.append(Tick(scheduler, arguments))

    def replay(self, times: int = 1) -> None:
        """Do what was recorded ``times`` times; returns when that is submitted.

        Raises RecordError, before anything is submitted, if a scheduler cannot go on so long
        without the host (a function that is no formula is asked 256 steps ahead), and names the
        steps left; TypeError or ValueError for what is no number of times; DeviceError if the
        device fails.
        """
        count = operator.index(times)
        if count < 0:
            raise ValueError(f"times must be at least 0, got {times}")
        if self._state != "ready":
            raise RecordError(f"this tape cannot be replayed, it is {self._state}")
        assert self._place is not None
        recording.refuse("a replay", "a tape holds no other tape")
        self._place.check()
        self._refuse_short(count)
        for own in self._ticks:
            own[0].scheduler._enters()
        self._replay(count)

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
        for own in self._updates:
            own[0].check_alike(own)
        self._paces = [self._paces_of(own) for own in self._ticks]
        self._player = player(self._place, self._entries)
        self._state = "ready"
        if self._able():
            self._player.prepare()

    def _paces_of(self, ticks: list[Tick]) -> Pace:
        """Return how a scheduler moves with the updates of its optimizer."""
        scheduler, before, within = ticks[0].scheduler, 0, []
        for entry in self._entries:
            if isinstance(entry, Update) and entry.optimizer is scheduler.optimizer:
                within.append(before)
            before += isinstance(entry, Tick) and entry.scheduler is scheduler
        return Pace(len(ticks), tuple(within))

    # --- A replay --------------------------------------------------------------------------------

    def _refuse_short(self, times: int) -> None:
        """Raise RecordError if a scheduler's values are not known for so many times."""
        for (first, *_), pace in zip(self._ticks, self._paces, strict=True):
            steps, why = _reach(first.scheduler, times * pace.each)
            if why and steps < times * pace.each:
                raise RecordError(
                    f"{type(first.scheduler).__name__} has {int(steps)} steps left, and "
                    f"replay({times}) takes {times * pace.each}: {why}"
                )

    def _replay(self, times: int) -> None:
        moved = True
        while times:
            able = min(times, self._able())
            if able:
                self._play(able)
            elif moved:
                able = 1
                for entry in self._entries:
                    entry.again()
            else:
                names = {type(own[0].scheduler).__name__ for own in self._ticks}
                raise RecordError(RESTLESS.format(" or ".join(sorted(names))))
            moved = able > 0
            times -= able

    def _able(self) -> int:
        """Return how many times it can be done from here on without the host, and be ready."""
        able = 2**53
        for own, pace in zip(self._ticks, self._paces, strict=True):
            steps, _ = _reach(own[0].scheduler, pace.each)
            able = min(able, int(min(steps, 2.0**53)) // pace.each)
        if able:
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

    def _play(self, times: int) -> None:
        """Do it along the formulas; what was done is counted, whatever ends it."""
        self._player.done = 0
        try:
            self._player.play(times)
        finally:
            done = self._player.done
            for updates in self._updates:
                updates[0].made(done * len(updates))
            for own, pace in zip(self._ticks, self._paces, strict=True):
                if done:
                    own[0].scheduler._leaps(done, pace)


def _reach(scheduler: Any, wanted: int) -> tuple[float, str]:
    """Return a scheduler's reach; who does not know which updates were made asks if it is short."""
    reach: tuple[float, str] = scheduler._reach()
    if reach[0] >= wanted:
        return reach
    scheduler.optimizer._settle_applied()
    reach = scheduler._reach()
    return reach


def _by(kind: type, entries: Sequence[Any], key: Any) -> list[list[Any]]:
    """Return the entries of a kind, together those of which ``key`` is the same object."""
    found: dict[int, list[Any]] = {}
    for entry in _of(kind, entries):
        found.setdefault(id(key(entry)), []).append(entry)
    return list(found.values())


def _of(kind: type, entries: Sequence[Any]) -> Iterator[Any]:
    return (entry for entry in entries if isinstance(entry, kind))
