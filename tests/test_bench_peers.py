"""The benchmark against others: a worker's protocol, and the arithmetic of the tables."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import bench_peers
import numpy as np
import pytest
from bench_peers import AGAIN, OURS, PEERS, Bench, Match, Runner
from peers import rounds, venvs, workload
from peers.rounds import WORKER, Child, Run, WorkerError, interleaved
from peers.workload import Case

CASE = Case("AdamW", "CosineAnnealingLR", 20)

# Stands where of_torch.py and the like stand. A step adds one to each weight and takes PAUSE.
PAUSE = 0.002
FAKE = f"""
import sys, time
import numpy as np
from workload import Workload, stepping

def counting(case, by=1.0):
    weights = np.arange(case.size, dtype=np.float32)
    print("what a library prints")

    def step():
        time.sleep({PAUSE})
        weights[...] += by

    return Workload(stepping(step), lambda: weights, lambda: f"fake of {{case.optimizer}}")

def other(case):
    return counting(case, 2.0)

def broken(case):
    raise RuntimeError("no such device")

def dying(case):
    made, calls = counting(case), []

    def run(steps):
        calls.append(steps)
        made.run(steps)
        if len(calls) == 9:
            sys.exit("gone")

    return made._replace(run=run)

def stuck(case):
    time.sleep(60)
"""


@pytest.fixture
def fake(tmp_path: Path) -> Path:
    """A script that runs the worker where it finds the fake module."""
    (tmp_path / "fake.py").write_text(FAKE)
    start = tmp_path / "start.py"
    folder = str(WORKER.parent)
    start.write_text(f"import sys\nsys.path.append({folder!r})\nimport worker\nworker.main()\n")
    return start


@pytest.fixture
def bench(fake: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A Bench whose workers are fakes of this interpreter: "ours", "twin" and some that fail."""
    functions = {"twin": "counting", "wrong": "other", "broken": "broken", "dying": "dying"}
    monkeypatch.setattr(bench_peers, "WORKER", fake)
    monkeypatch.setattr(bench_peers, "OURS", {"ours": Runner("fake", "counting")})
    monkeypatch.setattr(
        bench_peers,
        "RUNNERS",
        {"ours": Runner("fake", "counting")}
        | {name: Runner("fake", function) for name, function in functions.items()},
    )
    yield Bench({"": Path(sys.executable)}, rounds=3)


def command(fake: Path, function: str) -> Sequence[str | Path]:
    return [sys.executable, fake, "fake", function, *map(str, CASE)]


def test_a_worker_answers_each_request_with_its_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(WORKER.parent)
    import worker

    steps: list[int] = []
    fake = workload.Workload(steps.append, lambda: np.arange(20.0), lambda: f"after {steps}")
    answers = io.StringIO()
    worker.serve(fake, ["run 4\n", "run 1\n"], answers)
    first, *seconds = answers.getvalue().splitlines()
    assert steps == [worker.CHECKED, 1, 4, 1, 1]
    assert json.loads(first) == {"about": "after [3]", "weights": [0, 3, 6, 9, 12, 15, 18]}
    assert len(seconds) == 2 and all(float(s) >= 0 for line in seconds for s in line.split())
    with pytest.raises(ValueError, match="a request must be 'run K', got 'walk 4"):
        worker.serve(fake, ["walk 4\n"], answers)


def test_a_child_builds_once_and_runs_what_it_is_told(fake: Path) -> None:
    with Child(command(fake, "counting")) as child:
        child.ready()
        assert child.about == "fake of AdamW"
        assert child.weights == [3, 6, 9, 12, 15, 18, 21]
        child.pace()
        # A round is long enough to be timed.
        assert child.run(child.steps).seconds >= rounds.RUN / 2
        assert child.run(5).seconds >= 5 * PAUSE
        assert child.run(10).seconds >= 10 * PAUSE


def test_a_child_that_cannot_build_says_why(fake: Path) -> None:
    with Child(command(fake, "broken")) as child:
        with pytest.raises(WorkerError, match=r"^RuntimeError: no such device$"):
            child.ready()
        with pytest.raises(WorkerError, match="no such device"):
            child.run(1)


