"""Bad input to an optimizer: the error names argument and value, and nothing has changed."""

from __future__ import annotations

import copy
import pickle
import threading
from typing import Any

import numpy as np
import pytest
import torch

from grilly import DeviceError, device_array, nn, vk
from grilly.optim import SGD, Adam, AdamW
from grilly.optim import params as params_module
from grilly.optim.lr_scheduler import ExponentialLR, OneCycleLR

W = np.ones(3, np.float32)
READ_ONLY = np.ones(3, np.float32)
READ_ONLY.flags.writeable = False

BAD_PARAMS = {
    "float64": (np.ones(3), TypeError, "float64"),
    "int32": (np.ones(3, np.int32), TypeError, "int32"),
    "complex64": (np.ones(3, np.complex64), TypeError, "complex64"),
    "float16": (np.ones(3, np.float16), TypeError, "float16"),
    "objects": (np.array([None]), TypeError, "object"),
    "a list": ([1.0], TypeError, "list"),
    "None": (None, TypeError, "NoneType"),
    "read-only": (READ_ONLY, ValueError, "read-only"),
}


@pytest.mark.parametrize("kind", [SGD, Adam, AdamW])
@pytest.mark.parametrize("name", BAD_PARAMS)
def test_parameters(name: str, kind: Any) -> None:
    value, error, text = BAD_PARAMS[name]
    with pytest.raises(error, match=text):
        kind([value], device="cpu")
    optimizer = kind([W], device="cpu")
    with pytest.raises(error, match=text):
        optimizer.add_param_group({"params": [np.ones(2, np.float32), value]})
    assert len(optimizer.param_groups) == 1
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


@pytest.mark.parametrize("kind", [SGD, Adam, AdamW])
def test_groups_without_a_parameter(kind: Any, place: str) -> None:
    """As in torch, they can do all that others can; the first parameter may come later."""
    optimizer = kind([{"params": []}, {"params": [], "lr": 0.5}], device=place)
    np.testing.assert_array_equal(optimizer.read_hyperparameters()["lr"], np.float32([1e-3, 0.5]))
    optimizer.step()
    optimizer.step(gradients=[])
    state = optimizer.state_dict()
    assert state["state"] == {}
    optimizer.load_state_dict(state)
    optimizer.zero_grad()
    p = W.copy()
    optimizer.add_param_group({"params": [p], "lr": 0.5})
    optimizer.step(gradients=[np.ones(3)])
    assert optimizer.read_hyperparameters()["lr"].tolist()[1:] == [0.5, 0.5]
    assert (p <= 0.6).all()


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


def test_names_of_parameters() -> None:
    """As torch does: in all groups or in none, and in the state, but they decide nothing there."""
    p, q = np.ones(3, np.float32), np.ones(2, np.float32)
    optimizer = SGD([("p", p)], momentum=0.5, device="cpu")
    with pytest.raises(ValueError, match="cannot add param group without names"):
        optimizer.add_param_group({"params": [q]})
    with pytest.raises(ValueError, match="Some param names are missing"):
        optimizer.add_param_group({"params": [("q", q), W]})
    optimizer.add_param_group({"params": [("q", q)]})
    assert [g["param_names"] for g in optimizer.param_groups] == [["p"], ["q"]]
    with pytest.raises(ValueError, match="cannot add param group with names"):
        SGD([W], device="cpu").add_param_group({"params": [("q", q)]})
    unnamed = SGD([{"params": [p]}, {"params": [q]}], device="cpu")
    unnamed.load_state_dict(optimizer.state_dict())
    assert unnamed.param_groups[1]["param_names"] == ["q"]


def test_names_stay_if_a_loaded_state_has_none() -> None:
    plain = torch.optim.SGD([torch.ones(3)]).state_dict()
    theirs = torch.optim.SGD([("w", torch.ones(3))])
    ours = SGD([("w", W.copy())], device="cpu")
    theirs.load_state_dict(plain)
    ours.load_state_dict(plain)
    names = ours.param_groups[0]["param_names"]
    assert names == theirs.param_groups[0]["param_names"] == ["w"]


def test_parameters_that_share_memory() -> None:
    w = np.ones(6, np.float32)
    for params in ([w[:4], w[2:]], [nn.Parameter(w), w], [w[::2], w[2:3]]):
        with pytest.raises(ValueError, match="parameters 0 and 1 share memory"):
            AdamW(params, device="cpu")
    AdamW([w[::2], w[1::2]], device="cpu")


