"""Columns: the numbers of a group that can be scheduled, by the names that users give them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .adam import Adam
from .options import FLOAT32_OVERFLOW, Key, Limit, number_of, option
from .rows import Values

# What schedulers leave in a group beside its options.
_NOTES = {"initial_lr", "max_lr", "min_lr", "max_momentum", "base_momentum", "swa_lr"}


def columns_of(optimizer: Any) -> dict[str, Key]:
    """Return where each number that can be scheduled stands in a group, by name.

    Of grilly's optimizers these are the numbers of their columns; of torch's, and of bare groups,
    the numbers in the first group. Those of a pair "betas" are "beta1" and "beta2".
    """
    declared = getattr(optimizer, "columns", None)
    if declared is not None:
        options, keys = optimizer.defaults, [column.key for column in declared.values()]
    else:
        options = next(iter(optimizer.param_groups), {})
        keys = [key for name in options for key in _keys(name, options[name])]
    return {_name(key): key for key in keys if _is_number(option(options, key))}


def limits_of(optimizer: Any) -> Mapping[Key, Limit]:
    """Return the limits of an optimizer's numbers: those of Adam's where none are declared."""
    limits: Mapping[Key, Limit] = getattr(optimizer, "limits", Adam.limits)
    return limits


def sound(limits: Mapping[Key, Limit], key: Key, values: Values) -> Any:
    """Return which of ``values`` can stand at ``key`` in a group: bool, of the same shape."""
    limit, good = limits.get(key), np.abs(values) < FLOAT32_OVERFLOW  # not so of nan
    if limit is not None and not limit.argument:
        good &= (values >= 0.0) & (values < limit.below)
    return good


def _keys(name: str, value: Any) -> list[Key]:
    if name == "params" or name in _NOTES:
        return []
    if isinstance(value, (tuple, list)):
        return [(name, i) for i in range(len(value))]
    return [(name,)]


def _name(key: Key) -> str:
    return key[0] if len(key) == 1 else f"{key[0].removesuffix('s')}{key[1] + 1}"


def _is_number(value: Any) -> bool:
    try:
        number_of(value, "")
    except TypeError:
        return False
    return not isinstance(value, (bool, np.bool_))
