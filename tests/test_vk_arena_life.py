"""Arena: memory in use is not handed out again, whatever ends: holders, calls, devices, forks."""

from __future__ import annotations

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
from vk_spans import MIB, Holder, contents, path, write  # noqa: F401

from grilly import vk
from grilly.errors import DeviceError, DeviceLostError, DeviceMemoryError
from grilly.vk import binding
from grilly.vk.device import Device
from grilly.vk.instance import instance


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
