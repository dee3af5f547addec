"""Runs GLSL on every element of operand arrays, and compares xfloat.glsl with its numpy mirror."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from grilly import vk, xfloat

LOCAL_SIZE = 64
SHADER = """#version 450
#extension GL_GOOGLE_include_directive : require
#include "xfloat.glsl"
layout(local_size_x_id = 0) in;
layout(std430, binding = 0) readonly buffer Given {{ uint given[]; }};
layout(std430, binding = 1) writeonly buffer Made {{ uint made[]; }};
layout(push_constant) uniform Push {{ uint count; }};
void main() {{
  if (gl_GlobalInvocationID.x >= count) return;
  uint at = gl_GlobalInvocationID.x * {given}u, to = gl_GlobalInvocationID.x * {made}u;
{body}}}
"""


class Kind(NamedTuple):
    """A type of the language in memory: its GLSL name, its words, how to load and store it."""

    glsl: str
    words: int
    load: str
    store: str


KINDS = {
    "X": Kind("X", 3, "x_from_words({})", "uvec3 r = x_to_words({})"),
    "L": Kind("L", 5, "l_from_words({})", "L l = {0}; uint r[5] = uint[](l.m.x, l.m.y, l.m.z, l.m.w, uint(l.e) << 1 | l.s)"),
    "bool": Kind("bool", 1, "({}) != 0u", "uint r[1] = uint[](uint({}))"),
    "u64": Kind("uvec2", 2, "uvec2({})", ""),
    "float32": Kind("uint", 1, "", "uint r[1] = uint[]({})"),
}


class Function(NamedTuple):
    """A GLSL function: the kinds of its arguments, the kind of what it returns."""

    name: str
    arguments: tuple[str, ...]
    result: str


def call(function: Function) -> str:
    """Return the statements that load the arguments, call the function and store the result."""
    lines, at = [], 0
    for i, name in enumerate(function.arguments):
        kind = KINDS[name]
        words = ", ".join(f"given[at + {at + j}u]" for j in range(kind.words))
        lines.append(f"{kind.glsl} a{i} = {kind.load.format(words)};")
        at += kind.words
    result = KINDS[function.result]
    names = ", ".join(f"a{i}" for i in range(len(function.arguments)))
    lines.append(result.store.format(f"{function.name}({names})") + ";")
    lines += [f"made[to + {j}u] = r[{j}];" for j in range(result.words)]
    return "".join(f"  {line}\n" for line in lines)


def shader(function: Function) -> str:
    """Return the compute shader that calls ``function`` once an element."""
    given = sum(KINDS[name].words for name in function.arguments)
    return SHADER.format(given=given, made=KINDS[function.result].words, body=call(function))


def run(device: vk.Device, spirv: bytes, given: Any, words: int) -> Any:
    """Return the words (count, words) that a shader makes of ``given`` (count, ...) uint32."""
    count = len(given)
    inputs, made = device.buffer(given.nbytes), device.buffer(4 * words * count, fill=0xA5)
    inputs.write(np.ascontiguousarray(given))
    kernel = device.kernel(spirv, 2, 4, {0: LOCAL_SIZE})
    with vk.Tape(device) as tape:
        push = np.uint32(count).tobytes()
        tape.dispatch(kernel.bind([inputs, made]), -(-count // LOCAL_SIZE), push)
    device.submit(tape)
    device.wait()
    return made.read(np.uint32, words * count).reshape(count, words)


def on_gpu(device: vk.Device, function: Function, *operands: Any, include: Path | None = None) -> Any:
    """Return the words of ``function`` at the operands, one row an element.

    Operands are X, L, bool or integer arrays of one length; ``include`` replaces shaders/include.
    """
    given = np.concatenate([to_words(operand) for operand in operands], axis=1)
    spirv = vk.compile_glsl(shader(function), include=include)
    return run(device, spirv, given, KINDS[function.result].words)


def to_words(value: Any) -> Any:
    """Return an X, an L, or an array of bool, float32 or 64-bit integers as rows of words."""
    if isinstance(value, (xfloat.X, xfloat.L)):
        return xfloat.to_words(value)
    array = np.asarray(value)
    if array.dtype == np.bool_:
        return array.astype(np.uint32)[:, None]
    return np.ascontiguousarray(array)[:, None].view(np.uint32)
