"""GLSL kernels that the tests of grilly.vk use, and a short way to run one."""

from __future__ import annotations

import struct

import numpy as np

from grilly import vk

HEAD = "#version 450\nlayout(local_size_x_id = 0) in;\n"

# x[i] = x[i] * factor + term, n of them: not commutative, so the order of two steps shows.
AFFINE = (
    HEAD
    + """
layout(std430, binding = 0) buffer X { uint x[]; };
layout(push_constant) uniform Push { uint n; uint factor; uint term; };
void main() {
  uint i = gl_GlobalInvocationID.x;
  if (i < n) x[i] = x[i] * factor + term;
}
"""
)

# Writes specialization constants of every kind.
CONSTANTS = (
    HEAD
    + """
layout(constant_id = 1) const float a = 1.0;
layout(constant_id = 2) const int b = 2;
layout(constant_id = 3) const uint c = 3u;
layout(constant_id = 4) const bool d = false;
layout(std430, binding = 0) buffer X { uint x[]; };
void main() {
  x[0] = floatBitsToUint(a); x[1] = uint(b); x[2] = c; x[3] = uint(d); x[4] = gl_WorkGroupSize.x;
}
"""
)

# Takes long by having many workgroups: llvmpipe ends any loop after 65,535 rounds.
SPIN = (
    HEAD
    + """
layout(std430, binding = 0) buffer X { uint x[]; };
void main() {
  uint s = x[0] + gl_WorkGroupID.x;
  for (uint i = 0u; i < 60000u; i++) { s = s * 1664525u + 1013904223u; if (s == x[2]) x[1] = s; }
  if (s == 7u) x[1] = s;
}
"""
)


def affine_words(n: int, factor: int, term: int) -> bytes:
    """Return the push constants of AFFINE."""
    return struct.pack("<3I", n, factor, term)


def affine(device: vk.Device, local_size: int = 8) -> vk.Kernel:
    """Return the kernel AFFINE."""
    return device.kernel(vk.compile_glsl(AFFINE), 1, 12, {0: local_size})


def affine_tape(device: vk.Device, buffer: vk.Buffer, factor: int, term: int) -> vk.Tape:
    """Return a tape of one AFFINE step over all of ``buffer``."""
    n = buffer.nbytes // 4
    binding = affine(device).bind([buffer])
    with vk.Tape(device) as tape:
        tape.dispatch(binding, -(-n // 8), affine_words(n, factor, term))
    return tape


def counting(device: vk.Device, n: int, memory: str = "device") -> vk.Buffer:
    """Return a buffer that holds 0, 1, 2 ... n - 1."""
    buffer = device.buffer(4 * n, memory)
    buffer.write(np.arange(n, dtype=np.uint32))
    return buffer


def affine_after(n: int, *steps: tuple[int, int]) -> np.ndarray:
    """Return what ``counting`` holds after these (factor, term) steps, in plain numpy."""
    x = np.arange(n, dtype=np.uint64)
    for factor, term in steps:
        x = (x * np.uint64(factor) + np.uint64(term)) % np.uint64(2**32)
    return x.astype(np.uint32)


X_OF_FLOATS = "layout(std430, binding = 0) buffer X { float x[]; };\n"


def text(declared: str, does: str, extensions: str = "") -> str:
    """Return a shader of one array x, with these declarations and this main."""
    asked = "".join(f"#extension {name} : require\n" for name in extensions.split())
    head = f"#version 450\n{asked}layout(local_size_x = 1) in;\n"
    return f"{head}{X_OF_FLOATS}{declared}\nvoid main() {{ {does} }}"


PLAIN = text("", "x[0] += 1.0;")
