"""state_dict of an optimizer, in torch's keys, checked as a whole before anything is changed."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import StateError
from ..nn.parameter import Float32
from ..schedules.steps import MOST_STEPS
from .options import number_of
from .params import real_array

if TYPE_CHECKING:
    from .optimizer import Optimizer


class Loaded(NamedTuple):
    """A parameter's number of updates, its states and, where they were saved, its products."""

    updates: int = 0
    arrays: dict[str, Float32] = {}  # noqa: RUF012 - never changed
    products: tuple[tuple[float, float] | None, ...] = ()


def saved_state(optimizer: Optimizer) -> dict[str, Any]:
    """Return {"state": {i: {"step": int, name: array}}, "param_groups": [...]}, all copies.

    Of what a parameter has; an optimizer whose states need no step's number (SGD) saves none.
    """
    held, updates = optimizer._memory.held(), optimizer._timeline.updates
    products = optimizer._timeline.products
    groups: list[dict[str, Any]] = []
    state: dict[int, dict[str, Any]] = {}
    first = 0
    for group in optimizer.param_groups:
        numbers = list(range(first, first + len(group["params"])))
        first += len(numbers)
        for i in numbers:
            names = optimizer._memory.states(i)
            if names:
                step = {"step": updates[i]} if "step" in optimizer.required else {}
                kept = dict(zip(optimizer.products, products[i], strict=False))
                state[i] = {**step, **{name: held[i][name] for name in names}, **kept}
        options = {k: copy.deepcopy(v) for k, v in group.items() if k != "params"}
        groups.append({**options, "params": numbers})
    return {"state": state, "param_groups": groups}


def load_state(optimizer: Optimizer, state_dict: dict[str, Any]) -> None:
    """Replace the options and states of ``optimizer`` by those of ``state_dict``."""
    groups, state = _parts(state_dict)
    _check_groups(optimizer, groups)
    merged = [
        _merged(optimizer, mine, group)
        for mine, group in zip(optimizer.param_groups, groups, strict=True)
    ]
    numbers = [str(n) for group in groups for n in group["params"]]
    # A JSON file has made strings of the numbers.
    entries = {str(number): entry for number, entry in state.items()}
    unique = len(set(numbers)) == len(numbers) and len(entries) == len(state)
    if not unique or not set(entries) <= set(numbers):
        raise StateError(f"state_dict has states of {sorted(entries)}, parameters are {numbers}")
    loaded = [
        _entry(optimizer, i, entries[number]) if number in entries else Loaded()
        for i, number in enumerate(numbers)
    ]
    for mine, options in zip(optimizer.param_groups, merged, strict=True):
        mine.update(options)
        for key in set(mine) - set(options):
            del mine[key]
    _write(optimizer, loaded)


def _write(optimizer: Optimizer, loaded: list[Loaded]) -> None:
    # An update that is still to be brought back must not overwrite weights restored before this.
    optimizer._begun = None
    memory, states = optimizer._memory, [entry.arrays for entry in loaded]
    memory.has = memory.flags(states)
    optimizer._make_room({name for arrays in states for name in arrays})
    groups = [group for group in optimizer.param_groups for _ in group["params"]]
    optimizer._timeline.load([(entry.updates, entry.products) for entry in loaded], groups)
    memory.load(states)


def _parts(state_dict: Any) -> tuple[list[dict[str, Any]], dict[Any, Any]]:
    if not isinstance(state_dict, dict) or not {"state", "param_groups"} <= set(state_dict):
        raise StateError('state_dict must be a dict with "state" and "param_groups"')
    groups, state = state_dict["param_groups"], state_dict["state"]
    good = isinstance(groups, list) and all(
        isinstance(group, dict) and isinstance(group.get("params"), list) for group in groups
    )
    if not good:
        raise StateError('state_dict["param_groups"] must be a list of dicts with a list "params"')
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
    if isinstance(options.get("betas"), list):  # JSON has no tuples
        options["betas"] = tuple(options["betas"])
    try:
        options = optimizer.adopted(options)
        # What a scheduler has left in a group goes, as in torch; an option or a name never does.
        stays = {"params", "param_names", *optimizer.defaults}
        kept = {k: v for k, v in mine.items() if k in stays}
        optimizer._check({**kept, **options})
    except (ValueError, TypeError) as error:
        raise StateError(f'state_dict["param_groups"]: {error}') from error
    return {**kept, **options}


def _entry(optimizer: Optimizer, i: int, entry: Any) -> Loaded:
    """Return what one parameter's entry says, or raise StateError."""
    where, needed = f'state_dict["state"][{i}]', set(optimizer.required)
    allowed = needed | {*optimizer.all_states, *optimizer.products}
    if not isinstance(entry, dict) or not needed <= set(entry) <= allowed:
        got = sorted(map(str, entry)) if isinstance(entry, dict) else repr(entry)
        raise StateError(
            f"{where} must be a dict with {sorted(allowed)} "
            f"({sorted(allowed - needed)} may be missing), got {got}"
        )
    # Some of torch's versions write None for the buffer that an SGD without momentum has not.
    names = [s for s in optimizer.all_states if s in needed or entry.get(s) is not None]
    shape = optimizer._memory.shapes[i]
    try:
        arrays = {name: real_array(entry[name], shape, f"{where}[{name!r}]") for name in names}
    except (ValueError, TypeError) as error:
        raise StateError(str(error)) from error
    # A state that is there has had an update; without a number of their own that is all there is.
    count = _count(entry["step"], f'{where}["step"]') if "step" in needed else len(arrays)
    products = [_product(entry.get(s), f"{where}[{s!r}]") for s in optimizer.products]
    return Loaded(count, arrays, tuple(products))


def _product(value: Any, where: str) -> tuple[float, float] | None:
    """Return a saved product of betas, two float64 whose sum it is; None if it was not saved."""
    if value is None:
        return None
    try:
        high, low = (number_of(part, where) for part in value)
    except (TypeError, ValueError):
        raise StateError(f"{where} must be two numbers, got {value!r}") from None
    if not (0.0 <= high <= 1.0 and abs(low) <= 2.0**-53):
        raise StateError(f"{where} must be a product of betas, 0 to 1, got {value!r}")
    return high, low


def _count(value: Any, where: str) -> int:
    try:
        step = number_of(value, where)
    except TypeError:
        raise StateError(f"{where} must be a count, got {value!r}") from None
    # The float of an int past 2^53 may be 2^53: the int itself is compared.
    if not (math.isfinite(step) and step == int(step) and 0 <= int(value) <= MOST_STEPS):
        got = value if math.isfinite(step) else step
        raise StateError(f"{where} must be a count up to 2^53, got {got}")
    return int(value)
