"""Hazards: a tape records a barrier where commands conflict, and nowhere else."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import vk_shaders
from hypothesis import given
from hypothesis import strategies as st
from vk_shaders import affine_after, affine_words, counting

from grilly import vk
from grilly.vk.hazards import Hazards
from grilly.vk.ranges import Ranges

N = 100
ENDS = st.tuples(st.integers(0, 39), st.integers(1, 12))
RANGES = st.lists(ENDS.map(lambda place: (place[0], place[0] + place[1])), max_size=20)
SPANS = st.lists(st.tuples(st.sampled_from("ab"), ENDS), max_size=4).map(
    lambda spans: [(buffer, start, start + length) for buffer, (start, length) in spans]
)
COMMANDS = st.lists(st.tuples(SPANS, SPANS), max_size=12)


@given(RANGES, RANGES)
def test_ranges_are_a_set_of_bytes(added, asked):
    ranges, oracle = Ranges(), set()
    for start, end in added:
        ranges.add(start, end)
        oracle |= set(range(start, end))
    assert [ranges.meets(*one) for one in asked] == [bool(oracle & {*range(*one)}) for one in asked]
    listed = list(ranges)
    assert {byte for one in listed for byte in range(*one)} == oracle
    assert all(end < start for (_, end), (start, _) in pairwise(listed))


def bytes_of(spans: list[tuple[str, int, int]]) -> set[tuple[str, int]]:
    return {(buffer, byte) for buffer, start, end in spans for byte in range(start, end)}


@given(COMMANDS)
def test_a_command_waits_exactly_when_it_conflicts(commands):
    """The oracle compares each byte with each command since the last barrier."""
    hazards, past = Hazards(), []
    for reads, writes in commands:
        read, written = bytes_of(reads), bytes_of(writes)
        must_wait = any(
            old_written & (read | written) or old_read & written for old_read, old_written in past
        )
        assert hazards.conflict(reads, writes) == must_wait
        if must_wait:
            hazards.clear()
            past.clear()
        hazards.add(reads, writes)
        past.append((read, written))


# y[i] = x[i] + 1
NEXT = (
    vk_shaders.HEAD
    + """
layout(std430, binding = 0) readonly buffer X { uint x[]; };
layout(std430, binding = 1) writeonly buffer Y { uint y[]; };
void main() { y[gl_GlobalInvocationID.x] = x[gl_GlobalInvocationID.x] + 1u; }
"""
)


def next_kernel(device: vk.Device) -> vk.Kernel:
    return device.kernel(vk.compile_glsl(NEXT), 2, 0, {0: 1})


def test_a_chain_through_one_buffer(device):
    """Each command needs the one before it, and nobody says so."""
    source, target = counting(device, N), device.buffer(4 * N, "host")
    bound = vk_shaders.affine(device).bind([source])
    with vk.Tape(device) as tape:
        for _ in range(5):
            tape.dispatch(bound, N, affine_words(N, 3, 1))
        tape.copy(source, target, 4 * N)
        tape.fill(source, 0)
        tape.dispatch(bound, N, affine_words(N, 1, 7))
    assert tape.barriers == 7
    device.submit(tape, tape)
    device.wait()
    assert (source.read(np.uint32, N) == 7).all()
    want = (7 * 3**5 + sum(3**i for i in range(5))) % 2**32
    assert (target.view(np.uint32) == want).all()


def test_only_what_is_shared_and_written_needs_a_barrier(device):
    kernel = next_kernel(device)
    x, y, z = counting(device, N), device.buffer(4 * N), device.buffer(4 * N)
    with vk.Tape(device) as tape:
        tape.dispatch(kernel.bind([x, y]), N)
        tape.dispatch(kernel.bind([x, z]), N)  # both only read x
        assert tape.barriers == 0
        tape.dispatch(kernel.bind([y, x]), N)  # y was written, x was read
        assert tape.barriers == 1
        tape.dispatch(kernel.bind([z, y]), N)  # y was read since the barrier
        assert tape.barriers == 2
    device.submit(tape)
    numbers = np.arange(N)
    np.testing.assert_array_equal(x.read(np.uint32, N), numbers + 2)
    np.testing.assert_array_equal(y.read(np.uint32, N), numbers + 2)
    np.testing.assert_array_equal(z.read(np.uint32, N), numbers + 1)


def test_parts_of_a_buffer_do_not_conflict(device):
    step = max(256, device.limits.offset_alignment)
    buffer, kernel = device.buffer(4 * step), next_kernel(device)
    parts = [(buffer, place * step, step) for place in range(4)]
    with vk.Tape(device) as tape:
        tape.dispatch(kernel.bind([parts[0], parts[1]]), step // 4)
        tape.dispatch(kernel.bind([parts[0], parts[2]]), step // 4)
        tape.fill(buffer, 5, 3 * step, step)
        assert tape.barriers == 0
        tape.copy(buffer, buffer, step, 2 * step, 0)
        assert tape.barriers == 1
    device.submit(tape)
    got = buffer.read(np.uint32, step)
    np.testing.assert_array_equal(got.reshape(4, -1)[:, 0], [1, 1, 1, 0x05050505])


def test_what_follows_an_explicit_barrier_needs_no_other(device):
    buffer = counting(device, N)
    bound = vk_shaders.affine(device).bind([buffer])
    with vk.Tape(device) as tape:
        for _ in range(3):
            tape.dispatch(bound, N, affine_words(N, 3, 1))
            tape.barrier()
    assert tape.barriers == 3
    device.submit(tape)
    np.testing.assert_array_equal(buffer.read(np.uint32, N), affine_after(N, *[(3, 1)] * 3))


def test_a_refused_command_leaves_no_trace(device):
    buffer = counting(device, N)
    bound = vk_shaders.affine(device).bind([buffer])
    with vk.Tape(device) as tape:
        with pytest.raises(ValueError, match="push"):
            tape.dispatch(bound, N)
        with pytest.raises(ValueError, match="multiples of 4, got 2 and 4"):
            tape.fill(buffer, 1, 2, 4)
        with pytest.raises(ValueError, match="not in its 400 bytes"):
            tape.fill(buffer, 1, 200, 204)
        tape.dispatch(bound, N, affine_words(N, 3, 1))
    assert tape.barriers == 0
