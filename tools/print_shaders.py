"""Print the shaders that come from Python: ``python tools/print_shaders.py [--check]``.

Writes shaders/schedule/*.comp from grilly/schedules/, and of shaders/include/ hyper.glsl from
grilly/hyper.py, rule_words.glsl from grilly/rules/words.py and reduce_words.glsl from
grilly/reductions.py. With --check nothing is written; the exit code is 1 if a file differs.
"""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import shorten

from committed import ROOT, keep

from grilly import glsl, hyper, reductions
from grilly.program import program
from grilly.rules import words
from grilly.schedules import SHIPPED

SHADERS = ROOT / "shaders"
_TITLE = """// {doc}
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
"""


def printed() -> dict[Path, str]:
    """Return every printed file and its text."""
    include = SHADERS / "include"
    layouts = {"hyper": hyper, "rule_words": words, "reduce_words": reductions}
    files = {include / f"{name}.glsl": module.glsl() for name, module in layouts.items()}
    for name, formula in SHIPPED.items():
        doc = (type(formula).__doc__ or "").splitlines()[0]
        p = program(formula)
        labels = [shorten(label, 300) for label in p.labels]  # a list has one of all its numbers
        text = glsl.shader(p.structure, _TITLE.format(doc=doc), labels)
        files[SHADERS / "schedule" / f"{name}.comp"] = text
    return files


def main(arguments: list[str]) -> int:
    """Write the files, or compare them; return the exit code."""
    return keep(printed(), (SHADERS / "schedule").glob("*.comp"), arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
