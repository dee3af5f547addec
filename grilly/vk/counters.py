"""Counters: what a device has done, for tests and benchmarks to assert on."""

from __future__ import annotations

from dataclasses import dataclass

from .compile import compiled


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
