"""Ctrl-C as the driver makes something: it is destroyed as ever, for it is known how by then."""

from __future__ import annotations

import gc
import signal
from typing import Any

import pytest
import vk_shaders
from faults import Faults
from vk_shaders import affine_words

from grilly import vk
from grilly.vk import binding
from grilly.vk.device import Device
from grilly.vk.instance import instance

MADE = [
    "vkAllocateMemory",
    "vkCreateBuffer",
    "vkCreateCommandPool",
    "vkCreateComputePipelines",
    "vkCreateDescriptorPool",
    "vkCreateDescriptorSetLayout",
    "vkCreateFence",
    "vkCreatePipelineLayout",
    "vkCreateShaderModule",
]


def use(device: Device) -> None:
    """Make one of each."""
    bound = vk_shaders.affine(device).bind([device.buffer(400)])
    with vk.Tape(device) as tape:
        tape.dispatch(bound, 100, affine_words(100, 3, 1))
    device.submit(tape)


def interrupt_after(monkeypatch: pytest.MonkeyPatch, name: str) -> list[str]:
    """Send SIGINT once, from within a call; return the list that is empty when it was sent."""
    function, left = binding._function, [name]

    def sending(package: Any, called: str, arguments: Any) -> Any:
        def call(*own: Any) -> Any:
            result = function(package, called, arguments)(*own)
            if called in left:
                left.clear()
                signal.raise_signal(signal.SIGINT)
            return result

        return call

    monkeypatch.setattr(binding, "_function", sending)
    return left


@pytest.mark.parametrize("name", MADE)
def test_what_is_made_at_ctrl_c_is_destroyed(
    device_info: vk.DeviceInfo, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gc.collect()  # what earlier tests have left on other devices would be counted as it dies
    log, home = Faults(), instance()
    monkeypatch.setattr(binding, "fault", log)
    device = Device(home.physical[device_info.index], home)
    left = interrupt_after(monkeypatch, name)
    with pytest.raises(KeyboardInterrupt):
        use(device)
    assert not left
    use(device)
    device.wait()
    gc.collect()
    device.close()
    assert {kind: n for kind, n in log.alive.items() if n} == {}


def test_ctrl_c_as_an_array_takes_its_memory(
    private_device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The span goes back when its holder is gone, like any other."""

    class Holder:
        pass

    arena, holder = private_device.arena, Holder()
    arena.take(400, Holder())  # there is a block
    place = arena._place

    def interrupted(nbytes: int) -> Any:
        found = place(nbytes)
        signal.raise_signal(signal.SIGINT)
        return found

    monkeypatch.setattr(arena, "_place", interrupted)
    with pytest.raises(KeyboardInterrupt):
        arena.take(400, holder)
    monkeypatch.undo()
    del holder
    gc.collect()
    whole = Holder()
    assert arena.take((2 << 20) - 16, whole).offset == 0
