"""The seam: failures of Vulkan leave as our errors, and a machine without Vulkan is no failure."""

from __future__ import annotations

import ast
import shutil
import sys
from pathlib import Path

import _cffi_backend
import child
import numpy as np
import pytest

from grilly import vk
from grilly.errors import DeviceError, DeviceLostError, DeviceMemoryError
from grilly.optim import AdamW
from grilly.vk import binding
from grilly.vk import device as device_module
from grilly.vk.device import Device
from grilly.vk.instance import instance

CODES = {  # VkResult -> (error, word in its text)
    -1: (DeviceMemoryError, "OUT_OF_HOST_MEMORY"),
    -2: (DeviceMemoryError, "OUT_OF_DEVICE_MEMORY"),
    -3: (DeviceError, "INITIALIZATION_FAILED"),
    -4: (DeviceLostError, "close it"),
    -1000069000: (DeviceMemoryError, "OUT_OF_POOL_MEMORY"),
    -12345: (DeviceError, "VkResult -12345"),
}


@pytest.mark.gpu
@pytest.mark.parametrize("code", CODES)
def test_the_package_s_exceptions_become_ours(device_info, monkeypatch, code):
    """The package raises its own classes, and KeyError for codes that its table lacks."""
    package = binding.load()

    def failing(*arguments: object) -> object:
        raise package.exception_codes[code]

    monkeypatch.setattr(package, "vkCreateFence", failing)
    error, word = CODES[code]
    with pytest.raises(error, match=f"vkCreateFence.*{word}") as caught:
        binding.call("vkCreateFence", None, None, None)
    assert type(caught.value) is error


@pytest.mark.gpu
@pytest.mark.parametrize("problem", [OSError("x"), OverflowError("x"), TypeError("x")])
def test_exceptions_of_the_foreign_function_interface_become_ours(
    device_info, monkeypatch, problem
):
    def failing(*arguments: object) -> object:
        raise problem

    monkeypatch.setattr(binding.load(), "vkCreateFence", failing)
    with pytest.raises(DeviceError, match="vkCreateFence"):
        binding.call("vkCreateFence", None, None, None)


