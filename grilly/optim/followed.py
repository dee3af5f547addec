"""Followed: the numbers in groups that follow schedulers' tracks, and those that follow none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from ..planning import Pace
from .lanes import Source
from .options import FLOAT32_OVERFLOW, Key
from .track import Track

if TYPE_CHECKING:
    from .stepping import Stepping


class Followed:
    """A number that follows one track in all groups."""

    def __init__(self, key: Key, track: Track, started: float, pace: Pace) -> None:
        self.key = key
        self._track, self._formulas = track, track.formulas
        self._started, self._pace = started, pace
        self._each = pace.each if len(pace.within) == 1 else None
        self._read = _reader(key)
        self._rows: Any = None  # a window of the track all of whose numbers a kernel can have

    def stands(self, groups: Sequence[dict[str, Any]], row: int) -> bool:
        """Whether the groups hold the track's numbers, at the step that was predicted."""
        track, each = self._track, self._each
        rows = track.rows[self.key]
        past = row * each if each is not None else self._pace.past(row)
        return (
            track.formulas is self._formulas
            and track.t == self._started + past
            and list(map(self._read, groups)) == rows[track.at]
            and (rows is self._rows or self._sound(rows))
        )

    def _sound(self, rows: list[list[float]]) -> bool:
        if len(rows) == 1:  # after a replay: numpy takes longer than these few
            sound = all([abs(value) < FLOAT32_OVERFLOW for value in rows[0]])
        else:
            sound = bool(np.abs(np.array(rows, np.float64)).max(initial=0.0) < FLOAT32_OVERFLOW)
        if not sound:  # or nan
            return False
        self._rows = rows
        return True


def followed_in(optimizer: Stepping, sources: Sequence[dict[Key, Source]]) -> list[Followed] | None:
    """Return the numbers that follow a track; None if one does so in some of the groups only."""
    found = []
    timeline, driven = optimizer._timeline, optimizer._driven
    for at, key in enumerate(optimizer._sources.keys):
        tracks = {id(driven.get((i, key))) for i in range(len(sources))}
        track = driven.get((0, key))
        epochs = {own[key].epoch for own in sources}
        paces = {own[at] for own in timeline._paces}
        if len(tracks) > 1 or len(epochs) > 1 or len(paces) > 1:
            return None
        (epoch,), (pace,) = epochs, paces
        if track is None:
            continue
        if epoch is None:
            return None
        started = timeline._started[0][at]
        if started is None or any(own[at] != started for own in timeline._started):
            return None
        found.append(Followed(key, track, started, pace))
    return found


def constants(optimizer: Stepping, followed: Sequence[Followed]) -> Callable[[dict[str, Any]], Any]:
    """Return what reads of a group all options that follow no track."""
    indices: dict[str, set[Any]] = {}
    for own in followed:
        indices.setdefault(own.key[0], set()).update(own.key[1:])
    whole = itemgetter(*[name for name in optimizer.defaults if name not in indices])
    rests = [_rest(name, own) for name, own in indices.items() if own]
    if not rests:
        return whole
    if len(rests) == 1:
        rest = rests[0]
        return lambda group: (whole(group), rest(group))
    return lambda group: (whole(group), *[rest(group) for rest in rests])


def _rest(name: str, indices: set[Any]) -> Callable[[dict[str, Any]], Any]:
    """Return what reads the numbers of a tuple that follow no track, and how many there are."""
    if indices == {0}:
        return lambda group: group[name][1:]
    return lambda group: [None if i in indices else own for i, own in enumerate(group[name])]


def _reader(key: Key) -> Callable[[dict[str, Any]], Any]:
    if len(key) == 1:
        return itemgetter(key[0])
    name, index = key
    return lambda group: group[name][index]
