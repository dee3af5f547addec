"""Rates and arguments that are tensors: they stay the same tensors, with the numbers of torch."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from targets import THEIRS, TorchTarget
from test_torch_behaviour import BOTH, CLOSED, PLATEAU
from test_torch_schedulers import MAKES, advance, numbers, target

from grilly.optim import lr_scheduler as ours


def with_tensors(dtype: torch.dtype, shape: tuple[int, ...] = ()) -> TorchTarget:
    """Return a target whose first group's rate is a tensor, and the second's a float."""
    own = TorchTarget("SGD", [{"lr": torch.full(shape, 0.125, dtype=dtype)}, {"lr": 0.5}])
    own.optimizer.param_groups[1]["momentum"] = 0.3
    return own


@pytest.mark.parametrize("shape", [(), (1,)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("name", MAKES)
def test_a_tensor_rate_stays_the_same_tensor(name: str, dtype: torch.dtype, shape: Any) -> None:
    pairs = [(own := with_tensors(dtype, shape), MAKES[name](m, own.optimizer)) for m in BOTH]
    held = [own.groups[0]["lr"] for own, _ in pairs]
    for t in range(14):
        (_, other), (own, mine) = pairs
        for rate, (one, _) in zip(held, pairs, strict=True):
            assert one.groups[0]["lr"] is rate and rate.dtype is dtype
        want = [float(rate) for rate in other.get_last_lr()]
        # torch's recurrences drift in the tensor's precision, ours are rounded once
        rough = {torch.float32: 2e-6, torch.float64: 1e-12, torch.bfloat16: 0.1}[dtype]
        np.testing.assert_allclose([float(g["lr"]) for g in own.groups], want, rough, 1e-8)
        assert [type(rate) for rate in mine.get_last_lr()] == [type(r) for r in other.get_last_lr()]
        assert [float(g["lr"]) for g in own.groups] == [float(r) for r in mine.get_last_lr()]
        for rate, (one, scheduler) in zip(held, pairs, strict=True):
            rate.mul_(0.5 if t == 6 else 1.0)
            advance(one, scheduler, 1)
    for state in (mine.state_dict(), other.state_dict()):
        json.dumps(mine.state_dict())
        mine.load_state_dict(state)


@pytest.mark.parametrize("name", sorted(set(MAKES) - {"SequentialLR", "ChainedScheduler", PLATEAU}))
def test_what_a_scheduler_keeps_does_not_share_the_tensor(name: str) -> None:
    own = with_tensors(torch.float64)
    scheduler = MAKES[name](ours, own.optimizer)
    advance(own, scheduler, 2)
    group = own.groups[0]
    kept = lambda: [float(x) for x in (scheduler.base_lrs[0], group["initial_lr"])]  # noqa: E731
    before, last = kept(), float(scheduler.get_last_lr()[0])
    group["lr"].fill_(7.0)
    assert kept() == before and float(scheduler.get_last_lr()[0]) == last
    assert scheduler.base_lrs[0] is not group["initial_lr"] or isinstance(
        group["initial_lr"], float
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", [*CLOSED, "CosineAnnealingLR"])
def test_a_rounded_rate_is_no_edit_at_a_load(name: str, dtype: torch.dtype) -> None:
    """The curve goes on from where it was laid, not from the rate as the tensor rounds it."""
    make = MAKES[name]
    own, again = with_tensors(dtype), with_tensors(dtype)
    scheduler, fresh = make(ours, own.optimizer), make(ours, again.optimizer)
    advance(own, scheduler, 5)
    fresh.load_state_dict(scheduler.state_dict())
    assert vars(fresh)["_anchors"] == vars(scheduler)["_anchors"] == scheduler._anchors
    assert all(t == 0 for _, t in scheduler._anchors)


def of_tensors(module: Any, optimizer: Any, given: list[Any]) -> Any:
    """Return each scheduler that takes one number per group, made of the four that are given."""
    low, high, base, top = given
    yield lambda: module.OneCycleLR(
        optimizer, high, total_steps=30, base_momentum=base, max_momentum=top
    )
    yield lambda: module.CyclicLR(optimizer, low, high, 3, base_momentum=base, max_momentum=top)
    yield lambda: module.CyclicLR(optimizer, [low, 0.25], [high, 1.0], 3, max_momentum=[top, 0.5])
    yield lambda: module.SWALR(optimizer, low, anneal_epochs=4)
    yield lambda: module.SWALR(optimizer, [low, high], anneal_epochs=4)
    yield lambda: module.ReduceLROnPlateau(optimizer, patience=0, min_lr=[low, high])


@pytest.mark.parametrize("number", [torch.tensor, np.array, np.float32])
@pytest.mark.parametrize("which", range(6))
def test_an_argument_may_be_a_tensor_that_changes_later(which: int, number: Any) -> None:
    """It is read once; the group's keys are numbers of its value then."""
    pairs = []
    for module, kind in ((THEIRS, float), (ours, number)):
        own = target()
        given = [kind(x) for x in (0.0625, 0.75, 0.5, 0.875)]  # exact in float32
        pairs.append((own, [*of_tensors(module, own.optimizer, given)][which](), given))
    own_keys = ("initial_lr", "max_lr", "min_lr", "base_momentum", "max_momentum", "swa_lr")
    for _ in range(12):
        for own, scheduler, given in pairs:
            for one in given:
                if isinstance(one, (torch.Tensor, np.ndarray)):
                    one *= 0.5
            advance(own, scheduler, 1)
        (theirs, _, _), (own, _, _) = pairs
        np.testing.assert_allclose(numbers(own), numbers(theirs), rtol=1e-12)
        for a, b in zip(own.groups, theirs.groups, strict=True):
            assert [key in a for key in own_keys] == [key in b for key in own_keys]
            for key in set(own_keys) & set(a):
                assert type(a[key]) is float and a[key] == pytest.approx(b[key], rel=1e-15)
