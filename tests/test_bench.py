"""The benchmark: the arithmetic of its figures and tables, and that each of its parts runs."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bench
import pytest
from benches import (
    kernels,
    machine,
    many,
    memory,
    replay,
    schedule,
    start,
    tables,
    timing,
    windows,
)
from benches.goals import GOALS, Goal
from benches.picture import draw
from benches.report import Figure, Report, number
from benches.scale import FULL, QUICK
from benches.timing import difference, ratio, short, timed

from grilly import vk

LLVMPIPE, SWIFTSHADER = "llvmpipe (LLVM 15.0.6, 256 bits)", "SwiftShader Device (Subzero)"
MEMORY = "peak memory / 16 bytes a parameter, kernels compiled before, 1e7"
INFO = vk.DeviceInfo(0, LLVMPIPE, "cpu", "1.3", "a driver")


def test_rounds_are_interleaved_and_go_both_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    clock = itertools.count()
    monkeypatch.setattr(timing.time, "perf_counter", lambda: next(clock))
    seconds = timed({name: lambda name=name: said.append(name) for name in "abc"}, rounds=3)
    assert "".join(said) == "abc" + "cba" + "abc" + "cba"  # the first is a warm-up
    assert seconds == {name: [1, 1, 1] for name in "abc"}


def test_a_ratio_is_the_median_of_the_rounds() -> None:
    seconds = {"a": [1.0, 5.0, 9.0], "b": [10.0, 1.0, 4.0]}
    assert ratio(seconds, "a", "b") == 2.25  # of 0.1, 5, 2.25: that of the medians is 1.25
    assert difference(seconds, "a", "b") == 4.0


@pytest.mark.parametrize(
    ("value", "text"), [(10**6, "1e6"), (20, "2e1"), (2_500_000, "2.5e6"), (10**10, "1e10")]
)
def test_short(value: int, text: str) -> None:
    assert short(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (1.0, "1"),
        (1.004, "1.00"),
        (0.12345, "0.123"),
        (12.3456, "12.35"),
        (155.4, "155"),
    ],
)
def test_number(value: float, text: str) -> None:
    assert number(value) == text


CASES: list[tuple[str, str, float, bool, float]] = [  # goal, device, value, met, share of the limit
    ("schedule, small", LLVMPIPE, 1.12, False, 1.12 / 1.10),
    ("schedule, small", SWIFTSHADER, 1.12, True, 1.12 / 1.15),
    ("eager to replayed", LLVMPIPE, 3.0, True, 0.5),
    ("eager to replayed", LLVMPIPE, 1.0, False, 1.5),
    ("share", LLVMPIPE, 0.005, True, 1.0),
    ("up", LLVMPIPE, 0, True, 1.0),
    ("up", LLVMPIPE, 4, False, 2.0),
]


@pytest.mark.parametrize(("goal", "device", "value", "met", "used"), CASES)
def test_goals(goal: str, device: str, value: float, met: bool, used: float) -> None:
    figure = Figure(goal, device, value)
    assert figure.met is met
    assert figure.used == pytest.approx(used)


def test_a_figure_that_is_nan_meets_no_goal() -> None:
    assert not Goal("x", 1.0).met("", float("nan"))
    assert not Goal("x", 1.0, least=True).met("", float("nan"))


def test_the_page_has_the_goals_in_their_order_before_the_tables() -> None:
    report = Report(FULL)
    report.section("Some part")
    report.table("Some title:", ["a", "b"], [["1", "2"], ["3", "4"]])
    report.figure("memory", LLVMPIPE, 1.2, 1.001)
    report.figure("host", LLVMPIPE, 0.1)
    page = report.markdown(["A note."], "bench.svg").split("\n\n")
    assert page == [
        "# Figures",
        "A note.",
        "![figures as shares of their goals, and time by window](bench.svg)",
        "## Goals",
        "| figure | device | measured | self | goal | met |\n"
        "| --- | --- | --- | --- | --- | --- |\n"
        "| the host's time of a replayed step, outside waiting | llvmpipe (LLVM 15.0.6, 256 bits) "
        "| 0.1 us |  | <= 0.2 us | yes |\n"
        f"| {MEMORY} | llvmpipe (LLVM 15.0.6, 256 bits) | 1.20 | 1.00 | <= 1.15 | no |",
        "## Some part",
        "Some title:",
        "| a | b |\n| --- | --- |\n| 1 | 2 |\n| 3 | 4 |\n",
    ]


def test_the_same_figures_draw_the_same_picture(tmp_path: Path) -> None:
    report = Report(FULL)
    report.figure("memory", LLVMPIPE, 1.2, 1.001)
    report.curves["llvmpipe, 1e4"] = {8: 1.1, 256: 1.0}
    for name in ("a.svg", "b.svg", "a.png"):
        draw(report, tmp_path / name)
    text = (tmp_path / "a.svg").read_text("utf-8")
    assert text == (tmp_path / "b.svg").read_text("utf-8")
    assert MEMORY in text and "llvmpipe, 1e4" in text
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


# --- What is made of the seconds ------------------------------------------------------------------


def seconds_of(**seconds: float) -> Callable[..., dict[str, list[float]]]:
    """Return what stands for ``timed``: each run once, and then these seconds."""

    def fake(runs: Any, rounds: int) -> dict[str, list[float]]:
        assert sorted(runs) == sorted(seconds)
        for run in runs.values():
            run()
        return {name: [value] * rounds for name, value in seconds.items()}

    return fake


@pytest.mark.gpu
def test_a_refills_share(any_device: vk.Device, monkeypatch: pytest.MonkeyPatch) -> None:
    # A refill takes 2 s (4 at once), a step 0.5 s (as many at once as the scale says), 256 rows.
    steps = QUICK.steps_of(1000)
    monkeypatch.setattr(schedule, "timed", seconds_of(refill=8.0, step=0.5 * steps, again=4.0))
    report = Report(QUICK)
    row = schedule.bench_share(any_device.info, 1000, QUICK, report)
    share = 2.0 / (256 * 0.5)
    assert row == [any_device.name, "1e3", "256", f"{share:.4f}", "0.50"]
    assert report.figures == [Figure("share", any_device.name, pytest.approx(share), 0.5)]


@pytest.mark.gpu
def test_a_whole_window_is_compared_step_by_step(
    any_device: vk.Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 256 steps with their refill, and 64 without.
    fake = seconds_of(scheduled=256 * 2.2, bare=64 * 2.0, again=64 * 2.1)
    monkeypatch.setattr(schedule, "timed", fake)
    report = Report(QUICK)
    row = schedule.bench_whole(any_device.info, QUICK.large, QUICK, report)
    assert row[1:] == ["1e3", "2", "1.100", "", "1.050"]
    # All of the same length where the updates are short.
    seconds = {"scheduled": 3.3, "bare": 3.0, "again": 3.0, "constant": 3.2}
    monkeypatch.setattr(schedule, "timed", seconds_of(**seconds))
    row = schedule.bench_whole(any_device.info, QUICK.small, QUICK, report)
    assert row[1:] == ["6.4e1", "2", "1.100", f"{3.3 / 3.2:.3f}", "1.000"]
    assert [figure.goal for figure in report.figures] == ["schedule, large", "schedule, small"]


@pytest.mark.gpu
def test_many_groups_are_compared_step_by_step(
    any_device: vk.Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 256 steps of many groups, a window, against 32 of one.
    fake = seconds_of(many=256 * 3.0, one=32 * 2.0, again=32 * 2.0)
    monkeypatch.setattr(many, "timed", fake)
    report = Report(QUICK)
    row = many.bench_groups(any_device.info, QUICK.members, QUICK, report)
    assert row[1:] == ["10 groups, 256 rows", "1.50", "0%", "1.00"]
    assert report.figures == [Figure("groups", any_device.name, 1.5, 1.0)]


@pytest.mark.gpu
def test_a_replay_that_moves_anything_ends_the_bench(
    any_device: vk.Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Uploading:
        def replay(self, steps: int) -> None:
            any_device.counters.bytes_up += steps
            any_device.counters.submissions += 1

        def wait(self) -> None:
            return

    counted = replay.Replays(any_device, Uploading(), 3)
    with pytest.raises(RuntimeError, match=r"moved .*'bytes_up': 3, 'bytes_down': 0, "):
        counted.once()


def test_peak_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        assert command[2:] == ["cpu", "1000", "0"]
        return subprocess.CompletedProcess(command, 0, "5000 25000\n", "")

    monkeypatch.setattr(subprocess, "run", run)
    assert memory.peak("cpu", 1000, False) == 20000 / 16000


def test_a_process_that_fails_is_told() -> None:
    with pytest.raises(RuntimeError, match="no such Vulkan device"):
        memory.peak("no such thing", 1000, False)


def test_torch_is_stepped_less_often_and_scaled(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = seconds_of(grilly=0.5, again=0.5, torch=0.02)
    monkeypatch.setattr(tables, "timed", fake)
    report, faster = Report(QUICK), 0.02 * 2000 / 20 / 0.5
    row = tables.bench("CosineDecay", "numpy", "cpu", QUICK, report)
    assert row == ["CosineDecay", "500 ms", f"{faster:.1f}", "1.00"] and not report.figures
    tables.bench(tables.COSINE, "numpy", "cpu", QUICK, report)
    assert report.figures == [Figure("table", "numpy", pytest.approx(faster), 1.0)]


def test_the_windows_verdict() -> None:
    assert windows.relative({8: 0.21, 256: 0.1}) == {8: pytest.approx(1.1), 256: 1.0}
    worse, better = {64: 1.1, 256: 1.0}, {64: 0.96, 256: 1.0}
    assert windows.verdict({"a": worse}, 1.0).startswith("No window is better than the default")
    assert windows.verdict({"a": worse, "b": better}, 1.0) == (
        "The default, 256 rows, is not the best: 64 rows take 0.960 of its time on b."
    )
    assert windows.verdict({"b": better}, 0.95).endswith("by more than 5%.")  # it may be noise


def test_what_else_the_machine_did(monkeypatch: pytest.MonkeyPatch) -> None:
    others = iter([10.0, 16.0])
    clock = iter([0.0, 10.0])
    monkeypatch.setattr(machine, "_others", lambda: next(others))
    monkeypatch.setattr(machine.time, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(machine.os, "cpu_count", lambda: 2)
    assert (share := machine.Watch().share()) == 0.3
    assert machine.words(share).startswith("**On a busy machine**: others took 30% of the cores")
    assert machine.words(0.01) == "Others took 1% of the cores meanwhile."
    assert machine.words(float("nan")) == "What else the machine did is unknown."


# --- The parts ------------------------------------------------------------------------------------

TINY = QUICK._replace(windows=(8, 256))
# These start processes, and these are not about Vulkan.
FAKED, ELSEWHERE = ("memory", "start"), ("numpy", "schedulers")
FIGURES = {
    "replay": {"up", "down", "allocations", "submissions", "host", "eager to replayed"},
    "schedule": {"share", "schedule, small", "schedule, large"},
    "eager": {"eager", "eager, moved"},
    "many": {"tensors", "groups"},
    "memory": {"memory"},
    "kernels": {
        *("AdamW, large", "AdamW, huge", "AdamW, best"),
        *("SGD, momentum, large", "SGD, momentum, huge"),
    },
    "numpy": {"foreach"},
    "tables": {"table"},
}


def check(name: str, infos: list[vk.DeviceInfo], capsys: pytest.CaptureFixture[str]) -> None:
    """Run a part; its tables are whole, and it has its figures, which are numbers above 0."""
    report = Report(TINY)
    bench.PARTS[name](report, TINY, infos)
    said = capsys.readouterr().out
    lines = [line for line in said.splitlines() if line.startswith("|")]
    assert lines and "nan" not in said and "inf" not in said
    for _, block in itertools.groupby(said.splitlines(), lambda line: line.startswith("|")):
        widths = {line.count("|") for line in block if line.startswith("|")}
        assert len(widths) <= 1
    assert all(info.name in said for info in infos) or name in ELSEWHERE
    assert {figure.goal for figure in report.figures} == FIGURES.get(name, set())
    moved = {"up", "down", "allocations"}
    assert all((figure.value > 0) != (figure.goal in moved) for figure in report.figures)
    assert len(lines) > 2 and re.search(r"\| [0-9.]+", lines[2])


@pytest.mark.alike
@pytest.mark.parametrize("name", [n for n in bench.PARTS if n not in FAKED + ELSEWHERE])
def test_a_part_on_a_device(
    name: str,
    device_info: vk.DeviceInfo,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # A driver takes long to compile, and more layouts and schedules show nothing new here.
    monkeypatch.setattr(kernels, "LAYOUTS", kernels.LAYOUTS[:1])
    few = {name: kernels.OPTIMIZERS[name] for name in ("AdamW", "SGD, momentum")}
    monkeypatch.setattr(kernels, "OPTIMIZERS", few)
    monkeypatch.setattr(tables, "SCHEDULES", dict(list(tables.SCHEDULES.items())[:1]))
    check(name, [device_info], capsys)


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_part_without_a_device(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    check(name, [], capsys)


@pytest.mark.parametrize("name", FAKED)
def test_a_part_in_processes(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(memory, "peak", lambda *_: 1.25)
    monkeypatch.setattr(start, "first_steps", lambda *_: (0.5, 0.25))
    check(name, [INFO], capsys)


@pytest.mark.gpu
@pytest.mark.parametrize("where", ["numpy", "Vulkan"])
def test_the_processes(where: str, any_device: vk.Device, tmp_path: Path) -> None:
    device = str(any_device.info.index) if where == "Vulkan" else "cpu"
    first, second = start.first_steps(device, "shipped", str(tmp_path))
    assert 0 < first < 600 and 0 < second < 600
    # Two million parameters take 32 MB, and a driver's compiler less than 10 times that.
    assert 0.9 < memory.peak(device, 2 * 10**6, True) < 10


def test_every_goal_is_some_parts() -> None:
    assert set().union(*FIGURES.values()) == set(GOALS)


# --- The command ----------------------------------------------------------------------------------


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two parts that measure nothing; Ctrl-C comes in the second."""

    def first(report: Report, *_: Any) -> None:
        report.section("First")
        report.figure("memory", LLVMPIPE, 1.0, 1.0)

    def second(report: Report, *_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(bench, "PARTS", {"first": first, "second": second})
    monkeypatch.setattr(vk, "devices", lambda: (INFO,))


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["bench.py", *map(str, arguments)])
    return bench.main()


