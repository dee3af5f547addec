"""Runs the rule kernels over a row of metrics, and keeps what they held after each of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from grilly import shaders, vk, xfloat
from grilly.optim.lr_scheduler import GreedyLR
from grilly.rules import packed
from grilly.rules.on_device import greedy_groups
from grilly.rules.packed import DeviceRule, Held, Packed

UNTOUCHED = 0xA5A5A5A5


class Course(NamedTuple):
    """After each metric: the words of the state, the jobs, and whether they were marked dirty."""

    states: Any
    jobs: Any
    dirty: Any


def run(
    device: vk.Device,
    rules: Sequence[DeviceRule],
    held: Sequence[Held],
    metrics: Any,
    jobs: int,
    spirv: bytes | None = None,
) -> tuple[Packed, Course]:
    """Return what the rules do with ``metrics``, an array of float32 or float64, one by one.

    ``spirv`` runs instead of the kernel that is shipped.
    """
    words = packed.pack(rules)
    start = np.concatenate([packed.write_state(words, i, one) for i, one in enumerate(held)])
    assert len(start) == words.state_words
    buffers = [
        _buffer(device, words.settings),
        _buffer(device, start),
        _buffer(device, metrics),
        _buffer(device, words.targets),
        _buffer(device, np.full(jobs, UNTOUCHED, np.uint32)),
        _buffer(device, np.zeros(1, np.uint32)),
    ]
    kept = [(buffers[i], 4 * n) for i, n in ((1, len(start)), (4, jobs), (5, 1))]
    histories = [device.buffer(nbytes * len(metrics)) for _, nbytes in kept]
    kernel = device.kernel(spirv or shaders.spirv(f"rule/{rules[0].kind}"), 6, 12)
    binding = kernel.bind(buffers)
    size = metrics.itemsize // 4
    with vk.Tape(device) as tape:
        for i in range(len(metrics)):
            tape.fill(buffers[5], 0)
            tape.barrier()
            tape.dispatch(binding, 1, np.array([len(rules), i * size, size], np.uint32).tobytes())
            tape.barrier()
            for (buffer, nbytes), history in zip(kept, histories, strict=True):
                tape.copy(buffer, history, nbytes, dst_offset=i * nbytes)
            tape.barrier()
    device.submit(tape)
    device.wait()
    rows = [
        history.read(np.uint32, len(metrics) * nbytes // 4).reshape(len(metrics), -1)
        for (_, nbytes), history in zip(kept, histories, strict=True)
    ]
    return words, Course(*rows)


def _buffer(device: vk.Device, array: Any) -> vk.Buffer:
    buffer = device.buffer(array.nbytes)
    buffer.write(array)
    return buffer


def written(rules: Sequence[DeviceRule], values: Any, jobs: int) -> tuple[Any, Any]:
    """Return the jobs and the flag after each row of ``values``, the first of them at the start.

    ``values`` has a row for each metric and one before, and in it a list for each rule.
    """
    now = np.full(jobs, UNTOUCHED, np.uint32)
    rows, dirty = [], []
    for before, after in pairwise(values):
        changed = 0
        for rule, old, new in zip(rules, before, after, strict=True):
            for targets, one, other in zip(rule.targets, old, new, strict=True):
                if one != other:
                    changed = 1
                    for target in targets:
                        now[target : target + 3] = xfloat.to_words(xfloat.from_float64(other))
        rows.append(now.copy())
        dirty.append([changed])
    return np.array(rows), np.array(dirty)


def values_of(device: vk.Device, rule: Any, held: Held, metrics: list[float]) -> list[list[float]]:
    """Return the values of a rule after each of the metrics."""
    packing, course = run(device, [rule], [held], np.array(metrics), 1)
    return [packed.read_state(packing, 0, row).values for row in course.states]


def greedy_rule(scheduler: GreedyLR, targets: Any) -> DeviceRule:
    """Return a scheduler as the device has it."""
    bounds = list(zip(scheduler.min_lrs, scheduler.max_lrs, scheduler._init_lrs, strict=True))
    return greedy_groups(scheduler, bounds, scheduler.reset_start_original, targets)


def rates(target: Any) -> list[float]:
    """Return the rates in the groups."""
    return [float(group["lr"]) for group in target.groups]
