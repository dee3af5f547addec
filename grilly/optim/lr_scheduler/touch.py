"""What a scheduler does to an optimizer: it writes numbers into groups, and notices ``step()``."""

from __future__ import annotations

import copy
import math
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any

import numpy as np

from ..options import Key


def write(group: dict[str, Any], key: Key, value: Any) -> None:
    """Write a number into a group; one that is an array or a tensor is changed in place."""
    name, *index = key
    held = group[name]
    number = held[index[0]] if index else held
    if type(number) is not float and _filled(number, value):
        return
    group[name] = (*held[: index[0]], value, *held[index[0] + 1 :]) if index else value


def _filled(held: Any, value: Any) -> bool:
    """Set an array or a tensor of one number; tell whether ``held`` is one."""
    if hasattr(held, "fill_"):  # a torch tensor
        held.fill_(value.squeeze() if getattr(value, "ndim", 0) else value)
    elif isinstance(held, np.ndarray) and held.ndim == 0:
        held[...] = value
    else:
        return False
    return True


def rounded(value: float, held: Any) -> float:
    """Return ``value`` as it would read after ``write`` where a group holds ``held``."""
    group = {"lr": copied(held)}
    write(group, ("lr",), value)
    return float(group["lr"])


def copied(value: Any) -> Any:
    """Return a rate that does not change when the one in the group, an array, is written."""
    if isinstance(value, (int, float)):
        return value
    if type(value) is tuple and {float}.issuperset(map(type, value)):
        return value  # deepcopy takes 10 us to find that out
    return copy.deepcopy(value)


def plain(value: Any) -> Any:
    """Return a copy of a state's value, with a float for each array or tensor of one number."""
    if type(value) is dict:
        return {key: plain(one) for key, one in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(plain, value))
    if hasattr(value, "item") and math.prod(getattr(value, "shape", (0,))) == 1:
        return value.item()
    return copy.deepcopy(value)


@contextmanager
def unchanged_on_error(
    groups: list[dict[str, Any]], keys: Sequence[Key] = (("lr",),)
) -> Iterator[None]:
    """Put the groups, of which the numbers at ``keys`` change, back if there is an error."""
    before = [(dict(group), _copies(group, keys)) for group in groups]
    try:
        yield
    except BaseException:
        for group, (old, numbers) in zip(groups, before, strict=False):
            group.clear()
            group.update(old)
            for key, number in numbers.items():
                write(group, key, number)  # an array or a tensor was changed in place
        raise


def _copies(group: dict[str, Any], keys: Sequence[Key]) -> dict[Key, Any]:
    """Return copies of the numbers at ``keys`` that are arrays or tensors."""
    found = {}
    for key in keys:
        try:
            number = group[key[0]] if len(key) == 1 else group[key[0]][key[1]]
        except (KeyError, IndexError, TypeError):
            continue
        if not isinstance(number, (int, float)):
            found[key] = copied(number)
    return found


def note_steps(optimizer: Any) -> None:
    """Wrap this optimizer's ``step`` so that it is known to have been called, as torch does."""
    step = getattr(optimizer, "step", None)
    if step is None or hasattr(step, "_wrapped_by_lr_sched") or not hasattr(step, "__func__"):
        return
    # Through a weak reference: the wrapper lives in the optimizer and must not keep it alive.
    function, optimizer_ref = step.__func__, weakref.ref(optimizer)

    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        own = optimizer_ref()
        if own is None:
            raise ReferenceError("the optimizer of this step() is gone")
        own._opt_called = True
        return function(own, *args, **kwargs)

    wrapper._wrapped_by_lr_sched = True  # type: ignore[attr-defined]
    optimizer.step = wrapper
