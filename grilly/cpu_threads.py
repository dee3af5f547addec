"""Threads: the blocks of a numpy update, shared out to the cores (numpy's loops release the GIL).

The threads live as long as the update. Starting them costs less than 0.1 ms, and nothing is left
that a forked child would miss or that the end of the process would have to wait for.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import numpy as np

T = TypeVar("T")

# Below a million parameters a second thread costs more than it saves (docs/performance.md).
FLOATS_OF_A_THREAD = 500_000
# A twentieth of a block's time is Python's own, which one thread at a time can run.
MOST = 8


def wanted(floats: int) -> int:
    """Return the number of threads for an update of so many parameters."""
    return max(1, min(MOST, _cores(), floats // FLOATS_OF_A_THREAD))


def share(items: Iterable[T], work: Callable[[int, T], None], threads: int) -> None:
    """Call ``work(thread, item)`` for each item, on ``threads`` threads, this one being 0.

    Raises the first error after all threads have ended. Floating-point warnings are off.
    """
    if threads == 1:
        with np.errstate(all="ignore"):
            for item in items:
                work(0, item)
    else:
        _share(deque(items), work, threads)


def _share(left: deque[T], work: Callable[[int, T], None], threads: int) -> None:
    errors = list[BaseException]()

    def run(number: int) -> None:
        try:
            with np.errstate(all="ignore"):  # holds for its own thread only
                for item in _taken(left):
                    work(number, item)
        except BaseException as error:
            errors.append(error)

    helpers = _started(run, range(1, threads))
    run(0)
    for helper in helpers:
        helper.join()
    if errors:
        raise errors[0]


def _started(run: Callable[[int], None], numbers: Iterable[int]) -> list[threading.Thread]:
    """Start as many threads as the system allows; the caller does what is left."""
    started = []
    for number in numbers:
        thread = threading.Thread(target=run, args=(number,), name=f"grilly-{number}")
        try:
            thread.start()
        except RuntimeError:  # no more threads, or the interpreter is ending
            break
        started.append(thread)
    return started


def _taken(left: deque[T]) -> Iterator[T]:
    """Yield what this thread takes of the items that are left."""
    while True:
        try:
            item = left.popleft()
        except IndexError:
            return
        yield item


def _cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
