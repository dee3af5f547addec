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


def adamw(
    h: Any, scratch: Array, p: Array, grad: Array, m: Array, v: Array, *largest: Array
) -> None:
    """Update one block; ``h`` is a lane of hyper.dtype("AdamW"), ``largest`` AMSGrad's state."""
    (a,) = scratch
    new1 = h["one_minus_beta1"]
    np.multiply(h["beta1"], m, out=m)
    np.multiply(-new1 if h["maximize"] != 0 else new1, grad, out=a)
    np.add(m, a, out=m)
    np.multiply(grad, grad, out=a)
    np.multiply(h["beta2"], v, out=v)
    np.multiply(h["one_minus_beta2"], a, out=a)
    np.add(v, a, out=v)
    if largest and h["amsgrad"] != 0:
        np.copyto(largest[0], v, where=~(v <= largest[0]))
        v = largest[0]
    np.multiply(h["lr"] * h["weight_decay"], p, out=a)
    np.subtract(p, a, out=p)
    np.sqrt(v, out=a)
    np.multiply(a, h["debias2"], out=a)
    np.add(a, h["eps"], out=a)
    np.divide(m, a, out=a)
    np.multiply(h["lr"] * h["debias1"], a, out=a)
    np.subtract(p, a, out=p)


KERNELS = {"AdamW": Kernel(adamw, scratch=1)}
