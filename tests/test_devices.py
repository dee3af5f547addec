"""Choosing a device: names, indices, the environment, and machines without Vulkan."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from grilly import DeviceError, backend, vk
from grilly.optim import AdamW
from grilly.vk import binding
from grilly.vk import device as device_module

ROOT = Path(__file__).parents[1]


def device_of(device: str | int) -> str:
    return AdamW([np.ones(3, np.float32)], device=device).device


def test_by_name_and_index(device_info: vk.DeviceInfo) -> None:
    word = device_info.name.split()[0]
    for wanted in (device_info.index, str(device_info.index), word, word.upper(), device_info.name):
        assert device_of(wanted) == device_info.name


def test_by_environment(device_info: vk.DeviceInfo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRILLY_DEVICE", str(device_info.index))
    assert device_of("auto") == device_info.name
    assert device_of("cpu") == "numpy"


def test_auto_never_takes_a_software_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRILLY_DEVICE", raising=False)
    kinds = {info.name: info.kind for info in vk.devices()}
    assert kinds.get(device_of("auto"), "numpy") in ("numpy", "discrete", "integrated", "virtual")


def test_a_gpu_that_does_not_start_is_no_error_for_auto(
    device_info: vk.DeviceInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GRILLY_DEVICE", raising=False)
    monkeypatch.setattr(backend, "_ORDER", ("cpu", *backend._ORDER[:4]))  # as if it were a GPU
    monkeypatch.setattr(device_module, "_open", {})
    monkeypatch.setattr(binding, "fault", lambda name: -3 if name == "vkCreateDevice" else 0)
    with pytest.warns(RuntimeWarning, match=r"cannot be used.*numpy.*vkCreateDevice"):
        assert device_of("auto") == "numpy"
    with pytest.raises(DeviceError, match="vkCreateDevice"):
        device_of("vulkan")


@pytest.mark.parametrize("name", ["cpu", "CPU", "numpy"])
def test_numpy_has_two_names(name: str) -> None:
    assert device_of(name) == "numpy"


@pytest.mark.parametrize("wanted", ["", "no such gpu", "99", 99, -1])
def test_what_is_not_there_is_an_error(wanted: str | int) -> None:
    with pytest.raises(DeviceError, match="Use 'auto', 'cpu', 'vulkan'"):
        device_of(wanted)


@pytest.mark.parametrize("wanted", [None, 1.5, True, b"cpu", [0]])
def test_what_cannot_be_meant_is_a_type_error(wanted: object) -> None:
    with pytest.raises(TypeError, match="device must be a name or an index, got"):
        device_of(wanted)  # type: ignore[arg-type]


# A machine without Vulkan, in two ways: no loader, and a loader that finds no driver.
WITHOUT = ("no loader", "no driver")


def without_vulkan(name: str, folder: Path) -> dict[str, str]:
    """Return the environment of such a machine."""
    hidden = {"VK_ICD_FILENAMES": "/nowhere.json", "VK_ADD_DRIVER_FILES": ""}
    if name == "no loader":
        for library in ("libvulkan.so", "libvulkan.so.1"):
            (folder / library).write_text("not a library")
        hidden = {"LD_LIBRARY_PATH": str(folder)}
    return {**os.environ, **hidden, "GRILLY_DEVICE": "", "PYTHONPATH": str(ROOT)}


def run_example(name: str, without: str, folder: Path, *arguments: str) -> str:
    """Return what an example prints on such a machine."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / name), "--device", "vulkan", *arguments],
        env=without_vulkan(without, folder),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", WITHOUT)
def test_the_example_runs_without_vulkan(name: str, tmp_path: Path) -> None:
    text = run_example("digits.py", name, tmp_path)
    assert "going on with numpy" in text
    assert "training on numpy" in text
    assert (tmp_path / "digits.png").stat().st_size > 10_000


def test_the_resident_example_runs_without_vulkan(tmp_path: Path) -> None:
    text = run_example("resident_digits.py", "no loader", tmp_path, "--epochs", "8")
    assert "going on with numpy" in text
    assert "training on numpy" in text


ASK = """
import numpy as np
from grilly import DeviceError
from grilly.optim import AdamW
assert AdamW([np.ones(3, np.float32)]).device == "numpy"
try:
    AdamW([np.ones(3, np.float32)], device="vulkan")
except DeviceError as error:
    print(error)
"""


@pytest.mark.parametrize("name", WITHOUT)
def test_vulkan_asked_for_by_name_is_an_error_that_says_why(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        env=without_vulkan(name, tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "device='vulkan': no such Vulkan device" in done.stdout


FORK = """
import os
import numpy as np
from grilly import DeviceError
from grilly.optim import AdamW
AdamW([np.ones(3, np.float32)])  # looks for devices
if os.fork() == 0:
    try:
        AdamW([np.ones(3, np.float32)], device="vulkan")
    except DeviceError as error:
        os._exit(0 if AdamW([np.ones(3, np.float32)]).device == "numpy" else 1)
    os._exit(2)
raise SystemExit(os.waitstatus_to_exitcode(os.wait()[1]))
"""


def test_a_forked_child_goes_on_with_numpy() -> None:
    environment = {**os.environ, "GRILLY_DEVICE": "", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORK], env=environment, check=False
    )
    assert done.returncode == 0
