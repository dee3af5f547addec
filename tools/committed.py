"""Files that a tool makes and git keeps: written anew, or with --check compared."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def keep(files: Mapping[Path, str], found: Iterable[Path], arguments: list[str]) -> int:
    """Write what differs and remove what of ``found`` is not in ``files``; return the exit code.

    With ``--check`` as the one argument say what would be written or removed: 1 if anything.
    """
    if arguments not in ([], ["--check"]):
        print(f"usage: {sys.argv[0]} [--check]", file=sys.stderr)
        return 2
    stale = [path for path, text in files.items() if not path.exists() or path.read_text() != text]
    extra = sorted(set(found) - set(files))
    if arguments:
        for path in [*stale, *extra]:
            print(f"differs from what is made: {path}")
        return int(bool(stale or extra))
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[path])
    for path in extra:
        path.unlink()
    print(f"{len(stale)} of {len(files)} files written, {len(extra)} removed")
    return 0
