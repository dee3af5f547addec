"""A formula's values over many steps, by its fill shader on a Vulkan device."""

from __future__ import annotations

import numpy as np

from . import vk
from .gpu_record import FILL_LOCAL_SIZE, clock_words, job_words, spirv
from .planning import Array, Clock, Job, Pace
from .program import program
from .schedules import Schedule

ROWS = 1 << 16  # of one dispatch: a device that also draws must get its turn


def values(info: vk.DeviceInfo, schedule: Schedule, steps: range) -> Array:
    """Return the float32 values of a schedule at ``steps``, (n,)."""
    device = vk.open_device(info)
    structure = program(schedule).structure
    # A pace is 32 bits; one row alone has none.
    rows = min(len(steps), ROWS) if steps.step < 2**32 else 1
    paces = [Pace(steps.step if rows > 1 else 1)]
    table = device.buffer(4 * rows)
    clock = device.buffer(clock_words(Clock(0), paces).nbytes)
    words = job_words([Job(0, 0, schedule, 0, float(steps[0]))], columns=1, paces=paces)
    jobs = device.buffer(words.nbytes)
    jobs.write(words)
    kernel = device.kernel(spirv(structure), buffers=3, push=20, constants={0: FILL_LOCAL_SIZE})
    with vk.Tape(device) as tape:
        push = np.array([0, 1, rows, 1, 1], np.uint32).tobytes()  # see fill.glsl
        tape.dispatch(kernel.bind([clock, jobs, table]), -(-rows // FILL_LOCAL_SIZE), push)
    filled = np.empty(len(steps), np.float32)
    for at in range(0, len(steps), rows):
        cycles = at if rows > 1 else steps[at] - steps[0]
        clock.write(clock_words(Clock(0, cycles), paces))
        device.submit(tape)
        part = filled[at : at + rows]
        part[:] = table.read(np.float32, len(part))
    return filled
