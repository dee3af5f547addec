"""Looking at a schedule before it is used: its values as a table, and as a picture."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from . import cpu_table
from .backend import Array, Clock, Job, on_device
from .errors import TraceError
from .optim.sampling import plain_step, traces
from .program import program
from .rules import bind, starts
from .schedules import Schedule

if TYPE_CHECKING:
    from . import vk

MOST_STEPS = 2**53  # as far as float64 holds every whole step
ROWS = 1 << 14  # that numpy computes at once: its numbers in between take some megabytes
POINTS = 4000  # of a picture


def table(
    schedule: Schedule, start: int, stop: int, step: int, device: str | int | None = None
) -> Array:
    """Return the values at steps start, start + step, ... below ``stop``: see Schedule.table."""
    steps = _steps(start, stop, step)
    schedule = bind(schedule, starts(schedule))
    if device is None:
        return _on_host(schedule, steps)
    if not traces(schedule):
        raise _no_formula(schedule)
    return on_device(device, lambda info: _filled(info, schedule, steps))


def _steps(start: Any, stop: Any, step: Any) -> range:
    whole = {"start": start, "stop": stop, "step": step}
    for name, value in whole.items():
        if isinstance(value, (bool, np.bool_)) or not hasattr(value, "__index__"):
            raise TypeError(f"{name} must be an int, got {value!r}")
        whole[name] = operator.index(value)
        if abs(whole[name]) > MOST_STEPS:
            raise ValueError(f"{name} must be within 2^53, got {value}")
    if whole["step"] < 1:
        raise ValueError(f"step must be at least 1, got {step}")
    return range(*whole.values())


def _on_host(schedule: Schedule, steps: range) -> Array:
    with np.errstate(all="ignore"):
        if traces(schedule):
            values = schedule(np.arange(steps.start, steps.stop, steps.step, dtype=np.float64))
            return np.array(np.broadcast_to(values, len(steps)), np.float64)
        # A function that knows single steps only, and perhaps only ints.
        return np.array([float(schedule(plain_step(t))) for t in steps], np.float64)


def _no_formula(schedule: Schedule) -> TraceError:
    reason = "a function in it does not take many steps at once"
    try:
        program(schedule)
    except Exception as error:  # whatever a function raises that is given a symbol
        reason = str(error)
    return TraceError(
        f"a device cannot compute this schedule: {reason}. Leave device out: the host computes "
        "any function, step by step"
    )


def _filled(info: vk.DeviceInfo | None, schedule: Schedule, steps: range) -> Array:
    """Return the float32 values that the table of an optimizer on this device would hold."""
    if not steps:
        return np.empty(0, np.float32)
    if info is not None:
        from . import gpu_table

        return gpu_table.values(info, schedule, steps)
    job, structure = Job(0, 0, schedule, 0, 0.0), program(schedule).structure
    filled = np.empty(len(steps), np.float32)
    for at in range(0, len(steps), ROWS):
        part = filled[at : at + ROWS]
        clock = Clock(0, steps[at], steps.step)
        part[:] = cpu_table.values(structure, [job], clock, len(part))[0]
    return filled
