"""Layers: who imports whom in grilly/, as a table; and that `import grilly` loads no Vulkan."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "grilly"

# layer -> what it may import besides itself and the standard library. A layer is a module of
# grilly or a folder of it. A formula does not know that it is traced, and vk knows no schedule.
ALLOWED = {
    "errors": set[str](),
    "mathfun": {"numpy"},
    "nested": set[str](),
    "whole": {"numpy"},
    "composed": {"numpy"},
    "xfloat": {"numpy"},
    "hyper": {"numpy"},
    # Schedule.table() and plot() hand over to look, which knows devices, when they are called.
    "schedules": {"numpy", "errors", "mathfun", "nested", "look"},
    "rules": {"numpy", "errors", "mathfun", "nested", "schedules"},
    "reductions": {"numpy", "rules", "schedules", "whole"},
    "powers": {"numpy", "mathfun"},
    "expr": {"numpy", "composed", "errors", "mathfun", "nested", "powers", "xfloat"},
    "loops": {"errors", "expr"},
    "program": {"numpy", "errors", "expr", "loops", "xfloat"},
    "quick": {"numpy", "expr", "mathfun", "program", "xfloat"},
    "glsl": {"expr", "hyper", "loops", "program"},
    "shaders": {"errors"},
    "vk": {"numpy", "vulkan", "errors", "interrupt", "shaders"},
    "kept": {"numpy", "hyper"},
    "planning": {"numpy", "hyper", "kept", "program", "schedules"},
    "backend": {"numpy", "errors", "planning", "resident", "rules", "cpu", "gpu", "vk"},
    "chunks": {"numpy", "hyper"},
    "cpu_kernels": {"numpy"},
    "cpu_norm": {"numpy", "cpu_threads", "hyper"},
    "cpu_table": {"numpy", "program", "quick", "schedules", "xfloat", "planning"},
    "cpu_threads": {"numpy"},
    "interrupt": set[str](),
    "cpu": {
        "numpy",
        "cpu_kernels",
        "cpu_norm",
        "cpu_rules",
        "cpu_table",
        "cpu_threads",
        "hyper",
        "interrupt",
        "kept",
        "resident",
        "rules",
        "schedules",
        "planning",
    },
    "slabs": {"numpy", "chunks", "vk", "planning"},
    "gpu": {
        "numpy",
        "errors",
        "gpu_record",
        "gpu_rules",
        "hyper",
        "program",
        "resident",
        "rules",
        "schedules",
        "slabs",
        "vk",
        "planning",
    },
    "gpu_record": {
        "numpy",
        "chunks",
        "glsl",
        "gpu_history",
        "gpu_norm",
        "hyper",
        "program",
        "schedules",
        "shaders",
        "slabs",
        "vk",
        "xfloat",
        "planning",
    },
    "gpu_history": {"numpy", "hyper", "interrupt", "kept", "shaders", "vk"},
    "counting": {"backend", "vk"},
    "gpu_norm": {"numpy", "chunks", "hyper", "shaders", "vk", "slabs"},
    "gpu_table": {"numpy", "gpu_record", "program", "schedules", "vk", "planning"},
    "lint_values": {"numpy", "optim", "schedules", "planning"},
    "linter": {"numpy", "whole", "lint_values", "look", "optim", "rules", "schedules"},
    "look": {
        "numpy",
        "matplotlib",
        "backend",
        "errors",
        "gpu_table",
        "optim",
        "program",
        "quick",
        "rules",
        "schedules",
        "vk",
        "whole",
        "planning",
    },
    "nn": {"numpy", "errors", "resident"},
    "resident": {
        "numpy",
        "backend",
        "errors",
        "interrupt",
        "reductions",
        "rules",
        "shaders",
        "vk",
        "whole",
        "planning",
    },
    "cpu_rules": {"resident", "rules", "cpu"},
    "gpu_rules": {"numpy", "gpu", "resident", "rules", "shaders", "vk", "planning"},
    "optim": {
        "numpy",
        "nested",
        "backend",
        "errors",
        "hyper",
        "interrupt",
        "kept",
        "nn",
        "program",
        "resident",
        "rules",
        "schedules",
        "vk",
        "whole",
        "planning",
    },
    "__init__": {
        "counting",
        "errors",
        "lint_values",
        "linter",
        "nn",
        "optim",
        "resident",
        "rules",
        "schedules",
    },
}


def layer_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported(path: Path) -> set[str]:
    """Return the full dotted names that a file imports, wherever in the file it does so."""
    package = ("grilly", *path.relative_to(PACKAGE).parent.parts)
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else ()
            start = ".".join((*base, *filter(None, [node.module])))
            names |= {f"{start}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call):
            names |= imported_by_call(node)
    return names


def imported_by_call(node: ast.Call) -> set[str]:
    """Return the name in importlib.import_module("name") or __import__("name")."""
    called = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
    if called not in ("import_module", "__import__"):
        return set()
    assert isinstance(node.args[0], ast.Constant), "an import that a reader cannot see"
    return {node.args[0].value}


def layers_used(path: Path) -> set[str]:
    """Return the layers of grilly and the packages that a file imports, itself left out."""
    used = set()
    for name in imported(path):
        first, *rest = name.split(".")
        used.add(rest[0] if first == "grilly" and rest else first)
    return used - {layer_of(path)} - sys.stdlib_module_names


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(PACKAGE)) for path in FILES])
def test_file_keeps_to_its_layer(path: Path) -> None:
    assert layers_used(path) <= ALLOWED[layer_of(path)]


def test_imports_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The walk itself: a rule that sees nothing holds always.
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path)
    folder = tmp_path / "optim"
    folder.mkdir()
    (folder / "bad.py").write_text(
        "import vulkan._vulkan\n"
        "from ..cpu import x\n"
        "from .. import gpu, vk\n"
        "from . import sgd\n"
        "from .adam import Adam\n"
        "def f():\n    importlib.import_module('torch')\n    from grilly import glsl\n"
    )
    used = layers_used(folder / "bad.py")
    assert used == {"vulkan", "cpu", "gpu", "vk", "torch", "glsl"}


def test_only_vk_imports_vulkan() -> None:
    users = {layer_of(path) for path in FILES if "vulkan" in layers_used(path)}
    assert users == {"vk"}


def test_import_loads_no_vulkan() -> None:
    code = "import sys, grilly; print(*{name.split('.')[0] for name in sys.modules})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert "grilly" in loaded and "numpy" in loaded
    assert not loaded & {"vulkan", "cffi", "_cffi_backend"}
