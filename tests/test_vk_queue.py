"""The queue between threads: a fence is in one flight at a time, and a flight holds its tapes."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from vk_shaders import affine_after, affine_tape, counting

import grilly
from grilly.errors import DeviceError
from grilly.interrupt import Uninterrupted
from grilly.vk import binding
from grilly.vk import device as device_module
from grilly.vk import queue as queue_module


class BusyLock:
    """A lock that others want: each time it is released, ``others`` run before its holder does."""

    def __init__(self, others: Callable[[], object]) -> None:
        self.others = others
        self._lock = threading.Lock()
        self._inside = threading.local()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()
        if not getattr(self._inside, "others", False):
            self._inside.others = True
            try:
                self.others()
            finally:
                self._inside.others = False


def test_a_submission_between_a_waits_end_and_its_flights_end(private_device):
    """It must not take the fence of the flight that ends, nor be taken for landed with it."""
    device, queue = private_device, private_device.queue
    first, second = (affine_tape(device, counting(device, 100), 3, 1) for _ in range(2))
    polled: list[int] = []

    def others() -> None:
        if polled:
            polled.clear()
            device.submit(second)

    poll = queue._poll
    queue._poll = lambda *arguments: polled.append(1) or poll(*arguments)
    queue._lock = BusyLock(others)
    device.submit(first)
    device.wait()
    queue._lock = threading.Lock()
    assert not polled  # the second was submitted
    assert [flight.held for flight in queue._flights] == [(second,)]
    assert device.live["tape"] == 2


def test_threads_never_share_a_fence(private_device):
    device, queue = private_device, private_device.queue
    problems: list[object] = []

    def look() -> None:
        with queue._lock._lock:
            fences = [flight.fence for flight in queue._flights] + queue._fences
        if len({id(fence) for fence in fences}) != len(fences):
            problems.append(fences)
        time.sleep(0)

    def work() -> None:
        tape = affine_tape(device, counting(device, 100), 3, 1)
        try:
            for turn in range(60):
                device.submit(tape)
                device.wait(0.0 if turn % 3 else None)
        except Exception as problem:
            problems.append(problem)

    queue._lock = BusyLock(look)
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    device.wait()
    assert not queue._flights
    assert len(queue._fences) == device.owner.live()["fence"]


def test_a_fence_comes_back_from_waits_that_gave_up(private_device):
    """Two wait for one flight; one gives up after the other has retired it."""
    device, queue = private_device, private_device.queue
    device.submit(affine_tape(device, counting(device, 100), 3, 1))
    one, other = (queue._awaited(half=False) for _ in range(2))
    assert one is other
    queue._poll(one, None)
    queue._leave(one, True)
    assert queue._fences == []
    queue._leave(other, False)
    assert len(queue._fences) == device.owner.live()["fence"] == 1


def test_ctrl_c_after_a_fence_was_reset(private_device, monkeypatch):
    """It was a flight's that has landed: it must be none any more, or a wait is for ever."""
    device = private_device
    tape = affine_tape(device, counting(device, 100), 3, 1)
    device.submit(tape)
    while not device.queue._arrived(device.queue._flights[0]):
        pass
    pointer = binding._pointer

    def interrupted(name: str) -> Any:
        def call(*arguments: Any) -> Any:
            pointer(name)(*arguments)
            raise KeyboardInterrupt

        return call if name == "vkResetFences" else pointer(name)

    monkeypatch.setattr(binding, "_pointer", interrupted)
    with pytest.raises(KeyboardInterrupt):
        device.submit(tape)
    monkeypatch.setattr(binding, "_pointer", pointer)
    assert device.wait(5.0)
    device.submit(tape)
    assert device.wait(5.0)
    assert device.owner.live()["fence"] == 1


class Interrupted(deque):
    """Ctrl-C comes when the first of it is gone."""

    def popleft(self) -> Any:
        super().popleft()
        raise KeyboardInterrupt


def test_ctrl_c_as_a_flight_is_retired(private_device):
    """Who waits for it too must not retire those after it, which may be running."""
    device, queue = private_device, private_device.queue
    tape = affine_tape(device, counting(device, 100), 3, 1)
    device.submit(tape)
    one, other = (queue._awaited(half=False) for _ in range(2))
    queue._poll(one, None)
    queue._flights = Interrupted(queue._flights)
    with pytest.raises(KeyboardInterrupt):
        queue._leave(one, True)
    queue._flights = deque(queue._flights)
    device.submit(tape)
    queue._leave(other, True)
    assert len(queue._flights) == 1


