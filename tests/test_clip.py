"""Gradients clipped by their norm: as torch clips, with the norm's bits of tests/plain_norm.py.

Also who says what of the norm, and when.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from plain import F, hashed_gradient
from plain_norm import wanted
from skipping import DEFAULTS, Loop
from torch_twin import ATOL, RTOL

import grilly
from grilly import optim
from grilly.optim import SGD, AdamW

SIZES = (1003, 1, 0, 4097)
KINDS = ["SGD", "Adam", "AdamW"]
INF = float("inf")


def weights() -> list[Any]:
    return [hashed_gradient(size, i) for i, size in enumerate(SIZES)]


def gradients(step: int) -> list[Any]:
    """Return gradients that grow, so that later ones are clipped."""
    return [F(step / 24) * hashed_gradient(size, 10 * step + i) for i, size in enumerate(SIZES)]


@pytest.mark.parametrize("memory", ["host", "device"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("max_norm", [5.0, 0.0])
def test_bits_of_a_plain_loop(place: str | int, kind: str, memory: str, max_norm: float) -> None:
    loop = Loop(kind, [{"params": weights()}], max_norm)
    params: Any = weights()
    if memory == "device":
        params = [grilly.nn.Parameter(w, device=place) for w in params]
    optimizer = getattr(optim, kind)(
        params, lr=0.1, max_norm=max_norm, device=place, **DEFAULTS[kind]
    )
    for step in range(1, 7):
        loop.step(gradients(step))
        optimizer.step(gradients=gradients(step))
        assert F(optimizer.grad_norm()) == loop.norm
    for p, own in zip(params, loop.params, strict=True):
        got = p.data.numpy() if memory == "device" else p
        np.testing.assert_array_equal(got, own.p)


@pytest.mark.parametrize("kind", KINDS)
def test_torch_clips_the_same(place: str | int, kind: str) -> None:
    params = weights()
    tensors = [torch.tensor(w, requires_grad=True) for w in params]
    options = {"lr": 0.1, **({"momentum": 0.9} if kind == "SGD" else {})}
    ours = getattr(optim, kind)(params, max_norm=5.0, device=place, **options)
    theirs = getattr(torch.optim, kind)(tensors, **options)
    clipped = set()
    for step in range(1, 20):
        grads = gradients(step)
        for tensor, grad in zip(tensors, grads, strict=True):
            tensor.grad = torch.tensor(grad)
        norm = torch.nn.utils.clip_grad_norm_(tensors, 5.0)
        clipped.add(float(norm) > 5.0)
        theirs.step()
        ours.step(gradients=grads)
        assert ours.grad_norm() == pytest.approx(float(norm), rel=1e-6)
    for p, tensor in zip(params, tensors, strict=True):
        np.testing.assert_allclose(p, tensor.detach().numpy(), RTOL, ATOL)
    assert clipped == {False, True}


def test_without_skipping_a_bad_gradient_goes_in_as_in_torch(place: str | int) -> None:
    for bad in (np.inf, np.nan):
        p = np.ones(5, F)
        tensor = torch.ones(5, requires_grad=True)
        grad = np.array([1, 2, bad, 4, 5], F)
        optimizer = SGD([p], lr=0.5, max_norm=1.0, device=place)
        tensor.grad = torch.tensor(grad)
        torch.nn.utils.clip_grad_norm_([tensor], 1.0)
        torch.optim.SGD([tensor], lr=0.5).step()
        optimizer.step(gradients=[grad])
        np.testing.assert_array_equal(p, tensor.detach().numpy())
        assert optimizer.skipped() == 0


def test_only_the_gradients_of_the_update_are_in_the_norm(place: str | int) -> None:
    params = [np.zeros(3, F), np.zeros(2, F)]
    optimizer = SGD(params, lr=1.0, max_norm=INF, device=place)
    optimizer.step(gradients=[np.full(3, np.inf), np.ones(2)])
    assert optimizer.grad_norm() == INF
    optimizer.step(gradients=[None, np.array([3.0, 4.0])])
    assert optimizer.grad_norm() == 5.0


def test_the_norm_outlives_what_is_planned_anew(place: str | int) -> None:
    """An edit, a look, an added group."""
    p = np.zeros(2, F)
    optimizer = AdamW([p], max_norm=1.0, skip_nonfinite=True, device=place)
    optimizer.step(gradients=[np.array([3.0, 4.0])])
    optimizer.param_groups[0]["weight_decay"] = 0.5
    optimizer.read_hyperparameters()
    assert optimizer.grad_norm() == 5.0
    optimizer.add_param_group({"params": [np.zeros(3, F)]})
    optimizer.read_hyperparameters()
    assert optimizer.grad_norm() == 5.0


def test_max_norm_edited(place: str | int) -> None:
    p = np.zeros(2, F)
    optimizer = SGD([p], lr=1.0, max_norm=1.0, device=place)
    grad = np.array([3.0, 4.0], F)
    want = p.copy()
    for limit in (1.0, 2.5, None, 1.0):
        optimizer.max_norm = limit
        optimizer.step(gradients=[grad])
        words = wanted([grad], INF if limit is None else limit, False)
        want = want - np.uint32(words[0]).view(F) * grad
        np.testing.assert_array_equal(p, want)
    optimizer.max_norm = -1.0
    with pytest.raises(ValueError, match="max_norm must be at least 0"):
        optimizer.step(gradients=[grad])
    np.testing.assert_array_equal(p, want)


def test_what_cannot_be_meant() -> None:
    p = [np.zeros(2, F)]
    for bad in (-1.0, float("nan")):
        with pytest.raises(ValueError, match="max_norm"):
            SGD(p, max_norm=bad, device="cpu")
    for wrong in ("1", True):
        with pytest.raises(TypeError, match="max_norm"):
            SGD(p, max_norm=wrong, device="cpu")
    for name, value in (("max_norm", 1.0), ("skip_nonfinite", True)):
        with pytest.raises(ValueError, match=f"{name} is of the whole optimizer.*{name}={value}"):
            SGD([{"params": p, name: value}], lr=0.1, device="cpu")
    assert "max_norm: 1e+60" in repr(SGD(p, lr=0.1, max_norm=1e60, device="cpu"))
    assert "max_norm" not in repr(SGD(p, lr=0.1, device="cpu"))
    with pytest.raises(TypeError, match="skip_nonfinite must be True or False, got 1"):
        SGD(p, skip_nonfinite=1, device="cpu")


def test_a_norm_that_nobody_has_computed(place: str | int) -> None:
    plain = SGD([np.zeros(2, F)], device=place)
    plain.step(gradients=[np.ones(2)])
    controlled = SGD([np.zeros(2, F)], max_norm=1.0, device=place)
    for optimizer in (plain, controlled):
        with pytest.raises(ValueError, match="known after a step"):
            optimizer.grad_norm()
    controlled.read_hyperparameters()
    with pytest.raises(ValueError, match="known after a step"):
        controlled.grad_norm()
    assert plain.skipped() == 0


def test_a_tape_clips(place: str | int) -> None:
    params = [grilly.nn.Parameter(w, device=place) for w in weights()]
    for p, grad in zip(params, gradients(40), strict=True):
        p.grad.copy_from(grad)
    loop = Loop("AdamW", [{"params": weights()}], 5.0)
    optimizer = AdamW(params, lr=0.1, max_norm=5.0, device=place, **DEFAULTS["AdamW"])
    with grilly.record() as tape:
        optimizer.step()
    tape.replay(12)
    for _ in range(12):
        loop.step(gradients(40))
    for p, own in zip(params, loop.params, strict=True):
        np.testing.assert_array_equal(p.data.numpy(), own.p)
