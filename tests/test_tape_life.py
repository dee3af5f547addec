"""Tapes: what a replay costs, replays that are queued, and what is dropped while they run."""

from __future__ import annotations

import signal
import threading
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from tape_runs import Run, assert_same
from test_tape import SCHEDULES, Pair, _accumulating, _rounds, _two

import grilly
from grilly import Kernel, vk
from grilly.optim import lr_scheduler as lrs
from grilly.resident import recording

Place = str | int
ADD_ONE = """#version 450
layout(std430, binding = 0) buffer X { float x[]; };
void main() { x[0] += 1.0; }"""


def _long(optimizer: Any) -> Any:
    return lrs.OneCycleLR(optimizer, [0.1, 0.2], total_steps=3000)


PROGRAMS: dict[str, Any] = {
    "OneCycleLR": lambda where: Run(where, "AdamW", _long),
    "several parts": lambda where: Run(where, "SGD", SCHEDULES["StepLR"], sizes=(600_000, 3, 4)),
    "two schedulers": lambda where: Run(where, "Adam", _two, _rounds("aob"), (5, 70)),
    "accumulating": lambda where: Run(where, "AdamW", SCHEDULES["StepLR"], _accumulating),
    "two optimizers": Pair,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_replay_is_one_submission_and_nothing_else(device: vk.Device, name: str) -> None:
    run = PROGRAMS[name](device.info.index)
    run.replay(0)
    device.wait()
    for times in (20, 20, 7) if name == "several parts" else (1000, 1000, 7, 300):
        before = asdict(device.counters)
        run.tape.replay(times)
        after = asdict(device.counters)
        spent = {key: after[key] - before[key] for key in after if after[key] != before[key]}
        assert spent.pop("dispatches") >= times
        assert spent == {"submissions": 1}
        device.wait()


def test_queued_replays(place: Place) -> None:
    replayed, eager = (Run(where, "AdamW", SCHEDULES["OneCycleLR"]) for where in (place, "cpu"))
    for _ in range(3):
        replayed.replay(40)
    assert replayed.schedulers[0].last_epoch == 120  # the host does not wait to count
    assert_same(replayed.contents(), eager.eager(120).contents())


def test_replays_eager_steps_and_kernels_are_in_order(place: Place) -> None:
    replayed, eager = (
        Run(where, "SGD", SCHEDULES["StepLR"], sizes=(5, 3)) for where in (place, "cpu")
    )
    for run in (replayed, eager):
        move = run.replay if run is replayed else run.eager
        for k in range(3):
            move(4)
            run.params[0].grad.add_(run.params[0].data, 0.1 * k)
            run.eager(1)
            run.params[1].data.copy_from(run.params[1].grad)
            move(2)
    assert_same(replayed.contents(), eager.contents())


# Counts its runs, and takes long over each: lavapipe ends a loop after 65,535 turns, so in groups.
SLOW = """#version 450
layout(local_size_x = 1) in;
layout(std430, binding = 0) buffer X { float x[]; };
void main() {
  float sum = 1.0 + float(gl_WorkGroupID.x);
  for (uint i = 0; i < 60000; ++i) sum = sum * 0.5 + float(i % 7);
  if (gl_WorkGroupID.x == 0) x[0] = x[0] + (sum > 0.0 ? 1.0 : 100.0);
}"""
GROUPS = 60


def _slow(device: vk.Device) -> tuple[Any, Any]:
    """Return a tape that takes a while, and the array that it writes."""
    x, kernel = grilly.zeros(1, device.info.index), Kernel(SLOW)
    with grilly.record() as tape:
        kernel([x], GROUPS)
    tape.replay(1)  # the driver compiles at the first run
    tape.wait()
    return tape, x


def test_what_is_dropped_in_flight_is_not_handed_out(device: vk.Device) -> None:
    tape, x = _slow(device)
    y, ones = (grilly.device_array(np.ones(1000), device.info.index) for _ in "ab")
    with grilly.record() as late:
        late.dispatch(Kernel(SLOW), [x], GROUPS)
        y.add_(y)
        y.copy_from(ones)
    late.replay(5)
    del y, ones, late
    # These get memory while the device still writes to what was dropped.
    fresh = [grilly.zeros(1000, device.info.index) for _ in range(4)]
    tape.replay(1)
    assert not any(array.numpy().any() for array in fresh)
    assert x.item() == 1 + 5 + 1  # runs


def test_a_tape_dropped_in_flight_still_runs(device: vk.Device) -> None:
    tape, x = _slow(device)
    for _ in range(3):
        tape.replay(1)
    del tape
    again, y = _slow(device)
    for _ in range(3):
        again.replay(1)
    assert again.wait() and again.wait(5.0) and again.wait(float("inf"))
    assert x.item() == y.item() == 1 + 3


def test_a_wait_has_a_time_limit(device: vk.Device) -> None:
    tape, _ = _slow(device)
    tape.replay(30)
    assert tape.wait(0.0) is False
    assert tape.wait()


def test_memory_returns_when_a_run_is_dropped(device: vk.Device) -> None:
    def train() -> None:
        Run(device.info.index, "AdamW", SCHEDULES["OneCycleLR"], sizes=(600_000, 5)).replay(3)
        device.wait()

    train()
    device.wait()
    before = device.live
    train()
    device.wait()
    assert device.live == before


def test_threads_record_at_the_same_time(place: Place) -> None:
    """Each thread's tape has what that thread says, and steps of others are made at once."""
    started, results = threading.Barrier(3), {}

    def record(name: str, kind: str) -> None:
        run = Run(place, kind, SCHEDULES["StepLR"], sizes=(5, 3))
        with grilly.record() as run.tape:
            run.optimizer.step()
            started.wait()
            started.wait()
            run.schedulers[0].step()
        for _ in range(5):
            run.replay(4)
        results[name] = run

    def step() -> None:
        run = Run(place, "Adam", SCHEDULES["StepLR"], sizes=(5, 3))
        started.wait()
        results["eager"] = run.eager(20)
        started.wait()

    own = [("a", "SGD"), ("b", "AdamW")]
    threads = [threading.Thread(target=record, args=names) for names in own]
    threads.append(threading.Thread(target=step))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for name, kind in (*own, ("eager", "Adam")):
        want = Run("cpu", kind, SCHEDULES["StepLR"], sizes=(5, 3)).eager(20)
        assert_same(results[name].contents(), want.contents(), name)


def test_threads_replay_and_step_the_same_optimizer(place: Place) -> None:
    """In whatever order they come to it, each update is made once."""
    run = Run(place, "AdamW", sizes=(5, 3)).record()
    threads = [
        threading.Thread(target=lambda: [run.tape.replay(3) for _ in range(10)]) for _ in "ab"
    ]
    threads += [threading.Thread(target=lambda: run.eager(10)) for _ in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert_same(run.contents(), Run("cpu", "AdamW", sizes=(5, 3)).eager(80).contents())


def test_threads_replay_the_same_kernels(place: Place) -> None:
    """No optimizer has a lock for them."""
    x = grilly.zeros(1, place)
    one = Kernel(ADD_ONE, host=lambda x: x.__iadd__(1))
    with grilly.record() as tape:
        one([x], 1)
    threads = [
        threading.Thread(target=lambda: [tape.replay(3) for _ in range(100)], daemon=True)
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert x.numpy()[0] == 1200


@pytest.mark.parametrize("entering", [True, False])
def test_ctrl_c_leaves_no_tape_recording(entering: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupting(list[Any]):
        def append(self, one: Any) -> None:
            super().append(one)
            if entering:
                signal.raise_signal(signal.SIGINT)

        def remove(self, one: Any) -> None:
            if not entering:
                signal.raise_signal(signal.SIGINT)
            super().remove(one)

    monkeypatch.setattr(recording, "_open", Interrupting())
    x = grilly.zeros(1, "cpu")
    with pytest.raises(KeyboardInterrupt), grilly.record():
        x.add_(x)
    assert recording.current() is None and not recording.anywhere()
