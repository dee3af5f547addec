"""The optimizers' updates in numpy float32, operation for operation those of shaders/optim/."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float32]]
Table = np.ndarray[Any, np.dtype[Any]]  # (rows, lanes) of hyper.dtype(kind)

# Floats a block: four or five arrays of it stay in the cache. Half of it was as fast in one thread,
# but two threads then wait for each other between the calls (docs/performance.md).
BLOCK = 131_072
LINE = 16  # floats in a cache line


class Kernel(NamedTuple):
    """``update(h, scratch, param, grad, *states)`` in place on equal flat blocks.

    ``h`` is what ``numbers`` makes of a lane, or of many at once: an array has its shape.
    """

    update: Callable[..., None]
    numbers: Callable[[Any], tuple[Any, ...]]
    scratch: int


class SgdNumbers(NamedTuple):
    """What SGD multiplies by, made of lanes of hyper.dtype("SGD")."""

    rate: Any
    signed_rate: Any
    momentum: Any
    signed_momentum: Any
    fresh: Any
    decay: Any
    nesterov: Any


class AdamNumbers(NamedTuple):
    """What Adam and AdamW multiply by, made of lanes of hyper.dtype("Adam")."""

    decay: Any
    beta1: Any
    new1: Any
    beta2: Any
    new2: Any
    debias2: Any
    eps: Any
    rate: Any
    amsgrad: Any


def sgd_numbers(lane: Any) -> SgdNumbers:
    """Return the products that are the same for a whole update; the sign is that of maximize."""
    sign = _sign(lane)
    return SgdNumbers(
        rate=lane["lr"],
        signed_rate=sign * lane["lr"],
        momentum=lane["momentum"],
        signed_momentum=sign * lane["momentum"],
        fresh=sign * lane["fresh"],
        decay=sign * lane["weight_decay"],
        nesterov=lane["nesterov"],
    )


def adam_numbers(lane: Any) -> AdamNumbers:
    """Return Adam's: its decay is added to the gradient."""
    sign = _sign(lane)
    return AdamNumbers(
        decay=sign * lane["weight_decay"],
        beta1=lane["beta1"],
        new1=sign * lane["one_minus_beta1"],
        beta2=lane["beta2"],
        new2=lane["one_minus_beta2"],
        debias2=lane["debias2"],
        eps=lane["eps"],
        rate=lane["lr"] * lane["debias1"],
        amsgrad=lane["amsgrad"],
    )


def adamw_numbers(lane: Any) -> AdamNumbers:
    """Return AdamW's: its decay is taken from the weights."""
    return adam_numbers(lane)._replace(decay=lane["lr"] * lane["weight_decay"])


def _sign(lane: Any) -> Any:
    return np.where(lane["maximize"] != 0, np.float32(-1), np.float32(1))


def sgd(h: SgdNumbers, scratch: Sequence[Array], p: Array, grad: Array, *buffer: Array) -> None:
    """Update one block; ``buffer`` is the momentum's state."""
    g, a = scratch
    rate = h.signed_rate
    g = _decayed(h.decay, p, grad, g)
    if buffer and h.momentum:
        (direction,) = buffer
        np.multiply(h.momentum, direction, direction)
        np.multiply(h.fresh, g, a)
        np.add(direction, a, direction)
        if h.nesterov:
            np.multiply(h.signed_momentum, direction, a)
            direction = np.add(g, a, a)
        else:
            rate = h.rate
    else:
        direction = g
    np.multiply(rate, direction, a)
    np.subtract(p, a, p)


def adam(h: AdamNumbers, scratch: Sequence[Array], p: Array, grad: Array, *states: Array) -> None:
    """Update one block."""
    a, b = scratch
    _adam(h, a, p, _decayed(h.decay, p, grad, b), *states)


def adamw(h: AdamNumbers, scratch: Sequence[Array], p: Array, grad: Array, *states: Array) -> None:
    """Update one block."""
    (a,) = scratch
    np.multiply(h.decay, p, a)
    np.subtract(p, a, p)
    _adam(h, a, p, grad, *states)


def controlled(
    kernel: Kernel,
    coefficient: np.float32,
    h: Any,
    scratch: Sequence[Array],
    p: Array,
    grad: Array,
    *states: Array,
) -> None:
    """Update one block by ``coefficient`` times its gradient; ``scratch`` has one array more."""
    if coefficient != 1:  # the caller's gradient stays what it is
        grad = np.multiply(coefficient, grad, scratch[kernel.scratch])
    kernel.update(h, scratch[: kernel.scratch], p, grad, *states)


def _decayed(decay: np.float32, p: Array, grad: Array, out: Array) -> Array:
    """Return the gradient plus ``decay`` times the weights, in ``out``."""
    if not decay:  # an infinite weight must not make it nan
        return grad
    np.multiply(decay, p, out)
    return np.add(grad, out, out)


def _adam(
    h: AdamNumbers, a: Array, p: Array, g: Array, m: Array, v: Array, *largest: Array
) -> None:
    """Update the moments, and the weights by them; ``largest`` is AMSGrad's state."""
    multiply, add = np.multiply, np.add
    multiply(h.beta1, m, m)
    multiply(h.new1, g, a)
    add(m, a, m)
    multiply(g, g, a)
    multiply(h.beta2, v, v)
    multiply(h.new2, a, a)
    add(v, a, v)
    if largest and h.amsgrad:
        np.copyto(largest[0], v, where=~(v <= largest[0]))
        v = largest[0]
    np.sqrt(v, a)
    multiply(a, h.debias2, a)
    add(a, h.eps, a)
    np.divide(m, a, a)
    multiply(h.rate, a, a)
    np.subtract(p, a, p)


KERNELS = {
    "SGD": Kernel(sgd, sgd_numbers, scratch=2),
    "Adam": Kernel(adam, adam_numbers, scratch=2),
    "AdamW": Kernel(adamw, adamw_numbers, scratch=1),
}


class Numbers:
    """What the kernel multiplies by in each lane, as 0-d arrays that stand in one row at a time.

    A ufunc takes a 0-d array in half the time that it takes a scalar. Most of a small update is
    such overhead.
    """

    def __init__(self, kernel: Kernel, table: Table) -> None:
        self._kernel = kernel
        made = kernel.numbers(table[:1])
        self._now = np.empty((len(made), table.shape[1]), np.float32)
        self._rows = np.empty((0, *self._now.shape), np.float32)
        kind: Any = type(made)
        self.of = [kind(*(own[lane, ...] for own in self._now)) for lane in range(table.shape[1])]

    def take(self, table: Table) -> None:
        """Take the numbers of a table's rows."""
        with np.errstate(all="ignore"):
            made = self._kernel.numbers(table)
        self._rows = np.stack(made, axis=1)

    def stand(self, row: int) -> None:
        """Let ``of`` be of this row."""
        self._now[...] = self._rows[row]


def zeros(size: int) -> Array:
    """Return zeros that begin where a cache line does: numpy's loops are faster there."""
    array = np.zeros(size + LINE, np.float32)
    start = -array.ctypes.data // array.itemsize % LINE
    return array[start : start + size]
