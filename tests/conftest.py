"""What all tests share: the Vulkan devices to run on, and what the session says about them.

GRILLY_REQUIRE=llvmpipe,SwiftShader fails the session when one of these drivers is missing.
GRILLY_VALIDATE=1 fails it when the validation layer has said anything.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grilly import shaders, vk
from grilly.vk import compile as compile_module
from grilly.vk.device import Device
from grilly.vk.instance import instance


def short_name(info: vk.DeviceInfo) -> str:
    """Return the first word of a device's name: "llvmpipe", "SwiftShader"."""
    return info.name.split()[0]


def pytest_configure(config: pytest.Config) -> None:
    """Keep compiled shaders in pytest's own cache, and find the devices."""
    # A shell lets what runs beside it ignore Ctrl-C, which tests send.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    assert config.cache is not None
    os.environ.setdefault("GRILLY_CACHE", str(config.cache.mkdir("grilly")))
    found = [short_name(info) for info in vk.devices()]
    wanted = [name for name in os.environ.get("GRILLY_REQUIRE", "").split(",") if name]
    missing = [name for name in wanted if name not in found]
    if missing:
        problem = vk.devices_problem() or f"only {', '.join(found)} found"
        pytest.exit(f"GRILLY_REQUIRE: no Vulkan driver {', '.join(missing)}: {problem}", 1)


@pytest.hookimpl(trylast=True)  # so that the device changes fastest
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes ``device_info`` (all that take a device do) once a device.

    One device comes right after the other, so that what they are compared with need not be
    computed twice. ``place`` is what an optimizer's ``device`` argument takes: numpy and every
    Vulkan device.
    """
    if "place" in metafunc.fixturenames:
        infos = [
            pytest.param(info.index, id=short_name(info), marks=pytest.mark.gpu)
            for info in vk.devices()
        ]
        metafunc.parametrize("place", [pytest.param("cpu", id="numpy"), *infos])
    if "device_info" not in metafunc.fixturenames:
        return
    found = vk.devices()
    cases = [pytest.param(info, id=short_name(info), marks=pytest.mark.gpu) for info in found]
    skipped = pytest.mark.skip(reason="no Vulkan device")
    none = pytest.param(None, id="none", marks=[pytest.mark.gpu, skipped])
    metafunc.parametrize("device_info", cases or [none])


@pytest.hookimpl(trylast=True)  # after -k and -m: the first of those that are wanted is run
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out of the validation run what adds no Vulkan call to what the rest calls."""
    if not os.environ.get("GRILLY_VALIDATE"):
        return
    before: Counter[str] = Counter()
    left: dict[bool, list[pytest.Item]] = {True: [], False: []}
    for item in items:
        name = item.nodeid.partition("[")[0]
        number, before[name] = before[name], before[name] + 1
        left[all(_VALIDATED[marker.name](number) for marker in _of_some(item))].append(item)
    items[:] = left[True]
    config.hook.pytest_deselected(items=left[False])


def _by_turns(number: int) -> bool:
    devices = max(1, len(vk.devices()))
    return (number + number // devices) % devices == 0


# By marker: whether the validation run has a test's case of this number. The devices of a case
# follow each other.
_VALIDATED: dict[str, Callable[[int], bool]] = {
    "alike": lambda number: number % 5 == 0,
    "turns": _by_turns,
}


def _of_some(item: pytest.Item) -> list[pytest.Mark]:
    return [marker for marker in item.iter_markers() if marker.name in _VALIDATED]


@pytest.fixture
def device(device_info: vk.DeviceInfo) -> Device:
    """The Device of each driver in turn, shared by all tests; a test must leave it open."""
    return vk.open_device(device_info)


@pytest.fixture
def any_device() -> Device:
    """One of the devices, for a test whose question is not the drivers': the system's own."""
    found = vk.devices()
    if not found:
        pytest.skip("no Vulkan device")
    return vk.open_device(found[-1])  # VK_ADD_DRIVER_FILES adds in front


@pytest.fixture
def private_device(device_info: vk.DeviceInfo) -> Iterator[Device]:
    """A Device of the test's own, which it may close or break."""
    home = instance()
    device = Device(home.physical[device_info.index], home)
    yield device
    device.close()


@pytest.fixture
def fresh_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache, no memory of which compilers work, and includes that nobody edits now."""
    (tmp_path / "shipped").mkdir()
    monkeypatch.setattr(shaders, "include_dir", lambda: tmp_path / "shipped")
    monkeypatch.setenv("GRILLY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(compile_module, "_probed", {})


@pytest.fixture(autouse=True)
def no_validation_messages() -> Iterator[None]:
    """Fail the test that makes the validation layer speak."""
    before = len(vk.messages)
    yield
    assert vk.messages[before:] == []


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Close the devices, so that the layer can speak of leaks; fail if it has spoken."""
    for info in vk.devices():
        vk.open_device(info).close()
    if vk.messages:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the devices that the GPU tests ran on, or say loudly that there were none."""
    names = [f"{info.name} ({info.driver})" for info in vk.devices()]
    if names:
        terminalreporter.write_line(f"Vulkan devices: {'; '.join(names)}", bold=True)
    else:
        text = f"NO VULKAN DEVICE, every GPU test was skipped: {vk.devices_problem()}"
        terminalreporter.write_line(text, red=True, bold=True)
    if "GRILLY_VALIDATE" in os.environ:
        terminalreporter.write_line(f"Vulkan validation messages: {len(vk.messages)}", bold=True)
    for message in vk.messages:
        terminalreporter.write_line(message, red=True)
