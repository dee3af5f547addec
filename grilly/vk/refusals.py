"""What grilly takes of a shader: drivers answer the rest with a crash, so it never reaches them."""

from __future__ import annotations

from ..errors import ShaderError
from .spirv import Shader
from .spirv_types import Resource
from .spirv_words import CAPABILITIES, FIRST_SUBGROUP, SUBGROUP

# What every device of Vulkan 1.1 has for compute shaders without a feature that would have to be
# enabled: grilly enables robustBufferAccess alone. Those of subgroups are a device's own.
ALWAYS = {"Matrix", "Shader", "DeviceGroup"}
SUBGROUPS = range(FIRST_SUBGROUP, FIRST_SUBGROUP + len(SUBGROUP))


def accept(shader: Shader) -> None:
    """Raise ShaderError for what grilly takes on no device, with what to do."""
    if shader.main is None:
        names = ", ".join(map(repr, shader.entries)) or "none"
        raise ShaderError(
            "the shader has no compute (GLCompute) entry point called 'main', but these: "
            f"{names}; compile a compute shader, and call its function main"
        )
    others = shader.capabilities - set(SUBGROUPS)
    if refused := {one for one in others if CAPABILITIES.get(one) not in ALWAYS}:
        raise ShaderError(
            f"the shader uses the capability {_names(refused)}, with which grilly opens no device: "
            "use 32-bit ints and floats in storage buffers, and what Vulkan 1.1 has for them"
        )
    for resource in shader.resources:
        _accept_resource(resource)


def accept_subgroups(shader: Shader, operations: int, device: str) -> None:
    """Raise ShaderError for subgroup operations that ``device`` has not; a bit for each it has."""
    wanted = shader.capabilities & set(SUBGROUPS)
    if refused := {one for one in wanted if not operations >> one - FIRST_SUBGROUP & 1}:
        raise ShaderError(
            f"the shader uses the capability {_names(refused)}, which {device} does not have in "
            "compute shaders: use shared memory and barrier() instead"
        )


def _accept_resource(resource: Resource) -> None:
    slot, place, other = resource
    what = "a variable" if slot is None else f"binding {slot}"
    if other:
        raise ShaderError(
            f"the shader's {what} is {other}: grilly passes arrays, as storage buffers of set 0 "
            "only, each a block of its own; declare it as a buffer block, or pass numbers as push "
            "constants"
        )
    if slot is None or place is None:
        missing = "no binding" if slot is None else "no descriptor set"
        raise ShaderError(
            f"the shader's {what}, a storage buffer, has {missing}: say which, in set 0"
        )
    if place:
        raise ShaderError(
            f"the shader's {what} is in descriptor set {place}: grilly passes arrays as storage "
            "buffers of set 0 only"
        )


def _names(capabilities: set[int]) -> str:
    return ", ".join(CAPABILITIES.get(one, f"number {one}") for one in sorted(capabilities))
