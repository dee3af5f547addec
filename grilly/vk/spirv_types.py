"""The variables and types that a SPIR-V shader declares: what they bind, and their bytes."""

from __future__ import annotations

import math
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from .spirv_words import (
    ARRAY_STRIDE,
    BLOCK,
    BUFFER_BLOCK,
    CLASS_STORAGE_BUFFER,
    CLASS_UNIFORM,
    CLASS_UNIFORM_CONSTANT,
    DECORATE,
    DECORATION_BINDING,
    DESCRIPTOR_SET,
    MEMBER_DECORATE,
    OFFSET,
    TYPE_ARRAY,
    TYPE_FLOAT,
    TYPE_INT,
    TYPE_MATRIX,
    TYPE_POINTER,
    TYPE_RUNTIME_ARRAY,
    TYPE_STRUCT,
    TYPE_VECTOR,
    VARIABLE,
)

BOUND = (CLASS_UNIFORM_CONSTANT, CLASS_UNIFORM, CLASS_STORAGE_BUFFER)
ROOM = 16  # bytes: no layout aligns 32-bit numbers to more


def kind_of(opcode: int, operands: tuple[int, ...]) -> str:
    """Return what a type of numbers is: float, int or uint."""
    return "float" if opcode == TYPE_FLOAT else "int" if operands[2] else "uint"


class Resource(NamedTuple):
    """A variable that a descriptor stands for; ``other`` is what it is if no storage buffer."""

    slot: int | None
    set: int | None
    other: str


@dataclass
class Declarations:
    """The variables of a shader, their types, and what is said of reading and writing them."""

    _bindings: dict[int, int] = field(default_factory=dict)  # variable -> binding
    _sets: dict[int, int] = field(default_factory=dict)  # variable -> descriptor set
    _classes: dict[int, int] = field(default_factory=dict)  # variable -> storage class
    _arrays: set[int] = field(default_factory=set)
    _inner: dict[int, int] = field(default_factory=dict)  # variable, pointer or array -> its type
    _members: dict[int, int] = field(default_factory=dict)  # structure -> number of members
    _said: set[tuple[int, int, int | None]] = field(default_factory=set)  # word, id, member

    def note(self, opcode: int, operands: tuple[int, ...]) -> None:
        """Remember what one instruction declares."""
        if opcode == DECORATE and operands[1] == DECORATION_BINDING:
            self._bindings[operands[0]] = operands[2]
        elif opcode == DECORATE and operands[1] == DESCRIPTOR_SET:
            self._sets[operands[0]] = operands[2]
        elif opcode == DECORATE:
            self._said.add((operands[1], operands[0], None))
        elif opcode == MEMBER_DECORATE:
            self._said.add((operands[2], operands[0], operands[1]))
        elif opcode == TYPE_STRUCT:
            self._members[operands[0]] = len(operands) - 1
        elif opcode in (TYPE_ARRAY, TYPE_RUNTIME_ARRAY):
            self._inner[operands[0]] = operands[1]
            self._arrays.add(operands[0])
        elif opcode == TYPE_POINTER:
            self._inner[operands[0]] = operands[2]
        elif opcode == VARIABLE:
            self._inner[operands[1]] = operands[0]
            self._classes[operands[1]] = operands[2]

    def bindings_without(self, word: int) -> set[int]:
        """Return the bindings that some variable uses without this decoration."""
        return {slot for variable, slot in self._bindings.items() if not self._has(variable, word)}

    def innermost(self, variable: int) -> int:
        """Return the type that a variable points to, or has many of."""
        for _ in range(len(self._inner)):  # in damaged SPIR-V a type may be its own
            if variable not in self._inner:
                break
            variable = self._inner[variable]
        return variable

    def resources(self) -> list[Resource]:
        """Return what the shader wants from descriptor sets."""
        return [
            Resource(self._bindings.get(name), self._sets.get(name), self._other(name, kind))
            for name, kind in self._classes.items()
            if kind in BOUND
        ]

    def _other(self, variable: int, kind: int) -> str:
        """Return what a variable is if it is no storage buffer, else ""."""
        block = self.innermost(variable)
        # SPIR-V before 1.3 has no class for storage buffers, but a decoration.
        buffer = (BUFFER_BLOCK, block, None) in self._said
        if kind == CLASS_UNIFORM_CONSTANT:
            return "an image, a sampler or the like"
        if kind == CLASS_UNIFORM and not buffer:
            return "a uniform block"
        if self._inner.get(self._inner[variable]) in self._arrays:
            return "an array of blocks"
        return "" if buffer or (BLOCK, block, None) in self._said else "no block"

    def _has(self, variable: int, word: int) -> bool:
        """Whether the decoration is on the variable, or on all members of its block."""
        block = self.innermost(variable)
        members = range(self._members.get(block, 0))
        on_all = bool(members) and all((word, block, place) in self._said for place in members)
        return on_all or (word, variable, None) in self._said


