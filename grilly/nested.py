"""What is in a schedule: dataclasses and tuples in one another, by the labels of their constants.

The label of a thing is the way to it, as "members[1].phases[0]"; "" is the whole.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any


def inside(node: Any, label: str = "") -> list[tuple[str, Any]]:
    """Return (label, value) of what is right in a dataclass or a tuple; [] of anything else."""
    if isinstance(node, tuple):
        return [(f"{label}[{i}]", item) for i, item in enumerate(node)]
    if not dataclasses.is_dataclass(node) or isinstance(node, type):
        return []
    names = [field.name for field in dataclasses.fields(node)]
    return [(f"{label}.{name}" if label else name, getattr(node, name)) for name in names]


def walk(node: Any, label: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (label, value) of ``node`` and of all that is in it, outer ones first."""
    yield label, node
    for inner, value in inside(node, label):
        yield from walk(value, inner)


def rebuilt(node: Any, values: list[Any]) -> Any:
    """Return ``node`` with ``values`` in place of what is inside; itself if they are the same."""
    if all(new is old for new, (_, old) in zip(values, inside(node), strict=True)):
        return node
    if isinstance(node, tuple):
        return tuple(values)
    # What the constructor made of its arguments and has checked is kept as it is.
    copy = object.__new__(type(node))
    for field, value in zip(dataclasses.fields(node), values, strict=True):
        object.__setattr__(copy, field.name, value)
    return copy
