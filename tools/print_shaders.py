"""Print the shaders that come from Python: ``python tools/print_shaders.py [--check]``.

Writes shaders/schedule/*.comp from grilly/schedules/ and shaders/include/hyper.glsl from
grilly/hyper.py. With --check nothing is written; the exit code is 1 if a file differs.
"""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import shorten

from grilly import glsl, hyper
from grilly.program import program
from grilly.schedules import SHIPPED

SHADERS = Path(__file__).resolve().parent.parent / "shaders"
_TITLE = """// {doc}
// Printed by tools/print_shaders.py from grilly/schedules/; do not edit.
"""


def printed() -> dict[Path, str]:
    """Return every printed file and its text."""
    files = {SHADERS / "include" / "hyper.glsl": hyper.glsl()}
    for name, formula in SHIPPED.items():
        doc = (type(formula).__doc__ or "").splitlines()[0]
        p = program(formula)
        labels = [shorten(label, 300) for label in p.labels]  # a list has one of all its numbers
        text = glsl.shader(p.structure, _TITLE.format(doc=doc), labels)
        files[SHADERS / "schedule" / f"{name}.comp"] = text
    return files


def main(arguments: list[str]) -> int:
    """Write the files, or compare them; return the exit code."""
    files = printed()
    stale = [path for path, text in files.items() if not path.exists() or path.read_text() != text]
    extra = set((SHADERS / "schedule").glob("*.comp")) - set(files)
    if "--check" in arguments:
        for path in [*stale, *sorted(extra)]:
            print(f"differs from what is printed: {path.relative_to(SHADERS.parent)}")
        return int(bool(stale or extra))
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[path])
    for path in extra:
        path.unlink()
    print(f"{len(stale)} of {len(files)} files written, {len(extra)} removed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
