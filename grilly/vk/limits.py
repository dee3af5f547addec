"""Limits: what a device allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import binding
from .buffer import Memory


@dataclass(frozen=True)
class Limits:
    """What a device allows; drivers do not check these, grilly does. Sizes are in bytes."""

    max_storage_range: int  # of one buffer in a binding
    max_groups: int  # of the first dimension
    max_groups_beyond: tuple[int, int]  # of the second and third
    max_push: int
    max_local_size: tuple[int, int, int]
    max_invocations: int  # of one workgroup
    max_allocation: int
    max_buffers: int  # of one kernel
    offset_alignment: int  # of a part of a buffer in a binding
    subgroup_size: int  # invocations that run as one; the width of a software driver's vectors
    subgroup_operations: int  # VkSubgroupFeatureFlagBits of compute shaders


def limits_of(physical: Any) -> tuple[Limits, Memory]:
    """Return the limits of a physical device, and its memory."""
    maintenance = binding.struct("VkPhysicalDeviceMaintenance3Properties")
    subgroup = binding.struct("VkPhysicalDeviceSubgroupProperties", pNext=maintenance)
    chain = binding.struct("VkPhysicalDeviceProperties2", pNext=subgroup)
    binding.call("vkGetPhysicalDeviceProperties2", physical, chain)
    limits = chain.properties.limits
    size, count = limits.maxComputeWorkGroupSize, limits.maxComputeWorkGroupCount
    memory = Memory(physical)
    return Limits(
        max_storage_range=int(limits.maxStorageBufferRange),
        max_groups=int(count[0]),
        max_groups_beyond=(int(count[1]), int(count[2])),
        max_push=int(limits.maxPushConstantsSize),
        max_local_size=(int(size[0]), int(size[1]), int(size[2])),
        max_invocations=int(limits.maxComputeWorkGroupInvocations),
        max_allocation=min(int(maintenance.maxMemoryAllocationSize), memory.largest),
        max_buffers=int(limits.maxPerStageDescriptorStorageBuffers),
        offset_alignment=int(limits.minStorageBufferOffsetAlignment),
        subgroup_size=int(subgroup.subgroupSize),
        subgroup_operations=int(subgroup.supportedOperations)
        if subgroup.supportedStages & binding.STAGE_COMPUTE
        else 0,
    ), memory