def test_only_binding_names_the_package():
    """test_layers.py watches the rest of grilly; within vk/ one file alone may import it."""
    for path in sorted(Path(vk.__file__).parent.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names.add(node.module)
            elif isinstance(node, ast.Attribute) and path.name != "binding.py":
                # Of what binding.load() returns only ffi is used elsewhere, never a function.
                assert ast.unparse(node.value) != "binding.load()" or node.attr == "ffi", path
        assert ("vulkan" in names) == (path.name == "binding.py"), path


class Watched:
    """The package's C library, which expects each function to be announced to the seam."""

    def __init__(self, library: object, announced: list[str]) -> None:
        self._library, self._announced = library, announced

    def __getattr__(self, name: str) -> object:
        # The one exception looks up a function that is announced itself.
        assert name in (self._announced[-1], "vkGetInstanceProcAddr"), name
        return getattr(self._library, name)


@pytest.mark.gpu
@pytest.mark.parametrize("staging", ["", "1"])
def test_every_call_passes_the_seam(device_info, monkeypatch, staging):
    """From opening a device through training to closing it, prebuilt calls too."""
    announced: list[str] = []
    monkeypatch.setenv("GRILLY_STAGING", staging)
    module, home = binding.load()._vulkan, instance()
    monkeypatch.setattr(module, "lib", Watched(module.lib, announced))
    monkeypatch.setattr(binding, "fault", lambda name: announced.append(name) or 0)
    binding._pointer.cache_clear()
    device = Device(home.physical[device_info.index], home)
    monkeypatch.setitem(device_module._open, device_info.index, device)
    p = np.ones(8, np.float32)
    optimizer = AdamW([p], device=device_info.index)
    for _ in range(12):
        optimizer.step(gradients=[p.copy()])
    optimizer.state_dict()
    del optimizer
    device.close()
    assert not device.owner.live()
    created = {name for name in announced if name.startswith("vkCreate")}
    died = {f"vkCreate{name[len('vkDestroy') :]}" for name in announced if "vkDestroy" in name}
    assert {name.replace("ComputePipelines", "Pipeline") for name in created} == died
    assert {"vkQueueSubmit", "vkWaitForFences", "vkResetFences"} <= set(announced)


NOTHING = """
import sys
from grilly import vk
from grilly.errors import DeviceError
assert "vulkan" not in sys.modules
assert vk.devices() == ()
try: vk.open_device(0)
except DeviceError as error: assert vk.devices_problem() in str(error), error
else: sys.exit("opened")
print(vk.devices_problem())
"""

# Empty variables count as unset, so that only the one that a case names is in force.
NO_DRIVER = {"VK_DRIVER_FILES": "", "VK_ADD_DRIVER_FILES": "", "VK_ICD_FILENAMES": ""}

STUBS = {  # name: (what the package `vulkan` does when imported, word in the problem)
    "no loader": ("raise OSError('Cannot find Vulkan SDK version')", "no Vulkan loader"),
    "no package": ("raise ModuleNotFoundError(\"No module named 'vulkan'\")", "cannot be imported"),
}


@pytest.mark.parametrize("case", STUBS)
def test_without_a_loader(tmp_path, case):
    code, word = STUBS[case]
    (tmp_path / "vulkan.py").write_text(code)
    root = str(Path(vk.__file__).parents[2])
    problem = child.says(NOTHING, PYTHONPATH=f"{tmp_path}:{root}")
    assert word in problem


@pytest.mark.skipif(sys.platform != "linux", reason="replaces libvulkan by LD_LIBRARY_PATH")
def test_with_a_loader_that_is_something_else(tmp_path):
    shutil.copy(_cffi_backend.__file__, tmp_path / "libvulkan.so.1")
    problem = child.says(NOTHING, LD_LIBRARY_PATH=str(tmp_path))
    assert problem.startswith("vk")


MANIFESTS = {  # name: what the driver file says, or None for no file
    "missing": None,
    "malformed": "{",
    "library that is none": '{"file_format_version": "1.0.0", "ICD":'
    f' {{"library_path": "{__file__}", "api_version": "1.1.0"}}}}',
    "library of something else": '{"file_format_version": "1.0.0", "ICD":'
    f' {{"library_path": "{_cffi_backend.__file__}", "api_version": "1.1.0"}}}}',
    "missing library": '{"file_format_version": "1.0.0", "ICD":'
    ' {"library_path": "/nowhere.so", "api_version": "1.1.0"}}',
}


@pytest.mark.gpu
@pytest.mark.parametrize("case", MANIFESTS)
def test_without_a_driver(device_info, tmp_path, case):
    text, path = MANIFESTS[case], tmp_path / "driver.json"
    if text is not None:
        path.write_text(text)
    problem = child.says(NOTHING, **{**NO_DRIVER, "VK_ICD_FILENAMES": str(path)})
    assert "no Vulkan driver could be started" in problem
    assert "VK_ICD_FILENAMES" in problem


def test_handles_die_newest_first_and_the_instance_last(device_info):
    output = child.says(
        f"""
        import atexit
        log = []
        atexit.register(lambda: print(" ".join(log)))
        from grilly import vk
        from grilly.vk import binding
        device = vk.open_device({device_info.index})
        buffer = device.buffer(64)
        with vk.Tape(device) as tape: tape.fill(buffer, 1)
        device.submit(tape)
        binding.fault = lambda name: log.append(name) or 0
        """,
        GRILLY_STAGING="",
    )
    died = [name for name in output.split() if name.startswith(("vkDestroy", "vkFree"))]
    expected = ["CommandPool", "Buffer", "CommandPool", "Device"]
    order = [name.removeprefix("vkDestroy") for name in died]
    assert [name for name in order if name in expected] == expected
    assert order[-1] == "Instance"
    assert order.count("Instance") == order.count("Device") == 1
