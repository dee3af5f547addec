"""Runs GLSL made of xfloat.glsl and float64.glsl on every element of operand arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from grilly import vk, xfloat

LOCAL_SIZE = 64
SHADER = """#version 450
#extension GL_GOOGLE_include_directive : require
#include "xfloat_transcendental.glsl"
#include "float64.glsl"
layout(local_size_x_id = 0) in;
layout(std430, binding = 0) readonly buffer Given {{ uint given[]; }};
layout(std430, binding = 1) writeonly buffer Made {{ uint made[]; }};
layout(push_constant) uniform Push {{ uint count; }};
uint[1] words(bool a) {{ return uint[](uint(a)); }}
uint[1] words(uint a) {{ return uint[](a); }}
uint[2] words(uvec2 a) {{ return uint[](a.x, a.y); }}
uint[3] words(X a) {{ uvec3 w = x_to_words(a); return uint[](w.x, w.y, w.z); }}
uint[5] words(L a) {{ return uint[](a.m.x, a.m.y, a.m.z, a.m.w, uint(a.e) << 1 | a.s); }}
{functions}void main() {{
  if (gl_GlobalInvocationID.x >= count) return;
  uint at = gl_GlobalInvocationID.x * {given}u, to = gl_GlobalInvocationID.x * {made}u;
{body}}}
"""


class Kind(NamedTuple):
    """A type of the language: its name in GLSL, its words in memory, how it is loaded from them."""

    glsl: str
    words: int
    load: str


KINDS = {
    "X": Kind("X", 3, "x_from_words({})"),
    "L": Kind("L", 5, "l_from_words({})"),
    "bool": Kind("bool", 1, "({}) != 0u"),
    "u64": Kind("uvec2", 2, "uvec2({})"),
    "float32": Kind("uint", 1, "{}"),  # its bits
}


class Function(NamedTuple):
    """A function in GLSL: its name, the kinds of its arguments, the kind of its result.

    ``text`` defines it, where it is not one of xfloat's own.
    """

    name: str
    arguments: tuple[str, ...]
    result: str
    text: str = ""


def call(function: Function) -> str:
    """Return the statements that load the arguments, call the function and store the result."""
    lines, at = [], 0
    for i, name in enumerate(function.arguments):
        kind = KINDS[name]
        words = ", ".join(f"given[at + {at + j}u]" for j in range(kind.words))
        lines.append(f"{kind.glsl} a{i} = {kind.load.format(words)};")
        at += kind.words
    names = ", ".join(f"a{i}" for i in range(len(function.arguments)))
    count = KINDS[function.result].words
    lines.append(f"uint[{count}] result = words({function.name}({names}));")
    lines += [f"made[to + {j}u] = result[{j}];" for j in range(count)]
    return "".join(f"  {line}\n" for line in lines)


def shader(*functions: Function) -> str:
    """Return a compute shader that calls the functions on each element; the last result stays."""
    return SHADER.format(
        functions="".join(function.text for function in functions),
        given=sum(KINDS[name].words for name in functions[-1].arguments),
        made=KINDS[functions[-1].result].words,
        body="".join(f"  {{\n{call(function)}  }}\n" for function in functions),
    )


def on_gpu(
    device: vk.Device, function: Function, *operands: Any, include: Path | None = None
) -> Any:
    """Return the words of ``function`` at the operands, (count, words) uint32.

    Operands are X, L, bool or 64-bit integer arrays of one length. ``include`` is read instead of
    shaders/include.
    """
    given = np.concatenate([to_words(operand) for operand in operands], axis=1)
    count, words = len(given), KINDS[function.result].words
    inputs, made = device.buffer(given.nbytes), device.buffer(4 * words * count, fill=0xA5)
    inputs.write(given)
    spirv = vk.compile_glsl(shader(function), include=include)
    kernel = device.kernel(spirv, 2, 4, {0: LOCAL_SIZE})
    with vk.Tape(device) as tape:
        push = np.uint32(count).tobytes()
        tape.dispatch(kernel.bind([inputs, made]), -(-count // LOCAL_SIZE), push)
    device.submit(tape)
    device.wait()
    return made.read(np.uint32, words * count).reshape(count, words)


def to_words(value: Any) -> Any:
    """Return X, L, or an array of bool, float32 or 64-bit integers as rows of uint32 words."""
    if isinstance(value, (xfloat.X, xfloat.L)):
        return xfloat.to_words(value)
    array = np.asarray(value)
    if array.dtype == np.bool_:
        return array.astype(np.uint32)[:, None]
    return np.ascontiguousarray(array)[:, None].view(np.uint32)
