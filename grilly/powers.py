"""Powers in a formula: of a base that cannot be negative, and of any other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .mathfun import half_cosine

_NEVER_NEGATIVE = (np.absolute, np.sqrt, np.exp2, np.exp, half_cosine)


def power(base: Any, exponent: Any, of_positive: Callable[[Any, Any], Any]) -> Any:
    """Return base ** exponent for traced arguments; ``of_positive`` is the one for base >= 0.

    The language's own power, 2^(exponent log2(base)), takes no other. A base below zero has a power
    for whole exponents only, and its sign is carried beside; of another exponent, where numpy has
    nan, it is 0. Formulas that know better say ``positive_power``, which is half as long.
    """
    if _is_positive(base):
        return of_positive(base, exponent)
    size = of_positive(np.absolute(base), exponent)
    odd, whole = np.equal(np.remainder(exponent, 2), 1), np.equal(np.floor(exponent), exponent)
    below = np.where(odd, -size, np.where(whole, size, 0.0))
    return np.where(np.greater_equal(base, 0), size, below)


def _is_positive(base: Any) -> bool:
    """Whether a number, or a traced value, is surely not below zero."""
    if not hasattr(base, "op"):
        return bool(base >= 0)
    if base.op == "constant":
        return bool(base.value >= 0)
    return base.op == "k" or base.op in _NEVER_NEGATIVE
