"""Running a piece of Python in a process of its own, because it ends, forks or may crash."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap

# First in, last out: runs after every finalizer, when the validation layer has said it all.
PRELUDE = """
import atexit, os, sys
def report():
    vk = sys.modules.get("grilly.vk")
    if vk is not None and vk.messages:
        print("\\n".join(vk.messages), file=sys.stderr, flush=True)
        os._exit(77)
atexit.register(report)
"""


def start(code: str, **variables: str) -> subprocess.Popen[str]:
    """Start ``code`` with these environment variables; its output can be read."""
    return subprocess.Popen(
        [sys.executable, "-c", PRELUDE + textwrap.dedent(code)],
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run(code: str, timeout: float = 60, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run ``code`` to its end; a time-out kills it and fails."""
    process = start(code, **variables)
    try:
        output, errors = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # its children hold the pipes too
        output, errors = process.communicate()
        raise AssertionError(f"no end within {timeout} s\n{output}\n{errors}") from None
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


def says(code: str, timeout: float = 60, **variables: str) -> str:
    """Run ``code``, which must end with exit code 0, and return what it printed."""
    done = run(code, timeout, **variables)
    assert done.returncode == 0, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout
