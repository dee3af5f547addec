"""Grouped: what an optimizer is over: param groups with PyTorch's contract, on a backend."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Sequence
from itertools import chain
from operator import is_
from typing import Any, ClassVar, NoReturn

from .. import hyper
from ..backend import choose
from .applied import Ledger
from .control import check_control, check_no_control
from .lanes import Column
from .memory import Memory
from .options import Key, Limit, check_arguments, check_hints, check_number, label, option
from .params import array_of, check_distinct, check_named, groups_of, params_of
from .residents import check_place, choice, listed
from .shown import Trusting, reading_optimizer
from .sources import Sources
from .timeline import Timeline


class Grouped:
    """The groups of an optimizer and what they may hold; a subclass says what is done with them."""

    # The kernels' name, the states that a parameter may have (in the order of their slabs), and
    # what each parameter's entry in a state_dict must have.
    kind: str
    all_states: ClassVar[tuple[str, ...]]
    required: ClassVar[tuple[str, ...]] = ()
    # What an entry may have beside: the products of the betas that were used.
    products: ClassVar[tuple[str, ...]] = ()
    columns: ClassVar[dict[str, Column]]
    # Whether bias corrections are those of the betas that were used.
    exact: bool = False
    limits: ClassVar[dict[Key, Limit]]

    def __init__(
        self,
        params: Iterable[Any],
        defaults: dict[str, Any],
        *,
        max_norm: float | None = None,
        skip_nonfinite: bool = False,
        device: str | int = "auto",
    ) -> None:
        check_control(max_norm, skip_nonfinite)
        self.max_norm = max_norm
        # What is known of the updates that may be left out; None: none are.
        self._ledger = Ledger() if skip_nonfinite else None
        self.defaults = defaults
        self.param_groups: list[dict[str, Any]] = []
        self._params: list[Any] = []
        self._members: list[int] = []
        self._lock = threading.RLock()
        self._trusting = Trusting()
        self._pid = os.getpid()
        self._seats: list[Any] = []  # of rules that run on the device
        columns = [self.columns[name] for name in hyper.COLUMNS[self.kind]]
        keys = tuple(dict.fromkeys(column.key for column in columns))
        self._sources = Sources(keys, self.limits)
        self._driven = self._sources.driven  # where schedulers leave their tracks
        self._check(defaults, argument=True)
        check_arguments(defaults)
        self.check_defaults()
        groups = listed(groups_of(params))
        self._backend = choose(choice(device, groups), self.kind)
        self._memory = Memory(self._backend, self.all_states)
        self._timeline = Timeline(self._backend, columns, self.exact)
        self._add(groups)
        if skip_nonfinite:
            kind: Any = type(self)
            self.__class__ = reading_optimizer(kind)

    @property
    def skip_nonfinite(self) -> bool:
        """Whether an update is left out whose gradients have a value that is not finite."""
        return self._ledger is not None

    @property
    def device(self) -> str:
        """The name of the device that the updates run on; "numpy" without one."""
        return self._backend.name

    def states_of(self, group: dict[str, Any]) -> tuple[str, ...]:
        """Return the names of the states that an update in ``group`` makes, as in a state_dict."""
        raise NotImplementedError

    def counts(self, group: dict[str, Any]) -> bool:
        """Whether an update in ``group`` counts for its parameters' k."""
        return True

    def check_defaults(self) -> None:
        """Raise ValueError for defaults that are good one by one, but not together."""

    def check_group(self, group: dict[str, Any], where: str = "") -> None:
        """Raise ValueError for an option, no number of a column, that cannot be done."""
        check_hints(group, where)

    def adopted(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return what a loaded group's options mean in this class."""
        return options

    def __reduce__(self) -> NoReturn:
        raise TypeError("an optimizer holds a device: copy or save its state_dict() instead")

    def _add(self, new: Sequence[Any]) -> None:
        """Add groups, all or none. They are checked together: each by itself takes n^2 time."""
        groups = [self._completed(group) for group in new]
        params = [p for group in groups for p in group["params"]]
        check_distinct(self._params, params)
        check_named(self.param_groups, groups)
        for group in groups:
            check_no_control(group)
            self._check(group)
        check_place(self._backend, params)
        members = [len(group["params"]) for group in groups]
        first = len(self.param_groups)
        self.param_groups += groups
        self._params += params
        self._members += members
        self._memory.take_in([array_of(p, "params").shape for p in params])
        self._timeline.take_in([i for i, n in enumerate(members, first) for _ in range(n)])

    def _completed(self, group: Any) -> dict[str, Any]:
        params, names = params_of(group)
        return {**self.defaults, **group, "params": params, **names}

    def _check(self, group: dict[str, Any], argument: bool = False) -> None:
        """Raise ValueError or TypeError if an option of a group cannot be meant.

        torch checks the constructor's arguments (``argument``) more strictly than a group.
        """
        for key in self._sources.keys:
            check_number(self.limits, key, option(group, key), label(key), argument)
        self.check_group(group)

    def _check_members(self) -> None:
        """Raise ValueError unless the groups hold the very parameters that were added."""
        lists = [group.get("params", ()) for group in self.param_groups]
        same = self._members == [len(params) for params in lists]
        # By identity: equal arrays are others, and == of two arrays is no answer.
        if not same or not all(map(is_, chain.from_iterable(lists), self._params)):
            raise ValueError(
                "param_groups or a group's params were changed by hand: add with "
                "add_param_group, and to remove or replace make a new optimizer"
            )
