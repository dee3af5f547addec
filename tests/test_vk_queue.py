"""The queue between threads: a fence is in one flight at a time, and a flight holds its tapes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from vk_shaders import affine_tape, counting


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
    one, other = queue._last(), queue._last()
    assert one is other
    queue._poll(one, None)
    queue._leave(one, True)
    assert queue._fences == []
    queue._leave(other, False)
    assert len(queue._fences) == device.owner.live()["fence"] == 1
