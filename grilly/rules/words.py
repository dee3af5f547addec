"""The one layout of the rules on a device: what each word of their settings and states holds.

Everything is 32-bit words; a number is the two of a float64, the low one first. Counts are numbers
too: settings such as a patience of 2.5 mean on the device what they mean on the host.
tools/print_shaders.py prints shaders/include/rule_words.glsl from here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Words: TypeAlias = NDArray[np.uint32]
Number: TypeAlias = float | int

WORD, NUMBER = 1, 2  # the words of a field


class Field(NamedTuple):
    """A field of a record, and how many words it has."""

    name: str
    words: int = NUMBER


# Where a rule's other parts are: in the state buffer its record and its values, in the settings the
# bounds of its values, in the targets buffer the spans of its targets; and how many values it has.
_PLACES = tuple(Field(name, WORD) for name in ("state", "values", "bounds", "spans", "count"))
# A metric is better than the best one if it is below best * scale + margin, above it for maximize.
_JUDGING = (
    *(Field(name, WORD) for name in ("maximize", "nonfinite")),
    *(Field(name) for name in ("scale", "margin", "factor", "patience", "cooldown", "eps")),
)
# The last metrics are kept in a ring: its first word, and how many they are.
_RING = tuple(Field(name, WORD) for name in ("smooth", "ring", "window_size"))

# kind of rule -> its settings. Those of "rule" are the first of each.
SETTINGS: dict[str, tuple[Field, ...]] = {
    "rule": (*_PLACES, *_JUDGING),
    # accumulation 0: the metric is judged as it is. The mean of one turns -0.0 into 0.0.
    "plateau": (*_PLACES, *_JUDGING, Field("accumulation")),
    # What resets_in is after a rise, and when all has begun anew.
    "greedy": (*_PLACES, *_JUDGING, *_RING, *map(Field, ("warmup", "reset_start", "reset_anew"))),
}

# A value's bounds, and what it goes back to when all begins anew.
BOUNDS: dict[str, tuple[Field, ...]] = {
    "plateau": (Field("least"),),
    "greedy": (Field("least"), Field("most"), Field("first")),
}

ENDLESS = 2**32 - 1  # how many metrics are left to look at: all
# How many metrics pass unseen and how many are left then; refused is the first one that was
# refused, 0 if none was; seen how many were counted.
_COUNTS = (
    *(Field(name, WORD) for name in ("waits", "left")),
    *map(Field, ("refused", "seen", "best", "bad", "cooldown")),
)
STATES: dict[str, tuple[Field, ...]] = {
    "rule": _COUNTS,
    "plateau": (*_COUNTS, *map(Field, ("count", "mean"))),
    "greedy": (
        *_COUNTS,
        *map(Field, ("good", "warmup", "resets_in", "total")),
        *(Field(name, WORD) for name in ("oldest", "held")),  # of the ring
    ),
}

# What becomes of a metric that is not finite: it counts as torch counts it, it is as if it had not
# been, or that and it stays in the state, as refused, for the host to raise.
NONFINITE = ("count", "ignore", "raise")

FLAGS = ("dirty",)
TARGET_WORDS = 3  # an xfloat
PUSH = ("rules", "metric", "metric_words")  # how many, where the metric is, 1 for float32 or 2

# Rounds of the loops for a rule, for each value and for each target: a division has 4. llvmpipe
# ends all loops of an invocation after so many in all, without a word.
ROUNDS = {"plateau": (5, 1, 1), "greedy": (5, 6, 1)}
MAX_ROUNDS = 65_535


def size(fields: tuple[Field, ...]) -> int:
    """Return how many words a record of ``fields`` has."""
    return sum(field.words for field in fields)


def offsets(fields: tuple[Field, ...]) -> dict[str, int]:
    """Return at which word of a record of ``fields`` each of them begins."""
    return {field.name: size(fields[:i]) for i, field in enumerate(fields)}


def numbers(values: Sequence[Number]) -> Words:
    """Return numbers as the words of float64, the low one first."""
    return np.array(values, "<f8").view("<u4").astype(np.uint32)


def whole(value: float) -> Number:
    """Return ``value`` as an int if it is one, as what is counted is on the host."""
    return int(value) if value.is_integer() else value


def record(fields: Sequence[Field], values: Mapping[str, Any]) -> Words:
    """Return the words of a record of ``fields``, with the values of their names."""
    parts = [
        numbers([values[name]]) if words == NUMBER else np.array([values[name]], np.uint32)
        for name, words in fields
    ]
    return np.concatenate(parts)


def read(fields: tuple[Field, ...], found: Words) -> dict[str, Any]:
    """Return the values of a record of ``fields``, floats and ints, by their names."""
    values: dict[str, Any] = {}
    for (name, words), at in zip(fields, offsets(fields).values(), strict=True):
        part = found[at : at + words]
        values[name] = part.view(np.float64)[0].item() if words == NUMBER else int(part[0])
    return values


def glsl() -> str:
    """Return the text of shaders/include/rule_words.glsl."""
    head = (
        "// The words of the rules. Printed by tools/print_shaders.py from grilly/rules/words.py;\n"
    )
    lines = [head, "// do not edit.\n"]
    for prefix, kinds in {"SETTING": SETTINGS, "BOUND": BOUNDS, "STATE": STATES}.items():
        names: dict[str, int] = {}
        for fields in kinds.values():
            names |= offsets(fields)
        lines += [constant(f"{prefix}_{name}", word) for name, word in names.items()]
        for kind, fields in kinds.items():
            if kind != "rule":
                lines.append(constant(f"{kind}_{prefix}_WORDS", size(fields)))
    lines += [constant(f"NONFINITE_{name}", i) for i, name in enumerate(NONFINITE)]
    lines += [constant(f"FLAG_{name}", i) for i, name in enumerate(FLAGS)]
    lines.append(constant("ENDLESS", ENDLESS))
    lines.append("layout(push_constant) uniform Push { " + "".join(f"uint {n}; " for n in PUSH))
    return "".join([*lines, "} push;\n"])


def constant(name: str, value: int) -> str:
    """Return the line of GLSL that names ``value``."""
    return f"const uint {name.upper()} = {value}u;\n"
