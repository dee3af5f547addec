"""Ranges: a set of bytes of one buffer."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator


class Ranges:
    """A set of bytes, kept as ranges (start, end) in order that neither overlap nor touch."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(list(zip(self._starts, self._ends, strict=True)))

    def meets(self, start: int, end: int) -> bool:
        """Return whether a byte from ``start`` up to ``end`` is in the set."""
        place = bisect_right(self._ends, start)
        return place < len(self._starts) and self._starts[place] < end

    def add(self, start: int, end: int) -> None:
        """Put the bytes from ``start`` up to ``end`` in; ranges that then touch become one."""
        if not self._ends or start > self._ends[-1]:  # as where a tape goes through a buffer
            self._starts.append(start)
            self._ends.append(end)
            return
        first, last = bisect_left(self._ends, start), bisect_right(self._starts, end)
        if first < last:
            start, end = min(start, self._starts[first]), max(end, self._ends[last - 1])
        self._starts[first:last] = [start]
        self._ends[first:last] = [end]
