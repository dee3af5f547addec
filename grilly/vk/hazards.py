"""Hazards: what has been read and written since the last barrier, and who must wait for it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TypeAlias

from .ranges import Ranges

Access: TypeAlias = tuple[Hashable, int, int]  # buffer, first byte, end


class Hazards:
    """The bytes that the commands since the last barrier read and wrote.

    Commands without a barrier between them run in any order, or at once. That is harmless unless
    one writes what another reads or writes.
    """

    def __init__(self) -> None:
        self._read: dict[Hashable, Ranges] = {}
        self._written: dict[Hashable, Ranges] = {}

    def conflict(self, reads: Iterable[Access], writes: Iterable[Access]) -> bool:
        """Return whether a command with these accesses must wait for one before it."""
        written, read = self._written, self._read
        return (bool(written) and (_meet(written, reads) or _meet(written, writes))) or (
            bool(read) and _meet(read, writes)
        )

    def add(self, reads: Iterable[Access], writes: Iterable[Access]) -> None:
        """Remember the accesses of a command."""
        _add(self._read, reads)
        _add(self._written, writes)

    def update(self, others: Hazards) -> None:
        """Remember the accesses of other commands too."""
        for mine, theirs in ((self._read, others._read), (self._written, others._written)):
            _add(mine, ((buffer, *span) for buffer, spans in theirs.items() for span in spans))

    def clear(self) -> None:
        """Forget everything: there was a barrier."""
        self._read.clear()
        self._written.clear()


def _meet(past: dict[Hashable, Ranges], spans: Iterable[Access]) -> bool:
    for buffer, start, end in spans:
        ranges = past.get(buffer)
        if ranges is not None and ranges.meets(start, end):
            return True
    return False


def _add(past: dict[Hashable, Ranges], spans: Iterable[Access]) -> None:
    for buffer, start, end in spans:
        ranges = past.get(buffer)
        if ranges is None:
            ranges = past[buffer] = Ranges()
        ranges.add(start, end)
