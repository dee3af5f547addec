"""OneCycle: up and down again in two or three phases."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from ..mathfun import half_cosine
from .base import Schedule
from .checks import check_choice, numbers


@dataclass(frozen=True)
class OneCycle(Schedule):
    """Anneals from ``values[i]`` to ``values[i + 1]`` in phase i, which ends at step ``ends[i]``.

    The first phase starts at step 0 and owns its last step. ``anneal`` is "cos" (half a cosine a
    phase) or "linear". Past the last end the last phase is continued, as in PyTorch.
    Source: L. N. Smith and N. Topin, arXiv:1708.07120; the phases are those of
    torch.optim.lr_scheduler.OneCycleLR.

    Raises TypeError or ValueError, naming the argument: there is one value more than ends, ends
    do not fall (but before step 0, where no step is in a phase), and the first is not 0.

    >>> up_and_down = OneCycle(ends=(2.0, 9.0), values=(0.04, 1.0, 0.004), anneal="linear")
    >>> float(up_and_down(0)), float(up_and_down(2)), round(float(up_and_down(9)), 12)
    (0.04, 1.0, 0.004)
    """

    ends: tuple[float, ...]
    values: tuple[float, ...]
    anneal: str = "cos"

    def __post_init__(self) -> None:
        object.__setattr__(self, "ends", numbers("ends", self.ends, least=1))
        object.__setattr__(self, "values", numbers("values", self.values))
        if len(self.values) != len(self.ends) + 1:
            raise ValueError(
                "values must be one more than ends, got "
                f"{len(self.values)} values and {len(self.ends)} ends"
            )
        if any(end < before and before > 0 for before, end in pairwise(self.ends)):
            raise ValueError(f"ends must not fall, got {self.ends}")
        if self.ends[0] == 0:
            raise ValueError(
                f"ends[0] must not be 0, where the first phase starts, got {self.ends}"
            )
        check_choice("anneal", self.anneal, ("cos", "linear"))

    def __call__(self, t: Any) -> Any:
        start: Any = 0.0
        end: Any = self.ends[0]
        a: Any = self.values[0]
        b: Any = self.values[1]
        for i in range(1, len(self.ends)):
            later = t > self.ends[i - 1]
            start = np.where(later, self.ends[i - 1], start)
            end = np.where(later, self.ends[i], end)
            a = np.where(later, self.values[i], a)
            b = np.where(later, self.values[i + 1], b)
        left, done = (end - t) / (end - start), (t - start) / (end - start)
        if self.anneal == "cos":
            left, done = half_cosine(left), half_cosine(done)
        return a * left + b * done

    def length(self) -> float:
        return self.ends[-1]
