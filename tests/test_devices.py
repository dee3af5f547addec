"""Choosing a device: names, indices, the environment, and machines without Vulkan."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from grilly import DeviceError, vk
from grilly.optim import AdamW

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


@pytest.mark.parametrize("wanted", ["", "no such gpu", "99", 99, -1])
def test_what_is_not_there_is_an_error(wanted: str | int) -> None:
    with pytest.raises(DeviceError, match="Use 'auto', 'cpu', 'vulkan'"):
        device_of(wanted)


@pytest.mark.parametrize("wanted", [None, 1.5, True])
def test_what_cannot_be_meant_is_a_type_error(wanted: object) -> None:
    with pytest.raises(TypeError):
        device_of(wanted)  # type: ignore[arg-type]


# A machine without Vulkan, in two ways: no loader at all, and a loader that finds no driver.
NO_LOADER = "import sys, types; sys.modules['vulkan'] = None\n"
WITHOUT: dict[str, tuple[str, dict[str, str]]] = {
    "no loader": (NO_LOADER, {}),
    "no driver": ("", {"VK_ICD_FILENAMES": "/nowhere.json", "VK_ADD_DRIVER_FILES": ""}),
}


@pytest.mark.parametrize("name", WITHOUT)
def test_the_example_runs_without_vulkan(name: str, tmp_path: Path) -> None:
    prelude, environment = WITHOUT[name]
    program = (
        f"{prelude}import runpy; "
        f"runpy.run_path({str(ROOT / 'examples' / 'digits.py')!r}, run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **environment, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "going on with numpy" in done.stdout
    assert "training on numpy" in done.stdout
    assert (tmp_path / "digits.png").stat().st_size > 10_000


@pytest.mark.parametrize("name", WITHOUT)
def test_vulkan_asked_for_by_name_is_an_error_that_says_why(name: str) -> None:
    prelude, environment = WITHOUT[name]
    program = f"""{prelude}
import numpy as np
from grilly import DeviceError
from grilly.optim import AdamW
assert AdamW([np.ones(3, np.float32)]).device == "numpy"
try:
    AdamW([np.ones(3, np.float32)], device="vulkan")
except DeviceError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **environment, "GRILLY_DEVICE": "auto", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "device='vulkan': no such Vulkan device" in done.stdout
