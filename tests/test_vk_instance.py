"""The instance: whichever call of its making fails, and machines whose driver has no device.

In processes of their own: the package has one slot for the validation layer's callback.
"""

from __future__ import annotations

import textwrap

import child
import pytest

from grilly import vk

SET_UP = """
import types
import numpy as np
from grilly import DeviceError, vk
from grilly.optim import AdamW
from grilly.vk import binding
from grilly.vk import instance as module
def start():
    module._instance = None
    return vk.devices()
def assert_none(word):
    assert start() == ()
    module._instance = None
    assert word in vk.devices_problem(), (word, vk.devices_problem())
    module._instance = None
    try: AdamW([np.ones(3, np.float32)], device="vulkan")
    except DeviceError as error: assert word in str(error) and "Use 'auto'" in str(error)
    else: raise AssertionError(word)
    module._instance = None
    assert AdamW([np.ones(3, np.float32)]).device == "numpy"
package = binding.load()
"""


def says(code: str) -> str:
    return child.says(SET_UP + textwrap.dedent(code), GRILLY_DEVICE="")


def test_any_call_may_fail_while_the_instance_is_made(device_info: vk.DeviceInfo) -> None:
    code = """
    names = []
    binding.fault = lambda name: names.append(name) or 0
    found = start()
    able = [n for n in names if not n.startswith(("vkGet", "vkDestroy"))]  # those cannot fail
    assert {"vkCreateInstance", "vkEnumeratePhysicalDevices"} <= set(able), able
    for place, name in enumerate(able):
        for code in (-1, -2, -3, -4, -9, -12345):
            left = [0] * place + [code]
            # Tried four times, each from the start.
            tried = []
            def fault(called):
                if called == able[0]: tried[:] = left
                return tried.pop(0) if called in able and tried else 0
            binding.fault = fault
            assert_none(name)
    log = []
    binding.fault = lambda name: log.append(name) or 0
    assert start() == found
    print(len(able))
    """
    assert int(says(code)) >= 3


NO_DEVICE = {  # name: what the driver says
    "none": "package.vkEnumeratePhysicalDevices = "
    "lambda instance: package.ffi.new('VkPhysicalDevice[]', 0)",
    "none computes": "package.vkGetPhysicalDeviceQueueFamilyProperties = lambda device: []",
    "Vulkan 1.0": "package.vkGetPhysicalDeviceProperties = "
    "lambda device: types.SimpleNamespace(apiVersion=1 << 22)",
}


@pytest.mark.parametrize("case", NO_DEVICE)
def test_a_driver_without_a_device(device_info: vk.DeviceInfo, case: str) -> None:
    says(f"{NO_DEVICE[case]}\nassert_none('no device that can compute')")


def test_instances_that_failed_are_destroyed(device_info: vk.DeviceInfo) -> None:
    code = """
    log = []
    def fault(name):
        log.append(name)
        return -3 if name == "vkEnumeratePhysicalDevices" else 0
    binding.fault = fault
    assert start() == ()
    print(log.count("vkCreateInstance"), log.count("vkDestroyInstance"))
    """
    assert says(code).split() == ["1", "1"]
