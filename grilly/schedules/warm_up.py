"""WarmUp: a lead-in for any schedule."""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np

from .base import Schedule
from .checks import check_number
from .function import schedule_of
from .phase import blend, check_shape, progress

# Of the evaluation that runs: each warm-up's schedule and its first value, by the warm-up's id. A
# warm-up asks its schedule for two values: without this, n of them one in another asked for 2^n.
_known: ContextVar[dict[int, tuple[Schedule, Any]] | None] = ContextVar("_known", default=None)


@dataclass(frozen=True)
class WarmUp(Schedule):
    """From ``start`` to ``target`` in ``steps`` steps, then the schedule.

    ``target`` is by default the schedule's own first value. The schedule's clock starts after the
    warm-up; with ``shifted=False`` it has run all along, as by default in timm, so that the value
    may jump. ``first=1`` leaves out the first step, which has the value ``start``: the warm-up has
    the shares 1/steps, 2/steps, ..., and all that follows is one step earlier.

    ``shape`` is "linear", "cosine", "exponential" (the same factor at every step), "1-sqrt"
    (1 - sqrt(1 - t / steps), of Hugging Face) or "log" (ln(t + 1) / ln(steps), of DeepSpeed's
    WarmupLR). The schedule may be a number.

    With ``steps=0`` there is no warm-up. Raises TypeError or ValueError, naming the argument, for
    what is no finite number, negative ``steps``, and an exponential shape from or to 0.

    >>> from grilly.schedules import Linear
    >>> decay = Linear(1.0, 0.0, steps=4)
    >>> WarmUp(decay, steps=2)(np.arange(7)).tolist()
    [0.0, 0.5, 1.0, 0.75, 0.5, 0.25, 0.0]
    >>> WarmUp(decay, steps=2, first=1)(np.arange(7)).tolist()
    [0.5, 1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
    >>> WarmUp(decay, steps=2, shifted=False)(np.arange(7)).tolist()
    [0.0, 0.5, 0.5, 0.25, 0.0, 0.0, 0.0]
    """

    schedule: Schedule
    steps: float
    start: float = 0.0
    target: float | None = None
    shape: str = "linear"
    shifted: bool = True
    first: float = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "schedule", schedule_of(self.schedule))
        check_number("steps", self.steps, at_least=0)
        check_number("start", self.start)
        check_number("first", self.first, at_least=0)
        if self.target is not None:
            check_number("target", self.target)
        check_shape(
            "shape", self.shape, self.start, self.start if self.target is None else self.target
        )

    def __call__(self, t: Any) -> Any:
        if _known.get() is not None:
            return self._value(t)
        token = _known.set({})
        try:
            return self._value(t)
        finally:
            _known.reset(token)

    def _value(self, t: Any) -> Any:
        k = t + self.first
        target = self._first_value() if self.target is None else self.target
        value = blend(self.shape, self.start, target, *progress(k, self.steps))
        return np.where(k < self.steps, value, self.schedule(self._clock(t)))

    def _first_value(self) -> Any:
        known = _known.get()
        assert known is not None
        if id(self) not in known:
            known[id(self)] = self, self.schedule(0.0)
        return known[id(self)][1]

    def _clock(self, t: Any) -> Any:
        # Not below 0 during the warm-up, where a schedule need not have a value.
        return np.maximum(t + self.first - self.steps, 0) if self.shifted else t

    def parts(self, t: float) -> Iterator[tuple[Schedule, float]]:
        if t + self.first >= self.steps:
            yield self.schedule, float(self._clock(t))

    def last_step(self) -> float:
        last = self.schedule.last_step()
        return last + self.steps - self.first if self.shifted else last
