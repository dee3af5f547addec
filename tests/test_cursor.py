"""The window and the cursor: replays equal steps in every bit, and the host stays out of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from plain import hashed_gradient

from grilly import hyper, planning, vk
from grilly.backend import choose
from grilly.optim import AdamW
from grilly.optim.lr_scheduler import OneCycleLR
from grilly.planning import MOVES, Clock, Job, Plan
from grilly.schedules import Constant, Cosine, Debias1, Debias2, OneCycle, OneMinus
from grilly.schedules.live import Live

SIZES = (4097, 300)
CYCLE = OneCycle((700.0, 1500.0), (4e-4, 1e-2, 4e-8))
BETA = OneCycle((700.0, 1500.0), (0.95, 0.85, 0.95))


def jobs(lane: int, k_offset: int) -> list[Job]:
    formulas = {
        "lr": CYCLE,
        "beta1": BETA,
        "beta2": Constant(0.999),
        "one_minus_beta1": OneMinus(BETA),
        "one_minus_beta2": OneMinus(Constant(0.999)),
        "eps": Constant(1e-8),
        "weight_decay": Constant(0.01 * lane),
        "debias1": Debias1(BETA),
        "debias2": Debias2(Constant(0.999)),
        "maximize": Constant(0.0),
        "amsgrad": Constant(0.0),
    }
    columns = hyper.COLUMNS["AdamW"]
    return [
        Job(lane, columns.index(name), f, k_offset, 0.25 * lane) for name, f in formulas.items()
    ]


def started(place: str | int, lanes: tuple[int | None, ...] = (0, 1)) -> Any:
    backend = choose(place, "AdamW")
    backend.allocate(SIZES, ("exp_avg", "exp_avg_sq"))
    for i, size in enumerate(SIZES):
        backend.write("param", i, np.linspace(-1, 1, size, dtype=np.float32))
        backend.write("grad", i, hashed_gradient(size, i))
    backend.plan(Plan(2, (*jobs(0, 0), *jobs(1, -3)), lanes, (MOVES,)))
    backend.start(Clock(k=5, cycles=2))
    return backend


def contents(backend: Any) -> list[Any]:
    arrays = []
    for slab in ("param", "exp_avg", "exp_avg_sq"):
        for i, size in enumerate(SIZES):
            arrays.append(np.empty(size, np.float32))
            backend.read(slab, i, arrays[-1])
    return arrays


def test_a_thousand_replays_are_a_thousand_steps(place: str) -> None:
    """One submission of recorded steps and refills, against numpy stepping one at a time."""
    replayed, stepped = started(place), started("cpu")
    replayed.replay(1000)
    for _ in range(1000):
        stepped.step()
    for got, want in zip(contents(replayed), contents(stepped), strict=True):
        np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(replayed.row(), stepped.row())


@pytest.mark.parametrize("pieces", [(1, 7, 1, 300), (9, 9, 255, 257), (3, 0, 2, 600)])
def test_replays_and_steps_mix(place: str, pieces: tuple[int, ...]) -> None:
    mixed, stepped = started(place), started("cpu")
    for i, count in enumerate(pieces):
        if i % 2:
            mixed.replay(count)
        else:
            for _ in range(count):
                mixed.step()
        stepped.replay(count)
        np.testing.assert_array_equal(mixed.row(), stepped.row())
    for got, want in zip(contents(mixed), contents(stepped), strict=True):
        np.testing.assert_array_equal(got, want)


def test_an_idle_tensor_is_left_alone(place: str) -> None:
    backend = started(place, lanes=(0, None))
    before = contents(backend)
    backend.replay(20)
    after = contents(backend)
    assert [np.array_equal(a, b) for a, b in zip(before, after, strict=True)] == [False, True] * 3


def test_a_replay_is_one_submission_and_moves_nothing(device: vk.Device) -> None:
    backend = started(device.info.index)
    backend.prepare_refills()
    backend.replay(2)
    device.wait()
    counters = device.counters
    before = counters.submissions, counters.bytes_up, counters.bytes_down, sum(device.live.values())
    backend.replay(600)
    device.wait()
    after = counters.submissions, counters.bytes_up, counters.bytes_down, sum(device.live.values())
    assert after == (before[0] + 1, *before[1:])


def is_staged(device: vk.Device) -> bool:
    """Whether the host cannot see the device's memory: then each array is a copy submitted."""
    return device.buffer(4).view() is None


