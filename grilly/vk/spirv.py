"""SPIR-V, as far as grilly reads it: what a shader binds, reads and writes, and its local size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from ..errors import ShaderError

MAGIC = 0x07230203
HEADER = 5  # words

# Opcodes and enumerants of the SPIR-V specification.
EXECUTION_MODE, CONSTANT, SPEC_TRUE, SPEC_FALSE, SPEC_CONSTANT = 16, 43, 48, 49, 50
SPEC_COMPOSITE, VARIABLE, DECORATE, MEMBER_DECORATE = 51, 59, 71, 72
TYPE_ARRAY, TYPE_RUNTIME_ARRAY, TYPE_STRUCT, TYPE_POINTER = 28, 29, 30, 32
DECLARING = {DECORATE, MEMBER_DECORATE, VARIABLE, TYPE_POINTER, TYPE_STRUCT}
DECLARING |= {TYPE_ARRAY, TYPE_RUNTIME_ARRAY}
TYPE_INT, TYPE_FLOAT, TYPE_VECTOR, TYPE_MATRIX = 21, 22, 23, 24
SIZED = {TYPE_INT, TYPE_FLOAT, TYPE_VECTOR, TYPE_MATRIX, TYPE_ARRAY, TYPE_STRUCT}
MODE_LOCAL_SIZE = 17
DECORATION_SPEC_ID, DECORATION_BUILTIN, DECORATION_BINDING = 1, 11, 33
NON_WRITABLE, NON_READABLE, OFFSET = 24, 25, 35
BUILTIN_WORKGROUP_SIZE = 25
CLASS_PUSH_CONSTANT = 9


@dataclass
class Shader:
    """What a compute shader asks of its pipeline.

    ``reads`` and ``writes`` are the bindings that are not declared ``writeonly`` or ``readonly``.
    """

    buffers: set[int] = field(default_factory=set)
    reads: set[int] = field(default_factory=set)
    writes: set[int] = field(default_factory=set)
    has_push: bool = False
    push: int = 0  # the least bytes of push constants that it can read
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


@dataclass
class _Declarations:
    """The variables of a shader, their types, and what is said of reading and writing them."""

    _bindings: dict[int, int] = field(default_factory=dict)  # variable -> binding
    _inner: dict[int, int] = field(default_factory=dict)  # variable, pointer or array -> its type
    _members: dict[int, int] = field(default_factory=dict)  # structure -> number of members
    _said: set[tuple[int, int, int | None]] = field(default_factory=set)  # word, id, member

    def note(self, opcode: int, operands: tuple[int, ...]) -> None:
        """Remember what one instruction declares."""
        if opcode == DECORATE and operands[1] == DECORATION_BINDING:
            self._bindings[operands[0]] = operands[2]
        elif opcode == DECORATE:
            self._said.add((operands[1], operands[0], None))
        elif opcode == MEMBER_DECORATE:
            self._said.add((operands[2], operands[0], operands[1]))
        elif opcode == TYPE_STRUCT:
            self._members[operands[0]] = len(operands) - 1
        elif opcode in (TYPE_ARRAY, TYPE_RUNTIME_ARRAY):
            self._inner[operands[0]] = operands[1]
        elif opcode == TYPE_POINTER:
            self._inner[operands[0]] = operands[2]
        elif opcode == VARIABLE:
            self._inner[operands[1]] = operands[0]

    def bindings_without(self, word: int) -> set[int]:
        """Return the bindings that some variable uses without this decoration."""
        return {slot for variable, slot in self._bindings.items() if not self._has(variable, word)}

    def innermost(self, variable: int) -> int:
        """Return the type that a variable points to, or has many of."""
        while variable in self._inner:
            variable = self._inner[variable]
        return variable

    def _has(self, variable: int, word: int) -> bool:
        """Whether the decoration is on the variable, or on all members of its block."""
        block = self.innermost(variable)
        members = range(self._members.get(block, 0))
        on_all = bool(members) and all((word, block, place) in self._said for place in members)
        return on_all or (word, variable, None) in self._said


@dataclass
class _Sizes:
    """The bytes of types, at the least: without the room between the elements of arrays."""

    _of: dict[int, int] = field(default_factory=dict)
    _offsets: dict[tuple[int, int], int] = field(default_factory=dict)

    def note(self, opcode: int, operands: tuple[int, ...], values: Mapping[int, int]) -> None:
        """Remember a type; ``values`` has the constants that were met so far."""
        name, *about = operands
        if opcode in (TYPE_INT, TYPE_FLOAT):
            self._of[name] = about[0] // 8
        elif opcode in (TYPE_VECTOR, TYPE_MATRIX):
            self._of[name] = self._of.get(about[0], 0) * about[1]
        elif opcode == TYPE_ARRAY:
            self._of[name] = self._of.get(about[0], 0) * values.get(about[1], 0)
        elif opcode == TYPE_STRUCT:
            ends = (
                self._offsets.get((name, place), 0) + self._of.get(member, 0)
                for place, member in enumerate(about)
            )
            self._of[name] = max(ends, default=0)

    def place(self, block: int, member: int, offset: int) -> None:
        """Remember where a member of a block begins."""
        self._offsets[block, member] = offset

    def of(self, name: int) -> int:
        """Return the bytes of a type."""
        return self._of.get(name, 0)


def check(code: bytes) -> None:
    """Raise ShaderError unless ``code`` begins and ends as SPIR-V does."""
    if len(code) < 4 * HEADER or len(code) % 4:
        raise ShaderError(f"this is not SPIR-V: {len(code)} bytes")
    if int.from_bytes(code[:4], "little") != MAGIC:
        raise ShaderError(f"this is not SPIR-V: it begins with {code[:4].hex()}")


def inspect(code: bytes) -> Shader:
    """Return what the shader ``code`` asks for; ShaderError if it cannot be read."""
    check(code)
    shader, declared, bytes_of = Shader(), _Declarations(), _Sizes()
    sizes: dict[int, tuple[int, ...]] = {}
    workgroup = -1
    for opcode, operands in _instructions(code):
        if opcode in DECLARING:
            declared.note(opcode, operands)
        if opcode in SIZED:
            bytes_of.note(opcode, operands, shader._values)
        elif opcode == MEMBER_DECORATE and operands[2] == OFFSET:
            bytes_of.place(operands[0], operands[1], operands[3])
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
            shader.push = bytes_of.of(declared.innermost(operands[1]))
    shader._size_parts = sizes.get(workgroup, ())
    shader.reads = declared.bindings_without(NON_READABLE)
    shader.writes = declared.bindings_without(NON_WRITABLE)
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
