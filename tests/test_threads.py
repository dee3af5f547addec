"""Threads that train, look and save at once: each sees what was true at some moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

import grilly
from grilly.optim import SGD, param_steps
from grilly.optim.lr_scheduler import ReduceLROnPlateau, StepLR
from grilly.optim.param_scheduler import ParamScheduler
from grilly.optim.seats import Seat
from grilly.resident.schedulers import Schedulers
from grilly.schedules import Linear

F = np.float32
GOOD, BAD = [np.ones(2, F)], [np.full(2, np.inf, F)]


def started(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def skipping(place: str | int) -> tuple[Any, Any]:
    optimizer = SGD([np.ones(2, F)], lr=1.0, momentum=0.5, skip_nonfinite=True, device=place)
    return optimizer, StepLR(optimizer, step_size=1, gamma=0.5)


def test_a_reader_knows_of_skips_while_another_steps(place: str | int) -> None:
    """What a step takes for made holds for its own thread only."""
    optimizer, scheduler = skipping(place)
    optimizer.step(gradients=GOOD)
    scheduler.step()
    optimizer.step(gradients=BAD)
    stepping, read = threading.Event(), threading.Event()

    def step() -> None:
        with optimizer._as_if_made():  # a step that waits for the lock
            stepping.set()
            read.wait(10)

    thread = started(step)
    stepping.wait(10)
    assert (optimizer.skipped(), scheduler.last_epoch) == (1, 1)
    read.set()
    thread.join()


def test_a_reader_amid_a_schedulers_step_waits(
    place: str | int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it sets the scheduler right before its step has said that it went on."""
    optimizer, scheduler = skipping(place)
    optimizer.step(gradients=GOOD)
    scheduler.step()
    optimizer.step(gradients=BAD)
    went_on, seen, threads = optimizer._ledger.went_on, [], []

    def amid(*arguments: Any) -> None:
        threads.append(started(lambda: seen.append(scheduler.last_epoch)))
        threads[0].join(0.2)
        went_on(*arguments)

    monkeypatch.setattr(optimizer._ledger, "went_on", amid)
    scheduler.step()  # does not count, for the update was skipped
    threads[0].join(10)
    monkeypatch.undo()
    assert seen == [1]
    assert (scheduler.last_epoch, optimizer.param_groups[0]["lr"]) == (1, 0.5)


def test_a_reader_amid_a_schedulers_step_sees_a_whole_one(
    place: str | int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the step without its rates; nothing is unknown here that would be asked for."""
    optimizer, scheduler = skipping(place)
    put, seen, threads = scheduler._put, [], []

    def amid(*arguments: Any) -> None:
        threads.append(started(lambda: seen.append(scheduler.state_dict())))
        threads[0].join(0.2)
        put(*arguments)

    monkeypatch.setattr(StepLR, "_put", lambda self, *arguments: amid(*arguments))
    for _ in range(2):  # the first finds the way
        optimizer.step(gradients=GOOD)
        optimizer.skipped()
        scheduler.step()
    threads[0].join(10)
    [state] = seen
    assert state["_last_lr"] == [0.5 ** state["last_epoch"]]


def test_a_forked_child_may_step_a_scheduler(place: str | int) -> None:
    """Whatever another thread held as it was forked."""
    optimizer, scheduler = skipping(place)
    optimizer.step(gradients=GOOD)
    assert optimizer.skipped() == 0
    held, end = threading.Event(), threading.Event()

    def hold() -> None:
        with optimizer._lock:
            held.set()
            end.wait(10)

    thread = started(hold)
    held.wait(10)
    optimizer._pid -= 1  # as a child sees it
    scheduler.step()
    assert scheduler.last_epoch == 1
    end.set()
    thread.join()


def resident(place: str | int) -> tuple[Any, Any]:
    p = grilly.nn.Parameter(np.ones(2, F), device=place)
    p.grad.copy_from(np.ones(2))
    optimizer = SGD([p], lr=0.1, skip_nonfinite=True)
    return optimizer, StepLR(optimizer, step_size=3, gamma=0.9)


def test_tapes_that_share_optimizers_do_not_wait_for_each_other(
    place: str | int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each updates what the other one's scheduler is of."""
    (one, one_rate), (other, other_rate) = resident(place), resident(place)
    with grilly.record() as a:
        one.step()
        other_rate.step()
    with grilly.record() as b:
        other.step()
        one_rate.step()
    one.step()
    other.step()
    both, check = threading.Barrier(2), Schedulers.check

    def checked(self: Schedulers) -> None:
        with suppress(threading.BrokenBarrierError):
            both.wait(0.3)
        check(self)

    monkeypatch.setattr(Schedulers, "check", checked)
    threads = [started(tape.replay) for tape in (a, b)]
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)
    assert (one_rate.last_epoch, other_rate.last_epoch) == (1, 1)


def test_a_tape_may_step_a_scheduler_whose_optimizer_rests(place: str | int) -> None:
    """Its steps count, whatever becomes of updates between the replays."""
    (one, _), (rests, rate) = resident(place), resident(place)
    with grilly.record() as tape:
        one.step()
        rate.step()
    for _ in range(4):
        tape.replay(2)
        rests.step()
    assert rate.last_epoch == 8
    assert rests.param_groups[0]["lr"] == pytest.approx(0.1 * 0.9**2, rel=1e-12)
    assert rests.skipped() == 0


def test_a_seat_that_is_taken_while_another_looks(
    place: str | int, monkeypatch: pytest.MonkeyPatch
) -> None:
    p = grilly.nn.Parameter(np.ones(2, F), device=place)
    optimizer = SGD([p], lr=1.0)
    loss = grilly.device_array([1.0], device=place)
    first = ReduceLROnPlateau(optimizer, factor=0.5, patience=0)
    first.step(loss)
    assert optimizer.param_groups[0]["lr"] == 1.0
    scheduler = ReduceLROnPlateau(optimizer, factor=0.5, patience=0)
    looking, seated, over = threading.Event(), threading.Event(), Seat.over.fget
    assert over is not None

    def paused(self: Seat) -> Any:
        if threading.current_thread() is not threading.main_thread() and not looking.is_set():
            looking.set()
            seated.wait(10)
        return over(self)

    monkeypatch.setattr(Seat, "over", property(paused))
    reader = started(lambda: optimizer.param_groups)
    looking.wait(10)
    scheduler.step(loss)
    seated.set()
    reader.join(10)
    for _ in range(5):
        scheduler.step(loss)
    assert optimizer.param_groups[0]["lr"] == 0.5**5


def test_param_schedulers_are_made_in_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    def made() -> ParamScheduler:
        optimizer = SGD([np.ones(2, F)], lr=0.1, device="cpu")
        return ParamScheduler(optimizer, {"lr": Linear(0.0, 0.1, 10)})

    schedulers, threads = [made(), made()], []

    class Writers(set):
        """One more is made by another thread while they are looked through."""

        def __iter__(self) -> Any:
            for one in super().__iter__():
                if threading.current_thread() is threading.main_thread():
                    threads.append(started(lambda: schedulers.append(made())))
                    threads[-1].join(0.1)
                yield one

    monkeypatch.setattr(param_steps, "_writers", Writers(schedulers))
    own = made()
    monkeypatch.undo()
    for thread in threads:
        thread.join(10)
    assert len(schedulers) == 2 + len(threads) >= 4
    assert own.last_epoch == 0
