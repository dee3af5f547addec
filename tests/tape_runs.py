"""Runs: one training program on device arrays, made by replays or step by step, to be compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import grilly
from grilly import optim

Place = str | int
SIZES = (5, 700, 1)


class Run:
    """Parameters on a device with gradients in place, an optimizer and its schedulers.

    ``program(run)`` is what a round says; without one it is a step of the optimizer and then one
    of each scheduler.
    """

    def __init__(
        self,
        place: Place,
        kind: str = "AdamW",
        schedule: Callable[[Any], Any] | None = None,
        program: Callable[[Run], object] | None = None,
        sizes: Sequence[int] = SIZES,
        **options: Any,
    ) -> None:
        self.place = place
        self.params = [
            grilly.nn.Parameter(np.linspace(-1, 1, size, dtype=np.float32), device=place)
            for size in sizes
        ]
        for i, p in enumerate(self.params):
            p.grad.copy_from(gradient(p.data.size, i))
        half = [{"params": self.params[:1]}, {"params": self.params[1:], "lr": 0.02}]
        self.optimizer = getattr(optim, kind)(half, **{"lr": 0.05, **options})
        made = [] if schedule is None else schedule(self.optimizer)
        self.schedulers = list(made) if isinstance(made, (list, tuple)) else [made]
        self.program = program or Run.round
        self.tape: Any = None

    def round(self) -> None:
        self.optimizer.step()
        for scheduler in self.schedulers:
            scheduler.step()

    def eager(self, rounds: int) -> Run:
        """Make rounds step by step."""
        for _ in range(rounds):
            self.program(self)
        return self

    def record(self) -> Run:
        with grilly.record() as self.tape:
            self.program(self)
        return self

    def replay(self, rounds: int) -> Run:
        if self.tape is None:
            self.record()
        self.tape.replay(rounds)
        return self

    def contents(self) -> dict[str, Any]:
        """Return all that the training has come to."""
        state = self.optimizer.state_dict()
        found: dict[str, Any] = {}
        for i, p in enumerate(self.params):
            found[f"parameter {i}"] = p.data.numpy()
            if p.grad is not None:
                found[f"gradient {i}"] = p.grad.numpy()
        for i, own in state["state"].items():
            found |= {f"{name} of {i}": value for name, value in own.items()}
        for i, group in enumerate(state["param_groups"]):
            found |= {f"{k} of group {i}": v for k, v in group.items() if k != "params"}
        for i, scheduler in enumerate(self.schedulers):
            found[f"scheduler {i}"] = repr(scheduler.state_dict())
            found[f"last_epoch {i}"] = getattr(scheduler, "last_epoch", None)
            found[f"last_lr {i}"] = scheduler.get_last_lr()
        found["next row"] = self.optimizer.read_hyperparameters()
        return found


def gradient(size: int, seed: int) -> Any:
    return np.random.default_rng(seed).standard_normal(size).astype(np.float32)


# What the moves come to step by step on numpy, by the test that asks: once for all places.
_known: dict[Any, list[dict[str, Any]]] = {}


def check(place: Place, key: Any, make: Callable[[Place], Any], moves: Sequence[Any]) -> None:
    """Assert that a run on ``place`` is in every bit what it is step by step on numpy.

    ``moves`` are n for replay(n), -n for n rounds step by step, and functions of the run, after
    which it is recorded anew if they say so. ``key`` tells apart what is made.
    """
    if key not in _known:
        run, found = make("cpu"), []
        for move in moves:
            move(run) if callable(move) else run.eager(abs(move))
            found.append(run.contents())
        _known[key] = found
    run = make(place)
    for number, (move, want) in enumerate(zip(moves, _known[key], strict=True)):
        if callable(move):
            if move(run):
                run.tape = None
        elif move < 0:
            run.eager(-move)
        else:
            run.replay(move)
        assert_same(run.contents(), want, f"after move {number}, ")


def assert_same(got: dict[str, Any], want: dict[str, Any], when: str = "") -> None:
    """Assert that two runs have come to the same in every bit, but for the bits of a nan."""
    assert got.keys() == want.keys()
    for name, value in want.items():
        words = f"{when}{name}: {got[name]!r} after replays, {value!r} step by step"
        assert type(got[name]) is type(value), words
        assert _bits(got[name]) == _bits(value), words


def _bits(value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return repr(value)
    if value.dtype.names is None and np.isnan(value).any():
        value = np.where(np.isnan(value), np.float32(np.nan), value)
    return value.tobytes()
