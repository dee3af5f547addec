"""DeviceArray.numpy(out=...): the copy goes where the caller says, on every device."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import grilly

F = np.float32


@pytest.mark.parametrize("shape", [(), (0,), (3,), (5, 7), (2, 700_000)])
def test_the_elements_are_copied(place: str, shape: tuple[int, ...]) -> None:
    values = np.arange(np.prod(shape, dtype=int), dtype=F).reshape(shape)
    x = grilly.device_array(values, place)
    out = np.full(shape, np.nan, F)
    assert x.numpy(out=out) is out
    np.testing.assert_array_equal(out, values)
    assert not np.shares_memory(out, x.numpy())


def test_out_may_have_strides(place: str) -> None:
    values = np.arange(12, dtype=F).reshape(3, 4)
    wide = np.full((3, 8), -1, F)
    x = grilly.device_array(values, place)
    x.numpy(out=wide[:, ::2])
    np.testing.assert_array_equal(wide[:, ::2], values)
    np.testing.assert_array_equal(wide[:, 1::2], np.full((3, 4), -1, F))
    turned = np.empty((4, 3), F).T
    np.testing.assert_array_equal(x.numpy(out=turned), values)


def test_what_was_submitted_comes_before(place: str) -> None:
    x, out = grilly.zeros(1000, place), np.empty(1000, F)
    ones = grilly.device_array(np.ones(1000), place)
    for _ in range(5):
        x.add_(ones)
    np.testing.assert_array_equal(x.numpy(out=out), np.full(1000, 5, F))


def read_only() -> Any:
    array = np.zeros(3, F)
    array.setflags(write=False)
    return array


@pytest.mark.parametrize(
    ("out", "error", "message"),
    [
        (np.zeros(3), TypeError, "out must be a numpy array of float32, got float64"),
        ([0.0] * 3, TypeError, "out must be a numpy array of float32, got list"),
        (np.zeros(4, F), ValueError, "out must have the shape (3,), got (4,)"),
        (read_only(), ValueError, "out is read-only"),
    ],
)
def test_what_cannot_take_it(place: str, out: Any, error: type[Exception], message: str) -> None:
    x = grilly.device_array([1.0, 2.0, 3.0], place)
    with pytest.raises(error, match=re.escape(message)):
        x.numpy(out=out)
