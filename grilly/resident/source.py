"""Source: a shader of the user's, compiled when it is needed, and what it takes of a call."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .. import vk
from ..errors import ShaderError
from . import ops


class Source:
    """A shader as GLSL text or SPIR-V bytes, with its constants and the folder of its includes.

    SPIR-V is read, and refused, at once; GLSL when it is compiled, for a device that needs it.
    """

    def __init__(self, source: Any, constants: Any, include: str | Path | None) -> None:
        if not isinstance(source, (str, bytes)):
            raise TypeError(
                f"source must be GLSL text or SPIR-V bytes, got {type(source).__name__}"
            )
        if isinstance(source, str) and source and "{" not in source and "#" not in source:
            raise ValueError(
                f"source must be GLSL text, got {source[:80]!r}: of a file it is "
                "pathlib.Path(...).read_text()"
            )
        self._constants = vk.checked_constants(constants)
        self._text = source if isinstance(source, str) else None
        self._include = None if include is None else Path(include)
        self._read = None if isinstance(source, str) else self._taken(source)

    def on(self, device: vk.Device, count: int, push: int) -> vk.Kernel:
        """Return the pipeline for so many arrays and bytes of push constants."""
        if self._read is None:
            assert self._text is not None
            self._read = self._taken(vk.compile_glsl(self._text, include=self._include))
        code, shader = self._read
        self._check_arrays(shader, count)
        _check_push(shader, push)
        return device.kernel(code, count, push, self._constants)

    def words(self, push: tuple[bytes, tuple[Any, ...]]) -> bytes:
        """Return the bytes of push constants, given as bytes and as the numbers that they are.

        A whole number where the shader has a float becomes one. Call ``on`` before.
        """
        assert self._read is not None
        data, numbers = push
        kinds = self._read[1].push_kinds
        return data if numbers == (data,) else ops.push(*_fitting(numbers, kinds))

    def _taken(self, code: bytes) -> tuple[bytes, vk.Shader]:
        """Return the shader, unless it is refused or the constants do not fit it."""
        shader = vk.inspect(code)
        vk.accept(shader)
        vk.fit_constants(shader.constants, self._constants)
        return code, shader

    def _check_arrays(self, shader: vk.Shader, count: int) -> None:
        """Raise ValueError for arrays that no binding stands for, ShaderError for too few."""
        slots = sorted(shader.buffers)
        wanted = max(slots, default=-1) + 1
        if count < wanted:
            raise ShaderError(
                f"the shader has bindings {slots}, and arrays has {count}: pass {wanted} arrays, "
                "in the order of the bindings"
            )
        # glslang keeps each buffer that is declared, used or not, so what GLSL lacks it never had.
        # SPIR-V may come from an optimizer, which drops those that are not used.
        if count > wanted and self._text is not None:
            raise ValueError(
                f"arrays has {count}, and the shader has bindings {slots} only: leave out those "
                "that it has not"
            )


def _fitting(numbers: tuple[Any, ...], kinds: Mapping[int, str]) -> list[Any]:
    """Return push constants as their words are declared; TypeError for a float that is no float."""
    found = []
    for i, number in enumerate(numbers):
        kind, given = kinds.get(i), isinstance(number, np.float32)
        if kind in ("int", "uint") and given:
            raise TypeError(f"push[{i}] is {kind} in the shader, got {float(number)}: write an int")
        if kind == "uint" and number < 0:
            raise ValueError(f"push[{i}] is uint in the shader, got {number}")
        found.append(np.float32(number) if kind == "float" and not given else number)
    return found


def _check_push(shader: vk.Shader, push: int) -> None:
    """Raise ValueError for more bytes of push constants than the shader has."""
    if push and not shader.has_push:
        raise ValueError(
            f"push has {push} bytes, and the shader has no push constants: leave it out"
        )
    # The end of a block may be padded, as that of a struct in C: that is in ``most_push``.
    if push > shader.most_push:
        raise ValueError(
            f"push has {push} bytes, and the shader's push constants take {shader.push}: pass what "
            "it declares, in that order"
        )
