"""Products of betas: what a scheduled beta leaves of the zeros that a moment began with.

After updates with beta(1), ..., beta(k) a moment's weights add up to 1 - beta(1) ... beta(k): that
is the exact bias correction. The products are kept on the host, in whole numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from ..planning import STAYS, Clock, Pace
from ..program import Number, significands
from ..schedules import WINDOW, Constant, Counted, Debias1, Debias2, Formula, Schedule

# Bits of a product, as many as two float64 hold; and those of a power on its way to one.
BITS = 96
GUARDED = 192
# Below 2**LEAST it is 0: 1 less it is 1 in any format here.
LEAST = -512
# After a change the next one may be near: few are computed ahead.
SHORT = 8
# By the formula of a correction, the root that is taken.
ROOTS: dict[Callable[[Schedule], Formula], int] = {Debias1: 1, Debias2: 2}

ONE: Number = (1, 0)


def times(a: Number, b: Number) -> Number:
    """Return a product, rounded to BITS."""
    return _rounded(a[0] * b[0], a[1] + b[1], BITS)


@lru_cache(maxsize=4096)
def power(beta: float, k: int) -> Number:
    """Return beta**k, rounded to BITS."""
    square, result = _whole(beta), ONE
    while k:
        if k & 1:
            result = _rounded(result[0] * square[0], result[1] + square[1], GUARDED)
        square = _rounded(square[0] * square[0], 2 * square[1], GUARDED)
        k >>= 1
    return _rounded(*result, BITS)


def as_floats(product: Number) -> tuple[float, float]:
    """Return a product as the sum of two float64."""
    m, e = product
    high, exponent = _rounded(m, e, 53)
    low = m - (high << exponent - e) if exponent >= e else 0
    return math.ldexp(high, exponent), math.ldexp(low, e)


def from_floats(high: float, low: float) -> Number:
    """Return the product that ``as_floats`` gave."""
    (m, e), (n, f) = _whole(high), _whole(low)
    least = min(e, f)
    return _rounded((m << e - least) + (n << f - least), least, BITS)


def correction(product: Number, root: int) -> float:
    """Return 1 / (1 - product), or for root 2 one over the root of that, rounded to float32."""
    m, e = product
    whole = 1 << -e
    value, rest = divmod(whole << 64 * root, whole - m)
    if root == 2:
        inside = value
        value = math.isqrt(inside)
        rest |= inside - value * value
    # One more bit says whether anything is left: that decides what seems half way.
    n, exponent = _rounded(2 * value + (rest > 0), -65, 24)
    return math.ldexp(n, exponent)


def _rounded(m: int, e: int, bits: int) -> Number:
    """Return m * 2**e to ``bits`` bits, to nearest, ties to even; with an odd number or 0."""
    extra = m.bit_length() - bits
    if extra > 0:
        rest, half = m & ((1 << extra) - 1), 1 << (extra - 1)
        m >>= extra
        m += rest > half or (rest == half and m & 1)
        e += extra
    if m == 0 or m.bit_length() + e < LEAST:
        return 0, 0
    zeros = (m & -m).bit_length() - 1
    return m >> zeros, e + zeros


def _whole(value: float) -> Number:
    m, over = value.as_integer_ratio()
    return m, 1 - over.bit_length()


class Beta(NamedTuple):
    """The schedule of a beta, its step at the start of a cycle, and how it moves from there.

    The next update is number ``phase`` of the cycle.
    """

    schedule: Schedule
    t: float = 0.0
    pace: Pace = STAYS
    phase: int = 0

    def after(self, updates: int) -> Beta:
        """Return the same beta so many updates later."""
        cycles, phase = divmod(self.phase + updates, len(self.pace.within))
        return self._replace(t=self.t + cycles * self.pace.each, phase=phase)


class Path:
    """A parameter's products: ``product(i)`` that after i of its updates on this path."""

    rows: float  # how many updates it has

    def product(self, i: int) -> Number:
        """Return the product after ``i`` updates."""
        raise NotImplementedError

    def goes_on(self, i: int, beta: Beta) -> bool:
        """Whether the update after ``i`` is on this path, too."""
        raise NotImplementedError

    def formula(self, make: Callable[[Schedule], Formula]) -> Formula:
        """Return the correction of each update, of the update's number."""
        raise NotImplementedError


@dataclass(frozen=True)
class Powers(Path):
    """Of a constant beta from the first update on: the device knows the closed form."""

    beta: Constant
    rows: float = math.inf

    def product(self, i: int) -> Number:
        return power(self.beta.value, i)

    def goes_on(self, i: int, beta: Beta) -> bool:
        return beta.schedule == self.beta

    def formula(self, make: Callable[[Schedule], Formula]) -> Formula:
        return make(self.beta)


class Window(Path):
    """Of a scheduled beta, some updates ahead; ``count`` updates were before, with ``start``."""

    def __init__(self, count: int, start: Number, beta: Beta, rows: int) -> None:
        self._count, self._beta = count, beta
        self._products = [start]
        for number in _betas(beta, rows):
            self._products.append(times(self._products[-1], number))
        self.rows = len(self._products) - 1
        self._formulas: dict[Any, Formula] = {}

    def product(self, i: int) -> Number:
        return self._products[i]

    def goes_on(self, i: int, beta: Beta) -> bool:
        return i < self.rows and beta == self._beta.after(i)

    def formula(self, make: Callable[[Schedule], Formula]) -> Formula:
        if make not in self._formulas:
            values = [correction(product, ROOTS[make]) for product in self._products[1:]]
            values += values[-1:] * (-len(values) % WINDOW)  # of one length: one shader
            self._formulas[make] = Counted(float(self._count + 1), tuple(values))
        return self._formulas[make]


def _betas(beta: Beta, rows: int) -> list[Number]:
    """Return the betas, as far as they can be ones; the first is, but for its last bit."""
    moved = beta.pace.moved(Clock(1, 0, beta.phase), rows)
    betas = significands(beta.schedule, beta.t, moved)
    m, e = betas[0]
    first = (max(m, 0), e) if m.bit_length() + e <= 0 else (2**64 - 1, -64)
    good = [0 <= m and m.bit_length() + e <= 0 for m, e in betas]
    end = next((i for i in range(1, rows) if not good[i]), rows)
    return [first, *betas[1:end]]


class Place(NamedTuple):
    """Where a parameter stands: on a path, after so many of its updates there."""

    path: Path
    i: int

    @property
    def product(self) -> Number:
        """The product of the betas of all updates so far."""
        return self.path.product(self.i)


# Of a parameter without an update.
START = Place(Powers(Constant(0.0)), 0)


def begun(beta: float, count: int, saved: tuple[float, float] | None) -> Place:
    """Return the place after ``count`` updates with ``beta``, unless a product was saved."""
    own = power(beta, count) if saved is None else from_floats(*saved)
    if count == 0 or own == power(beta, count):
        return Place(Powers(Constant(beta)), count)
    return Place(Window(count, own, Beta(Constant(beta)), 1), 0)


def followed(place: Place, count: int, given: Beta) -> Place:
    """Return the place from which the next update goes on, the same if its path does."""
    schedule = given.schedule
    beta = Beta(schedule) if isinstance(schedule, Constant) else given
    if place.path.goes_on(place.i, beta):
        return place
    if isinstance(schedule, Constant) and count == 0:
        return Place(Powers(schedule), 0)
    rows = WINDOW if place.i == place.path.rows else SHORT
    period = len(given.pace.within)
    rows = max(rows // period, 1) * period  # whole cycles, for a replay makes no others
    return Place(Window(count, place.product, beta, rows), 0)
