"""Slabs in parts: what a device cannot bind or allocate at once is split, to the same bits."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from plain import hashed_gradient

from grilly import chunks, planning, vk
from grilly.optim import AdamW
from grilly.optim.lr_scheduler import OneCycleLR
from grilly.slabs import Slabs

# Sizes of tensors that straddle parts of 32 KiB, fill them, leave them or are empty.
RANGE = 1 << 15
SIZES = (8193, 3, 0, 16_380, 8192, 1, 40_001)
PARTS = 9
LIMITS = {
    "range": {"max_storage_range": RANGE},
    "allocation": {"max_allocation": RANGE + 12},  # no multiple of a float4
}


def limit(device: vk.Device, monkeypatch: pytest.MonkeyPatch, **limits: int) -> None:
    monkeypatch.setattr(device, "limits", dataclasses.replace(device.limits, **limits))


def arrays(sizes: tuple[int, ...], seed: int = 0) -> list[Any]:
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(size, np.float32) for size in sizes]


def gradients(sizes: tuple[int, ...], step: int) -> list[Any]:
    return [hashed_gradient(size, len(sizes) * step + i) for i, size in enumerate(sizes)]


def started(place: str | int, sizes: tuple[int, ...]) -> tuple[AdamW, OneCycleLR, list[Any]]:
    params = arrays(sizes)
    groups = [{"params": params[:3]}, {"params": params[3:]}]
    optimizer = AdamW(groups, amsgrad=True, device=place)
    return optimizer, OneCycleLR(optimizer, [1e-2, 3e-3], total_steps=2000), params


def assert_same(one: AdamW, other: AdamW, params: list[Any], others: list[Any]) -> None:
    for p, q in zip(params, others, strict=True):
        np.testing.assert_array_equal(p, q)
    states, wanted = one.state_dict()["state"], other.state_dict()["state"]
    assert states.keys() == wanted.keys()
    for i, entry in wanted.items():
        for name, values in entry.items():
            np.testing.assert_array_equal(states[i][name], values)


@pytest.mark.parametrize("starts", [(0, 40), (0, 0), (3, 4000, 4001, 70_000)])
@pytest.mark.parametrize("most", [16, 4096])
def test_pieces_and_parts_hold_each_float_once(
    device: vk.Device, monkeypatch: pytest.MonkeyPatch, starts: tuple[int, ...], most: int
) -> None:
    limit(device, monkeypatch, max_storage_range=16 * most)
    slabs = Slabs(device, starts, ("param", "grad"))
    values = [np.arange(size, dtype=np.float32) + 1 for size in starts]
    for tensor, array in enumerate(values):
        slabs.write("grad", tensor, array)
    grads = [part for _, (part, _, _) in slabs.parts()]
    whole = np.concatenate([part.read(np.float32, part.nbytes // 4) for part in grads])
    assert whole.nonzero()[0].size == sum(starts)
    for tensor, array in enumerate(values):
        out = np.empty(array.shape, np.float32)
        slabs.read("grad", tensor, out)
        np.testing.assert_array_equal(out, array)
        first = 4 * chunks.offsets(starts)[tensor]
        np.testing.assert_array_equal(whole[first : first + array.size], array)


def test_a_part_is_no_more_than_one_dispatch(
    device: vk.Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(device, monkeypatch, max_groups=3)
    slabs = Slabs(device, [50_000, 20_000], ("param",))
    groups = [dealt.groups for dealt in slabs.deal((0, 0), workers=1)]
    assert groups == [3, 3, 3]


def test_an_array_with_gaps_is_read_into(
    device: vk.Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(device, monkeypatch, max_storage_range=64)
    slabs = Slabs(device, [60], ("param",))
    wanted = np.arange(60, dtype=np.float32).reshape(6, 10)
    slabs.write("param", 0, wanted.T)
    out = np.zeros((10, 12), np.float32)[:, ::2]
    slabs.read("param", 0, out)
    np.testing.assert_array_equal(out, wanted.T)


@pytest.mark.parametrize("name", LIMITS)
def test_steps_in_parts(device: vk.Device, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Two groups and missing gradients; a group that is added makes more parts."""
    limit(device, monkeypatch, **LIMITS[name])
    monkeypatch.setattr(planning, "TABLE_BYTES", RANGE)  # many lanes: a table as small as a part
    split, split_rates, params = started(device.info.index, SIZES)
    whole, whole_rates, others = started("cpu", SIZES)
    sizes = SIZES
    for step in range(24):
        if step == 12:
            for optimizer, mine in ((split, params), (whole, others)):
                mine += arrays((18_000,), seed=1)
                optimizer.add_param_group({"params": mine[-1:], "lr": 0.01})
            sizes = (*SIZES, 18_000)
        grads = gradients(sizes, step)
        grads[step % len(sizes)] = None
        split.step(gradients=grads)
        whole.step(gradients=grads)
        if step < 12:
            split_rates.step()
            whole_rates.step()
    assert_same(split, whole, params, others)


