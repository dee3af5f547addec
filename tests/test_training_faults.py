"""Whichever call to Vulkan fails during a training run: a typed error, and nothing else is harmed.

Out of memory: what failed is done again, and the run ends with the bits of an undisturbed one. A
lost device: every call says so, and closing it leaves nothing.
"""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import child
import numpy as np
import pytest
from faults import LOST, OUT_OF_MEMORY, Faults
from plain import hashed_gradient

from grilly import vk
from grilly.errors import DeviceLostError, DeviceMemoryError
from grilly.optim import SGD, AdamW
from grilly.optim.lr_scheduler import OneCycleLR
from grilly.vk import binding
from grilly.vk import device as device_module
from grilly.vk.device import Device

TOTAL = 60


class Kind(NamedTuple):
    """An optimizer's class, its options, and those of the group that is added later."""

    make: Any
    options: dict[str, Any]
    added: dict[str, Any]


# AdamW's group that is added has a state more; for both the slabs must move. One skips updates.
KINDS = {
    "AdamW": Kind(AdamW, {}, {"amsgrad": True}),
    "SGD": Kind(SGD, {"momentum": 0.5}, {"nesterov": True}),
    "skips": Kind(AdamW, {"skip_nonfinite": True, "max_norm": 1.0}, {"amsgrad": True}),
}


class Life:
    """The life of an optimizer: all that can be done with one, in small acts."""

    def __init__(self, place: str | int, kind: str = "AdamW") -> None:
        self.place, self.kind = place, kind
        self.params = [np.linspace(-1, 1, size, dtype=np.float32) for size in (40, 3, 7)]
        self.optimizer: Any = None

    @property
    def acts(self) -> list[Callable[[], object]]:
        """What happens, in order; one run of steps is longer than the first window of 8 rows."""
        return [
            self.create,
            self.step,
            self.edit,
            self.step,
            self.look,
            self.add,
            self.rest,
            *[self.step] * 10,
            self.save,
            self.step,
            self.load,
            self.look,
            self.step,
        ]

    def create(self) -> None:
        kind, options, _ = KINDS[self.kind]
        self.optimizer = kind(self.params[:2], device=self.place, **options)
        self.scheduler = OneCycleLR(
            self.optimizer, max_lr=0.1, total_steps=TOTAL, cycle_momentum=False
        )
        self.made = 0

    def step(self, resting: int | None = None) -> None:
        self.old = self.params[0].copy()
        members = sum(len(group["params"]) for group in self.optimizer.param_groups)
        grads: list[Any] = [hashed_gradient(p.size, self.made) for p in self.params[:members]]
        if self.kind == "skips" and self.made % 3 == 1:
            grads[1][2] = np.inf
        if resting is not None:
            grads[resting] = None
        self.optimizer.step(gradients=grads)
        self.tick()

    def tick(self) -> None:
        self.scheduler.step()  # which may ask the device
        self.made += 1

    def edit(self) -> None:
        self.optimizer.param_groups[0]["weight_decay"] = 0.5

    def look(self) -> None:
        self.seen = self.optimizer.read_hyperparameters()

    def rest(self) -> None:
        self.step(resting=1)

    def add(self) -> None:
        options = {k: v for k, v in self.optimizer.param_groups[0].items() if k != "params"}
        options |= {"params": self.params[2:], **KINDS[self.kind].added}
        self.optimizer.add_param_group(options)
        self.scheduler.base_lrs *= 2

    def save(self) -> None:
        self.saved = self.optimizer.state_dict(), [p.copy() for p in self.params], self.made

    def load(self) -> None:
        saved, params, self.made = self.saved
        for p, kept in zip(self.params, params, strict=True):
            p[:] = kept
        self.optimizer.load_state_dict(saved)

    def again(self, act: Callable[[], object]) -> None:
        """After a failure of ``act``: do it again, unless it is an update that was made."""
        updates = act in (self.step, self.rest)
        if updates:
            self.optimizer.state_dict()  # brings back what was cut short
        if updates and (self.params[0] != self.old).any():
            self.tick()
        else:
            act()

    @property
    def contents(self) -> list[Any]:
        """What it has all come to."""
        state = self.optimizer.state_dict()["state"]
        arrays = [value for i in sorted(state) for _, value in sorted(state[i].items())]
        return [*self.params, *arrays, self.seen, self.scheduler.last_epoch]


def undisturbed(kind: str) -> list[Any]:
    """Return the contents of a life on numpy."""
    life = Life("cpu", kind)
    for act in life.acts:
        act()
    return life.contents


