"""The bound on a formula's loops, the same for every device: what one can compute all can."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .errors import TraceError
from .expr import LIST, OPS

# llvmpipe ends the loops of an invocation after 65,535 rounds in all, and says nothing. These
# functions loop, none of them more than 64 rounds (tests count in the includes); those of lists
# go round once for each number.
TRANSCENDENTAL = "x_exp x_log x_log10 x_rounded_log2 x_sin x_cos x_sinpi x_cospi x_tanh".split()
LOOPING = {"x_div", "x_floor_divide", "x_remainder", "x_sqrt", "x_exp2", "x_half_cosine"}
LOOPING |= {"x_log2", "x_power_from_log", *TRANSCENDENTAL}
MOST_ROUNDS = 64
MOST_LOOPING = 65_535 // MOST_ROUNDS


def check_loops(ops: Sequence[Any], slots: Sequence[str]) -> None:
    """Raise TraceError if statements ``ops`` on constants of kinds ``slots`` loop too often."""
    calls = [OPS[op].glsl.split("(")[0] for op in ops if op in OPS]
    loops = sum(call in LOOPING for call in calls)
    longest = max((int(kind.split()[1]) for kind in slots if kind.startswith(LIST)), default=0)
    searches = calls.count("x_reached")
    if loops + searches * -(-longest // MOST_ROUNDS) > MOST_LOOPING:
        raise TraceError(
            f"the formula has {loops} divisions, remainders, roots, powers and other functions and "
            f"looks {searches} times into lists of up to {longest} numbers; a device can do "
            f"{MOST_LOOPING}, with {MOST_ROUNDS} numbers counting as one; a scheduler has the host "
            "compute what a device cannot"
        )
