"""Whichever call to Vulkan fails in replays that skip updates: what was done is known, and no more.

Eager steps that skip are in test_training_faults.py.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from faults import LOST, OUT_OF_MEMORY, Faults
from plain import hashed_gradient

import grilly
from grilly import vk
from grilly.errors import DeviceLostError, DeviceMemoryError
from grilly.optim import AdamW
from grilly.optim.lr_scheduler import OneCycleLR
from grilly.vk import binding
from grilly.vk import device as device_module
from grilly.vk.device import Device

SIZE = 40
THINNED = 91 if vk.validating() else 13


class Run:
    """Replays by turns with a good and a bad gradient, over a refill and a hand edit."""

    def __init__(self, place: str | int) -> None:
        self.p = grilly.nn.Parameter(hashed_gradient(SIZE, 0), device=place)
        bad = hashed_gradient(SIZE, 1)
        bad[3] = np.inf
        self.source = [grilly.device_array(x, place) for x in (hashed_gradient(SIZE, 1), bad)]
        self.optimizer: Any = AdamW([self.p], lr=0.1, skip_nonfinite=True, device=place)
        self.scheduler = OneCycleLR(self.optimizer, 0.1, total_steps=200)
        self.target: int | None = None  # the updates that a replay is to lead to

    def record(self) -> None:
        with grilly.record() as self.tape:
            self.optimizer.step()
            self.scheduler.step()

    def replay(self, times: int, bad: bool) -> None:
        """Replay; if it is done again after a failure, what is left of it."""
        if self.target is None:
            self.target = self.attempted + times
        self.p.grad.copy_from(self.source[bad])
        self.tape.replay(self.target - self.attempted)
        self.target = None

    def edit(self) -> None:
        self.optimizer.param_groups[0]["weight_decay"] = 0.5
        self.optimizer.param_groups[0]["lr"] = 0.03

    @property
    def acts(self) -> list[Callable[[], object]]:
        """What happens, in order; the last replay is longer than the first window of 8 rows."""
        times = [(3, False), (4, True), (6, False), (3, True), (12, False)]
        replays = [partial(self.replay, *one) for one in times]
        return [self.record, *replays[:3], self.edit, *replays[3:]]

    @property
    def attempted(self) -> int:
        """How many updates were attempted, as the host says after it has asked."""
        state = self.optimizer.state_dict()["state"]
        return int(self.optimizer.skipped()) + int(state[0]["step"] if state else 0)

    @property
    def contents(self) -> list[Any]:
        state = self.optimizer.state_dict()["state"][0]
        own = [self.p.data.numpy(), *state.values(), self.optimizer.read_hyperparameters()["lr"]]
        return [*own, self.scheduler.last_epoch, self.scheduler.get_last_lr()]


def through(run: Run, failing: Faults) -> None:
    """Make every act; the one that a call of fails is done again."""
    for act in run.acts:
        before = failing.hit
        try:
            act()
        except DeviceMemoryError:
            assert failing.hit > before
            act()


@pytest.fixture
def opened(private_device: Device, monkeypatch: pytest.MonkeyPatch) -> Device:
    """A device of the test's own that new optimizers get."""
    monkeypatch.setitem(device_module._open, private_device.info.index, private_device)
    return private_device


def test_any_call_may_run_out_of_memory(opened: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    place = opened.info.index
    wanted, log = Run("cpu"), Faults()
    through(wanted, Faults())
    through(Run(place), Faults())
    run = Run(place)
    monkeypatch.setattr(binding, "fault", log)
    through(run, log)
    missed = 0
    for number in range(0, len(log.names), THINNED):
        monkeypatch.setattr(binding, "fault", None)
        run, failing = Run(place), Faults(number, OUT_OF_MEMORY)
        monkeypatch.setattr(binding, "fault", failing)
        through(run, failing)
        missed += not failing.hit
        failing.at = None
        for got, want in zip(run.contents, wanted.contents, strict=True):
            np.testing.assert_array_equal(got, want, failing.names[-1])
    assert missed <= 3  # a fence that takes longer is waited for again


def test_a_lost_device_is_said_by_all_that_ask(
    opened: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(opened.info.index)
    run.record()
    run.replay(3, bad=True)
    monkeypatch.setattr(binding, "fault", Faults(0, LOST, sticky=True))
    with pytest.raises(DeviceLostError):
        opened.wait()
    for ask in (
        lambda: run.optimizer.param_groups,
        lambda: run.scheduler.last_epoch,
        run.scheduler.get_last_lr,
        run.optimizer.skipped,
        run.optimizer.state_dict,
        lambda: run.tape.replay(1),
        run.optimizer.step,
    ):
        with pytest.raises(DeviceLostError):
            ask()
    assert "AdamW" in repr(run.optimizer)
    monkeypatch.setattr(binding, "fault", None)
    opened.owner.lost = False