# The way to reach buffers, and of how many calls one fails. Staging makes three times as many, and
# the validation layer is slow.
THINNED = 3 if vk.validating() else 1
WAYS = [
    pytest.param("plain", 5 * THINNED, id="plain"),
    pytest.param("staging", 53 * THINNED, id="staging"),
    pytest.param("plain", 1, id="plain-all", marks=pytest.mark.heavy),
    pytest.param("staging", 1, id="staging-all", marks=pytest.mark.heavy),
]


@pytest.fixture
def opened(private_device: Device, monkeypatch: pytest.MonkeyPatch) -> Device:
    """A device of the test's own that new optimizers get."""
    gc.collect()  # what earlier tests have left on other devices would be counted as it dies
    monkeypatch.setitem(device_module._open, private_device.info.index, private_device)
    return private_device


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> Callable[[Faults | None], None]:
    """Set the faults that are in force."""
    return lambda those: monkeypatch.setattr(binding, "fault", those)


def live_through(life: Life, failing: Faults) -> None:
    """Make every act of ``life``; the one that a call of fails is done again."""
    for act in life.acts:
        before = failing.hit
        try:
            act()
        except DeviceMemoryError as error:
            assert failing.hit > before
            assert failing.names[failing.at] in str(error)
            life.again(act)
        else:
            assert failing.hit == before


def calls_of_a_life(faults: Callable[..., None], place: int, kind: str) -> list[str]:
    """Return the calls that can fail in a life once its kernels are there."""
    live_through(Life(place, kind), Faults())
    faults(log := Faults())
    live_through(Life(place, kind), log)
    faults(None)
    return log.names


def turns(calls: dict[str, list[str]], place: int, every: int) -> Iterator[tuple[str, int]]:
    """Yield a kind and the number of a call of its life: the kinds by turns, to take no longer.

    What one kind skips here, it has on the next device.
    """
    for turn, number in enumerate(range(0, max(map(len, calls.values())), every)):
        kind = list(calls)[(turn + place) % len(calls)]
        if number < len(calls[kind]):
            yield kind, number


def spare(calls: Sequence[str]) -> int:
    """Return how many of a life's calls the next life may do without.

    A life is the same each time but for its fences: one that takes longer is waited for again, one
    that is looked at may need it no more.
    """
    again = sum(a == b == "vkWaitForFences" for a, b in pairwise(calls))
    return again + calls.count("vkGetFenceStatus")


@pytest.mark.parametrize(("way", "every"), WAYS)
def test_any_call_may_run_out_of_memory(opened, faults, way, every, monkeypatch):
    monkeypatch.setenv("GRILLY_STAGING", str(int(way == "staging")))
    place, want = opened.info.index, {kind: undisturbed(kind) for kind in KINDS}
    calls = {kind: calls_of_a_life(faults, place, kind) for kind in KINDS}
    before, missed = opened.live, Counter[str]()
    for kind, number in turns(calls, place, every):
        life, failing = Life(place, kind), Faults(number, OUT_OF_MEMORY)
        faults(failing)
        live_through(life, failing)
        missed[kind] += not failing.hit
        failing.at = None  # what was not reached must not fail what is read now
        for got, expected in zip(life.contents, want[kind], strict=True):
            np.testing.assert_array_equal(got, expected)
        del life
        assert_nothing_left(opened, failing, before)
    assert all(missed[kind] <= spare(calls[kind]) for kind in KINDS), missed


def assert_nothing_left(device: Device, failing: Faults, before: dict[str, int]) -> None:
    """All that was made is freed; fences are kept to be used again."""
    assert device.live == before, failing.names[-1]
    left = {kind: n for kind, n in failing.alive.items() if n and kind != "Fence"}
    assert left == {}, failing.names[-1]


KERNEL = (  # what a kernel is made of
    "vkCreateDescriptorSetLayout",
    "vkCreatePipelineLayout",
    "vkCreateShaderModule",
    "vkCreateComputePipelines",
)


@pytest.mark.parametrize("name", KERNEL)
def test_a_kernel_cannot_be_made(opened, faults, name):
    """Of those that a first step needs, each in turn is missing and fails once."""
    place = opened.info.index
    live_through(Life(place), Faults())
    before = opened.live
    for key in list(opened._kernels)[:: 3 * THINNED]:
        opened._kernels.pop(key)
        life, left = Life(place), [OUT_OF_MEMORY]
        faults(lambda called, left=left: left.pop() if called == name and left else 0)
        with pytest.raises(DeviceMemoryError, match=name):
            for act in life.acts:
                act()
        life.again(act)
        life.step()
        del life, act
        assert not left
        assert opened.live == before