def test_a_signal_handler_may_come_at_any_time(private_device, monkeypatch):
    """Inside a submission it is told what to do; a plain lock would wait for itself."""
    device, told = private_device, Counter()
    buffer = counting(device, 100)
    tape = affine_tape(device, buffer, 3, 1)

    def handler(name: str) -> int:
        monkeypatch.setattr(binding, "fault", None)
        try:
            device.wait()
            told[name, "done"] += 1
        except DeviceError as error:
            assert "signal handler" in str(error)
            told[name, "refused"] += 1
        monkeypatch.setattr(binding, "fault", handler)
        return 0

    monkeypatch.setattr(binding, "fault", handler)
    for _ in range(3):
        device.submit(tape)
        device.queue.wait()
    monkeypatch.setattr(binding, "fault", None)
    assert told["vkQueueSubmit", "refused"] == told["vkWaitForFences", "done"] == 3
    np.testing.assert_array_equal(buffer.read(np.uint32, 100), affine_after(100, *[(3, 1)] * 3))


def test_flights_are_bounded(private_device, monkeypatch):
    """A host that is faster than its device waits for it; Ctrl-C may have come before some."""
    monkeypatch.setattr(queue_module, "MOST_FLIGHTS", 8)
    device, made = private_device, 0
    monkeypatch.setattr(device.queue, "_arrived", lambda flight: False)  # not seen to land
    buffer = counting(device, 100)
    tape = affine_tape(device, buffer, 3, 1)

    def interrupt(name: str) -> int:
        if name == "vkQueueSubmit":
            raise KeyboardInterrupt
        return 0

    for turn in range(200):
        monkeypatch.setattr(binding, "fault", interrupt if turn % 3 == 2 else None)
        with suppress(KeyboardInterrupt):
            device.submit(tape)
            made += 1
        assert len(device.queue._flights) <= 8
    monkeypatch.setattr(binding, "fault", None)
    assert device.owner.live()["fence"] <= 9
    np.testing.assert_array_equal(buffer.read(np.uint32, 100), affine_after(100, *[(3, 1)] * made))


def test_a_replay_that_waits_for_room_hears_ctrl_c(private_device, monkeypatch):
    """Before it puts Ctrl-C off, and takes the locks of its optimizers."""
    monkeypatch.setattr(queue_module, "MOST_FLIGHTS", 4)
    monkeypatch.setattr(private_device.queue, "_arrived", lambda flight: False)  # not seen to land
    index = private_device.info.index
    monkeypatch.setitem(device_module._open, index, private_device)
    x = grilly.zeros(4, index)
    with grilly.record() as tape:
        x.add_(x)
    tape.replay(1)

    def interrupt(name: str) -> int:
        if name == "vkWaitForFences":
            handler = signal.getsignal(signal.SIGINT)
            put_off.append(isinstance(getattr(handler, "__self__", None), Uninterrupted))
            raise KeyboardInterrupt
        return 0

    put_off: list[bool] = []
    polls = private_device.counters.waits
    monkeypatch.setattr(binding, "fault", interrupt)
    with pytest.raises(KeyboardInterrupt):
        for _ in range(10):
            tape.replay(1)
    assert put_off == [False]
    monkeypatch.setattr(binding, "fault", None)
    assert private_device.counters.waits == polls + 1
    assert private_device.wait(5.0)


def test_a_handler_that_closes_the_device_amid_a_submission(private_device, monkeypatch):
    tape = affine_tape(private_device, counting(private_device, 100), 3, 1)
    told: list[str] = []

    def handler(name: str) -> int:
        if name == "vkQueueSubmit":
            with pytest.raises(DeviceError, match="signal handler"):
                private_device.close()
            told.append(name)
        return 0

    monkeypatch.setattr(binding, "fault", handler)
    private_device.submit(tape)
    monkeypatch.setattr(binding, "fault", None)
    assert told == ["vkQueueSubmit"] and not private_device.closed
    assert private_device.wait(5.0)


def test_another_threads_submission_is_waited_for(private_device, monkeypatch):
    """Who closes a device then is no signal handler."""
    tape = affine_tape(private_device, counting(private_device, 100), 3, 1)
    inside, go, found = threading.Event(), threading.Event(), []

    def pause(name: str) -> int:
        if name == "vkQueueSubmit":
            inside.set()
            go.wait(10)
        return 0

    monkeypatch.setattr(binding, "fault", pause)
    submitting = threading.Thread(target=private_device.submit, args=[tape])
    submitting.start()
    assert inside.wait(10)

    def close() -> None:
        try:
            private_device.close()
            found.append(None)
        except DeviceError as error:
            found.append(error)

    closing = threading.Thread(target=close)
    closing.start()
    closing.join(0.2)
    assert found == []
    go.set()
    closing.join(10)
    submitting.join(10)
    assert found == [None] and private_device.closed
