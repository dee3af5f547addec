"""Chunks: every float4 of every active tensor is dealt once, with its lane, in even shares."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from grilly import chunks

LANES = st.one_of(st.none(), st.integers(0, 3))
TENSORS = st.lists(st.tuples(st.integers(0, 70_000), LANES), max_size=12)


@given(TENSORS, st.sampled_from([1, 2, 256]), st.sampled_from([64, 2048]))
def test_each_float4_is_dealt_once(
    tensors: list[tuple[int, int | None]], workers: int, most: int
) -> None:
    starts = chunks.offsets([size for size, _ in tensors])
    dealt = chunks.deal(starts, [lane for _, lane in tensors], workers, most)
    owner = np.full(starts[-1], -1)
    wanted = np.full(starts[-1], -1)
    for i, (_, lane) in enumerate(tensors):
        wanted[starts[i] : starts[i + 1]] = -1 if lane is None else lane
    for start, count, lane in dealt.table.tolist():
        assert (owner[start : start + count] == -1).all()
        owner[start : start + count] = lane
    np.testing.assert_array_equal(owner, wanted)


@given(TENSORS, st.sampled_from([1, 2, 256]), st.sampled_from([64, 2048]))
def test_workgroups_have_even_shares(
    tensors: list[tuple[int, int | None]], workers: int, most: int
) -> None:
    starts = chunks.offsets([size for size, _ in tensors])
    dealt = chunks.deal(starts, [lane for _, lane in tensors], workers, most)
    counts = dealt.table[:, 1]
    shares = [int(counts[a:b].sum()) for a, b in zip(dealt.ranges, dealt.ranges[1:], strict=False)]
    assert dealt.ranges[0] == 0 and dealt.groups >= 1
    assert sum(shares) == counts.sum()
    assert len(set(shares[:-1])) <= 1 and max(shares) <= most


def test_neighbours_of_a_lane_are_one_run() -> None:
    runs = [(40, 10, 1), (0, 10, 0), (10, 10, 0), (22, 8, 0), (30, 10, 1), (60, 1, 1)]
    assert chunks.joined(runs) == [(0, 20, 0), (22, 8, 0), (30, 20, 1), (60, 1, 1)]
    assert chunks.joined(runs, gap=2) == [(0, 30, 0), (30, 20, 1), (60, 1, 1)]


def test_tensors_begin_at_whole_float4() -> None:
    assert chunks.offsets([1, 4, 5, 0]) == [0, 1, 2, 4, 4]
