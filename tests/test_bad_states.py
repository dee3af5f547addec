"""Hostile state_dicts: a StateError that names what is wrong, and nothing has changed."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch

from grilly import StateError
from grilly.optim import SGD, Adam, AdamW

ADAM = {"step": 1, "exp_avg": [0, 0, 0], "exp_avg_sq": [0, 0, 0]}


def with_group(**options: Any) -> dict[str, Any]:
    return {"state": {}, "param_groups": [{"params": [0], **options}]}


def with_entry(entry: Any) -> dict[str, Any]:
    return {"state": {0: entry}, "param_groups": [{"params": [0]}]}


def adam(**entry: Any) -> dict[str, Any]:
    return with_entry({**ADAM, **entry})


def buffer(value: Any) -> dict[str, Any]:
    return with_entry({"momentum_buffer": value})


EVERYWHERE: dict[str, tuple[Any, str]] = {
    "no dict": (None, "state_dict must be a dict"),
    "a list": ([], "state_dict must be a dict"),
    "keys": ({"state": {}}, '"state" and "param_groups"'),
    "state": ({"state": [], "param_groups": [{"params": [0]}]}, "must be a dict, got list"),
    "groups": ({"state": {}, "param_groups": []}, "different number of parameter groups"),
    "no groups": ({"state": {}, "param_groups": None}, "a list of dicts"),
    "a group": ({"state": {}, "param_groups": [7]}, "a list of dicts"),
    "sizes": ({"state": {}, "param_groups": [{"params": [0, 1]}]}, "doesn't match the size"),
    "params": (with_group(params=5), 'a list "params"'),
    "number": ({"state": {7: {}}, "param_groups": [{"params": [0]}]}, "states of"),
    "twice": ({"state": {0: {}, "0": {}}, "param_groups": [{"params": [0]}]}, "states of"),
    "lr": (with_group(lr=np.inf), "lr.* got inf"),
    "text": (with_group(maximize="x"), "maximize must be a number, got 'x'"),
    "differentiable": (with_group(differentiable=True), "differentiable=True"),
    "entry": (with_entry(3), "must be a dict with .* got 3"),
    "unknown": (with_entry({"square_avg": [0, 0, 0]}), "got .*square_avg"),
}
OF_SGD = {
    "step": (with_entry({"step": 1}), "got .*step"),
    "shape": (buffer([1.0]), r"\['momentum_buffer'\] must have .* \(3,\), got \(1,\)"),
    "words": (buffer("x"), "must be real, got dtype"),
    "complex": (buffer([1j, 1, 1]), "must be real, got dtype complex128"),
    "ragged": (buffer([[1], 2, 3]), "is no array"),
    "a graph": (buffer(torch.ones(3, requires_grad=True)), "is no array: .*detach"),
    "bfloat16": (buffer(torch.ones(3, dtype=torch.bfloat16)), "is no array: .*BFloat16"),
    "momentum": (with_group(momentum=np.nan), "momentum must be finite in float32, got nan"),
}
OF_ADAM = {
    "betas": (with_group(betas=(2, 0)), "index 0: 2"),
    "three betas": (with_group(betas=[0.9, 0.9, 0.9]), "two numbers, got"),
    "a step of 1.5": (adam(step=1.5), "got 1.5"),
    "a negative step": (adam(step=-1), "got -1"),
    "a step of nan": (adam(step=torch.tensor(np.nan)), "got nan"),
    "an infinite step": (adam(step=np.inf), "got inf"),
    "a huge step": (adam(step=1e300), r"up to 2\^53, got 1e\+300"),
    "a step past 2^53": (adam(step=2**53 + 1), r"up to 2\^53, got 9007199254740993"),
    "such an array": (adam(step=np.int64(2**53 + 1)), r"up to 2\^53, got 9007199254740993"),
    "such a tensor": (adam(step=torch.tensor(2**53 + 1)), r"got .*9007199254740993"),
    "an enormous step": (adam(step=10**5000), r"up to 2\^53, got inf"),
    "no step": (adam(step=None), "must be a count, got None"),
    "a step in words": (adam(step="1.0"), "must be a count, got '1.0'"),
    "steps": (adam(step=[1, 2]), r"must be a count, got \[1, 2\]"),
    "no moment": (with_entry({"step": 1, "exp_avg": [0, 0, 0]}), "got .'exp_avg', 'step'"),
    "a moment of None": (adam(exp_avg_sq=None), r"\['exp_avg_sq'\] must be real"),
    "shape": (adam(exp_avg=[1.0]), r"\['exp_avg'\] must have .* \(3,\), got \(1,\)"),
    "largest": (adam(max_exp_avg_sq=[1.0]), r"\['max_exp_avg_sq'\] must have"),
    "words": (adam(exp_avg="x"), "must be real, got dtype"),
    "another's": (adam(momentum_buffer=[1, 1, 1]), "momentum_buffer"),
}
CASES = [
    pytest.param(kind, *case, id=f"{kind.__name__}-{name}")
    for kind, own in ((SGD, OF_SGD), (Adam, OF_ADAM), (AdamW, OF_ADAM))
    for name, case in {**EVERYWHERE, **own}.items()
]


@pytest.mark.parametrize(("kind", "state", "text"), CASES)
def test_state_dicts(kind: Any, state: Any, text: str) -> None:
    options = {"momentum": 0.5} if kind is SGD else {}
    optimizer = kind([np.ones(3, np.float32)], device="cpu", **options)
    optimizer.step(gradients=[np.ones(3)])
    before = copy.deepcopy(optimizer.state_dict())
    row = optimizer.read_hyperparameters()
    with pytest.raises(StateError, match=text):
        optimizer.load_state_dict(state)
    assert str(optimizer.state_dict()) == str(before)
    assert optimizer.read_hyperparameters() == row


@pytest.mark.parametrize("kind", [SGD, Adam, AdamW])
def test_another_optimizers_state(kind: Any) -> None:
    optimizer = kind([np.ones(3, np.float32)], device="cpu")
    other = (
        Adam([np.ones(3, np.float32)], device="cpu")
        if kind is SGD
        else SGD([np.ones(3, np.float32)], momentum=0.5, device="cpu")
    )
    other.step(gradients=[np.ones(3)])
    before = str(optimizer.state_dict())
    with pytest.raises(StateError, match="may be missing"):
        optimizer.load_state_dict(other.state_dict())
    assert str(optimizer.state_dict()) == before
