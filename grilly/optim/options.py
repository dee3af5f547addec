"""A group's options: the numbers in a param group by key, and the limits that torch sets them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

# Where a number stands in a param group: ("lr",) or ("betas", 0).
Key = tuple[str] | tuple[str, int]


# The least number that float32 rounds to infinity.
FLOAT32_OVERFLOW = 2.0**128 - 2.0**103


class Limit(NamedTuple):
    """A number of a group must be at least 0 and less than ``below``; ``text`` is torch's."""

    text: str
    below: float = FLOAT32_OVERFLOW


def option(group: dict[str, Any], key: Key, where: str = "param group") -> Any:
    """Return the value at ``key``; raise ValueError, with ``where``, if there is none."""
    try:
        value = group[key[0]]
        return value if len(key) == 1 else value[key[1]]
    except (KeyError, IndexError, TypeError):
        raise ValueError(f"{where} must have {label(key)}, got {group.get(key[0])!r}") from None


def label(key: Key) -> str:
    """Return how a key is written in an error: "lr" or "betas[0]"."""
    return key[0] if len(key) == 1 else f"{key[0]}[{key[1]}]"


def check_number(
    limits: Mapping[Key, Limit], key: Key, value: Any, name: str, edited: bool = False
) -> None:
    """Raise TypeError or ValueError if ``value`` is no number or beyond its limit.

    An edited rate may be negative, as in torch: a linear schedule past its end is.
    """
    limit = None if edited and key == ("lr",) else limits.get(key)
    number = number_of(value, name)
    if limit is not None and not 0.0 <= number < limit.below:
        raise ValueError(limit.text.format(value))
    if not abs(number) < FLOAT32_OVERFLOW:
        raise ValueError(f"{name} must be finite in float32, got {number}")


def number_of(value: Any, name: str) -> float:
    """Return ``value`` as a float; raise TypeError, with ``name``, if it is no number."""
    try:
        if not isinstance(value, (str, bytes)):
            return float(value)
    except (TypeError, ValueError):
        pass
    raise TypeError(f"{name} must be a number, got {value!r}")
