"""The seam: every Vulkan call of grilly passes here, and every failure leaves as one of our errors.

``call`` goes through the ``vulkan`` package (set-up, recording); ``run`` goes straight to the C
function with prebuilt arguments (submit, wait, reset). ``fault`` can make any of them fail.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache
from itertools import starmap
from typing import Any
from weakref import WeakKeyDictionary

from ..errors import DeviceError, DeviceLostError, DeviceMemoryError

SUCCESS = 0
TIMEOUT = 2

# VkResult -> (name, error). The package's own table has wrong signs and misses codes.
RESULTS: dict[int, tuple[str, type[DeviceError]]] = {
    1: ("VK_NOT_READY", DeviceError),
    2: ("VK_TIMEOUT", DeviceError),
    5: ("VK_INCOMPLETE", DeviceError),
    -1: ("VK_ERROR_OUT_OF_HOST_MEMORY", DeviceMemoryError),
    -2: ("VK_ERROR_OUT_OF_DEVICE_MEMORY", DeviceMemoryError),
    -3: ("VK_ERROR_INITIALIZATION_FAILED", DeviceError),
    -4: ("VK_ERROR_DEVICE_LOST", DeviceLostError),
    -5: ("VK_ERROR_MEMORY_MAP_FAILED", DeviceMemoryError),
    -6: ("VK_ERROR_LAYER_NOT_PRESENT", DeviceError),
    -7: ("VK_ERROR_EXTENSION_NOT_PRESENT", DeviceError),
    -8: ("VK_ERROR_FEATURE_NOT_PRESENT", DeviceError),
    -9: ("VK_ERROR_INCOMPATIBLE_DRIVER", DeviceError),
    -10: ("VK_ERROR_TOO_MANY_OBJECTS", DeviceMemoryError),
    -12: ("VK_ERROR_FRAGMENTED_POOL", DeviceMemoryError),
    -13: ("VK_ERROR_UNKNOWN", DeviceError),
    -1000069000: ("VK_ERROR_OUT_OF_POOL_MEMORY", DeviceMemoryError),
}

# Functions whose VkResult misleads: a malformed driver file reads as "out of host memory".
MEANING = {
    "vkCreateInstance": "no Vulkan driver could be started; see that one is installed and that"
    " VK_ICD_FILENAMES or VK_DRIVER_FILES, when set, names well-formed driver files",
    "vkEnumeratePhysicalDevices": "a Vulkan driver is installed but its hardware does not answer",
}

STAGE_COMPUTE = 0x20  # VK_SHADER_STAGE_COMPUTE_BIT

# Called with the function's name before each call; a VkResult other than 0 is taken as the
# call's answer, and the call is not made. Tests fail the k-th call with it.
fault: Callable[[str], int] | None = None

_pinned: WeakKeyDictionary[Any, dict[str, Any]] = WeakKeyDictionary()


@cache
def load() -> Any:
    """Return the ``vulkan`` package; DeviceError when it or the Vulkan loader is missing."""
    try:
        return importlib.import_module("vulkan")
    except ImportError as cause:
        raise DeviceError(f"the Python package 'vulkan' cannot be imported: {cause}") from cause
    except OSError as cause:
        # The package's own text asks for an SDK, which nobody needs.
        raise DeviceError(
            "no Vulkan loader on this machine: install libvulkan (Debian: libvulkan1), which comes "
            "with a GPU's driver on most systems"
        ) from cause


def constant(name: str) -> int:
    """Return the Vulkan constant ``name``."""
    return int(getattr(load(), name))


def struct(name: str, **fields: Any) -> Any:
    """Return a Vulkan structure that keeps everything it points to alive.

    The package copies nested structures by value and frees what they point to (a specialization
    constant 0.125 came back as 1.5e16), so each structure here pins its own fields.
    """
    made = getattr(load(), name)(**fields)
    _pinned[made] = fields
    return made


def submit_info(handles: Any) -> Any:
    """Return a pointer to a VkSubmitInfo of command buffers, a C array; keep that alive yourself.

    ``struct`` takes 25 us, which is much for a replay that has to put its submission together.
    """
    package = load()
    fields = {
        "sType": package.VK_STRUCTURE_TYPE_SUBMIT_INFO,
        "commandBufferCount": len(handles),
        "pCommandBuffers": handles,
    }
    return package.ffi.new("VkSubmitInfo *", fields)


def array(kind: str, values: Any) -> Any:
    """Return a C array, such as array("uint8_t[]", b"ab")."""
    return load().ffi.new(kind, values)


def word(kind: str, handle: Any) -> bytes:
    """Return the bytes of a handle, as they stand in a C array of its kind."""
    ffi = load().ffi
    return bytes(ffi.buffer(ffi.new(f"{kind}*", handle)))


def array_of_words(kind: str, words: bytes) -> Any:
    """Return a C array of handles made of what ``word`` gave; the package takes 1 us for each."""
    ffi = load().ffi
    made = ffi.new(f"{kind}[]", len(words) // ffi.sizeof(kind))
    ffi.memmove(made, words, len(words))
    return made


def call(name: str, *arguments: Any) -> Any:
    """Call a Vulkan function through the package and return what it returns.

    Raises DeviceError or one of its children, which names the function.
    """
    package = load()
    if fault is not None and (code := fault(name)):
        raise failure(name, code)
    try:
        return _function(package, name, arguments)(*arguments)
    except (package.VkError, package.VkException, KeyError) as cause:
        raise failure(name, _code(package, cause)) from cause
    except (OSError, OverflowError, TypeError, ValueError, package.ffi.error) as cause:
        raise DeviceError(f"{name} could not be called: {cause}") from cause
    except (package.ProcedureNotFoundError, package.ExtensionNotSupportedError) as cause:
        raise DeviceError(f"{name} is not offered by this Vulkan driver") from cause


def run(results: list[int], name: str, *arguments: Any) -> None:
    """Call a C function with prebuilt arguments and append its VkResult to ``results``.

    Call and append happen inside one C call, so Ctrl-C cannot fall between them: ``results``
    is longer exactly when the driver was called. Check with ``failure``.
    """
    if fault is not None and (code := fault(name)):
        results.append(code)
        return
    results.extend(starmap(_pointer(name), (arguments,)))


def failure(name: str, code: int) -> DeviceError:
    """Return the error for VkResult ``code`` of function ``name``."""
    text, kind = RESULTS.get(code, (f"VkResult {code}", DeviceError))
    meaning = MEANING.get(name)
    if meaning:
        return DeviceError(f"{name}: {meaning} ({text})")
    if kind is DeviceLostError:
        text += ": the device is lost; close it and open another"
    return kind(f"{name} failed with {text}")


def _function(package: Any, name: str, arguments: tuple[Any, ...]) -> Any:
    """Return the package's function; those of an extension come from the instance."""
    found = getattr(package, name, None)
    return found or package.vkGetInstanceProcAddr(arguments[0], name)


@cache
def _pointer(name: str) -> Any:
    return getattr(load()._vulkan.lib, name)


def _code(package: Any, cause: BaseException) -> int:
    """Return the VkResult behind an exception of the package."""
    if isinstance(cause, KeyError):
        code = cause.args[0]
        return code if isinstance(code, int) else -13
    codes = {kind: code for code, kind in package.exception_codes.items() if code is not None}
    return int(codes.get(type(cause), -13))
