"""The numbers of the SPIR-V specification that grilly reads."""

from __future__ import annotations

MAGIC = 0x07230203
HEADER = 5  # words
NEWEST = 0x00010300  # the version that Vulkan 1.1 has

# Opcodes.
ENTRY_POINT, EXECUTION_MODE, CAPABILITY = 15, 16, 17
TYPE_INT, TYPE_FLOAT, TYPE_VECTOR, TYPE_MATRIX = 21, 22, 23, 24
TYPE_ARRAY, TYPE_RUNTIME_ARRAY, TYPE_STRUCT, TYPE_POINTER = 28, 29, 30, 32
CONSTANT, SPEC_TRUE, SPEC_FALSE, SPEC_CONSTANT, SPEC_COMPOSITE = 43, 48, 49, 50, 51
VARIABLE, DECORATE, MEMBER_DECORATE = 59, 71, 72
DECLARING = {DECORATE, MEMBER_DECORATE, VARIABLE, TYPE_POINTER, TYPE_STRUCT}
DECLARING |= {TYPE_ARRAY, TYPE_RUNTIME_ARRAY}
SIZED = {TYPE_INT, TYPE_FLOAT, TYPE_VECTOR, TYPE_MATRIX, TYPE_ARRAY, TYPE_STRUCT}

# Decorations.
DECORATION_SPEC_ID, BLOCK, BUFFER_BLOCK, ARRAY_STRIDE = 1, 2, 3, 6
DECORATION_BUILTIN, DECORATION_BINDING, DESCRIPTOR_SET = 11, 33, 34
NON_WRITABLE, NON_READABLE, OFFSET = 24, 25, 35
BUILTIN_WORKGROUP_SIZE = 25

# Storage classes, and what else is enumerated.
CLASS_UNIFORM_CONSTANT, CLASS_UNIFORM, CLASS_PUSH_CONSTANT, CLASS_STORAGE_BUFFER = 0, 2, 9, 12
MODEL_COMPUTE, MODE_LOCAL_SIZE = 5, 17

# Capabilities that a shader may well come with. Those of subgroups are in the order of the bits
# of VkSubgroupFeatureFlagBits.
SUBGROUP = (
    "GroupNonUniform",
    "GroupNonUniformVote",
    "GroupNonUniformArithmetic",
    "GroupNonUniformBallot",
    "GroupNonUniformShuffle",
    "GroupNonUniformShuffleRelative",
    "GroupNonUniformClustered",
    "GroupNonUniformQuad",
)
FIRST_SUBGROUP = 61
CAPABILITIES = {
    0: "Matrix",
    1: "Shader",
    4: "Addresses",
    5: "Linkage",
    6: "Kernel",
    9: "Float16",
    10: "Float64",
    11: "Int64",
    12: "Int64Atomics",
    22: "Int16",
    25: "ImageGatherExtended",
    27: "StorageImageMultisample",
    28: "UniformBufferArrayDynamicIndexing",
    29: "SampledImageArrayDynamicIndexing",
    30: "StorageBufferArrayDynamicIndexing",
    31: "StorageImageArrayDynamicIndexing",
    39: "Int8",
    43: "Sampled1D",
    44: "Image1D",
    46: "SampledBuffer",
    47: "ImageBuffer",
    49: "StorageImageExtendedFormats",
    50: "ImageQuery",
    55: "StorageImageReadWithoutFormat",
    56: "StorageImageWriteWithoutFormat",
    **{FIRST_SUBGROUP + bit: name for bit, name in enumerate(SUBGROUP)},
    4423: "SubgroupBallotKHR",
    4427: "DrawParameters",
    4431: "SubgroupVoteKHR",
    4433: "StorageBuffer16BitAccess",
    4434: "UniformAndStorageBuffer16BitAccess",
    4435: "StoragePushConstant16",
    4437: "DeviceGroup",
    4441: "VariablePointersStorageBuffer",
    4442: "VariablePointers",
    4448: "StorageBuffer8BitAccess",
    4449: "UniformAndStorageBuffer8BitAccess",
    4450: "StoragePushConstant8",
    4464: "DenormPreserve",
    4465: "DenormFlushToZero",
    4466: "SignedZeroInfNanPreserve",
    4467: "RoundingModeRTE",
    4468: "RoundingModeRTZ",
    5055: "ShaderClockKHR",
    5297: "GroupNonUniformPartitionedNV",
    5301: "ShaderNonUniform",
    5345: "VulkanMemoryModel",
    5346: "VulkanMemoryModelDeviceScope",
    5347: "PhysicalStorageBufferAddresses",
    5612: "AtomicFloat32MinMaxEXT",
    5613: "AtomicFloat64MinMaxEXT",
    6018: "DotProductInput4x8BitPacked",
    6019: "DotProduct",
    6033: "AtomicFloat32AddEXT",
    6034: "AtomicFloat64AddEXT",
}
