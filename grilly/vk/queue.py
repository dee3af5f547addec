"""The queue of a device: submit, wait, and what must stay alive until the device is done."""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass
from math import inf
from typing import Any

from ..errors import DeviceLostError
from . import binding
from .compile import compiled
from .owner import Owner

# Ctrl-C is dead inside vkWaitForFences, so a wait is cut into slices of this many nanoseconds.
SLICE = 100_000_000


@dataclass
class Counters:
    """What a device has done since it was opened."""

    bytes_up: int = 0  # through Buffer.write
    bytes_down: int = 0  # through Buffer.read
    submissions: int = 0
    dispatches: int = 0  # submitted: those of a tape count each time
    recorded: int = 0  # dispatches recorded in tapes
    waits: int = 0
    kernels: int = 0  # pipelines made
    allocations: int = 0  # of device memory

    @property
    def compiles(self) -> int:
        """GLSL compiled in this process, for whatever device; what was cached is not counted."""
        return compiled()


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
    """A VkQueue with one lock, and the flights that are not known to have landed."""

    def __init__(self, owner: Owner, handle: Any, counters: Counters) -> None:
        self.owner = owner
        self._counters = counters
        self._handle = handle
        self._lock = threading.Lock()
        self._flights: deque[Flight] = deque()
        self._fences: list[Any] = []

    def submit(self, info: Any, held: object, dispatches: int) -> None:
        """Submit the prebuilt VkSubmitInfo at ``info``; ``held`` lives until it has landed.

        It counts for ``dispatches``. The caller has checked the owner.
        """
        with self._lock:
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
        del landed  # outside the lock: this may free the tapes that it held
        self.owner.sweep()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for all that was submitted so far; False if ``timeout`` seconds were not enough."""
        self.owner.check()
        return self.settle(timeout)

    def settle(self, timeout: float | None = None) -> bool:
        """``wait`` for a device that is being closed."""
        flight = self._last()
        if flight is None:
            return True
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

    def _last(self) -> Flight | None:
        """Return the newest flight, with one more waiter; None if nothing is in flight."""
        with self._lock:
            while self._flights and not self._flights[-1].submitted:
                self._fences.append(self._flights.pop().fence)
            if not self._flights:
                return None
            self._counters.waits += 1
            self._flights[-1].waiters += 1
            return self._flights[-1]

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
        landed = [flight]
        with self._lock:
            flight.waiters -= 1
            while done and self._flights and not flight.landed:
                landed.append(self._flights.popleft())
                landed[-1].landed = True
            for old in landed:
                if old.landed and old.fence is not None and not old.waiters:
                    self._fences.append(old.fence)  # else its last waiter does it
                    old.fence = None
        landed.clear()  # outside the lock: this may free tapes

    def _fence(self) -> tuple[Any, Flight | None]:
        """Return an unsignalled fence (a one-element array) and the flight that it came from."""
        while self._flights and not self._flights[0].submitted:  # Ctrl-C came before it was
            self._fences.append(self._flights.popleft().fence)
        if self._fences:
            self._reset(self._fences[-1])
            return self._fences.pop(), None
        if self._flights and self._arrived(self._flights[0]):
            self._reset(self._flights[0].fence)
            flight = self._flights.popleft()
            flight.landed = True
            return flight.fence, flight
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
