"""Kernel: a shader on a device, as a compute pipeline with its layout and constants."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from ..errors import DeviceLimitError, ShaderError
from ..interrupt import Uninterrupted
from . import binding, spirv
from .constants import Constant, fit_constants
from .descriptors import STORAGE_BUFFER, Binding, Part
from .refusals import accept, accept_subgroups

if TYPE_CHECKING:
    from .device import Device


class Kernel:
    """A shader on a device: storage buffers 0 to ``buffers - 1`` of set 0, ``push`` bytes.

    Made by ``Device.kernel``, which keeps one per content. Raises ShaderError if the SPIR-V is
    damaged, asks for what grilly takes on no device, or does not fit ``buffers`` and ``push``,
    DeviceLimitError if the device cannot, ValueError or TypeError for constants that it lacks.

    ``reads`` and ``writes`` are the bindings that the shader may read and write: both, unless it
    declares a buffer ``readonly`` or ``writeonly``; neither, where it does not use one.
    """

    def __init__(
        self,
        device: Device,
        code: bytes,
        buffers: int,
        push: int,
        constants: Mapping[int, Constant],
    ) -> None:
        self.device = device
        self.buffers = buffers
        self.push = push
        shader = spirv.inspect(code)
        accept(shader)
        accept_subgroups(shader, device.limits.subgroup_operations, device.name)
        words = fit_constants(shader.constants, constants)
        self.local_size = self._check(shader, words)
        self.reads, self.writes = frozenset(shader.reads), frozenset(shader.writes)
        with ExitStack() as undo:
            self.set_layout = self._make_set_layout(undo)
            self.layout = self._make_layout(undo)
            self.pipeline = self._make_pipeline(undo, code, words)
            device.owner.adopt("kernel", undo, self)
        device.counters.kernels += 1

    def bind(self, buffers: Sequence[Part]) -> Binding:
        """Return this kernel with its buffers: whole ones, or (buffer, offset, nbytes)."""
        return Binding(self, buffers)

    def _check(self, shader: spirv.Shader, words: Mapping[int, bytes]) -> tuple[int, int, int]:
        """Refuse what drivers answer with a crash; return the local size."""
        limits = self.device.limits
        if shader.buffers - set(range(self.buffers)):
            raise ShaderError(
                f"the shader uses bindings {sorted(shader.buffers)}, not just"
                f" 0 to {self.buffers - 1}: pass buffers={max(shader.buffers) + 1}"
            )
        if shader.has_push != bool(self.push):
            uses = "push constants" if shader.has_push else "no push constants"
            raise ShaderError(f"the shader has {uses}, but push is {self.push} bytes")
        if shader.push > self.push:
            raise ShaderError(
                f"the shader's push constants take {shader.push} bytes, but push is {self.push}"
            )
        if self.push % 4 or not 0 <= self.push <= limits.max_push:
            raise DeviceLimitError(
                f"push must be a multiple of 4 up to {limits.max_push}, got {self.push}"
            )
        if self.buffers > limits.max_buffers:
            raise DeviceLimitError(
                f"buffers {self.buffers} exceeds {limits.max_buffers} of {self.device.name}"
            )
        return self._check_local_size(shader.local_size(words))

    def _check_local_size(self, size: tuple[int, int, int]) -> tuple[int, int, int]:
        limits = self.device.limits
        total = size[0] * size[1] * size[2]
        fits = all(1 <= got <= most for got, most in zip(size, limits.max_local_size, strict=True))
        if not fits or total > limits.max_invocations:
            raise DeviceLimitError(
                f"local size {size} exceeds {limits.max_local_size} or {limits.max_invocations}"
                f" invocations in all of {self.device.name}: use a smaller local size"
            )
        return size

    def _make_set_layout(self, undo: ExitStack) -> Any:
        slots = [
            binding.struct(
                "VkDescriptorSetLayoutBinding",
                binding=slot,
                descriptorType=STORAGE_BUFFER,
                descriptorCount=1,
                stageFlags=binding.STAGE_COMPUTE,
            )
            for slot in range(self.buffers)
        ]
        info = binding.struct(
            "VkDescriptorSetLayoutCreateInfo", bindingCount=len(slots), pBindings=slots
        )
        return self.device.owner.create(undo, "DescriptorSetLayout", info)

    def _make_layout(self, undo: ExitStack) -> Any:
        span = binding.struct(
            "VkPushConstantRange", stageFlags=binding.STAGE_COMPUTE, size=self.push
        )
        info = binding.struct(
            "VkPipelineLayoutCreateInfo",
            setLayoutCount=1,
            pSetLayouts=[self.set_layout],
            pushConstantRangeCount=1 if self.push else 0,
            pPushConstantRanges=[span] if self.push else None,
        )
        return self.device.owner.create(undo, "PipelineLayout", info)

    def _make_pipeline(self, undo: ExitStack, code: bytes, words: Mapping[int, bytes]) -> Any:
        owner = self.device.owner
        with ExitStack() as done:  # the module is needed only until the pipeline is there
            info = binding.struct("VkShaderModuleCreateInfo", codeSize=len(code), pCode=code)
            module = owner.create(done, "ShaderModule", info)
            stage = binding.struct(
                "VkPipelineShaderStageCreateInfo",
                stage=binding.STAGE_COMPUTE,
                module=module,
                pName="main",
                pSpecializationInfo=_specialization(words) if words else None,
            )
            info = binding.struct("VkComputePipelineCreateInfo", stage=stage, layout=self.layout)
            with Uninterrupted():  # as in Owner.create
                made = owner.call("vkCreateComputePipelines", owner.device, None, 1, [info], None)
                undo.callback(binding.call, "vkDestroyPipeline", owner.device, made[0], None)
        return made[0]


def content_key(
    code: bytes, buffers: int, push: int, constants: Mapping[int, Constant]
) -> tuple[object, ...]:
    """Return what makes two kernels the same; 1, 1.0 and True are different constants.

    What they become the shader says, and that is read only once: for a kernel that is new.
    """
    given = sorted((number, type(one).__name__, repr(one)) for number, one in constants.items())
    return hashlib.sha256(code).digest(), buffers, push, tuple(given)


def _specialization(words: Mapping[int, bytes]) -> Any:
    entries = [
        binding.struct("VkSpecializationMapEntry", constantID=number, offset=4 * place, size=4)
        for place, number in enumerate(words)
    ]
    data = b"".join(words.values())
    return binding.struct(
        "VkSpecializationInfo",
        mapEntryCount=len(entries),
        pMapEntries=entries,
        dataSize=len(data),
        pData=binding.array("uint8_t[]", data),
    )
