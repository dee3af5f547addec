"""SGD: the first update of a momentum, updates that do not count, buffers that stay."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from plain import F, PlainSGD, hashed_gradient
from torch_twin import Twin

from grilly import nn, vk
from grilly.optim import SGD


def weights(size: int = 20, seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal(size).astype(np.float32)


def test_the_first_gradient_of_a_momentum_is_not_dampened(place: str) -> None:
    """k counts each parameter's own momentum updates: here one starts late, one has gaps."""
    params = [weights(seed=i) for i in range(3)]
    plains = [PlainSGD(p) for p in params]
    optimizer = SGD(params, lr=0.1, momentum=0.5, dampening=0.75, device=place)
    for step in range(12):
        grads = [hashed_gradient(20, 3 * step + i) for i in range(3)]
        given = [grads[0], grads[1] if step % 3 == 2 else None, grads[2] if step > 5 else None]
        optimizer.step(gradients=given)
        for p, plain, grad in zip(params, plains, given, strict=True):
            if grad is not None:
                plain.step(grad, F(0.1), F(0.5), F(0.25), F(0))
            np.testing.assert_array_equal(p, plain.p)


def test_only_parameters_with_a_buffer_have_a_state(place: str) -> None:
    params = [weights(seed=i) for i in range(3)]
    groups = [{"params": params[:2], "momentum": 0.9}, {"params": params[2:]}]
    optimizer = SGD(groups, device=place)
    assert optimizer.state_dict()["state"] == {}
    optimizer.step(gradients=[np.ones(20), None, np.ones(20)])
    assert {i: set(s) for i, s in optimizer.state_dict()["state"].items()} == {
        0: {"momentum_buffer"}
    }


@pytest.mark.parametrize("options", [{}, {"dampening": 0.5}, {"weight_decay": 0.1}], ids=str)
def test_a_momentum_switched_off_and_on_keeps_its_buffers(
    place: str, options: dict[str, float]
) -> None:
    twin = Twin("SGD", place, [(7,), (3, 2)], lr=0.1, momentum=0.9, **options)
    rng = np.random.default_rng(4)
    for momentum in (0.9, 0.0, 0.5, 0.0, -0.5):
        twin.edit(0, momentum=momentum)
        for _ in range(4):
            twin.step(rng, missing=0.3)
        twin.check()


def test_a_momentum_switched_on_in_mid_run_starts_with_the_gradient(place: str) -> None:
    twin = Twin("SGD", place, [(5,), (5,)], groups=2, lr=0.1, dampening=0.5)
    rng = np.random.default_rng(5)
    for group in (0, 1):
        for _ in range(5):
            twin.step(rng)
        twin.edit(group, momentum=0.9, nesterov=bool(group))
    for _ in range(5):
        twin.step(rng)
    twin.check()


def test_updates_that_do_not_count_cost_no_upload(device: vk.Device) -> None:
    """Beside a group whose updates count, and with a gradient missing at the start."""
    params = [np.ones(50, np.float32) for _ in range(4)]
    groups = [{"params": params[:2], "momentum": 0.9}, {"params": params[2:]}]
    optimizer = SGD(groups, device=device.info.index)
    optimizer.step(gradients=[params[0], None, params[2], None])
    up = []
    for _ in range(20):
        before = device.counters.bytes_up
        optimizer.step(gradients=params)
        up.append(device.counters.bytes_up - before)
    assert set(up[1:]) == {2 * 4 * params[0].nbytes}


def test_a_group_without_momentum_leaves_its_buffers_alone(place: str) -> None:
    optimizer = SGD([weights()], momentum=0.9, device=place)
    optimizer.step(gradients=[np.ones(20)])
    optimizer.param_groups[0]["momentum"] = 0.0
    for _ in range(3):
        optimizer.step(gradients=[np.full(20, np.nan)])
    buffer = optimizer.state_dict()["state"][0]["momentum_buffer"]
    np.testing.assert_array_equal(buffer, np.ones(20, np.float32))


