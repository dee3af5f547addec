"""Rules on a Vulkan device: they count a metric there, and the table has their values at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from . import shaders, vk
from .planning import Array
from .resident.metrics import Metric
from .resident.ops import push
from .rules.on_device import Member
from .rules.packed import Held, Packed, pack, read_state, write_state
from .rules.words import STATES, offsets

if TYPE_CHECKING:
    from .gpu import GpuBackend


class Pack:
    """The members of one kind, which a dispatch counts together."""

    def __init__(self, device: vk.Device, places: Sequence[int], members: Sequence[Member]) -> None:
        self.places = places  # in the order of all members
        self.kind = members[0].rule.kind
        self._members = members
        self._device = device
        self.aim({})
        state = [write_state(self.packed, i, one.held) for i, one in enumerate(members)]
        self.state = _uploaded(device, np.concatenate(state))

    def aim(self, live: dict[str, list[int]]) -> None:
        """Write the values where they stand in the jobs, by token."""
        self.packed = self._aimed(live)
        self.settings = _uploaded(self._device, self.packed.settings)
        self.targets = _uploaded(self._device, self.packed.targets)

    def _aimed(self, live: dict[str, list[int]]) -> Packed:
        return pack(
            [
                replace(one.rule, targets=[live.get(token, []) for token in one.tokens])
                for one in self._members
            ]
        )


class GpuRules:
    """Members on the device of an optimizer's backend."""

    def __init__(self, backend: GpuBackend, members: Sequence[Member]) -> None:
        self._backend = backend
        self._device = backend.place.device
        kinds: dict[str, list[int]] = {}
        for i, member in enumerate(members):
            kinds.setdefault(member.rule.kind, []).append(i)
        self._packs = [
            Pack(self._device, places, [members[i] for i in places]) for places in kinds.values()
        ]
        self._nothing = self._device.buffer(4)
        self._live: dict[str, list[int]] = {}
        # Changes when what tapes bind does.
        self.version = 0

    def aim(self) -> None:
        """Let the values go into the backend's present plan."""
        live = self._backend.live()
        if live != self._live:
            for one in self._packs:
                one.aim(live)
            self._live = live
            self.version += 1

    def record(self, tape: vk.Tape, metric: Metric) -> None:
        """Record that the members count ``metric``, and the table follows before the next step."""
        jobs = self._backend.jobs or self._nothing
        for one in self._packs:
            kernel = self._device.kernel(shaders.spirv(f"rule/{one.kind}"), 6, 12)
            buffers: list[vk.Buffer | tuple[vk.Buffer, int, int]]
            buffers = [one.settings, one.state, metric.source(), one.targets, jobs]
            binding = kernel.bind([*buffers, self._backend.flags])
            tape.dispatch(binding, 1, push(len(one.places), metric.at, metric.words))
        if self._live:
            self._backend.record_dirty_refill(tape)

    def read(self) -> list[Held]:
        """Return what the members hold, in their order; waits."""
        held: dict[int, Held] = {}
        for one in self._packs:
            words = one.state.read(np.uint32, one.state.nbytes // 4)
            for i, place in enumerate(one.places):
                held[place] = read_state(one.packed, i, words)
        return [held[i] for i in sorted(held)]

    def forgive(self) -> None:
        """Forget which metrics were refused; after ``read``, which has waited."""
        for one in self._packs:
            refused = offsets(STATES[one.kind])["refused"]
            for place in one.packed.places:
                one.state.write(np.zeros(1, np.float64), 4 * (place.state + refused))


def _uploaded(device: vk.Device, words: Array) -> vk.Buffer:
    buffer = device.buffer(max(4, words.nbytes))
    buffer.write(words)
    return buffer
