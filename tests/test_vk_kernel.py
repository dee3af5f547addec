"""Kernels: constants, push constants, bound parts of buffers, and shaders that do not fit."""

from __future__ import annotations

import dataclasses
import gc

import numpy as np
import pytest
import vk_shaders

from grilly import shaders, vk
from grilly.errors import DeviceLimitError, ShaderError
from grilly.vk import binding, spirv


def run(kernel: vk.Kernel, *buffers: vk.Buffer, groups: int = 1, push: bytes = b"") -> None:
    with vk.Tape(kernel.device) as tape:
        tape.dispatch(kernel.bind(buffers), groups, push)
    kernel.device.submit(tape)
    kernel.device.wait()


CONSTANTS = {  # name: (constants given, the five words that the shader then writes)
    "defaults": ({0: 1}, [np.float32(1.0).view(np.uint32), 2, 3, 0, 1]),
    "given": (
        {0: 5, 1: 0.125, 2: -7, 3: 2**32 - 1, 4: True},
        [np.float32(0.125).view(np.uint32), 2**32 - 7, 2**32 - 1, 1, 5],
    ),
    "float32 of a double": ({0: 8, 1: 0.1}, [np.float32(0.1).view(np.uint32), 2, 3, 0, 8]),
}


@pytest.mark.parametrize("case", CONSTANTS)
def test_specialization_constants(device, case):
    constants, want = CONSTANTS[case]
    kernel = device.kernel(vk.compile_glsl(vk_shaders.CONSTANTS), 1, 0, constants)
    assert kernel.local_size == (constants[0], 1, 1)
    buffer = device.buffer(20, fill=255)
    run(kernel, buffer)
    np.testing.assert_array_equal(buffer.read(np.uint32, 5), np.array(want, np.uint32))


@pytest.mark.parametrize("local_size", [1, 8, 64])
def test_push_constants(device, local_size):
    buffer = vk_shaders.counting(device, 1001)
    kernel = vk_shaders.affine(device, local_size)
    run(kernel, buffer, groups=1001, push=vk_shaders.affine_words(1000, 3, 5))
    want = vk_shaders.affine_after(1001, (3, 5))
    want[1000] = 1000
    np.testing.assert_array_equal(buffer.read(np.uint32, 1001), want)


