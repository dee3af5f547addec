"""Text: a formula as a text, "0.95**t * min(1, t / 100)", so that it can be saved and loaded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .base import Schedule
from .reader import read


@dataclass(frozen=True)
class Text(Schedule):
    """The formula that ``source`` says, of the step t, in float64; see ``parse``.

    Two texts that differ in numbers only share a shader.

    >>> Text("1 if t < 10 else 0.5 ** (t - 9)")(np.array([0, 9, 10, 11])).tolist()
    [1.0, 1.0, 0.5, 0.25]
    """

    source: str
    # Those in the text: on the device they are data.
    numbers: tuple[float, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.source, str):
            raise TypeError(f"a formula's source must be a text, got {self.source!r}")
        object.__setattr__(self, "source", self.source.strip())
        object.__setattr__(self, "numbers", read(self.source).numbers)

    def __call__(self, t: Any) -> Any:
        step, numbers = _float64(t), tuple(map(_float64, self.numbers))
        with np.errstate(all="ignore"):  # of a condition both sides are computed
            return read(self.source).at(step, numbers)


def parse(text: str) -> Text:
    """Return the schedule that a text such as "0.95**t * min(1, t / 100)" says.

    ``t`` is the step; there are numbers (floats all of them), ``pi`` (a float64, so not exact:
    cospi(x) is the cosine of pi x), ``+ - * / // % **``, comparisons (chained too), ``and or not``,
    ``a if c else b`` and the functions abs, ceil, clip(x, low, high), cos, cospi, exp, exp2, floor,
    half_cosine, log, max and min (of two or more), sin, sinpi, sqrt, tanh and where(c, a, b). Of a
    condition both sides are computed, and one is taken.

    Raises TextError, a ValueError that shows the place, for anything else, and for a part without
    a step whose value is not finite; TypeError if ``text`` is no str.

    >>> round(parse("0.95**t * min(1, t / 100)")(50), 6)
    0.038472
    """
    return Text(text)


def _float64(value: Any) -> Any:
    # Python's floats raise where numpy's give inf or nan, which a condition may leave out.
    return np.float64(value) if isinstance(value, (int, float)) else value
