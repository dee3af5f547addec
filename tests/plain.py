"""The optimizers as anybody would write them in numpy float32: the oracle, no grilly in it."""

from __future__ import annotations

from typing import Any

import numpy as np

F = np.float32
Array = np.ndarray[Any, np.dtype[np.float32]]


class PlainSGD:
    """One parameter; hyperparameters are given per step as exact numbers rounded to float32."""

    def __init__(self, weights: Array, nesterov: bool = False, maximize: bool = False) -> None:
        self.p = weights.copy()
        self.buffer: Array | None = None
        self.nesterov, self.maximize = nesterov, maximize

    def step(self, grad: Array, lr: F, momentum: F, fresh: F, decay: F) -> None:
        """Update: fresh = 1 - dampening."""
        g = -grad if self.maximize else grad
        if decay != 0:
            g = g + decay * self.p
        if momentum != 0:
            self.buffer = g if self.buffer is None else momentum * self.buffer + fresh * g
            g = g + momentum * self.buffer if self.nesterov else self.buffer
        self.p = self.p - lr * g


class PlainAdam:
    """One parameter; hyperparameters are given per step as exact numbers rounded to float32."""

    coupled = True

    def __init__(self, weights: Array, amsgrad: bool = False, maximize: bool = False) -> None:
        self.p = weights.copy()
        self.m, self.v, self.largest = (np.zeros_like(weights) for _ in range(3))
        self.amsgrad, self.maximize = amsgrad, maximize

    def step(
        self,
        grad: Array,
        lr: F,
        beta1: F,
        new1: F,
        beta2: F,
        new2: F,
        eps: F,
        decay: F,
        d1: F,
        d2: F,
    ) -> None:
        """Update: new = 1 - beta, d1 = 1 / (1 - beta1^k) and d2 = 1 / sqrt(1 - beta2^k)."""
        g, p = -grad if self.maximize else grad, self.p
        if decay != 0 and self.coupled:
            g = g + decay * p
        if decay != 0 and not self.coupled:
            p = p - (lr * decay) * p
        self.m = beta1 * self.m + new1 * g
        self.v = beta2 * self.v + new2 * (g * g)
        self.largest = np.maximum(self.largest, self.v)
        v = self.largest if self.amsgrad else self.v
        self.p = p - (lr * d1) * (self.m / (np.sqrt(v) * d2 + eps))


class PlainAdamW(PlainAdam):
    """The same with decoupled weight decay."""

    coupled = False


def hashed_gradient(size: int, step: int) -> Array:
    """Return a reproducible gradient in [-1, 1) for each step, exact in float32."""
    with np.errstate(over="ignore"):
        x = np.arange(size, dtype=np.uint32) * np.uint32(2654435761) + np.uint32(step) * np.uint32(
            40503
        )
        x ^= x >> np.uint32(15)
        x *= np.uint32(2246822519)
        x ^= x >> np.uint32(13)
    return (x >> np.uint32(8)).astype(np.float32) * F(2.0**-23) - F(1)
