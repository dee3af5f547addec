"""A schedule's values for the host: what the groups and get_last_lr() show, in float64."""

from __future__ import annotations

import numpy as np

from ...schedules import Schedule


class Curve:
    """float64 values of a schedule for the host, computed a window of steps at a time."""

    SIZE = 256

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self._start: float = 0
        self._values: list[float] = []

    def __call__(self, t: float) -> float:
        place = t - self._start
        if not (0 <= place < len(self._values) and place == int(place)):
            self._start = t
            place = 0
            with np.errstate(all="ignore"):
                steps = t + np.arange(self.SIZE, dtype=np.float64)
                self._values = np.broadcast_to(self.schedule(steps), self.SIZE).tolist()
        return self._values[int(place)]
