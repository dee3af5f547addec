"""Tapes: Ctrl-C and failures of the device leave rounds made wholly, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import child
import numpy as np
import pytest
from faults import LOST, OUT_OF_MEMORY, Faults
from tape_runs import Run, assert_same

import grilly
from grilly import DeviceError, Kernel, RecordError, vk
from grilly.errors import DeviceLostError
from grilly.optim import lr_scheduler as lrs
from grilly.vk import binding
from grilly.vk.device import Device
from grilly.vk.instance import instance

Place = str | int
TESTS = str(Path(__file__).parent)


def sequence(optimizer: Any) -> Any:
    warm_up = lrs.LinearLR(optimizer, 0.1, total_iters=5)
    return lrs.SequentialLR(optimizer, [warm_up, lrs.ExponentialLR(optimizer, 0.999)], [5])


def program(run: Run) -> None:
    """Have gradients that depend on the weights: what is made twice or lost changes all bits."""
    for p in run.params:
        p.grad.add_(p.data, 0.01)
    run.round()


def make(place: Place) -> Run:
    return Run(place, "AdamW", sequence, program, (5, 70))


# --- Ctrl-C --------------------------------------------------------------------------------------

INTERRUPTED = """
import random, signal, sys, time
sys.path.insert(0, {tests!r})
from test_tape_faults import assert_same, make

armed, hits, turn = False, 0, 0
def alarm(*_):
    if armed:
        signal.raise_signal(signal.SIGINT)  # so that whoever handles SIGINT does
signal.signal(signal.SIGALRM, alarm)
rng = random.Random({seed})
run, want = make({place!r}).record(), make("cpu")
run.replay(8)
want.eager(8)
run.tape.wait()
begin = time.monotonic()
run.replay({rounds})
run.tape.wait()
took = time.monotonic() - begin
want.eager({rounds})
# Beside other work a replay measured slow may be fast: then its alarms come when it is over.
while turn < {turns} or hits < 3:
    turn += 1
    if turn % 3 == 0:  # then the first round is made step by step
        for one in (run, want):
            one.optimizer.param_groups[0]["weight_decay"] = 0.01 * turn
    before = run.schedulers[0].last_epoch
    begin = time.monotonic()
    try:
        armed = True
        signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-6, took), rng.choice([0, 1e-4]))
        run.tape.replay({rounds})
        run.tape.wait()
        armed = False
        took = time.monotonic() - begin
    except KeyboardInterrupt:
        armed = False
        hits += 1
    signal.setitimer(signal.ITIMER_REAL, 0)
    made = run.schedulers[0].last_epoch - before
    assert 0 <= made <= {rounds}, made
    assert_same(run.contents(), want.eager(made).contents(), str(turn))
run.replay(3).eager(2)
assert_same(run.contents(), want.eager(5).contents())
print(hits)
"""


@pytest.mark.parametrize("seed", [1, 2])
def test_ctrl_c_at_any_moment_of_a_replay(place: Place, seed: int) -> None:
    code = INTERRUPTED.format(tests=TESTS, place=place, seed=seed, rounds=15, turns=15)
    assert int(child.says(code, timeout=240)) >= 3


FLAGGED = """
import signal, sys
sys.path.insert(0, {tests!r})
from test_tape_faults import assert_same, make
seen = []
signal.signal(signal.SIGINT, lambda *_: seen.append(1))
signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
run = make("cpu").record()
signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
run.replay(400)
signal.setitimer(signal.ITIMER_REAL, 0)
assert_same(run.contents(), make("cpu").eager(400).contents())
print(len(seen))
"""


def test_a_handler_that_raises_nothing_ends_nothing() -> None:
    assert int(child.says(FLAGGED.format(tests=TESTS))) >= 2


# --- A function on the host that fails -----------------------------------------------------------


@pytest.mark.parametrize("fails_at", [0, 1, 7, 30])
def test_an_error_in_the_midst_of_a_round(fails_at: int) -> None:
    """What came before it in its round is made and counted, as step by step."""

    def made(replays: bool) -> Run:
        calls: list[int] = []

        def host(x: Any) -> None:
            calls.append(1)
            if len(calls) == fails_at + 1:
                raise ZeroDivisionError("the user's")
            x *= 0.9

        kernel = Kernel("", host=host)

        def failing(run: Run) -> None:
            run.optimizer.step()
            run.schedulers[0].step()
            kernel([run.params[0].grad], 1)
            run.optimizer.step()

        run = Run("cpu", "AdamW", lambda o: lrs.StepLR(o, 3, 0.5), failing, (5, 3))
        if replays:
            run.record()
        with pytest.raises(ZeroDivisionError):
            run.replay(40) if replays else run.eager(40)
        return run

    replayed, eager = made(True), made(False)
    assert_same(replayed.contents(), eager.contents())
    assert_same(replayed.replay(3).contents(), eager.eager(3).contents())


# --- A device that fails -------------------------------------------------------------------------


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Set the faults that are in force."""
    return lambda those: monkeypatch.setattr(binding, "fault", those)


