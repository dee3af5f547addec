"""Shaders that grilly ships: SPIR-V by name, checked, and the folder of GLSL includes."""

from __future__ import annotations

import hashlib
from pathlib import Path

from .errors import ShaderError

PACKAGE = Path(__file__).parent
SPIRV = PACKAGE / "spirv"
MANIFEST = SPIRV / "SHA256SUMS"  # as sha256sum writes it: digest, two spaces, name
BUILD = "build them with `pip install -e .` or `cmake -B build && cmake --build build`"


def include_dir() -> Path:
    """Return the folder of the *.glsl files: in the package if installed, else in the checkout."""
    for folder in (PACKAGE / "include", PACKAGE.parent / "shaders" / "include"):
        if folder.is_dir():
            return folder
    raise ShaderError(f"grilly's GLSL includes are missing beside {PACKAGE}: reinstall grilly")


def spirv(name: str) -> bytes:
    """Return the SPIR-V of the shipped shader ``name``, such as "optim/adamw".

    Raises ShaderError if it is missing or not what was built: drivers crash on damaged SPIR-V.
    """
    entry = f"{name}.spv"
    try:
        code = (SPIRV / entry).read_bytes()
        digests = _digests(MANIFEST.read_text(encoding="utf-8"))
    except FileNotFoundError as cause:
        raise ShaderError(f"{cause.filename} is missing: {BUILD}") from cause
    if digests.get(entry) != hashlib.sha256(code).hexdigest():
        raise ShaderError(f"{SPIRV / entry} is not what was built: {BUILD}")
    return code


def _digests(manifest: str) -> dict[str, str]:
    """Return file name -> sha256; a star before the name marks binary mode."""
    rows = [line.split(maxsplit=1) for line in manifest.splitlines() if line.strip()]
    return {row[1].lstrip("*"): row[0].lower() for row in rows if len(row) == 2}
