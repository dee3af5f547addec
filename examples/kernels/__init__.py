"""The kernels of resident_digits.py: each a shader beside this file, and the same in numpy.

On the numpy device the function runs, with the arrays and then the push constants. All sums are
made one term after the other, here as in the shaders: then each of them has one value, which
numpy and the drivers agree on. (What they do not agree on is exp and log, in the last bit.)
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from grilly import Kernel

Array = np.ndarray[Any, np.dtype[np.float32]]


def kernel(host: Callable[..., None]) -> Kernel:
    """Return the Kernel of the shader with the name of the function ``host``."""
    source = Path(__file__).with_name(f"{host.__name__}.comp").read_text("utf-8")
    return Kernel(source, host=host)


def product(a: Array, b: Array, start: Array | float = 0.0) -> Array:
    """Return ``start + a @ b``, the terms of each element added one after the other."""
    total = np.full((len(a), b.shape[1]), start, np.float32)
    for k in range(len(b)):
        total += a[:, k, None] * b[k]
    return total


def total(values: Array) -> Array:
    """Return the sum along the last axis, its terms added one after the other."""
    sums: Array = np.add.accumulate(values, axis=-1)[..., -1]
    return sums


@kernel
def gather(
    images: Array, labels: Array, order: Array, cursor: Array, x: Array, y: Array, rows: int, _: int
) -> None:
    """Collect the next batch."""
    first = int(cursor[0]) * rows
    chosen = order[first : first + rows].astype(np.int64)
    x[:], y[:] = images[chosen], labels[chosen]


@kernel
def dense(x: Array, w: Array, b: Array, y: Array, *sizes: int) -> None:
    """Apply a layer."""
    y[:] = product(x, w, b)
    if sizes[-1]:  # relu
        y[~(y > 0)] = 0


@kernel
def cross_entropy(
    logits: Array, y: Array, d_logits: Array, losses: Array, rows: int, classes: int, _: int
) -> None:
    """Compare the logits with the labels."""
    shifted = logits[:, :classes] - logits[:, :classes].max(axis=1, keepdims=True)
    exponentials = np.exp(shifted)
    sums = total(exponentials)
    right = np.arange(rows), y.astype(np.int64)
    losses[:] = np.log(sums) - shifted[right]
    d_logits[:, :classes] = exponentials / sums[:, None]
    d_logits[right] -= 1
    d_logits /= np.float32(rows)


@kernel
def gradients(x: Array, d_y: Array, d_w: Array, d_b: Array, *_: int) -> None:
    """Find the gradients of a layer's weights."""
    d_w[:], d_b[:] = product(x.T, d_y), total(d_y.T)


@kernel
def backward(d_y: Array, w: Array, x: Array, d_x: Array, *_: int) -> None:
    """Find the gradient of a layer's input."""
    d_x[:] = np.where(x > 0, product(d_y, w.T), np.float32(0))


@kernel
def log_loss(losses: Array, cursor: Array, history: Array, rows: int) -> None:
    """Note the mean loss of a batch."""
    history[int(cursor[0])] = total(losses) / np.float32(rows)
    cursor += 1


@kernel
def hits(logits: Array, y: Array, found: Array, _: int, classes: int, __: int) -> None:
    """Find the images that are recognized."""
    found[:] = logits[:, :classes].argmax(axis=1) == y


@kernel
def report(
    history: Array, cursor: Array, found: Array, loss: Array, share: Array, batches: int, rows: int
) -> None:
    """Sum up an epoch."""
    end = int(cursor[0])
    loss[:] = total(history[end - batches : end]) / np.float32(batches)
    share[:] = total(found) / np.float32(rows)
