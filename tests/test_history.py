"""history(n): the rows that the updates have really used, against a plain count of updates.

The plain count knows each parameter's updates, and computes a row from them in mpmath.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from cycle import rounded
from mpmath import mp, mpf

import grilly
from grilly import gpu_history, hyper, kept, planning, vk
from grilly.optim import SGD, AdamW
from grilly.optim.lr_scheduler import StepLR

pytestmark = pytest.mark.turns

F = np.float32
NAMES = hyper.COLUMNS["AdamW"]
SIZE = 5


@cache
def used(lr: float, decay: float, k: int) -> Any:
    """Return the row of a parameter's update ``k``, from 1."""
    with mp.workdps(50):
        one, two = mpf(0.9), mpf(0.999)
        row = {
            "lr": mpf(lr),
            "beta1": one,
            "beta2": two,
            "one_minus_beta1": 1 - one,
            "one_minus_beta2": 1 - two,
            "eps": mpf(1e-8),
            "weight_decay": mpf(decay),
            "debias1": 1 / (1 - one**k),
            "debias2": 1 / mp.sqrt(1 - two**k),
            "maximize": mpf(0),
            "amsgrad": mpf(0),
        }
        return np.array([rounded(row[name]) for name in NAMES], F)


NOTHING = np.full(len(NAMES), np.nan, F)


def numbers(rows: Any) -> Any:
    """Return (n, groups, columns) float32 of structured rows."""
    return rows.view(F).reshape(*rows.shape, len(NAMES))


class Run:
    """An optimizer, and what its updates must have used; each group has two parameters."""

    def __init__(self, place: str | int, groups: int, **options: Any) -> None:
        self.made: list[list[Any]] = []
        params = [self.group() for _ in range(groups)]
        self.counts = [[0, 0] for _ in params]
        self.optimizer = AdamW(params, lr=0.5, device=place, **options)

    def group(self, lr: float = 0.5) -> dict[str, Any]:
        return {"params": [np.ones(SIZE, F), np.ones(SIZE, F)], "lr": lr}

    def step(self, has: Any, applied: bool = True) -> None:
        """Update parameter j of group i where has[i, j]; ``applied``: with good gradients."""
        value = 1.0 if applied else np.nan
        grads = [np.full(SIZE, value, F) if one else None for one in has.reshape(-1)]
        groups = self.optimizer.param_groups if self.optimizer.skip_nonfinite is False else None
        rates = [(group["lr"], group["weight_decay"]) for group in groups or self.still()]
        self.optimizer.step(gradients=grads)
        if applied and has.any():
            self.note(rates, has.tolist())

    def still(self) -> Any:
        """Return the groups without settling what the device has skipped."""
        return self.optimizer.__dict__["param_groups"]

    def note(self, rates: Any, has: Any) -> None:
        row = []
        for (lr, decay), counts, own in zip(rates, self.counts, has, strict=True):
            for j, one in enumerate(own):
                counts[j] += one
            k = max((n for n, one in zip(counts, own, strict=True) if one), default=0)
            row.append(used(lr, decay, k) if k else NOTHING)
        self.made.append(row)

    def check(self, n: int) -> None:
        got = self.optimizer.history(n)
        groups = len(self.counts)
        want = self.made[max(0, len(self.made) - min(n, kept.ROWS)) :]
        assert got.shape == (len(want), groups)
        assert got.dtype == hyper.dtype("AdamW")
        for row, wanted in zip(numbers(got), want, strict=True):
            padded = [*wanted, *[NOTHING] * (groups - len(wanted))]
            np.testing.assert_array_equal(row, padded)