def test_an_eager_step_moves_gradients_and_parameters_only(device: vk.Device) -> None:
    p = np.ones(1000, np.float32)
    optimizer = AdamW([p], device=device.info.index)
    scheduler = OneCycleLR(optimizer, max_lr=0.1, total_steps=2000)
    counters = device.counters
    for step in range(600):
        before = counters.submissions, counters.bytes_up, counters.bytes_down
        optimizer.step(gradients=[p])
        scheduler.step()
        if step:
            after = counters.submissions, counters.bytes_up, counters.bytes_down
            submissions, *moved = np.subtract(after, before).tolist()
            assert moved == [2 * p.nbytes, p.nbytes]
            assert submissions == 1 or is_staged(device)


def test_structures_share_a_dispatch(device: vk.Device) -> None:
    """Eleven columns of two groups are five structures: as many fill dispatches a refill."""
    params = [np.ones(8, np.float32) for _ in range(2)]
    optimizer = AdamW([{"params": [p]} for p in params], device=device.info.index)
    scheduler = OneCycleLR(optimizer, max_lr=0.1, total_steps=2000)
    before = device.counters.recorded
    optimizer.step(gradients=params)
    scheduler.step()
    recorded = device.counters.recorded - before
    structures, refills, steps = 5, 1, 2  # a step for each parity; refills when they are needed
    assert recorded == refills * (1 + structures) + steps


def test_tensors_and_groups_are_one_dispatch(device: vk.Device) -> None:
    params = [np.ones(5 + i, np.float32) for i in range(40)]
    optimizer = AdamW([{"params": [p]} for p in params], device=device.info.index)
    optimizer.step(gradients=params)
    counters = device.counters
    before = counters.submissions, counters.recorded, counters.dispatches
    optimizer.step(gradients=params)
    assert counters.submissions == before[0] + 1 or is_staged(device)
    assert counters.recorded == before[1]
    assert counters.dispatches == before[2] + 1


@pytest.mark.alike
@pytest.mark.parametrize("t", [0, 2**24 + 1, 2**32 - 3, 2**32 + 5, 2**53 - 600])
def test_the_clock_is_exact_to_2_to_the_53(place: str, t: int) -> None:
    """Rows, carries between the words and rolls included: a line that falls by 1 a step."""
    start, length = float(t), 2.0**20
    line = OneCycle((start + length,), (length, 0.0), "linear")
    phases = (start, start + length), (length, length, 0.0)
    shifted = OneCycle(*phases, "linear") if start else line  # no phase of 0 steps
    backend = choose(place, "AdamW")
    backend.allocate([4], ("exp_avg", "exp_avg_sq"))
    formulas = [shifted if t else line, *[Constant(0.5)] * (len(hyper.COLUMNS["AdamW"]) - 1)]
    plan = Plan(1, tuple(Job(0, i, f, 0, 0.0) for i, f in enumerate(formulas)), (0,), (MOVES,))
    backend.plan(plan)
    backend.start(Clock(1, cycles=t))
    for done in range(600):
        assert backend.row()["lr"][0] == np.float32(length - done)
        backend.step()


def test_equal_columns_of_neighbours_are_one_job() -> None:
    """Not those that differ in anything, nor those that the device changes, each by itself."""
    equal = [Job(i, 2, Cosine(0.1, 0.0, 9), -1, 3.0, 1) for i in range(4)]
    (together,) = planning.batches(equal).values()
    assert together == [equal[0]._replace(lanes=4)]
    others = [
        {"lane": 5},
        {"formula": Cosine(0.2, 0.0, 9)},
        {"k_offset": 0},
        {"t_offset": 2.0},
        {"pace": 0},
        {"column": 3},
    ]
    for other in others:
        pair = [equal[0], equal[1]._replace(**other)]
        (apart,) = planning.batches(pair).values()
        assert apart == pair
    lives = [Job(i, 2, Live(0.5, token), 0, 0.0) for i, token in enumerate("ab")]
    (apart,) = planning.batches(lives).values()
    assert apart == lives
