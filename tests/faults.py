"""Faults: makes the k-th call to Vulkan fail, through the seam that all of them pass."""

from __future__ import annotations

OUT_OF_MEMORY, LOST = -2, -4

# Functions without a VkResult cannot fail.
SAFE = ("vkCmd", "vkGetBuffer", "vkGetPhysical", "vkGetDevice", "vkDestroy", "vkFree", "vkUpdate")


class Faults:
    """Counts the calls that can fail, and fails the one whose number is ``at``."""

    def __init__(self, at: int | None = None, code: int = 0, sticky: bool = False) -> None:
        self.at, self.code, self.sticky = at, code, sticky
        self.names: list[str] = []

    def __call__(self, name: str) -> int:
        if name.startswith(SAFE):
            return 0
        self.names.append(name)
        number = len(self.names) - 1
        hit = self.at is not None and (number == self.at or (self.sticky and number > self.at))
        return self.code if hit else 0

    @property
    def hit(self) -> bool:
        """Whether the call that is to fail was made."""
        return self.at is not None and len(self.names) > self.at
