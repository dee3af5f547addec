"""The one printer: a program's structure as a GLSL compute shader that fills a table column.

It decides spelling, never mathematics. No number and no text of a user's is ever printed.
"""

from __future__ import annotations

from collections.abc import Sequence

from .errors import TraceError
from .expr import BOOL, LOG, NUMBER, OPS
from .program import Node, Structure

# llvmpipe ends the loops of an invocation after 65,535 rounds in all, and says nothing. These
# functions loop, none of them more than 64 rounds (tests count in the includes).
LOOPING = {"x_div", "x_floor_divide", "x_remainder", "x_sqrt", "x_exp2", "x_half_cosine"}
LOOPING |= {"x_log2", "x_power_from_log"}

# These stand in an include of their own, for drivers take their time over code: call -> include.
_TRANSCENDENTAL = "xfloat_transcendental.glsl"
INCLUDES = dict.fromkeys(
    "x_exp x_log x_log10 x_rounded_log2 x_sin x_cos x_sinpi x_cospi x_tanh".split(),
    _TRANSCENDENTAL,
)
LOOPING |= set(INCLUDES)
MOST_LOOPING = 65_535 // 64

TYPES = {NUMBER: "X", LOG: "L", BOOL: "bool"}
_LOADS = {
    NUMBER: "x_from_words(jobs[at + {0}u], jobs[at + {1}u], jobs[at + {2}u])",
    LOG: "l_from_words(jobs[at + {0}u], jobs[at + {1}u], jobs[at + {2}u], jobs[at + {3}u], "
    "jobs[at + {4}u])",
    BOOL: "(jobs[at + {0}u] != 0u)",
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
    loops = sum(call in LOOPING for call in calls)
    if loops > MOST_LOOPING:
        raise TraceError(
            f"the formula has {loops} divisions, roots, powers, logarithms and cosines, and a "
            f"shader can do {MOST_LOOPING}: write get_lr() in plain Python, which runs on the host"
        )
    lines = [_statement(structure, i, labels) for i in range(len(structure.nodes))]
    lines.append(f"return v{len(lines) - 1};")
    body = "\n".join(f"  {line}" for line in lines)
    files = sorted({INCLUDES[call] for call in calls if call in INCLUDES})
    includes = "".join(f'#include "{file}"\n' for file in files)
    return _SHADER.format(title=title, words=structure.words, includes=includes, body=body)


def _statement(structure: Structure, number: int, labels: Sequence[str]) -> str:
    node = structure.nodes[number]
    text = f"{TYPES[structure.kind(node)]} v{number} = {_value(structure, node)};"
    if node.op == "constant" and labels:
        text += f"  // {labels[node.args[0]]}"
    return text


def _value(structure: Structure, node: Node) -> str:
    if node.op == "constant":
        at = structure.offsets()[node.args[0]]
        return _LOADS[structure.slots[node.args[0]]].format(*range(at, at + 5))
    if node.op in OPS:
        return OPS[node.op].glsl.format(*(f"v{i}" for i in node.args))
    return str(node.op)
