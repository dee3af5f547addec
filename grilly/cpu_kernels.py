"""The optimizers' updates in numpy float32, operation for operation those of shaders/optim/."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float32]]

# Floats a block: four or five arrays of it stay in the cache. Half of it was as fast in one thread,
# but two threads then wait for each other between the calls (docs/performance.md).
BLOCK = 131_072


class Kernel(NamedTuple):
    """``update(h, scratch, param, grad, *states)`` in place on equal flat blocks."""

    update: Callable[..., None]
    scratch: int


def sgd(h: Any, scratch: Array, p: Array, grad: Array, *buffer: Array) -> None:
    """Update one block; ``h`` is a lane of hyper.dtype("SGD"), ``buffer`` the momentum's state."""
    g, a = scratch
    sign = np.float32(-1 if h["maximize"] != 0 else 1)
    rate, momentum = sign * h["lr"], h["momentum"]
    g = _decayed(sign * h["weight_decay"], p, grad, g)
    if buffer and momentum != 0:
        (direction,) = buffer
        np.multiply(momentum, direction, out=direction)
        np.multiply(sign * h["fresh"], g, out=a)
        np.add(direction, a, out=direction)
        if h["nesterov"] != 0:
            np.multiply(sign * momentum, direction, out=a)
            direction = np.add(g, a, out=a)
        else:
            rate = h["lr"]
    else:
        direction = g
    np.multiply(rate, direction, out=a)
    np.subtract(p, a, out=p)


def adam(h: Any, scratch: Array, p: Array, grad: Array, *states: Array) -> None:
    """Update one block; ``h`` is a lane of hyper.dtype("Adam")."""
    a, b = scratch
    decay = -h["weight_decay"] if h["maximize"] != 0 else h["weight_decay"]
    _adam(h, a, p, _decayed(decay, p, grad, b), *states)


def adamw(h: Any, scratch: Array, p: Array, grad: Array, *states: Array) -> None:
    """Update one block; ``h`` is a lane of hyper.dtype("AdamW")."""
    (a,) = scratch
    np.multiply(h["lr"] * h["weight_decay"], p, out=a)
    np.subtract(p, a, out=p)
    _adam(h, a, p, grad, *states)


def controlled(
    kernel: Kernel,
    coefficient: np.float32,
    h: Any,
    scratch: Array,
    p: Array,
    grad: Array,
    *states: Array,
) -> None:
    """Update one block by ``coefficient`` times its gradient; ``scratch`` has one array more."""
    if coefficient != 1:  # the caller's gradient stays what it is
        grad = np.multiply(coefficient, grad, out=scratch[kernel.scratch])
    kernel.update(h, scratch[: kernel.scratch], p, grad, *states)


def _decayed(decay: np.float32, p: Array, grad: Array, out: Array) -> Array:
    """Return the gradient plus ``decay`` times the weights, in ``out``."""
    if decay == 0:  # an infinite weight must not make it nan
        return grad
    np.multiply(decay, p, out=out)
    return np.add(grad, out, out=out)


def _adam(h: Any, a: Array, p: Array, g: Array, m: Array, v: Array, *largest: Array) -> None:
    """Update the moments, and the weights by them; ``largest`` is AMSGrad's state."""
    new1 = h["one_minus_beta1"]
    np.multiply(h["beta1"], m, out=m)
    np.multiply(-new1 if h["maximize"] != 0 else new1, g, out=a)
    np.add(m, a, out=m)
    np.multiply(g, g, out=a)
    np.multiply(h["beta2"], v, out=v)
    np.multiply(h["one_minus_beta2"], a, out=a)
    np.add(v, a, out=v)
    if largest and h["amsgrad"] != 0:
        np.copyto(largest[0], v, where=~(v <= largest[0]))
        v = largest[0]
    np.sqrt(v, out=a)
    np.multiply(a, h["debias2"], out=a)
    np.add(a, h["eps"], out=a)
    np.divide(m, a, out=a)
    np.multiply(h["lr"] * h["debias1"], a, out=a)
    np.subtract(p, a, out=p)


KERNELS = {
    "SGD": Kernel(sgd, scratch=2),
    "Adam": Kernel(adam, scratch=2),
    "AdamW": Kernel(adamw, scratch=1),
}
