"""This checkout's grilly against others that do the same work: ``make bench-peers``.

Each peer is a process in a virtual environment of its own (below --venvs, made by pip at the first
run), which builds its workload once. Rounds are interleaved over all of them, only one works at a
time, and a figure is the median of the ratios round by round. "self" is ours against a second
process of the same, which is what noise does to a figure here, and "waited" for how much of its
time a process waited for a core in the median run: far from 0, the machine had other work, and
peers that share a step between threads suffer most. Prints Markdown.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from benches.timing import Seconds, ratio, short, table
from peers.rounds import WORKER, Child, Run, WorkerError, interleaved
from peers.venvs import ROOT, InstallError, python_of
from peers.workload import OPTIMIZERS, SCHEDULES, Case


class Runner(NamedTuple):
    """A function of a module in peers/, and the environment it runs in: "" is this checkout's.

    It takes part up to ``largest`` weights, and in ``only`` this optimizer and schedule, if given.
    """

    module: str
    function: str
    environment: str = ""
    largest: int = 10**6
    only: tuple[str, str] | None = None

    def takes(self, case: Case) -> bool:
        """Whether it takes part."""
        return case.size <= self.largest and self.only in (None, case[:2])


class Match(NamedTuple):
    """What came out for a case: the runs of a step, by runner and round."""

    case: Case
    runs: dict[str, list[Run]]

    @property
    def seconds(self) -> Seconds:
        """The seconds of a step, by runner and round."""
        return {name: [run.seconds for run in runs] for name, runs in self.runs.items()}

    @property
    def waited(self) -> float:
        """The median share of waiting."""
        return statistics.median(run.waited for runs in self.runs.values() for run in runs)


# Each has a table of its own.
OURS = {
    "numpy device": Runner("of_checkout", "numpy_device", largest=10**7),
    "lavapipe, eager": Runner("of_checkout", "lavapipe"),
    "lavapipe, eager, resident": Runner("of_checkout", "lavapipe_resident"),
    "lavapipe, replayed": Runner("of_checkout", "lavapipe_replayed"),
    "SwiftShader, eager": Runner("of_checkout", "swiftshader"),
    "SwiftShader, eager, resident": Runner("of_checkout", "swiftshader_resident"),
    "SwiftShader, replayed": Runner("of_checkout", "swiftshader_replayed"),
}
_OLD = ("AdamW", "CosineAnnealingLR")
# Each is a column in all tables.
PEERS = {
    "torch foreach": Runner("of_torch", "foreach", "torch", 10**7),
    "torch fused": Runner("of_torch", "fused", "torch", 10**7),
    "optax jit": Runner("of_optax", "jitted", "optax"),
    "grilly 0.3.0, use_gpu": Runner("of_pypi_grilly", "on_gpu", "grilly-0.3.0", only=_OLD),
    "grilly 0.3.0, numpy": Runner("of_pypi_grilly", "on_cpu", "grilly-0.3.0", only=_OLD),
}
RUNNERS = OURS | PEERS
AGAIN = " again"
ROUNDS = 31
SIZES = (10**4, 10**6, 10**7)
MANY = 10**6
# Relative, of weights after three steps: each rounds in its own order.
CLOSE = 1e-5


class Bench:
    """The runs, what is known of the runners, and what went wrong, by message."""

    def __init__(self, pythons: dict[str, Path], rounds: int) -> None:
        self.pythons = pythons
        self.rounds = rounds
        self.about: dict[str, str] = {}
        self.wrong: defaultdict[str, list[Case]] = defaultdict(list)

    def match(self, case: Case, names: Iterable[str]) -> Match:
        """Return the seconds of those who take part, each of ours twice; empty if that fails."""
        print(f"{case.optimizer}, {case.schedule}, {short(case.size)} ...", file=sys.stderr)
        found = [name for name in names if self._takes(name, case)]
        found += [name + AGAIN for name in found if name in OURS]
        with ExitStack() as stack:
            children = {
                name: stack.enter_context(Child(self._command(name, case))) for name in found
            }
            ready = {
                name: child for name, child in children.items() if self._ready(name, child, case)
            }
            alike = self._alike(ready, case)
            try:
                return Match(case, interleaved(alike, self.rounds))
            except WorkerError as problem:
                self.wrong[f"all runs, because one ended: {problem}"].append(case)
                return Match(case, {})

    def _takes(self, name: str, case: Case) -> bool:
        return RUNNERS[name].environment in self.pythons and RUNNERS[name].takes(case)

    def _command(self, name: str, case: Case) -> list[str | Path]:
        runner = RUNNERS[name.removesuffix(AGAIN)]
        python = self.pythons[runner.environment]
        return [python, WORKER, runner.module, runner.function, *map(str, case)]

    def _ready(self, name: str, child: Child, case: Case) -> bool:
        try:
            child.ready()
        except WorkerError as problem:
            self.wrong[f"{name}: {problem}"].append(case)
            return False
        self.about[name] = child.about
        return True

    def _alike(self, children: dict[str, Child], case: Case) -> dict[str, Child]:
        """Return those that have computed what the first one has."""
        found = {}
        for name, child in children.items():
            first = next(iter(children.values())).weights
            if np.allclose(child.weights, first, rtol=CLOSE, atol=0):
                found[name] = child
            else:
                self.wrong[f"{name} has other weights than {next(iter(children))}"].append(case)
        return found


def row(match: Match, ours: str, peers: Iterable[str]) -> list[str]:
    """Return the peers' times / ours, and that of our second process, or nothing if we are out."""
    case, seconds = match.case, match.seconds
    if ours not in seconds:
        return []
    columns = [*peers, ours + AGAIN]
    figures = [f"{ratio(seconds, name, ours):.2f}" if name in seconds else "" for name in columns]
    waited = f"{match.waited:.0%}"
    return [case.optimizer, case.schedule, short(case.size), *figures, waited] * any(figures)


