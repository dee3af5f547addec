"""SPIR-V, as far as grilly reads it: what a shader binds, and its local size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from ..errors import ShaderError

MAGIC = 0x07230203
HEADER = 5  # words

# Opcodes and enumerants of the SPIR-V specification.
EXECUTION_MODE, CONSTANT, SPEC_TRUE, SPEC_FALSE, SPEC_CONSTANT = 16, 43, 48, 49, 50
SPEC_COMPOSITE, VARIABLE, DECORATE = 51, 59, 71
MODE_LOCAL_SIZE = 17
DECORATION_SPEC_ID, DECORATION_BUILTIN, DECORATION_BINDING = 1, 11, 33
BUILTIN_WORKGROUP_SIZE = 25
CLASS_PUSH_CONSTANT = 9


@dataclass
class Shader:
    """What a compute shader asks of its pipeline."""

    buffers: set[int] = field(default_factory=set)
    has_push: bool = False
    constants: set[int] = field(default_factory=set)
    _literal_size: tuple[int, ...] = (1, 1, 1)
    _size_parts: tuple[int, ...] = ()
    _values: dict[int, int] = field(default_factory=dict)
    _numbers: dict[int, int] = field(default_factory=dict)

    def local_size(self, words: Mapping[int, bytes]) -> tuple[int, int, int]:
        """Return the local size when the specialization constants are ``words``."""
        size = self._literal_size
        if self._size_parts:
            size = tuple(self._value(part, words) for part in self._size_parts)
        return size[0], size[1], size[2]

    def _value(self, identity: int, words: Mapping[int, bytes]) -> int:
        given = words.get(self._numbers.get(identity, -1))
        return self._values[identity] if given is None else int.from_bytes(given, "little")


def check(code: bytes) -> None:
    """Raise ShaderError unless ``code`` begins and ends as SPIR-V does."""
    if len(code) < 4 * HEADER or len(code) % 4:
        raise ShaderError(f"this is not SPIR-V: {len(code)} bytes")
    if int.from_bytes(code[:4], "little") != MAGIC:
        raise ShaderError(f"this is not SPIR-V: it begins with {code[:4].hex()}")


def inspect(code: bytes) -> Shader:
    """Return what the shader ``code`` asks for; ShaderError if it cannot be read."""
    check(code)
    shader = Shader()
    sizes: dict[int, tuple[int, ...]] = {}
    workgroup = -1
    for opcode, operands in _instructions(code):
        if opcode == DECORATE and operands[1] == DECORATION_BINDING:
            shader.buffers.add(operands[2])
        elif opcode == DECORATE and operands[1] == DECORATION_SPEC_ID:
            shader._numbers[operands[0]] = operands[2]
            shader.constants.add(operands[2])
        elif opcode == DECORATE and operands[1:3] == (DECORATION_BUILTIN, BUILTIN_WORKGROUP_SIZE):
            workgroup = operands[0]
        elif opcode == EXECUTION_MODE and operands[1] == MODE_LOCAL_SIZE:
            shader._literal_size = operands[2:5]
        elif opcode in (CONSTANT, SPEC_CONSTANT):
            shader._values[operands[1]] = operands[2]
        elif opcode == SPEC_COMPOSITE:
            sizes[operands[1]] = operands[2:5]
        elif opcode == VARIABLE and operands[2] == CLASS_PUSH_CONSTANT:
            shader.has_push = True
    shader._size_parts = sizes.get(workgroup, ())
    return shader


def _instructions(code: bytes) -> Iterator[tuple[int, tuple[int, ...]]]:
    words: list[int] = np.frombuffer(code, "<u4").tolist()
    at = HEADER
    while at < len(words):
        length, opcode = words[at] >> 16, words[at] & 0xFFFF
        if not 0 < length <= len(words) - at:
            raise ShaderError(f"the SPIR-V is damaged at word {at}")
        yield opcode, tuple(words[at + 1 : at + length])
        at += length
