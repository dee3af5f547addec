"""Validation: with GRILLY_VALIDATE=1 the Khronos layer watches every call; what it says is kept."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from . import binding

LAYER = "VK_LAYER_KHRONOS_validation"
EXTENSIONS = ("VK_EXT_debug_utils", "VK_EXT_validation_features")

# Warnings and errors of the validation layer, oldest first.
messages: list[str] = []

# Replays of one command buffer are checked only with the queue-submit part of synchronization
# validation, which the 1.3.239 layer offers through this variable alone; later layers look at
# what shaders access only with the second one.
SWITCHES = {
    "VK_LAYER_ENABLES": "VALIDATION_CHECK_ENABLE_SYNCHRONIZATION_VALIDATION_QUEUE_SUBMIT:"
    "VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT",
    "VK_LAYER_SYNCVAL_SHADER_ACCESSES_HEURISTIC": "1",
}


def validating() -> bool:
    """Return whether GRILLY_VALIDATE asks for the validation layer."""
    return os.environ.get("GRILLY_VALIDATE", "") not in ("", "0")


def features() -> Any:
    """Set the layer's switches and return the structure to chain to VkInstanceCreateInfo."""
    os.environ.update(SWITCHES)
    synchronization = binding.constant(
        "VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT"
    )
    return binding.struct(
        "VkValidationFeaturesEXT",
        enabledValidationFeatureCount=1,
        pEnabledValidationFeatures=[synchronization],
    )


def listen(instance: Any, undo: ExitStack) -> None:
    """Collect the layer's warnings and errors in ``messages`` until ``undo`` is closed."""
    severity = "VK_DEBUG_UTILS_MESSAGE_SEVERITY_{}_BIT_EXT"
    kind = "VK_DEBUG_UTILS_MESSAGE_TYPE_{}_BIT_EXT"
    info = binding.struct(
        "VkDebugUtilsMessengerCreateInfoEXT",
        messageSeverity=_bits(severity, "WARNING", "ERROR"),
        messageType=_bits(kind, "GENERAL", "VALIDATION", "PERFORMANCE"),
        pfnUserCallback=_collector(),
    )
    messenger = binding.call("vkCreateDebugUtilsMessengerEXT", instance, info, None)
    undo.callback(binding.call, "vkDestroyDebugUtilsMessengerEXT", instance, messenger, None)


def _bits(pattern: str, *names: str) -> int:
    return sum(binding.constant(pattern.format(name)) for name in names)


def _collector() -> Callable[..., int]:
    """Return the callback of the layer; 0 tells it to go on with the call."""
    text = binding.load().ffi.string

    def collect(severity: int, kind: int, data: Any, user: Any) -> int:
        messages.append(text(data.pMessage).decode(errors="replace"))
        return 0

    return collect
