"""Schedule, what every formula is, and Constant, the simplest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class Schedule:
    """A pure formula, step -> value. Subclasses are frozen dataclasses and define ``__call__``."""

    def __call__(self, t: Any) -> Any:
        """Return the value at step ``t`` (a number, an array, or a symbol), in float64."""
        raise NotImplementedError


@dataclass(frozen=True)
class Constant(Schedule):
    """The same value at every step.

    >>> Constant(0.1)(1000)
    0.1
    """

    value: float

    def __call__(self, t: Any) -> Any:
        return self.value
