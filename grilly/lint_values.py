"""What lint finds in the values of a schedule, whatever it is made of."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .optim.columns import sound
from .optim.options import FLOAT32_OVERFLOW, Key, Limit, check_number
from .planning import Array
from .schedules import Schedule
from .schedules.outline import joints, spans

# So many steps are looked at one by one; of more, this many and those near a joint or an end.
MOST_VALUES, NEAR, MOST_NEAR = 10**6, 100, 10**5


@dataclass(frozen=True)
class Finding:
    """One thing that lint found: its ``code``, the ``step`` where it begins, and what it is."""

    code: str
    step: int
    message: str

    def __str__(self) -> str:
        return f"step {self.step}: {self.message} ({self.code})"


class Column(NamedTuple):
    """The number that a schedule is for: its name, where it stands in a group, and its limits."""

    name: str = "lr"
    key: Key = ("lr",)
    limits: Mapping[Key, Limit] = {}


def looked_at(schedule: Schedule, begin: int, end: int) -> Array:
    """Return the steps that are looked at: all, or of too many as many as ``lint`` says."""
    every = math.ceil((end - begin) / MOST_VALUES)
    steps = np.arange(begin, end, every, dtype=np.float64)
    if every == 1:
        return steps
    places = {float(begin), float(end)}
    for span in spans(schedule, begin, end):
        places |= {span.begin, span.end, span.at(span.schedule.length())}
        places |= {span.at(joint.at) for joint in joints(span.schedule)}
    own = [math.ceil(place) for place in places if begin <= place <= end]
    near = max(2, min(NEAR, MOST_NEAR // len(own)))
    ranges = [np.arange(max(begin, t - near), min(end, t + near + 1)) for t in own]
    return np.unique(np.concatenate([steps, *ranges]))


def in_values(steps: Array, values: Array, column: Column) -> Iterator[Finding]:
    """Find what is wrong with the ``values`` of a column at ``steps``: see ``lint``."""
    with np.errstate(all="ignore"):
        single = values.astype(np.float32)
    if column.name == "lr" and values[0] == 0 and np.any(values != 0):
        words = "the first value is 0: a rate of 0 makes no update"
        yield Finding("zero-start", int(steps[0]), words)
    kinds = {
        "nonfinite": (~np.isfinite(single), "is not finite in float32"),
        "negative": ((values < 0) & np.isfinite(single), "is negative"),
        "float32-zero": ((single == 0) & (values != 0), "is 0 in float32"),
    }
    for code, (where, what) in kinds.items():
        at = np.flatnonzero(where)
        if at.size:
            rest = f", and so at {at.size - 1} more steps" if at.size > 1 else ""
            words = f"the value {values[at[0]]:.3g} {what}{rest}"
            yield Finding(code, int(steps[at[0]]), words)
    beyond = ~sound(column.limits, column.key, values) & (np.abs(values) < FLOAT32_OVERFLOW)
    if beyond.any():
        first = int(beyond.argmax())
        try:
            check_number(column.limits, column.key, float(values[first]), column.name)
        except ValueError as error:
            yield Finding("out-of-range", int(steps[first]), str(error))
