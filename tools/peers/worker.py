"""The process of one peer: ``python worker.py MODULE FUNCTION OPTIMIZER SCHEDULE SIZE``.

Builds the workload, makes CHECKED steps, and says in a line of JSON what it is ("about") and some
of its weights. After that, for each line "run K", it makes a step to warm up and K more, and
answers with the seconds of those, and the seconds that its threads waited for a core meanwhile. It
ends with its input. What a library prints goes to stderr.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TextIO

import numpy as np
from workload import Case, Workload

# Steps after which all peers must have the same weights, and how many of these are told.
CHECKED, TOLD = 3, 8


def serve(workload: Workload, requests: Iterable[str], answers: TextIO) -> None:
    """Answer the requests, one line each."""
    workload.run(CHECKED)
    weights = np.asarray(workload.weights()).ravel()
    told = weights[:: -(-weights.size // TOLD)].tolist()  # before about(), which may step
    print(json.dumps({"about": workload.about(), "weights": told}), file=answers, flush=True)
    for request in requests:
        word, steps = request.split()
        if word != "run":
            raise ValueError(f"a request must be 'run K', got {request!r}")
        workload.run(1)
        print(*timed(workload, int(steps)), file=answers, flush=True)


def timed(workload: Workload, steps: int) -> tuple[float, float]:
    """Return the seconds of so many steps, and those that threads waited for a core."""
    before, start = waited(), time.perf_counter()
    workload.run(steps)
    seconds = time.perf_counter() - start
    return seconds, max(0.0, waited() - before)


def waited() -> float:
    """Return for how long the threads that there are were ready to run and did not; 0 if unknown.

    Linux tells.
    """
    total = 0
    for file in Path("/proc/self/task").glob("*/schedstat"):
        with suppress(OSError):  # a thread may end meanwhile
            total += int(file.read_text().split()[1])
    return total / 1e9


def main() -> None:
    """Build what the arguments name, and serve it."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    module, function, optimizer, schedule, size = sys.argv[1:]
    build = getattr(importlib.import_module(module), function)
    serve(build(Case(optimizer, schedule, int(size))), sys.stdin, answers)


if __name__ == "__main__":
    main()
