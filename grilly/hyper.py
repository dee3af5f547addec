"""The one layout of what the kernels read: a lane's hyperparameters, the clock, a job, a chunk ...

Everything is 32-bit words. tools/print_shaders.py prints shaders/include/hyper.glsl from here.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

# One lane's float32 columns, per optimizer, in the order of the table's words. Flags are 1 or 0.
# 1 - beta is rounded once from the exact beta: from its float32 it would be wrong by 1e-5 at 0.999.
# debias1 = 1 / (1 - beta1^k), debias2 = 1 / sqrt(1 - beta2^k).
_ADAM = (
    "lr",
    "beta1",
    "beta2",
    "one_minus_beta1",
    "one_minus_beta2",
    "eps",
    "weight_decay",
    "debias1",
    "debias2",
    "maximize",
    "amsgrad",
)
# fresh is the weight of the gradient in the momentum buffer: 1 at first, then 1 - dampening.
COLUMNS: dict[str, tuple[str, ...]] = {
    "SGD": ("lr", "momentum", "fresh", "weight_decay", "nesterov", "maximize"),
    "Adam": _ADAM,
    "AdamW": _ADAM,
}

# The device's clock. ``row`` holds the table row of the next step twice, by parity of the step: the
# larger one counts. Used rows are copied to a ring: ``kept`` are in it, ``ring_row`` comes next,
# ``copied`` invocations are done. The host sets what follows: ``fresh`` is a clock whose table is
# still to be filled, so that the cursor is that of the clock before; k is the number of the
# optimizer step of row 0. A cycle is ``period`` steps: row 0 is step ``phase`` of a cycle after
# ``cycles`` whole ones. ``dirty`` is 1 while the table is to be filled anew because a rule has
# changed one of its numbers. 64-bit integers are (low, high), two's complement. Behind these words
# stand the paces: how far a schedule moves in a cycle, and, for each step of it, by then.
CLOCK_WORDS = (
    "row_even",
    "row_odd",
    "kept",
    "ring_row",
    "copied",
    "fresh",
    "k_lo",
    "k_hi",
    "cycles_lo",
    "cycles_hi",
    "phase",
    "period",
    "dirty",
)

# A job fills one column of some lanes in every row: where it writes in the first one, how many they
# are, what it adds to k (64 bits) and to t (an xfloat), where in the clock its pace stands, then
# the formula's row constants.
JOB_WORDS = ("target", "lanes", "k_lo", "k_hi", "t_lo", "t_hi", "t_exponent", "pace")

# With the rows of a fill: fill only if the clock says that the table is dirty.
ONLY_DIRTY = 1 << 31

# A chunk: a run of float4 in the slabs that shares a lane.
CHUNK_WORDS = ("start", "count", "lane")

# What a controlled update reads, written before it from all gradients: the factor of the gradients,
# whether the update is applied, their norm, whether one of their values was not finite, how many
# updates were not applied (64 bits). Then the settings: the largest norm (inf for none), and
# whether an update with a value that is not finite is left out. Fractions are float32.
CONTROL_WORDS = (
    "coefficient",
    "applied",
    "norm",
    "nonfinite",
    "skipped_lo",
    "skipped_hi",
    "max_norm",
    "skip_nonfinite",
)
_FRACTIONS = ("coefficient", "norm", "max_norm")

# The norm's order of summing, which decides its bits. The float4 of all gradients, one tensor after
# the other, are cut into shares; NORM_LANES lanes take turns at those of a share. The lanes of
# all shares take turns in adding to NORM_PARTS parts, which are then folded in halves.
NORM_SHARE = 2048
NORM_LANES = 16
NORM_PARTS = 256
# Magnitudes below 2^-63 count as 0: drivers may flush their squares. These are its float32 bits.
NORM_LEAST_BITS = 0x20000000

# A run: float4 in the slabs that lie in one share, the first of them at its float4 ``place``.
RUN_WORDS = ("start", "count", "place")


def dtype(kind: str) -> np.dtype[np.void]:
    """Return the numpy structure of one lane of optimizer ``kind``: float32 fields."""
    return np.dtype([(name, np.float32) for name in COLUMNS[kind]])


def control_dtype() -> np.dtype[np.void]:
    """Return the numpy structure of CONTROL_WORDS."""
    kinds = (np.float32 if name in _FRACTIONS else np.uint32 for name in CONTROL_WORDS)
    return np.dtype(list(zip(CONTROL_WORDS, kinds, strict=True)))


def control(max_norm: float = np.inf, skip_nonfinite: bool = False) -> np.ndarray[Any, Any]:
    """Return the control, of shape (1,), of an optimizer with these settings at its start.

    A largest norm below the smallest normal float32 becomes 0: drivers may flush it. The norm is
    below 0 until there is one.
    """
    words = np.zeros(1, control_dtype())
    words["norm"] = -1
    with np.errstate(over="ignore"):  # to inf: no norm is larger
        limit = np.float32(max_norm)
    words["max_norm"] = limit if limit >= np.finfo(np.float32).tiny else 0
    words["skip_nonfinite"] = skip_nonfinite
    return words


class Cursor(NamedTuple):
    """Where a clock's cursor stands: the rows used of the table, the ring's, and row 0's k."""

    used: int
    kept: int
    ring_row: int
    k: int
    fresh: bool