def test_a_part_of_a_buffer_is_bound(device):
    start = device.limits.offset_alignment
    buffer = device.buffer(3 * start, fill=0)
    kernel = vk_shaders.affine(device)
    run(kernel, (buffer, start, 8), groups=8, push=vk_shaders.affine_words(2, 0, 9))
    got = buffer.read(np.uint32, 3 * start // 4)
    assert got[start // 4 : start // 4 + 2].tolist() == [9, 9]
    assert got.sum() == 18


def test_an_access_out_of_bounds_harms_nothing(device):
    buffer, other = device.buffer(64), device.buffer(1 << 16, fill=1)
    run(vk_shaders.affine(device), buffer, groups=2000, push=vk_shaders.affine_words(16000, 0, 9))
    np.testing.assert_array_equal(buffer.read(np.uint32, 16), 9)
    np.testing.assert_array_equal(other.read(np.uint8, 1 << 16), 1)


def test_the_same_content_is_one_kernel(device):
    code = vk.compile_glsl(vk_shaders.CONSTANTS)
    made = device.counters.kernels
    one = device.kernel(code, 1, 0, {2: 1, 0: 3})
    assert device.kernel(bytes(code), 1, 0, {0: 3, 2: 1}) is one
    assert device.kernel(code, 1, 0, {0: 3, 2: 2}) is not one
    assert device.counters.kernels == made + 2


def test_float_constants_of_numpy_differ(device):
    code = vk.compile_glsl(vk_shaders.CONSTANTS)
    whole, half = ({0: 3, 1: one} for one in (np.float32(1), np.float32(0.5)))
    assert device.kernel(code, 1, 0, whole) is not device.kernel(code, 1, 0, half)


REFUSED = {  # name: (arguments of device.kernel after the code of AFFINE, error, word in its text)
    "too few buffers": ((0, 12), ShaderError, "buffers=1"),
    "push forgotten": ((1, 0), ShaderError, "push"),
    "push too large": ((1, 1 << 20), DeviceLimitError, "push"),
    "push not in words": ((1, 13), DeviceLimitError, "push"),
    "too many buffers": ((1 << 20, 12), DeviceLimitError, "buffers"),
    "unknown constant": ((1, 12, {0: 8, 9: 1}), ValueError, r"constants\[9\]"),
    "local size 0": ((1, 12, {0: 0}), DeviceLimitError, "local size"),
    "local size too large": ((1, 12, {0: 1 << 20}), DeviceLimitError, "local size"),
    "constant of 33 bits": ((1, 12, {0: 2**32}), ValueError, "32 bits"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_kernel_refused(device, case):
    arguments, error, word = REFUSED[case]
    code = vk.compile_glsl(vk_shaders.AFFINE)
    with pytest.raises(error, match=word):
        device.kernel(code, *arguments)


DAMAGED = {
    "empty": lambda code: b"",
    "cut": lambda code: code[:-2],
    "cut within an instruction": lambda code: code[:-4] + b"\xff\xff\xff\xff",
    "other magic": lambda code: b"\0" + code[1:],
    "text": lambda code: b"#version 450\nvoid main() {}\n ",
}


@pytest.mark.parametrize("case", DAMAGED)
def test_damaged_spirv_never_reaches_the_driver(device, case):
    damaged = DAMAGED[case](vk.compile_glsl(vk_shaders.AFFINE))
    with pytest.raises(ShaderError, match="SPIR-V"):
        device.kernel(damaged, 1, 12)


def test_binding_refused(device):
    kernel, buffer = vk_shaders.affine(device), device.buffer(4096)
    with pytest.raises(ValueError, match="1 buffers, got 2"):
        kernel.bind([buffer, buffer])
    with pytest.raises(ValueError, match="not in"):
        kernel.bind([(buffer, 0, 5000)])
    with pytest.raises(DeviceLimitError, match="multiple of"):
        kernel.bind([(buffer, 2, 4)])


def test_a_range_beyond_the_limit_is_refused(private_device):
    """Drivers do not check it: llvmpipe computes on, other drivers may crash."""
    private_device.limits = dataclasses.replace(private_device.limits, max_storage_range=4096)
    kernel = vk_shaders.affine(private_device)
    large = private_device.buffer(4100)
    with pytest.raises(DeviceLimitError, match="4100 bytes exceed 4096"):
        kernel.bind([large])
    kernel.bind([(large, 0, 4096)])


def test_spirv_is_read_as_it_was_written():
    shader = spirv.inspect(vk.compile_glsl(vk_shaders.CONSTANTS))
    assert (shader.buffers, shader.has_push) == ({0}, False)
    assert shader.constants == {0: "uint", 1: "float", 2: "int", 3: "uint", 4: "bool"}
    fixed = "#version 450\nlayout(local_size_x = 4, local_size_y = 3) in;\nvoid main() {}\n"
    shader = spirv.inspect(vk.compile_glsl(fixed))
    assert (shader.buffers, shader.local_size({})) == (set(), (4, 3, 1))


# name: (declarations of buffers, what main does, bindings read, bindings written)
ACCESSES = {
    "unqualified": ("layout(binding = 3) buffer X { uint x[]; };", "x[1] = x[0];", {3}, {3}),
    "readonly": (
        "layout(binding = 0) buffer Y { uint y[]; };"
        "layout(binding = 1) readonly buffer X { uint n; uint x[]; };",
        "y[0] = x[n];",
        {0, 1},
        {0},
    ),
    "writeonly": (
        "layout(binding = 2) writeonly buffer X { uint x[]; };",
        "x[0] = 1u;",
        set(),
        {2},
    ),
    "some members": (
        "layout(binding = 0) buffer X { readonly uint n; uint m; };",
        "m = n;",
        {0},
        {0},
    ),
    "each member its own way": (
        "layout(binding = 0) buffer X { readonly uint n; writeonly uint m; };",
        "m = n;",
        {0},
        {0},
    ),
    "two names of one binding": (
        "layout(binding = 0) readonly buffer X { uint x[]; };"
        "layout(binding = 0) writeonly buffer Y { uint y[]; };"
        "layout(binding = 1) readonly buffer Z { uint z[]; };"
        "layout(binding = 1) readonly buffer W { uvec4 w[]; };",
        "y[0] = x[1] + z[0] + w[0].x;",
        {0, 1},
        {0},
    ),
    "an array of blocks": (
        "layout(binding = 0) readonly buffer X { uint x[]; } all[2];"
        "layout(binding = 4) writeonly buffer Y { uint y[]; };",
        "y[0] = all[1].x[0];",
        {0},
        {4},
    ),
    "no buffers": ("", "", set(), set()),
}


@pytest.mark.parametrize("case", ACCESSES)
def test_what_a_shader_reads_and_writes(case):
    declared, does, reads, writes = ACCESSES[case]
    text = f"{vk_shaders.HEAD}\n{declared}\nvoid main() {{ {does} }}\n"
    shader = spirv.inspect(vk.compile_glsl(text))
    assert (shader.reads, shader.writes) == (reads, writes)
    assert shader.buffers == reads | writes


def on_variables(code: bytes) -> bytes:
    """Return the shader with NonWritable of member 0 said of the binding's variable instead."""
    words = np.frombuffer(code, "<u4").tolist()
    at, made, variable = 5, words[:5], -1
    for opcode, operands in spirv._instructions(code):
        if opcode == spirv.VARIABLE and operands[2] == 12:  # StorageBuffer
            variable = operands[1]
    for opcode, operands in spirv._instructions(code):
        length = len(operands) + 1
        one = words[at : at + length]
        if opcode == spirv.MEMBER_DECORATE and operands[2] == spirv.NON_WRITABLE:
            one = [3 << 16 | spirv.DECORATE, variable, spirv.NON_WRITABLE]
        made += one
        at += length
    return np.array(made, "<u4").tobytes()


def test_a_variable_may_be_decorated_itself():
    """As compilers other than glslang do; the layer's own validator would take both forms."""
    text = f"{vk_shaders.HEAD}layout(binding = 0) readonly buffer X {{ uint x[]; }};"
    code = vk.compile_glsl(text + "shared uint s; void main() { s = x[0]; }")
    changed = on_variables(code)
    assert changed != code
    shader = spirv.inspect(changed)
    assert (shader.reads, shader.writes) == ({0}, set())


def test_a_kernel_knows_what_it_reads_and_writes(device):
    """Binding 1 is there, but the shader does not use it."""
    text = (
        f"{vk_shaders.HEAD}layout(binding = 0) readonly buffer X {{ uint x[]; }};"
        "layout(binding = 2) writeonly buffer Y { uint y[]; };"
    )
    kernel = device.kernel(vk.compile_glsl(text + "void main() { y[0] = x[0]; }"), 3, 0, {0: 1})
    assert (kernel.reads, kernel.writes) == (frozenset({0}), frozenset({2}))


@pytest.mark.parametrize("name", ["adamw", "adam_amsgrad", "sgd"])
def test_the_optimizers_only_read_gradients(name):
    shader = spirv.inspect(shaders.spirv(f"optim/{name}"))
    assert shader.buffers - shader.writes == {1, 2, 3, 5}  # table, chunks, ranges, gradient
    assert shader.reads == shader.buffers


@pytest.mark.gpu
def test_nested_structures_survive_a_churned_heap(device_info):
    """The package alone loses them: a constant 0.125 came back as 1.5e16."""
    info = binding.struct(
        "VkComputePipelineCreateInfo",
        stage=binding.struct(
            "VkPipelineShaderStageCreateInfo",
            pName="main",
            pSpecializationInfo=binding.struct(
                "VkSpecializationInfo", dataSize=4, pData=binding.array("float[]", [0.125])
            ),
        ),
    )
    for size in range(1, 300):
        binding.array("uint8_t[]", b"Z" * size)
    gc.collect()
    ffi = binding.load().ffi
    kept = [binding.array("uint8_t[]", b"Z" * size) for size in range(1, 300)]
    assert ffi.string(info.stage.pName) == b"main"
    assert ffi.cast("float*", info.stage.pSpecializationInfo.pData)[0] == 0.125
    del kept


@pytest.mark.parametrize(
    ("members", "least"),
    [
        ("uint a;", 4),
        ("uint a; float b; int c;", 12),
        ("float a; vec3 b;", 28),
        ("vec2 a; float b[3];", 20),
        ("mat4 a; uint b;", 68),
        ("layout(offset = 16) uint a;", 20),
    ],
)
def test_push_constants_have_a_least_size(device, members, least):
    name = members.split(";")[0].split()[-1].split("[")[0]
    code = vk.compile_glsl(
        "#version 450\nlayout(std430, binding = 0) buffer X { float x[]; };\n"
        f"layout(push_constant) uniform Push {{ {members} }};\nvoid main() {{ x[0] = float({name}"
        f"{'[0][0]' if 'mat' in members else '[0]' if 'vec' in members[:4] else ''}); }}"
    )
    assert spirv.inspect(code).push == least
    words = "has push" if least == 4 else f"take {least} bytes, but push is {least - 4}"
    with pytest.raises(ShaderError, match=words):
        device.kernel(code, buffers=1, push=least - 4)