def show(bench: Bench, matches: Sequence[Match], ours: str, peers: Sequence[str]) -> bool:
    """Print the table of one of ours; return whether it has a row."""
    rows = [found for match in matches if (found := row(match, ours, peers))]
    if rows:
        print(f"\n### {ours}")
        title = f"The others' time / that of {bench.about[ours]} (above 1 grilly is faster):"
        table(title, ["optimizer", "schedule", "parameters", *peers, "self", "waited"], rows)
    return bool(rows)


def show_notes(bench: Bench, peers: Iterable[str]) -> None:
    """Print what the peers said of themselves, and what went wrong."""
    rows = [[name, bench.about[name]] for name in peers if name in bench.about]
    if rows:
        table("What ran:", ["column", "what it is"], rows)
    for problem, cases in bench.wrong.items():
        places = "; ".join(f"{c.optimizer}, {c.schedule}, {short(c.size)}" for c in cases)
        print(f"\nLeft out: {problem}" + (f" ({places})" if places else ""))


def environments(folder: Path, names: Iterable[str], bench: Bench) -> None:
    """Make the environments that the runners need; name those that cannot be."""
    for name in dict.fromkeys(RUNNERS[runner].environment for runner in names):
        if name:
            print(f"environment {folder / name} ...", file=sys.stderr)
            try:
                bench.pythons[name] = python_of(folder, name)
            except InstallError as problem:
                bench.wrong[f"{name} cannot be installed: {problem}"] = []


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--venvs", type=Path, default=ROOT / "build" / "peers")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    for name, known in {
        "--optimizers": OPTIMIZERS,
        "--schedules": SCHEDULES,
        "--ours": OURS,
        "--peers": PEERS,
    }.items():
        parser.add_argument(name, nargs="+", choices=known, default=list(known))
    return parser.parse_args()


def cases(options: argparse.Namespace) -> Iterator[Case]:
    """Yield what is asked for; of many weights with the first schedule only.

    There the schedule is nothing beside the update.
    """
    for optimizer, size in product(options.optimizers, options.sizes):
        for schedule in options.schedules[: 1 if size >= MANY else None]:
            yield Case(optimizer, schedule, size)


def main() -> int:
    """Run the matches and print their tables; 1 if there is not one figure."""
    options = arguments()
    bench = Bench({"": Path(sys.executable)}, options.rounds)
    names = [*options.ours, *options.peers]
    environments(options.venvs.resolve(), names, bench)
    before = os.getloadavg()[0]
    matches: list[Match] = []
    with suppress(KeyboardInterrupt):  # what has been measured is printed
        for case in cases(options):
            matches.append(bench.match(case, names))
    after, cores = os.getloadavg()[0], os.cpu_count()
    print(f"Medians of {options.rounds} interleaved rounds, a process each, on {cores} cores;")
    print(f"load {before:.1f} at the beginning, {after:.1f} at the end.")
    shown = [show(bench, matches, ours, options.peers) for ours in options.ours]
    show_notes(bench, options.peers)
    return 0 if any(shown) else 1


if __name__ == "__main__":
    sys.exit(main())
