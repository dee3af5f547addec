"""Faults: whichever call to Vulkan fails, the error is ours, nothing leaks and the rest works."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import vk_shaders
from faults import LOST, OUT_OF_MEMORY, Faults

from grilly import vk
from grilly.errors import DeviceError, DeviceLostError, DeviceMemoryError
from grilly.vk import binding
from grilly.vk.device import Device
from grilly.vk.instance import instance


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Faults | None], None]]:
    """Set the faults that are in force."""
    yield lambda those: monkeypatch.setattr(binding, "fault", those)


def program(device: vk.Device) -> None:
    """Use everything that a device offers; checks its own result."""
    device._kernels.clear()
    buffer = vk_shaders.counting(device, 100)
    shown = device.buffer(400, "host")
    tape = vk_shaders.affine_tape(device, buffer, 3, 1)
    with vk.Tape(device) as copying:
        copying.copy(buffer, shown, 400)
    device.submit(tape, copying)
    device.wait()
    want = vk_shaders.affine_after(100, (3, 1))
    np.testing.assert_array_equal(shown.read(np.uint32, 100), want)
    np.testing.assert_array_equal(buffer.read(np.uint32, 100), want)


def calls_of(faults: Callable[..., None], act: Callable[[], object]) -> list[str]:
    """Return the names of the calls of ``act`` that can fail."""
    log = Faults()
    faults(log)
    act()
    faults(None)
    return log.names


@pytest.fixture(params=["plain", "staging"])
def path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to reach a buffer."""
    if request.param == "staging":
        monkeypatch.setenv("GRILLY_STAGING", "1")


@pytest.mark.usefixtures("path")
def test_any_call_may_run_out_of_memory(private_device, faults):
    device = private_device
    program(device)
    names = calls_of(faults, lambda: program(device))
    before = device.live
    assert len(names) > 20
    for number, name in enumerate(names):
        faults(failing := Faults(number, OUT_OF_MEMORY))
        with pytest.raises(DeviceMemoryError) as caught:
            program(device)
        # The calls of two runs differ a little: a fence has been signalled already, or not.
        assert failing.names[number] in str(caught.value), name
        del caught
        faults(None)
        device.wait()
        device._kernels.clear()
        assert device.live == {**before, "kernel": 0}, name
    program(device)


@pytest.mark.usefixtures("path")
def test_any_call_may_lose_the_device(device_info, faults):
    gc.collect()
    home = instance()
    open_devices = home.open_devices
    device = Device(home.physical[device_info.index], home)
    program(device)
    names = calls_of(faults, lambda: program(device))
    device.close()
    for number, name in enumerate(names):
        device = Device(home.physical[device_info.index], home)
        program(device)
        buffer = device.buffer(64)
        faults(failing := Faults(number, LOST, sticky=True))
        with pytest.raises(DeviceLostError) as caught:
            program(device)
        assert failing.names[number] in str(caught.value), name
        del caught  # its traceback holds a view
        faults(None)  # a lost device stays lost, even if the driver were to answer again
        assert device.lost
        for act in (device.wait, lambda b=buffer: b.read("u4", 1), lambda d=device: d.buffer(4)):
            with pytest.raises(DeviceLostError):
                act()
        device.close()
        device.close()
        assert not device.owner.live(), name
    assert home.open_devices == open_devices


def test_any_call_may_fail_while_a_device_opens(device_info, faults):
    home = instance()
    physical, before = home.physical[device_info.index], home.open_devices
    names = calls_of(faults, lambda: Device(physical, home).close())
    assert "vkCreateDevice" in names
    for number, name in enumerate(names):
        if name in ("vkWaitForFences", "vkGetFenceStatus"):
            continue
        for code, error in ((OUT_OF_MEMORY, DeviceMemoryError), (-3, DeviceError)):
            faults(Faults(number, code))
            with pytest.raises(error, match=name):
                Device(physical, home)
            faults(None)
            assert home.open_devices == before


def test_a_failed_wait_at_close_frees_nothing(device_info, faults):
    """What the device may still use must not be freed: it is left to the end of the process."""
    home = instance()
    device = Device(home.physical[device_info.index], home)
    before = home.open_devices
    device.submit(vk_shaders.affine_tape(device, vk_shaders.counting(device, 100), 3, 1))
    log = Faults(0, OUT_OF_MEMORY, sticky=True)
    destroyed: list[str] = []
    faults(lambda name: destroyed.append(name) or log(name))
    device.close()
    faults(None)
    assert device.closed
    assert not [name for name in destroyed if name.startswith("vkDestroy")]
    assert home.open_devices == before
    # The test ends here for the library; the process must still be able to end cleanly.
    binding.call("vkDeviceWaitIdle", device.owner.device)
