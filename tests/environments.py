"""Environments: clean virtual environments and source folders that packaging is tried out in."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np

BORROWED_FROM = Path(np.__file__).parents[1]

# What tools leave behind; none of it is made by a build.
CACHES = {".git", ".venv", "__pycache__", ".hypothesis", ".mypy_cache", ".pytest_cache"}
CACHES |= {".ruff_cache"}


def run(*command: str | Path, cwd: Path, **variables: str) -> str:
    """Return what a command prints; its tools are those of this environment, its imports not."""
    environment = {**os.environ, **variables}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    for name in {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE"} - variables.keys():
        environment.pop(name, None)
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def files(folder: Path) -> dict[str, int]:
    """Return the files below ``folder`` that are no tool's cache, and when each was written."""
    return {
        str(path.relative_to(folder)): path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if path.is_file() and not CACHES & set(path.relative_to(folder).parts)
    }


def python_with(folder: Path) -> Path:
    """Make a virtual environment that sees this one's packages, but neither grilly nor vulkan."""
    venv.create(folder / "venv", symlinks=True)
    borrowed = folder / "borrowed"
    borrowed.mkdir()
    for package in BORROWED_FROM.iterdir():
        if not package.name.lstrip("_").startswith(("grilly", "vulkan")):
            (borrowed / package.name).symlink_to(package)
    [packages] = (folder / "venv").glob("lib/python*/site-packages")
    (packages / "borrowed.pth").write_text(f"{borrowed}\n")
    return folder / "venv" / "bin" / "python"


def install(python: Path, *what: str | Path) -> None:
    options = ("--no-index", "--no-deps", "--no-build-isolation", "--ignore-installed")
    run(python, "-m", "pip", "install", "--quiet", *options, *what, cwd=python.parent)


def unpacked(sdist: Path, folder: Path) -> Path:
    """Return the folder of the sources that come out of ``sdist``."""
    folder.mkdir()
    run("tar", "-xf", sdist, "-C", folder, cwd=folder)
    [sources] = folder.iterdir()
    return sources
