"""counters(): what a device has moved and been asked, for users to compare before and after."""

from __future__ import annotations

import numpy as np
import pytest

import grilly
from grilly import DeviceError, vk


def test_bytes_and_submissions_are_counted(place: str | int) -> None:
    x = grilly.zeros(1000, place)
    x.wait()
    before = grilly.counters(place)
    x.copy_from(np.ones(1000))
    x.add_(x)
    assert x.numpy().sum() == 2000
    now = grilly.counters(place)
    moved = [now.bytes_up - before.bytes_up, now.bytes_down - before.bytes_down]
    asked = [now.submissions - before.submissions, now.dispatches - before.dispatches]
    assert moved == ([0, 0] if place == "cpu" else [4000, 4000])
    assert asked == ([0, 0] if place == "cpu" else [1, 1])


def test_what_was_returned_stays(device_info: vk.DeviceInfo) -> None:
    name = device_info.name
    before = grilly.counters(name)
    known = before.submissions
    grilly.zeros(4, name).fill_zero()
    assert before.submissions == known < grilly.counters(name).submissions


def test_no_such_device() -> None:
    with pytest.raises(DeviceError, match="no such gpu"):
        grilly.counters("no such gpu")
