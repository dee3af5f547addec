"""state_dict of an optimizer, in torch's keys, checked as a whole before anything is changed."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import StateError
from ..nn.parameter import Float32

if TYPE_CHECKING:
    from .optimizer import Optimizer


def saved_state(optimizer: Optimizer) -> dict[str, Any]:
    """Return {"state": {i: {"step": int, name: array}}, "param_groups": [...]}, all copies."""
    held = optimizer._held_states()
    updates = optimizer._timeline.updates
    state = {i: {"step": n, **held[i]} for i, n in enumerate(updates) if n}
    for i, entry in state.items():
        if not optimizer._group_of(i).get("amsgrad", True):
            entry.pop("max_exp_avg_sq", None)
    groups, first = [], 0
    for group in optimizer.param_groups:
        numbers = list(range(first, first + len(group["params"])))
        first += len(numbers)
        options = {k: copy.deepcopy(v) for k, v in group.items() if k != "params"}
        groups.append({**options, "params": numbers})
    return {"state": state, "param_groups": groups}


def load_state(optimizer: Optimizer, state_dict: dict[str, Any]) -> None:
    """Replace the options and states of ``optimizer`` by those of ``state_dict``."""
    groups, state = _parts(state_dict)
    _check_groups(optimizer, groups)
    numbers = [n for group in groups for n in group["params"]]
    updates = [0] * len(numbers)
    arrays: list[dict[str, Float32]] = [{} for _ in numbers]
    for i, number in enumerate(numbers):
        if number in state:
            updates[i], arrays[i] = _entry(optimizer, i, state[number])
    merged = [
        _merged(optimizer, mine, group)
        for mine, group in zip(optimizer.param_groups, groups, strict=True)
    ]
    for mine, options in zip(optimizer.param_groups, merged, strict=True):
        mine.update(options)
    optimizer._allocate()
    optimizer._timeline.updates = updates
    for i, entry in enumerate(arrays):
        for name in optimizer.states:
            zeros = np.zeros(optimizer._array(i).shape, np.float32)
            optimizer._backend.write(name, i, entry.get(name, zeros))


def _parts(state_dict: Any) -> tuple[list[dict[str, Any]], dict[Any, Any]]:
    if not isinstance(state_dict, dict) or not {"state", "param_groups"} <= set(state_dict):
        raise StateError('state_dict must be a dict with "state" and "param_groups"')
    groups, state = state_dict["param_groups"], state_dict["state"]
    if not isinstance(groups, list) or not all(
        isinstance(g, dict) and "params" in g for g in groups
    ):
        raise StateError('state_dict["param_groups"] must be a list of dicts with "params"')
    if not isinstance(state, dict):
        raise StateError(f'state_dict["state"] must be a dict, got {type(state).__name__}')
    return groups, state


def _check_groups(optimizer: Optimizer, groups: list[dict[str, Any]]) -> None:
    if len(groups) != len(optimizer.param_groups):
        raise StateError("loaded state dict has a different number of parameter groups")
    for mine, group in zip(optimizer.param_groups, groups, strict=True):
        if len(mine["params"]) != len(group["params"]):
            raise StateError(
                "loaded state dict contains a parameter group "
                "that doesn't match the size of optimizer's group"
            )


def _merged(optimizer: Optimizer, mine: dict[str, Any], group: dict[str, Any]) -> dict[str, Any]:
    options = {k: copy.deepcopy(v) for k, v in group.items() if k != "params"}
    try:
        optimizer._check({**mine, **options})
    except (ValueError, TypeError) as error:
        raise StateError(f'state_dict["param_groups"]: {error}') from error
    return options


def _entry(optimizer: Optimizer, i: int, entry: Any) -> tuple[int, dict[str, Float32]]:
    """Return (updates, arrays) of one parameter's entry, or raise StateError."""
    if not isinstance(entry, dict) or "step" not in entry:
        raise StateError(f'state_dict["state"][{i}] must be a dict with "step", got {entry!r}')
    step = float(entry["step"])
    if not (step >= 0 and step == int(step)):
        raise StateError(f'state_dict["state"][{i}]["step"] must be a count, got {step}')
    arrays = {}
    for name in set(entry) - {"step"}:
        values = np.asarray(entry[name], np.float32)
        if values.shape != optimizer._array(i).shape:
            raise StateError(
                f'state_dict["state"][{i}][{name!r}] has shape {values.shape}, '
                f"the parameter has {optimizer._array(i).shape}"
            )
        arrays[name] = values
    return int(step), arrays
