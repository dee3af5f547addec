"""Interpolate: through given points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..mathfun import pick, reached
from .base import Schedule, shortened
from .checks import check_choice, check_rising, numbers
from .phase import blend, progress
from .steps import NEVER, filled


@dataclass(frozen=True)
class Interpolate(Schedule):
    """Through ``values[i]`` at step ``steps[i]``, in lines or half cosines; level outside.

    ``how`` is "linear" or "cosine". Two points at one step are a jump, and the second has it. As
    optax's piecewise_interpolate_schedule and ignite's PiecewiseLinear.

    Raises TypeError or ValueError, naming the argument: there are as many values as steps, one at
    least, and steps do not fall.

    >>> jump = Interpolate((0, 4, 4, 6), (0.0, 1.0, 0.5, 0.0))
    >>> [float(jump(t)) for t in range(8)]
    [0.0, 0.25, 0.5, 0.75, 0.5, 0.25, 0.0, 0.0]
    """

    steps: tuple[float, ...]
    values: tuple[float, ...]
    how: str = "linear"

    __repr__ = shortened

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", numbers("steps", self.steps, least=1))
        object.__setattr__(self, "values", numbers("values", self.values, least=1))
        if len(self.steps) != len(self.values):
            raise ValueError(
                "steps must be as many as values, got "
                f"{len(self.steps)} steps and {len(self.values)} values"
            )
        check_rising("steps", self.steps)
        check_choice("how", self.how, ("linear", "cosine"))

    def __call__(self, t: Any) -> Any:
        # The first point stands twice: a segment without length lies before it, another behind
        # the last. All three lists have the same number of places.
        steps = filled((self.steps[0], *self.steps), self.steps[-1])
        values = filled((self.values[0], *self.values), self.values[-1])
        i = reached(t, filled((*self.steps, NEVER), NEVER))
        begin, end = pick(i, steps), pick(i + 1, steps)
        return blend(
            self.how, pick(i, values), pick(i + 1, values), *progress(t, end - begin, begin)
        )

    def length(self) -> float:
        return self.steps[-1]
