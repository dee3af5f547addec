"""The queue of a device: submit, wait, and what must stay alive until the device is done."""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import ExitStack
from itertools import islice
from math import inf
from typing import Any

from ..errors import DeviceError, DeviceLostError
from . import binding
from .counters import Counters
from .owner import Owner

# Ctrl-C is dead inside vkWaitForFences, so a wait is cut into slices of this many nanoseconds.
SLICE = 100_000_000
# Flights at once: a host that is faster waits for the first half of them, for each takes memory.
MOST_FLIGHTS = 1024
WITHIN = (
    "the device is called from a signal handler or a finalizer that interrupted a submission to it:"
    " set a flag there, and do it after the call that was interrupted"
)


class Flight:
    """One submission on its way: its fence, and what it uses."""

    __slots__ = ("fence", "held", "landed", "results", "waiters")

    def __init__(self, fence: Any, held: object) -> None:
        self.fence = fence
        self.held = held
        self.results: list[int] = []
        self.waiters = 0
        self.landed = False

    @property
    def submitted(self) -> bool:
        """Whether the driver took it; False after a failure, or Ctrl-C just before."""
        return self.results == [binding.SUCCESS]


class Queue:
    """A VkQueue with one lock, and the flights that are not known to have landed.

    The lock lets its own thread in again, which then is told WITHIN: to wait would be for ever.
    """

    def __init__(self, owner: Owner, handle: Any, counters: Counters) -> None:
        self.owner = owner
        self._counters = counters
        self._handle = handle
        self._lock = threading.RLock()
        self._inside = False
        self._flights: deque[Flight] = deque()
        self._fences: list[Any] = []

    def submit(self, info: Any, held: object, dispatches: int) -> None:
        """Submit the prebuilt VkSubmitInfo at ``info``; ``held`` lives until it has landed.

        It counts for ``dispatches``. The caller has checked the owner.
        """
        self.make_room()
        with self._lock:
            self._refuse_inside()
            try:
                self._inside = True
                landed = self._submit(info, held, dispatches)
            finally:
                self._inside = False
        del landed  # outside the lock: this may free the tapes that it held
        self.owner.sweep()

    def _submit(self, info: Any, held: object, dispatches: int) -> Flight | None:
        fence, landed = self._fence()
        flight = Flight(fence, held)
        # Registered first: if Ctrl-C comes now, ``results`` tells whether it was submitted.
        self._flights.append(flight)
        binding.run(flight.results, "vkQueueSubmit", self._handle, 1, info, fence[0])
        if flight.results[0]:
            self._flights.pop()
            self._fences.append(fence)
            self._fail("vkQueueSubmit", flight.results[0])
        self._counters.submissions += 1
        self._counters.dispatches += dispatches
        return landed

    def check_outside(self) -> None:
        """Raise DeviceError in what has interrupted this thread's own submission."""
        with self._lock:  # another thread's is waited for
            self._refuse_inside()

    def _refuse_inside(self) -> None:
        if self._inside:
            raise DeviceError(WITHIN)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for all that was submitted so far; False if ``timeout`` seconds were not enough."""
        self.owner.check()
        return self.settle(timeout)

    def settle(self, timeout: float | None = None) -> bool:
        """``wait`` for a device that is being closed."""
        flight = self._awaited(half=False)
        return flight is None or self._await(flight, timeout)

    def make_room(self) -> None:
        """Wait until half of the flights have landed, if there are as many as there may be."""
        full = len(self._flights) >= MOST_FLIGHTS
        if full and (flight := self._awaited(half=True)) is not None:
            self._await(flight, None)

    def _await(self, flight: Flight, timeout: float | None) -> bool:
        done = False
        try:
            done = self._poll(flight, timeout)
        finally:
            self._leave(flight, done)
        self.owner.sweep()
        return done

    def forget(self) -> None:
        """Drop all flights of a closed device, with what they held."""
        with self._lock:
            flights, self._flights = self._flights, deque()
        flights.clear()

    def _awaited(self, half: bool) -> Flight | None:
        """Return the newest flight, or that after the older half, with one more waiter.

        None if nothing is in flight.
        """
        with self._lock:
            self._refuse_inside()
            try:
                self._inside = True
                flights = self._flights
                while flights and not flights[-1].submitted:
                    self._fences.append(flights.pop().fence)
                if not flights:
                    return None
                rest = islice(flights, len(flights) // 2, None) if half else (flights[-1],)
                flight = next(one for one in rest if one.submitted)
                self._counters.waits += 1
                flight.waiters += 1
                return flight
            finally:
                self._inside = False

    def _poll(self, flight: Flight, timeout: float | None) -> bool:
        fence = flight.fence
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            seconds = inf if end is None else max(0.0, end - time.monotonic())
            left = SLICE if seconds * 1e9 >= SLICE else int(seconds * 1e9)
            results: list[int] = []
            binding.run(results, "vkWaitForFences", self.owner.device, 1, fence, 1, left)
            if results[0] == binding.SUCCESS:
                return True
            if results[0] != binding.TIMEOUT:
                self._fail("vkWaitForFences", results[0])
            if left < SLICE:
                return False

    def _leave(self, flight: Flight, done: bool) -> None:
        """End a wait for ``flight``; if it is done, so are all before it, and they are retired.

        Under the lock as a whole: between a wait's end and its flight's, a submission would take
        the fence.
        """
        landed = []  # freed when this returns, outside the lock: that may free tapes
        with self._lock:
            try:
                self._inside = True
                flight.waiters -= 1
                while done and self._flights and not flight.landed:
                    landed.append(self._flights[0])
                    landed[-1].landed = True  # before it goes: Ctrl-C may come between
                    self._flights.popleft()
                    self._give_back(landed[-1])
                self._give_back(flight)
            finally:
                self._inside = False

    def _give_back(self, flight: Flight) -> None:
        """Keep the fence of a flight that has landed, unless somebody still waits for it."""
        if flight.landed and flight.fence is not None and not flight.waiters:
            self._fences.append(flight.fence)
            flight.fence = None

    def _fence(self) -> tuple[Any, Flight | None]:
        """Return an unsignalled fence (a one-element array) and the flight that it came from."""
        while self._flights and not self._flights[0].submitted:  # Ctrl-C came before it was
            self._fences.append(self._flights.popleft().fence)
        if self._fences:
            self._reset(self._fences[-1])
            return self._fences.pop(), None
        if self._flights and self._arrived(self._flights[0]):
            flight = self._flights[0]
            flight.landed = True
            self._flights.popleft()  # a flight whose fence is reset would be waited for for ever
            self._fences.append(flight.fence)
            self._reset(flight.fence)
            return self._fences.pop(), flight
        return self._new_fence(), None

    def _arrived(self, flight: Flight) -> bool:
        if flight.waiters or not flight.submitted:
            return False
        results: list[int] = []
        binding.run(results, "vkGetFenceStatus", self.owner.device, flight.fence[0])
        if results[0] < 0:
            self._fail("vkGetFenceStatus", results[0])
        return results[0] == binding.SUCCESS

    def _reset(self, fence: Any) -> None:
        results: list[int] = []
        binding.run(results, "vkResetFences", self.owner.device, 1, fence)
        if results[0]:
            self._fail("vkResetFences", results[0])

    def _new_fence(self) -> Any:
        with ExitStack() as undo:
            info = binding.struct("VkFenceCreateInfo")
            fence = self.owner.create(undo, "Fence", info)
            self.owner.adopt("fence", undo)
        return binding.array("VkFence[]", [fence])

    def _fail(self, name: str, code: int) -> None:
        error = binding.failure(name, code)
        self.owner.lost |= isinstance(error, DeviceLostError)
        try:
            raise error
        finally:
            del error  # else error and frame hold each other, and with them what was submitted
