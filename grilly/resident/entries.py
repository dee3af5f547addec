"""Entries: what stands in a tape beside operations on arrays."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .. import vk
    from ..planning import Pace
    from .places import Place


class Update(ABC):
    """A step of an optimizer."""

    optimizer: Any

    @property
    @abstractmethod
    def version(self) -> Any:
        """Changes when what a tape of it binds does."""

    @property
    @abstractmethod
    def backend(self) -> Any:
        """The optimizer's memory and kernels."""

    @property
    @abstractmethod
    def place(self) -> Place:
        """Where the parameters live."""

    @abstractmethod
    def check(self) -> None:
        """Raise RecordError unless parameters and gradients live on the device."""

    @abstractmethod
    def check_groups(self) -> None:
        """Raise ValueError or TypeError if a group has what no update can be made with."""

    @abstractmethod
    def check_alike(self, updates: Sequence[Update]) -> None:
        """Raise RecordError unless all of the optimizer's updates are of the same parameters."""

    @abstractmethod
    def ready(self, paces: dict[int, Pace], period: int) -> int:
        """Have the table ready for updates in cycles of ``period``; return for how many it is.

        ``paces`` are those of the schedulers' tracks, by identity.
        """

    @abstractmethod
    def on_host(self) -> None:
        """Make it on the numpy device."""

    @abstractmethod
    def record(self, tape: vk.Tape, parity: int) -> None:
        """Record it, to read the cursor's word ``parity``."""

    @abstractmethod
    def made(self, updates: int) -> None:
        """Count updates that were replayed; 0 after a failure, when nothing is known."""

    @abstractmethod
    def cut(self) -> None:
        """Begin the next round anew after one that an error ended."""

    @abstractmethod
    def again(self) -> None:
        """Make it as the optimizer does without a tape."""


@dataclass(frozen=True)
class Tick:
    """A step of a scheduler, of which optim/ticked.py says what is asked."""

    scheduler: Any
    arguments: tuple[Any, ...]
    # What of it is done on the device: rules count a metric there. The table knows the rest.
    step: Any = None

    def check(self) -> None:
        """Nothing can be wrong with it."""

    def on_host(self) -> None:
        """Make it on the numpy device."""
        if self.step is not None:
            self.step.on_host()

    def again(self) -> None:
        """Make it as without a tape."""
        self.scheduler.step(*self.arguments)


def by_owner(kind: type, entries: Sequence[Any], owner: Callable[[Any], Any]) -> list[list[Any]]:
    """Return the entries of a kind, together those of which ``owner(entry)`` is the same object."""
    found: dict[int, list[Any]] = {}
    for entry in entries:
        if isinstance(entry, kind):
            found.setdefault(id(owner(entry)), []).append(entry)
    return list(found.values())
