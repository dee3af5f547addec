"""history: what the last updates of an optimizer have used."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from .optimizer import Optimizer


def history(optimizer: Optimizer, n: Any) -> npt.NDArray[np.void]:
    """Return what the last ``n`` updates have used, (at most n, groups)."""
    try:
        count = operator.index(n)
    except TypeError:
        raise TypeError(f"n must be a number of updates, an int, got {n!r}") from None
    if count < 0:
        raise ValueError(f"n must be at least 0, got {count}")
    rows: npt.NDArray[np.void] = optimizer._backend.used(count, len(optimizer.param_groups))
    return rows
