"""grilly.counters(): snapshots of what a device has done, and their differences."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

import grilly
from grilly import Counters, vk
from grilly.optim import SGD

F = np.float32


def resident(place: str | int) -> Any:
    p = grilly.nn.Parameter(np.ones(100, F), device=place)
    p.grad.copy_from(np.ones(100, F))
    optimizer = SGD([p], lr=0.5, device=place)
    with grilly.record() as tape:
        optimizer.step()
    tape.replay(1)
    return tape


def test_a_replay_is_one_submission(device: vk.Device) -> None:
    place = device.info.index
    tape = resident(place)
    before = grilly.counters(place)
    tape.replay(7)
    tape.wait()
    done = grilly.counters(place) - before
    nothing = dict.fromkeys(("buffer", "kernel", "binding", "tape"), 0)
    # Seven updates in a window of eight rows, of which one was used.
    assert done == Counters(device.name, submissions=1, dispatches=7, waits=1, live=nothing)


NUMBERS = ["bytes_up", "bytes_down", "submissions", "dispatches", "waits"]
NUMBERS += ["compiles", "kernels", "allocations"]


def test_numbers_are_the_devices_own(device: vk.Device) -> None:
    place = device.info.index
    before = grilly.counters(place)
    array = grilly.device_array(np.ones(3 << 20, F), device=place)
    between = grilly.counters(place)
    array.numpy()
    after = grilly.counters(place)
    assert (between - before).bytes_up == (after - between).bytes_down == array.size * 4
    assert (between - before).allocations == (between - before).live["buffer"] == 1
    assert (after - between).bytes_up == (after - between).live["buffer"] == 0
    assert set(after.live) == {"buffer", "kernel", "binding", "tape"}
    assert after.live == device.live
    for name in NUMBERS:
        assert getattr(after, name) == getattr(device.counters, name)
    del array
    assert (grilly.counters(place) - before).live["buffer"] == 0


def test_a_snapshot_stays_what_it_was(device: vk.Device) -> None:
    before = grilly.counters(device.info.index)
    submissions, live = before.submissions, dict(before.live)
    resident(device.info.index)
    assert before.submissions == submissions and before.live == live
    with pytest.raises(dataclasses.FrozenInstanceError):
        before.submissions = 0  # type: ignore[misc]


def test_numpy_submits_nothing() -> None:
    before = grilly.counters("cpu")
    resident("cpu").replay(5)
    after = grilly.counters("cpu")
    assert after == before == after - before == Counters("numpy")


def test_other_kinds_and_numbers() -> None:
    before = Counters("a", waits=3, live={"buffer": 2, "tape": 1})
    after = Counters("a", waits=5, bytes_up=8, live={"buffer": 1, "kernel": 4})
    live = {"buffer": -1, "kernel": 4, "tape": -1}
    assert after - before == Counters("a", waits=2, bytes_up=8, live=live)


def test_what_cannot_be_subtracted() -> None:
    with pytest.raises(ValueError, match="one snapshot is of a, the other of b"):
        Counters("a") - Counters("b")
    with pytest.raises(TypeError):
        Counters("a") - 3  # type: ignore[operator]
    with pytest.raises(grilly.DeviceError, match="no such Vulkan device"):
        grilly.counters("no device has this name")
