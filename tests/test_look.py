"""Schedule.table and Schedule.plot: what a schedule will do, on the host and on every device."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure
from truth import exact, float32_bits

from grilly import DeviceError, TraceError
from grilly.rules import Multiplicative, Plateau
from grilly.schedules import (
    Cosine,
    End,
    Exponential,
    Linear,
    OneCycle,
    Schedule,
    Shift,
    Stretch,
    WarmUp,
    join,
    parse,
    schedule_of,
)

SCHEDULES: dict[str, Schedule] = {
    "cosine": Cosine(0.1, 0.001, 300),
    "one_cycle": OneCycle((30.0, 299.0), (0.004, 0.1, 4e-7)),
    "exponential": Exponential(0.1, rate=0.97),
    "warm up and cosine": WarmUp(Cosine(0.3, 0.0, 270), steps=30),
    "sum of a join": 0.5 * join([Linear(0.0, 1.0, 7), Exponential(1.0, 0.9)], [7]) + 0.125,
    "text": parse("0.95**t * min(1, t/100)"),
    "constant": schedule_of(0.1),
}


@pytest.mark.alike
@pytest.mark.parametrize("name", SCHEDULES)
def test_on_every_device_the_values_are_the_exact_ones_rounded(name: str, place: Any) -> None:
    schedule = SCHEDULES[name]
    got = schedule.table(0, 320, device=place)
    assert got.dtype == np.float32 and got.shape == (320,)
    want = [float32_bits(exact(schedule, t)) for t in range(320)]
    np.testing.assert_array_equal(got.view(np.uint32), np.array(want, np.uint32))


@pytest.mark.parametrize("name", SCHEDULES)
def test_on_the_host_the_values_are_those_of_the_call(name: str) -> None:
    schedule = SCHEDULES[name]
    got = schedule.table(5, 40, 3)
    assert got.dtype == np.float64
    want = [float(schedule(float(t))) for t in range(5, 40, 3)]
    np.testing.assert_allclose(got, want, rtol=1e-14)


def test_parts_of_a_table_are_those_of_the_whole(place: Any) -> None:
    schedule = SCHEDULES["warm up and cosine"]
    whole = schedule.table(-4, 320, device=place)
    for start, stop, step in [(-4, 320, 1), (-3, 100, 7), (9, 10, 2**40), (0, 320, 319)]:
        got = schedule.table(start, stop, step, device=place)
        np.testing.assert_array_equal(got, whole[start + 4 : stop + 4 : step])
    assert schedule.table(5, 5, device=place).shape == (0,)


def test_steps_go_as_far_as_2_53(place: Any) -> None:
    ramp = Linear(0.0, 1.0, steps=2**53)
    got = ramp.table(-(2**53), 2**53, 2**51, device=place)
    assert got.tolist() == [0.0, 0.0, 0.0, 0.0, 0.0, 0.25, 0.5, 0.75]


def test_a_million_steps(place: Any) -> None:
    got = Linear(0.0, 1.0, steps=2**20).table(0, 1_000_000, device=place)
    np.testing.assert_array_equal(got, np.arange(1_000_000, dtype=np.float32) / 2**20)


def test_a_table_with_a_long_stride_in_many_dispatches(
    place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grilly.gpu_table.ROWS", 3)
    monkeypatch.setattr("grilly.quick.rows.BLOCK", 3)
    got = Linear(0.0, 1.0, steps=2**40).table(2**38, 2**40, 2**36, device=place)
    assert got.tolist() == [i / 16 for i in range(4, 16)]


def test_any_function_runs_on_the_host_with_plain_steps() -> None:
    rates = {0: 1.0, 1: 0.5}
    assert schedule_of(lambda t: rates.get(t, 0.25)).table(0, 3).tolist() == [1.0, 0.5, 0.25]
    by_math = schedule_of(lambda t: math.exp(-t) if t < 2 else 0.0)
    assert by_math.table(1, 3).tolist() == [math.exp(-1), 0.0]
    assert Shift(by_math, 1).table(2, 3).tolist() == [math.exp(-1)]
    assert schedule_of(lambda t: 0.5).table(0, 2).tolist() == [0.5, 0.5]


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda t: 0.1 if t < 5 else 0.2, "np.where.*Leave device out"),
        (lambda t: math.exp(-t), "np.cos.*Leave device out"),
        (lambda t: {0: 1.0}.get(t, 0.5), "look its step up.*Leave device out"),
        (lambda t: [0.1, 0.2][t], "np.floor.*Leave device out"),
    ],
)
def test_a_function_that_no_device_can_compute(function: Any, words: str) -> None:
    with pytest.raises(TraceError, match=words):
        (2.0 * schedule_of(function)).table(0, 3, device="cpu")


def test_a_rule_is_in_its_first_state(place: Any) -> None:
    schedule = WarmUp(Plateau(0.5), steps=2)
    assert schedule.table(0, 4).tolist() == [0.0, 0.25, 0.5, 0.5]
    assert schedule.table(0, 4, device=place).tolist() == [0.0, 0.25, 0.5, 0.5]


def test_a_rule_that_needs_no_metric_goes_on(place: Any) -> None:
    schedule = join([0.5, Multiplicative(lambda t: 0.5 if t % 2 else 1.0) * Plateau(0.5)], [2])
    want = [0.5] * 4 + [0.5, 0.25, 0.25, 0.125, 0.125, 0.0625, 0.0625]
    for device in (None, place):
        assert schedule.table(-2, 9, device=device).tolist() == want
        assert schedule.table(3, 9, 2, device=device).tolist() == want[5::2]
        assert schedule.table(3, 3, device=device).shape == (0,)


def test_a_table_goes_as_far_as_the_schedule(place: Any) -> None:
    schedule = Shift(End(Linear(0.0, 1.0, 8), 5, "error"), 1)
    for device in (None, place):
        assert schedule.table(2, 6, device=device).tolist() == [0.125, 0.25, 0.375, 0.5]
        assert schedule.table(0, 9, 5, device=device).shape == (2,)
        with pytest.raises(ValueError, match=r"ends at step 5, which leaves 4 steps.*at most 6"):
            schedule.table(2, 7, device=device)
        with pytest.raises(ValueError, match="which leaves 0 steps"):
            schedule.table(8, 9, device=device)


def test_a_plot_goes_as_far_as_the_schedule() -> None:
    axes = Figure().subplots()
    End(Linear(0.0, 1.0, 8), 5, "error").plot(ax=axes)
    assert drawn(axes)[0].get_xdata().tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ((0.0, 5), TypeError, r"start must be an int, got 0\.0"),
        ((0, True), TypeError, "stop must be an int, got True"),
        ((0, 5, "1"), TypeError, "step must be an int, got '1'"),
        ((0, 5, 0), ValueError, "step must be at least 1, got 0"),
        ((0, 2**53 + 1), ValueError, r"stop must be within 2\^53"),
        ((0, 5, 1, 1.5), TypeError, "device must be a name or an index"),
        ((0, 5, 1, "no such"), DeviceError, "device='no such'"),
    ],
)
def test_arguments_are_checked(arguments: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        Cosine(1.0, 0.0, 10).table(*arguments)


def test_numpy_ints_are_ints() -> None:
    steps: Any = np.int32(2)
    assert Linear(0.0, 1.0, 4).table(steps, np.uint8(4)).tolist() == [0.5, 0.75]  # type: ignore[arg-type]


def drawn(axes: Any) -> tuple[Any, list[float]]:
    """Return the line of the values, and where the dotted lines are."""
    values, *dotted = axes.get_lines()
    assert all(line.get_linestyle() == ":" for line in dotted)
    return values, [line.get_xdata()[0] for line in dotted]


def test_a_plot_has_the_values_the_joints_and_the_schedules_text() -> None:
    schedule = WarmUp(join([Linear(1.0, 0.5, 20), 0.5, Cosine(0.5, 0.0, 50)], [20, 40]), 10)
    axes = Figure().subplots()
    assert schedule.plot(ax=axes, linewidth=3) is axes
    line, dotted = drawn(axes)
    steps = np.arange(111)  # the schedule's 100 and a tenth more
    np.testing.assert_array_equal(line.get_xdata(), steps)
    np.testing.assert_array_equal(line.get_ydata(), schedule.table(0, 111))
    assert line.get_linewidth() == 3
    assert dotted == [10, 30, 50]
    label = axes.get_legend().get_texts()[0].get_text()
    assert label.startswith("WarmUp(schedule=Join(") and len(label) <= 80
    assert axes.get_xlabel() == "step"


def test_joints_are_drawn_where_they_are_on_the_plots_clock() -> None:
    inner = join([0.1, Linear(0.1, 0.0, 10)], [5])
    axes = Figure().subplots()
    assert drawn(Stretch(Shift(inner, 2), by=10).plot(200, axes))[1] == [70]
    cut = join([inner, inner], [4])  # the first of them ends before its joint
    assert drawn(cut.plot(20, Figure().subplots()))[1] == [4, 9]
    assert drawn(cut.plot(9, Figure().subplots()))[1] == [4]


@pytest.mark.parametrize(
    ("schedule", "length"),
    [
        (WarmUp(0.1, 10), 10),
        (WarmUp(schedule_of(0.1), 10, shifted=False), 10),
        (WarmUp(Cosine(0.1, 0.0, 50), 10, first=1), 59),
        (join([Cosine(0.1, 0.0, 50), 0.1], [20]), 20),
        (join([0.1, Cosine(0.1, 0.0, 50)], [20]) * Linear(0.1, 0.2, 90), 90),
        (Stretch(Shift(Linear(0.1, 0.2, 9), 1), 10), 100),
        (0.1 * Exponential(0.1, 0.9), math.inf),
    ],
)
def test_the_length_of_a_composition(schedule: Schedule, length: float) -> None:
    assert schedule.length() == length


def test_plots_go_into_the_current_axes_and_keep_what_is_there() -> None:
    figure, axes = pyplot.subplots()
    axes.set_xlabel("epoch")
    for schedule in (Exponential(0.1, 0.9), Cosine(0.1, 0.0, 10)):
        assert schedule.plot(label=type(schedule).__name__) is axes
    assert [len(line.get_xdata()) for line in axes.get_lines()] == [1000, 12]
    assert [t.get_text() for t in axes.get_legend().get_texts()] == ["Exponential", "Cosine"]
    assert axes.get_xlabel() == "epoch"
    pyplot.close(figure)


def test_a_plot_of_many_steps_has_some_thousand_points() -> None:
    line, _ = drawn(Cosine(1.0, 0.0, 10**8).plot(10**8, Figure().subplots()))
    assert 4000 <= len(line.get_xdata()) <= 8000
    np.testing.assert_array_equal(np.diff(line.get_xdata()), 10**8 // 4000)


@pytest.mark.parametrize(("steps", "kind"), [(0, ValueError), (-1, ValueError), (1.5, TypeError)])
def test_a_plots_steps_are_checked(steps: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind, match="steps must be"):
        Cosine(1.0, 0.0, 10).plot(steps, Figure().subplots())


def test_without_matplotlib_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pip install 'grilly\[plot\]'"):
        Cosine(1.0, 0.0, 10).plot()
