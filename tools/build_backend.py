"""The build backend: scikit-build-core, which also brings a shader compiler where there is none."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import scikit_build_core.build as _backend
from scikit_build_core.build import *  # noqa: F403

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # comes with scikit-build-core there

Settings = dict[str, "list[str] | str"]


def _compiler() -> list[str]:
    """Return what to install so that CMakeLists.txt finds a compiler: nothing if one is there."""
    if os.environ.get("GRILLY_GLSLANG") or shutil.which("glslangValidator"):
        return []
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    return list(project["optional-dependencies"]["compile"])


def get_requires_for_build_wheel(config_settings: Settings | None = None) -> list[str]:
    """Return what a wheel needs: CMake and Ninja unless the system has them, and a compiler."""
    return _backend.get_requires_for_build_wheel(config_settings) + _compiler()


def get_requires_for_build_editable(config_settings: Settings | None = None) -> list[str]:
    """Return what an editable install needs: the same."""
    return _backend.get_requires_for_build_editable(config_settings) + _compiler()
