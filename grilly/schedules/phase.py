"""What phases have in common: how much of one is done, and the ways from one value to another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..mathfun import half_cosine, positive_power
from .checks import check_choice


def progress(t: Any, steps: Any, begin: Any = 0) -> tuple[Any, Any]:
    """Return how many steps of a phase are done at step ``t``, and how many there are.

    Of a phase without length it is (0, 1) before ``begin``, and (1, 1) from it on.

    >>> [tuple(map(float, progress(t, steps=4, begin=2))) for t in (0, 3, 9)]
    [(0.0, 4.0), (1.0, 4.0), (4.0, 4.0)]
    """
    whole = np.where(steps > 0, steps, 1)
    clock = t - begin
    return np.where(clock < steps, np.maximum(clock, 0), whole), whole


def blend(shape: str, start: Any, end: Any, done: Any, whole: Any) -> Any:
    """Return the value on the way from ``start`` to ``end``, with ``done`` of ``whole`` steps done.

    ``shape`` is a key of SHAPES. The first and the last value are ``start`` and ``end`` themselves.

    >>> [round(float(blend(shape, 0.1, 1.0, 1, 4)), 6) for shape in SHAPES]
    [0.325, 0.231802, 0.177828, 0.55, 0.220577]
    """
    between = SHAPES[shape](start, end, done, whole)
    return np.where(done > 0, np.where(done < whole, between, end), start)


def check_shape(name: str, shape: str, start: Any, end: Any = 1) -> None:
    """Raise ValueError unless there is such a shape, and a way from ``start`` to ``end`` on it."""
    check_choice(name, shape, tuple(SHAPES))
    if shape == "exponential" and start * end <= 0:
        raise ValueError(
            f"an exponential way needs two values of one sign, none of them 0, got {start} and "
            f"{end}"
        )


def _linear(start: Any, end: Any, done: Any, whole: Any) -> Any:
    return (start * (whole - done) + end * done) / whole


def _cosine(start: Any, end: Any, done: Any, whole: Any) -> Any:
    return start * half_cosine((whole - done) / whole) + end * half_cosine(done / whole)


def _exponential(start: Any, end: Any, done: Any, whole: Any) -> Any:
    return start * positive_power(end / start, done / whole)


def _log(start: Any, end: Any, done: Any, whole: Any) -> Any:
    last = np.maximum(whole, 2)
    k = np.minimum(done + 1, last)
    return (start * np.log(last / k) + end * np.log(k)) / np.log(last)


def _one_minus_root(start: Any, end: Any, done: Any, whole: Any) -> Any:
    # 1 - sqrt(left / whole) as a quotient of sums: the difference would cancel near its begin.
    root = np.sqrt(whole * (whole - done))
    return start * root / whole + end * (done / (whole + root))


# The share of ``end``, with p = done / whole: p, (1 - cos(pi p)) / 2, the same factor at every
# step, ln(done + 1) / ln(whole) (so that of DeepSpeed's WarmupLR), 1 - sqrt(1 - p).
SHAPES: dict[str, Callable[..., Any]] = {
    "linear": _linear,
    "cosine": _cosine,
    "exponential": _exponential,
    "log": _log,
    "1-sqrt": _one_minus_root,
}
