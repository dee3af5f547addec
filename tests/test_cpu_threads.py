"""The numpy device's threads change no bit, leave nothing behind, and Ctrl-C tears no step."""

from __future__ import annotations

import signal
import threading
import warnings
from typing import Any

import child
import numpy as np
import pytest
from plain import hashed_gradient

from grilly import cpu, cpu_threads
from grilly.interrupt import Uninterrupted
from grilly.optim import AdamW

SIZES = (10_001, 7, 0, 25_000, 4_000)


def use_four_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let four threads share the blocks of few parameters."""
    monkeypatch.setattr(cpu_threads, "FLOATS_OF_A_THREAD", 5_000)
    monkeypatch.setattr(cpu_threads, "_cores", lambda: 4)
    monkeypatch.setattr(cpu, "BLOCK", 1_000)


def threads_alive() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("grilly")]


def trained(steps: int = 30) -> list[Any]:
    params = [hashed_gradient(size, 99 + i) for i, size in enumerate(SIZES)]
    optimizer = AdamW(params, amsgrad=True, device="cpu")
    for step in range(steps):
        grads: list[Any] = [hashed_gradient(size, 9 * step + i) for i, size in enumerate(SIZES)]
        grads[step % len(SIZES)] = None
        optimizer.step(gradients=grads)
    states = optimizer.state_dict()["state"].values()
    return [*params, *(entry[name] for entry in states for name in sorted(entry))]


def test_threads_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = trained()
    numbers = set()
    update = cpu.CpuBackend._update

    def noting(self: cpu.CpuBackend, thread: int, block: Any) -> None:
        numbers.add(thread)
        update(self, thread, block)

    monkeypatch.setattr(cpu.CpuBackend, "_update", noting)
    use_four_threads(monkeypatch)
    for got, want in zip(trained(), wanted, strict=True):
        np.testing.assert_array_equal(got, want)
    assert {0} < numbers <= set(range(4))
    assert threads_alive() == []


@pytest.mark.parametrize(
    ("floats", "cores", "threads"),
    [(0, 2, 1), (999_999, 2, 1), (10**6, 2, 2), (10**9, 2, 2), (10**9, 64, 8)],
)
def test_threads_wanted(
    monkeypatch: pytest.MonkeyPatch, floats: int, cores: int, threads: int
) -> None:
    monkeypatch.setattr(cpu_threads, "_cores", lambda: cores)
    assert cpu_threads.wanted(floats) == threads


def test_floating_point_errors_stay_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    use_four_threads(monkeypatch)
    params = [np.full(20_000, 3e38, np.float32) for _ in range(2)]
    optimizer = AdamW(params, lr=1e30, weight_decay=1e8, device="cpu")
    with np.errstate(all="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        optimizer.step(gradients=[np.full(20_000, np.inf), np.full(20_000, 1e-30)])
    assert not np.isfinite(params[0]).any()


def test_an_error_in_a_thread_is_raised_after_all_have_ended() -> None:
    done = []

    def work(thread: int, item: int) -> None:
        if item == 3:
            raise MemoryError("no room")
        done.append(item)

    with pytest.raises(MemoryError, match="no room"):
        cpu_threads.share(range(100), work, 3)
    assert threads_alive() == [] and 3 not in done


def test_no_more_threads_are_needed_than_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    done: list[int] = []
    cpu_threads.share(range(10), lambda thread, item: done.append(item), 4)
    assert done == list(range(10))


FEW = """
    import os, random, signal, threading, time
    import numpy as np
    from grilly import cpu, cpu_threads
    from grilly.optim import AdamW
    cpu_threads.FLOATS_OF_A_THREAD, cpu.BLOCK = 5_000, 1_000
    cpu_threads._cores = lambda: 2
    SIZES = 30_000, 4_001, 500

    def gradients(k):
        grads = [np.full(size, np.sin(k + size), np.float32) for size in SIZES]
        return [grads[0], grads[1] if k % 3 else None, grads[2]]

    def made():
        params = [np.linspace(-1, 1, size, dtype=np.float32) for size in SIZES[:2]]
        params.append(np.ones(2 * SIZES[2], np.float32)[::2])  # updated in a copy
        return AdamW(params, device="cpu"), params
"""


def test_a_forked_child_has_threads_of_its_own() -> None:
    code = """
    optimizer, params = made()
    optimizer.step(gradients=gradients(1))
    if not os.fork():
        optimizer.step(gradients=gradients(2))
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.wait()[1]))
    """
    assert child.says(FEW + code) == "0\n"


def test_a_step_at_exit() -> None:
    code = """
    import atexit
    optimizer, params = made()
    atexit.register(lambda: print(params[0][0] != -1))
    atexit.register(optimizer.step, gradients=gradients(1))
    """
    assert child.says(FEW + code) == "True\n"


def test_ctrl_c_tears_no_step() -> None:
    """SIGINT at random moments: every step happened and was counted, or neither."""
    code = """
    armed, stop, hits = threading.Event(), threading.Event(), 0

    def disturb():
        rng = random.Random(7)
        while not stop.is_set():
            armed.wait(0.1)
            time.sleep(rng.random() * 3e-3)
            if armed.is_set():
                armed.clear()  # one at a time: none may come while the last is dealt with
                os.kill(os.getpid(), signal.SIGINT)

    def steps(optimizer):
        return optimizer._timeline.updates[0]

    disturbed, params = made()
    thread = threading.Thread(target=disturb)
    thread.start()
    while hits < 40:  # however quick the machine is
        try:
            armed.set()
            while True:
                disturbed.step(gradients=gradients(steps(disturbed)))
        except KeyboardInterrupt:
            hits += 1
    stop.set()
    thread.join()
    assert steps(disturbed) >= 10

    quiet, others = made()
    while steps(quiet) < steps(disturbed):
        quiet.step(gradients=gradients(steps(quiet)))
    for p, q in zip(params, others):
        np.testing.assert_array_equal(p, q)
    states, wanted = disturbed.state_dict()["state"], quiet.state_dict()["state"]
    for i, entry in wanted.items():
        for name, values in entry.items():
            np.testing.assert_array_equal(states[i][name], values)
    """
    child.says(FEW + code)


def test_an_interrupt_waits_for_the_outermost_block() -> None:
    seen = []
    with pytest.raises(KeyboardInterrupt):
        with Uninterrupted():
            with Uninterrupted():
                signal.raise_signal(signal.SIGINT)
                seen.append("inner")
            seen.append("outer")
        seen.append("never")
    assert seen == ["inner", "outer"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("handler", [signal.SIG_IGN, signal.SIG_DFL])
def test_a_signal_without_a_handler_is_left_alone(handler: Any) -> None:
    before = signal.signal(signal.SIGINT, handler)
    try:
        with Uninterrupted():
            assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_threads_leave_the_handler_alone() -> None:
    seen: list[Any] = []

    def look() -> None:
        with Uninterrupted():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]


def test_the_handler_comes_back_after_an_error() -> None:
    with pytest.raises(KeyError):
        with Uninterrupted():
            raise KeyError
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
