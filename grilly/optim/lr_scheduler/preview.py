"""What a scheduler will do: its next rates, found out by a copy of it on copies of the groups."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from itertools import islice
from types import MethodType
from typing import Any

import numpy as np

from ...resident import recording
from ...whole import count_of
from .touch import copied


class _Bare:
    """What a scheduler needs of an optimizer: the groups without their parameters."""

    def __init__(self, optimizer: Any) -> None:
        groups = optimizer.param_groups
        self.defaults = dict(getattr(optimizer, "defaults", {}))
        self.param_groups = [
            {key: copied(value) for key, value in group.items() if key != "params"}
            for group in groups
        ]


def rates(scheduler: Any) -> Iterator[list[float]]:
    """Yield the rates of the groups now, and after each further step of a copy of ``scheduler``."""
    bare = _Bare(scheduler.optimizer)
    kept = {id(method): method for method in _methods(scheduler)}
    own = copy.deepcopy(scheduler, {id(scheduler.optimizer): bare, **kept})
    while True:
        yield [float(group["lr"]) for group in bare.param_groups]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they are for the real steps
            own.step()


def _methods(scheduler: Any) -> Iterator[MethodType]:
    """Yield the methods that a user gave as functions: what they belong to may be a whole model."""
    for value in vars(scheduler).values():
        for one in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(one, MethodType):
                yield one
            elif hasattr(one, "optimizer"):
                yield from _methods(one)


def preview(scheduler: Any, n: Any) -> Any:
    """Return the rates at the next ``n`` steps, (n, groups) float64: see LRScheduler.preview."""
    recording.refuse("preview()", "it is the host's: ask for it before or after")
    count = len(scheduler.optimizer.param_groups)
    rows = list(islice(rates(scheduler), count_of("n", n)))
    return np.array(rows, np.float64).reshape(-1, count)
