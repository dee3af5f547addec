"""The process of one peer: ``python worker.py MODULE FUNCTION OPTIMIZER SCHEDULE SIZE``.

Builds the workload, makes CHECKED steps, and says in a line of JSON what it is ("about") and some
of its weights. After that, for each line "run K", it makes K steps and answers with their seconds.
It ends with its input. What a library prints goes to stderr.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Iterable
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
        start = time.perf_counter()
        workload.run(int(steps))
        print(time.perf_counter() - start, file=answers, flush=True)


def main() -> None:
    """Build what the arguments name, and serve it."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    module, function, optimizer, schedule, size = sys.argv[1:]
    build = getattr(importlib.import_module(module), function)
    serve(build(Case(optimizer, schedule, int(size))), sys.stdin, answers)


if __name__ == "__main__":
    main()
