"""Bad input to an optimizer: the error names argument and value, and nothing has changed."""

from __future__ import annotations

import copy
import json
import pickle
import re
import threading
from typing import Any

import numpy as np
import pytest

from grilly import DeviceError, StateError, nn
from grilly.optim import AdamW

W = np.ones(3, np.float32)
READ_ONLY = np.ones(3, np.float32)
READ_ONLY.flags.writeable = False

BAD_PARAMS = {
    "float64": (np.ones(3), TypeError, "float64"),
    "a list": ([1.0], TypeError, "list"),
    "read-only": (READ_ONLY, ValueError, "read-only"),
}
BAD_OPTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "lr": ({"lr": -1.0}, "Invalid learning rate: -1.0"),
    "lr nan": ({"lr": np.nan}, "Invalid learning rate: nan"),
    "lr inf": ({"lr": np.inf}, "inf"),
    "beta1": ({"betas": (1.0, 0.9)}, "Invalid beta parameter at index 0: 1.0"),
    "beta2": ({"betas": (0.9, -0.5)}, "Invalid beta parameter at index 1: -0.5"),
    "betas": ({"betas": 0.9}, "param group must have betas[0], got 0.9"),
    "eps": ({"eps": -1e-8}, "Invalid epsilon value: -1e-08"),
    "weight_decay": ({"weight_decay": -0.1}, "Invalid weight_decay value: -0.1"),
}


@pytest.mark.parametrize("name", BAD_PARAMS)
def test_parameters(name: str) -> None:
    value, error, text = BAD_PARAMS[name]
    with pytest.raises(error, match=text):
        AdamW([value], device="cpu")
    if not isinstance(value, list):
        with pytest.raises(error, match=text):
            nn.Parameter(value)


@pytest.mark.parametrize(
    "params", [W, nn.Parameter(W), "weights"], ids=["array", "parameter", "str"]
)
def test_params_is_an_iterable(params: Any) -> None:
    with pytest.raises(TypeError, match=r"write \[params\]"):
        AdamW(params, device="cpu")


def test_an_empty_list() -> None:
    with pytest.raises(ValueError, match="empty parameter list"):
        AdamW([], device="cpu")


@pytest.mark.parametrize("name", BAD_OPTIONS)
def test_options(name: str) -> None:
    options, text = BAD_OPTIONS[name]
    with pytest.raises(ValueError, match=re.escape(text)):
        AdamW([W], device="cpu", **options)


def test_a_parameter_twice() -> None:
    optimizer = AdamW([W], device="cpu")
    with pytest.raises(ValueError, match="more than one parameter group"):
        optimizer.add_param_group({"params": [W]})
    assert len(optimizer.param_groups) == 1


@pytest.mark.parametrize(
    ("gradients", "error", "text"),
    [
        ([np.ones(4)], ValueError, r"shape \(3,\), got \(4,\)"),
        ([np.ones(3), None], ValueError, r"one entry per parameter \(1\), got 2"),
        ([np.ones(3, complex)], TypeError, "complex128"),
        ([["a", "b", "c"]], TypeError, "must be real"),
        ({123: np.ones(3)}, ValueError, "123"),
    ],
)
def test_gradients(gradients: Any, error: type[Exception], text: str) -> None:
    p = W.copy()
    optimizer = AdamW([p], device="cpu")
    with pytest.raises(error, match=text):
        optimizer.step(gradients=gradients)
    np.testing.assert_array_equal(p, W)
    assert optimizer.state_dict()["state"] == {}


def test_a_hyperparameter_that_is_not_finite(place: str) -> None:
    p = W.copy()
    optimizer = AdamW([p], device=place)
    optimizer.param_groups[0]["lr"] = np.nan
    with pytest.raises(
        ValueError, match=r"param_groups\[0\] lr must be finite in float32, got nan"
    ):
        optimizer.step(gradients=[np.ones(3)])
    np.testing.assert_array_equal(p, W)
    optimizer.param_groups[0]["lr"] = 0.1
    optimizer.step(gradients=[np.ones(3)])
    assert p[0] < 1


def with_state(entry: dict[str, Any]) -> dict[str, Any]:
    whole = {"step": 1, "exp_avg": [0, 0, 0], "exp_avg_sq": [0, 0, 0], **entry}
    return {"state": {0: whole}, "param_groups": [{"params": [0]}]}


BAD_STATES = {
    "no dict": (None, "state_dict must be a dict"),
    "keys": ({"state": {}}, '"state" and "param_groups"'),
    "groups": ({"state": {}, "param_groups": []}, "different number of parameter groups"),
    "sizes": ({"state": {}, "param_groups": [{"params": [0, 1]}]}, "doesn't match the size"),
    "betas": ({"state": {}, "param_groups": [{"params": [0], "betas": (2, 0)}]}, "index 0: 2"),
    "lr": ({"state": {}, "param_groups": [{"params": [0], "lr": np.inf}]}, "must be finite"),
    "option": ({"state": {}, "param_groups": [{"params": [0], "amsgrad": "x"}]}, "amsgrad must"),
    "number": ({"state": {7: {"step": 1}}, "param_groups": [{"params": [0]}]}, "states of"),
    "params": ({"state": {}, "param_groups": [{"params": 5}]}, 'a list "params"'),
    "entry": (
        {"state": {0: 3}, "param_groups": [{"params": [0]}]},
        r"dict with \['exp_avg', 'exp_avg_sq', 'step'\], got 3",
    ),
    "step": (with_state({"step": 1.5}), "got 1.5"),
    "a huge step": (with_state({"step": 1e300}), r"up to 2\^53, got 1e\+300"),
    "no step": (with_state({"step": None}), "must be a count, got None"),
    "shape": (with_state({"exp_avg": [1.0]}), r"\['exp_avg'\] must have .* \(3,\), got \(1,\)"),
    "text": (with_state({"exp_avg": "x"}), "must be real, got dtype"),
    "ragged": (with_state({"exp_avg": [[1], 2, 3]}), "is no array"),
    "complex": (with_state({"exp_avg": [1j, 1, 1]}), "must be real, got dtype complex128"),
    "another's": (with_state({"momentum_buffer": [1, 1, 1]}), "momentum_buffer"),
}


