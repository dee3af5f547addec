"""Ready: whether an update can be made as the last one was, found out in a few comparisons.

What ``_prepare`` looks at is compared here with what it was at the last update, all of it. Where
this cannot tell, it says no: the step goes the long way then, which knows what is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from operator import attrgetter, is_, itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..nn.parameter import Float32, Parameter
from ..resident.array import DeviceArray
from ..schedules.steps import MOST_STEPS
from .followed import Followed, constants, followed_in
from .lanes import Source
from .options import Key
from .params import in_host_memory

if TYPE_CHECKING:
    from .stepping import Stepping

FLOAT32 = np.dtype(np.float32)
PLAIN = (float, int, bool, str, type(None), np.generic)
# What decides neither which states an update makes nor whether it counts.
HARMLESS = {"lr", "betas"}
PARAMS = itemgetter("params")
DATA, GRAD = attrgetter("_data"), attrgetter("grad")


class Ready:
    """What an update was made from. ``gradients`` says whether the next one is made from the same.

    ``host`` are the parameters in host memory, by number; ``has`` and ``missed`` say which states
    there are after each such update, and for which parameters it does not count; ``decides``
    whether a number that is scheduled may change that.
    """

    def __init__(
        self, optimizer: Stepping, followed: list[Followed], given: Sequence[Any], active: Any
    ) -> None:
        timeline = optimizer._timeline
        self._planned = timeline._planned
        self.active = active
        self._max_norm = optimizer.max_norm
        self._driven = dict(optimizer._driven)
        self._followed = followed
        self.decides = not {own.key[0] for own in followed} <= HARMLESS
        self._decided = _decided(optimizer)
        self._constant = constants(optimizer, followed)
        self._constants = list(map(self._constant, optimizer.param_groups))
        self._inputs = [
            Input.of(optimizer, i, param, grad)
            for i, (param, grad) in enumerate(zip(optimizer._params, given, strict=True))
        ]
        params = optimizer._params
        self._all_parameters = all(isinstance(p, Parameter) for p in params)
        self._holders = [own.param for own in self._inputs if own.data is not None]
        self._held = [own.data for own in self._inputs if own.data is not None]
        self._host_inputs = [own for own in self._inputs if own.on_host]
        # The gradients if all of them are where they are updated from; else each is looked at.
        at_home = all(own.idle or own.home is not None for own in self._inputs)
        self._homes = [own.home for own in self._inputs] if at_home else None
        self.host = {i: own.array for i, own in enumerate(self._inputs) if own.on_host}
        self.has = optimizer._memory.has
        self.missed = timeline.missed
        # Which states there are after replays of such updates, once there was one.
        self.replayed: Any = None

    def gradients(self, optimizer: Stepping, given: Any) -> list[Any] | None:
        """Return the gradients, one a parameter, or None if this is another update."""
        try:
            return self._fitting(given) if self._holds(optimizer) else None
        except Exception:  # whatever an edited value does when it is compared: the long way tells
            return None

    def write(self, backend: Any, grads: Sequence[Any]) -> None:
        """Bring what the host has to the backend."""
        if self._homes is not None and not self.host:
            return
        for i, array in self.host.items():
            backend.write("param", i, array)
        for i, (own, grad) in enumerate(zip(self._inputs, grads, strict=True)):
            if own.home is None:
                if not own.idle:
                    backend.put_gradient(i, grad)
            elif own.memory is not None:
                backend.put_gradient(i, own.memory)

    def stands(self, optimizer: Stepping, active: npt.NDArray[np.bool_]) -> bool:
        """Whether ``active`` are updated, and nothing has changed but what was predicted."""
        try:
            return active is self.active and self._holds(optimizer)
        except Exception:
            return False

    def _holds(self, optimizer: Stepping) -> bool:
        timeline, groups = optimizer._timeline, optimizer.param_groups
        progress = timeline.progress
        row = timeline.phase + progress.row
        lists = list(map(PARAMS, groups))
        return (
            timeline._planned is self._planned
            and optimizer._begun is None
            and not optimizer._unsure
            and optimizer.max_norm == self._max_norm
            and progress.row < timeline._rows
            and progress.steps < MOST_STEPS
            and optimizer._driven == self._driven
            and list(map(self._constant, groups)) == self._constants
            and list(map(len, lists)) == optimizer._members
            and all(map(is_, chain.from_iterable(lists), optimizer._params))
            and all(map(is_, map(DATA, self._holders), self._held))
            and all([own.stands(groups, row) for own in self._followed])
            and (not self.decides or _decided(optimizer) == self._decided)
            and (not self._host_inputs or all([own.stays() for own in self._host_inputs]))
        )

    def _fitting(self, given: Any) -> list[Any] | None:
        if given is None and self._all_parameters:
            given = list(map(GRAD, self._holders))
        if type(given) is not list or len(given) != len(self._inputs):
            return None
        if self._homes is not None:
            return given if all(map(is_, given, self._homes)) else None
        for own, grad in zip(self._inputs, given):  # noqa: B905 - the lengths are equal
            if not own.takes(grad):
                return None
        return given


class Input(NamedTuple):
    """A parameter and where its gradient comes from.

    ``data`` is what a Parameter holds, ``array`` what is updated. ``home`` is the one gradient that
    lies where the backend reads it, ``memory`` that of the numpy device.
    """

    param: Any
    data: Any
    array: Any
    shape: tuple[int, ...]
    on_host: bool
    idle: bool
    home: DeviceArray | None
    memory: Float32 | None

    @classmethod
    def of(cls, optimizer: Stepping, i: int, param: Any, grad: Any) -> Input:
        """Return that of parameter ``i``, which was updated by ``grad``."""
        array = optimizer._array(i)
        data = param._data if isinstance(param, Parameter) else None
        home = grad if isinstance(grad, DeviceArray) else None
        memory: Any = None if home is None else in_host_memory(home)
        return cls(
            param,
            data,
            array,
            optimizer._memory.shapes[i],
            grad is not None and not isinstance(array, DeviceArray),
            grad is None,
            home,
            None if memory is home else memory,
        )

    def takes(self, grad: Any) -> bool:
        """Whether ``grad`` is a gradient as the last one was."""
        if self.idle or self.home is not None:
            return grad is self.home
        return type(grad) is np.ndarray and grad.dtype is FLOAT32 and grad.shape == self.shape

    def stays(self) -> bool:
        """Whether an array in host memory can still be updated in place."""
        array = self.array
        same = array.shape == self.shape and array.dtype is FLOAT32
        return same and array.flags.writeable is True


def ready(
    optimizer: Stepping,
    sources: Sequence[dict[Key, Source]],
    given: Sequence[Any],
    active: npt.NDArray[np.bool_],
) -> Ready | None:
    """Return what an update that was just made was made from; None if it can change unseen.

    That is where an option is an array, which may be written in place, or where the groups' numbers
    follow different schedulers.
    """
    groups, names = optimizer.param_groups, optimizer.defaults
    if not all(_is_plain(group.get(name)) for group in groups for name in names):
        return None
    if not (optimizer.max_norm is None or _is_plain(optimizer.max_norm)):
        return None
    if not _at_home(optimizer, given):
        return None
    followed = followed_in(optimizer, sources)
    return None if followed is None else Ready(optimizer, followed, given, active)


def _decided(optimizer: Stepping) -> list[Any]:
    """Return what an update makes in each group, which may depend on a number that is scheduled."""
    return [
        (optimizer.counts(group), optimizer.states_of(group)) for group in optimizer.param_groups
    ]


def _is_plain(value: Any) -> bool:
    return isinstance(value, PLAIN) or (
        type(value) is tuple and all(isinstance(own, PLAIN) for own in value)
    )


def _at_home(optimizer: Stepping, given: Sequence[Any]) -> bool:
    """Whether those gradients that are on the device lie where the backend reads them."""
    backend: Any = optimizer._backend
    return all(
        not isinstance(grad, DeviceArray)
        or (grad._place == backend.place and backend.at_home(i, grad._memory))
        for i, grad in enumerate(given)
    )
