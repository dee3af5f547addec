"""Lists of numbers, an X whose last axis counts them: the counterparts of lists.glsl."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arithmetic import less_equal
from .convert import from_int
from .number import X
from .wide import shift_right


def stack(*numbers: X) -> X:
    """Return the numbers as one list."""
    columns = zip(*numbers, strict=True)
    fields: list[Any] = [np.stack(np.broadcast_arrays(*column), axis=-1) for column in columns]
    return X(*fields)


def reached(t: X, bounds: X) -> X:
    """Return how many of ``bounds`` are <= t."""
    fields: list[Any] = [np.asarray(field)[..., None] for field in t]
    found = less_equal(bounds, X(*fields))
    return from_int(np.sum(found, axis=-1, dtype=np.int64))


def pick(i: X, values: X) -> X:
    """Return value number floor(i), the first or last where there is none."""
    last = values.m.shape[-1] - 1
    whole = shift_right(np.asarray(i.m), np.clip(64 - np.asarray(i.e), 0, 64)).astype(np.int64)
    small = i.s | (np.asarray(i.e) <= 0)
    at = np.where(small, 0, np.where(np.asarray(i.e) > 31, last, np.minimum(whole, last)))
    fields: list[Any] = [_taken(np.asarray(field), at) for field in values]
    return X(*fields)


def _taken(field: Any, at: Any) -> Any:
    shape = np.broadcast_shapes(field.shape[:-1], at.shape)
    field = np.broadcast_to(field, (*shape, field.shape[-1]))
    return np.take_along_axis(field, np.broadcast_to(at, shape)[..., None], axis=-1)[..., 0]
