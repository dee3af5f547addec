"""Rows: the float64 values of many schedules at many steps, those of one structure at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any

import numpy as np
import numpy.typing as npt

from ..schedules import Schedule

Values = npt.NDArray[np.float64]


class Stacked:
    """The values of ``schedules``, which do not change, at whatever steps.

    Which of them are alike is found out once.
    """

    def __init__(self, schedules: Sequence[Schedule | None]) -> None:
        self._count = len(schedules)
        self._parts = [
            (members, _stacked([s for i in members if (s := schedules[i]) is not None]))
            for members in _alike(schedules)
        ]

    def at(self, steps: Values) -> Values:
        """Return the values as (schedules, steps); nan where there is no schedule.

        Where no number differs it is one row, broadcast.
        """
        shape = self._count, len(steps)
        with np.errstate(all="ignore"):
            if len(self._parts) == 1 and len(self._parts[0][0]) == self._count:
                return np.broadcast_to(self._parts[0][1](steps), shape)
            values = np.full(shape, np.nan)
            for members, schedule in self._parts:
                values[members] = schedule(steps)
        return values


def values_of(schedules: Sequence[Schedule | None], steps: Values) -> Values:
    """Return the values of ``schedules`` as ``Stacked`` does."""
    return Stacked(schedules).at(steps)


def rows_of(values: Values) -> list[list[float]]:
    """Return ``values`` as a list per step; one that is the list before is the same object."""
    if values.strides[0] == 0:  # broadcast
        return [[value] * len(values) for value in values[0].tolist()]
    rows: list[list[float]] = values.T.tolist()
    # A scheduler then has nothing to write.
    for i in np.flatnonzero((values[:, 1:] == values[:, :-1]).all(axis=0)).tolist():
        rows[i + 1] = rows[i]
    return rows


def _alike(schedules: Sequence[Schedule | None]) -> list[list[int]]:
    """Return the places of the schedules by structure: those in one list differ in numbers only."""
    kinds: dict[type, list[int]] = {}
    for i, schedule in enumerate(schedules):
        if schedule is not None:
            kinds.setdefault(type(schedule), []).append(i)
    return [part for members in kinds.values() for part in _parted(schedules, members)]


def _parted(schedules: Sequence[Any], members: list[int]) -> Iterable[list[int]]:
    """Return those of one class, parted where a field holds more than numbers."""
    own = [schedules[i] for i in members]
    parts: dict[Any, list[int]] = {}
    if not dataclasses.is_dataclass(own[0]):
        for i, schedule in zip(members, own, strict=True):
            parts.setdefault(schedule, []).append(i)
        return parts.values()
    loose = [name for name in _fields(own[0]) if not _are_numbers(map(attrgetter(name), own))]
    if not loose:
        return [members]
    for i, schedule in zip(members, own, strict=True):
        shape = tuple(_shape(getattr(schedule, name)) for name in loose)
        parts.setdefault(shape, []).append(i)
    return parts.values()


def _shape(value: Any) -> Any:
    """Return what must be equal in two values whose numbers may differ."""
    if _are_numbers((value,)):
        return float  # not None: a field may hold a number in one schedule, and None in another
    if isinstance(value, tuple):
        return (tuple, *map(_shape, value))
    if dataclasses.is_dataclass(value):
        return (type(value), *(_shape(getattr(value, name)) for name in _fields(value)))
    return value


def _are_numbers(values: Iterable[Any]) -> bool:
    kinds = set(map(type, values))
    return kinds <= {float, int} or all(
        issubclass(kind, (float, int, np.number)) and kind is not bool for kind in kinds
    )


def _fields(value: Any) -> list[str]:
    return [field.name for field in dataclasses.fields(value)]


def _stacked(schedules: Sequence[Any]) -> Any:
    """Return one schedule in whose fields the numbers that differ are columns, (n, 1) float64."""
    first = schedules[0]
    if all(schedule is first for schedule in schedules):
        return first
    stacked = object.__new__(type(first))  # not called: it may check its fields, one by one
    for name in _fields(first):
        object.__setattr__(stacked, name, _column([getattr(s, name) for s in schedules]))
    return stacked


def _column(values: Sequence[Any]) -> Any:
    first = values[0]
    if all(value is first or value == first for value in values):
        return first
    if isinstance(first, tuple):
        return tuple(_column(column) for column in zip(*values, strict=True))
    if dataclasses.is_dataclass(first):
        return _stacked(values)
    return np.array(values, np.float64)[:, None]