def test_memory_really_runs_out(device_info):
    """The process may have 256 MB more: buffers fail, then a step; given back, the step works."""
    code = f"""
        import os, resource, sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        import numpy as np
        from grilly import vk
        from grilly.errors import DeviceMemoryError
        from grilly.optim import AdamW
        def optimizer(size, place):
            p = np.ones(size, np.float32)
            return p, AdamW([p], device=place)
        grad = np.full(4 << 20, 0.5, np.float32)
        want, on_numpy = optimizer(4 << 20, "cpu")
        on_numpy.step(gradients=[grad])
        small, warm = optimizer(8, {device_info.index})
        warm.step(gradients=[np.ones(8)])  # compilers do not survive what follows
        weights, large = optimizer(4 << 20, {device_info.index})
        device, held = vk.open_device({device_info.index}), []
        pages = int(open("/proc/self/statm").read().split()[0])
        most = pages * os.sysconf("SC_PAGE_SIZE") + (256 << 20)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        before = device.live
        try:
            while True: held.append(device.buffer(16 << 20))
        except DeviceMemoryError as error: print(len(held), error)
        try: large.step(gradients=[grad])
        except DeviceMemoryError as error: assert (weights == 1).all()
        else: raise AssertionError("no error")
        held.clear()
        assert device.live == before
        large.step(gradients=[grad])
        np.testing.assert_array_equal(weights, want)
    """
    # The validation layer reports what is meant to happen here.
    count, *words = child.says(code, GRILLY_VALIDATE="").split()
    assert int(count) >= 2
    assert "has no room for 16777216 bytes: free buffers" in " ".join(words)


def live_until_lost(life: Life, failing: Faults) -> None:
    """Make the acts of ``life`` up to the one that loses the device."""
    for act in life.acts:
        try:
            act()
        except DeviceLostError as error:
            assert failing.names[failing.at] in str(error)
            return
        assert not failing.hit


def assert_poisoned(optimizer: AdamW | SGD) -> None:
    """Every entry says at once that the device is lost and what to do; the rest works."""
    entries: dict[str, Callable[[], object]] = {
        "step": lambda: optimizer.step(gradients=[None] * 3),
        "state_dict": optimizer.state_dict,
        "load_state_dict": lambda: optimizer.load_state_dict({}),
        "add_param_group": lambda: optimizer.add_param_group({}),
        "read_hyperparameters": optimizer.read_hyperparameters,
    }
    begin = time.monotonic()
    for entry in entries.values():
        with pytest.raises(DeviceLostError, match=r"update may be lost .* new optimizer"):
            entry()
    assert time.monotonic() - begin < 0.5
    optimizer.zero_grad()
    assert optimizer.device in repr([optimizer.device, optimizer])


@pytest.mark.parametrize(("way", "every"), WAYS)
def test_any_call_may_lose_the_device(opened, faults, way, every, monkeypatch):
    monkeypatch.setenv("GRILLY_STAGING", str(int(way == "staging")))
    place = opened.info.index
    calls = {kind: calls_of_a_life(faults, place, kind) for kind in KINDS}
    before, missed = opened.live, Counter[str]()
    for kind, number in turns(calls, place, every):
        life, failing = Life(place, kind), Faults(number, LOST, sticky=True)
        faults(failing)
        live_until_lost(life, failing)
        missed[kind] += not failing.hit
        if not failing.hit:
            continue
        failing.at = None  # a lost device stays lost, even if the driver were to answer again
        assert opened.lost
        if life.optimizer is not None:
            assert_poisoned(life.optimizer)
        del life
        # The driver has not really lost it: that saves the kernels for the next life.
        opened.owner.lost = False
        opened.wait()
        assert_nothing_left(opened, failing, before)
    assert all(missed[kind] <= spare(calls[kind]) for kind in KINDS), missed


@pytest.mark.parametrize("stage", ["first", "middle", "last"])
def test_a_lost_device_is_closed_and_opened_anew(opened, faults, stage):
    """By the next optimizer that is made; nothing is left of the lost one."""
    place, want = opened.info.index, undisturbed("AdamW")
    total = len(calls_of_a_life(faults, place, "AdamW"))
    number = {"first": 0, "middle": total // 2, "last": total - 1}[stage]
    life, failing = Life(place), Faults(number, LOST, sticky=True)
    faults(failing)
    live_until_lost(life, failing)
    faults(None)
    again = Life(place)
    live_through(again, Faults())
    new = vk.open_device(place)
    assert opened.closed
    if life.optimizer is not None:
        assert_poisoned(life.optimizer)
    for got, expected in zip(again.contents, want, strict=True):
        np.testing.assert_array_equal(got, expected)
    del life, again
    new.close()
    for device in (opened, new):
        assert not device.owner.live()