@pytest.mark.usefixtures("parts")
def test_what_was_measured_before_ctrl_c_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, picture = tmp_path / "a.md", tmp_path / "pictures" / "b.svg"
    picture.parent.mkdir()
    assert run(monkeypatch, "--write", "--markdown", page, "--picture", picture) == 0
    text = page.read_text("utf-8")
    assert "](pictures/b.svg)" in text and picture.exists()
    assert "| AdamW" not in text and "| 1 | 1 | <= 1.15 | yes |" in text
    assert re.search(r"\| first \| 0 s \| \d+% \|", text) and "| second |" not in text


@pytest.mark.usefixtures("parts")
def test_nothing_is_written_unless_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "a.md"
    assert run(monkeypatch, "--parts", "first", "--markdown", page) == 0
    assert not page.exists()


@pytest.mark.usefixtures("parts")
def test_without_a_device_the_exit_code_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--device", "radeon") == 1
    assert "no Vulkan device" in capsys.readouterr().out


def test_without_a_device_asked_for_the_rest_is_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(vk, "devices", tuple)
    assert run(monkeypatch, "--quick", "--parts", "replay", "schedulers") == 0
    said = capsys.readouterr().out
    assert "no Vulkan device" in said and "| OneCycleLR | 1 |" in said
    assert "self |" not in said[: said.index("## scheduler.step()")]  # no table without a row


@pytest.mark.usefixtures("parts")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--rounds", "1"], "--rounds must be at least 2, got 1"),
        (["--parts", "x"], "invalid choice"),
    ],
)
def test_arguments_refused(
    arguments: list[str],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        run(monkeypatch, *arguments)
    assert words in capsys.readouterr().err


def test_scales() -> None:
    assert FULL.rounds >= 15 and FULL.pairs >= 100
    assert [FULL.steps_of(size) for size in (10**4, 10**6, 10**7)] == [64, 4, 1]
    options = bench.argparse.Namespace(quick=False, sizes=[5], rounds=30)
    assert bench.scale_of(options)[:3] == (30, 200, (5,))
