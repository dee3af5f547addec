"""How state machines run: a few programs, always the same, in the suite; many new ones in heavy."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from hypothesis import HealthCheck, Phase, settings

from grilly import RecordError

P = TypeVar("P")


def machine_settings(examples: int, steps: int, *, fixed: bool) -> settings:
    """Return the settings of a machine that runs ``examples`` programs of so many steps."""
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=fixed,
        report_multiple_bugs=False,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )


def error_of(move: Callable[[P], object], player: P) -> Exception | None:
    """Let ``player`` make a move; return the error that a user may get of it."""
    try:
        move(player)
    except (ValueError, KeyError, RuntimeError, RecordError) as error:
        return error
    return None
