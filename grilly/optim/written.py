"""What a track's row writes into groups: found first, so that nothing is written where it fails."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .lr_scheduler.touch import copied, write
from .options import Key, number_of, option
from .track import Track

Group = dict[str, Any]


def held(track: Track, groups: list[Group]) -> dict[Key, list[Any]]:
    """Return the numbers that the row overwrites; raise ValueError where a group has none."""
    found: dict[Key, list[Any]] = {}
    for key, rows in track.rows.items():
        name = key[0]
        try:
            found[key] = [group[name] for group in groups]
            if len(key) == 2:
                found[key] = [numbers[key[1]] for numbers in found[key]]
        except (KeyError, IndexError, TypeError):  # it matters where the row has a value
            found[key] = [
                None if value != value else option(group, key, f"param_groups[{i}]")
                for i, (group, value) in enumerate(zip(groups, rows[track.at], strict=True))
            ]
    return found


def put(track: Track, groups: list[Group], numbers: dict[Key, list[Any]]) -> None:
    """Write the row over ``numbers``, which the groups hold; nan leaves a group alone."""
    for key, rows in track.rows.items():
        for group, value, old in zip(groups, rows[track.at], numbers[key], strict=True):
            if value != value:
                continue
            if type(old) is not float:
                write(group, key, value)
            elif len(key) == 1:
                group[key[0]] = value
            else:
                pair = [*group[key[0]]]
                pair[key[1]] = value
                group[key[0]] = tuple(pair)


def edits(tracks: Iterable[Track], groups: list[Group]) -> list[tuple[Group, Key, Any]]:
    """Return where the groups hold other numbers than the rows wrote, and copies of these."""
    return [
        (group, key, copied(option(group, key)))
        for track in tracks
        for key, rows in track.rows.items()
        for group, value in zip(groups, rows[track.at], strict=False)
        if value == value and option(group, key) != value
    ]


def last(track: Track, groups: list[Group], key: Key) -> list[float]:
    """Return the row's values, and where it has none the numbers that stand in the groups."""
    rows = track.rows.get(key)
    row = rows[track.at] if rows else []
    written = [*row, *[np.nan] * (len(groups) - len(row))]
    return [
        value if value == value else _number(group, key, f"param_groups[{i}]")
        for i, (group, value) in enumerate(zip(groups, written, strict=True))
    ]


def _number(group: Group, key: Key, where: str) -> float:
    return number_of(option(group, key, where), where)
