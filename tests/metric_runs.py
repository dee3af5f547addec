"""Trainings whose schedulers follow a loss, left on the device or read as a number each step."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

import grilly
from grilly.nn import Parameter
from grilly.optim import SGD, AdamW, ParamScheduler
from grilly.optim.lr_scheduler import GreedyLR, ReduceLROnPlateau
from grilly.rules import Greedy, Plateau
from grilly.schedules import Cosine, Join, OneCycle, Ramp

SIZES = (5, 70, 3)
LENGTH = 40  # rounds for which there are losses
CYCLE = OneCycle((12.0, 30.0), (0.1, 0.5, 0.01))
# Hands the next loss out: in a tape nothing else could.
NEXT = grilly.Kernel(
    """#version 450
    layout(local_size_x = 1) in;
    layout(std430, binding = 0) writeonly buffer Loss { float loss[]; };
    layout(std430, binding = 1) readonly buffer Losses { float losses[]; };
    layout(std430, binding = 2) buffer Cursor { float cursor[]; };
    void main() {
      loss[0] = losses[uint(cursor[0])];
      cursor[0] += 1.0;
    }""",
    host=lambda loss, losses, cursor: _next(loss, losses, cursor),
)


def _next(loss: Any, losses: Any, cursor: Any) -> None:
    loss[0] = losses[int(cursor[0])]
    cursor[0] += 1


def falling(n: int, seed: int = 0) -> Any:
    """Return losses that improve at first and then do not, with noise; float32."""
    rng = np.random.default_rng(seed)
    fall = 2.0 + np.maximum(0, 8 - np.arange(n)) * 0.3
    return np.round(fall + 0.05 * rng.standard_normal(n), 3).astype(np.float32)


# What makes the schedulers of an optimizer with two groups; each is stepped with the loss.
MAKES: dict[str, Callable[[Any], list[Any]]] = {
    "plateau": lambda o: [ReduceLROnPlateau(o, patience=1, factor=0.5, cooldown=2)],
    "plateau of bounds": lambda o: [
        ReduceLROnPlateau(o, "max", 0.3, 0, 0.1, "abs", 0, [0.2, 0.001], eps=1e-3)
    ],
    "greedy": lambda o: [GreedyLR(o, patience=1, factor=0.7, cooldown=1, warmup=1, max_lr=2.0)],
    "greedy begins anew": lambda o: [
        GreedyLR(o, factor=0.5, patience=0, min_lr=0.04, reset_start=2, smooth=True, window_size=3)
    ],
    "rule": lambda o: [ParamScheduler(o, {"lr": Plateau(0.3, patience=1, factor=0.5)})],
    "product": lambda o: [ParamScheduler(o, {"lr": CYCLE * Plateau(patience=1, factor=0.5)})],
    "join": lambda o: [
        ParamScheduler(
            o, {"lr": Join((Ramp(0.5, 0.1, 1.0, steps=9), Plateau(0.5, patience=1)), (9,))}
        )
    ],
    "rule that ends": lambda o: [
        ParamScheduler(
            o,
            {
                "lr": Join(
                    (Plateau(0.5, patience=1, factor=0.5), Ramp(0.2, 1.0, 0.0, steps=20)), (17,)
                )
            },
        )
    ],
    "per group": lambda o: [
        ParamScheduler(
            o,
            {
                "lr": [
                    Plateau(0.3, patience=1) * Greedy(1.0, factor=0.8, patience=0, max_value=1.5),
                    CYCLE,
                ],
                "weight_decay": [None, Greedy(0.1, factor=0.5, patience=1)],
            },
        )
    ],
    "columns": lambda o: [
        ParamScheduler(
            o,
            {
                "lr": 0.2 * Plateau(patience=2, factor=0.5),
                "beta1": 0.6 + 0.35 * Plateau(patience=1, factor=0.5),
                "beta2": Cosine(0.99, 0.9, 10),
            },
        )
    ],
    "two schedulers": lambda o: [
        ReduceLROnPlateau(o, patience=1, factor=0.5),
        ParamScheduler(o, {"beta1": CYCLE * Plateau(patience=0, factor=0.9)}),
    ],
}


class Run:
    """A training; ``place`` None: on numpy, with the losses as numbers."""

    def __init__(self, place: str | int | None, make: Any, losses: Any, **options: Any) -> None:
        device = "cpu" if place is None else place
        self.on_device, self.losses, self.at = place is not None, losses, 0
        rng = np.random.default_rng(3)
        self.params = []
        for size in SIZES:
            p = Parameter(rng.standard_normal(size).astype(np.float32), device=device)
            p.grad.copy_from(rng.standard_normal(size).astype(np.float32))
            self.params.append(p)
        groups: list[Any] = [{"params": self.params[:1]}, {"params": self.params[1:2], "lr": 0.4}]
        kind = options.pop("kind", AdamW)
        self.optimizer: Any = kind(groups, lr=0.25, **options)
        self.schedulers = make(self.optimizer)
        arrays = [[0.0], losses, [0.0]]
        self.loss, self._all, self._cursor = (grilly.device_array(a, device) for a in arrays)
        self.metric: Any = self.loss

    @property
    def scheduler(self) -> Any:
        """The first scheduler."""
        return self.schedulers[0]

    def add_group(self) -> None:
        """Add the last parameter's group, and what the schedulers need for it."""
        self.optimizer.add_param_group({"params": self.params[2:], "lr": 0.35})
        for scheduler in self.schedulers:
            for given in getattr(scheduler, "schedules", {}).values():
                if isinstance(given, list):
                    given.append(given[0])
            if hasattr(scheduler, "min_lrs"):  # on the device they are wanted at once
                scheduler.min_lrs = [*scheduler.min_lrs, 0.02]
            if hasattr(scheduler, "max_lrs"):
                scheduler.max_lrs = [*scheduler.max_lrs, 0.9]

    def next_loss(self) -> Any:
        """Return the next loss, on the device or as a number."""
        loss = float(self.losses[self.at])
        self.at += 1
        if not self.on_device:
            return loss
        NEXT([self.loss, self._all, self._cursor], 1)
        return self.metric

    def step(self, updates: int = 1) -> None:
        """Make a round of the training."""
        for _ in range(updates):
            self.optimizer.step()
        loss = self.next_loss()
        for scheduler in self.schedulers:
            scheduler.step(loss)

    def step_on_host(self) -> None:
        """Make a round whose loss the host reads."""
        self.optimizer.step()
        loss = self.next_loss()
        for scheduler in self.schedulers:
            scheduler.step(float(self.loss.item()) if self.on_device else loss)

    def taped(self, updates: int = 1) -> Callable[[int], None]:
        """Return what makes rounds: a tape's replay, or without a device a loop."""
        if not self.on_device:
            return lambda n: [self.step(updates) for _ in range(n)] and None
        at = self.at
        with grilly.record() as tape:
            self.step(updates)
        self.at = at

        def replay(n: int) -> None:
            tape.replay(n)
            self.at += n

        return replay

    def counters(self) -> tuple[int, ...]:
        """Return what the host has moved and waited for; ()."""
        place = self.loss._place
        if not hasattr(place, "device"):
            return ()
        c = place.device.counters
        return c.bytes_up, c.bytes_down, c.allocations, c.waits

    def shown(self) -> str:
        """Return all that a user can see of the run, as text in which each bit shows."""
        state = self.optimizer.state_dict()
        states = {
            i: {k: v.tobytes().hex() if hasattr(v, "tobytes") else v for k, v in own.items()}
            for i, own in state["state"].items()
        }
        groups = [{k: repr(v) for k, v in g.items()} for g in state["param_groups"]]
        weights = [p.data.numpy().tobytes().hex() for p in self.params]
        schedulers = [[s.state_dict(), s.last_epoch, s.get_last_lr()] for s in self.schedulers]
        row = self.optimizer.read_hyperparameters().tobytes().hex()
        everything = [schedulers, groups, row, states, weights]
        return json.dumps(everything, indent=1, sort_keys=True)


# What is done with a run; it returns what the run showed on the way.
Program = Callable[[Run], list[str]]


@lru_cache(maxsize=64)
def _on_host(name: str, program: Program, options: tuple[tuple[str, Any], ...]) -> list[str]:
    return program(Run(None, MAKES[name], falling(LENGTH), **dict(options)))


def check(place: str | int, name: str, program: Program, **options: Any) -> None:
    """Assert that a program shows the same in every bit whether or not the host sees the losses."""
    got = program(Run(place, MAKES[name], falling(LENGTH), **options))
    for one, other in zip(got, _on_host(name, program, (*options.items(),)), strict=True):
        assert one.splitlines() == other.splitlines()


def optimizer_on(place: Any, **options: Any) -> Any:
    """Return an SGD of three weights of 1, with gradients of 0.5 and a rate of 1."""
    p = Parameter(np.ones(3, np.float32), device=place)
    p.grad.copy_from(np.full(3, 0.5))
    return SGD([p], lr=1.0, **options)
