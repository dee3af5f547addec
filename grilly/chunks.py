"""Chunks: how the tensors in a slab are dealt out to workgroups, so that one dispatch does all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .hyper import NORM_SHARE

Words = np.ndarray[Any, np.dtype[np.uint32]]
Run = tuple[int, int]  # start and count in float4

# float4 that one workgroup updates: 1024 to 2048 were the fastest on software drivers.
MOST = 2048
LEAST = 64


class Chunks(NamedTuple):
    """``table`` is (n, 3) uint32 of start, count (in float4) and lane; workgroup w of
    ``ranges.size - 1`` does the chunks ranges[w] to ranges[w + 1]."""

    table: Words
    ranges: Words

    @property
    def groups(self) -> int:
        """The number of workgroups; at least 1, which may have nothing to do."""
        return self.ranges.size - 1


def offsets(sizes: Sequence[int]) -> list[int]:
    """Return where each tensor begins in a slab, in float4, and the slab's size as the last."""
    counts = [-(-size // 4) for size in sizes]
    return [0, *np.cumsum(counts, dtype=np.int64).tolist()]


def deal(
    starts: Sequence[int], lane_of: Sequence[int | None], workers: int, most: int = MOST
) -> Chunks:
    """Return the chunks of all tensors that have a lane; ``starts`` is what ``offsets`` returned.

    See ``deal_runs``.
    """
    runs = [
        (starts[i], starts[i + 1] - starts[i], lane)
        for i, lane in enumerate(lane_of)
        if lane is not None and starts[i + 1] > starts[i]
    ]
    return deal_runs(runs, workers, most)


def deal_runs(runs: Sequence[tuple[int, int, int]], workers: int, most: int = MOST) -> Chunks:
    """Return the chunks of ``runs``, each (start, count, lane) in float4.

    Every workgroup gets the same number of float4, but the last, as contiguous as they come; with
    little to do there are at least ``workers`` groups.
    """
    total = sum(count for _, count, _ in runs)
    share = max(LEAST, min(most, -(-total // workers)))
    table, ranges, room = [], [0], share
    for start, count, lane in runs:
        while count:
            taken = min(count, room)
            table.append((start, taken, lane))
            start, count, room = start + taken, count - taken, room - taken
            if room == 0:
                ranges.append(len(table))
                room = share
    if room < share or len(ranges) == 1:
        ranges.append(len(table))
    return Chunks(
        np.array(table or [(0, 0, 0)], np.uint32), np.minimum(ranges, len(table)).astype(np.uint32)
    )


def joined(runs: Sequence[tuple[int, int, int]], gap: int = 0) -> list[tuple[int, int, int]]:
    """Return ``runs``, each (start, count, lane) in float4, by start, and neighbours as one.

    Those are of one lane with at most ``gap`` float4 between them, which nobody uses: they are
    updated with them. A chunk costs about a microsecond, whatever its size.
    """
    found: list[tuple[int, int, int]] = []
    for start, count, lane in sorted(runs):
        if found and found[-1][2] == lane and start - sum(found[-1][:2]) <= gap:
            first = found[-1][0]
            found[-1] = first, start + count - first, lane
        else:
            found.append((start, count, lane))
    return found


class Shares(NamedTuple):
    """The shares of a segment of a slab: share ``first + s`` of all is the runs ranges[s] to
    ranges[s + 1] of ``table``, (n, 3) uint32 of start, count (in float4) and place in the share."""

    table: Words
    ranges: Words
    first: int

    @property
    def number(self) -> int:
        """The number of shares that the segment has float4 of; 0 if it is empty."""
        return self.ranges.size - 1


def share_out(segments: Sequence[Sequence[Run]]) -> list[Shares]:
    """Return the shares of each segment, for the norm of the tensors in all of them.

    A segment is the (start, count) of float4 in one part of a slab. Shares are cut as if all
    segments were one: a segment may begin within one, at another place than 0.
    """
    shares, place = [], 0
    for runs in segments:
        table, ranges, first = [], [0], place // NORM_SHARE
        for start, count in _merged(runs):
            while count:
                at = place % NORM_SHARE
                taken = min(count, NORM_SHARE - at)
                table.append((start, taken, at))
                start, count, place = start + taken, count - taken, place + taken
                if place % NORM_SHARE == 0:
                    ranges.append(len(table))
        if ranges[-1] < len(table):
            ranges.append(len(table))
        words = np.array(table or [(0, 0, 0)], np.uint32)
        shares.append(Shares(words, np.array(ranges, np.uint32), first))
    return shares


def _merged(runs: Sequence[Run]) -> list[Run]:
    """Return the runs, neighbours as one."""
    merged: list[Run] = []
    for start, count in runs:
        if merged and sum(merged[-1]) == start:
            merged[-1] = merged[-1][0], merged[-1][1] + count
        elif count:
            merged.append((start, count))
    return merged