@pytest.mark.parametrize("name", BAD_STATES)
def test_state_dicts(name: str) -> None:
    state, text = BAD_STATES[name]
    optimizer = AdamW([W.copy()], device="cpu")
    optimizer.step(gradients=[np.ones(3)])
    before = optimizer.state_dict()
    with pytest.raises(StateError, match=text):
        optimizer.load_state_dict(state)  # type: ignore[arg-type]
    after = optimizer.state_dict()
    assert after["param_groups"] == before["param_groups"]
    np.testing.assert_array_equal(after["state"][0]["exp_avg"], before["state"][0]["exp_avg"])


def test_a_state_from_json_is_whole() -> None:
    """JSON makes strings of the numbers and lists of arrays and tuples."""
    p, q = W.copy(), W.copy()
    one, two = AdamW([p], device="cpu"), AdamW([q], device="cpu")
    one.step(gradients=[np.arange(3)])
    q[:] = p
    two.load_state_dict(json.loads(json.dumps(one.state_dict(), default=np.ndarray.tolist)))
    for optimizer in (one, two):
        optimizer.step(gradients=[np.ones(3)])
    np.testing.assert_array_equal(p, q)


def test_parameters_that_share_memory() -> None:
    w = np.ones(6, np.float32)
    for params in ([w[:4], w[2:]], [nn.Parameter(w), w], [w[::2], w[2:3]]):
        with pytest.raises(ValueError, match="parameters 0 and 1 share memory"):
            AdamW(params, device="cpu")
    AdamW([w[::2], w[1::2]], device="cpu")


def test_an_edit_that_cannot_be_meant(place: str) -> None:
    p = W.copy()
    optimizer = AdamW([p], device=place)
    group = optimizer.param_groups[0]
    for key, value, text in (
        ("betas", (1.0, 0.9), "index 0: 1.0"),
        ("betas", (0.9,), r"must have betas\[1\], got \(0.9,\)"),
        ("eps", -1.0, "epsilon value: -1.0"),
        ("lr", 1e39, r"lr must be finite in float32, got 1e\+39"),
        ("lr", "0.1", "lr must be a number, got '0.1'"),
        ("lr", np.array([0.1, 0.2]), r"lr must be a number, got array\(\[0.1, 0.2\]\)"),
    ):
        before, group[key] = group[key], value
        with pytest.raises((ValueError, TypeError), match=text):
            optimizer.step(gradients=[np.ones(3)])
        group[key] = before
    np.testing.assert_array_equal(p, W)


def test_a_rate_in_an_array_may_be_changed_in_place(place: str) -> None:
    optimizer = AdamW([W.copy()], lr=np.array(0.5), device=place)  # type: ignore[arg-type]
    optimizer.param_groups[0]["lr"][...] = 0.25
    assert optimizer.read_hyperparameters()["lr"][0] == 0.25


def test_groups_changed_by_hand() -> None:
    optimizer = AdamW([{"params": [W.copy()]}, {"params": [W.copy()]}], device="cpu")
    optimizer.param_groups[0]["params"].append(W.copy())
    with pytest.raises(ValueError, match="add_param_group"):
        optimizer.step(gradients=[np.ones(3)] * 2)


def test_a_parameter_that_changes_its_shape() -> None:
    p = nn.Parameter(W.copy())
    optimizer = AdamW([p], device="cpu")
    p.data, p.grad = np.ones(5, np.float32), np.ones(3)
    with pytest.raises(ValueError, match=r"parameter 0 has shape \(5,\), but had \(3,\)"):
        optimizer.step()
    p.data = np.ones(3, np.float32)
    optimizer.step()


def test_an_optimizer_is_not_copied() -> None:
    optimizer = AdamW([W.copy()], device="cpu")
    for make in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="state_dict"):
            make(optimizer)


def test_gradients_without_their_keyword() -> None:
    optimizer = AdamW([W.copy()], device="cpu")
    with pytest.raises(TypeError, match=r"write step\(gradients=\.\.\.\)"):
        optimizer.step([np.ones(3)])


def test_threads_take_turns() -> None:
    p, q = np.ones(1000, np.float32), np.ones(1000, np.float32)
    shared, alone = AdamW([p], device="cpu"), AdamW([q], device="cpu")
    grads = [np.ones(1000, np.float32)]

    def train() -> None:
        for _ in range(100):
            shared.step(gradients=grads)

    threads = [threading.Thread(target=train) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _ in range(300):
        alone.step(gradients=grads)
    np.testing.assert_array_equal(p, q)


def test_a_device_that_is_not_there() -> None:
    with pytest.raises(DeviceError, match="no-such-gpu"):
        AdamW([W], device="no-such-gpu")
    with pytest.raises(DeviceError, match="99"):
        AdamW([W], device=99)
