"""Memory: which parameter has which state, and the slabs that hold them on the device."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from ..backend import Backend
from ..nn.parameter import Float32
from ..planning import Homes

States = dict[str, Float32]


class Memory:
    """The slabs of an optimizer whose parameters may have the states ``names``, in this order."""

    def __init__(self, backend: Backend, names: tuple[str, ...]) -> None:
        self._backend = backend
        self.names = names
        self.shapes: list[tuple[int, ...]] = []
        # Which parameter has which of ``names``: what an update has made is never dropped.
        self.has = np.empty((0, len(names)), np.bool_)
        self._sizes: list[int] = []
        # How many parameters, and which states, there are slabs for (None: no slabs at all), and
        # states on their way into new slabs: what a failure or Ctrl-C leaves there, the next call
        # finishes.
        self._held_for: tuple[int, tuple[str, ...]] | None = None
        self._homes: Homes = {}
        self._moving: list[States] | None = None

    def take_in(self, shapes: Sequence[tuple[int, ...]]) -> None:
        """Note the shapes of new parameters; they have no state yet."""
        self.shapes += shapes
        self._sizes += map(math.prod, shapes)
        self.has = np.concatenate([self.has, np.zeros((len(shapes), len(self.names)), np.bool_)])

    def fits(self, wanted: Iterable[str], homes: Homes) -> bool:
        """Whether the slabs are those of all parameters and of the ``wanted`` states.

        ``homes`` is where parameters live that are on the device.
        """
        held_for = len(self._sizes), self._states(wanted)
        return self._moving is None and self._held_for == held_for and self._homes == homes

    def move(self, wanted: Iterable[str], homes: Homes) -> None:
        """Make slabs that fit, and keep what the old ones held."""
        states = self._states(wanted)
        self._moving = self.held()
        self._backend.allocate(self._sizes, states, homes)
        self._homes = homes
        for i, held in enumerate(self._moving):
            for name, values in held.items():
                self._backend.write(name, i, values)
        self._held_for = len(self._sizes), states
        self._moving = None

    def held(self) -> list[States]:
        """Return copies of all states that are on the device, by parameter."""
        if self._moving is not None:
            return copy.deepcopy(self._moving)
        count, names = self._held_for or (0, ())
        held = [
            {name: np.empty(shape, np.float32) for name in names} for shape in self.shapes[:count]
        ]
        for i, states in enumerate(held):
            for name, out in states.items():
                self._backend.read(name, i, out)
        return held

    def states(self, i: int) -> list[str]:
        """Return the names of the states that parameter ``i`` has."""
        return [name for name, has in zip(self.names, self.has[i], strict=True) if has]

    def load(self, loaded: Sequence[States]) -> None:
        """Overwrite all states, for which there are slabs; one that is not given becomes zeros."""
        for i, states in enumerate(loaded):
            for name in self._states(()):
                zeros = np.zeros(self.shapes[i], np.float32)
                self._backend.write(name, i, states.get(name, zeros))

    def flags(self, states: Sequence[Iterable[str]]) -> npt.NDArray[np.bool_]:
        """Return ``has`` for parameters that have these states."""
        rows = [[name in names for name in self.names] for names in states]
        return np.array(rows, np.bool_).reshape(-1, len(self.names))

    def _states(self, wanted: Iterable[str]) -> tuple[str, ...]:
        # A state stays when no group asks for it any more.
        used = {*wanted, *(self._held_for[1] if self._held_for else ())}
        return tuple(name for name in self.names if name in used)
