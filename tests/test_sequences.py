"""Random sequences of what users do, on every device at once: all hold the same bits throughout.

numpy and every Vulkan device make the same moves; torch-like bookkeeping is checked in test_adamw.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from grilly import DeviceError, vk
from grilly.optim import SGD, Adam, AdamW
from grilly.optim.lr_scheduler import OneCycleLR
from grilly.vk import binding

TOTAL = 400
SHAPES = ((7,), (3, 5), (), (130,), (64, 9))
_ADAM: dict[str, tuple[str, ...]] = {
    "numbers": ("lr", "weight_decay", "eps", "betas", "max_lr"),
    "flags": ("amsgrad", "maximize"),
}
OPTIONS: dict[Any, dict[str, tuple[str, ...]]] = {
    AdamW: _ADAM,
    Adam: _ADAM,
    SGD: {
        "numbers": ("lr", "weight_decay", "momentum", "dampening", "max_lr", "base_momentum"),
        "flags": ("nesterov", "maximize"),
    },
}


class Player:
    """One optimizer, its scheduler, and the moves that can be made on them."""

    def __init__(self, place: str | int, seed: int, kind: Any = AdamW) -> None:
        rng = np.random.default_rng(seed)
        self.kind = kind
        self.place = place
        self.params = [np.asarray(rng.standard_normal(s), np.float32) for s in SHAPES]
        self.start(2 + seed % 2, "cos" if seed % 3 else "linear")

    def start(self, groups: int, anneal: str) -> None:
        cuts = np.array_split(np.arange(len(self.params)), groups)
        own = [{"params": [self.params[i] for i in cut], "lr": 0.01} for cut in cuts]
        self.optimizer = self.kind(own, device=self.place)
        self.arguments: dict[str, Any] = {"total_steps": TOTAL, "anneal_strategy": anneal}
        self.scheduler = OneCycleLR(self.optimizer, max_lr=0.02, **self.arguments)

    def move(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        moves = [self.step] * 6 + [
            self.edit,
            self.toggle,
            self.reload,
            self.gap,
            self.add,
            self.look,
        ]
        moves[rng.integers(len(moves))](rng)

    def step(self, rng: np.random.Generator, missing: float = 0.0) -> None:
        for _ in range(int(rng.integers(1, 12))):
            grads = [
                None if rng.random() < missing else rng.standard_normal(p.shape)
                for p in self.params
            ]
            self.optimizer.step(gradients=grads)
            if rng.random() < 0.9 and self.scheduler.last_epoch < TOTAL - 1:
                self.scheduler.step()

    def gap(self, rng: np.random.Generator) -> None:
        self.step(rng, missing=float(rng.choice([0.1, 0.5, 1.0])))

    def edit(self, rng: np.random.Generator) -> None:
        group = self.optimizer.param_groups[int(rng.integers(len(self.optimizer.param_groups)))]
        key = rng.choice(OPTIONS[self.kind]["numbers"])
        value = float(rng.choice([0.0, 1e-3, 0.1]))
        group[key] = (value, 0.99) if key == "betas" else value
        self.step(rng)

    def toggle(self, rng: np.random.Generator) -> None:
        group = self.optimizer.param_groups[int(rng.integers(len(self.optimizer.param_groups)))]
        key = str(rng.choice(OPTIONS[self.kind]["flags"]))
        group[key] = not group[key]

    def reload(self, rng: np.random.Generator) -> None:
        saved = copy.deepcopy((self.optimizer.state_dict(), self.scheduler.state_dict()))
        options = ("params", *self.optimizer.defaults)
        groups = [{k: g[k] for k in options} for g in self.optimizer.param_groups]
        self.optimizer = self.kind(groups, device=self.place)
        self.scheduler = OneCycleLR(self.optimizer, max_lr=0.02, **self.arguments)
        order = rng.permutation(2)
        for which in order:
            (self.optimizer, self.scheduler)[which].load_state_dict(saved[which])

    def add(self, rng: np.random.Generator) -> None:
        if len(self.params) < 8:
            self.params.append(rng.standard_normal(int(rng.integers(1, 40))).astype(np.float32))
            scheduled = {k: v for k, v in self.optimizer.param_groups[0].items() if k != "params"}
            self.optimizer.add_param_group({**scheduled, "params": [self.params[-1]]})
            self.scheduler.base_lrs.append(self.scheduler.base_lrs[0])

    def look(self, rng: np.random.Generator) -> None:
        self.optimizer.read_hyperparameters()

    def contents(self) -> list[Any]:
        state = self.optimizer.state_dict()["state"]
        states = [v for i in sorted(state) for _, v in sorted(state[i].items())]
        return [*self.params, *states, self.optimizer.read_hyperparameters()]


@pytest.mark.alike
@pytest.mark.parametrize("seed", range(25))
def test_all_devices_stay_equal(device: vk.Device, seed: int) -> None:
    kind = (AdamW, SGD, Adam, SGD)[seed % 4]
    players = [Player("cpu", seed, kind), Player(device.info.index, seed, kind)]
    for turn in range(14):
        for player in players:
            player.move(1000 * seed + turn)
        for want, got in zip(*(player.contents() for player in players), strict=True):
            np.testing.assert_array_equal(got, want)


def test_edits_of_different_groups_follow_each_other(device: vk.Device) -> None:
    """The jobs that are uploaded must be in the order that the refill was recorded for."""
    players = [Player("cpu", 2), Player(device.info.index, 2)]
    for group in (1, 0, 0, 1, 1, 0):
        rows = []
        for player in players:
            player.optimizer.param_groups[group]["lr"] = 0.002 * (group + 1)
            rows.append(player.optimizer.read_hyperparameters())
            player.optimizer.step(gradients=[np.ones(p.shape) for p in player.params])
            player.scheduler.step()
        np.testing.assert_array_equal(*rows)


@pytest.mark.turns
@pytest.mark.parametrize("name", ["vkQueueSubmit", "vkResetFences", "vkAllocateMemory"])
@pytest.mark.parametrize("at", [1, 3, 8, 9])
def test_a_step_that_fails_can_be_made_again(
    device: vk.Device, name: str, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    players = [Player("cpu", 1), Player(device.info.index, 1)]
    for step in range(12):
        grads = [np.full(p.shape, 0.5 - step) for p in players[0].params]
        for player in players:
            if player.place != "cpu" and step == at:
                # Allocates only if the plan has another shape, which a missing gradient gives it.
                fewer = [None, *grads[1:]] if name == "vkAllocateMemory" else grads
                attempt_that_fails(player, fewer, name, monkeypatch)
            player.optimizer.step(gradients=grads)
            player.scheduler.step()
        for want, got in zip(*(player.contents() for player in players), strict=True):
            np.testing.assert_array_equal(got, want)


def attempt_that_fails(
    player: Player, grads: list[Any], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    out_of_memory = -2
    # Of several allocations the third fails: what the first two made must not be left in use.
    calls = [out_of_memory, 0, 0] if name == "vkAllocateMemory" else [out_of_memory]
    with monkeypatch.context() as patch:
        fault = lambda called: calls.pop() if called == name and calls else 0  # noqa: E731
        patch.setattr(binding, "fault", fault)
        with pytest.raises(DeviceError, match=name):
            player.optimizer.step(gradients=grads)
    assert not calls


def test_a_gradient_may_be_another_parameters_memory(place: str) -> None:
    """The gradient of sum(a b) is b for a and a for b: both as they were before the step."""
    a, b = np.full(5, 3.0, np.float32), np.full(5, -2.0, np.float32)
    c, d = a.copy(), b.copy()
    shared, apart = AdamW([a, b], lr=0.1, device=place), AdamW([c, d], lr=0.1, device="cpu")
    for _ in range(6):
        shared.step(gradients=[b[:], a])
        apart.step(gradients=[d.copy(), c.copy()])
    np.testing.assert_array_equal(a, c)
    np.testing.assert_array_equal(b, d)


def test_a_frozen_parameter_costs_no_upload(device: vk.Device) -> None:
    params = [np.ones(50, np.float32) for _ in range(4)]
    groups = [{"params": params[:2]}, {"params": params[2:3]}, {"params": params[3:]}]
    optimizer = AdamW(groups, device=device.info.index)
    scheduler = OneCycleLR(optimizer, max_lr=0.1, total_steps=TOTAL)
    up = []
    for _ in range(40):
        before = device.counters.bytes_up
        optimizer.step(gradients=[params[0], None, params[0], None])
        scheduler.step()
        up.append(device.counters.bytes_up - before)
    assert set(up[1:]) == {4 * params[0].nbytes}


def test_memory_that_cannot_be_had_leaves_the_old(
    device: vk.Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A group is added and its slabs cannot be allocated: states stay, and a retry goes on."""
    players = [Player("cpu", 1), Player(device.info.index, 1)]
    for player in players:
        player.step(np.random.default_rng(5))
        player.add(np.random.default_rng(6))
    grads = [np.full(p.shape, 0.25) for p in players[0].params]
    attempt_that_fails(players[1], grads, "vkAllocateMemory", monkeypatch)
    for player in players:
        player.optimizer.step(gradients=grads)
    for want, got in zip(*(player.contents() for player in players), strict=True):
        np.testing.assert_array_equal(got, want)
