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

if TYPE_CHECKING:
    from .. import vk
    from .optimizer import Optimizer

ON_HOST = (
    "{} is in host memory, and a replay moves nothing: make it by "
    "grilly.nn.Parameter(x, device={!r}), and its gradient a DeviceArray"
)

ADDED = (
    "parameters were added to the optimizer since the tape was recorded, which has no gradients of "
    "theirs: record anew"
)


class RecordedStep(Update):
    """A step with these gradients, DeviceArrays or None, one a parameter."""

    def __init__(self, optimizer: Optimizer, gradients: Sequence[Any]) -> None:
        self.optimizer = optimizer
        self.gradients = gradients
        self.active = np.array([grad is not None for grad in gradients], np.bool_)
        self._checked: list[Any] = []  # what the parameters held when they were looked at last

    @property
    def lock(self) -> Any:
        """What the optimizer's own calls hold."""
        return self.optimizer._lock

    def check(self) -> None:
        """Raise RecordError unless parameters and gradients live on the device.

        And if parameters were added since it was recorded; ValueError for a gradient of another
        shape than its parameter's.
        """
        params = self.optimizer._params
        if len(self.gradients) < len(params):
            raise RecordError(ADDED)
        # Of all that is looked at, only what the parameters hold can be another than it was.
        arrays = [param.data if isinstance(param, Parameter) else param for param in params]
        if len(arrays) == len(self._checked) and all(map(is_, arrays, self._checked)):
            return
        for i in np.flatnonzero(self.active).tolist():
            self._check_resident(i, arrays[i])
        self._checked = arrays

    @property
    def backend(self) -> Any:
        """The optimizer's memory and kernels."""
        return self.optimizer._backend

    @property
    def place(self) -> Place:
        """Where the parameters live."""
        place: Place = self.backend.place
        return place

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
        return 2**53 if left == np.inf else int(left)

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
