"""How much is measured: sizes and rounds."""

from __future__ import annotations

from typing import NamedTuple

from .timing import ROUNDS


class Scale(NamedTuple):
    """Sizes are numbers of parameters.

    ``pairs`` are the rounds where 1 % is looked for; ``work`` is how many parameters a timed run
    updates, in so many steps; at least one.
    """

    rounds: int = ROUNDS
    pairs: int = 100
    sizes: tuple[int, ...] = (10**5, 10**6, 10**7)
    small: int = 10**4
    large: int = 10**6
    huge: int = 10**7
    work: int = 4 * 10**6
    steps: int = 1000  # of a long replay
    members: int = 1000  # tensors, and groups
    most_members: int = 10_000
    windows: tuple[int, ...] = (8, 16, 32, 64, 128, 256, 512)
    numpy_windows: tuple[int, ...] = (64, 256, 1024, 4096, 16384)
    table: int = 10**6  # steps of a schedule
    stepped: int = 2 * 10**4  # of torch's scheduler, for such a table
    processes: int = 3  # in which memory is looked at
    starts: tuple[str, ...] = ("shipped", "compiled")  # where schedules' shaders come from

    def steps_of(self, size: int, most: int = 64) -> int:
        """Return the steps of a run over ``size`` parameters."""
        return max(1, min(most, self.work // size))


FULL = Scale()
# To see that all of it runs.
QUICK = Scale(
    rounds=2,
    pairs=2,
    sizes=(1000, 4096),
    small=64,
    large=1000,
    huge=4096,
    work=2000,
    steps=20,
    members=10,
    most_members=20,
    windows=(8, 16, 256),
    numpy_windows=(8, 4096),
    table=2000,
    stepped=20,
    processes=1,
    starts=("shipped",),
)
