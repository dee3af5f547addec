"""A group's options: the numbers in a param group by key, and the limits that torch sets them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

# Where a number stands in a param group: ("lr",) or ("betas", 0).
Key = tuple[str] | tuple[str, int]
LR: Key = ("lr",)

# The least number that float32 rounds to infinity.
FLOAT32_OVERFLOW = 2.0**128 - 2.0**103


class Limit(NamedTuple):
    """A number must be at least 0 and less than ``below``; ``text`` is torch's.

    With ``argument`` that holds for the constructor's argument only: in a group any finite number
    will do, as in torch. (A linear schedule's rate is negative past its end.)
    """

    text: str
    below: float = FLOAT32_OVERFLOW
    argument: bool = False


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
    limits: Mapping[Key, Limit], key: Key, value: Any, name: str, argument: bool = False
) -> None:
    """Raise TypeError or ValueError if ``value`` is no number or beyond its limit."""
    limit, number = limits.get(key), number_of(value, name)
    applies = limit is not None and (argument or not limit.argument)
    if limit is not None and applies and not 0.0 <= number < limit.below:
        raise ValueError(limit.text.format(value if math.isfinite(number) else number))
    if not abs(number) < FLOAT32_OVERFLOW:
        raise ValueError(f"{name} must be finite in float32, got {number}")


def number_of(value: Any, name: str) -> float:
    """Return ``value`` as a float; raise TypeError, with ``name``, if it is no number."""
    try:
        if not isinstance(value, (str, bytes)) and not getattr(value, "ndim", 0):
            return float(value)
    except OverflowError:  # an int beyond float64
        return math.inf if value > 0 else -math.inf
    except (TypeError, ValueError, RuntimeError):
        pass
    raise TypeError(f"{name} must be a number, got {value!r}")


def check_hints(group: dict[str, Any], where: str = "") -> None:
    """Raise ValueError for what torch's options for its implementations ask and grilly has not.

    foreach, fused and capturable are hints about speed: kept in the group and not looked at.
    """
    if group.get("differentiable"):
        raise ValueError(
            f"{where}differentiable={group['differentiable']!r}: an update here is no part of a "
            "graph, so nothing can be differentiated through it; leave it False"
        )


def check_arguments(defaults: dict[str, Any]) -> None:
    """Raise what torch raises for arguments that exclude each other."""
    check_hints(defaults)
    if defaults["fused"] and defaults["foreach"]:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
