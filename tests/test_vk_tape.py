"""Tapes: replays, order within and between submissions, and what recording refuses."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import vk_shaders
from vk_shaders import affine_after, affine_tape, affine_words, counting

from grilly import vk
from grilly.errors import DeviceError, DeviceLimitError
from grilly.vk.hazards import Hazards

N = 100


def test_one_tape_replays_a_thousand_times(device):
    buffer = counting(device, N)
    tape = affine_tape(device, buffer, 3, 1)
    for _ in range(1000):
        device.submit(tape)
    device.wait()
    np.testing.assert_array_equal(buffer.read(np.uint32, N), affine_after(N, *[(3, 1)] * 1000))


def test_a_thousand_replays_are_one_submission(device):
    buffer = counting(device, N)
    tape = affine_tape(device, buffer, 3, 1)
    counters = device.counters
    before = counters.submissions, counters.dispatches, counters.recorded
    device.submit(*[tape] * 1000)
    device.wait()
    after = counters.submissions, counters.dispatches, counters.recorded
    assert after == (before[0] + 1, before[1] + 1000, before[2])
    np.testing.assert_array_equal(buffer.read(np.uint32, N), affine_after(N, *[(3, 1)] * 1000))


def test_tapes_of_one_submission_run_in_order(device):
    buffer = counting(device, N)
    steps = [(3, 1), (5, 7), (2, 11)]
    tapes = [affine_tape(device, buffer, *step) for step in steps]
    order = [0, 2, 1, 1, 0, 2, 2, 0]
    device.submit(*[tapes[i] for i in order])
    device.submit(*[tapes[i] for i in reversed(order)])
    device.wait()
    want = affine_after(N, *[steps[i] for i in order + order[::-1]])
    np.testing.assert_array_equal(buffer.read(np.uint32, N), want)


def test_a_barrier_orders_what_one_tape_does(device):
    source, target = counting(device, N), device.buffer(4 * N, "host", fill=255)
    bound = vk_shaders.affine(device).bind([source])
    with vk.Tape(device) as tape:
        for _ in range(3):
            tape.dispatch(bound, N, affine_words(N, 3, 1))
            tape.barrier()
        tape.copy(source, target, 4 * (N - 2), src_offset=8, dst_offset=4)
    device.submit(tape)
    device.wait()
    got = target.view(np.uint32)
    np.testing.assert_array_equal(got[1 : N - 1], affine_after(N, *[(3, 1)] * 3)[2:])
    assert got[0] == got[N - 1] == 2**32 - 1


def test_reading_waits_for_what_was_submitted(device):
    buffer = counting(device, N)
    tape = affine_tape(device, buffer, 1, 1)
    for step in range(1, 50):
        device.submit(tape)
        assert buffer.read(np.uint32, 1)[0] == step


def test_a_dropped_tape_in_flight_still_runs(private_device):
    device = private_device
    buffer = counting(device, N)
    for step in range(200):
        device.submit(affine_tape(device, buffer, 3, step))
    device.wait()
    want = affine_after(N, *[(3, step) for step in range(200)])
    np.testing.assert_array_equal(buffer.read(np.uint32, N), want)
    assert device.live == {"buffer": 1, "kernel": 1, "binding": 0, "tape": 0}


def test_fences_are_used_again(private_device):
    device = private_device
    tape = affine_tape(device, counting(device, N), 3, 1)
    for _ in range(100):
        device.submit(tape)
        device.wait()
    assert device.owner.live()["fence"] == 1


def test_wait_with_a_time_limit(private_device):
    device = private_device
    assert device.wait(0.0)
    spin = device.kernel(vk.compile_glsl(vk_shaders.SPIN), 1, 0, {0: 1})
    with vk.Tape(device) as tape:
        tape.dispatch(spin.bind([device.buffer(64)]), 1000)
    device.submit(tape)
    assert not device.wait(0.001)
    assert device.wait()
    assert device.wait(0.0)


def test_threads_share_a_device(device):
    """Each thread has its own buffer; submissions and waits interleave."""
    buffers = [counting(device, N) for _ in range(4)]
    problems = []

    def work(buffer: vk.Buffer) -> None:
        try:
            for _ in range(50):
                device.submit(affine_tape(device, buffer, 3, 1))
                device.wait()
        except Exception as problem:
            problems.append(problem)

    threads = [threading.Thread(target=work, args=[buffer]) for buffer in buffers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    for buffer in buffers:
        np.testing.assert_array_equal(buffer.read(np.uint32, N), affine_after(N, *[(3, 1)] * 50))


def test_dispatch_refused(device):
    bound = vk_shaders.affine(device).bind([device.buffer(64)])
    push = affine_words(1, 1, 1)
    with vk.Tape(device) as tape:
        with pytest.raises(DeviceLimitError, match="groups"):
            tape.dispatch(bound, device.limits.max_groups + 1, push)
        with pytest.raises(ValueError, match="groups"):
            tape.dispatch(bound, 0, push)
        with pytest.raises(ValueError, match="12 bytes for this kernel, got 0"):
            tape.dispatch(bound, 1)
        with pytest.raises(ValueError, match="got 8"):
            tape.dispatch(bound, 1, push[:8])


def test_copy_refused(device):
    small, large = device.buffer(64), device.buffer(128)
    with vk.Tape(device) as tape:
        with pytest.raises(ValueError, match="dst"):
            tape.copy(large, small, 128)
        with pytest.raises(ValueError, match="src"):
            tape.copy(small, large, 32, src_offset=40)
        with pytest.raises(ValueError, match="overlap"):
            tape.copy(large, large, 64, dst_offset=32)


def test_only_a_finished_tape_is_submitted(device):
    bound = vk_shaders.affine(device).bind([device.buffer(64)])
    with vk.Tape(device) as tape, pytest.raises(DeviceError, match="recorded to its end"):
        device.submit(tape)
    with pytest.raises(DeviceError, match="with Tape"):
        tape.dispatch(bound, 1, affine_words(1, 1, 1))
    with pytest.raises(DeviceError, match="once"), tape:
        pass
    broken = vk.Tape(device)
    with pytest.raises(ZeroDivisionError), broken:
        1 / 0  # noqa: B018
    with pytest.raises(DeviceError, match="recorded to its end"):
        device.submit(broken)


def test_objects_of_two_devices_do_not_mix(device, private_device):
    bound = vk_shaders.affine(device).bind([device.buffer(64)])
    with vk.Tape(private_device) as tape:
        with pytest.raises(ValueError, match="kernel is for"):
            tape.dispatch(bound, 1, affine_words(1, 1, 1))
        with pytest.raises(ValueError, match="src is on"):
            tape.copy(device.buffer(64), private_device.buffer(64), 64)
    with pytest.raises(ValueError, match="tape 0 is for"):
        device.submit(tape)
    with pytest.raises(ValueError, match="buffer 0 is on"):
        vk_shaders.affine(device).bind([private_device.buffer(64)])


def replay_a_chain(device: vk.Device) -> None:
    source, target = counting(device, N), device.buffer(4 * N)
    bound = vk_shaders.affine(device).bind([source])
    with vk.Tape(device) as tape:
        tape.dispatch(bound, N, affine_words(N, 3, 1))
        tape.copy(source, target, 4 * N)
        tape.dispatch(bound, N, affine_words(N, 5, 7))
    device.submit(tape, tape)
    device.wait()


PLANTED = {  # name: what to spoil, and with what
    "no barrier between commands": (Hazards, "conflict", lambda *_: False),
    "no barrier before a replay": (vk.Tape, "_leading", None),
}


@pytest.mark.validation
@pytest.mark.parametrize("planted", PLANTED)
def test_the_validation_layer_finds_a_missing_barrier(device, planted, monkeypatch):
    """And says nothing when the tape places its barriers: else it could not be trusted here."""
    if not vk.validating():
        pytest.skip("needs GRILLY_VALIDATE=1")
    replay_a_chain(device)
    assert vk.messages == []
    monkeypatch.setattr(*PLANTED[planted])
    replay_a_chain(device)
    found = [message for message in vk.messages if "SYNC-HAZARD" in message]
    del vk.messages[:]
    assert found
