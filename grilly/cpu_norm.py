"""The norm of all gradients on numpy, and what follows from it for an update.

Operation for operation that of shaders/optim/examine.comp and decide.comp: hyper.py says in which
order the squares are summed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from . import cpu_threads, hyper

Array = np.ndarray[Any, np.dtype[np.float32]]
Piece = tuple[int, Array]  # where in all gradients, in floats, and the values

ROW = 4 * hyper.NORM_LANES
SHARE = 4 * hyper.NORM_SHARE
BLOCK = 16 * SHARE  # floats summed at a time: they stay in the cache
INFINITE = np.uint32(0x7F800000)


class Examined(NamedTuple):
    """``sums`` are the squares' of each lane of each share, (shares, lanes, 4) float32; ``largest``
    is the bits of the largest magnitude."""

    sums: Array
    largest: np.uint32


def examine(grads: Sequence[Array], scratch: Sequence[Array]) -> Examined:
    """Sum the squares of flat float32 gradients.

    ``scratch`` has an array of at least ``scratch_floats(grads)`` floats for each thread.
    """
    pieces = list(_pieces(grads))
    end = pieces[-1][0] + pieces[-1][1].size if pieces else 0
    sums = np.zeros((-(-end // SHARE), ROW), np.float32)
    largest = [np.uint32(0)] * len(scratch)

    def work(thread: int, block: list[Piece]) -> None:
        x = _gathered(block, scratch[thread])
        first = block[0][0] // SHARE
        most = _add_squares(x, sums[first : first + len(x)])
        largest[thread] = max(largest[thread], most)

    blocks = (list(block) for _, block in groupby(pieces, lambda piece: piece[0] // BLOCK))
    cpu_threads.share(blocks, work, len(scratch))
    return Examined(sums.reshape(-1, hyper.NORM_LANES, 4), max(largest))


def scratch_floats(grads: Sequence[Array]) -> int:
    """Return the floats of scratch that a thread needs."""
    total = sum(-(-grad.size // 4) * 4 for grad in grads)
    return min(BLOCK, -(-total // SHARE) * SHARE)


def decide(examined: Examined, control: np.ndarray[Any, Any]) -> None:
    """Write into ``control``, of shape (1,) and hyper.control_dtype(), what follows."""
    with np.errstate(all="ignore"):
        norm = _norm(*examined)
        finite = examined.largest < INFINITE
        applied = bool(finite or not control["skip_nonfinite"][0])
        control["coefficient"] = _coefficient(control["max_norm"][0], norm)
    control["norm"], control["nonfinite"], control["applied"] = norm, not finite, applied
    skipped = hyper.settings(control)[1][:2].view(np.uint64)
    skipped += np.uint64(not applied)


def _pieces(grads: Sequence[Array]) -> Iterator[Piece]:
    """Yield the gradients in pieces that lie in one block each; tensors begin at whole float4."""
    place = 0
    for grad in grads:
        start = 0
        while start < grad.size:
            taken = min(grad.size - start, BLOCK - place % BLOCK)
            yield place, grad[start : start + taken]
            start, place = start + taken, place + taken
        place = -(-place // 4) * 4


def _gathered(block: list[Piece], scratch: Array) -> Array:
    """Return a block's shares as (shares, rows, ROW), zeros between the pieces and behind them."""
    end, base = 0, block[0][0] // BLOCK * BLOCK
    for place, values in block:
        at = place - base
        scratch[end:at] = 0
        end = at + values.size
        scratch[at:end] = values
    # One share needs only its rows that hold something.
    unit = ROW if end < SHARE else SHARE
    last = -(-end // unit) * unit
    scratch[end:last] = 0
    return scratch[:last].reshape(-(-last // SHARE), -1, ROW)


def _add_squares(x: Array, out: Array) -> np.uint32:
    """Add the squares of each lane into ``out``, row after row; return the largest magnitude.

    Destroys ``x``. numpy sums one by one along an axis that is not the last, in its order.
    """
    bits = x.view(np.uint32)
    np.bitwise_and(bits, np.uint32(0x7FFFFFFF), out=bits)
    largest: np.uint32 = bits.max()
    np.copyto(x, np.float32(0), where=bits < np.uint32(hyper.NORM_LEAST_BITS))
    np.multiply(x, x, out=x)
    np.add.reduce(x, axis=1, out=out)
    return largest


def _norm(sums: Array, largest: np.uint32) -> np.float32:
    """Return the square root of all sums; nan or inf if a gradient is, inf if they overflow."""
    if largest >= INFINITE:
        return np.float32(np.nan if largest > INFINITE else np.inf)
    lanes = sums.reshape(-1, 4)
    rows = -(-len(lanes) // hyper.NORM_PARTS)
    parts = np.zeros((rows * hyper.NORM_PARTS, 4), np.float32)
    parts[: len(lanes)] = lanes
    total = np.add.reduce(parts.reshape(rows, hyper.NORM_PARTS, 4), axis=0)
    while len(total) > 1:
        half = len(total) // 2
        total = total[:half] + total[half:]
    x, y, z, w = total[0]
    norm: np.float32 = np.sqrt((x + y) + (z + w))
    return norm


def _coefficient(max_norm: np.float32, norm: np.float32) -> np.float32:
    """Return min(1, max_norm / (norm + 1e-6)) as torch has it: 0 for inf, nan for nan."""
    if np.isinf(max_norm):
        return np.float32(1)
    if not np.isfinite(norm):
        return np.float32(0) if np.isinf(norm) else norm
    ratio = max_norm / (norm + np.float32(1e-6))
    small = ratio < np.finfo(np.float32).tiny
    return np.float32(0) if small else min(ratio, np.float32(1))
