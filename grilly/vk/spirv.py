"""SPIR-V, as far as grilly reads it: what a shader binds, reads and writes, and its local size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from ..errors import ShaderError
from .spirv_types import Declarations, Resource, Sizes, kind_of
from .spirv_words import (
    BUILTIN_WORKGROUP_SIZE,
    CAPABILITY,
    CLASS_PUSH_CONSTANT,
    CONSTANT,
    DECLARING,
    DECORATE,
    DECORATION_BINDING,
    DECORATION_BUILTIN,
    DECORATION_SPEC_ID,
    ENTRY_POINT,
    EXECUTION_MODE,
    HEADER,
    MAGIC,
    MEMBER_DECORATE,
    MODE_LOCAL_SIZE,
    MODEL_COMPUTE,
    NEWEST,
    NON_READABLE,
    NON_WRITABLE,
    SIZED,
    SPEC_COMPOSITE,
    SPEC_CONSTANT,
    SPEC_FALSE,
    SPEC_TRUE,
    TYPE_FLOAT,
    TYPE_INT,
    VARIABLE,
)


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
    most_push: float = 0  # no more bytes than these can be meant for it; inf if that is not known
    push_kinds: dict[int, str] = field(default_factory=dict)  # word: float, int or uint, if known
    constants: dict[int, str] = field(default_factory=dict)  # number: float, int, uint or bool
    resources: list[Resource] = field(default_factory=list)
    capabilities: set[int] = field(default_factory=set)
    main: int | None = None  # the entry point for compute of that name
    entries: list[str] = field(default_factory=list)  # the names of all entry points
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
        if identity not in self._values:
            raise ShaderError(
                "the local size is computed in the shader: let it be a constant, or a "
                "specialization constant of its own"
            )
        given = words.get(self._numbers.get(identity, -1))
        return self._values[identity] if given is None else int.from_bytes(given, "little")


def check(code: bytes) -> None:
    """Raise ShaderError unless ``code`` begins and ends as SPIR-V does."""
    if len(code) < 4 * HEADER or len(code) % 4:
        raise ShaderError(f"this is not SPIR-V: {len(code)} bytes")
    if int.from_bytes(code[:4], "little") != MAGIC:
        raise ShaderError(f"this is not SPIR-V: it begins with {code[:4].hex()}")
    version = int.from_bytes(code[4:8], "little")
    if version > NEWEST:
        raise ShaderError(
            f"this is SPIR-V {version >> 16 & 255}.{version >> 8 & 255}, and Vulkan 1.1 has up to "
            "1.3: compile it with --target-env vulkan1.1"
        )


def inspect(code: bytes) -> Shader:
    """Return what the shader ``code`` asks for; ShaderError if it cannot be read."""
    check(code)
    reader = _Reader()
    for opcode, operands in _instructions(code):
        try:
            reader.note(opcode, operands)
        except (IndexError, ValueError) as cause:
            raise ShaderError(f"the SPIR-V is damaged: opcode {opcode} is cut short") from cause
    return reader.done()


@dataclass
class _Reader:
    """A shader as far as its instructions were read."""

    shader: Shader = field(default_factory=Shader)
    declared: Declarations = field(default_factory=Declarations)
    bytes_of: Sizes = field(default_factory=Sizes)
    kinds: dict[int, str] = field(default_factory=dict)  # type -> float, int or uint
    sizes: dict[int, tuple[int, ...]] = field(default_factory=dict)
    workgroup: int = -1

    def note(self, opcode: int, operands: tuple[int, ...]) -> None:
        """Take what one instruction says."""
        shader = self.shader
        if opcode in DECLARING:
            self.declared.note(opcode, operands)
        if opcode in SIZED:
            self.bytes_of.note(opcode, operands, shader._values, shader._numbers)
        if opcode in (DECORATE, MEMBER_DECORATE):
            self.bytes_of.decorate(opcode, operands)
        if opcode == DECORATE:
            self._decorate(*operands[:3])
        elif opcode == CAPABILITY:
            shader.capabilities.add(operands[0])
        elif opcode == ENTRY_POINT:
            self._enter(operands)
        elif opcode == EXECUTION_MODE and operands[:2] == (shader.main, MODE_LOCAL_SIZE):
            shader._literal_size = operands[2:5]
        elif opcode in (TYPE_INT, TYPE_FLOAT):
            self.kinds[operands[0]] = kind_of(opcode, operands)
        elif opcode in (CONSTANT, SPEC_CONSTANT, SPEC_TRUE, SPEC_FALSE):
            self._constant(opcode, operands)
        elif opcode == SPEC_COMPOSITE:
            self.sizes[operands[1]] = operands[2:5]
        elif opcode == VARIABLE and operands[2] == CLASS_PUSH_CONSTANT:
            size = self.bytes_of.of(self.declared.innermost(operands[1]))
            shader.has_push, shader.push, shader.most_push = True, size.least, size.most
            shader.push_kinds = self.bytes_of.kinds(self.declared.innermost(operands[1]))

    def done(self) -> Shader:
        """Return the shader when all was read."""
        shader, declared = self.shader, self.declared
        shader._size_parts = self.sizes.get(self.workgroup, ())
        shader.resources = declared.resources()
        shader.reads = declared.bindings_without(NON_READABLE)
        shader.writes = declared.bindings_without(NON_WRITABLE)
        return shader

    def _decorate(self, name: int, word: int, value: int | None = None) -> None:
        if value is None:
            return
        if word == DECORATION_BINDING:
            self.shader.buffers.add(value)
        elif word == DECORATION_SPEC_ID:
            self.shader._numbers[name] = value
        elif (word, value) == (DECORATION_BUILTIN, BUILTIN_WORKGROUP_SIZE):
            self.workgroup = name

    def _enter(self, operands: tuple[int, ...]) -> None:
        text = np.array(operands[2:], "<u4").tobytes().partition(b"\0")[0]
        name = text.decode(errors="replace")
        self.shader.entries.append(name)
        if operands[0] == MODEL_COMPUTE and name == "main":
            self.shader.main = operands[1]

    def _constant(self, opcode: int, operands: tuple[int, ...]) -> None:
        shader, (kind, name) = self.shader, operands[:2]
        if opcode in (CONSTANT, SPEC_CONSTANT):
            shader._values[name] = operands[2]
        if opcode != CONSTANT and name in shader._numbers:
            shader.constants[shader._numbers[name]] = self.kinds.get(kind, "bool")


def _instructions(code: bytes) -> Iterator[tuple[int, tuple[int, ...]]]:
    words: list[int] = np.frombuffer(code, "<u4").tolist()
    at = HEADER
    while at < len(words):
        length, opcode = words[at] >> 16, words[at] & 0xFFFF
        if not 0 < length <= len(words) - at:
            raise ShaderError(f"the SPIR-V is damaged at word {at}")
        yield opcode, tuple(words[at + 1 : at + length])
        at += length
