"""The norm of all gradients on a Vulkan device, and what follows from it for an update."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from . import shaders, vk
from .chunks import Shares
from .hyper import NORM_LANES
from .slabs import Place

# Invocations of the one workgroup that adds the lanes' sums: the most that every device has. Few
# would take too many turns for lavapipe, which ends loops after 65535.
DECIDE_LOCAL_SIZE = 128


class GpuNorm:
    """Examines the active gradients of a slab and writes ``control``: see hyper.CONTROL_WORDS.

    ``shares`` are the segments of the gradients: see Slabs.share_out. ``local_size`` changes the
    time, but no bit.
    """

    def __init__(
        self,
        shares: Sequence[tuple[Place, Shares]],
        control: vk.Buffer,
        local_size: int,
    ) -> None:
        device = control.device
        self._span, self._most_groups = max(local_size, NORM_LANES), device.limits.max_groups
        ends = (part.first + part.number for _, part in shares)
        self._lanes = NORM_LANES * max(ends, default=0)
        sums = device.buffer(16 * max(1, self._lanes))
        largest = device.buffer(4 * max(1, self._lanes))
        examine = device.kernel(shaders.spirv("optim/examine"), 5, 8, {0: local_size})
        decide = device.kernel(shaders.spirv("optim/decide"), 3, 4, {0: DECIDE_LOCAL_SIZE})
        self._decide = decide.bind([control, sums, largest])
        self._parts = [
            (part, examine.bind([sums, largest, *_tables(device, part), grad]))
            for grad, part in shares
            if part.number
        ]

    def record(self, tape: vk.Tape) -> None:
        """Record the dispatches; the tape lets each wait for the one before."""
        for part, binding in self._parts:
            groups = -(-part.number * NORM_LANES // self._span)
            push = np.array([part.first, part.number], np.uint32).tobytes()
            tape.dispatch(binding, min(groups, self._most_groups), push)
        tape.dispatch(self._decide, 1, np.array([self._lanes], np.uint32).tobytes())


def _tables(device: vk.Device, part: Shares) -> list[vk.Buffer]:
    buffers = [device.buffer(words.nbytes) for words in (part.table, part.ranges)]
    for buffer, words in zip(buffers, (part.table, part.ranges), strict=True):
        buffer.write(words)
    return buffers
