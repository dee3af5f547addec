"""Bad input to an optimizer: the error names argument and value, and nothing has changed."""

from __future__ import annotations

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
    "betas": ({"betas": 0.9}, "betas must be two numbers, got 0.9"),
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
    with pytest.raises(ValueError, match=text.replace("(", r"\(")):
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
    with pytest.raises(ValueError, match=r"param_groups\[0\]\['lr'\] must be finite, got nan"):
        optimizer.step(gradients=[np.ones(3)])
    np.testing.assert_array_equal(p, W)
    optimizer.param_groups[0]["lr"] = 0.1
    optimizer.step(gradients=[np.ones(3)])
    assert p[0] < 1


BAD_STATES = {
    "no dict": (None, "state_dict must be a dict"),
    "keys": ({"state": {}}, '"state" and "param_groups"'),
    "groups": ({"state": {}, "param_groups": []}, "different number of parameter groups"),
    "sizes": ({"state": {}, "param_groups": [{"params": [0, 1]}]}, "doesn't match the size"),
    "lr": ({"state": {}, "param_groups": [{"params": [0], "lr": -1.0}]}, "Invalid learning rate"),
    "entry": ({"state": {0: 3}, "param_groups": [{"params": [0]}]}, 'dict with "step"'),
    "step": ({"state": {0: {"step": 1.5}}, "param_groups": [{"params": [0]}]}, "got 1.5"),
    "shape": (
        {"state": {0: {"step": 1, "exp_avg": [1.0]}}, "param_groups": [{"params": [0]}]},
        r"shape \(1,\)",
    ),
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


def test_a_device_that_is_not_there() -> None:
    with pytest.raises(DeviceError, match="no-such-gpu"):
        AdamW([W], device="no-such-gpu")
    with pytest.raises(DeviceError, match="99"):
        AdamW([W], device=99)
