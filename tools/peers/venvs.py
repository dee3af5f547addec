"""The peers' virtual environments: made once by pip, used again as long as they hold the same."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def torch_requirement() -> str:
    """Return the release of torch that the tests compare with, which pyproject.toml names."""
    [found] = re.findall(r'"(torch==[^"]+)"', (ROOT / "pyproject.toml").read_text("utf-8"))
    return str(found)


# Name -> the arguments of each `pip install`. Most of what grilly 0.3.0 asks for, among it test
# tools and spaCy, its optimizers do not use.
ENVIRONMENTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "torch": ((torch_requirement(), "numpy"),),
    "optax": (("optax==0.2.8", "jax==0.10.2"),),
    "grilly-0.3.0": (
        ("numpy", "vulkan", "blake3", "numba"),
        ("--no-deps", "grilly==0.3.0.20260207103851"),
    ),
}


class InstallError(Exception):
    """An environment could not be made; says which command failed, and its last words."""


def python_of(folder: Path, name: str) -> Path:
    """Return the Python of environment ``name`` below ``folder``, made if it is not there.

    Raises InstallError.
    """
    home = folder / name
    stamp, python = home / "installed.txt", home / "bin" / "python"
    wanted = "\n".join(" ".join(arguments) for arguments in ENVIRONMENTS[name])
    if not stamp.exists() or stamp.read_text("utf-8") != wanted:
        _run(sys.executable, "-m", "venv", "--clear", str(home))
        for arguments in ENVIRONMENTS[name]:
            _run(str(python), "-m", "pip", "install", "--quiet", *arguments)
        stamp.write_text(wanted, "utf-8")
    return python


def _run(*command: str) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()[-3:]
        raise InstallError(f"{' '.join(command)}: {' / '.join(said)}")
