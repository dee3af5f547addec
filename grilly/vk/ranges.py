"""Ranges: a set of bytes of one buffer."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator


class Ranges:
    """A set of bytes, kept as ranges (start, end) in order that neither overlap nor touch.

    Each change is one assignment, so Ctrl-C leaves the set as it was or as it is to be.
    """

    def __init__(self) -> None:
        self._ranges: list[tuple[int, int]] = []

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(self._ranges)

    def meets(self, start: int, end: int) -> bool:
        """Return whether a byte from ``start`` up to ``end`` is in the set."""
        place = bisect_left(self._ranges, (end,))
        return place > 0 and self._ranges[place - 1][1] > start

    def add(self, start: int, end: int) -> None:
        """Put the bytes from ``start`` up to ``end`` in; ranges that then touch become one."""
        ranges = self._ranges
        if not ranges or start > ranges[-1][1]:  # as where a tape goes through a buffer
            ranges.append((start, end))
            return
        first, last = bisect_left(ranges, (start,)), bisect_left(ranges, (end + 1,))
        first -= first > 0 and ranges[first - 1][1] >= start
        if first < last:
            start, end = min(start, ranges[first][0]), max(end, ranges[last - 1][1])
        ranges[first:last] = [(start, end)]

    def cut(self, length: int) -> int | None:
        """Take ``length`` bytes out of the first range that has them; return where they begin."""
        for place, (start, end) in enumerate(self._ranges):
            left = end - start - length
            if left >= 0:
                self._ranges[place : place + 1] = [(start + length, end)] if left else []
                return start
        return None