def cursor(words: np.ndarray[Any, Any]) -> Cursor:
    """Return what the first words of a clock say: see CLOCK_WORDS."""
    at = dict(zip(CLOCK_WORDS, words.tolist(), strict=False))
    used = max(at["row_even"], at["row_odd"])
    k = np.array([at["k_lo"], at["k_hi"]], np.uint32).view(np.int64)
    return Cursor(used, at["kept"], at["ring_row"], int(k[0]), bool(at["fresh"]))


def examined(control: np.ndarray[Any, Any]) -> tuple[float, int, bool]:
    """Return of a control its norm, the skipped updates, and whether the last one was applied."""
    skipped = int(control["skipped_lo"][0]) | int(control["skipped_hi"][0]) << 32
    return float(control["norm"][0]), skipped, bool(control["applied"][0])


def settings(control: np.ndarray[Any, Any]) -> tuple[int, np.ndarray[Any, Any]]:
    """Return the words of a control from ``skipped_lo`` on, and where they begin, in bytes.

    What was found by the last update stands before them, and stays when a control is set anew.
    """
    first = CONTROL_WORDS.index("skipped_lo")
    return 4 * first, control.view(np.uint32)[first:]


def glsl() -> str:
    """Return the text of shaders/include/hyper.glsl."""
    structs = [_struct(kind, "float", names) for kind, names in COLUMNS.items()]
    structs.append(_struct("Chunk", "uint", CHUNK_WORDS))
    structs.append(_struct("Run", "uint", RUN_WORDS))
    words = {"CLOCK": CLOCK_WORDS, "JOB": JOB_WORDS, "CONTROL": CONTROL_WORDS}
    for prefix, names in words.items():
        structs += [f"const uint {prefix}_{n.upper()} = {i}u;\n" for i, n in enumerate(names)]
        structs.append(f"const uint {prefix}_WORDS = {len(names)}u;\n")
    structs.append(f"const uint ONLY_DIRTY = {ONLY_DIRTY}u;\n")
    norm = {"LANES": NORM_LANES, "PARTS": NORM_PARTS, "LEAST_BITS": NORM_LEAST_BITS}
    structs += [f"const uint NORM_{name} = {value}u;\n" for name, value in norm.items()]
    head = "// Layouts. Printed by tools/print_shaders.py from grilly/hyper.py; do not edit.\n"
    return head + "".join(structs)


def _struct(name: str, kind: str, fields: tuple[str, ...]) -> str:
    return f"struct {name} {{ " + " ".join(f"{kind} {field};" for field in fields) + " };\n"
