"""The SPIR-V cache: one file an entry, checked against its sha256 before use.

The folder is trusted: who can write it can replace shaders. It belongs to the user alone, and
any trouble with it is a miss, never an error.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path

MAGIC = b"grilly spv 1\n"
DIGEST = 32


def key(parts: Sequence[bytes]) -> str:
    """Return the name of the entry made from these parts, however they are cut."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()


def load(name: str) -> bytes | None:
    """Return the payload of entry ``name``, or None if it is missing or damaged."""
    try:
        data = (_folder() / name).read_bytes()
    except (OSError, RuntimeError):
        return None
    start = len(MAGIC) + DIGEST
    payload = data[start:]
    return payload if payload and data[:start] == _header(name, payload) else None


def store(name: str, payload: bytes) -> None:
    """Write entry ``name`` so that a reader sees all of it or none."""
    try:
        folder = _folder()
        handle, temporary = tempfile.mkstemp(dir=folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_header(name, payload) + payload)
            os.replace(temporary, folder / name)
        except BaseException:
            os.unlink(temporary)
            raise
    except (OSError, RuntimeError):
        return


def _header(name: str, payload: bytes) -> bytes:
    # The name is hashed too: an entry moved under another name is damaged.
    return MAGIC + hashlib.sha256(name.encode() + payload).digest()


def _folder() -> Path:
    """Return the folder, made for the user alone; OSError if it belongs to someone else."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(os.environ.get("GRILLY_CACHE") or Path(home) / "grilly") / "spirv"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if hasattr(os, "getuid"):
        found = folder.stat()
        if found.st_uid != os.getuid():
            raise PermissionError(f"{folder} belongs to another user")
        if stat.S_IMODE(found.st_mode) & 0o077:
            folder.chmod(0o700)
    return folder
