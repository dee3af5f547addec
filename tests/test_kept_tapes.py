"""Operations that are done again and again are recorded once, and nothing keeps what is dropped."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import grilly
from grilly import Mean, vk
from grilly.optim import SGD
from grilly.resident import kept_tapes
from grilly.vk import device as device_module
from grilly.vk.device import Device

F = np.float32


@pytest.fixture
def home(private_device: Device, monkeypatch: pytest.MonkeyPatch) -> int:
    """A device of the test's own, which new arrays lie on."""
    monkeypatch.setitem(device_module._open, private_device.info.index, private_device)
    return private_device.info.index


def array(home: int, *values: float) -> Any:
    return grilly.device_array(np.array(values, F), device=home)


OPERATIONS: dict[str, Callable[[Any, Any], object]] = {
    "add": lambda a, b: a.add_(b, 0.5),
    "copy": lambda a, b: a.copy_from(b),
    "fill": lambda a, b: a.fill_zero(),
    "mean": lambda a, b: _mean_of(a).update(),
}
_means: dict[int, Any] = {}


def _mean_of(a: Any) -> Any:
    if id(a) not in _means:
        _means[id(a)] = Mean(a)
    return _means[id(a)]


@pytest.mark.parametrize("name", OPERATIONS)
def test_what_is_done_again_is_recorded_no_more(home: int, name: str) -> None:
    a, b = array(home, 1, 2), array(home, 3, 4)
    _means.clear()
    for _ in range(2):
        OPERATIONS[name](a, b)
    device = vk.open_device(home)
    device.wait()  # the first one's tape is not kept, but in flight
    before = device.counters.recorded, device.live["tape"], device.counters.submissions
    for _ in range(10):
        OPERATIONS[name](a, b)
    after = device.counters.recorded, device.live["tape"], device.counters.submissions
    assert after == (before[0], before[1], before[2] + 10)
    _means.clear()


def test_each_is_its_own(home: int) -> None:
    """Against numpy: scales and sources by turns, more of them than are kept."""
    a, others = array(home, 1, -1), [array(home, i, 2 * i) for i in range(5)]
    want, plain = np.array([1, -1], F), [np.array([i, 2 * i], F) for i in range(5)]
    draw = np.random.default_rng(5)
    for _ in range(300):
        i, scale = int(draw.integers(5)), float(draw.choice([0.5, -0.25, 0.0, -0.0, 1e-3]))
        a.add_(others[i], scale)
        want += F(scale) * plain[i]
        if draw.random() < 0.1:
            a.copy_from(others[i])
            want[:] = plain[i]
    np.testing.assert_array_equal(a.numpy(), want)
    assert len(a._memory.tapes) <= kept_tapes.KEPT_BY_MEMORY


def test_nothing_keeps_an_array(home: int) -> None:
    """Whichever of two goes first: its memory is free, and the tapes are gone with it."""
    device = vk.open_device(home)
    a = array(home, 1, 2)
    for _ in range(3):
        a.add_(a)
    device.wait()
    gc.collect()
    before = device.live
    for _ in range(20):
        b = array(home, 3, 4)
        for _ in range(3):
            a.add_(b)
            b.add_(a)
        device.wait()
        where = b._memory.span.offset
        del b
        assert device.live == before
    assert array(home, 5, 6)._memory.span.offset == where


def test_a_source_with_the_same_identity_is_another(
    home: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An array that is gone may leave its identity to the next, which lies elsewhere."""
    monkeypatch.setattr(kept_tapes, "id", lambda memory: 7, raising=False)
    a, want, between = array(home, 0, 0), np.zeros(2, F), []
    for i in range(20):
        b = array(home, i, 2 * i)
        for _ in range(4):
            a.add_(b)
            want += np.array([i, 2 * i], F)
        assert len(a._memory.tapes) == 1
        del b
        between.append(grilly.zeros(100, home))  # takes the place
    np.testing.assert_array_equal(a.numpy(), want)


def test_another_number_each_time_keeps_nothing(home: int) -> None:
    a, b, device = array(home, 0, 0), array(home, 1, 2), vk.open_device(home)
    for i in range(30):
        a.add_(b, float(i))
    device.wait()
    assert (len(a._memory.tapes), device.live["tape"]) == (0, 0)
    np.testing.assert_array_equal(a.numpy(), [435, 870])


def test_zero_grad_is_recorded_once(home: int) -> None:
    params = [grilly.nn.Parameter(np.ones(3, F), device=home) for _ in range(30)]
    optimizer, device = SGD(params, lr=0.5, device=home), vk.open_device(home)
    for p in params:
        p.grad.copy_from(np.ones(3))
    for _ in range(3):
        optimizer.zero_grad()
    device.wait()
    before = device.live["tape"], device.counters.submissions
    for p in params:
        p.grad.copy_from(np.ones(3))
    for _ in range(5):
        optimizer.zero_grad()
    assert (device.live["tape"], device.counters.submissions) == (before[0], before[1] + 5)
    assert not any(p.grad.numpy().any() for p in params)


def test_of_a_closed_device(home: int) -> None:
    """Its arrays say so, whatever they keep."""
    a = array(home, 1, 2)
    for _ in range(3):
        a.add_(a)
    vk.open_device(home).close()
    with pytest.raises(grilly.DeviceError, match="closed"):
        a.add_(a)
