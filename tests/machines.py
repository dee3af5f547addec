"""How state machines run: a few programs, always the same, in the suite; many new ones in heavy."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings


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
