"""Submissions: tapes prepared once and run many times, and what the counters say of it."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
import vk_shaders
from vk_shaders import affine_after, affine_tape, affine_words, counting

from grilly import vk
from grilly.errors import DeviceError, DeviceMemoryError, ShaderError
from grilly.vk import binding

N = 100
STEPS = [(3, 1), (5, 7), (2, 11)]


def tapes_on(device: vk.Device, buffer: vk.Buffer) -> list[vk.Tape]:
    return [affine_tape(device, buffer, *step) for step in STEPS]


ORDERS = {  # name: (tapes in order, times)
    "one": ([0], 1),
    "one, often": ([1], 7),
    "a pattern": ([0, 1], 20),
    "no pattern": ([0, 2, 1, 1, 0, 2, 2, 0, 1], 1),
    "a list of many": ([0, 1, 2, 2] * 50, 2),
}


@pytest.mark.parametrize("case", ORDERS)
def test_a_submission_runs_its_tapes_in_order_each_time(device, case):
    order, times = ORDERS[case]
    buffer = counting(device, N)
    tapes = tapes_on(device, buffer)
    submission = device.submission([tapes[i] for i in order], times)
    for _ in range(3):
        device.run(submission)
    want = affine_after(N, *[STEPS[i] for i in order * times * 3])
    np.testing.assert_array_equal(buffer.read(np.uint32, N), want)


def test_nothing_to_run(device):
    before = device.counters.submissions, device.counters.dispatches
    device.run(device.submission([]))
    assert (device.counters.submissions, device.counters.dispatches) == (before[0] + 1, before[1])


def test_dispatches_count_each_time_they_are_submitted(device):
    buffer, counters = counting(device, N), device.counters
    bound = vk_shaders.affine(device).bind([buffer])
    recorded = counters.recorded
    with vk.Tape(device) as three:
        for _ in range(3):
            three.dispatch(bound, N, affine_words(N, 1, 1))
    with vk.Tape(device) as none:
        none.fill(buffer, 0)
    one = affine_tape(device, buffer, 1, 1)
    assert (three.dispatches, none.dispatches, one.dispatches) == (3, 0, 1)
    assert counters.recorded == recorded + 4
    before = counters.dispatches
    submission = device.submission([three, none, one, three], times=100)
    assert counters.dispatches == before
    device.run(submission)
    device.run(submission)
    assert counters.dispatches == before + 2 * 700
    for _ in range(1000):
        device.submit(three)
    assert counters.dispatches == before + 1400 + 3000
    device.submit(one, three, one)
    assert counters.dispatches == before + 4400 + 5
    assert counters.recorded == recorded + 4


def test_what_was_not_submitted_is_not_counted(device, monkeypatch):
    tape = affine_tape(device, counting(device, N), 1, 1)
    device.wait()
    submission, before = device.submission([tape]), device.counters.dispatches
    monkeypatch.setattr(binding, "fault", lambda name: -2 * (name == "vkQueueSubmit"))
    with pytest.raises(DeviceMemoryError, match="vkQueueSubmit"):
        device.run(submission)
    assert device.counters.dispatches == before


def test_a_submission_holds_its_tapes_also_in_flight(private_device):
    device = private_device
    buffer = counting(device, N)
    tapes = tapes_on(device, buffer)
    gone = [weakref.ref(tape) for tape in tapes]
    submission = device.submission(tapes, 100)
    del tapes
    gc.collect()
    assert all(one() for one in gone)
    device.run(submission)
    del submission
    want = affine_after(N, *STEPS * 100)
    np.testing.assert_array_equal(buffer.read(np.uint32, N), want)
    gc.collect()
    assert not any(one() for one in gone)
    assert device.live["tape"] == 0


def test_submission_refused(device, private_device):
    tape, other = (affine_tape(one, counting(one, N), 1, 1) for one in (device, private_device))
    with pytest.raises(ValueError, match="tape 2 is for"):
        device.submission([tape, tape, other, tape])
    with pytest.raises(ValueError, match="times must be at least 1, got 0"):
        device.submission([tape], 0)
    with vk.Tape(device) as unfinished, pytest.raises(DeviceError, match="tape 1 is not recorded"):
        device.submission([tape, unfinished])
    with pytest.raises(ValueError, match="submission is for"):
        private_device.run(device.submission([tape]))
    closed = private_device.submission([other])
    private_device.close()
    with pytest.raises(DeviceError, match="closed"):
        private_device.run(closed)
    with pytest.raises(DeviceError, match="closed"):
        private_device.submission([other])


def test_allocations_are_counted(private_device, monkeypatch):
    """Against the calls themselves, through the seam that all of them pass."""
    calls: list[str] = []
    monkeypatch.setattr(binding, "fault", lambda name: calls.append(name) or 0)
    device, holders = private_device, [np.zeros(1) for _ in range(50)]
    for holder in holders:
        device.arena.take(100, holder)
    device.buffer(64).write(np.zeros(16, np.float32))
    assert device.counters.allocations == calls.count("vkAllocateMemory") > 1
    before = device.counters.allocations
    monkeypatch.setattr(binding, "fault", lambda name: -2 * (name == "vkAllocateMemory"))
    with pytest.raises(DeviceMemoryError):
        device.buffer(64)
    assert device.counters.allocations == before


def test_compiles_are_counted_and_what_is_cached_is_not(device, private_device, fresh_compiler):
    vk.find_compiler()  # trying a compiler out is no compile of ours
    before = device.counters.compiles
    assert private_device.counters.compiles == before
    for _ in range(3):
        vk.compile_glsl(vk_shaders.AFFINE)
    assert device.counters.compiles == private_device.counters.compiles == before + 1
    vk.compile_glsl(vk_shaders.AFFINE, ["OTHER=1"])
    with pytest.raises(ShaderError):
        vk.compile_glsl("#version 450\nnonsense")
    assert device.counters.compiles == before + 2


def test_kernels_are_counted(private_device):
    device = private_device
    for local_size in (4, 8, 4):
        vk_shaders.affine(device, local_size)
    assert device.counters.kernels == device.live["kernel"] == 2
    before = device.counters.waits
    device.submit(affine_tape(device, counting(device, N), 1, 1))
    device.wait()
    assert device.counters.waits > before
