"""Random walks: what users do to schedulers that follow a loss, on the device and on the host.

hypothesis draws the moves. Whether the loss is a number or stays on the device, all that can be
seen must be the same in every bit.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from metric_runs import MAKES, Run, falling

ROUNDS = 200
MOVES = st.one_of(
    st.tuples(st.just("step"), st.integers(1, 4)),
    st.tuples(st.just("replay"), st.integers(1, 9)),
    st.tuples(st.just("on host"), st.integers(1, 2)),
    st.tuples(st.just("read"), st.integers(0, 3)),
    st.tuples(st.just("edit"), st.integers(0, 1)),
    st.tuples(st.just("patience"), st.integers(0, 3)),
    st.tuples(st.just("save"), st.just(0)),
    st.tuples(st.just("load"), st.just(0)),
    st.tuples(st.just("add"), st.just(0)),
    st.tuples(st.just("momentum"), st.integers(0, 9)),
)
READS: list[Any] = [
    lambda run: [s.get_last_lr() for s in run.schedulers],
    lambda run: [g["lr"] for g in run.optimizer.param_groups],
    lambda run: [s.last_epoch for s in run.schedulers],
    lambda run: run.optimizer.read_hyperparameters().tobytes(),
]


def walked(place: Any, name: str, moves: list[tuple[str, int]]) -> list[Any]:
    """Return what a run shows on such a walk."""
    run = Run(place, MAKES[name], falling(ROUNDS, seed=len(moves)))
    replay, saved, seen = run.taped(), None, []
    for i, (move, n) in enumerate(moves):
        if move in ("step", "on host"):
            for _ in range(n):
                run.step() if move == "step" else run.step_on_host()
        elif move == "replay":
            replay(n)
        elif move == "read":
            seen.append(READS[n](run))
        elif move == "edit":
            run.optimizer.param_groups[n]["lr"] *= 1.5 + i / 64
        elif move == "patience" and hasattr(run.scheduler, "patience"):
            run.scheduler.patience = n
        elif move == "momentum":
            run.optimizer.param_groups[0]["betas"] = (0.5 + n / 32, 0.99)
        elif move == "save" and len(run.optimizer.param_groups) == 2:
            saved = copy.deepcopy([s.state_dict() for s in run.schedulers])
        elif move == "load" and saved is not None:
            for scheduler, state in zip(run.schedulers, saved, strict=True):
                scheduler.load_state_dict(copy.deepcopy(state))
        elif move == "add" and len(run.optimizer.param_groups) == 2 and saved is None:
            run.add_group()
            replay = run.taped()
    return [*seen, run.shown()]


def walk(place: Any, name: str, examples: int, number: int) -> None:
    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(MOVES, min_size=6, max_size=16))
    def one(moves: list[tuple[str, int]]) -> None:
        got, want = walked(place, name, moves), walked(None, name, moves)
        assert got[:-1] == want[:-1]
        assert got[-1].splitlines() == want[-1].splitlines()

    one()


@pytest.mark.parametrize("name", ["greedy", "two schedulers"])
def test_random_walks(place: Any, name: str) -> None:
    walk(place, name, 2, 5)


@pytest.mark.heavy
@pytest.mark.parametrize("name", MAKES)
def test_many_random_walks(place: Any, name: str) -> None:
    walk(place, name, 40, 6)
