"""Rules as words for a device, and their states back from it: pack, read_state, write_state.

A DeviceRule says what a rule is there: settings, bounds, values and where these are written to. It
is made from a Plateau or a Greedy (device_plateau, device_greedy), or from what ReduceLROnPlateau
and GreedyLR have: one state for the values of all groups (plateau_groups, greedy_groups).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..errors import DeviceLimitError, StateError
from ..schedules.checks import check_choice
from . import words
from .base import WORST, State
from .words import Number, Words, numbers, read, record, whole

MOST = 2.0**53  # the largest count from which one more is another


@dataclass(frozen=True)
class DeviceRule:
    """A rule as a device has it. Raises ValueError for what it could not compute with.

    ``kind`` is "plateau" or "greedy"; ``settings`` are by the names of ``words.SETTINGS``, ``mode``
    beside them; ``bounds`` has the numbers of ``words.BOUNDS`` for each value, and ``targets`` the
    words of the jobs, for each value, at which it is written as an xfloat when it changes.
    ``window`` is how many metrics can be smoothed, 0 for none.
    """

    kind: str
    mode: str
    nonfinite: str
    settings: Mapping[str, Number]
    bounds: Sequence[tuple[Number, ...]]
    targets: Sequence[Sequence[int]]
    window: int = 0

    def __post_init__(self) -> None:
        check_choice("nonfinite", self.nonfinite, words.NONFINITE)
        check_choice("mode", self.mode, ("min", "max"))
        if not self.bounds or len(self.bounds) != len(self.targets):
            raise ValueError(
                f"a rule needs bounds and targets for each of its values, got {len(self.bounds)} "
                f"and {len(self.targets)}"
            )
        for name, number in self.settings.items():
            _check_finite(name, number)
        for name in ("patience", "cooldown", "warmup", "accumulation", "reset_start"):
            check_counted(name, self.settings.get(name, 0))
        for row in self.bounds:
            for field, number in zip(words.BOUNDS[self.kind], row, strict=True):
                _check_finite(field.name, number)

    def rounds(self) -> int:
        """Return how many rounds its loops have on the device."""
        rule, value, target = words.ROUNDS[self.kind]
        return rule + value * len(self.bounds) + target * sum(map(len, self.targets))


class Place(NamedTuple):
    """Where a rule's parts are, in words: its settings, record, values and ring of metrics."""

    settings: int
    state: int
    values: int
    ring: int
    end: int


class Packed(NamedTuple):
    """The words of rules of one kind for the bindings 0 and 3, and where each state is in 1."""

    rules: tuple[DeviceRule, ...]
    settings: Words
    targets: Words
    places: tuple[Place, ...]

    @property
    def state_words(self) -> int:
        """How many words the state buffer must have."""
        return self.places[-1].end


@dataclass(frozen=True)
class Held:
    """What a device holds of a rule: counts in its own names, values, and what it has seen.

    ``counts["best"]`` is None as long as no metric was better than the worst one. ``refused`` is
    the first metric that was refused by the policy "raise", or None; ``metric_of(refused)`` raises
    what the rule would have raised. The rule lets ``waits`` metrics pass before it looks at any,
    and then looks at ``left`` of them, None for all: a phase of a schedule is such a time.
    """

    counts: State
    values: list[float]
    seen: Number = 0
    refused: float | None = None
    waits: int = 0
    left: int | None = None

    @property
    def in_phase(self) -> bool:
        """Whether it looks at some of the metrics to come only."""
        return self.waits > 0 or bool(self.left)


def pack(rules: Sequence[DeviceRule]) -> Packed:
    """Return the words of ``rules``, all of one kind.

    Raises ValueError for no rules or of two kinds, and DeviceLimitError if one dispatch cannot
    count them all.
    """
    kinds = sorted({rule.kind for rule in rules})
    if len(kinds) != 1:
        raise ValueError(f"rules must be of one kind, got {kinds}: dispatch each kind by itself")
    rounds = len(rules) + sum(rule.rounds() for rule in rules)
    if rounds > words.MAX_ROUNDS:
        raise DeviceLimitError(
            f"rules take {rounds} rounds of a loop, but a device may stop after "
            f"{words.MAX_ROUNDS}: pack fewer of them for one dispatch"
        )
    places = _places(rules, kinds[0])
    settings, targets = _settings(rules, places)
    return Packed(tuple(rules), settings, targets, places)


