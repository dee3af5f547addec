"""Looking at a schedule before it is used: its values as a table, and as a picture."""

from __future__ import annotations

import math
import operator
import textwrap
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from . import quick
from .backend import on_device
from .errors import TraceError
from .optim.sampling import plain_step, traces
from .planning import Array
from .program import program
from .rules import bind, starts
from .rules.tree import coast, coasts
from .schedules import Schedule
from .schedules.depth import check_depth
from .schedules.outline import joints, spans
from .schedules.steps import MOST_STEPS
from .whole import count_of

if TYPE_CHECKING:
    from . import vk

POINTS = 4000  # of a picture
LABEL = 80  # letters


def table(
    schedule: Schedule, start: int, stop: int, step: int, device: str | int | None = None
) -> Array:
    """Return the values at steps start, start + step, ... below ``stop``: see Schedule.table."""
    check_depth(schedule)
    steps = _steps(start, stop, step)
    _check_end(schedule, steps)
    if device is None:
        return _joined(schedule, steps, np.float64, _at_steps)
    if not traces(bind(schedule, starts(schedule))):
        raise _no_formula(bind(schedule, starts(schedule)))
    return on_device(
        device, lambda info: _joined(schedule, steps, np.float32, partial(_filled, info))
    )


def _at_steps(schedule: Schedule, steps: range) -> Array:
    return on_host(schedule, _floats(steps))


def _floats(steps: range) -> Array:
    rows = np.arange(len(steps), dtype=np.int64)
    return np.asarray(steps.start + steps.step * rows, np.float64)


def _check_end(schedule: Schedule, steps: range) -> None:
    last = schedule.last_step()
    if steps and steps[-1] > last:
        left = max(0, math.floor(last - steps.start) + 1)
        raise ValueError(
            f"the schedule ends at step {last:g}, which leaves {left} steps from start="
            f"{steps.start} on: stop must be at most {math.floor(last) + 1}, got {steps.stop}"
        )


def _joined(
    schedule: Schedule, steps: range, dtype: Any, values: Callable[[Schedule, range], Array]
) -> Array:
    """Return the values, part by part while rules that need no metric change the formula."""
    if not coasts(schedule):
        return values(bind(schedule, starts(schedule)), steps)
    joined = np.empty(len(steps), dtype)
    for formula, part in _runs(schedule, steps):
        joined[part] = values(formula, steps[part])
    return joined


def _runs(schedule: Schedule, steps: range) -> Iterator[tuple[Schedule, slice]]:
    """Yield each formula and the places in ``steps`` that it holds at: rules begin at step 0."""
    states, now, begin = starts(schedule), min(0, steps.start), 0
    formula = bind(schedule, states)
    for place, t in enumerate(steps):
        for at in range(now, t):
            states = coast(schedule, states, at)
        new, now = bind(schedule, states), t
        if new != formula and place > begin:
            yield formula, slice(begin, place)
            begin = place
        formula = new
    if begin < len(steps):
        yield formula, slice(begin, len(steps))


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


def on_host(schedule: Schedule, steps: Array) -> Array:
    """Return the values at ``steps``, float64."""
    with np.errstate(all="ignore"):
        if traces(schedule):
            return np.array(np.broadcast_to(schedule(steps), len(steps)), np.float64)
        # A function that knows single steps only, and perhaps only ints.
        return np.array([float(schedule(plain_step(t))) for t in steps.tolist()], np.float64)


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
    own = program(schedule)
    return quick.filled(own.structure, own.constants, {"t": _floats(steps)}, (len(steps),))


def plot(schedule: Schedule, steps: int | None, ax: Any, line: dict[str, Any]) -> Any:
    """Draw a schedule into matplotlib's axes: see Schedule.plot."""
    check_depth(schedule)
    count = _shown(schedule) if steps is None else count_of("steps", steps)
    if count < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    every = max(1, count // POINTS)
    values = table(schedule, 0, count, every)
    axes = _current_axes() if ax is None else ax
    text = textwrap.shorten(repr(schedule), LABEL, placeholder=" ...")
    (drawn,) = axes.plot(np.arange(0, count, every), values, **{"label": text, **line})
    for at in joint_steps(schedule, count):
        axes.axvline(at, color=drawn.get_color(), linestyle=":", linewidth=0.8)
    if not axes.get_xlabel():
        axes.set_xlabel("step")
    axes.legend()
    return axes


def joint_steps(schedule: Schedule, count: int) -> list[float]:
    """Return at which of the steps below ``count`` one schedule follows another, in order."""
    found = {
        span.at(joint.at)
        for span in spans(schedule, 0, count)
        for joint in joints(span.schedule)
        if max(0, span.begin) < span.at(joint.at) < span.end
    }
    return sorted(found)


def _shown(schedule: Schedule) -> int:
    end = schedule.length()
    count = math.ceil(end + end / 10) + 1 if 0 < end < math.inf else 1000
    return int(min(count, schedule.last_step() + 1))


def _current_axes() -> Any:
    try:
        from matplotlib import pyplot
    except ImportError as problem:
        text = "plot() needs matplotlib: pip install 'grilly[plot]', or give it ax"
        raise ImportError(text) from problem
    return pyplot.gca()
