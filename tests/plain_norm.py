"""The norm of all gradients and what follows from it, as a plain loop: the oracle, no grilly in it.

It sums in the order that grilly/hyper.py says.
"""

from __future__ import annotations

from typing import Any

import numpy as np

F = np.float32
Tensors = list[Any]
LANES, SHARE, PARTS = 16, 2048, 256  # written out: changing them changes bits
TINY = F(2.0**-63)
INF = float("inf")


def stream(tensors: Tensors) -> Any:
    """Return all gradients after each other, each padded to whole float4 with zeros."""
    padded = [
        np.resize(np.r_[g, [F(0)] * 4], -(-g.size // 4) * 4) for g in tensors if g is not None
    ]
    for p, g in zip(padded, [g for g in tensors if g is not None], strict=True):
        p[g.size :] = 0
    return np.concatenate([np.zeros(0, F), *padded]).astype(F)


@np.errstate(all="ignore")
def plain(tensors: Tensors) -> tuple[F, bool]:
    """Return the norm, and whether a value is not finite."""
    x = stream(tensors)
    finite = bool(np.isfinite(x).all())
    if not finite:
        return F(np.nan) if np.isnan(x).any() else F(np.inf), True
    x[np.abs(x) < TINY] = 0
    parts = np.zeros((PARTS, 4), F)
    lane = 0
    for start in range(0, x.size, 4 * SHARE):
        share = np.zeros(4 * SHARE, F)
        share[: x[start : start + 4 * SHARE].size] = x[start : start + 4 * SHARE]
        sums = np.zeros((LANES, 4), F)
        for row in share.reshape(-1, LANES, 4):
            sums = sums + row * row
        for n in range(LANES):
            parts[(lane + n) % PARTS] = parts[(lane + n) % PARTS] + sums[n]
        lane += LANES
    while len(parts) > 1:
        parts = parts[: len(parts) // 2] + parts[len(parts) // 2 :]
    (a, b, c, d) = parts[0]
    return np.sqrt((a + b) + (c + d)), False


@np.errstate(all="ignore")
def wanted(tensors: Tensors, max_norm: float, skip: bool) -> list[int]:
    """Return the first six words of the control."""
    norm, nonfinite = plain(tensors)
    limit = F(max_norm) if max_norm >= 2.0**-126 else F(0)
    ratio = limit / (norm + F(1e-6))
    if ratio < F(2.0**-126):
        ratio = F(0)
    coefficient = F(1) if limit == INF or ratio > 1 else ratio
    skipped = nonfinite and skip
    floats = np.array([coefficient, norm], F).view(np.uint32)
    floats[np.isnan(floats.view(F))] = 0x7FC00000
    return [int(floats[0]), int(not skipped), int(floats[1]), int(nonfinite), int(skipped), 0]
