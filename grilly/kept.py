"""Kept: the rows of the table that the last steps have used, on the host, by group."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import hyper

Array = np.ndarray[Any, np.dtype[Any]]
# The lane that a group shows; None where no parameter of it was updated.
Shown = tuple[int | None, ...]

ROWS = 1024
BYTES = 8 << 20


def rows_in(nbytes: int, row_bytes: int) -> int:
    """Return how many rows are kept where there is room for ``nbytes``."""
    return max(1, min(ROWS, nbytes // max(1, row_bytes)))


class Kept:
    """The last rows that steps of an optimizer of ``kind`` have used, oldest first.

    It holds 1024 of them, or as many as 8 MB hold; and more till a part of them, which came
    together, is not needed at all.
    """

    def __init__(self, kind: str) -> None:
        self._dtype = hyper.dtype(kind)
        self._parts: deque[Array] = deque()
        self._rows = 0

    def add(self, rows: Array, shown: Shown) -> None:
        """Keep copies of (n, lanes) table rows, the newest so far.

        None of updates that show no group: a tape makes such where no parameter has a gradient.
        """
        if len(rows) and _any(shown):
            self._parts.append(self._by_group(rows, shown))
            self._rows += len(rows)
            most = rows_in(BYTES, self._parts[-1][0].nbytes)
            while self._rows - len(self._parts[0]) >= most:
                self._rows -= len(self._parts.popleft())

    def last(self, n: int, groups: int, newer: Array, shown: Shown) -> Array:
        """Return the last ``n`` rows, (at most n, groups), if (m, lanes) ``newer`` ones follow.

        A group's fields are nan where a step did not update it.
        """
        n = min(n, ROWS)
        newer = newer if _any(shown) else newer[:0]
        parts, missing = [self._by_group(newer[max(0, len(newer) - n) :], shown)], n - len(newer)
        for part in reversed(self._parts):
            if missing <= 0:
                break
            parts.append(part[max(0, len(part) - missing) :])
            missing -= len(part)
        return np.concatenate([self._widened(part, groups) for part in reversed(parts)])

    def _by_group(self, rows: Array, shown: Shown) -> Array:
        found = self._unknown(len(rows), len(shown))
        known = {group: lane for group, lane in enumerate(shown) if lane is not None}
        found[:, [*known]] = rows[:, [*known.values()]]
        return found

    def _widened(self, part: Array, groups: int) -> Array:
        """Return rows from before some groups were added as rows of all groups."""
        added = self._unknown(len(part), groups - part.shape[1])
        return np.concatenate([part, added], axis=1)

    def _unknown(self, rows: int, groups: int) -> Array:
        numbers = np.full((rows, groups, len(self._dtype.names or ())), np.nan, np.float32)
        return numbers.view(self._dtype).reshape(rows, groups)


def _any(shown: Shown) -> bool:
    return any(lane is not None for lane in shown)


def shown(groups: Sequence[int], lane_of: Sequence[int | None], count: int) -> Shown:
    """Return the lane that each of ``count`` groups shows: that of its most updated parameters.

    Parameter i is of groups[i] and updated by lane_of[i]; a group's lanes are in that order.
    """
    first: dict[int, int] = {}
    for group, lane in zip(groups, lane_of, strict=True):
        if lane is not None:
            first[group] = min(lane, first.get(group, lane))
    return tuple(first.get(group) for group in range(count))
