"""Float64 numbers that know how far they may be from the mirror's, and the one rounding rule.

A bound is relative, in units of u = 2^-53: the mirror's number m of a Near with value v and error e
has |m - v| <= e u |v|. An error is one float for all of a block where that serves, else an array;
infinity means that nothing is known, and every rule hands it on. A zero with a finite error is the
mirror's zero; other values with one lie in [2^-900, 2^900], where float64 neither underflows nor
overflows, and the mirror (which goes to 2^+-2^24) does not saturate. Of what is smaller, ``tiny``
remembers that it is: next to a number of any size it is nothing.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, Any]
Error: TypeAlias = Any  # a float or an array of them

UNIT = 2.0**-53
TINY, HUGE = 2.0**-900, 2.0**900
SIZED = 2.0**-800  # what is at least this large is the same with and without something tiny
# From 2^30 on nothing is known. So what errors make with each other, and what the computation of a
# bound rounds away, is below 2^-22 of the bound: less than the slack that each is widened by.
MOST = 2.0**30
SLACK = 1 + 2.0**-20


class Near:
    """A float64 value and the bound on its distance from the mirror's; of conditions, 0 or inf."""

    __slots__ = ("_span", "error", "tiny", "value")

    def __init__(self, value: Any, error: Error = 0.0, tiny: Any = False) -> None:
        self.value, self.error = value, error
        # Where the mirror's number is below 2^-899, and the error infinite for no other reason.
        self.tiny = tiny
        self._span: tuple[float, float] | None = None

    @property
    def span(self) -> tuple[float, float]:
        """The least and the greatest value; nan if there is one."""
        if self._span is None:
            self._span = float(self.value.min()), float(self.value.max())
        return self._span

    @property
    def size(self) -> float:
        """The greatest magnitude."""
        low, high = self.span
        return max(-low, high) if low <= high else np.inf

    @property
    def exact(self) -> bool:
        """Whether the mirror surely has the same number, everywhere."""
        return isinstance(self.error, float) and self.error == 0.0


def near(value: Any, brought: Error, own: float, zero: Any = False) -> Near:
    """Return ``value`` with an error of ``brought`` by its arguments and ``own`` units.

    ``own`` holds the roundings of float64 and of the mirror, whose units are 2^-11 of ours.
    ``zero`` tells where a 0 would be the mirror's 0, and not an underflow.
    """
    found = Near(value, widened(brought, own))
    low, high = found.span
    if (low >= TINY and high <= HUGE) or (low >= -HUGE and high <= -TINY):
        return found
    size = np.abs(value)
    fine = ((size >= TINY) & (size <= HUGE)) | ((size == 0) & zero)
    if not fine.all():
        found.tiny = (size < TINY) & ~fine & (found.error < np.inf)
        found.error = np.where(fine, found.error, np.inf)
    return found


def widened(brought: Error, own: float) -> Error:
    """Return a bound for what rounds and multiplies errors; infinity where there is none."""
    error = brought * SLACK + own
    if isinstance(error, float):
        return error if error <= MOST else np.inf
    return np.where(error <= MOST, error, np.inf)


def larger(a: Error, b: Error) -> Error:
    """Return the larger of two errors."""
    if isinstance(a, float) and isinstance(b, float):
        return max(a, b)
    return np.maximum(a, b)


def unsure(doubt: Any) -> Error:
    """Return the error of what is exact, but for the places in ``doubt``."""
    return np.where(doubt, np.inf, 0.0) if np.any(doubt) else 0.0


def reach(a: Near) -> Any:
    """Return how far the mirror's number may be from ``a``'s, four times over; of what is exact, 0.

    No other error is below 1, so that a.value - reach(a) and a.value + reach(a), rounded, still
    have the mirror's number between them.
    """
    return np.abs(a.value) * (a.error * (4 * UNIT))


def beside(a: Near, total: Any) -> Error:
    """Return the error of ``a`` as a part of a sum: of what is tiny, 0 where the sum has a size."""
    if a.tiny is False:
        return a.error
    return np.where(a.tiny & (np.abs(total) >= SIZED), 0.0, a.error)


def exact_at(number: Near, places: Any) -> Near:
    """Return ``number``, which is the mirror's at ``places``."""
    if np.any(places):
        number.error = np.where(places & (number.error < np.inf), 0.0, number.error)
    return number
