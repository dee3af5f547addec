"""The windows of numpy's table: short after a change, then longer, and the same rows in all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cycle import rounded
from mpmath import mp, mpf

from grilly.cpu import CpuBackend
from grilly.cpu_kernels import LINE
from grilly.optim import AdamW
from grilly.optim.lr_scheduler import CosineAnnealingLR

F = np.float32
GROWING = [8, 32, 128, 512, 2048, 4096]


@pytest.fixture
def fills(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The rows of each fill."""
    rows: list[int] = []
    fill = CpuBackend._fill

    def noted(backend: CpuBackend, count: int) -> None:
        rows.append(count)
        fill(backend, count)

    monkeypatch.setattr(CpuBackend, "_fill", noted)
    return rows


def made(groups: int = 1) -> AdamW:
    return AdamW([{"params": [np.ones(1, F)]} for _ in range(groups)], lr=0.5, device="cpu")


def step(optimizer: AdamW) -> None:
    optimizer.step(gradients=[np.ones(1, F)] * len(optimizer.param_groups))


def cosine(t: int, period: int) -> Any:
    with mp.workdps(40):
        return rounded((1 + mp.cospi(mpf(t) / period)) / 4)


def debias1(k: int) -> Any:
    with mp.workdps(40):
        return rounded(1 / (1 - mpf(0.9) ** k))


def test_windows_grow_and_hold_the_same_rows(fills: list[int]) -> None:
    optimizer, used = made(), []
    scheduler = CosineAnnealingLR(optimizer, T_max=700)
    for _ in range(12):
        for _ in range(1000):
            step(optimizer)
            scheduler.step()
        used.append(optimizer.history(1000)[:, 0])
    assert fills == [*GROWING, 4096, 4096]
    rows = np.concatenate(used)
    # At the seams of the windows, and far out, where beta^k is next to nothing.
    seams = np.cumsum(fills[:-1])
    for at in map(int, {*seams, *(seams - 1), 0, 5999, 11_999}):
        assert rows["lr"][at] == cosine(at, 700)
        assert rows["debias1"][at] == debias1(at + 1)


def test_an_edit_fills_a_short_window(fills: list[int]) -> None:
    optimizer = made()
    for _ in range(2000):
        step(optimizer)
    fills.clear()
    for i in range(20):
        optimizer.param_groups[0]["lr"] = 0.25 + i
        step(optimizer)
    assert fills == [8] * 20


def test_many_lanes_have_windows_of_8_mb(fills: list[int]) -> None:
    optimizer = made(groups=1000)
    optimizer.param_groups[0]["lr"] = 0.25
    for _ in range(400):
        step(optimizer)
    lanes, row = 1000, optimizer._backend._table.dtype.itemsize
    assert fills[:3] == [8, 32, 128] and fills[3] == (8 << 20) // (lanes * row) < 512


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_what_numpy_keeps_begins_at_a_cache_line(size: int) -> None:
    optimizer = AdamW([np.ones(size, F)], device="cpu")
    optimizer.step(gradients=[np.ones(size, F)])
    backend = optimizer._backend
    for array in (*backend._slabs["exp_avg"], *backend._slabs["exp_avg_sq"], *backend._scratch[0]):
        assert array.ctypes.data % (LINE * array.itemsize) == 0 and array.size == size
