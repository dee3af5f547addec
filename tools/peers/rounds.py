"""Rounds over processes: each is a worker, and only one of them works at a time."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

WORKER = Path(__file__).with_name("worker.py")
# Seconds that a child may take for an answer, and that one run of it should: short, for a longer
# one is the more certain to be interrupted when the machine has other work.
PATIENCE, RUN = 300.0, 0.005
# A run whose threads waited for a core for more than this share of it is made again, so often.
CALM, TRIES = 0.05, 5


class WorkerError(Exception):
    """A worker ended instead of answering; says its last words."""


class Run(NamedTuple):
    """The seconds of some steps, and what share of these threads waited for a core.

    The share is summed over the threads: it may exceed 1.
    """

    seconds: float
    waited: float


class Child:
    """A worker's process. It begins to build its workload at once; ``ready()`` waits for that."""

    def __init__(self, command: Sequence[str | Path], patience: float = PATIENCE) -> None:
        self._patience = patience
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")
        pipe = subprocess.PIPE
        # Another PYTHONPATH may hold another grilly.
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        self._process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=self._errors, text=True, env=environment
        )
        self.about = ""
        self.weights: list[float] = []
        self.steps = 1

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        # Its end is near, whatever it does: killed, it cannot hang in a driver's exit.
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def ready(self) -> None:
        """Wait until the workload is built and checked."""
        said = json.loads(self._answer())
        self.about, self.weights = said["about"], said["weights"]

    def pace(self) -> None:
        """Choose the steps of a round; better when nobody builds any more."""
        while (seconds := self.run(self.steps).seconds) < RUN / 2:
            self.steps = max(2 * self.steps, int(self.steps * RUN / max(seconds, 1e-6) / 2))

    def run(self, steps: int) -> Run:
        """Make ``steps`` steps."""
        assert self._process.stdin is not None
        with self._words():
            self._process.stdin.write(f"run {steps}\n")
            self._process.stdin.flush()
        seconds, waited = map(float, self._answer().split())
        return Run(seconds, waited / seconds)

    def _answer(self) -> str:
        assert self._process.stdout is not None
        alarm = threading.Timer(self._patience, self._process.kill)
        alarm.start()
        line = self._process.stdout.readline()
        alarm.cancel()
        if not line:
            raise WorkerError(self._last_words())
        return line

    @contextmanager
    def _words(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            raise WorkerError(self._last_words()) from None

    def _last_words(self) -> str:
        code = self._process.wait()
        self._errors.seek(0)
        lines = [line.strip() for line in self._errors if line.strip()]
        return lines[-1] if lines else f"exit code {code}"


def interleaved(children: dict[str, Child], rounds: int) -> dict[str, list[Run]]:
    """Return what a step of each child took in each round.

    Every second round goes the other way, so that nobody always follows the same neighbour. Raises
    WorkerError.
    """
    for name, child in children.items():
        with _naming(name):
            child.pace()
    runs: dict[str, list[Run]] = {name: [] for name in children}
    for round_ in range(rounds):
        names = list(children) if round_ % 2 else list(reversed(children))
        for name in names:
            with _naming(name):
                runs[name].append(_step(children[name]))
    return runs


@contextmanager
def _naming(name: str) -> Iterator[None]:
    try:
        yield
    except WorkerError as problem:
        raise WorkerError(f"{name}: {problem}") from None


def _step(child: Child) -> Run:
    """Return the seconds of a step in a calm run, or in the calmest of a few."""
    runs: list[Run] = []
    while len(runs) < TRIES and (not runs or runs[-1].waited > CALM):
        runs.append(child.run(child.steps))
    calmest = min(runs, key=lambda run: run.waited)
    return calmest._replace(seconds=calmest.seconds / child.steps)