def edit(run: Run) -> None:
    run.optimizer.param_groups[0]["lr"] = 0.3


def edited(run: Run) -> None:
    edit(run)
    run.tape.replay(20)


def waiting(run: Run) -> None:
    run.tape.replay(2)
    run.tape.wait()
    run.params[0].data.numpy()


# What is done, and whether after a replay of 20 rounds.
ACTS: dict[str, tuple[Callable[[Run], object], bool]] = {
    "record": (Run.record, False),
    "first replay": (lambda run: run.replay(20), False),
    "next replay": (lambda run: run.tape.replay(60), True),
    "edited": (edited, True),
    "waiting": (waiting, True),
    "step by step": (lambda run: run.eager(2), False),
}


def begun(place: Place, act: str) -> Run:
    run = make(place)
    if ACTS[act][1]:
        run.replay(20).tape.wait()
    return run


def recorded(place: Place, act: str) -> Run:
    run = begun(place, act)
    return run if run.tape else run.record()


def some(names: list[str]) -> list[int]:
    """Return the numbers of the first calls, and of some of the many alike after them."""
    return [*range(min(8, len(names))), *range(8, len(names), 1 + len(names) // 6)]


def stepped(made: int, act: str) -> Run:
    """Return what is right after so many rounds."""
    if act != "edited":
        return make("cpu").eager(made)
    run = make("cpu").eager(20)
    edit(run)
    return run.eager(made - 20)


@pytest.mark.parametrize("act", ACTS)
def test_any_call_may_run_out_of_memory(device: vk.Device, faults: Any, act: str) -> None:
    run = begun(device.info.index, act)
    faults(log := Faults())
    ACTS[act][0](run)
    faults(None)
    raised = 0
    for number in some(log.names):
        run, failed = begun(device.info.index, act), False
        faults(failing := Faults(number, OUT_OF_MEMORY))
        try:
            ACTS[act][0](run)
        except DeviceError as error:
            assert failing.names[number] in str(error)
            failed = True
        raised += failed
        faults(None)
        want = stepped(run.schedulers[0].last_epoch, act)
        when = f"call {number}, {log.names[number]}, of {act}: "
        counts = {state["step"] for state in run.optimizer.state_dict()["state"].values()}
        # A round that is made step by step may be cut between its entries: so is a milestone's.
        at_milestone = act == "first replay" and want.schedulers[0].last_epoch == 4
        cut = failed and (act in ("edited", "step by step") or at_milestone)
        if cut:
            assert len(counts) < 2 and counts <= {want.schedulers[0].last_epoch + i for i in (0, 1)}
        else:
            assert_same(run.contents(), want.contents(), when)
        try:
            run.replay(5)
        except RecordError as error:
            assert "broken" in str(error) and not ACTS[act][1], when
            run.record().replay(5)
        if not cut:
            assert_same(run.contents(), want.eager(5).contents(), f"after {when}")
    assert raised


@pytest.mark.parametrize("act", ["first replay", "next replay", "edited"])
def test_a_lost_device(device_info: vk.DeviceInfo, faults: Any, act: str, monkeypatch: Any) -> None:
    home = instance()
    device = Device(home.physical[device_info.index], home)
    monkeypatch.setattr(vk, "open_device", lambda which: device)
    run = recorded(device_info.index, act)
    faults(log := Faults())
    ACTS[act][0](run)
    faults(None)
    device.close()
    for number in some(log.names)[::4]:
        device = Device(home.physical[device_info.index], home)
        run = recorded(device_info.index, act)
        faults(Faults(number, LOST, sticky=True))
        with pytest.raises(DeviceLostError):
            ACTS[act][0](run)
            run.tape.wait()
        faults(None)
        for then in (
            lambda run=run: run.tape.replay(1),
            lambda run=run: run.tape.wait(),
            lambda run=run: run.params[0].data.numpy(),
            lambda run=run: run.optimizer.state_dict(),
            lambda run=run: run.params[0].data.fill_zero(),
        ):
            with pytest.raises(DeviceLostError):
                then()
        device.close()
    assert np.isfinite(grilly.zeros(1, "cpu").item())
