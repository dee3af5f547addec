"""Progress: what all updates so far come to, as one value."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..planning import Array
from .products import Place

# Of a parameter, where the product of each corrected beta stands; () where nobody asks for it.
Places = tuple[Place, ...]
# The schedules' steps, by group and number; None for what follows no schedule.
Epochs = list[list["float | None"]]
# The steps that were predicted for the last update: they are made out when somebody asks.
AS_PREDICTED: Epochs = []


class Progress(NamedTuple):
    """What all updates so far come to: one value, so that an update is counted or is not."""

    steps: int = 0  # of the most updated parameter
    behind: Array = np.empty(0, np.int64)  # how many of them each parameter has missed
    row: int = 0  # updates since the backend's clock was started
    # The schedules' steps at the last update, and which of them had moved by then.
    last: Epochs = []  # noqa: RUF012 - never changed
    moved: list[list[bool]] = []  # noqa: RUF012 - never changed
    # Where each parameter's products were when the clock was started, and who has moved since.
    places: tuple[Places, ...] = ()
    moving: Array = np.empty(0, np.bool_)

    def now(self) -> list[Places]:
        """Return where each parameter's products are."""
        rows = np.where(self.moving, self.row, 0).tolist()
        return [
            tuple(Place(path, i + row) for path, i in own) if row else own
            for own, row in zip(self.places, rows, strict=True)
        ]
