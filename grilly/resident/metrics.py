"""Metrics: numbers that stay on a device, for a rule or a scheduler to look at there."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..reductions import PARTIAL_WORDS, RESULT, exact_mean, plan
from ..rules.words import offsets, read, size
from . import ops
from .array import DeviceArray
from .places import Place, VulkanPlace
from .recording import refuse

if TYPE_CHECKING:
    from .. import vk

    Source = tuple[vk.Buffer, int, int]

NUMBERS = 2  # words of a float64


class Metric(ops.Recorded):
    """A number that is computed on a device; ``update()`` computes it, ``value()`` reads it back.

    A scheduler or a rule that is given one updates it itself at each of its steps.
    """

    place: Place
    # Where in ``source`` the number begins, in words, and how many it has: 1 for float32.
    at: int = 0
    words: int = NUMBERS
    _tape: vk.Tape | None = None

    @property
    def identity(self) -> Any:
        """What another metric has too if a tape of one is a tape of the other."""
        return self

    def update(self) -> None:
        """Compute it anew from what it is made of, on the device; can be recorded."""
        ops.perform(self)

    def value(self) -> float:
        """Return the number as it is now; waits for the device."""
        refuse("the value of a metric", "nothing has run yet inside grilly.record()")
        return self._read()

    def item(self) -> float:
        """Return ``value()``: a metric may stand where an array of one element does."""
        return self.value()

    def on_host(self) -> None:
        """Compute it on the numpy device."""
        raise NotImplementedError

    def record(self, tape: vk.Tape) -> None:
        """Record that it is computed."""
        raise NotImplementedError

    def tape(self, device: vk.Device) -> vk.Tape:
        """Return a tape of it alone, the same each time."""
        if self._tape is None:
            self._tape = super().tape(device)
        return self._tape

    def source(self) -> Source:
        """Return where on a Vulkan device the number lies."""
        raise NotImplementedError

    def _read(self) -> float:
        raise NotImplementedError


class Scalar(Metric):
    """The one element of a device array, which somebody else computes."""

    words = 1

    def __init__(self, array: DeviceArray) -> None:
        self.array = array
        self.place = array._place

    @property
    def identity(self) -> Any:
        """Where the number lies: there is a new Scalar at each step."""
        return self.source()

    def on_host(self) -> None:
        """Nothing is to be computed."""

    def record(self, tape: vk.Tape) -> None:
        """Nothing is to be computed."""

    def source(self) -> Source:
        """Return where on a Vulkan device the number lies."""
        source: Source = tuple(self.array._memory.span)
        return source

    def _read(self) -> float:
        out = np.empty(1, np.float32)
        self.array._place.read(self.array._memory, out)
        return float(out[0])


class Mean(Metric):
    """The mean of a device array of at least one element: its exact sum, divided in float64.

    The same bits on every device, in whatever order it is summed there (grilly.reductions).

    >>> from grilly import Mean, device_array
    >>> loss = Mean(device_array([1.0, 2.0, 6.0], device="cpu"))
    >>> loss.update()
    >>> loss.value()
    3.0
    """

    at = offsets(RESULT)["mean"]

    def __init__(self, array: DeviceArray) -> None:
        if not isinstance(array, DeviceArray):
            raise TypeError(f"array must be a DeviceArray, got {type(array).__name__}")
        if not array.size:
            raise ValueError("array must have at least one element to have a mean, got none")
        self._array = array
        self.place = array._place
        self._value = math.nan
        if isinstance(self.place, VulkanPlace):
            device = self.place.device
            self._parts = plan(array.size, device.limits.max_storage_range)
            self._groups = self._parts[-1].partial + self._parts[-1].groups
            self._partials = device.buffer(4 * PARTIAL_WORDS * self._groups)
            self._result = device.buffer(4 * size(RESULT))
            self._result.write(np.full(1, np.nan), 4 * self.at)

    @property
    def array(self) -> DeviceArray:
        """The array whose mean it is."""
        return self._array

    def __repr__(self) -> str:
        return f"Mean({self.array!r})"

    def on_host(self) -> None:
        """Compute it on the numpy device."""
        self._value = exact_mean(self.array._memory[: self.array.size])

    def record(self, tape: vk.Tape) -> None:
        """Record that it is computed."""
        from .. import shaders

        partial = tape.device.kernel(shaders.spirv("reduce/partial"), 2, 16)
        total = tape.device.kernel(shaders.spirv("reduce/total"), 2, 8)
        buffer, start, _ = self.array._memory.span
        with tape.independent():
            for part in self._parts:
                span = buffer, start + 4 * part.first, 4 * part.length
                words = ops.push(0, part.length, part.rounds, part.partial)
                tape.dispatch(partial.bind([span, self._partials]), part.groups, words)
        words = ops.push(self._groups, self.array.size)
        tape.dispatch(total.bind([self._partials, self._result]), 1, words)

    def source(self) -> Source:
        """Return where on a Vulkan device the number lies."""
        return self._result, 0, self._result.nbytes

    def _read(self) -> float:
        if isinstance(self.place, VulkanPlace):
            found = read(RESULT, self._result.read(np.uint32, size(RESULT)))
            return float(found["mean"])
        return self._value


def metric_on_device(given: Any) -> Metric:
    """Return the metric that a DeviceArray of one element, or a Metric, is.

    Raises TypeError for something else, ValueError for an array of more elements.
    """
    if isinstance(given, Metric):
        return given
    if not isinstance(given, DeviceArray):
        raise TypeError(f"metric must be a DeviceArray or a Metric, got {type(given).__name__}")
    if given.size != 1:
        raise ValueError(
            f"metric must be one number, got an array of shape {given.shape}: give "
            "grilly.Mean(array)"
        )
    return Scalar(given)


def lives_on_device(given: Any) -> bool:
    """Whether a metric is one that stays on a device."""
    return isinstance(given, (DeviceArray, Metric))