@pytest.fixture(params=[False, True], ids=["", "small"])
def small(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Windows of 6 rows in a ring of 16: it is gone round all the time."""
    if request.param:
        monkeypatch.setattr(planning, "WINDOW", 6)
        monkeypatch.setattr(planning, "SHORT_WINDOW", 4)
        monkeypatch.setattr(kept, "ROWS", 16)
    return bool(request.param)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("seed", range(6))
def test_random_steps(place: str | int, seed: int) -> None:
    """Schedules, missing gradients, idle groups, edits, added groups and loaded states."""
    rng = np.random.default_rng(seed)
    run = Run(place, groups=1 + seed % 3)
    scheduler = StepLR(run.optimizer, step_size=3, gamma=0.5)
    saved = run.optimizer.state_dict(), [list(own) for own in run.counts], scheduler.state_dict()
    for _ in range(60):
        move = rng.integers(12)
        has = np.ones((len(run.counts), 2), np.bool_)
        if move < 3:
            has = rng.random(has.shape) < 0.6
        if move == 4:
            group = run.optimizer.param_groups[rng.integers(len(run.counts))]
            group[str(rng.choice(["lr", "weight_decay"]))] = float(rng.integers(1, 9)) / 8
        if move == 5 and len(run.counts) < 4:
            run.optimizer.add_param_group(run.group(lr=0.25))
            run.counts.append([0, 0])
            run.check(7)
            has = np.ones((len(run.counts), 2), np.bool_)
            scheduler = StepLR(run.optimizer, step_size=3, gamma=0.5)
        if move == 6:
            saved = run.optimizer.state_dict(), [[*own] for own in run.counts], scheduler
        if move == 7 and len(saved[1]) == len(run.counts):
            run.optimizer.load_state_dict(saved[0])
            run.counts = [[*own] for own in saved[1]]
        for _ in range(rng.integers(1, 7)):
            run.step(has)
            scheduler.step()
        if move in (0, 8):
            run.check(int(rng.integers(0, 20)))
        if move == 9:  # which plans anew where a group is at rest
            run.optimizer.read_hyperparameters()
    run.check(2000)


def test_rows_are_what_read_hyperparameters_showed(place: str | int) -> None:
    p = [np.ones(3, F), np.ones(4, F)]
    optimizer = AdamW([{"params": p[:1]}, {"params": p[1:], "lr": 0.3}], lr=0.1, device=place)
    scheduler = StepLR(optimizer, step_size=7, gamma=0.9)
    shown = []
    for step in range(300):
        shown.append(optimizer.read_hyperparameters())
        optimizer.step(gradients=p)
        scheduler.step()
        if step % 50 == 40:
            optimizer.param_groups[1]["eps"] = 1e-6 * step
    np.testing.assert_array_equal(optimizer.history(300), np.array(shown))
    np.testing.assert_array_equal(optimizer.history(10**9), np.array(shown))


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("seed", range(3))
def test_skipped_updates_have_no_row(place: str | int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    run = Run(place, groups=2, skip_nonfinite=True)
    for step in range(70):
        run.step(np.ones((2, 2), np.bool_), applied=rng.random() < 0.6)
        if step % 20 == 19:
            run.optimizer.param_groups[0]["lr"] = step / 64
        if step % 30 == 29:
            run.check(11)
        if step == 50:
            run.step(np.array([[True, False], [False, False]]))
    run.check(1000)


def resident(place: str | int, **options: Any) -> tuple[Any, Any, Any]:
    """Return an optimizer of two parameters on the device, its scheduler, and a tape of both."""
    params = [grilly.nn.Parameter(np.ones(n, F), device=place) for n in (3, 700)]
    for p in params:
        p.grad.copy_from(np.ones(p.data.size, F))
    groups = [{"params": params[:1]}, {"params": params[1:], "lr": 0.25}]
    optimizer = AdamW(groups, lr=0.5, device=place, **options)
    scheduler = StepLR(optimizer, step_size=100, gamma=0.5)
    with grilly.record() as tape:
        optimizer.step()
        scheduler.step()
    return optimizer, scheduler, tape


def wanted(first: int, last: int, *changes: tuple[int, float]) -> Any:
    """Return the rows of updates ``first`` to ``last`` of ``resident``, from 1.

    Group 0 has other weight decays from those updates on that ``changes`` name.
    """
    rows = []
    for k in range(first, last + 1):
        decay = ([0.01] + [value for start, value in changes if start <= k])[-1]
        half = 0.5 ** ((k - 1) // 100)
        rows.append([used(0.5 * half, decay, k), used(0.25 * half, 0.01, k)])
    return np.array(rows)


@pytest.mark.usefixtures("small")
def test_replays(place: str | int) -> None:
    """Replays, steps between them, and an edit; long ones go round the ring."""
    optimizer, scheduler, tape = resident(place)
    done, most = 0, kept.ROWS
    for times in (1, 2, 4, 9, 300, 5):
        tape.replay(times)
        done += times
        for n in (1, 6, 17, 1000):
            first = max(1, done - min(n, most) + 1)
            np.testing.assert_array_equal(numbers(optimizer.history(n)), wanted(first, done))
        optimizer.step()
        scheduler.step()
        done += 1
    optimizer.param_groups[0]["weight_decay"] = 0.5
    change = (done + 1, 0.5)
    for times in (3, 1600):
        tape.replay(times)
        done += times
        first = max(1, done - most + 1)
        np.testing.assert_array_equal(numbers(optimizer.history(2000)), wanted(first, done, change))


def test_replays_that_are_skipped_have_no_row(place: str | int) -> None:
    optimizer, scheduler, tape = resident(place, skip_nonfinite=True)
    grad = optimizer.param_groups[0]["params"][0].grad
    tape.replay(20)
    grad.copy_from(np.full(3, np.nan, F))
    tape.replay(30)
    grad.copy_from(np.ones(3, F))
    tape.replay(300)
    np.testing.assert_array_equal(numbers(optimizer.history(1000)), wanted(1, 320))
    assert scheduler.last_epoch == 320 and optimizer.skipped() == 30


def test_steps_of_a_tape_without_any_gradient_have_no_row(place: str | int) -> None:
    """As step by step; what was kept before and comes after them is as if they were not there."""
    p = grilly.nn.Parameter(np.ones(3, F), device=place)
    optimizer = AdamW([p], lr=0.5, device=place)
    p.grad, grad = None, p.grad
    with grilly.record() as empty:
        optimizer.step()
    p.grad = grad
    with grilly.record() as tape:
        optimizer.step()
    made = 0
    for times in (3, 300):
        p.grad = None
        empty.replay(times)
        assert optimizer.history(1000).shape == (made, 1)
        p.grad = grad
        tape.replay(times)
        made += times
        got = numbers(optimizer.history(1000))
        want = [[used(0.5, 0.01, k)] for k in range(1, made + 1)]
        np.testing.assert_array_equal(got, want)


def test_other_structures_keep_the_rows(place: str | int) -> None:
    """A schedule of another kind has a table, clock and ring of its own."""
    p = np.ones(3, F)
    optimizer = SGD([p], lr=0.5, device=place)
    scheduler: Any = None
    for step in range(12):
        if step == 3:
            scheduler = StepLR(optimizer, step_size=1, gamma=0.5)
        if step == 6:
            optimizer.param_groups[0]["momentum"] = 0.5  # a state more: other slabs
        optimizer.step(gradients=[p])
        if scheduler is not None:
            scheduler.step()
    rows = optimizer.history(20)
    assert rows["lr"].tolist() == [[0.5 ** (1 + max(0, step - 3))] for step in range(12)]
    assert rows["momentum"].tolist() == [[0.0]] * 6 + [[0.5]] * 6
    assert rows["fresh"].tolist() == [[1.0]] * 12


def test_a_ring_with_less_room(device: vk.Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a row is wide the ring has fewer: at least a window's."""
    monkeypatch.setattr(planning, "TABLE_BYTES", 8 * 44)
    monkeypatch.setattr("grilly.gpu_history.BYTES", 10 * 44)
    p = np.ones(3, F)
    optimizer = AdamW([p], lr=0.5, device=device.info.index)
    for k in range(1, 40):
        optimizer.step(gradients=[p])
        rows = numbers(optimizer.history(1000))
        assert len(rows) >= min(k, 8)
        want = [[used(0.5, 0.01, i)] for i in range(k - len(rows) + 1, k + 1)]
        np.testing.assert_array_equal(rows, want)


def test_how_many_rows_are_kept(place: str | int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as have room, and till a window ends its rows on top of them."""
    monkeypatch.setattr(planning, "TABLE_BYTES", 3 * 8 * 44)
    for module in (kept, gpu_history):
        monkeypatch.setattr(module, "BYTES", 3 * 10 * 44)
    p = [np.ones(3, F) for _ in range(3)]
    optimizer = AdamW([{"params": [one]} for one in p], device=place)
    counts = []
    for k in range(1, 80):
        optimizer.step(gradients=p)
        counts.append(len(optimizer.history(1000)))
        assert min(k, 10) <= counts[-1] <= min(k, 10 + 8 + 8)
    assert max(counts) > 10


def test_a_wide_row_is_kept_by_many_workgroups(place: str | int) -> None:
    groups = [{"params": [np.ones(1, F)], "lr": i / 1024} for i in range(300)]
    grads = [group["params"][0] for group in groups]  # type: ignore[index]
    optimizer = AdamW(groups, weight_decay=0.0, device=place)
    for _ in range(320):
        optimizer.step(gradients=grads)
    rows = numbers(optimizer.history(320))
    assert rows.shape == (320, 300, len(NAMES))
    for k in (1, 8, 9, 200, 263, 264, 265, 320):
        np.testing.assert_array_equal(rows[k - 1], [used(i / 1024, 0.0, k) for i in range(300)])


def test_before_the_first_update_there_is_none(place: str | int) -> None:
    p = np.ones(3, F)
    optimizer = AdamW([p, p.copy()], device=place)
    assert optimizer.history(3).shape == (0, 1)
    optimizer.step(gradients=[None, None])
    optimizer.read_hyperparameters()
    assert optimizer.history(3).shape == (0, 1)
    optimizer.step(gradients=[p, None])
    assert optimizer.history(3).shape == (1, 1)
    assert optimizer.history(0).shape == (0, 1)


def test_what_is_no_number_of_updates(place: str | int) -> None:
    optimizer = AdamW([np.ones(3, F)], device=place)
    with pytest.raises(ValueError, match="n must be at least 0, got -1"):
        optimizer.history(-1)
    for wrong in (1.0, None, "3", True):
        with pytest.raises(TypeError, match="n must be an int, got"):
            optimizer.history(wrong)  # type: ignore[arg-type]


def test_an_edit_a_step_is_no_submission_more(device: vk.Device) -> None:
    """What was used before the edit goes to the ring with the refill that follows it."""
    p = np.ones(3, F)
    optimizer = AdamW([p], lr=0.5, device=device.info.index)
    optimizer.step(gradients=[p])
    optimizer.step(gradients=[p])
    if device.buffer(4).view() is None:
        pytest.skip("each array is a submission here")
    for step in range(20):
        optimizer.param_groups[0]["lr"] = step / 32
        before = device.counters.submissions, device.counters.bytes_down, sum(device.live.values())
        optimizer.step(gradients=[p])
        now = device.counters.submissions, device.counters.bytes_down, sum(device.live.values())
        assert now == (before[0] + 1, before[1] + p.nbytes, before[2])
    assert optimizer.history(20)["lr"][:, 0].tolist() == [step / 32 for step in range(20)]


def test_a_replay_keeps_its_rows_without_the_host(device: vk.Device) -> None:
    optimizer, _, tape = resident(device.info.index)
    tape.replay(1)
    device.wait()
    before = device.counters.submissions, device.counters.bytes_up, device.counters.bytes_down
    tape.replay(1000)
    device.wait()
    after = device.counters.submissions, device.counters.bytes_up, device.counters.bytes_down
    assert after == (before[0] + 1, *before[1:])
    np.testing.assert_array_equal(numbers(optimizer.history(1000)), wanted(2, 1001))
