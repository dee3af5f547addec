"""Arrays and push constants of a call that are more, or fewer, than the shader has."""

from __future__ import annotations

import pytest
from vk_shaders import PLAIN, text

import grilly
from grilly import Kernel, ShaderError, device_array, vk


def test_too_few_arrays_are_named(device: vk.Device) -> None:
    source = text("layout(binding = 2) buffer Y { float y[]; };", "x[0] = y[0];")
    x = grilly.zeros(1, device.info.index)
    for kernel in (Kernel(source), Kernel(vk.compile_glsl(source))):
        with pytest.raises(
            ShaderError, match=r"bindings \[0, 2\], and arrays has 2: pass 3 arrays"
        ):
            kernel([x, x], 1)


def test_surplus_arrays_are_refused(device: vk.Device) -> None:
    x, kernel = device_array([1.0], device.info.index), Kernel(PLAIN)
    words = r"arrays has 2, and the shader has bindings \[0\] only"
    for _ in range(2):
        with pytest.raises(ValueError, match=words):
            kernel([x, x], 1)
    with grilly.record() as tape:
        kernel([x], 1)
        with pytest.raises(ValueError, match=words):
            tape.dispatch(kernel, [x, x], 1)
    tape.replay()
    assert x.item() == 2.0


def test_an_array_that_the_shader_does_not_use_is_none_too_many(device: vk.Device) -> None:
    """glslang keeps the declarations of GLSL; in SPIR-V they may be missing."""
    declared = (
        "layout(binding = 1) buffer Y { float y[]; }; layout(binding = 2) buffer Z { int z; };"
    )
    used, x, y = text(declared, "x[0] += 1.0;"), *(grilly.zeros(1, device.info.index) for _ in "xy")
    assert vk.inspect(vk.compile_glsl(used)).buffers == {0, 1, 2}
    Kernel(used)([x, y, y], 1)
    Kernel(vk.compile_glsl(PLAIN))([x, y, y], 1)
    assert (x.item(), y.item()) == (2.0, 0.0)


# The members of a push block, one of them, and the bytes of push constants that can be meant.
PUSHED = [
    ("uint a;", "a", {4}),
    ("uint a; float b; int c;", "a", {12}),
    ("float a; float b[3];", "a", {16}),
    ("vec2 a; float b;", "b", {12, 16}),
    ("vec4 b; float a;", "a", {20, 24, 28, 32}),
    ("vec3 b;", "b.x", {12, 16}),
    ("vec3 b[2];", "b[1].x", {28, 32}),
    ("mat4 b;", "b[3].x", {64}),
    ("mat3 b;", "b[2].x", {44, 48}),
    ("layout(offset = 8) float a;", "a", {12}),
]


@pytest.mark.parametrize(("members", "member", "sizes"), PUSHED, ids=[p[0] for p in PUSHED])
@pytest.mark.parametrize("compiled", [False, True], ids=["GLSL", "SPIR-V"])
def test_push_constants_that_a_block_can_have(
    device: vk.Device, members: str, member: str, sizes: set[int], compiled: bool
) -> None:
    source = text(
        f"layout(push_constant) uniform Push {{ {members} }};", f"x[0] = float({member});"
    )
    kernel = Kernel(vk.compile_glsl(source) if compiled else source)
    x = grilly.zeros(1, device.info.index)
    for size in sizes:
        kernel([x], 1, bytes(size))
    most = max(sizes)
    with pytest.raises(ValueError, match=f"push has {most + 4} bytes, and .* take "):
        kernel([x], 1, bytes(most + 4))


def test_a_block_of_specialized_length_has_no_known_end(device: vk.Device) -> None:
    source = text(
        "layout(constant_id = 1) const int n = 2;"
        "layout(push_constant) uniform Push { float a; float b[n]; };",
        "x[0] = b[n - 1];",
    )
    x = grilly.zeros(1, device.info.index)
    Kernel(source)([x], 1, [0.0, 1.0, 2.0])
    assert x.item() == 2.0
    Kernel(source, constants={1: 4})([x], 1, [0.0, 1.0, 2.0, 3.0, 4.0])
    assert x.item() == 4.0


def test_push_constants_for_a_shader_without(device: vk.Device) -> None:
    x = grilly.zeros(1, device.info.index)
    for kernel in (Kernel(PLAIN), Kernel(vk.compile_glsl(PLAIN))):
        with pytest.raises(ValueError, match="push has 8 bytes, and the shader has no push"):
            kernel([x], 1, [1, 2])


def test_a_float_where_the_shader_has_none(device: vk.Device) -> None:
    kernel = Kernel(
        """#version 450
layout(std430, binding = 0) buffer X { float x[]; };
layout(push_constant) uniform Push { float scale; uint count; };
void main() { x[0] = scale + float(count); }"""
    )
    x = grilly.zeros(1, device.info.index)
    with pytest.raises(TypeError, match=r"push\[1\] is uint in the shader, got 3.0: write an int"):
        kernel([x], 1, [2.0, 3.0])
    kernel([x], 1, [2, 3])
    assert x.item() == 5
