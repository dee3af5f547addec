"""Running a program that is not trusted: time limit, memory limit, and its exit code as a hint."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import ShaderError

TIMEOUT = 20.0  # seconds; a macro can make the compiler loop for ever
MEMORY = 4 << 30  # bytes of address space


@dataclass(frozen=True)
class Tool:
    """A program and the environment that it needs."""

    path: Path
    environment: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def identity(self) -> str:
        """What changes when the program is replaced by another version."""
        stat = self.path.stat()
        return f"{self.path.resolve()} {stat.st_size} {stat.st_mtime_ns}"

    def run(self, arguments: Sequence[str], folder: Path) -> tuple[int, str]:
        """Run in ``folder``; return exit code and output, ShaderError if it does not end."""
        log = folder / "log"
        with log.open("wb") as output:
            try:
                process = subprocess.Popen(
                    [str(self.path), *arguments],
                    cwd=folder,
                    env={**os.environ, **self.environment},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # so that a time-out ends its children too
                )
            except OSError as cause:
                raise ShaderError(f"{self.path} cannot be run: {cause}") from cause
            _limit_memory(process.pid)
            code = _await(process, self.path)
        return code, log.read_bytes()[:20_000].decode(errors="replace").strip()


def _await(process: subprocess.Popen[bytes], path: Path) -> int:
    try:
        return process.wait(TIMEOUT)
    except subprocess.TimeoutExpired:
        raise ShaderError(f"{path} did not end within {TIMEOUT} s") from None
    finally:
        if process.poll() is None:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def _limit_memory(pid: int) -> None:
    try:
        import resource

        resource.prlimit(pid, resource.RLIMIT_AS, (MEMORY, MEMORY))
    except (ImportError, AttributeError, OSError):
        return  # not Linux, or the program has ended already: the time limit remains
