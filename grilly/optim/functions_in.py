"""What a user has written inside a schedule: texts, functions and classes of Python."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..nested import inside, rebuilt
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
    for inner in _inside(node):
        yield from written_in(inner)


def anew(node: Any) -> Any:
    """Return ``node`` with new Functions in it, which are traced anew."""
    if isinstance(node, Function):
        return Function(node.call)
    parts = _inside(node)
    return rebuilt(node, [anew(part) for part in parts]) if parts else node


def _inside(node: Any) -> list[Any]:
    return [] if isinstance(node, Rule) else [inner for _, inner in inside(node)]
