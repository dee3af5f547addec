"""Training that moves between torch and grilly goes on as if it had never moved."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from torch_twin import Twin

from grilly import StateError, optim
from grilly.optim.lr_scheduler import OneCycleLR

SHAPES = [(7,), (3, 5), (), (0, 2), (130,)]
ADAM = [
    {},
    {"amsgrad": True},
    {"maximize": True, "weight_decay": 0.1, "betas": (0.8, 0.99), "eps": 1e-6},
    {"amsgrad": True, "maximize": True, "weight_decay": 0.1},
]
CASES: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {}),
    ("SGD", {"weight_decay": 0.1, "maximize": True}),
    ("SGD", {"momentum": 0.9, "dampening": 0.3}),
    ("SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("SGD", {"momentum": 0.9, "maximize": True, "weight_decay": 0.1}),
    *(("Adam", options) for options in ADAM),
    ("Adam", {"decoupled_weight_decay": True, "weight_decay": 0.1}),
    *(("AdamW", options) for options in ADAM),
]


@pytest.mark.turns
@pytest.mark.parametrize("foreach", [None, False])
@pytest.mark.parametrize(("kind", "options"), CASES, ids=str)
def test_trajectories_and_states_cross(
    place: str, kind: str, options: dict[str, Any], foreach: bool | None
) -> None:
    twin = Twin(kind, place, SHAPES, groups=2, lr=0.01, foreach=foreach, **options)
    rng = np.random.default_rng(11)
    for _ in range(3):
        for _ in range(8):
            twin.step(rng, missing=0.2)
        twin.edit(1, lr=twin.ours.param_groups[1]["lr"] * 1.5)
        twin.check()
        twin.cross()
        twin.check()


@pytest.mark.parametrize("kind", ["SGD", "Adam", "AdamW"])
def test_edits_that_torch_allows(place: str, kind: str) -> None:
    twin = Twin(kind, place, [(6,), (4,)], groups=2, lr=0.01)
    rng = np.random.default_rng(13)
    edits: list[dict[str, Any]] = [
        {"lr": -0.01},
        {"weight_decay": -0.1},
        {"maximize": True},
        {"lr": 1},
        {"weight_decay": 0},
    ]
    if kind == "SGD":
        edits += [{"momentum": 1.5}, {"dampening": 7}, {"nesterov": True}, {"dampening": -1}]
    else:
        edits += [{"betas": [0.5, 0.5]}, {"eps": 0.0}, {"eps": 100.0}]
    for i, edit in enumerate(edits):
        twin.edit(i % 2, **edit)
        twin.step(rng)
        twin.step(rng)
    twin.check()


@pytest.mark.parametrize("kind", ["SGD", "Adam", "AdamW"])
def test_options_of_a_group_are_not_bound_by_an_arguments_limit(kind: str) -> None:
    """torch checks the range of the constructor's arguments, but not of a group's."""
    p, tensor = np.ones(3, np.float32), torch.ones(3)
    group = {"lr": -0.5, "weight_decay": -0.25}
    ours = getattr(optim, kind)([{"params": [p], **group}], device="cpu")
    theirs = getattr(torch.optim, kind)([{"params": [tensor], **group}])
    ours.step(gradients=[np.full(3, 0.5)])
    tensor.grad = torch.full((3,), 0.5)
    theirs.step()
    np.testing.assert_allclose(p, tensor, rtol=1e-6)


@pytest.mark.parametrize("kind", ["SGD", "Adam", "AdamW"])
def test_a_scheduled_run_crosses(place: str, kind: str) -> None:
    """Both schedulers write the same groups; grilly's goes on after a load of torch's state."""
    options = {"momentum": 0.9} if kind == "SGD" else {}
    twin = Twin(kind, place, SHAPES, lr=0.01, **options)
    rng, total = np.random.default_rng(17), 40
    make: dict[str, Any] = {"max_lr": 0.02, "total_steps": total}
    schedulers = [
        OneCycleLR(twin.ours, **make),
        torch.optim.lr_scheduler.OneCycleLR(twin.theirs, **make),
    ]
    for step in range(total - 1):
        if step == 15:
            saved = [scheduler.state_dict() for scheduler in schedulers]
            twin.cross()
            schedulers = [
                OneCycleLR(twin.ours, **make),
                torch.optim.lr_scheduler.OneCycleLR(twin.theirs, **make),
            ]
            for scheduler, state in zip(schedulers, saved, strict=True):
                scheduler.load_state_dict(state)
        twin.step(rng)
        for scheduler in schedulers:
            scheduler.step()
    for p, tensor in zip(twin.params, twin.tensors, strict=True):
        np.testing.assert_allclose(p, tensor.detach().numpy(), 2e-5, 2e-6)


def test_a_buffer_that_is_none_is_none() -> None:
    optimizer = optim.SGD([np.ones(3, np.float32)], momentum=0.5, device="cpu")
    groups = optimizer.state_dict()["param_groups"]
    for entry in ({"momentum_buffer": None}, {}):
        optimizer.step(gradients=[np.ones(3)])
        optimizer.load_state_dict({"state": {0: entry}, "param_groups": groups})
        assert optimizer.state_dict()["state"] == {}
        assert optimizer.read_hyperparameters()["fresh"][0] == 1


@pytest.mark.parametrize("kind", ["SGD", "Adam", "AdamW"])
def test_a_state_survives_json(kind: str) -> None:
    options = {"momentum": 0.5} if kind == "SGD" else {"amsgrad": True}
    p, q = np.ones(3, np.float32), np.ones(3, np.float32)
    one, two = (getattr(optim, kind)([x], device="cpu", **options) for x in (p, q))
    one.step(gradients=[np.arange(3)])
    q[:] = p
    two.load_state_dict(json.loads(json.dumps(one.state_dict(), default=np.ndarray.tolist)))
    assert one.param_groups[0].keys() == two.param_groups[0].keys()
    for optimizer in (one, two):
        optimizer.step(gradients=[np.ones(3)])
    np.testing.assert_array_equal(p, q)


def test_adamw_takes_adams_state_and_stays_adamw() -> None:
    """As torch's does; the other way would change the kernel, which is refused."""
    p, q = np.ones(3, np.float32), np.ones(3, np.float32)
    adam, adamw = optim.Adam([p], device="cpu"), optim.AdamW([q], device="cpu")
    adamw.load_state_dict(adam.state_dict())
    assert adamw.param_groups[0]["decoupled_weight_decay"] is True
    with pytest.raises(StateError, match="decoupled_weight_decay=True: it is False"):
        adam.load_state_dict(adamw.state_dict())
    assert adam.param_groups[0]["decoupled_weight_decay"] is False
    decoupled = optim.Adam([p], decoupled_weight_decay=True, device="cpu")
    decoupled.load_state_dict(adamw.state_dict())
    decoupled.step(gradients=[np.ones(3)])
    adamw.step(gradients=[np.ones(3)])
    np.testing.assert_array_equal(p, q)


def test_amsgrads_maximum_stays_when_it_is_switched_off(place: str) -> None:
    twin = Twin("Adam", place, [(5,), (5,)], lr=0.1, amsgrad=True)
    rng = np.random.default_rng(19)
    for amsgrad in (True, False, True):
        twin.edit(0, amsgrad=amsgrad)
        for _ in range(5):
            twin.step(rng)
        twin.check()
        twin.cross()


def test_an_amsgrad_switched_on_before_a_save_loads() -> None:
    p = np.ones(3, np.float32)
    optimizer = optim.Adam([p], device="cpu")
    optimizer.step(gradients=[np.ones(3)])
    optimizer.param_groups[0]["amsgrad"] = True
    saved = optimizer.state_dict()
    assert "max_exp_avg_sq" not in saved["state"][0]
    optimizer.load_state_dict(saved)
    optimizer.step(gradients=[np.ones(3)])
    assert optimizer.state_dict()["state"][0]["max_exp_avg_sq"].all()
