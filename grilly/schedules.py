"""Schedules: the value of a hyperparameter as a formula of the step.

A schedule is a frozen dataclass whose call is a numpy formula. Called with a number or an array it
computes in float64; called with a symbol it is traced, printed as GLSL and run on the GPU. Its
fields are the numbers of the formula: on the GPU they are data in a buffer, never text.

To add one: the dataclass here and its row in SHIPPED, its random numbers in tests/samples.py, a
torch-named class in optim/lr_scheduler/, and ``python tools/print_shaders.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .mathfun import half_cosine


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


@dataclass(frozen=True)
class OneCycle(Schedule):
    """Anneals from ``values[i]`` to ``values[i + 1]`` in phase i, which ends at step ``ends[i]``.

    The first phase starts at step 0 and owns its last step. ``anneal`` is "cos" (half a cosine a
    phase) or "linear". Past the last end the last phase is continued, as in PyTorch.
    Source: L. N. Smith and N. Topin, arXiv:1708.07120; the phases are those of
    torch.optim.lr_scheduler.OneCycleLR.

    >>> up_and_down = OneCycle(ends=(2.0, 9.0), values=(0.04, 1.0, 0.004), anneal="linear")
    >>> float(up_and_down(0)), float(up_and_down(2)), round(float(up_and_down(9)), 12)
    (0.04, 1.0, 0.004)
    """

    ends: tuple[float, ...]
    values: tuple[float, ...]
    anneal: str = "cos"

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


@dataclass(frozen=True)
class StepDecay(Schedule):
    """``value``, multiplied by ``gamma`` each time the step reaches a multiple of ``step_size``.

    ``drops`` of these multiplications are in ``value`` already. Formula: that of
    torch.optim.lr_scheduler.StepLR, value * gamma^(floor(t / step_size) - drops).

    >>> StepDecay(0.5, step_size=30, gamma=0.5)(np.array([0, 29, 30, 89, 90])).tolist()
    [0.5, 0.5, 0.25, 0.125, 0.0625]
    """

    value: float
    step_size: float
    gamma: float = 0.1
    drops: float = 0

    def __call__(self, t: Any) -> Any:
        n = t // self.step_size - self.drops
        size = self.value * np.abs(self.gamma) ** n
        return np.where((self.gamma < 0) & (n % 2 == 1), -size, size)


@dataclass(frozen=True)
class Cosine(Schedule):
    """Half a cosine from ``high`` at step 0 to ``low`` at step ``period``, and up again after it.

    Source: I. Loshchilov and F. Hutter, arXiv:1608.03983, equation 5, without restarts, as in
    torch.optim.lr_scheduler.CosineAnnealingLR.

    >>> Cosine(high=1.0, low=0.2, period=10)(np.array([0, 5, 10, 20])).round(12).tolist()
    [1.0, 0.6, 0.2, 1.0]
    """

    high: float
    low: float
    period: float

    def __call__(self, t: Any) -> Any:
        return self.low * half_cosine(t / self.period) + self.high * self._height(t)

    def _height(self, t: Any) -> Any:
        """Return the share of ``high``: 1 at step 0, 0 at step ``period``."""
        return half_cosine((self.period - t) / self.period)


@dataclass(frozen=True)
class EditedCosine(Cosine):
    """A Cosine whose value was set by hand: from there its height over ``low`` is scaled.

    Until step ``end``, a trough, it runs through ``edit`` at step ``start``; after it, it is the
    old one. ``floor`` is what the edit stands on: ``low``, or ``high`` if the edit fell on a trough
    (then ``start`` is the step after it, as the trough has no height to scale). That is what
    torch's recurrence, lr(t+1) = low + (lr(t) - low) height(t+1) / height(t), makes of an edit.

    >>> edited = EditedCosine(1.0, 0.0, 10, edit=0.1, start=5, floor=0.0, end=10)
    >>> edited(np.array([5, 10, 20])).round(12).tolist()
    [0.1, 0.0, 1.0]
    """

    edit: float
    start: float
    floor: float
    end: float

    def __call__(self, t: Any) -> Any:
        scaled = self.floor + (self.edit - self.low) / self._height(self.start)
        high = np.where(t <= self.end, scaled, self.high)
        return self.low * half_cosine(t / self.period) + high * self._height(t)


@dataclass(frozen=True)
class OneMinus(Schedule):
    """1 - beta(t): the weight of what is new in an exponential average."""

    beta: Schedule

    def __call__(self, t: Any) -> Any:
        return 1.0 - self.beta(t)


@dataclass(frozen=True)
class Debias1:
    """1 / (1 - beta(t)**k), k = 1, 2, ... updates: unbiases Adam's mean (arXiv:1412.6980)."""

    beta: Schedule

    def __call__(self, t: Any, k: Any) -> Any:
        return 1.0 / (1.0 - self.beta(t) ** k)


@dataclass(frozen=True)
class Debias2:
    """1 / sqrt(1 - beta(t)**k): unbiases the root of Adam's mean square (arXiv:1412.6980)."""

    beta: Schedule

    def __call__(self, t: Any, k: Any) -> Any:
        return 1.0 / np.sqrt(1.0 - self.beta(t) ** k)


Formula = Schedule | Debias1 | Debias2

_CYCLES: dict[str, Schedule] = {
    f"one_cycle_{anneal}{phases}": OneCycle(
        tuple(map(float, range(1, phases + 1))), (0.5,) * (phases + 1), anneal
    )
    for anneal in ("cos", "linear")
    for phases in (2, 3)
}

# The structures whose shaders are printed to shaders/schedule/ and shipped as SPIR-V. Numbers are
# no part of a structure, so any will do here.
SHIPPED: dict[str, Formula] = {
    "constant": Constant(0.5),
    "debias1": Debias1(Constant(0.5)),
    "debias2": Debias2(Constant(0.5)),
    "step_decay": StepDecay(0.5, 1.0, 0.5, 1.0),
    "cosine": Cosine(0.5, 0.5, 1.0),
    "edited_cosine": EditedCosine(0.5, 0.5, 1.0, 0.5, 1.0, 0.5, 1.0),
    **_CYCLES,
    **{f"one_minus_{name}": OneMinus(cycle) for name, cycle in _CYCLES.items()},
    **{f"debias1_{name}": Debias1(cycle) for name, cycle in _CYCLES.items()},
}
