"""history: what the last updates of an optimizer have used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..whole import count_of

if TYPE_CHECKING:
    from .optimizer import Optimizer


def history(optimizer: Optimizer, n: Any) -> npt.NDArray[np.void]:
    """Return what the last ``n`` updates have used, (at most n, groups)."""
    rows: npt.NDArray[np.void] = optimizer._backend.used(
        count_of("n", n), len(optimizer.param_groups)
    )
    return rows