def test_the_row_shows_what_the_kernel_reads(place: str) -> None:
    groups = [{"params": [weights(seed=1)], "momentum": 0.5}, {"params": [weights(seed=2)]}]
    optimizer = SGD(groups, lr=0.1, dampening=0.1, device=place)
    for step in range(4):
        rows = optimizer.read_hyperparameters()
        assert rows["momentum"].tolist() == [0.5, 0.0]
        assert rows["fresh"][0] == (F(1) if step == 0 else F(0.9))
        optimizer.step(gradients=[np.ones(20), np.ones(20)])


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
def test_without_decay_an_infinite_weight_stays_what_it_is(place: str, kind: str) -> None:
    p = nn.Parameter(np.array([-np.inf, 1.0], np.float32))
    theirs = torch.tensor(p.data, requires_grad=True)
    import grilly.optim as ours

    optimizer = getattr(ours, kind)([p], lr=0.5, device=place)
    reference = getattr(torch.optim, kind)([theirs], lr=0.5)
    for _ in range(3):
        p.grad, theirs.grad = np.array([0.0, 0.25]), torch.tensor([0.0, 0.25])
        optimizer.step()
        reference.step()
    np.testing.assert_allclose(p.data, theirs.detach().numpy(), rtol=1e-6)


@pytest.mark.parametrize("options", [{"momentum": 0.9, "nesterov": True}, {"lr": 0.5}], ids=str)
def test_any_shape_and_layout_is_updated_in_place(place: str, options: dict[str, Any]) -> None:
    base = weights(60).reshape(6, 10)
    params = [
        base[::2, 1:9:3],
        np.array(2.0, np.float32),
        np.zeros((0, 3), np.float32),
        base[1:2].T,
    ]
    plains = [PlainSGD(p, options.get("nesterov", False)) for p in params]
    optimizer = SGD(params, **options, device=place)
    for step in range(5):
        grads = [np.full(p.shape, 0.5 - step, np.float32) for p in params]
        for plain, grad in zip(plains, grads, strict=True):
            momentum = F(options.get("momentum", 0))
            plain.step(grad, F(options.get("lr", 1e-3)), momentum, F(1), F(0))
        optimizer.step(gradients=grads)
    for p, plain in zip(params, plains, strict=True):
        np.testing.assert_array_equal(p, plain.p)


SPECIAL = np.array([-0.0, 0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 3.4e38, -3.4e38, 2.0, -2.0], F)
OPTIONS: dict[str, dict[str, Any]] = {
    "decay": {"weight_decay": 0.5},
    "momentum": {"momentum": 0.5},
    "momentum, decay": {"momentum": 0.5, "weight_decay": 1.0},
    "Nesterov": {"momentum": 0.5, "nesterov": True},
    "Nesterov, decay": {"momentum": 0.5, "nesterov": True, "weight_decay": 1.0},
    "dampening": {"momentum": 0.5, "dampening": 0.5, "weight_decay": 0.5},
    "nothing": {},
}


@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize("name", OPTIONS)
def test_zeros_have_their_sign_and_cancel_alike(
    device: vk.Device, name: str, maximize: bool
) -> None:
    """Each special weight with each special gradient: the bits of numpy, but for those of a nan."""
    grid = np.meshgrid(SPECIAL, SPECIAL, indexing="ij")
    bits = []
    for place in ("cpu", device.info.index):
        p, grad = (own.ravel().copy() for own in grid)
        optimizer = SGD([p], lr=0.25, maximize=maximize, device=place, **OPTIONS[name])
        for _ in range(3):
            optimizer.step(gradients=[grad])
        bits.append(np.where(np.isnan(p), 0, p.view(np.uint32)))
    np.testing.assert_array_equal(*bits)


def test_a_pruned_weight_keeps_torchs_sign(place: str) -> None:
    p = np.array([-0.0, 0.0], F)
    weight = torch.nn.Parameter(torch.from_numpy(p.copy()))
    weight.grad = torch.zeros(2)
    torch.optim.SGD([weight], lr=0.25, weight_decay=0.5).step()
    SGD([p], lr=0.25, weight_decay=0.5, device=place).step(gradients=[np.zeros(2, F)])
    assert p.tobytes() == weight.detach().numpy().tobytes()
