"""Conditions on Near, choices by them, and lists: sure where no error could turn them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .arithmetic import floor
from .near import MOST, Near, reach, unsure


def compare(ufunc: Callable[[Any, Any], Any]) -> Callable[[Near, Near], Near]:
    """Return the rule of a comparison: sure where they are further apart than they reach."""

    def rule(a: Near, b: Near) -> Near:
        value = ufunc(a.value, b.value)
        if a.exact and b.exact:
            return Near(value)
        far = 2 * (reach(a) + reach(b))
        apart = (np.abs(a.value - b.value) > far) | (far == 0)
        return Near(value, unsure(~apart))

    return rule


def logic(ufunc: Callable[..., Any]) -> Callable[..., Near]:
    """Return the rule of a logical operation: sure where all of its conditions are."""

    def rule(*conditions: Near) -> Near:
        errors = [condition.error for condition in conditions]
        return Near(ufunc(*(condition.value for condition in conditions)), sum(errors, 0.0))

    return rule


def where(condition: Near, a: Near, b: Near) -> Near:
    """Return ``a`` or ``b``; one error serves for both where there is one."""
    error = a.error
    if not (isinstance(a.error, float) and isinstance(b.error, float)):
        error = np.where(condition.value, a.error, b.error)
    elif max(a.error, b.error) < MOST:
        error = max(a.error, b.error)
    elif a.error != b.error:
        error = np.where(condition.value, a.error, b.error)
    return Near(np.where(condition.value, a.value, b.value), error + condition.error)


def reached(t: Near, bounds: Near) -> Near:
    """Return how many of ``bounds`` are <= t."""
    if t.exact and bounds.exact:
        return Near(_counted(t.value, bounds.value))
    far = reach(t) + np.abs(t.value) * bounds.error * 2.0**-52
    least, most = (_counted(t.value + way, bounds.value) for way in (-far, far))
    return Near(least, unsure((least != most) | ~np.isfinite(far)))


def _counted(t: Any, bounds: Any) -> Any:
    if bounds.size == bounds.shape[-1]:
        return np.searchsorted(np.sort(bounds.reshape(-1)), t, side="right").astype(np.float64)
    return np.count_nonzero(bounds <= np.asarray(t)[..., None], axis=-1).astype(np.float64)


def pick(i: Near, values: Near) -> Near:
    """Return value number floor(i), the first or last where there is none."""
    whole = floor(i)
    last = values.value.shape[-1] - 1
    at = np.fmax(np.fmin(whole.value, last), 0).astype(np.int64)  # of nan, the last
    if values.value.size == last + 1:
        return Near(values.value.reshape(-1)[at], values.error + whole.error)
    shape = np.broadcast_shapes(values.value.shape[:-1], at.shape)
    lists = np.broadcast_to(values.value, (*shape, last + 1))
    picked = np.take_along_axis(lists, np.broadcast_to(at, shape)[..., None], axis=-1)[..., 0]
    return Near(picked, values.error + whole.error)
