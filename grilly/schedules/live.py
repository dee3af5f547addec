"""Live: a number in a formula that the device itself changes, as a rule's that runs there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from ..nested import inside, rebuilt, walk
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


def lives_in(node: Any) -> Iterator[tuple[str, str]]:
    """Yield the token of each Live in ``node``, and the label of its constant in a program."""
    for label, part in walk(node):
        if isinstance(part, Live):
            yield part.token, f"{label}.value" if label else "value"


def revalued(node: Any, values: dict[str, float]) -> Any:
    """Return ``node`` with these values, by token, in its Lives."""
    if isinstance(node, Live):
        return Live(values.get(node.token, node.value), node.token)
    return rebuilt(node, [revalued(part, values) for _, part in inside(node)])
