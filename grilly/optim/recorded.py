"""Recorded: a step of an optimizer as an entry of a tape."""

from __future__ import annotations

from collections.abc import Sequence
from operator import is_
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import RecordError
from ..nn.parameter import Parameter
from ..planning import Pace
from ..resident.array import DeviceArray
from ..resident.entries import Update
from ..resident.places import Place
from ..whole import MOST

if TYPE_CHECKING:
    from .. import vk
    from .optimizer import Optimizer

ON_HOST = (
    "{} is in host memory, and a replay moves nothing: make it by "
    "grilly.nn.Parameter(x, device={!r}), and its gradient a DeviceArray"
)
ADDED = (
    "parameters were added to the optimizer since the tape was recorded with gradients=, which has "
    "none of theirs: record anew, or record step() without gradients="
)
ANOTHER = (
    "{} is another than when the tape was recorded, whose kernels know the old one: record anew, "
    "or write into the old one by copy_from()"
)


class RecordedStep(Update):
    """A step with these gradients, DeviceArrays or None, one a parameter.

    With ``own`` they are the Parameters' ``grad``, and those of parameters that are added later
    join them.
    """

    def __init__(self, optimizer: Optimizer, gradients: Sequence[Any], own: bool = False) -> None:
        self.optimizer = optimizer
        self._own = own
        self._arrays: list[Any] = []  # what the parameters hold
        self._joined = 0  # how often parameters were added
        self._take(gradients)

    def _take(self, gradients: Sequence[Any]) -> None:
        self.gradients = list(gradients)
        self.active = np.array([grad is not None for grad in gradients], np.bool_)

    @property
    def version(self) -> Any:
        """Changes when what a tape of it binds does."""
        return self.backend.version, self._joined

    def check(self) -> None:
        """Raise RecordError unless parameters and gradients are on the device, and as recorded.

        What was added to the optimizer since joins in. ValueError for a gradient of another shape
        than its parameter's.
        """
        params = self.optimizer._params
        arrays = [param.data if isinstance(param, Parameter) else param for param in params]
        if len(arrays) > len(self._arrays):
            self._join(params, arrays)
        self._check_same("the array of parameter {}", arrays, self._arrays)
        if self._own:
            grads = [getattr(param, "grad", None) for param in params]
            self._check_same("the gradient of parameter {}", grads, self.gradients)

    def _join(self, params: Sequence[Any], arrays: list[Any]) -> None:
        """Take in the parameters that are not known yet, wholly or not at all."""
        first, known = len(self._arrays), self.gradients
        if len(known) < len(params) and not self._own:
            raise RecordError(ADDED)
        more = [getattr(param, "grad", None) for param in params[len(known) :]]
        try:
            self._take([*known, *more])
            for i in range(first, len(params)):
                if self.active[i]:
                    self._check_resident(i, arrays[i])
        except BaseException:
            self._take(known)
            raise
        self._joined += bool(more)
        self._arrays[first:] = arrays[first:]

    @staticmethod
    def _check_same(what: str, now: Sequence[Any], recorded: Sequence[Any]) -> None:
        if not all(map(is_, now, recorded)):
            i = [a is b for a, b in zip(now, recorded, strict=True)].index(False)
            raise RecordError(ANOTHER.format(what.format(i)))

    @property
    def backend(self) -> Any:
        """The optimizer's memory and kernels."""
        return self.optimizer._backend

    @property
    def place(self) -> Place:
        """Where the parameters live."""
        place: Place = self.backend.place
        return place

    def check_groups(self) -> None:
        """Raise ValueError or TypeError for what no update can be made with."""
        self.optimizer._sound_sources()

    def check_alike(self, updates: Sequence[Any]) -> None:
        """Raise RecordError unless all of the optimizer's updates are of the same parameters."""
        for other in updates:
            if not np.array_equal(other.active, self.active):
                raise RecordError(
                    "the steps of an optimizer in a tape must be of the same parameters: give all "
                    "of them a gradient, or make an optimizer for those that have one less often"
                )

    def ready(self, paces: dict[int, Pace], period: int) -> int:
        """Have the table ready for updates in cycles of ``period``; return for how many it is."""
        left = self.optimizer._get_ready(self.active, paces, period, self.gradients)
        return MOST if left == np.inf else int(left)

    def on_host(self) -> None:
        """Make it on the numpy device."""
        self.backend.give_gradients(self._memories())
        self.backend.step()

    def record(self, tape: vk.Tape, parity: int) -> None:
        """Record it, to read the cursor's word ``parity``."""
        slab = self.backend.record_gradients(tape, self._memories())
        self.backend.record_update(tape, parity, slab)

    def made(self, updates: int) -> None:
        """Count updates that were replayed; 0 after a failure, when nothing is known."""
        self.optimizer._replayed(self.active, updates)

    def cut(self) -> None:
        """Begin the next round anew after one that an error ended."""
        self.optimizer._cut()

    def again(self) -> None:
        """Make it as the optimizer does without a tape."""
        self.optimizer.step(gradients=self.gradients)

    def _memories(self) -> dict[int, Any]:
        return {i: grad._memory for i, grad in enumerate(self.gradients) if grad is not None}

    def _check_resident(self, i: int, param: Any) -> None:
        grad = self.gradients[i]
        named = (f"parameter {i}", param), (f"the gradient of parameter {i}", grad)
        for what, array in named:
            if not isinstance(array, DeviceArray) or array._place != self.place:
                raise RecordError(ON_HOST.format(what, self.place.name))
        shape = self.optimizer._memory.shapes[i]
        if grad.shape != shape:
            raise ValueError(
                f"the gradient of parameter {i} must have the parameter's shape {shape}, got "
                f"{grad.shape}"
            )
