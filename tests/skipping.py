"""Training with clipping and skipped updates as a plain loop on the host: the oracle.

Weights and states are numpy float32 of tests/plain.py, the norm that of tests/plain_norm.py. The
numbers of the groups are those of schedulers that drive bare groups, whose optimizer skips nothing:
the loop itself says which of their steps are made.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from cycle import rounded
from mpmath import mp, mpf
from plain import F, PlainAdam, PlainAdamW, PlainSGD
from plain_norm import INF, wanted

LOOPS: dict[str, Any] = {"SGD": PlainSGD, "Adam": PlainAdam, "AdamW": PlainAdamW}
DEFAULTS: dict[str, dict[str, Any]] = {
    "SGD": {"momentum": 0.9, "dampening": 0.0, "weight_decay": 0.01},
    "Adam": {"betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.01},
    "AdamW": {"betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.01},
}


def per_step(t: float) -> float:
    """Return what no device can compute: Python looks the step up."""
    return [1.0, 0.5, 0.75][int(t) % 3]


class Bare:
    """Groups of numbers, for a scheduler to write into."""

    def __init__(self, kind: str, groups: Sequence[dict[str, Any]]) -> None:
        self.defaults = {"lr": 0.1, **DEFAULTS[kind]}
        self.param_groups = [{**self.defaults, **group} for group in groups]


class Loop:
    """An optimizer of ``kind`` over groups of weights, [{"params": arrays, options}]."""

    def __init__(
        self,
        kind: str,
        groups: Sequence[dict[str, Any]],
        max_norm: float = INF,
        exact: bool = False,
    ) -> None:
        self.kind, self.max_norm, self.exact = kind, max_norm, exact
        self.bare = Bare(kind, [{**group, "params": []} for group in groups])
        self.params: list[Any] = []
        self.group_of: list[int] = []
        self.k: list[int] = []
        self.products: list[list[Any]] = []
        for i, group in enumerate(groups):
            self._take_in(i, group["params"])
        self.made: list[bool] = []  # of all updates, whether they were

    def _take_in(self, group: int, params: Sequence[Any]) -> None:
        for p in params:
            self.params.append(LOOPS[self.kind](p))
            self.group_of.append(group)
            self.k.append(0)
            self.products.append([mpf(1), mpf(1)])

    def add(self, group: dict[str, Any]) -> None:
        """Add a group."""
        self.bare.param_groups.append({**self.bare.defaults, **group, "params": []})
        self._take_in(len(self.bare.param_groups) - 1, group["params"])

    def step(self, grads: Sequence[Any]) -> bool:
        """Make an update, or leave it out if a value is not finite; return which."""
        words = wanted(list(grads), self.max_norm, True)
        self.norm = np.uint32(words[2]).view(F)
        coefficient, applied = np.uint32(words[0]).view(F), bool(words[1])
        self.made.append(applied)
        if applied:
            for i, grad in enumerate(grads):
                if grad is not None:
                    self._update(i, coefficient * grad)
        return applied

    def _update(self, i: int, grad: Any) -> None:
        group = self.bare.param_groups[self.group_of[i]]
        self.k[i] += 1
        lr, decay = F(group["lr"]), F(group["weight_decay"])
        if self.kind == "SGD":
            fresh = F(1) if self.k[i] == 1 else F(1 - group["dampening"])
            self.params[i].step(grad, lr, F(group["momentum"]), fresh, decay)
            return
        with mp.workdps(60):
            betas = [mpf(float(beta)) for beta in group["betas"]]
            self.products[i] = [p * b for p, b in zip(self.products[i], betas, strict=True)]
            powers = self.products[i] if self.exact else [b ** self.k[i] for b in betas]
            one, two = (rounded(1 - beta) for beta in betas)
            d1, d2 = rounded(1 / (1 - powers[0])), rounded(1 / mp.sqrt(1 - powers[1]))
        beta1, beta2 = (F(beta) for beta in group["betas"])
        self.params[i].step(grad, lr, beta1, one, beta2, two, F(group["eps"]), decay, d1, d2)


class Ticks:
    """The steps of one scheduler of a loop: which of them count."""

    def __init__(self, loop: Loop, scheduler: Any) -> None:
        self.loop, self.scheduler = loop, scheduler
        self.seen, self.counted = len(loop.made), True

    def step(self, *arguments: Any) -> None:
        """Step after the updates since the step before, if one of them was made."""
        since = self.loop.made[self.seen :]
        if since:
            self.counted = any(since)
        self.seen = len(self.loop.made)
        if self.counted:
            self.scheduler.step(*arguments)
