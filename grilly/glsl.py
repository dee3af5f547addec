"""The one printer: a program's structure as a GLSL compute shader that fills a table column.

It decides spelling, never mathematics. No number and no text of a user's is ever printed.
"""

from __future__ import annotations

from collections.abc import Sequence

from .expr import BOOL, LIST, LOG, NUMBER, OPS
from .loops import TRANSCENDENTAL
from .program import Node, Structure

# What of the includes only some formulas need: drivers take their time over code.
INCLUDES = {
    **dict.fromkeys(["x_reached", "x_pick"], "lists.glsl"),
    **dict.fromkeys(TRANSCENDENTAL, "xfloat_transcendental.glsl"),
}

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
    of our own schedules only, and change nothing in the SPIR-V.
    """
    calls = [OPS[node.op].glsl.split("(")[0] for node in structure.nodes if node.op in OPS]
    needed = sorted({INCLUDES[call] for call in calls if call in INCLUDES})
    includes = "".join(f'#include "{name}"\n' for name in needed)
    lines = [_statement(structure, i, labels) for i in range(len(structure.nodes))]
    lines.append(f"return v{len(lines) - 1};")
    body = "\n".join(f"  {line}" for line in lines)
    return _SHADER.format(title=title, words=structure.words, includes=includes, body=body)


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
