"""Stepping: an update from what the groups hold to its end, whatever cuts it short."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import DeviceError
from ..nn.parameter import Float32
from ..planning import Pace
from ..resident.array import DeviceArray
from ..schedules import Constant
from .control import control_of
from .entry import entry
from .lanes import Source
from .options import Key
from .params import array_of
from .ready import HARMLESS, Ready, ready
from .residents import homes_of
from .settling import Begun, Settling

# Seconds that an update which Ctrl-C cut short may take to end.
PATIENCE = 1.0


class Stepping(Settling):
    """Groups that can be updated: prepared, made wholly or not at all, and settled."""

    # What the last update was made from, if the next one may be made from the same.
    _ready: Ready | None = None
    # What the last replay was made from, with its tracks' paces and its cycle's updates.
    _last_replay: tuple[Ready | None, dict[int, Pace], int] = (None, {}, 0)

    def _prepare(
        self, active: npt.NDArray[np.bool_], tracks: dict[int, Pace] | None = None, period: int = 1
    ) -> list[dict[Key, Source]] | None:
        """Have memory and table for an update, or for a replay in which tracks have these paces.

        Returns where each number comes from if the table was right already, else None.
        """
        self._ready = None
        sources = self._sound_sources()
        self._make_room()
        counted = self._per_parameter([self.counts(group) for group in self.param_groups])
        paces = None if tracks is None else self._sources.paces(sources, tracks, period)
        timeline = self._timeline
        timeline.control = control_of(self.max_norm, self.skip_nonfinite)
        if timeline.fits(sources, active, counted, paces):
            return sources
        if self._ask_device():
            return self._prepare(active, tracks, period)  # the groups may have other numbers now
        try:
            timeline.plan(sources, active, counted, paces)
        finally:
            if self._ledger is not None:
                self._ledger.planned(self)
        for seat in self._seated():
            seat.rules.aim()
        return None

    def _sound_sources(self) -> list[dict[Key, Source]]:
        """Return where each number comes from; raise for what no update can be made with."""
        sources = [self._sources.of(i, group) for i, group in enumerate(self.param_groups)]
        for i, group in enumerate(self.param_groups):
            self.check_group(group, f"param_groups[{i}] ")
        return sources

    @entry
    def _get_ready(
        self,
        active: npt.NDArray[np.bool_],
        tracks: dict[int, Pace],
        period: int,
        grads: Sequence[Any],
    ) -> float:
        """Have all that a replay needs; return the number of updates that it may have."""
        self._ready = None
        last, *paces = self._last_replay
        if last is None or paces != [tracks, period] or not last.stands(self, active):
            self._get_ready_anew(active, tracks, period, grads)
        made = self._last_replay[0]
        decided = made is not None and not made.decides
        return self._timeline.updates_left if decided or not self._may_begin_to_count() else 0

    def _may_begin_to_count(self) -> bool:
        """Whether a schedule may let updates of a group count, and make states, which do not now.

        As a momentum that leaves 0: each step must look until it has.
        """
        for (i, key), track in self._driven.items():
            if key[0] not in HARMLESS and not self.counts(self.param_groups[i]):
                formula = track.formulas[key][i] if key in track.formulas else None
                if not isinstance(formula, (Constant, type(None))):
                    return True
        return False

    def _get_ready_anew(
        self,
        active: npt.NDArray[np.bool_],
        tracks: dict[int, Pace],
        period: int,
        grads: Sequence[Any],
    ) -> None:
        self._settle()
        self._check_members()
        self._last_replay = None, {}, 0
        arrays = {i: self._array(i) for i in np.flatnonzero(active).tolist()}
        sources = self._prepare(active, tracks, period)
        for i, array in arrays.items():
            if not isinstance(array, DeviceArray):  # of the numpy device
                self._backend.write("param", i, array)
        if sources is not None:
            self._last_replay = ready(self, sources, grads, active), tracks, period

    @entry
    def _replayed(self, active: npt.NDArray[np.bool_], updates: int) -> None:
        """Count updates that a tape has made; 0: it failed, and nothing is known."""
        self._ready = None
        if updates:
            if self._ledger is not None:
                self._ledger.attempts(self)
            self._note_states(active)
            self._timeline.progress = self._timeline.after(updates)
        else:
            self._timeline.forget()

    def _note_states(self, active: npt.NDArray[np.bool_]) -> None:
        """Note which states updates have made that a tape replays."""
        last, memory = self._last_replay[0], self._memory
        if last is None or last.replayed is not memory.has:
            memory.has = memory.has | (active[:, None] & self._made())
            if last is not None:
                last.replayed = memory.has

    @entry
    def _cut(self) -> None:
        """Take notice that a tape's round has ended in its midst: the next begins anew."""
        self._ask_applied()
        self._timeline.restart()

    def _update(self, begun: Begun) -> None:
        """Make the update that was prepared: wholly, or not at all."""
        self._begun = begun
        try:
            self._timeline.step()
            self._finish(begun)
        except BaseException:
            # At once, so that nobody sees or saves half of it, but Ctrl-C must not take for ever.
            with suppress(DeviceError):
                self._settle(PATIENCE)
            raise

    def _make_room(self, also: Iterable[str] = ()) -> None:
        """Have slabs for all parameters, what updates of them make, and ``also`` these states."""
        wanted = set(also).union(*map(self.states_of, self.param_groups))
        homes = homes_of(self._params)
        if not self._memory.fits(wanted, homes):
            self._timeline.forget()
            self._memory.move(wanted, homes)

    def _array(self, i: int) -> Float32 | DeviceArray:
        array, shape = array_of(self._params[i], f"parameter {i}"), self._memory.shapes[i]
        if array.shape != shape:
            raise ValueError(
                f"parameter {i} has shape {array.shape}, but had {shape} when it was "
                "added: give it an array of that shape, or make a new optimizer"
            )
        return array