def test_a_child_that_hangs_is_ended(fake: Path) -> None:
    start = time.monotonic()
    with Child(command(fake, "stuck"), patience=0.5) as child, pytest.raises(WorkerError):
        child.ready()
    assert time.monotonic() - start < 30


class Scripted(Child):
    """A child without a process, whose runs are written down: seconds a step, share of waiting."""

    def __init__(self, name: str, runs: Sequence[tuple[float, float]], log: list[str]) -> None:
        self.name, self.left, self.log, self.steps = name, list(runs), log, 2

    def pace(self) -> None:
        """Its steps are chosen."""

    def run(self, steps: int) -> Run:
        self.log.append(self.name)
        seconds, waited = self.left.pop(0)
        return Run(seconds * steps, waited)


def test_rounds_are_interleaved_there_and_back() -> None:
    log: list[str] = []
    children: dict[str, Child] = {
        name: Scripted(name, [(x, 0), (x + 1, 0), (x + 2, 0)], log)
        for name, x in (("a", 1), ("b", 5))
    }
    got = interleaved(children, 3)
    assert got == {"a": [(1, 0), (2, 0), (3, 0)], "b": [(5, 0), (6, 0), (7, 0)]}
    assert log == ["b", "a", "a", "b", "b", "a"]


def test_a_disturbed_run_is_made_again_and_the_calmest_counts() -> None:
    disturbed = [(4.0, 0.5), (6.0, 0.3), *[(3.0, 0.4)] * (rounds.TRIES - 2)]
    child = Scripted("a", [(9.0, 0.5), (5.0, 0.01), *disturbed], [])
    assert interleaved({"a": child}, 2) == {"a": [(5, 0.01), (6, 0.3)]}
    assert child.left == []


def test_a_figure_is_the_median_of_the_ratios_round_by_round() -> None:
    # The ratio of the medians would be 2.5, and of the sums 15 / 7.
    seconds = {"ours": [1.0, 2, 4], "old": [5.0, 6, 4], "ours" + AGAIN: [1.0, 1, 8]}
    seconds["else"] = [2.0, 4, 12]
    # Waiting is that of the median run, 0.25 of a round's 0, 0.25 and 0.5.
    runs = {n: [Run(s, i / 4) for i, s in enumerate(times)] for n, times in seconds.items()}
    match = Match(CASE._replace(size=10**6), runs)
    got = bench_peers.row(match, "ours", ["old", "absent", "else"])
    assert got == ["AdamW", "CosineAnnealingLR", "1e6", "3.00", "", "2.00", "1.00", "25%"]
    assert bench_peers.row(match, "absent", ["old"]) == []


