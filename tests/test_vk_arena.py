"""Arena: where spans lie, that they do not overlap, are zero and come back; and twins."""

from __future__ import annotations

import dataclasses
import random

import numpy as np
import pytest
from vk_spans import MIB, Holder, contents, path, write  # noqa: F401

from grilly import vk
from grilly.errors import DeviceLimitError


def alignment(device: vk.Device) -> int:
    return max(16, device.limits.offset_alignment)


class Oracle:
    """Where spans must lie: first fit, by plain lists of what is taken."""

    def __init__(self, step: int) -> None:
        self.step = step
        self.blocks: list[tuple[vk.Buffer, int, list[tuple[int, int]]]] = []

    def place(self, nbytes: int) -> tuple[vk.Buffer | None, int]:
        """Return the buffer and the offset of the next span; None for a new buffer."""
        if nbytes < 2 * MIB:
            for buffer, size, taken in self.blocks:
                ends = [0, *[end for _, end in sorted(taken)]]
                starts = [*[start for start, _ in sorted(taken)], size]
                for start, end in zip(ends, starts, strict=True):
                    if size == 4 * MIB and end - start >= self.rounded(nbytes):
                        return buffer, start
        return None, 0

    def take(self, span: vk.Span) -> None:
        buffer, offset = self.place(span.nbytes)
        if buffer is None:
            assert all(span.buffer is not old for old, _, _ in self.blocks)
            size = 4 * MIB if span.nbytes < 2 * MIB else -(-span.nbytes // 16) * 16
            assert span.buffer.nbytes == size
            self.blocks.append((span.buffer, size, []))
        else:
            assert (span.buffer, span.offset) == (buffer, offset)
        taken = next(taken for old, _, taken in self.blocks if old is span.buffer)
        end = span.offset + self.rounded(span.nbytes)
        assert all(end <= a or b <= span.offset for a, b in taken)
        taken.append((span.offset, end))

    def drop(self, span: vk.Span) -> None:
        taken = next(taken for old, _, taken in self.blocks if old is span.buffer)
        taken.remove((span.offset, span.offset + self.rounded(span.nbytes)))
        idle = [block for block in self.blocks if not block[2]]
        kept = next((block for block in idle if block[1] == 4 * MIB), None)
        self.blocks = [block for block in self.blocks if block[2] or block is kept]

    def rounded(self, nbytes: int) -> int:
        return -(-nbytes // self.step) * self.step


@pytest.mark.parametrize("seed", range(3))
def test_random_takes_and_drops(private_device, seed):
    device, draw = private_device, random.Random(seed)
    oracle = Oracle(alignment(device))
    held: list[tuple[Holder, vk.Span, int]] = []
    for turn in range(150):
        if held and draw.random() < 0.4:
            span, byte = held.pop(draw.randrange(len(held)))[1:]
            assert (contents(span) == byte).all()
            oracle.drop(span)
            device.arena.sweep()
            del span
        else:
            sizes = [draw.randint(1, 900), draw.randint(1, MIB), draw.randint(MIB, 3 * MIB)]
            nbytes = draw.choices(sizes, [5, 3, 1])[0]
            holder = Holder()
            span = device.arena.take(nbytes, holder)
            oracle.take(span)
            assert span.nbytes == nbytes and span.offset % alignment(device) == 0
            assert not contents(span).any()
            write(span, turn + 1)
            held.append((holder, span, turn + 1))
            del holder
        assert device.live["buffer"] == len(oracle.blocks)
    for _, span, byte in held:
        assert (contents(span) == byte).all()
    del span, _
    held.clear()
    oracle.blocks.clear()
    assert device.live["buffer"] == 1  # one is kept, for what comes


def test_small_arrays_share_a_buffer_and_large_ones_have_their_own(private_device):
    arena, holders = private_device.arena, [Holder() for _ in range(4)]
    small, other = arena.take(100, holders[0]), arena.take(2 * MIB - 16, holders[1])
    large, next_large = arena.take(2 * MIB, holders[2]), arena.take(5 * MIB + 1, holders[3])
    assert small.buffer is other.buffer and small.buffer.nbytes == 4 * MIB
    assert (large.buffer.nbytes, large.offset) == (2 * MIB, 0)
    assert (next_large.buffer.nbytes, next_large.offset) == (5 * MIB + 16, 0)
    assert private_device.live["buffer"] == 3


def test_a_large_buffer_goes_with_its_holder(private_device):
    device, holder = private_device, Holder()
    device.arena.take(3 * MIB, holder)
    device.wait()  # what has made it zero holds it
    assert device.live["buffer"] == 1
    del holder
    assert device.live["buffer"] == 0


def test_a_thousand_arrays_are_one_allocation(private_device):
    holders = [Holder() for _ in range(1000)]
    spans = [private_device.arena.take(1000, holder) for holder in holders]
    assert len({span.buffer for span in spans}) == private_device.live["buffer"] == 1
    assert len({span.offset for span in spans}) == 1000


def test_a_twin_goes_with_its_buffer(private_device):
    device, holder = private_device, Holder()
    span = device.arena.take(1000, holder)
    twin = device.arena.twin(span.buffer)
    assert device.arena.twin(span.buffer) is twin is not span.buffer
    assert twin.nbytes == span.buffer.nbytes
    assert not twin.read(np.uint8, twin.nbytes).any()
    assert device.arena.twin(twin) is not span.buffer
    large = Holder()
    device.arena.twin(device.arena.take(3 * MIB, large).buffer)
    device.wait()
    assert device.live["buffer"] == 5
    del large
    assert device.live["buffer"] == 3


def test_a_span_handed_out_again_is_zero_in_the_twins_too(private_device):
    device, holder = private_device, Holder()
    span = device.arena.take(1000, holder)
    chain = [span.buffer, device.arena.twin(span.buffer)]
    chain.append(device.arena.twin(chain[1]))
    other = Holder()
    beside = device.arena.take(1000, other)
    for buffer in chain:
        write(span._replace(buffer=buffer), 7)
        write(beside._replace(buffer=buffer), 9)
    del holder
    again = Holder()
    assert device.arena.take(1000, again)[:2] == span[:2]
    for buffer in chain:
        assert not contents(span._replace(buffer=buffer)).any()
        assert (contents(beside._replace(buffer=buffer)) == 9).all()


def test_a_smaller_device(private_device):
    """Where not even a shared buffer can be had, it is as large as can be."""
    device = private_device
    device.limits = dataclasses.replace(device.limits, max_allocation=MIB + 5)
    holders = [Holder() for _ in range(3)]
    small, large = device.arena.take(10, holders[0]), device.arena.take(MIB, holders[1])
    assert small.buffer.nbytes == MIB == large.buffer.nbytes
    with pytest.raises(DeviceLimitError, match=f"nbytes {MIB + 5} exceeds"):
        device.arena.take(MIB + 5, holders[2])


REFUSED = {  # name: (nbytes, holder, error, word in its text)
    "nothing": (0, Holder(), ValueError, "nbytes must be at least 1, got 0"),
    "negative": (-4, Holder(), ValueError, "got -4"),
    "too large": (1 << 60, Holder(), DeviceLimitError, f"nbytes {1 << 60} exceeds"),
    "holder": (4, 5, TypeError, "holder must allow weak references, got int"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(private_device, case):
    nbytes, holder, error, word = REFUSED[case]
    with pytest.raises(error, match=word):
        private_device.arena.take(nbytes, holder)
    assert private_device.live["buffer"] == 0


def test_a_twin_of_another_device_is_refused(device, private_device):
    with pytest.raises(ValueError, match="buffer is on"):
        private_device.arena.twin(device.buffer(64))


def test_a_part_of_a_buffer_is_cleared(device):
    buffer = device.buffer(64, fill=1)
    buffer.clear(16, 8)
    assert buffer.read(np.uint8, 64).tolist() == [1] * 16 + [0] * 8 + [1] * 40
    for offset, nbytes in ((2, 4), (0, 6), (-4, 8), (60, 8), (0, 0)):
        with pytest.raises(ValueError, match=f"got {offset} and {nbytes}"):
            buffer.clear(offset, nbytes)
