"""Averages: a metric's moving average, which stays on its device and can be saved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import reductions
from ..errors import StateError
from ..reductions import EMA_STATE, read_ema, write_ema
from ..rules.words import offsets, size
from . import ops
from .array import DeviceArray
from .metrics import Metric, metric_on_device
from .places import VulkanPlace
from .recording import outside

if TYPE_CHECKING:
    from .. import vk
    from .metrics import Source


class Ema(Metric):
    """The exponential moving average of a metric: decay * average + (1 - decay) * metric.

    ``metric`` is a DeviceArray of one element or a Metric, such as a Mean, which is updated with
    it. In float64, the same bits on every device. It starts with the first number; with ``debias``
    with 0, and is divided by 1 - decay**n, as optax.ema. What is not finite is passed on, and not
    averaged. ``state_dict()`` is to be saved beside the scheduler's, for a run that goes on to the
    same bits. Raises TypeError or ValueError unless 0 <= decay < 1.

    >>> from grilly import Ema, device_array
    >>> loss = device_array([4.0], device="cpu")
    >>> smooth = Ema(loss, decay=0.5)
    >>> smooth.update()
    >>> loss.copy_from([2.0])
    >>> smooth.update()
    >>> smooth.value()
    3.0
    """

    at = offsets(EMA_STATE)["value"]

    def __init__(
        self, metric: DeviceArray | Metric, decay: float = 0.9, debias: bool = False
    ) -> None:
        self._metric = metric_on_device(metric)
        self.place = self.metric.place
        self._rule = reductions.Ema(decay, debias)
        self._held = self._rule.start()
        if isinstance(self.place, VulkanPlace):
            device, settings = self.place.device, self._rule.settings()
            self._settings = device.buffer(settings.nbytes)
            self._settings.write(settings)
            self._state = device.buffer(4 * size(EMA_STATE))
            self._state.write(write_ema(self._held))

    @property
    def metric(self) -> Metric:
        """What is averaged."""
        return self._metric

    def __repr__(self) -> str:
        return f"Ema({self.metric!r}, decay={self._rule.decay})"

    def on_host(self) -> None:
        """Compute it on the numpy device."""
        self.metric.on_host()
        self._held = self._rule.update(self._held, self.metric._read())

    def record(self, tape: vk.Tape) -> None:
        """Record that it is computed."""
        from .. import shaders

        self.metric.record(tape)
        kernel = tape.device.kernel(shaders.spirv("reduce/ema"), 3, 8)
        binding = kernel.bind([self._settings, self._state, self.metric.source()])
        tape.dispatch(binding, 1, ops.push(self.metric.at, self.metric.words))

    def source(self) -> Source:
        """Return where on a Vulkan device the number lies."""
        return self._state, 0, self._state.nbytes

    @outside
    def state_dict(self) -> dict[str, Any]:
        """Return the average and what it goes on from as plain JSON data; waits for the device.

        The state of an Ema that is averaged again is in it, as "metric".
        """
        self._read()
        state = reductions.saved_ema(self._rule, self._held)
        inner = {"metric": self.metric.state_dict()} if isinstance(self.metric, Ema) else {}
        return {**state, **inner}

    @outside
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a state, of an Ema on any device; tapes that update it stay as they are.

        Raises StateError, and changes nothing, if it is of another decay or does not fit.
        """
        for ema, held in list(self._loaded(state_dict, "state_dict")):
            ema._hold(held)

    def _loaded(self, saved: Any, where: str) -> Iterator[tuple[Ema, Any]]:
        """Yield this Ema, and those within, with the states that were saved of them."""
        own = dict(saved) if isinstance(saved, dict) else saved
        if isinstance(self.metric, Ema) and isinstance(own, dict):
            yield from self.metric._loaded(own.pop("metric", None), f"{where}['metric']")
        try:
            held = reductions.loaded_ema(self._rule, own)
        except (TypeError, ValueError) as error:
            raise StateError(f"{where} does not fit Ema: {error}") from error
        yield self, held

    def _hold(self, held: Any) -> None:
        if isinstance(self.place, VulkanPlace):
            self._state.write(write_ema(held))
        self._held = held

    def _read(self) -> float:
        if isinstance(self.place, VulkanPlace):
            self._held = read_ema(self._state.read(np.uint32, size(EMA_STATE)))
        return float(self._held["value"])
