"""StepDecay, MultiStep and PiecewiseConstant: level, and another value from given steps on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..mathfun import pick, reached
from .base import Schedule, shortened
from .checks import check_choice, check_number, check_numbers, check_rising, numbers

MOST_STEPS = 2**53  # up to here float64, and so a saved clock, holds every whole step
NEVER = 2.0**60  # a step that no clock reaches
PLACES = 8, 64, 512  # numbers in a list of a formula, so that three shaders serve any list


def filled(values: tuple[Any, ...], rest: Any) -> tuple[Any, ...]:
    """Return ``values`` with ``rest`` behind them, as many as the next size of list has places."""
    most = PLACES[-1]
    places = next((n for n in PLACES if n >= len(values)), -(-len(values) // most) * most)
    return (*values, *[rest] * (places - len(values)))


@dataclass(frozen=True)
class StepDecay(Schedule):
    """``value``, multiplied by ``gamma`` each time the step reaches a multiple of ``step_size``.

    ``drops`` of these multiplications are in ``value`` already. Formula: that of
    torch.optim.lr_scheduler.StepLR, value * gamma^(floor(t / step_size) - drops).

    Raises TypeError or ValueError, naming the argument, for what is no finite number, and a
    ``step_size`` not above 0.

    >>> StepDecay(0.5, step_size=30, gamma=0.5)(np.array([0, 29, 30, 89, 90])).tolist()
    [0.5, 0.5, 0.25, 0.125, 0.0625]
    """

    value: float
    step_size: float
    gamma: float = 0.1
    drops: float = 0

    def __post_init__(self) -> None:
        check_numbers(self, "value", "gamma", "drops")
        check_number("step_size", self.step_size, above=0)

    def __call__(self, t: Any) -> Any:
        n = t // self.step_size - self.drops
        return _multiplied(self.value, self.gamma, n)


@dataclass(frozen=True)
class MultiStep(Schedule):
    """``value``, multiplied by ``gamma`` at each of ``milestones`` that the step has reached.

    A milestone may stand there more than once, in any order. As in
    torch.optim.lr_scheduler.MultiStepLR; with ``ahead=1`` each is reached one step earlier, as in
    timm's MultiStepLRScheduler.

    Raises TypeError or ValueError, naming the argument, for what is no finite number.

    >>> MultiStep(0.5, milestones=(2, 4, 4), gamma=0.5)(np.array([0, 2, 3, 4])).tolist()
    [0.5, 0.25, 0.25, 0.0625]
    >>> MultiStep(0.5, milestones=(2, 4, 4), gamma=0.5, ahead=1)(np.array([0, 2, 3, 4])).tolist()
    [0.5, 0.25, 0.0625, 0.0625]
    """

    value: float
    milestones: tuple[float, ...]
    gamma: float = 0.1
    ahead: float = 0

    __repr__ = shortened

    def __post_init__(self) -> None:
        object.__setattr__(self, "milestones", numbers("milestones", self.milestones))
        check_numbers(self, "value", "gamma", "ahead")

    def __call__(self, t: Any) -> Any:
        n = reached(t + self.ahead, filled(self.milestones, NEVER))
        return _multiplied(self.value, self.gamma, n)

    def length(self) -> float:
        return max(self.milestones, default=0) - self.ahead


@dataclass(frozen=True)
class PiecewiseConstant(Schedule):
    """``values[0]``, and ``values[i]`` from step ``boundaries[i - 1]`` on.

    At a boundary itself the ``owner`` decides: the "new" value, as in optax and torch, or the
    "old" one, as in Keras's PiecewiseConstantDecay. ``ahead`` steps are added to the clock first,
    as timm does with 1. Of two equal boundaries the value between them has no step.

    Raises TypeError or ValueError, naming the argument: there is one boundary less than values,
    and boundaries do not fall.

    >>> PiecewiseConstant((2, 4), (1.0, 0.5, 0.1))(np.array([0, 2, 3, 4, 5])).tolist()
    [1.0, 0.5, 0.5, 0.1, 0.1]
    >>> PiecewiseConstant((2, 4), (1.0, 0.5, 0.1), "old")(np.array([0, 2, 3, 4, 5])).tolist()
    [1.0, 1.0, 0.5, 0.5, 0.1]
    """

    boundaries: tuple[float, ...]
    values: tuple[float, ...]
    owner: str = "new"
    ahead: float = 0

    __repr__ = shortened

    def __post_init__(self) -> None:
        object.__setattr__(self, "boundaries", numbers("boundaries", self.boundaries))
        object.__setattr__(self, "values", numbers("values", self.values))
        if len(self.values) != len(self.boundaries) + 1:
            raise ValueError(
                "boundaries must be one less than values, got "
                f"{len(self.boundaries)} boundaries and {len(self.values)} values"
            )
        check_rising("boundaries", self.boundaries)
        check_choice("owner", self.owner, ("new", "old"))
        check_number("ahead", self.ahead)

    def __call__(self, t: Any) -> Any:
        # As many places as values have, whatever their number.
        bounds = filled((*self.boundaries, NEVER), NEVER)
        return pick(self._crossed(t + self.ahead, bounds), filled(self.values, self.values[-1]))

    def length(self) -> float:
        last = max(self.boundaries, default=0) - self.ahead
        return last + (self.owner == "old")

    def _crossed(self, t: Any, bounds: tuple[Any, ...]) -> Any:
        if self.owner == "new":
            return reached(t, bounds)
        return len(bounds) - reached(-t, tuple(-bound for bound in bounds))


def _multiplied(value: Any, gamma: Any, n: Any) -> Any:
    """Return value * gamma^n for a whole ``n``; ``gamma`` has any sign."""
    size = value * np.abs(gamma) ** n
    return np.where((gamma < 0) & (n % 2 == 1), -size, size)
