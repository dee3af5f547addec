"""Recovery: an update that Ctrl-C or a failure cuts short was made wholly or not at all.

The training is made twice, disturbed and undisturbed. Its gradients depend on nothing but the
number of updates made, so one that is lost, made twice or half made changes the last bits.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import child
import numpy as np
import pytest
from faults import OUT_OF_MEMORY
from plain import hashed_gradient

from grilly import DeviceError, vk
from grilly.optim import AdamW
from grilly.optim.lr_scheduler import OneCycleLR
from grilly.vk import binding

TOTAL = 480
ADDED = 200


class Run:
    """A training run that can be gone on with whatever has happened to its last step."""

    def __init__(self, place: str | int) -> None:
        self.params = [np.linspace(-1, 1, size, dtype=np.float32) for size in (5000, 3, 64)]
        self.before: Any = None
        self.optimizer = AdamW(self.params[:2], device=place)
        self.scheduler = OneCycleLR(self.optimizer, max_lr=0.1, total_steps=TOTAL + 1)

    @property
    def made(self) -> int:
        """The number of updates, by the optimizer's own account."""
        return self.optimizer.state_dict()["state"].get(0, {"step": 0})["step"]

    def gradients(self, made: int) -> list[Any]:
        """Return the next update's: the second parameter rests at times, the third comes later."""
        if made >= ADDED and len(self.optimizer.param_groups) == 1:
            options = {k: v for k, v in self.optimizer.param_groups[0].items() if k != "params"}
            self.optimizer.add_param_group({**options, "params": self.params[2:]})
            self.scheduler.base_lrs *= 2
        members = sum(len(group["params"]) for group in self.optimizer.param_groups)
        grads = [hashed_gradient(p.size, made + i) for i, p in enumerate(self.params[:members])]
        return [None if i == 1 and made % 11 < 3 else g for i, g in enumerate(grads)]

    def catch_up(self) -> int:
        """Bring the scheduler and the groups to where the optimizer is; return that."""
        made = self.made
        while self.scheduler.last_epoch < made:
            self.scheduler.step()
        return made

    def to(self, total: int) -> None:
        """Train undisturbed until ``total`` updates have been made."""
        for made in range(self.catch_up(), total):
            self.optimizer.step(gradients=self.gradients(made))
            self.scheduler.step()

    def contents(self) -> list[Any]:
        """Return all that the training has come to."""
        state = self.optimizer.state_dict()["state"]
        arrays = [value for i in sorted(state) for _, value in sorted(state[i].items())]
        return [*self.params, *arrays, self.optimizer.read_hyperparameters()]


def assert_equal(one: Run, other: Run) -> None:
    for got, want in zip(one.contents(), other.contents(), strict=True):
        np.testing.assert_array_equal(got, want)


INTERRUPTED = """
import random, signal, sys, time
sys.path.insert(0, {tests!r})
from test_recovery import Run, TOTAL, assert_equal

armed, hits = False, 0
def alarm(*_):
    if armed:
        signal.raise_signal(signal.SIGINT)  # so that whoever handles SIGINT does
signal.signal(signal.SIGALRM, alarm)
rng = random.Random({seed})
run = Run({place!r})
run.to(3)
begin = time.monotonic()
run.to(43)
a_step = (time.monotonic() - begin) / 40
for target in range(48, TOTAL + 1, 12):
    made = run.catch_up()
    # Every second time with more to come, which fall into what the first one set off.
    signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-6, 6 * a_step), rng.choice([0, 1e-4]))
    try:
        while made < target:
            grads = run.gradients(made)
            armed = True
            run.optimizer.step(gradients=grads)
            armed = False
            run.scheduler.step()
            made += 1
    except KeyboardInterrupt:
        armed = False
        hits += 1
    armed = False
    signal.setitimer(signal.ITIMER_REAL, 0)
    run.to(target)
undisturbed = Run("cpu")
undisturbed.to(run.made)
assert_equal(run, undisturbed)
print(hits)
"""


@pytest.mark.turns
@pytest.mark.skipif(sys.platform == "win32", reason="has no interval timer")
@pytest.mark.parametrize("seed", [1, 2])
def test_ctrl_c_at_any_moment_of_a_step(place: str | int, seed: int) -> None:
    code = INTERRUPTED.format(tests=str(Path(__file__).parent), place=place, seed=seed)
    # Beside other work a step measured fast may be slow: then some alarms come in time for none.
    assert int(child.says(code, timeout=240)) >= 10


@pytest.fixture
def cut_short(device: vk.Device, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run whose sixth update is made, but could not be waited for, nor at once after that."""
    monkeypatch.setenv("GRILLY_STAGING", "0")  # else waits come before the update too
    run = Run(device.info.index)
    run.to(5)
    run.before = copy.deepcopy((run.optimizer.state_dict(), run.params))
    with monkeypatch.context() as patch:
        fault = lambda name: OUT_OF_MEMORY if name == "vkWaitForFences" else 0  # noqa: E731
        patch.setattr(binding, "fault", fault)
        with pytest.raises(DeviceError, match="vkWaitForFences"):
            run.optimizer.step(gradients=run.gradients(5))
    np.testing.assert_array_equal(run.params[0], run.before[1][0])
    return run


ENTRIES: dict[str, Callable[[Run], object]] = {  # each brings the update back first
    "state_dict": lambda run: run.optimizer.state_dict(),
    "read_hyperparameters": lambda run: run.optimizer.read_hyperparameters(),
    "add_param_group": lambda run: run.optimizer.add_param_group({"params": [np.ones(1, "f4")]}),
    "step": lambda run: run.optimizer.step(gradients=[None, None]),
}


@pytest.mark.parametrize("entry", ENTRIES)
def test_the_next_call_brings_the_update_back(cut_short: Run, entry: str) -> None:
    ENTRIES[entry](cut_short)
    undisturbed = Run("cpu")
    undisturbed.to(6)
    for got, want in zip(cut_short.params, undisturbed.params, strict=True):
        np.testing.assert_array_equal(got, want)
    assert cut_short.made == 6


def test_a_load_drops_the_update(cut_short: Run) -> None:
    """Weights that were restored before the load are not overwritten."""
    state, params = cut_short.before
    for p, kept in zip(cut_short.params, params, strict=True):
        p[:] = kept
    cut_short.optimizer.load_state_dict(state)
    assert cut_short.made == 5
    cut_short.to(20)
    undisturbed = Run("cpu")
    undisturbed.to(20)
    assert_equal(cut_short, undisturbed)