def test_parameters_that_are_the_same_device_array(device: vk.Device) -> None:
    arrays = [device_array(W, device.info.index) for _ in range(3)]
    given = [arrays[0], nn.Parameter(arrays[1]), arrays[2], nn.Parameter(arrays[1])]
    words = r"parameters 1 and 3 are the same DeviceArray.*pass it once, or copy\.copy"
    with pytest.raises(ValueError, match=words):
        AdamW(given)
    optimizer = AdamW(given[:3])
    with pytest.raises(ValueError, match=words):
        optimizer.add_param_group({"params": given[3:]})
    assert len(optimizer.param_groups) == 1
    optimizer.add_param_group({"params": [copy.copy(arrays[1])]})


FOLDED = [((4,), (0,)), ((2, 3), (4, 4)), ((3, 2), (0, 4)), ((3,), (2,)), ((2, 3), (8, 4))]


@pytest.mark.parametrize(("shape", "strides"), FOLDED)
def test_a_parameter_that_shares_memory_with_itself(
    shape: tuple[int, ...], strides: tuple[int, ...]
) -> None:
    w = np.lib.stride_tricks.as_strided(np.ones(8, np.float32), shape, strides)
    optimizer = AdamW([W], device="cpu")
    for call in (
        lambda: SGD([w], device="cpu"),
        lambda: optimizer.add_param_group({"params": [w]}),
        lambda: nn.Parameter(w),
    ):
        with pytest.raises(ValueError, match=r"share memory \(shape .*strides .*pass a copy"):
            call()
    assert len(optimizer.param_groups) == 1
    p = nn.Parameter(np.ones(shape, np.float32))
    before = p.data
    with pytest.raises(ValueError, match="data has elements that may share memory"):
        p.data = w
    assert p.data is before


def test_any_view_without_folds_is_a_parameter() -> None:
    w = np.ones((4, 6, 5), np.float32)
    records = np.ones(3, [("a", "f4"), ("b", "f4")])
    views = [w.T, w[::-2, 1::3], w[:, 2, None], w[..., :0], w[1:1, ::2], records["b"]]
    views += [w.transpose(1, 0, 2)[::2], np.lib.stride_tricks.as_strided(w, (1, 3), (0, 4))]
    views += [w[0, 0, 0:1][:, None].T, np.asfortranarray(w), w[0].diagonal().copy()[::-1]]
    for view in views:
        optimizer = SGD([view], lr=0.5, device="cpu")
        before = view.copy()
        optimizer.step(gradients=[np.ones(view.shape)])
        np.testing.assert_array_equal(view, before - np.float32(0.5))


def test_many_groups_are_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """1000 groups must not take a thousand times as long as one with all their parameters."""
    spans: list[int] = []
    span = params_module._span
    monkeypatch.setattr(params_module, "_span", lambda a: spans.append(a.size) or span(a))
    groups = [{"params": [np.ones(2, np.float32)], "lr": 0.5 + i} for i in range(1000)]
    optimizer = AdamW(groups, device="cpu")
    assert len(spans) == 1000
    optimizer.step(gradients=[np.ones(2)] * 1000)
    rates = optimizer.read_hyperparameters()["lr"]
    np.testing.assert_array_equal(rates, np.arange(1000, dtype=np.float32) + 0.5)
    w = np.ones(6, np.float32)
    with pytest.raises(ValueError, match="parameters 1 and 2 share memory"):
        AdamW([{"params": [W]}, {"params": [w[:4]]}, {"params": [w[2:]]}], device="cpu")
    with pytest.raises(ValueError, match="cannot add param group without names"):
        AdamW([{"params": [("w", w)]}, {"params": [W]}], device="cpu")


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


@pytest.mark.parametrize("kind", [np.array, lambda w: nn.Parameter(w.copy())])
def test_a_parameter_replaced_by_hand(kind: Any) -> None:
    """Also where nothing has a gradient but the new one: it would stay as it is, in silence."""
    optimizer = SGD([{"params": [kind(W), kind(W)]}, {"params": [kind(W)]}], device="cpu")
    params, new = optimizer.param_groups[0]["params"], kind(W)
    saved = optimizer.state_dict()
    for edited in ([params[0], new], params[::-1]):
        optimizer.param_groups[0]["params"] = edited
        for call in (
            lambda: optimizer.step(gradients={id(new): np.ones(3)}),
            optimizer.step,
            optimizer.read_hyperparameters,
            optimizer.state_dict,
            lambda: optimizer.load_state_dict(saved),
        ):
            with pytest.raises(ValueError, match="changed by hand"):
                call()
        optimizer.param_groups[0]["params"] = params
    optimizer.step(gradients=[np.ones(3)] * 3)
    assert np.asarray(params[1])[0] < 1