def _places(rules: Sequence[DeviceRule], kind: str) -> tuple[Place, ...]:
    found: list[Place] = []
    at = 0
    for i, rule in enumerate(rules):
        values = at + words.size(words.STATES[kind])
        ring = values + words.NUMBER * len(rule.bounds)
        end = ring + words.NUMBER * rule.window
        found.append(Place(i * words.size(words.SETTINGS[kind]), at, values, ring, end))
        at = end
    return tuple(found)


def _settings(rules: Sequence[DeviceRule], places: Sequence[Place]) -> tuple[Words, Words]:
    """Return the records, then the bounds; and the spans of the targets, then the targets."""
    records: list[Words] = []
    bounds: list[Words] = []
    spans = sum(len(rule.targets) + 1 for rule in rules)
    starts: list[int] = []
    targets: list[int] = []
    at = len(rules) * words.size(words.SETTINGS[rules[0].kind])
    for rule, place in zip(rules, places, strict=True):
        own = {
            **rule.settings,
            **{"state": place.state, "values": place.values, "count": len(rule.bounds)},
            **{"bounds": at, "spans": len(starts)},
            **{"maximize": rule.mode == "max", "ring": place.ring},
            "nonfinite": words.NONFINITE.index(rule.nonfinite),
        }
        records.append(record(words.SETTINGS[rule.kind], own))
        bounds += [numbers(row) for row in rule.bounds]
        at += len(rule.bounds) * words.size(words.BOUNDS[rule.kind])
        for one in (*rule.targets, ()):
            starts.append(spans + len(targets))
            targets += map(_target, one)
    return np.concatenate([*records, *bounds]), np.array([*starts, *targets], np.uint32)


def write_state(packed: Packed, i: int, held: Held) -> Words:
    """Return the words of the state of rule ``i``, which begin at ``packed.places[i].state``.

    Raises StateError if ``held`` is no state of it that a device can go on from.
    """
    rule = packed.rules[i]
    if len(held.values) != len(rule.bounds) or not np.isfinite(held.values).all():
        raise StateError(f"values must be {len(rule.bounds)} finite numbers, got {held.values}")
    window = list(held.counts.get("window", ()))
    if len(window) > rule.window:
        raise StateError(
            f"window must have at most window_size={rule.window} metrics, got {len(window)}"
        )
    best = held.counts["best"]
    own = {
        **{name: count for name, count in held.counts.items() if name != "window"},
        **{"best": WORST[rule.mode] if best is None else best, "seen": held.seen},
        **{"refused": held.refused or 0.0, "oldest": 0, "held": len(window)},
        **{"waits": held.waits, "left": words.ENDLESS if held.left is None else held.left},
    }
    for name in ("waits", "left"):
        if not 0 <= own[name] <= words.ENDLESS:
            raise StateError(f"{name} must be from 0 to 2**32 - 1, got {own[name]}")
    for name in ("bad", "cooldown", "good", "warmup", "resets_in", "count"):
        check_counted(name, own.get(name, 0))
    ring = window + [0.0] * (rule.window - len(window))
    counts = record(words.STATES[rule.kind], own)
    return np.concatenate([counts, numbers(held.values), numbers(ring)])


def read_state(packed: Packed, i: int, state: Words) -> Held:
    """Return what rule ``i`` holds, from the words of the whole state buffer."""
    rule, place = packed.rules[i], packed.places[i]
    counts = read(words.STATES[rule.kind], state[place.state : place.values])
    seen, refused, waits, left = map(counts.pop, ("seen", "refused", "waits", "left"))
    if rule.kind == "greedy":
        ring = state[place.ring : place.end].view(np.float64)
        oldest, held = counts.pop("oldest"), counts.pop("held")
        counts["window"] = np.roll(ring, -oldest)[:held].tolist()
    for name in counts.keys() - {"best", "mean", "total", "window"}:
        counts[name] = whole(counts[name])
    if counts["best"] == WORST[rule.mode]:
        counts["best"] = None
    values = state[place.values : place.ring].view(np.float64).tolist()
    refused = None if refused == 0 else refused
    left = None if left == words.ENDLESS else left
    return Held(counts, values, whole(seen), refused, waits, left)


# --- Checks ---------------------------------------------------------------------------------------


def _check_finite(name: str, number: Number) -> None:
    if not math.isfinite(number):
        raise ValueError(f"{name} must be finite, got {number}")


def check_counted(name: str, number: Number) -> None:
    """Raise ValueError if a device could not count up to or down from ``number``."""
    if abs(number) > MOST:
        raise ValueError(f"{name} must be at most 2**53 on a device, got {number}")


def _target(word: int) -> int:
    if not 0 <= word <= 2**32 - words.TARGET_WORDS:
        raise ValueError(f"targets must be words of the jobs, got {word}")
    return int(word)
