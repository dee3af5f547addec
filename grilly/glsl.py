"""The one printer: a program's structure as a GLSL compute shader that fills a table column.

It decides spelling, never mathematics. No number and no text of a user's is ever printed.
"""

from __future__ import annotations

from collections.abc import Sequence

from .errors import TraceError
from .expr import BOOL, LIST, LOG, NUMBER, OPS
from .program import Node, Structure

# llvmpipe ends the loops of an invocation after 65,535 rounds in all, and says nothing. These
# functions loop, none of them more than 64 rounds (tests count in the includes); those of lists
# go round once for each number.
LOOPING = {"x_div", "x_floor_divide", "x_remainder", "x_sqrt", "x_exp2", "x_half_cosine"}
LOOPING |= {"x_log2", "x_power_from_log"}
MOST_ROUNDS = 64
MOST_LOOPING = 65_535 // MOST_ROUNDS

# What of the includes only some formulas need: drivers take their time over code.
_TRANSCENDENTAL = "x_exp x_log x_log10 x_rounded_log2 x_sin x_cos x_sinpi x_cospi x_tanh".split()
INCLUDES = {
    **dict.fromkeys(["x_reached", "x_pick"], "lists.glsl"),
    **dict.fromkeys(_TRANSCENDENTAL, "xfloat_transcendental.glsl"),
}
LOOPING |= set(_TRANSCENDENTAL)

TYPES = {NUMBER: "X", LOG: "L", BOOL: "bool", LIST: "List"}
_LOADS = {
    NUMBER: "x_from_words(jobs[at + {0}u], jobs[at + {1}u], jobs[at + {2}u])",
    LOG: "l_from_words(jobs[at + {0}u], jobs[at + {1}u], jobs[at + {2}u], jobs[at + {3}u], "
    "jobs[at + {4}u])",
    BOOL: "(jobs[at + {0}u] != 0u)",
    LIST: "List(at + {0}u, {count}u)",
}

_SHADER = """#version 450
#extension GL_GOOGLE_include_directive : require
{title}const uint CONSTANT_WORDS = {words}u;
#include "fill.glsl"
{includes}
X formula(X t, X k, uint at) {{
{body}
}}
"""


def shader(structure: Structure, title: str = "", labels: Sequence[str] = ()) -> str:
    """Return the compute shader that evaluates ``structure`` for every job and row.

    ``title`` is a comment line and ``labels`` name the constants; both are for the printed files
    of our own schedules only, and change nothing in the SPIR-V. Raises TraceError if there is more
    to do than a shader can.
    """
    calls = [OPS[node.op].glsl.split("(")[0] for node in structure.nodes if node.op in OPS]
    _check_loops(structure, calls)
    needed = sorted({INCLUDES[call] for call in calls if call in INCLUDES})
    includes = "".join(f'#include "{name}"\n' for name in needed)
    lines = [_statement(structure, i, labels) for i in range(len(structure.nodes))]
    lines.append(f"return v{len(lines) - 1};")
    body = "\n".join(f"  {line}" for line in lines)
    return _SHADER.format(title=title, words=structure.words, includes=includes, body=body)


def _check_loops(structure: Structure, calls: Sequence[str]) -> None:
    loops = sum(call in LOOPING for call in calls)
    lengths = [int(kind.split()[1]) for kind in structure.slots if kind.startswith(LIST)]
    searches = calls.count("x_reached")
    if loops + searches * -(-max(lengths, default=0) // MOST_ROUNDS) > MOST_LOOPING:
        raise TraceError(
            f"the formula has {loops} divisions, remainders, roots, powers and cosines and looks "
            f"{searches} times into lists of up to {max(lengths, default=0)} numbers; a shader can "
            f"do {MOST_LOOPING}, with 64 numbers counting as one: write get_lr() in plain Python, "
            "which runs on the host"
        )


def _statement(structure: Structure, number: int, labels: Sequence[str]) -> str:
    node = structure.nodes[number]
    text = f"{TYPES[structure.kind(node).split()[0]]} v{number} = {_value(structure, node)};"
    if node.op == "constant" and labels:
        text += f"  // {labels[node.args[0]]}"
    return text


def _value(structure: Structure, node: Node) -> str:
    if node.op == "constant":
        at = structure.offsets()[node.args[0]]
        kind, _, count = structure.slots[node.args[0]].partition(" ")
        return _LOADS[kind].format(*range(at, at + 5), count=count)
    if node.op in OPS:
        return OPS[node.op].glsl.format(*(f"v{i}" for i in node.args))
    return str(node.op)
