"""Players: what replays the entries of a tape, on numpy one by one, on Vulkan as one submission."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from ..interrupt import Uninterrupted
from .entries import Tick, Update
from .places import Place, VulkanPlace

if TYPE_CHECKING:
    from .. import vk

KEPT = 64  # prebuilt submissions
# Entries in a body of several rounds: the driver takes a while for each command buffer.
LONG = 32
MOST = 1 << 20  # rounds of one submission


class Player(Protocol):
    """Replays a tape's entries along the tables that are ready.

    ``done`` says how often ``play`` has done them, and ``part`` how many of them besides in a
    round that an error ended.
    """

    done: int
    part: int

    def prepare(self) -> None:
        """Make all that a replay needs."""

    def play(self, times: int, ctrl_c: Uninterrupted) -> None:
        """Do the entries so many times, or less often if Ctrl-C is waiting."""


def player(place: Place, entries: Sequence[Any]) -> Player:
    """Return what replays ``entries`` there."""
    if isinstance(place, VulkanPlace):
        return VulkanPlayer(place.device, entries)
    return NumpyPlayer(entries)


class NumpyPlayer:
    """Does the entries on the host, one after the other. Ctrl-C comes between two rounds."""

    def __init__(self, entries: Sequence[Any]) -> None:
        self._entries = entries
        self.done = self.part = 0

    def prepare(self) -> None:
        """Nothing is to be made."""

    def play(self, times: int, ctrl_c: Uninterrupted) -> None:
        """Do the entries so many times, or less often if Ctrl-C is waiting."""
        self.done = self.part = 0
        while self.done < times and not ctrl_c.asked:
            for entry in self._entries:
                entry.on_host()
                self.part += 1
            self.done, self.part = self.done + 1, 0


class VulkanPlayer:
    """Submits command buffers of all entries, many times in one submission.

    An optimizer's cursor has two words, which its steps read by turns, so there is such a body for
    each parity that a round can begin with. Of a short tape there are bodies of several rounds,
    too. Between them stand the refills of the tables.
    """

    def __init__(self, device: vk.Device, entries: Sequence[Any]) -> None:
        self._device = device
        self._entries = [e for e in entries if not (isinstance(e, Tick) and e.step is None)]
        self._moves: dict[Any, int] = {}  # updates of each backend in a round
        for entry in self._entries:
            if isinstance(entry, Update):
                self._moves[entry.backend] = self._moves.get(entry.backend, 0) + 1
            elif isinstance(entry, Tick):
                self._moves.setdefault(entry.step.backend, 0)
        steps = [entry.step for entry in self._entries if isinstance(entry, Tick)]
        updates = [entry for entry in self._entries if isinstance(entry, Update)]
        self._versioned = [*self._moves, *updates, *steps]
        # Even, so that it ends with the parities that it begins with; 0 for a long tape.
        self._many = LONG // max(1, len(self._entries)) // 2 * 2
        self._bodies: dict[tuple[tuple[int, ...], int], vk.Tape] = {}
        self._versions: list[int] = []
        self._kept: OrderedDict[Any, Any] = OrderedDict()
        self.done = self.part = 0

    def prepare(self) -> None:
        """Record the bodies that the next replay will submit."""
        self._forget_old()
        for backend, moves in self._moves.items():
            if moves:  # else it may have no table yet
                backend.prepare_refills()
        for parities in (self._parities(), (0,) * len(self._moves)):  # those are after a refill
            for rounds in {1, self._many or 1}:
                self._body(parities, rounds)
                self._body(self._after(parities), rounds)

    def play(self, times: int, ctrl_c: Uninterrupted) -> None:
        """Submit the entries so many times, with the refills between them.

        Very many are several submissions, between which Ctrl-C comes.
        """
        self.done = 0
        self._forget_old()
        while self.done < times and not ctrl_c.asked:
            rounds = min(times - self.done, MOST)
            self._submit(rounds)
            self.done += rounds

    def _submit(self, times: int) -> None:
        if all([moves * times <= own.rows_left for own, moves in self._moves.items()]):
            submission, _ = self._kept_for((times, *self._parities()), times)
            self._device.run(submission)
            for own, moves in self._moves.items():
                own.took(moves * times)
        else:  # refills come somewhere
            standings = [own.standing for own in self._moves]
            submission, ends = self._kept_for((times, *standings), times)
            self._device.run(submission)
            for own, end in zip(self._moves, ends, strict=True):
                own.stand(end)

    def _kept_for(self, key: tuple[Any, ...], times: int) -> tuple[vk.Submission, list[Any]]:
        """Return the submission of so many rounds from here on, and where it leaves each backend.

        It is the same for the same ``key``, and kept.
        """
        if key not in self._kept:
            before = [own.standing for own in self._moves]
            try:
                self._kept[key] = self._made(times)
            finally:
                for own, standing in zip(self._moves, before, strict=True):
                    own.stand(standing)
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        found: tuple[vk.Submission, list[Any]] = self._kept[key]
        return found

    def _made(self, times: int) -> tuple[vk.Submission, list[Any]]:
        """Return the submission of so many rounds; the backends stand where it leaves them."""
        runs: list[tuple[list[vk.Tape], int]] = []
        while times:
            if any(backend.rows_left < moves for backend, moves in self._moves.items()):
                # All at once: so all cursors' words are 0 then, which the bodies there are fit.
                runs.append(([b.refill() for b, moves in self._moves.items() if moves], 1))
            rows = [b.rows_left // moves for b, moves in self._moves.items() if moves]
            rounds = min([times, *rows])
            runs += self._rounds(rounds)
            for backend, moves in self._moves.items():
                backend.took(rounds * moves)
            times -= rounds
        return self._device.submission_of(runs), [backend.standing for backend in self._moves]

    def _rounds(self, rounds: int) -> list[tuple[list[vk.Tape], int]]:
        """Return the runs of so many rounds, without a refill among them."""
        now = self._parities()
        many, few = divmod(rounds, self._many) if self._many else (0, rounds)
        pair = [self._body(now, 1), self._body(self._after(now), 1)]
        runs = [([self._body(now, self._many)], many)] if many else []
        return runs + [(part, n) for part, n in ((pair, few // 2), (pair[:1], few % 2)) if n]

    def _parities(self) -> tuple[int, ...]:
        return tuple([backend.parity for backend in self._moves])

    def _after(self, parities: tuple[int, ...]) -> tuple[int, ...]:
        """Return the parities after a round that begins with ``parities``."""
        return tuple(p ^ m & 1 for p, m in zip(parities, self._moves.values(), strict=True))

    def _body(self, parities: tuple[int, ...], rounds: int) -> vk.Tape:
        """Return the command buffer of so many rounds, for the cursors' words ``parities``."""
        if (parities, rounds) not in self._bodies:
            self._bodies[parities, rounds] = self._recorded(parities, rounds)
        return self._bodies[parities, rounds]

    def _recorded(self, parities: tuple[int, ...], rounds: int) -> vk.Tape:
        from .. import vk

        now = dict(zip(self._moves, parities, strict=True))
        with vk.Tape(self._device, kind="tape") as tape:
            for entry in self._entries * rounds:
                if isinstance(entry, Update):
                    entry.record(tape, now[entry.backend])
                    now[entry.backend] ^= 1
                elif isinstance(entry, Tick):
                    entry.step.record(tape)
                else:
                    entry.record(tape)
        return tape

    def _forget_old(self) -> None:
        """Forget what was recorded for buffers that are others now."""
        versions = [one.version for one in self._versioned]
        if versions != self._versions:
            self._bodies.clear()
            self._kept.clear()
            self._versions = versions
