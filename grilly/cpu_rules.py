"""Rules on the numpy device, as their metric is there: the same recurrences, to the same bits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from .resident.metrics import Metric
from .rules.on_device import Member, counted
from .rules.packed import Held

if TYPE_CHECKING:
    from .cpu import CpuBackend


class CpuRules:
    """Members beside the backend of an optimizer on numpy."""

    version = 0

    def __init__(self, backend: CpuBackend, members: Sequence[Member]) -> None:
        self._backend = backend
        self._members = members
        self._held = [member.held for member in members]

    def aim(self) -> None:
        """The backend finds the values by their tokens."""

    def on_host(self, metric: Metric) -> None:
        """Let the members count ``metric``, and the table follow before the next step."""
        changed: dict[str, float] = {}
        for i, member in enumerate(self._members):
            old = self._held[i]
            new = counted(old, metric._read(), member.rule.nonfinite, member.recurrence)
            self._held[i] = new
            pairs = zip(member.tokens, old.values, new.values, strict=True)
            changed |= {token: after for token, before, after in pairs if before != after}
        if changed:
            self._backend.set_live(changed)

    def read(self) -> list[Held]:
        """Return what the members hold, in their order."""
        return list(self._held)

    def forgive(self) -> None:
        """Forget which metrics were refused."""
        self._held = [replace(held, refused=None) for held in self._held]
