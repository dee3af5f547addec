"""Sources: where each number of a group comes from, a scheduler's formula or what stands there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..planning import Pace
from ..schedules import Constant
from .lanes import Source
from .options import FLOAT32_OVERFLOW, Key, Limit, check_number, label, number_of, option
from .track import Track


class Sources:
    """The sources of the numbers at ``keys``; ``driven`` has the tracks that schedulers laid."""

    def __init__(self, keys: Sequence[Key], limits: Mapping[Key, Limit]) -> None:
        self.keys = keys
        self.driven: dict[tuple[int, Key], Track] = {}
        self._limits = limits
        self._constants: dict[tuple[int, Key], tuple[Any, Source]] = {}

    def of(self, number: int, group: dict[str, Any]) -> dict[Key, Source]:
        """Return those of group ``number``; raise if a number cannot be meant."""
        return {key: self._of(number, group, key) for key in self.keys}

    def paces(
        self, sources: Sequence[dict[Key, Source]], tracks: Mapping[int, Pace], period: int
    ) -> list[list[Pace]]:
        """Return the pace of each number in a replay: its track's, or it stays."""
        stays = Pace(0, (0,) * period)
        return [
            [
                stays if source.epoch is None else tracks.get(id(self.driven[number, key]), stays)
                for key, source in own.items()
            ]
            for number, own in enumerate(sources)
        ]

    def _of(self, number: int, group: dict[str, Any], key: Key) -> Source:
        value = option(group, key, f"param_groups[{number}]")
        if type(value) is not float:  # an int, a flag, a 0-d array that may change in place
            value = number_of(value, f"param_groups[{number}] {label(key)}")
        track = self.driven.get((number, key))
        source = track.source(number, key, value) if track is not None else None
        if source is None:
            return self._constant(number, key, value)
        if not abs(value) < FLOAT32_OVERFLOW:  # a schedule's, or nan
            check_number(self._limits, key, value, f"param_groups[{number}] {label(key)}")
        return source

    def _constant(self, number: int, key: Key, value: float) -> Source:
        # One object as long as the number stays: it is compared at every step.
        known = self._constants.get((number, key))
        if known is None or known[0] != value:
            check_number(self._limits, key, value, f"param_groups[{number}] {label(key)}")
            known = value, Source(Constant(value), None)
            self._constants[number, key] = known
        return known[1]
