"""The Vulkan instance, one per process, and the physical devices that it finds."""

from __future__ import annotations

import os
import threading
import weakref
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from ..errors import DeviceError, ForkError
from . import binding, validate
from .owner import FORKED

API = 1 << 22 | 1 << 12  # Vulkan 1.1: the package has no VK_API_VERSION_1_1
COMPUTE = 2  # VK_QUEUE_COMPUTE_BIT
KINDS = {1: "integrated", 2: "discrete", 3: "virtual", 4: "cpu"}
PORTABILITY = "VK_KHR_portability_enumeration"  # MoltenVK hides its devices without it


@dataclass(frozen=True)
class DeviceInfo:
    """One physical device. ``index`` is its place in ``devices()``."""

    index: int
    name: str
    kind: str  # discrete, integrated, virtual, cpu or other
    api_version: str
    driver: str


@dataclass(frozen=True)
class Physical:
    """A physical device with its handle and the queue family that computes."""

    info: DeviceInfo
    handle: Any
    family: int


class Instance:
    """A VkInstance; it is destroyed at exit, after every device of it."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.open_devices = 0
        with ExitStack() as undo:
            self.handle = binding.call("vkCreateInstance", _instance_info(), None)
            undo.callback(binding.call, "vkDestroyInstance", self.handle, None)
            if validate.validating():
                validate.listen(self.handle, undo)
            self.physical = _physical_devices(self.handle)
            self._undo = undo.pop_all()
        # The oldest finalizer of ours, so the last to run at exit.
        weakref.finalize(self, self._destroy)

    def _destroy(self) -> None:
        # A device that could not be destroyed (still computing, or numpy views of its memory at
        # exit) needs its instance: destroying that first aborts the process.
        if self.pid == os.getpid() and not self.open_devices:
            self._undo.close()

    def device_gone(self) -> None:
        """Count one device less."""
        self.open_devices -= 1


_instance: Instance | None = None
_lock = threading.Lock()


def instance() -> Instance:
    """Return the instance of this process, made at the first call.

    Raises DeviceError where there is no Vulkan, ForkError in a forked child of a process
    that has one.
    """
    global _instance
    if _instance is not None and _instance.pid != os.getpid():
        raise ForkError(FORKED)
    with _lock:
        if _instance is None:
            _instance = Instance()
        return _instance


def devices() -> tuple[DeviceInfo, ...]:
    """Return every Vulkan device that can compute; () with ``devices_problem()`` if none."""
    try:
        return tuple(physical.info for physical in instance().physical)
    except ForkError:
        raise
    except DeviceError:
        return ()


def devices_problem() -> str | None:
    """Return why ``devices()`` is empty, or None when it is not."""
    try:
        found = instance().physical
    except DeviceError as problem:
        return str(problem)
    return None if found else "the Vulkan driver offers no device that can compute with Vulkan 1.1"


def _instance_info() -> Any:
    layers = [validate.LAYER] if validate.validating() else []
    extensions = list(validate.EXTENSIONS) if validate.validating() else []
    flags = 0
    if PORTABILITY in _extension_names(None):
        extensions.append(PORTABILITY)
        flags = 1  # VK_INSTANCE_CREATE_ENUMERATE_PORTABILITY_BIT_KHR
    application = binding.struct(
        "VkApplicationInfo", pApplicationName="grilly", pEngineName="grilly", apiVersion=API
    )
    return binding.struct(
        "VkInstanceCreateInfo",
        pNext=validate.features() if validate.validating() else None,
        flags=flags,
        pApplicationInfo=application,
        enabledLayerCount=len(layers),
        ppEnabledLayerNames=layers,
        enabledExtensionCount=len(extensions),
        ppEnabledExtensionNames=extensions,
    )


def _extension_names(layer: str | None) -> set[str]:
    found = binding.call("vkEnumerateInstanceExtensionProperties", layer)
    return {str(entry.extensionName) for entry in found}


def _physical_devices(handle: Any) -> tuple[Physical, ...]:
    found: list[Physical] = []
    for device in binding.call("vkEnumeratePhysicalDevices", handle):
        family = _compute_family(device)
        properties = binding.call("vkGetPhysicalDeviceProperties", device)
        if family is not None and properties.apiVersion >= API:
            found.append(Physical(_info(len(found), device, properties), device, family))
    return tuple(found)


def _compute_family(device: Any) -> int | None:
    families = binding.call("vkGetPhysicalDeviceQueueFamilyProperties", device)
    able = [i for i, family in enumerate(families) if family.queueFlags & COMPUTE]
    return able[0] if able else None


def _info(index: int, device: Any, properties: Any) -> DeviceInfo:
    return DeviceInfo(
        index=index,
        name=str(properties.deviceName),
        kind=KINDS.get(properties.deviceType, "other"),
        api_version=_version(properties.apiVersion),
        driver=_driver(device, properties),
    )


def _version(packed: int) -> str:
    return f"{packed >> 22}.{packed >> 12 & 0x3FF}.{packed & 0xFFF}"


def _driver(device: Any, properties: Any) -> str:
    """Return the driver's name and version; Vulkan 1.1 devices have only a number for it."""
    if properties.apiVersion < 1 << 22 | 2 << 12:
        return f"vendor {properties.vendorID:#x}, version {properties.driverVersion:#x}"
    driver = binding.struct("VkPhysicalDeviceDriverProperties")
    chain = binding.struct("VkPhysicalDeviceProperties2", pNext=driver)
    binding.call("vkGetPhysicalDeviceProperties2", device, chain)
    return f"{_text(driver.driverName)} {_text(driver.driverInfo)}".strip()


def _text(characters: Any) -> str:
    return str(binding.load().ffi.string(characters).decode(errors="replace"))
