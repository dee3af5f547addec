"""Cycles: one decay again and again, each time longer or shorter and from a lower peak."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from ..mathfun import pick, reached
from .base import Schedule, shortened
from .checks import check_number, check_rising, numbers
from .steps import MOST_STEPS, NEVER

STARTS = 128  # the starts of cycles that a formula holds, so that all lists have one structure
HORIZON = 2**30  # cycles without a limit last at least so many steps
FIRST, LAST = ("high", "start"), ("low", "end")  # what decays call their first and last value


@dataclass(frozen=True)
class Cycles(Schedule):
    """``cycle`` again and again; ``restarts`` makes it.

    Cycle number i begins at step ``starts[i]`` and ends where the next begins; without ``starts``
    each has the length of the first, ``cycle.steps``. Its peak is toward + (high - toward) *
    decay^i and its low is low * low_decay^i, with the high and low (or start and end) of ``cycle``.
    From cycle number ``limit`` on, the value is the last low; with ``starts``, that is by default
    where the last of them is reached. Source: arXiv:1608.03983.

    Raises TypeError or ValueError, naming the argument: cycles have some length, ``starts`` are
    none or 2 to 128 and do not fall, ``limit`` is at least 1, decays are not negative.

    >>> from grilly.schedules import Linear
    >>> cycles = Cycles(Linear(1.0, 0.0, steps=2), starts=(0, 2, 6), decay=0.5, limit=2)
    >>> cycles(np.array([0, 1, 2, 4, 6])).tolist()
    [1.0, 0.5, 0.5, 0.25, 0.0]
    """

    cycle: Schedule
    starts: tuple[float, ...] = ()
    decay: float = 1.0
    toward: float = 0.0
    low_decay: float = 1.0
    limit: float = NEVER

    __repr__ = shortened

    def __post_init__(self) -> None:
        first, last = (_field(self.cycle, names) for names in (FIRST, LAST))
        if not (first and last and hasattr(self.cycle, "steps")):
            raise TypeError(f"cycle must be a decay, such as CosineDecay, got {self.cycle!r}")
        check_number("cycle.steps", self.cycle.steps, above=0)
        self._check_starts()
        check_number("decay", self.decay, at_least=0)
        check_number("toward", self.toward)
        check_number("low_decay", self.low_decay, at_least=0)
        check_number("limit", self.limit, at_least=1)

    def _check_starts(self) -> None:
        starts = numbers("starts", self.starts)
        check_rising("starts", starts)
        if len(starts) == 1 or len(starts) > STARTS:
            raise ValueError(
                f"starts must be none or 2 to {STARTS} steps, the last being the end of the last "
                f"cycle, got {len(starts)}"
            )
        object.__setattr__(self, "starts", starts)
        if starts and self.limit == NEVER:
            object.__setattr__(self, "limit", len(starts) - 1)
        if starts and self.limit > len(starts) - 1:
            raise ValueError(
                f"limit must be at most {len(starts) - 1} with {len(starts)} starts, got "
                f"{self.limit!r}"
            )

    def __call__(self, t: Any) -> Any:
        i, at, steps = self._clock(t)
        n = np.maximum(np.minimum(i, self.limit - 1.0), 0.0)
        first, last = _field(self.cycle, FIRST), _field(self.cycle, LAST)
        kept = self.decay**n
        high = self.toward * (1.0 - kept) + getattr(self.cycle, first) * kept
        low = getattr(self.cycle, last) * self.low_decay**n
        cycle = _copy(self.cycle, {first: high, last: low, "steps": steps})
        return np.where(i < self.limit, cycle(at), low)

    def length(self) -> float:
        end = self.starts[int(self.limit)] if self.starts else self.limit * self.cycle.steps  # type: ignore[attr-defined]
        return end if end < HORIZON else np.inf

    def _clock(self, t: Any) -> tuple[Any, Any, Any]:
        """Return the number of the cycle of step ``t``, its steps so far, and its length."""
        if not self.starts:
            steps = self.cycle.steps  # type: ignore[attr-defined]
            return t // steps, t % steps, steps
        starts = (*self.starts, *[NEVER] * (STARTS - len(self.starts)))
        i = reached(t, starts) - 1.0
        start = pick(i, starts)
        return i, t - start, pick(i + 1.0, starts) - start

    def parts(self, t: float) -> Iterator[tuple[Schedule, float]]:
        yield self.cycle, self._clock(t)[1]


def _field(cycle: Schedule, names: tuple[str, ...]) -> str:
    """Return which of ``names`` the cycle has a number by; "" if none."""
    return next((name for name in names if hasattr(cycle, name)), "")


def _copy(cycle: Schedule, fields: dict[str, Any]) -> Schedule:
    """Return the cycle with other fields, unchecked: they may be symbols."""
    copy = object.__new__(type(cycle))
    vars(copy).update(vars(cycle) | fields)
    return copy


def restarts(
    cycle: Schedule,
    stretch: float = 1.0,
    decay: float = 1.0,
    *,
    toward: float = 0.0,
    low_decay: float = 1.0,
    limit: int | None = None,
    whole: bool = False,
) -> Cycles:
    """Return ``cycle`` again and again, each ``stretch`` times as long as the one before: Cycles.

    ``cycle`` is the first: CosineDecay, Tanh, Linear, PolynomialDecay, Triangle, or another with
    such fields. The height of the peak over ``toward`` is multiplied by ``decay`` from cycle to
    cycle, and the low by ``low_decay``; after ``limit`` cycles the value stays at the last low.
    With ``whole`` each length is rounded down to whole steps. The restarts are exact: ``stretch``
    counts as the decimal number that it is written as. There is no cycle of less than one step:
    where ``stretch`` is below 1, the last ends before that.

    - Keras, CosineDecayRestarts: stretch=t_mul, decay=m_mul, toward=cycle.low
    - timm: stretch=cycle_mul, decay=cycle_decay, limit=cycle_limit
    - ignite: stretch=cycle_mult, decay=start_value_mult, low_decay=end_value_mult, whole=True
    - torch, CosineAnnealingWarmRestarts: stretch=T_mult

    Raises ValueError for numbers out of range, and for more than 127 cycles of different lengths:
    a ``limit`` is needed where those do not last for 2^30 steps (stretch=1.1 of 1000 steps does).

    >>> from grilly.schedules import CosineDecay
    >>> warm = restarts(CosineDecay(1.0, 0.0, steps=2), stretch=2.0)
    >>> warm(np.array([0, 1, 2, 4, 6, 10])).round(12).tolist()
    [1.0, 0.5, 1.0, 0.5, 1.0, 0.5]
    """
    check_number("stretch", stretch, above=0)
    if limit is not None:
        check_number("limit", limit)
        if limit % 1 or limit < 1:
            raise ValueError(f"limit must be a whole number of cycles, 1 or more, got {limit!r}")
    equal = Cycles(cycle, (), decay, toward, low_decay, NEVER if limit is None else float(limit))
    first: float = cycle.steps  # type: ignore[attr-defined]
    if whole or stretch != 1:
        check_number("cycle.steps", first, at_least=1)
    if whole:
        equal = replace(equal, cycle=replace(cycle, steps=first // 1))  # type: ignore[type-var]
    if stretch == 1:
        return equal
    starts = _starts(first, stretch, limit, whole)
    return replace(equal, starts=starts, limit=len(starts) - 1.0)


def _starts(first: float, stretch: float, limit: int | None, whole: bool) -> tuple[float, ...]:
    """Return where the cycles begin, and at last where the last of them ends."""
    starts, length = [Fraction(0)], _decimal(first // 1 if whole else first)
    while length >= 1 and starts[-1] <= MOST_STEPS and len(starts) - 1 != limit:
        if len(starts) == STARTS:
            if limit is None and starts[-1] >= HORIZON:
                break
            raise ValueError(
                f"limit={limit}: a formula holds {STARTS - 1} cycles of different lengths, and "
                f"with stretch={stretch} these end at step {float(starts[-1]):g}: give a limit of "
                f"at most {STARTS - 1}, or a larger stretch"
            )
        starts.append(starts[-1] + length)
        length *= _decimal(stretch)
        length = Fraction(int(length)) if whole else length
    return tuple(map(float, starts))


def _decimal(number: float) -> Fraction:
    """Return the number as its shortest decimal has it: 1.1 is 11/10."""
    return Fraction(repr(float(number)))
