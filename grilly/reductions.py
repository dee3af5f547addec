"""Means, sums and moving averages of metrics: what shaders/reduce/ computes, on numpy, bit for bit.

A sum is the exact one, rounded once to float64: every float32 is an integer times 2**-149, and the
device adds integers. So it depends on no order of additions, no driver and no size of workgroups.
A mean is that sum divided by the length in float64. tools/print_shaders.py prints
shaders/include/reduce_words.glsl from here.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .rules.base import State, check_flag, metric_of
from .rules.words import Field, Words, constant, offsets, read, record, size, whole
from .schedules.checks import check_choice, check_number
from .whole import count_of

MOST = 2**31  # elements of one array
LOCAL = 64  # invocations of a workgroup
# Elements of an invocation: enough to be worth its other work, and their sums stay below 2**31.
LEAST_ROUNDS, ROUNDS = 64, 1024
GROUPS = 1024  # workgroups that suffice to keep a device busy
DIGITS = 20  # of 16 bits: 2**31 numbers below 2**(24 + 253), and a sign
BINS = 16  # of 16 exponents each
UNIT = 2**149  # of them make 1

# One workgroup's sum: its digits, lowest first, the last with the sign; and what is not finite.
PARTIAL_WORDS = DIGITS + 1
NAN, PLUS, MINUS = 1, 2, 4  # bits of the latter: nan, infinity, -infinity
# The result: float64, and these rounded to float32.
RESULT = (Field("sum"), Field("mean"), Field("sum32", 1), Field("mean32", 1))
EMA_SETTINGS = (Field("decay"), Field("fresh"), Field("debias", 1))
# value32 is value, rounded to float32.
EMA_STATE = (*map(Field, ("average", "weight", "seen", "value")), Field("value32", 1))

ENDLESS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}  # what JSON has no numbers for


class Part(NamedTuple):
    """One dispatch of reduce/partial: elements of the array, rounds, groups, its first partial."""

    first: int
    length: int
    rounds: int
    groups: int
    partial: int


def plan(count: int, most_bytes: int) -> list[Part]:
    """Return the dispatches that sum ``count`` float32, of which a buffer binds ``most_bytes``.

    The last one's groups end at the number of partials. Each part but the first starts at a
    multiple of 2**16 elements. Raises ValueError unless 1 <= count <= 2**31.
    """
    if not 1 <= count <= MOST:
        raise ValueError(f"count must be from 1 to 2**31, got {count}")
    step = LOCAL * ROUNDS
    longest = max(most_bytes // (4 * step), 1) * step
    rounds = min(max(-(-count // (LOCAL * GROUPS)), LEAST_ROUNDS), ROUNDS)
    parts: list[Part] = []
    partial = 0
    for first in range(0, count, longest):
        length = min(longest, count - first)
        groups = -(-length // (LOCAL * rounds))
        parts.append(Part(first, length, rounds, groups, partial))
        partial += groups
    return parts


def exact_sum(values: ArrayLike) -> float:
    """Return the sum of an array of float32: the exact one, rounded once to float64.

    nan if there is a nan or both infinities; a zero is +0.0. An empty array raises ValueError.

    >>> exact_sum(np.array([1e30, 1.0, -1e30], np.float32))
    1.0
    """
    array = np.ravel(np.asarray(values, np.float32))
    if not len(array):
        raise ValueError("values must have at least one element to be summed, got none")
    finite = np.isfinite(array)
    if not finite.all():
        return _endless(array[~finite])
    return _units(array) / UNIT  # Python rounds the quotient of two ints once


def exact_mean(values: ArrayLike) -> float:
    """Return ``exact_sum(values)`` divided by their number in float64: less than 1 ulp off.

    >>> exact_mean(np.array([1.0, 2.0, 4.0], np.float32))
    2.3333333333333335
    """
    return exact_sum(values) / np.size(values)


def _endless(strange: NDArray[np.float32]) -> float:
    """Return the sum of numbers none of which is finite."""
    if np.isnan(strange).any() or len(np.unique(strange)) > 1:
        return math.nan
    return float(strange[0])


def _units(array: NDArray[np.float32]) -> int:
    """Return the exact sum of finite numbers in units of 2**-149."""
    total = 0
    for start in range(0, len(array), 1 << 22):  # sums of 2**22 numbers of 24 bits are exact
        bits = array[start : start + (1 << 22)].view(np.uint32)
        field = (bits >> np.uint32(23)) & np.uint32(255)
        m = (bits & np.uint32(0x7FFFFF)).astype(np.float64) + np.where(field > 0, 2.0**23, 0.0)
        sums = np.bincount(np.maximum(field, 1) - 1, weights=np.where(bits >> 31, -m, m))
        total += sum(int(sums[e]) << e for e in range(len(sums)))
    return total


@dataclass(frozen=True)
class Ema:
    """The exponential moving average of a metric: decay * average + (1 - decay) * metric.

    It starts with the first metric. With ``debias`` it starts with 0 and ``value`` is the average
    divided by 1 - decay**n, as in optax.ema, where decay**n is the running product. A metric that
    is not finite is passed on as the value, for a rule to see, and not averaged.

    Raises TypeError or ValueError unless 0 <= decay < 1.

    >>> ema = Ema(0.5)
    >>> state = ema.start()
    >>> for loss in [4.0, 2.0, 1.0]:
    ...     state = ema.update(state, loss)
    >>> state["value"]
    2.0
    """

    decay: float
    debias: bool = False

    def __post_init__(self) -> None:
        check_number("decay", self.decay)
        check_flag("debias", self.debias)
        if not 0 <= self.decay < 1:
            raise ValueError(f"decay must be at least 0 and below 1, got {self.decay}")

    def start(self) -> State:
        """Return the state before any metric; its value is nan."""
        return {"average": 0.0, "weight": 1.0, "seen": 0, "value": math.nan}

    def settings(self) -> Words:
        """Return the words of binding 0 of reduce/ema."""
        own = {"decay": self.decay, "fresh": 1.0 - self.decay, "debias": self.debias}
        return record(EMA_SETTINGS, own)

    def update(self, state: State, metric: Any) -> State:
        """Return the state after one more metric, a number or what ``float()`` takes."""
        number = metric_of(metric, accept_nonfinite=True)
        if not math.isfinite(number):
            return {**state, "value": number}
        fresh = 1.0 - self.decay
        average = self.decay * state["average"] + fresh * number
        if state["seen"] == 0 and not self.debias:
            average = number
        weight = state["weight"] * self.decay
        value = average / (1.0 - weight) if self.debias else average
        return {"average": average, "weight": weight, "seen": state["seen"] + 1, "value": value}


def write_ema(state: State) -> Words:
    """Return a state of Ema as the words of binding 1 of reduce/ema."""
    words = record(EMA_STATE[:-1], state)
    with np.errstate(over="ignore"):
        value32 = np.array([state["value"]], np.float32)
    return np.concatenate([words, value32.view(np.uint32)])


def read_ema(words: Words) -> State:
    """Return the state of Ema that a device holds in ``words``."""
    state = read(EMA_STATE[:-1], words)
    return {**state, "seen": whole(state["seen"])}


def saved_ema(ema: Ema, state: State) -> dict[str, Any]:
    """Return ``state`` of ``ema`` as plain JSON data: a value that is not finite is a text."""
    value = state["value"]
    return {**asdict(ema), **state, "value": value if math.isfinite(value) else repr(value)}


def loaded_ema(ema: Ema, saved: Any) -> State:
    """Return the state that was saved; raise TypeError or ValueError if ``ema`` cannot have it."""
    keys = sorted(saved_ema(ema, ema.start()))
    if not isinstance(saved, dict) or sorted(map(str, saved)) != keys:
        raise TypeError(f"it must be a dict with the keys {keys}, got {saved!r:.200}")
    for name, own in asdict(ema).items():
        if saved[name] != own:
            raise ValueError(f"{name} was {saved[name]!r} when it was saved, and is {own!r} here")
    value, seen = saved["value"], count_of("seen", saved["seen"])
    if isinstance(value, str):
        check_choice("value", value, tuple(ENDLESS))
        value = ENDLESS[value]
    else:
        check_number("value", value)
    check_number("average", saved["average"])
    check_number("weight", saved["weight"], at_least=0)
    if saved["weight"] > 1:
        raise ValueError(f"weight must be at most 1, got {saved['weight']!r}")
    numbers = {"average": saved["average"], "weight": saved["weight"], "value": value}
    return {**{name: float(number) for name, number in numbers.items()}, "seen": seen}


def glsl() -> str:
    """Return the text of shaders/include/reduce_words.glsl."""
    lines = ["// Printed by tools/print_shaders.py from grilly/reductions.py; do not edit.\n"]
    numbers = {"LOCAL": LOCAL, "DIGITS": DIGITS, "BINS": BINS, "PARTIAL_WORDS": PARTIAL_WORDS}
    numbers |= {"HAS_NAN": NAN, "HAS_PLUS": PLUS, "HAS_MINUS": MINUS}
    lines += [constant(name, number) for name, number in numbers.items()]
    records = {"RESULT": RESULT, "EMA_SETTING": EMA_SETTINGS, "EMA": EMA_STATE}
    for prefix, fields in records.items():
        lines += [constant(f"{prefix}_{name}", at) for name, at in offsets(fields).items()]
        lines.append(constant(f"{prefix}_WORDS", size(fields)))
    return "".join(lines)
