"""What shaders may use beyond plain arithmetic: what every device has, and subgroup operations."""

from __future__ import annotations

import pytest
from vk_shaders import text

import grilly
from grilly import Kernel, ShaderError, vk
from grilly.vk import refusals, spirv_words


def test_what_every_device_has(device: vk.Device) -> None:
    source = text(
        "", "x[0] = mat2(1, 2, 3, 4)[1][1] + float(gl_DeviceIndex);", "GL_EXT_device_group"
    )
    x = grilly.zeros(1, device.info.index)
    Kernel(source)([x], 1)
    assert x.item() == 4.0


SUBGROUP_USES = {
    "basic": "subgroupElect() ? 1.0 : 0.0",
    "vote": "subgroupAll(true) ? 1.0 : 0.0",
    "arithmetic": "subgroupAdd(1.0)",
    "ballot": "float(subgroupBallotBitCount(subgroupBallot(true)))",
    "shuffle": "subgroupShuffle(1.0, gl_SubgroupInvocationID)",
    "shuffle_relative": "subgroupShuffleUp(1.0, 0)",
    "clustered": "subgroupClusteredAdd(1.0, 1u)",
    "quad": "subgroupQuadBroadcast(1.0, 0)",
}


@pytest.mark.parametrize("bit", range(len(SUBGROUP_USES)), ids=list(SUBGROUP_USES))
def test_subgroup_operations_where_the_device_has_them(device: vk.Device, bit: int) -> None:
    kind, use = list(SUBGROUP_USES.items())[bit]
    kernel = Kernel(text("", f"x[0] = {use};", f"GL_KHR_shader_subgroup_{kind}"))
    x = grilly.zeros(1, device.info.index)
    if device.limits.subgroup_operations >> bit & 1:
        kernel([x], 1)
        assert x.item() == 1.0
    else:
        with pytest.raises(
            ShaderError, match=rf"{spirv_words.SUBGROUP[bit]}, which {device.name[:4]}"
        ):
            kernel([x], 1)


@pytest.mark.parametrize("bit", range(len(SUBGROUP_USES)), ids=list(SUBGROUP_USES))
def test_each_subgroup_operation_has_its_bit(bit: int) -> None:
    kind, use = list(SUBGROUP_USES.items())[bit]
    source = text("", f"x[0] = {use};", f"GL_KHR_shader_subgroup_{kind}")
    shader = vk.inspect(vk.compile_glsl(source))
    vk.accept(shader)
    refusals.accept_subgroups(shader, 1 << bit | 1, "this")  # bit 0 comes with all others
    with pytest.raises(ShaderError, match=f"{spirv_words.SUBGROUP[bit]}, which this does not have"):
        refusals.accept_subgroups(shader, 0xFF & ~(1 << bit), "this")
