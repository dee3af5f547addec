"""Interleaved timing, ratios and Markdown tables."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

ROUNDS = 15

Runs = dict[str, Callable[[], None]]
Seconds = dict[str, list[float]]


def timed(runs: Runs, rounds: int = ROUNDS) -> Seconds:
    """Return the seconds of each run in each of the interleaved rounds, after one warm-up."""
    seconds: Seconds = {name: [] for name in runs}
    for round_ in range(rounds + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            if round_:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def ratio(seconds: Seconds, a: str, b: str) -> float:
    """Return the median of a / b, round by round."""
    return statistics.median(x / y for x, y in zip(seconds[a], seconds[b], strict=True))


def repeated(run: Callable[[], object], times: int) -> Callable[[], None]:
    """Return a run that calls ``run`` ``times`` times."""

    def runs() -> None:
        for _ in range(times):
            run()

    return runs


def short(number: int) -> str:
    """Return a power of ten as in 1e6."""
    return f"{number:.0e}".replace("e+0", "e")


def table(title: str, head: list[str], rows: list[list[str]]) -> None:
    """Print a Markdown table."""
    print(f"\n{title}\n")
    for row in (head, ["---"] * len(head), *rows):
        print("| " + " | ".join(row) + " |", flush=True)