def test_zeros_for_gradients() -> None:
    """In place, as in torch, where the gradient is an array to write into."""
    theirs = torch.nn.Parameter(torch.ones(3))
    theirs.grad = kept = torch.ones(3)
    torch.optim.SGD([theirs]).zero_grad(set_to_none=False)
    assert theirs.grad is kept
    assert not kept.any()
    p = nn.Parameter(W.copy())
    optimizer = SGD([p, nn.Parameter(W.copy())], device="cpu")
    for grad in (np.ones(3, np.float32), np.ones(3), np.ones(6, np.float32)[::2]):
        p.grad = grad
        optimizer.zero_grad(set_to_none=False)
        assert p.grad is grad
        assert not grad.any()
    for other in ([1.0, 2.0, 3.0], READ_ONLY, np.ones(4, np.float32)):
        p.grad = other
        optimizer.zero_grad(set_to_none=False)
        assert isinstance(p.grad, np.ndarray)
        np.testing.assert_array_equal(p.grad, np.zeros(3))
    assert READ_ONLY.all()
    assert [q.grad is None for q in optimizer.param_groups[0]["params"]] == [False, True]
    optimizer.zero_grad()
    assert p.grad is None


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


@pytest.mark.parametrize("value", ["a", None, [1.0], np.ones(3), np.ones(3, np.int32)], ids=repr)
def test_data_takes_what_can_be_updated(value: Any) -> None:
    p = nn.Parameter(np.ones(3, np.float32))
    with pytest.raises(TypeError, match="data must be"):
        p.data = value
    assert p.data.dtype == np.float32


def test_arrays_need_gradients() -> None:
    optimizer = AdamW([np.ones(3, np.float32)], device="cpu")
    with pytest.raises(ValueError, match=r"pass gradients=\[...\], .* or wrap"):
        optimizer.step()
    optimizer.step(gradients=[None])


def test_a_tensor_is_told_what_to_pass() -> None:
    tensor = torch.ones(3, requires_grad=True)
    with pytest.raises(TypeError, match=r"got torch.Tensor: of a torch tensor pass t\.detach"):
        AdamW([tensor], device="cpu")
    shared = tensor.detach().numpy()
    SGD([shared], lr=0.5, device="cpu").step(gradients=[torch.ones(3)])
    assert tensor.tolist() == [0.5] * 3


@pytest.mark.parametrize("kind", [torch.nn.Linear(2, 1), torch.nn.Sequential(torch.nn.Tanh())])
def test_a_module_is_told_what_to_pass(kind: Any) -> None:
    text = r"got a module, \w+: pass \[p\.detach\(\)\.numpy\(\) for p in model\.parameters\(\)\]"
    with pytest.raises(TypeError, match=text):
        AdamW(kind, device="cpu")
    with pytest.raises(TypeError, match=text):
        AdamW([{"params": kind}], device="cpu")
    model = torch.nn.Linear(2, 1)
    AdamW([p.detach().numpy() for p in model.parameters()], device="cpu")


def test_a_bfloat16_gradient_is_told_what_to_pass() -> None:
    optimizer = SGD([np.ones(3, np.float32)], lr=0.5, device="cpu")
    gradient = torch.ones(3, dtype=torch.bfloat16)
    with pytest.raises(ValueError, match=r"gradient of parameter 0 .* pass g\.float\(\)$"):
        optimizer.step(gradients=[gradient])
    optimizer.step(gradients=[gradient.float()])


def test_no_device_is_told_what_to_pass() -> None:
    nothing: Any = None
    with pytest.raises(TypeError, match=r'got None: use "auto"$'):
        AdamW([W], device=nothing)


def test_what_an_optimizer_shows() -> None:
    shown = repr(SGD([np.ones(3, np.float32)], lr=0.5, device="cpu"))
    assert shown.startswith("SGD (on numpy\nParameter Group 0: 1 parameters\n")
    assert "    lr: 0.5\n" in shown


@pytest.mark.parametrize(
    "make", [lambda o: OneCycleLR(o, 1e60, 5), lambda o: ExponentialLR(o, 1e30)]
)
def test_a_scheduled_rate_beyond_float32(place: str, make: Any) -> None:
    p = np.ones(3, np.float32)
    optimizer = SGD([p], lr=0.1, momentum=0.9, device=place)
    scheduler = make(optimizer)
    with pytest.raises(
        ValueError, match=r"param_groups\[0\] lr must be finite in float32, got [14]"
    ):
        for _ in range(4):
            before = p.copy()
            optimizer.step(gradients=[np.ones(3)])
            scheduler.step()
    np.testing.assert_array_equal(p, before)
    assert np.isfinite(p).all()
