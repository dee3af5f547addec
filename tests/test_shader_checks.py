"""Shaders that grilly refuses before a driver sees them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from vk_shaders import PLAIN, text

import grilly
from grilly import Kernel, ShaderError, device_array, vk
from grilly.vk import spirv, spirv_words

STORED = "grilly passes arrays.*storage buffers of set 0 only"
# By name: a shader, and words of the refusal.
REFUSED: dict[str, tuple[str, str]] = {
    "set 1": (
        text("layout(set = 1, binding = 2) buffer Y { float y[]; };", "x[0] = y[0];"),
        f"binding 2 is in descriptor set 1: {STORED}",
    ),
    "a sampler": (
        text("layout(binding = 1) uniform sampler2D s;", "x[0] = textureLod(s, vec2(0), 0).x;"),
        f"binding 1 is an image, a sampler or the like: {STORED}",
    ),
    "an image": (
        text(
            "layout(binding = 1, r32f) uniform image2D s;", "imageStore(s, ivec2(0), vec4(x[0]));"
        ),
        f"binding 1 is an image, a sampler or the like: {STORED}",
    ),
    "images of a set": (
        text(
            "layout(set = 3, binding = 1, r32f) uniform image2D s[2];",
            "imageStore(s[1], ivec2(0), vec4(x[0]));",
        ),
        "binding 1 is an image",
    ),
    "a texel buffer": (
        text("layout(binding = 1, r32f) uniform imageBuffer s;", "x[0] = imageLoad(s, 0).x;"),
        "the capability ImageBuffer, with which grilly opens no device: use 32-bit",
    ),
    "a uniform block": (
        text("layout(binding = 1) uniform U { float u; };", "x[0] = u;"),
        f"binding 1 is a uniform block: {STORED}.*push constants",
    ),
    "an unused uniform block": (
        text("layout(binding = 1) uniform U { float u; };", "x[0] = 1.0;"),
        "binding 1 is a uniform block",
    ),
    "an array of blocks": (
        text("layout(binding = 1) buffer Y { float y[]; } all[2];", "x[0] = all[1].y[0];"),
        f"binding 1 is an array of blocks: {STORED}",
    ),
    "float64": (text("", "x[0] = float(double(x[1]) * 3.0LF);"), "capability Float64,.*32-bit"),
    "int64": (
        text("", "x[0] = float(uint64_t(x[1]) * 3ul);", "GL_EXT_shader_explicit_arithmetic_types"),
        "capability Int64,",
    ),
    "int16": (
        text("", "x[0] = float(uint16_t(x[1]) * 3us);", "GL_EXT_shader_explicit_arithmetic_types"),
        "capability Int16,",
    ),
    "int8": (
        text("", "x[0] = float(int8_t(x[1]));", "GL_EXT_shader_explicit_arithmetic_types"),
        "capability Int8,",
    ),
    "float16": (
        text(
            "",
            "x[0] = float(float16_t(x[1]) * 3.0hf);",
            "GL_EXT_shader_explicit_arithmetic_types",
        ),
        "capability Float16,",
    ),
    "16 bits in buffers": (
        text(
            "layout(binding = 1) buffer Y { float16_t y[]; };",
            "x[0] = float(y[0]);",
            "GL_EXT_shader_16bit_storage",
        ),
        "capability StorageBuffer16BitAccess,",
    ),
    "float atomics": (
        text("", "atomicAdd(x[0], 1.0);", "GL_EXT_shader_atomic_float"),
        "capability AtomicFloat32AddEXT,",
    ),
    "int64 atomics": (
        text(
            "layout(binding = 1) buffer Y { uint64_t y; };",
            "atomicAdd(y, 1ul);",
            "GL_EXT_shader_atomic_int64 GL_EXT_shader_explicit_arithmetic_types_int64",
        ),
        "capability Int64, Int64Atomics,",
    ),
    "pointers": (
        text(
            "layout(buffer_reference) buffer P { float p; };"
            "layout(push_constant) uniform Push { P at; };",
            "x[0] = at.p;",
            "GL_EXT_buffer_reference",
        ),
        "capability PhysicalStorageBufferAddresses,",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_at_construction(case: str) -> None:
    source, words = REFUSED[case]
    with pytest.raises(ShaderError, match=words):
        Kernel(vk.compile_glsl(source))


@pytest.mark.parametrize("case", REFUSED)
def test_refused_at_a_call_and_in_a_recording(device: vk.Device, case: str) -> None:
    source, words = REFUSED[case]
    x, kernel = device_array([1.0, 2.0], device.info.index), Kernel(source)
    for _ in range(2):
        with pytest.raises(ShaderError, match=words):
            kernel([x, x], 1)
    with grilly.record() as tape:
        Kernel(PLAIN)([x], 1)
        with pytest.raises(ShaderError, match=words):
            kernel([x, x], 1)
    with pytest.raises(ShaderError, match=words):  # nor by the layer below
        device.kernel(vk.compile_glsl(source), 3)
    tape.replay()
    assert x.numpy().tolist() == [2.0, 2.0]


def changed(code: bytes, change: Callable[[int, list[int]], tuple[int, list[int]] | None]) -> bytes:
    """Return the shader with each instruction replaced by what ``change`` says, or left out."""
    made = np.frombuffer(code, "<u4").tolist()[: spirv_words.HEADER]
    for opcode, operands in spirv._instructions(code):
        one = change(opcode, list(operands))
        if one is not None:
            made += [len(one[1]) + 1 << 16 | one[0], *one[1]]
    return np.array(made, "<u4").tobytes()


def without(word: int) -> Any:
    """Leave out a decoration of variables."""

    def change(opcode: int, operands: list[int]) -> tuple[int, list[int]] | None:
        left_out = opcode == spirv_words.DECORATE and operands[1] == word
        return None if left_out else (opcode, operands)

    return change


def entering(model: int, name: bytes) -> Any:
    """Give the entry point another execution model and name, of less than eight bytes."""

    def change(opcode: int, operands: list[int]) -> tuple[int, list[int]] | None:
        if opcode != spirv_words.ENTRY_POINT:
            return opcode, operands
        words = np.frombuffer(name.ljust(8, b"\0"), "<u4").tolist()
        return opcode, [model, operands[1], *words]

    return change


def old_style(opcode: int, operands: list[int]) -> tuple[int, list[int]]:
    """Declare storage buffers as SPIR-V before 1.3 does: Uniform, and BufferBlock."""
    if opcode in (spirv_words.TYPE_POINTER, spirv_words.VARIABLE):
        place = 1 if opcode == spirv_words.TYPE_POINTER else 2
        if operands[place] == spirv_words.CLASS_STORAGE_BUFFER:
            operands[place] = spirv_words.CLASS_UNIFORM
    if opcode == spirv_words.DECORATE and operands[1] == spirv_words.BLOCK:
        operands[1] = spirv_words.BUFFER_BLOCK
    return opcode, operands


CHANGES = {
    "no descriptor set": (without(spirv_words.DESCRIPTOR_SET), "binding 0.*has no descriptor set"),
    "no binding": (without(spirv_words.DECORATION_BINDING), "a storage buffer, has no binding"),
    "no block": (without(spirv_words.BLOCK), "binding 0 is no block"),
    "other name": (entering(5, b"sum"), "no compute .GLCompute. entry point called 'main'.*'sum'"),
    "longer name": (entering(5, b"main2"), "entry point called 'main', but these: 'main2'"),
    "other stage": (entering(4, b"main"), "no compute .GLCompute. entry point called 'main'"),
}


@pytest.mark.parametrize("case", CHANGES)
def test_spirv_of_other_compilers(case: str) -> None:
    change, words = CHANGES[case]
    with pytest.raises(ShaderError, match=words):
        Kernel(changed(vk.compile_glsl(PLAIN), change))


def test_storage_buffers_of_before_spirv_1_3(device: vk.Device) -> None:
    code = vk.compile_glsl(PLAIN)
    old = changed(code, old_style)
    assert old != code == changed(code, lambda *same: same)
    x = device_array([1.0], device.info.index)
    Kernel(old)([x], 1)
    assert x.item() == 2.0


def test_instructions_cut_short_are_damage() -> None:
    code = vk.compile_glsl(PLAIN)
    kinds = {opcode for opcode, operands in spirv._instructions(code) if operands}
    for kind in kinds:
        for length in range(3):

            def cut(opcode: int, operands: list[int], kind: int = kind, n: int = length) -> Any:
                return opcode, operands[:n] if opcode == kind else operands

            try:
                vk.accept(vk.inspect(changed(code, cut)))
            except ShaderError:
                continue


def test_damage_is_a_shader_error() -> None:
    """One word in a shader is another: it is read, or it is refused, in the time that takes."""
    rng = np.random.default_rng(0)
    members = "layout(push_constant) uniform Push { mat3 m; vec3 v[2]; };"
    words = np.frombuffer(vk.compile_glsl(text(members, "x[0] = v[1].x;")), "<u4")
    refused = 0
    for _ in range(2000):
        damaged = words.copy()
        at = int(rng.integers(spirv_words.HEADER, len(words)))
        damaged[at] = rng.choice([0, 1, rng.integers(60), rng.choice(words), rng.integers(2**32)])
        try:
            vk.accept(vk.inspect(damaged.tobytes()))
        except ShaderError:
            refused += 1
    assert 500 < refused < 2000
