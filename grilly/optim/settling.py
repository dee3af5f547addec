"""Settling: what the device knows of updates and the host does not is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..interrupt import Uninterrupted
from ..nn.parameter import Float32
from .grouped import Grouped
from .progress import Progress

if TYPE_CHECKING:
    from .seats import Seat


@lru_cache(maxsize=256)
def _repeated(flags: tuple[Any, ...], members: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """Return ``flags``, each as often as ``members`` says; kept, because each step asks for it."""
    array = np.repeat(np.array(flags, np.bool_), members, axis=0)
    array.flags.writeable = False
    return array


class Begun(NamedTuple):
    """An update from its submission to its end, with all that it changes on the host."""

    arrays: dict[int, Float32]
    progress: Progress
    has: npt.NDArray[np.bool_]


class Settling(Grouped):
    """Groups of whose updates the host asks the device what it does not know."""

    # An update of which it is not known whether the device has made it.
    _begun: Begun | None = None
    # Whether the device knows what the host does not: of updates whether they were made, of rules
    # what they have counted. See shown.py.
    _unsure: bool = False

    def _settle(self, patience: float | None = None) -> None:
        """Finish an update that was cut short if the device has made it; forget it if not."""
        if self._begun is not None:
            applied = self._backend.applied(patience)
            if applied is not None and self._ledger is not None:
                applied += self._backend.examined().skipped - self._ledger.left_out
            if applied == self._begun.progress.row:
                self._finish(self._begun)
            elif applied is not None:
                self._begun = None
        if self._unsure and self._begun is None:
            self._settle_applied()

    def _finish(self, begun: Begun) -> None:
        if self._ledger is not None:
            self._ledger.attempts(self)
        self._timeline.progress, self._memory.has = begun.progress, begun.has
        for i, array in begun.arrays.items():
            self._backend.read("param", i, array)
        self._begun = None

    def _settle_applied(self, complaining: bool = True) -> None:
        """Learn what the device knows and the host does not; waits then.

        Raises ValueError, once, for a metric that was refused there, unless not ``complaining``.
        """
        if self._unsure:
            self._backend.check()  # as in entry.py
            with self._lock:
                self._ask_device(complaining)
                for seat in self._seated() if complaining else ():
                    seat.complain()

    def _ask_device(self, complaining: bool = True) -> bool:
        """Ask the device for what the host does not know; return whether anything was new.

        Raises ValueError, if ``complaining``, for what rules there have made of a number that it
        cannot be.
        """
        new = self._ask_applied() > 0
        for seat in self._seated():
            with nullcontext() if complaining else suppress(ValueError):
                new = seat.settle() or new
        return new

    def _ask_applied(self) -> int:
        """Ask the device which updates were made; return how many of the unknown were skipped."""
        ledger = self._ledger
        if ledger is None or not ledger.unknown(self):
            return 0
        applied, examined = self._backend.applied(), self._backend.examined()
        assert applied is not None
        with Uninterrupted(), self._as_if_made():
            skipped = ledger.learn(self, applied, examined)
            if skipped and self._begun is not None:  # it comes after what is known now
                has = self._memory.has | (self._timeline.active[:, None] & self._made())
                self._begun = Begun(self._begun.arrays, self._timeline.after(), has)
        return skipped

    def _as_if_made(self) -> AbstractContextManager[None]:
        """Return a context in which what is unknown is taken for what was foreseen."""
        return nullcontext()

    def _seated(self) -> list[Seat]:
        """Return the seats of rules that run on the device."""
        for seat in [seat for seat in self._seats if seat.over]:
            with suppress(ValueError):  # another thread has seen it, too
                self._seats.remove(seat)
        return list(self._seats)

    def _per_parameter(self, flags: Iterable[Any]) -> npt.NDArray[np.bool_]:
        """Return a flag, or some, of each group as those of each parameter."""
        return _repeated(tuple(flags), tuple(self._members))

    def _made(self) -> npt.NDArray[np.bool_]:
        """Return which states an update of each parameter makes: (parameters, all_states)."""
        made = (self.states_of(group) for group in self.param_groups)
        return self._per_parameter(tuple(s in states for s in self.all_states) for states in made)