def test_a_match_times_ours_twice_and_names_those_left_out(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    match = bench.match(CASE, ["ours", "twin", "wrong", "broken"])
    assert set(match.seconds) == {"ours", "twin", "ours" + AGAIN}
    assert all(len(s) == 3 and min(s) >= PAUSE for s in match.seconds.values())
    assert bench.wrong == {
        "wrong has other weights than ours": [CASE],
        "broken: RuntimeError: no such device": [CASE],
    }
    assert bench_peers.show(bench, [match], "ours", ["twin", "wrong"])
    bench_peers.show_notes(bench, ["twin"])
    said = capsys.readouterr().out
    [row] = [line for line in said.splitlines() if line.startswith("| AdamW")]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[:3] == ["AdamW", "CosineAnnealingLR", "2e1"] and cells[4] == ""
    for name, cell in (("twin", cells[3]), ("ours" + AGAIN, cells[5])):
        ratios = np.divide(match.seconds[name], match.seconds["ours"])
        assert cell == f"{np.median(ratios):.2f}"
    assert "| twin | fake of AdamW |" in said
    assert "Left out: broken: RuntimeError: no such device (AdamW, CosineAnnealingLR, 2e1)" in said


def test_a_process_that_ends_takes_its_match_with_it_and_no_more(bench: Bench) -> None:
    assert bench.match(CASE, ["ours", "dying", "twin"]).runs == {}
    assert bench.wrong == {"all runs, because one ended: dying: gone": [CASE]}
    assert bench.match(CASE, ["ours", "twin"]).seconds.keys() == {"ours", "twin", "ours" + AGAIN}


def test_an_environment_that_cannot_be_made_is_named_and_the_rest_goes_on(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(venvs.ENVIRONMENTS, "absent", (("--no-index", "no-such-package==1"),))
    monkeypatch.setitem(bench_peers.RUNNERS, "peer", Runner("fake", "counting", "absent"))
    bench_peers.environments(tmp_path, ["ours", "peer"], bench)
    [problem] = bench.wrong
    assert problem.startswith("absent cannot be installed: ") and "no-such-package" in problem
    assert set(bench.match(CASE, ["ours", "peer"]).seconds) == {"ours", "ours" + AGAIN}


def test_an_environment_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[tuple[str, ...]] = []

    def run(command: tuple[str, ...], **_: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        (tmp_path / "peer").mkdir(exist_ok=True)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setitem(venvs.ENVIRONMENTS, "peer", (("numpy",), ("--no-deps", "a==1")))
    python = venvs.python_of(tmp_path, "peer")
    assert [command[0] for command in commands] == [sys.executable, str(python), str(python)]
    assert [command[-1] for command in commands[1:]] == ["numpy", "a==1"]
    assert venvs.python_of(tmp_path, "peer") == python and len(commands) == 3
    # Another release wanted: made anew.
    monkeypatch.setitem(venvs.ENVIRONMENTS, "peer", (("numpy",), ("--no-deps", "a==2")))
    venvs.python_of(tmp_path, "peer")
    assert len(commands) == 6


def test_without_a_figure_the_exit_code_says_so(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = {"ours": Runner("fake", "broken")}
    for name, runners in {"OURS": broken, "PEERS": {}, "RUNNERS": broken}.items():
        monkeypatch.setattr(bench_peers, name, runners)
    monkeypatch.setattr(sys, "argv", ["bench_peers.py", "--sizes", "20", "--rounds", "2"])
    assert bench_peers.main() == 1
    assert "Left out: ours: RuntimeError: no such device" in capsys.readouterr().out


def test_what_was_measured_before_ctrl_c_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def match(bench: Bench, case: Case, names: list[str]) -> Match:
        if case.size != 20:
            raise KeyboardInterrupt
        bench.about["numpy device"] = "a fake"
        return Match(case, {"numpy device": [Run(1.0, 0)], "torch fused": [Run(2.0, 0)]})

    monkeypatch.setattr(Bench, "match", match)
    monkeypatch.setattr(bench_peers, "environments", lambda *_: None)
    monkeypatch.setattr(sys, "argv", ["bench_peers.py", "--sizes", "20", "30"])
    assert bench_peers.main() == 0
    assert capsys.readouterr().out.count("| AdamW | CosineAnnealingLR | 2e1 |  | 2.00 |") == 1


def test_every_runner_is_a_function_of_its_module() -> None:
    for runner in (OURS | PEERS).values():
        text = WORKER.with_name(f"{runner.module}.py").read_text("utf-8")
        assert f"\ndef {runner.function}(case: Case) -> Workload:" in text
        assert runner.environment in {"", *venvs.ENVIRONMENTS}


@pytest.mark.parametrize(
    ("optimizer", "schedule"),
    [*(("AdamW", name) for name in workload.SCHEDULES), ("SGD", "OneCycleLR")],
)
def test_the_numpy_device_takes_the_cases(optimizer: str, schedule: str) -> None:
    runner = OURS["numpy device"]
    case = map(str, Case(optimizer, schedule, 16))
    with Child([sys.executable, WORKER, runner.module, runner.function, *case]) as child:
        child.ready()
        assert child.about.endswith("eager on numpy, arrays in and out")
        # The gradient falls on both sides of zero, and the weights began at 0.5.
        assert child.weights[0] > child.weights[-1] and child.weights != [0.5] * 8
