"""Functions of numpy that are said with the language's own operations: they need no GLSL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def _ceil(a: Any) -> Any:
    return -np.floor(-a)


def _sign(a: Any) -> Any:
    return np.where(a > 0, 1, np.where(a < 0, -1, 0))


def _expm1(a: Any) -> Any:
    """Return e^a - 1 without cancellation: (u - 1) / log(u) hardly feels the rounding of u."""
    u = np.exp(a)
    value = np.where(u == 1, a, (u - 1) * (a / np.log(u)))
    return np.where(a < -64, -1, value)  # there u may be 0


def _log1p(a: Any) -> Any:
    """Return log(1 + a) without cancellation: log(u) / (u - 1) hardly feels the rounding of u."""
    u = 1 + a
    return np.where(u == 1, a, np.log(u) * (a / (u - 1)))


# The formulas for expm1 and log1p are W. Kahan's.
COMPOSED: dict[Callable[..., Any], Callable[..., Any]] = {
    np.square: lambda a: a * a,
    np.reciprocal: lambda a: 1 / a,
    np.fabs: np.absolute,
    np.ceil: _ceil,
    np.trunc: lambda a: np.where(a < 0, _ceil(a), np.floor(a)),
    np.sign: _sign,
    np.clip: lambda a, low, high: np.minimum(np.maximum(a, low), high),
    np.expm1: _expm1,
    np.log1p: _log1p,
}