class Size(NamedTuple):
    """The bytes of a type: ``least`` without room between elements, ``most`` with all of it."""

    least: int = 0
    most: float = 0  # inf for an array that a specialization constant can make longer
    unit: int = 4  # its place is a multiple of this, as far as is known


@dataclass
class Sizes:
    """The bytes of types."""

    _of: dict[int, Size] = field(default_factory=dict)
    _offsets: dict[tuple[int, int], int] = field(default_factory=dict)
    _strides: dict[int, int] = field(default_factory=dict)
    # Of numbers and vectors the kind of each 32-bit component, and the members of blocks.
    _kinds: dict[int, tuple[str, ...]] = field(default_factory=dict)
    _members: dict[int, list[int]] = field(default_factory=dict)

    def note(
        self,
        opcode: int,
        operands: tuple[int, ...],
        values: Mapping[int, int],
        loose: Container[int],
    ) -> None:
        """Remember a type; ``values`` are the constants so far, ``loose`` those that may change."""
        name, *about = operands
        if opcode in (TYPE_INT, TYPE_FLOAT):
            self._of[name] = Size(about[0] // 8, about[0] // 8, about[0] // 8)
            if about[0] == 32:
                self._kinds[name] = (kind_of(opcode, operands),)
        elif opcode == TYPE_VECTOR:
            least = self.of(about[0]).least * about[1]
            self._of[name] = Size(least, least, 8 if about[1] == 2 else ROOM)
            self._kinds[name] = self._kinds.get(about[0], ()) * min(about[1], 4)
        elif opcode == TYPE_MATRIX:  # by columns or by rows: only its members know
            column = self.of(about[0]).least
            self._of[name] = Size(column * about[1], ROOM * max(about[1], column // 4), ROOM)
        elif opcode == TYPE_ARRAY:
            known = about[1] in values and about[1] not in loose
            self._of[name] = self._array(name, about[0], values.get(about[1], 0), known)
        elif opcode == TYPE_STRUCT:
            self._of[name] = self._block(name, about)
            self._members[name] = about

    def decorate(self, opcode: int, operands: tuple[int, ...]) -> None:
        """Remember where a member of a block begins, and how far apart elements are."""
        if opcode == MEMBER_DECORATE and operands[2] == OFFSET:
            self._offsets[operands[0], operands[1]] = operands[3]
        elif opcode == DECORATE and operands[1] == ARRAY_STRIDE:
            self._strides[operands[0]] = operands[2]

    def of(self, name: int) -> Size:
        """Return the bytes of a type."""
        return self._of.get(name, Size())

    def kinds(self, block: int) -> dict[int, str]:
        """Return the kinds of the words of a block, of which numbers and vectors are known."""
        return {
            self._offsets.get((block, place), 0) // 4 + i: kind
            for place, member in enumerate(self._members.get(block, ()))
            for i, kind in enumerate(self._kinds.get(member, ()))
        }

    def _array(self, name: int, element: int, length: int, known: bool) -> Size:
        one = self.of(element)
        stride = self._strides.get(name, ROOM)
        most = length * max(stride, one.most) if known else math.inf
        return Size(one.least * length, most, one.unit if stride % ROOM else ROOM)

    def _block(self, name: int, members: list[int]) -> Size:
        sizes = [self.of(member) for member in members]
        starts = [self._offsets.get((name, place), 0) for place in range(len(members))]
        least = max((at + one.least for at, one in zip(starts, sizes, strict=True)), default=0)
        most = max((at + one.most for at, one in zip(starts, sizes, strict=True)), default=0)
        unit = max((one.unit for one in sizes), default=0) or 4
        # Its end is padded, as that of a struct in C; inf stays as it is.
        return Size(least, most if math.isinf(most) else -(-most // unit) * unit, ROOM)
