"""Contexts over several optimizers at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any

ALL_KNOWN = nullcontext()


def distinct(optimizers: Sequence[Any]) -> list[Any]:
    """Return each of them once."""
    return [*{id(optimizer): optimizer for optimizer in optimizers}.values()]


def alone(locks: Sequence[Any]) -> AbstractContextManager[Any]:
    """Return a context that holds the locks, in an order that all tapes with them share."""
    return locks[0] if len(locks) == 1 else _together(sorted(locks, key=id))


def as_if_made(optimizers: Sequence[Any]) -> AbstractContextManager[None]:
    """Ask no optimizer's device for what is not known, but take it for what was foreseen."""
    asking = [own for own in optimizers if getattr(own, "_reads_back", False)]
    return _together([own._as_if_made() for own in asking]) if asking else ALL_KNOWN


@contextmanager
def _together(contexts: Sequence[Any]) -> Iterator[None]:
    with ExitStack() as stack:
        for context in contexts:
            stack.enter_context(context)
        yield
