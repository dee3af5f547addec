"""What a user has written inside a schedule: texts, functions and classes of Python."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from ..rules import Rule
from ..schedules import Function, Schedule, Text

OURS = __name__.partition(".")[0]


def written_in(node: Any) -> Iterator[Schedule]:
    """Yield the texts, functions and schedules of other packages' classes in ``node``.

    What is inside a rule is the rule's: its value is put in as a number.
    """
    if isinstance(node, Schedule):
        foreign = type(node).__module__.partition(".")[0] != OURS
        if foreign or isinstance(node, (Text, Function)):
            yield node
    for _, inner in _inside(node):
        yield from written_in(inner)


def anew(node: Any) -> Any:
    """Return ``node`` with new Functions in it, which are traced anew."""
    if isinstance(node, Function):
        return Function(node.call)
    old = _inside(node)
    new = {name: anew(inner) for name, inner in old}
    if all(new[name] is inner for name, inner in old):
        return node
    if isinstance(node, tuple):
        return tuple(new.values())
    copy = object.__new__(type(node))  # not called: it has checked its fields
    for name, value in new.items():
        object.__setattr__(copy, name, value)
    return copy


def _inside(node: Any) -> list[tuple[str, Any]]:
    if isinstance(node, tuple):
        return [(str(i), item) for i, item in enumerate(node)]
    if isinstance(node, type) or not dataclasses.is_dataclass(node) or isinstance(node, Rule):
        return []
    return [(field.name, getattr(node, field.name)) for field in dataclasses.fields(node)]
