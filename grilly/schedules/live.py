"""Live: a number in a formula that the device itself changes, as a rule's that runs there."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from .base import Schedule


@dataclass(frozen=True)
class Live(Schedule):
    """``value``, which the device may have changed since; ``token`` says whose it is."""

    value: float
    token: str
    lasting: ClassVar[bool] = False

    def __call__(self, t: Any) -> Any:
        as_live = getattr(self.value, "as_live", None)
        return self.value if as_live is None else as_live()


def lives_in(node: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the token of each Live in ``node``, and the label of its constant in a program."""
    if isinstance(node, Live):
        yield node.token, f"{path}.value" if path else "value"
    elif isinstance(node, tuple):
        for i, item in enumerate(node):
            yield from lives_in(item, f"{path}[{i}]")
    elif dataclasses.is_dataclass(node) and not isinstance(node, type):
        for field in dataclasses.fields(node):
            inner = f"{path}.{field.name}" if path else field.name
            yield from lives_in(getattr(node, field.name), inner)


def revalued(node: Any, values: dict[str, float]) -> Any:
    """Return ``node`` with these values, by token, in its Lives."""
    if isinstance(node, Live):
        return Live(values.get(node.token, node.value), node.token)
    if isinstance(node, tuple):
        return tuple(revalued(item, values) for item in node)
    if not dataclasses.is_dataclass(node) or isinstance(node, type):
        return node
    copy = object.__new__(type(node))
    for field in dataclasses.fields(node):
        object.__setattr__(copy, field.name, revalued(getattr(node, field.name), values))
    return copy
