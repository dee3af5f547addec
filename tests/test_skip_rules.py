"""Rules on a device under an optimizer that skips updates: they count metrics, not updates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import grilly
from grilly.optim import AdamW, ParamScheduler
from grilly.optim.lr_scheduler import ReduceLROnPlateau
from grilly.rules import Plateau
from grilly.schedules import OneCycle

STEPS = 30
CYCLE = OneCycle((30.0, 60.0), (0.1, 0.5, 0.01))
BAD = [i % 5 == 3 or i in (20, 21) for i in range(STEPS)]
LOSSES = np.round(2 + 0.05 * np.random.default_rng(0).standard_normal(STEPS), 3).astype(np.float32)
LOSSES[:10] -= np.float32(0.1) * np.arange(10, dtype=np.float32)


def factors() -> list[float]:
    """Return what a plateau of patience 2 has come to after each metric: a plain loop."""
    best, bad, factor, found = np.inf, 0, 1.0, []
    for loss in map(float, LOSSES):
        best, bad = (loss, 0) if loss < best * (1 - 1e-4) else (best, bad + 1)
        if bad > 2:
            factor, bad = factor * 0.5, 0
        found.append(factor)
    return found


def rates(kind: str) -> list[float]:
    """Return the rates of the updates that are made: of these alone the cycle takes notice."""
    before, made, found = [1.0, *factors()], 0, []
    for i in range(STEPS):
        if not BAD[i]:
            found.append(before[i] * (CYCLE(made) if kind == "cycle" else 0.1))
            made += 1
    return found


def scheduler_of(kind: str, optimizer: Any) -> Any:
    if kind == "cycle":
        return ParamScheduler(optimizer, {"lr": CYCLE * Plateau(1.0, patience=2, factor=0.5)})
    return ReduceLROnPlateau(optimizer, patience=2, factor=0.5)


@pytest.mark.parametrize("looks", [0, 1, 4])  # the host asks after each so many steps; 0: never
@pytest.mark.parametrize("taped", [False, True])
@pytest.mark.parametrize("kind", ["cycle", "plateau"])
def test_rules_count_what_the_cycle_does_not(
    place: str | int, kind: str, taped: bool, looks: int
) -> None:
    p = grilly.nn.Parameter(np.ones(70, np.float32), device=place)
    optimizer = AdamW([p], lr=0.1, skip_nonfinite=True)
    scheduler = scheduler_of(kind, optimizer)
    loss = grilly.device_array([0.0], device=place)

    def step() -> None:
        optimizer.step()
        scheduler.step(loss)

    if taped:
        with grilly.record() as tape:
            step()
        step = tape.replay
    for i in range(STEPS):
        p.grad.copy_from(np.full(70, np.nan if BAD[i] else 0.1))
        loss.copy_from(LOSSES[i : i + 1])
        step()
        if looks and i % looks == 0:
            assert optimizer.skipped() == sum(BAD[: i + 1])
    made = STEPS - sum(BAD)
    assert optimizer.skipped() == STEPS - made
    assert scheduler.last_epoch == (made if kind == "cycle" else STEPS)
    assert optimizer.state_dict()["state"][0]["step"] == made
    used = optimizer.history(made)["lr"].ravel()
    # The cycle's values are rounded once in float64 here, and not at all there.
    np.testing.assert_allclose(used, rates(kind), rtol=1.2e-7)