def test_a_loaded_state_lies_in_parts(device: vk.Device, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(device, monkeypatch, max_storage_range=RANGE)
    whole, _, others = started("cpu", SIZES)
    whole.step(gradients=gradients(SIZES, 0))
    split, _, params = started(device.info.index, SIZES)
    for p, q in zip(params, others, strict=True):
        p[:] = q
    split.load_state_dict(whole.state_dict())
    for optimizer in (split, whole):
        optimizer.step(gradients=gradients(SIZES, 1))
    assert_same(split, whole, params, others)


@pytest.mark.parametrize("steps", [1, 700])
def test_a_replay_in_parts(device: vk.Device, monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    limit(device, monkeypatch, max_storage_range=RANGE)
    pairs = [started(place, SIZES) for place in (device.info.index, "cpu")]
    for optimizer, _, _ in pairs:
        optimizer.step(gradients=gradients(SIZES, 0))
        optimizer._backend.replay(steps)
    for i, size in enumerate(SIZES):
        outs = [np.empty(size, np.float32) for _ in pairs]
        for (optimizer, _, _), out in zip(pairs, outs, strict=True):
            optimizer._backend.read("param", i, out)
        np.testing.assert_array_equal(*outs)
    rows = [optimizer._backend.row() for optimizer, _, _ in pairs]
    np.testing.assert_array_equal(*rows)


def test_a_dispatch_for_each_part(device: vk.Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a barrier between, as each writes the cursor's next word; Debian's layer misses it."""
    limit(device, monkeypatch, max_storage_range=RANGE)
    optimizer, _, _ = started(device.info.index, SIZES)
    before = device.counters.recorded
    optimizer.step(gradients=gradients(SIZES, 0))
    structures, refills, steps = 5, 1, 2
    recorded = device.counters.recorded - before
    assert recorded == refills * (1 + structures) + steps * PARTS
    own = optimizer._backend
    assert [tape.barriers for tape in own._steps.values()] == [PARTS - 1] * steps
    assert [tape.barriers for tape in own._refills.values()] == [1]


def test_more_parameters_than_a_device_can_bind(device: vk.Device) -> None:
    """No limit is faked here: lavapipe binds 128 MiB."""
    size = device.limits.max_storage_range // 4 + 5
    if size > 1 << 26:
        pytest.skip(f"{device.name} binds {4 * size} bytes: too much to try")
    params = [np.full(size, 0.5, np.float32) for _ in range(2)]
    grad = np.resize(hashed_gradient(1 << 16, 3), size)
    for p, place in zip(params, (device.info.index, "cpu"), strict=True):
        optimizer = AdamW([p], device=place)
        for _ in range(2):
            optimizer.step(gradients=[grad])
    np.testing.assert_array_equal(*params)
