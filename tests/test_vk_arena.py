"""Arena: spans do not overlap, are zero, come back when their holders go, and never too early."""

from __future__ import annotations

import dataclasses
import gc
import random
import threading
import weakref
from collections.abc import Iterator

import child
import numpy as np
import pytest
import vk_shaders
from faults import LOST, OUT_OF_MEMORY, Faults
from vk_shaders import affine_words

from grilly import vk
from grilly.errors import DeviceError, DeviceLimitError, DeviceLostError, DeviceMemoryError
from grilly.vk import binding
from grilly.vk.device import Device
from grilly.vk.instance import instance

MIB = 1 << 20


@pytest.fixture(params=["plain", "staging"], autouse=True)
def path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to reach a buffer."""
    if request.param == "staging":
        monkeypatch.setenv("GRILLY_STAGING", "1")


class Holder:
    """What holds a span: an object that can be garbage."""


def contents(span: vk.Span) -> np.ndarray:
    return span.buffer.read(np.uint8, span.nbytes, span.offset)


def write(span: vk.Span, byte: int) -> None:
    span.buffer.write(np.full(span.nbytes, byte, np.uint8), span.offset)


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


def test_memory_is_not_handed_out_while_it_is_in_use(private_device):
    """The tape holds the buffer, but not the span's holder: it may still write there."""
    device = private_device
    kernel = vk_shaders.affine(device, 64)
    for _ in range(5):
        holder = Holder()
        span = device.arena.take(MIB, holder)
        with vk.Tape(device) as tape:
            tape.dispatch(kernel.bind([span]), 4096, affine_words(MIB // 4, 1, 1))
        device.submit(*[tape] * 50)
        offset = span.offset
        del span, holder
        other = Holder()
        again = device.arena.take(MIB, other)
        assert again.offset == offset
        device.wait()
        assert not contents(again).any()
        del again, other


def test_a_tape_can_hold_the_holder(private_device):
    device, holder = private_device, Holder()
    span = device.arena.take(400, holder)
    gone = weakref.ref(holder)
    with vk.Tape(device) as tape:
        tape.dispatch(vk_shaders.affine(device).bind([span]), 13, affine_words(100, 1, 5))
        tape.hold(holder)
    del holder
    gc.collect()
    other = Holder()
    assert device.arena.take(400, other).offset != span.offset
    device.submit(tape)
    assert (span.buffer.read(np.uint32, 100, span.offset) == 5).all()
    del tape
    device.wait()
    gc.collect()
    assert gone() is None
    assert device.arena.take(400, other).offset == span.offset


def test_finalizers_run_inside_take(private_device):
    """Holders in cycles die wherever the collector runs: here at each of its chances."""
    device = private_device
    thresholds = gc.get_threshold()
    gc.set_threshold(1)
    try:
        for turn in range(1500):
            holder = Holder()
            holder.cycle = holder
            span = device.arena.take(turn % 7 * 1000 + 1, holder)
            holder.span = span
    finally:
        gc.set_threshold(*thresholds)
    del holder, span
    gc.collect()
    assert device.live["buffer"] == 1
    whole = Holder()
    assert device.arena.take(2 * MIB - 16, whole).offset == 0  # nothing was lost on the way


def test_threads_take_and_drop(private_device):
    device, problems = private_device, []

    def work(byte: int) -> None:
        draw, held = random.Random(byte), []
        try:
            for _ in range(60):
                holder = Holder()
                span = device.arena.take(draw.randint(1, 40_000), holder)
                assert not contents(span).any()
                write(span, byte)
                held.append((holder, span))
                del holder
                if len(held) > 5:
                    old = held.pop(draw.randrange(5))
                    assert (contents(old[1]) == byte).all()
                    del old
        except Exception as problem:
            problems.append(problem)

    threads = [threading.Thread(target=work, args=[byte]) for byte in (1, 2, 3, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert device.live["buffer"] == 1


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


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Set the faults that are in force."""
    yield lambda those: monkeypatch.setattr(binding, "fault", those)


def use(device: vk.Device) -> None:
    """Take fresh memory, memory that was used, memory for a large array, and a twin."""
    holder = Holder()
    span = device.arena.take(4096, holder)
    device.arena.twin(span.buffer)
    write(span, 5)
    del holder
    holders = Holder(), Holder()
    assert not contents(device.arena.take(4096, holders[0])).any()
    assert not contents(device.arena.take(2 * MIB, holders[1])).any()


def names_of(device: vk.Device, faults: object) -> list[str]:
    faults(log := Faults())
    use(device)
    faults(None)
    return log.names


def test_any_call_may_run_out_of_memory(private_device, faults):
    device = private_device
    use(device)
    before = device.live
    for number in range(len(names_of(device, faults))):
        faults(Faults(number, OUT_OF_MEMORY))
        with pytest.raises(DeviceMemoryError) as caught:
            use(device)
        del caught
        faults(None)
        device.wait()
        assert device.live == before
    use(device)
    whole = Holder()
    assert device.arena.take(2 * MIB - 16, whole).offset == 0  # nothing was lost on the way


def test_a_lost_device(private_device, faults):
    device = private_device
    use(device)
    faults(Faults(0, LOST, sticky=True))
    with pytest.raises(DeviceLostError):
        use(device)
    faults(None)
    with pytest.raises(DeviceLostError):
        device.arena.take(4, Holder())
    with pytest.raises(DeviceLostError):
        device.arena.twin(None)


def test_a_closed_device(private_device):
    device, holder = private_device, Holder()
    span = device.arena.take(4, holder)
    device.close()
    assert device.live["buffer"] == 0
    with pytest.raises(DeviceError, match="closed"):
        device.arena.take(4, Holder())
    with pytest.raises(DeviceError, match="closed"):
        device.arena.twin(span.buffer)
    del holder
    device.arena.sweep()
    assert device.live["buffer"] == 0


def test_a_holder_does_not_keep_the_device(device_info):
    home, holder = instance(), Holder()
    device = Device(home.physical[device_info.index], home)
    device.arena.take(4, holder)
    device.holder = holder
    device.wait()  # what is in flight keeps its device
    gone = weakref.ref(device)
    del device
    gc.collect()
    assert gone() is None


def test_a_forked_child_is_told_to_spawn(device_info):
    """And what it drops is not given back: the parent has it still."""
    output = child.says(
        f"""
        import gc, os
        from grilly import vk
        from grilly.errors import ForkError
        class Holder: pass
        device, holder = vk.open_device({device_info.index}), Holder()
        span = device.arena.take(4096, holder)
        pid = os.fork()
        if not pid:
            del holder
            gc.collect()
            device.arena.sweep()
            takes = lambda: device.arena.take(4, device)
            for act in (takes, lambda: device.arena.twin(span.buffer)):
                try: act()
                except ForkError as error: print("spawn" in str(error), flush=True)
            os._exit(0)
        os.waitpid(pid, 0)
        print(device.arena.take(4096, device).offset == span.offset)
        """
    )
    assert output.split() == ["True", "True", "False"]
