"""Buffers: both ways to reach their memory, what they hold at first, and what they refuse."""

from __future__ import annotations

import child
import numpy as np
import pytest

from grilly import vk
from grilly.errors import DeviceLimitError
from grilly.vk import staging


@pytest.fixture(params=["plain", "staging", "host"])
def memory(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each way to reach a buffer: device memory as it is, hidden from the host, host memory."""
    if request.param == "staging":
        monkeypatch.setenv("GRILLY_STAGING", "1")
    return "host" if request.param == "host" else "device"


@pytest.mark.parametrize("dtype", ["u1", "f4", "f8", "<u4", "i8"])
@pytest.mark.parametrize("count", [1, 3, 1000])
def test_read_gives_what_was_written(device, memory, dtype, count, monkeypatch):
    values = np.random.default_rng(count).integers(0, 255, count).astype(dtype)
    buffer = device.buffer(values.nbytes + 8, memory, fill=7)
    buffer.write(values, offset=4)
    np.testing.assert_array_equal(buffer.read(dtype, count, offset=4), values)
    edges = buffer.read(np.uint8, 4), buffer.read(np.uint8, 4, offset=values.nbytes + 4)
    np.testing.assert_array_equal(edges, np.full((2, 4), 7))


def test_a_transfer_larger_than_the_staging_buffer_comes_in_parts(device, monkeypatch):
    monkeypatch.setenv("GRILLY_STAGING", "1")
    monkeypatch.setattr(staging, "STAGING", 4096)
    values = np.random.default_rng(0).integers(0, 2**32, 2500, dtype=np.uint32)
    with_tail = device.buffer(values.nbytes + 1)
    with_tail.write(values, offset=1)
    np.testing.assert_array_equal(with_tail.read(np.uint32, 2500, offset=1), values)


def test_two_dimensions_and_strides_are_written_in_reading_order(device, memory):
    values = np.arange(12, dtype=np.float32).reshape(3, 4).T
    buffer = device.buffer(values.nbytes, memory)
    buffer.write(values)
    np.testing.assert_array_equal(buffer.read(np.float32, 12), values.ravel())


def test_staging_hides_device_memory_and_never_host_memory(device, monkeypatch):
    monkeypatch.setenv("GRILLY_STAGING", "1")
    assert device.buffer(64).view() is None
    assert device.buffer(64, "host").view() is not None


def test_a_view_is_the_memory(device):
    buffer = device.buffer(64, "host")
    buffer.view(np.float32)[3] = 2.5
    assert buffer.read(np.float32, 16)[3] == 2.5
    buffer.write(np.float32([4.5]), offset=12)
    assert buffer.view(np.float32)[3] == 4.5


@pytest.mark.parametrize("fill", [0, 1, 255])
def test_a_new_buffer_never_shows_what_an_older_one_held(device, memory, fill):
    size = 65_537
    for _ in range(4):
        old = device.buffer(size, memory)
        old.write(np.full(size, 0xA5, np.uint8))
        del old
        fresh = device.buffer(size, memory, fill=fill)
        assert (fresh.read(np.uint8, size) == fill).all()
        del fresh


def test_bytes_that_travel_are_counted(device, memory):
    buffer = device.buffer(400, memory)
    up, down = device.counters.bytes_up, device.counters.bytes_down
    buffer.write(np.zeros(100, np.float32))
    buffer.read(np.float32, 25)
    assert device.counters.bytes_up - up == 400
    assert device.counters.bytes_down - down == 100


REFUSED = {  # name: (what to do, error, word in its text)
    "empty": (lambda d: d.buffer(0), ValueError, "nbytes"),
    "negative": (lambda d: d.buffer(-4), ValueError, "nbytes"),
    "memory": (lambda d: d.buffer(4, "fast"), ValueError, "'fast'"),
    "fill": (lambda d: d.buffer(4, fill=256), ValueError, "fill"),
    "too large": (
        lambda d: d.buffer(d.limits.max_allocation + 1),
        DeviceLimitError,
        "allocate at once",
    ),
    "write past the end": (lambda d: d.buffer(4).write(np.zeros(2, np.uint32)), ValueError, "fit"),
    "write before": (lambda d: d.buffer(8).write(np.uint32([1]), -4), ValueError, "fit"),
    "read past the end": (lambda d: d.buffer(4).read(np.uint32, 2), ValueError, "fit"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(device, case):
    act, error, word = REFUSED[case]
    with pytest.raises(error, match=word):
        act(device)


def test_a_view_outlives_buffer_and_device(device_info):
    output = child.says(
        f"""
        import gc
        from grilly import vk
        device = vk.open_device({device_info.index})
        buffer = device.buffer(1 << 20, "host", fill=3)
        view = buffer.view()
        part = view[5:10]
        del buffer, view
        device.close()
        gc.collect()
        other = vk.open_device({device_info.index}).buffer(1 << 20, "host", fill=9)
        print(part.tolist(), device.live["buffer"])
        part[:] = 4
        del part
        print(device.live["buffer"])
        """
    )
    assert output.split("\n")[:2] == ["[3, 3, 3, 3, 3] 1", "0"]


def test_a_view_that_lives_to_the_end_of_the_process_does_no_harm(device_info):
    child.says(
        f"""
        import atexit
        from grilly import vk
        device = vk.open_device({device_info.index})
        view = device.buffer(4096, "host", fill=3).view()
        atexit.register(lambda: print(view.sum()))
        class Late:
            def __del__(self): view[:] = 1
        late = Late()
        """
    )


def test_devices_are_described(device):
    info = vk.devices()[device.info.index]
    assert info == device.info
    assert info.kind in ("discrete", "integrated", "virtual", "cpu", "other")
    assert info.api_version.startswith("1.")
    assert vk.devices_problem() is None
    assert vk.open_device(info) is vk.open_device(info.index) is device
