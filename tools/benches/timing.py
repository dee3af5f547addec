"""Interleaved timing, ratios and Markdown tables."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

ROUNDS = 15

Run = Callable[[], object]
Runs = dict[str, Run]
Seconds = dict[str, list[float]]


def timed(runs: Runs, rounds: int = ROUNDS) -> Seconds:
    """Return the seconds of each run in each of the interleaved rounds, after one warm-up.

    Every second round goes the other way, so that nobody always follows the same neighbour.
    """
    seconds: Seconds = {name: [] for name in runs}
    for round_ in range(rounds + 1):
        for name in reversed(runs) if round_ % 2 else runs:
            start = time.perf_counter()
            runs[name]()
            if round_:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def ratio(seconds: Seconds, a: str, b: str) -> float:
    """Return the median of a / b, round by round."""
    return statistics.median(x / y for x, y in zip(seconds[a], seconds[b], strict=True))


def difference(seconds: Seconds, a: str, b: str) -> float:
    """Return the median of a - b, round by round."""
    return statistics.median(x - y for x, y in zip(seconds[a], seconds[b], strict=True))


def repeated(run: Run, times: int) -> Run:
    """Return a run that calls ``run`` ``times`` times."""

    def runs() -> None:
        for _ in range(times):
            run()

    return runs


def short(number: int) -> str:
    """Return a number as in 1e6 or 2.5e6."""
    digits, exponent = f"{number:.1e}".split("e")
    return f"{digits.removesuffix('.0')}e{int(exponent)}"


def markdown(head: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    lines = (head, ["---"] * len(head), *rows)
    return "\n".join("| " + " | ".join(row) + " |" for row in lines)


def table(title: str, head: list[str], rows: list[list[str]]) -> None:
    """Print a Markdown table."""
    print(f"\n{title}\n\n{markdown(head, rows)}", flush=True)
