"""Every option of every optimizer with every kind of bad value: one error that names both.

As the constructor's argument, in a group, edited into a group and loaded into it. Nothing has
changed after the error. What torch takes and gives finite results with is taken.
"""

from __future__ import annotations

import copy
import re
from typing import Any

import numpy as np
import pytest

from grilly import StateError
from grilly.optim import SGD, Adam, AdamW

KINDS: dict[str, Any] = {"SGD": SGD, "Adam": Adam, "AdamW": AdamW}
_ADAM = ("lr", "beta1", "beta2", "eps", "weight_decay", "amsgrad", "maximize")
OPTIONS = {
    "SGD": ("lr", "momentum", "dampening", "weight_decay", "nesterov", "maximize"),
    "Adam": _ADAM,
    "AdamW": _ADAM,
}
# How an error names an option where it has torch's words.
NAMES = {
    "lr": r"\blr\b|learning rate",
    "beta1": r"betas\[0\]|index 0",
    "beta2": r"betas\[1\]|index 1",
    "eps": r"\beps\b|epsilon",
}
VALUES: dict[str, Any] = {
    "nan": np.nan,
    "inf": np.inf,
    "-inf": -np.inf,
    "beyond float32": 1e39,
    "beyond float64": 10**5000,
    "text": "0.1",
    "bytes": b"1",
    "None": None,
    "list": [0.1],
    "array": np.array([0.1, 0.2]),
    "complex": 1j,
    "object": object,
}
# Numbers: refused as an argument, and in a group too.
RANGES: list[tuple[str, float, bool, bool]] = [
    ("lr", -0.5, True, False),
    ("momentum", -0.5, True, False),
    ("weight_decay", -0.5, True, False),
    ("eps", -1e-8, True, True),
    ("beta1", 1.0, True, True),
    ("beta1", -0.5, True, True),
    ("beta2", 1.0, True, True),
    ("beta2", -0.5, True, True),
    ("dampening", -0.5, False, False),
    ("dampening", 1e30, False, False),
    ("dampening", 1.0, False, False),
    *((name, 0.0, False, False) for name in ("lr", "momentum", "dampening", "weight_decay")),
    *((name, 0.0, False, False) for name in ("eps", "beta1", "beta2", "amsgrad", "nesterov")),
    *((name, 1e30, False, False) for name in ("lr", "weight_decay", "eps")),
    ("lr", True, False, False),
    ("maximize", 2, False, False),
]
ALL = [(kind, name) for kind, names in OPTIONS.items() for name in names]
WAYS = ("argument", "group", "edited", "loaded")


def option(name: str, value: Any) -> dict[str, Any]:
    """Return what to write into a group."""
    if name == "beta1":
        return {"betas": (value, 0.999)}
    return {"betas": (0.9, value)} if name == "beta2" else {name: value}


def attempt(kind: str, where: str, options: dict[str, Any]) -> None:
    """Use an option in one of the four ways; if that raises, assert that nothing has changed."""
    p = np.ones(3, np.float32)
    if where == "argument":
        KINDS[kind]([p], device="cpu", **options)
        return
    optimizer = KINDS[kind]([p], device="cpu")
    optimizer.step(gradients=[np.ones(3)])
    before, old = copy.deepcopy(optimizer.state_dict()), p.copy()
    try:
        if where == "group":
            optimizer.add_param_group({"params": [np.ones(2, np.float32)], **options})
        elif where == "loaded":
            optimizer.load_state_dict(
                {**before, "param_groups": [{**before["param_groups"][0], **options}]}
            )
        else:
            edited(optimizer, options)
    except (ValueError, TypeError):
        assert str(optimizer.state_dict()) == str(before)
        np.testing.assert_array_equal(p, old)
        optimizer.step(gradients=[np.ones(3)])
        raise


def edited(optimizer: Any, options: dict[str, Any]) -> None:
    group = optimizer.param_groups[0]
    good = dict(group)
    group.update(options)
    try:
        optimizer.step(gradients=[np.ones(3)])
    finally:
        group.update(good)


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize(("kind", "name"), ALL)
def test_what_is_no_finite_number(kind: str, name: str, value: str) -> None:
    bad = VALUES[value]
    for where in WAYS:
        with pytest.raises((ValueError, TypeError)) as caught:
            attempt(kind, where, option(name, bad))
        text = str(caught.value)
        assert re.search(NAMES.get(name, rf"\b{name}\b"), text), text
        assert ("inf" if value == "beyond float64" else repr(bad)) in text or str(bad) in text
        assert isinstance(caught.value, StateError) or where != "loaded"


@pytest.mark.parametrize("where", WAYS)
@pytest.mark.parametrize(("name", "value", "as_argument", "in_a_group"), RANGES)
@pytest.mark.parametrize("kind", KINDS)
def test_ranges(
    kind: str, name: str, value: float, as_argument: bool, in_a_group: bool, where: str
) -> None:
    if name not in OPTIONS[kind]:
        return
    if as_argument if where == "argument" else in_a_group:
        with pytest.raises(ValueError, match=re.escape(str(value))) as caught:
            attempt(kind, where, option(name, value))
        assert re.search(NAMES.get(name, name), str(caught.value))
    else:
        attempt(kind, where, option(name, value))


BETAS = {
    "none": (None, "got None"),
    "a number": (0.9, "got 0.9"),
    "one": ((0.9,), r"got \(0.9,\)"),
    "three": ((0.9, 0.99, 0.999), r"two numbers, got \(0.9, 0.99, 0.999\)"),
    "ints": ((0, 0), r"both floats or both Tensors, got \(0, 0\)"),
    "mixed": ((0.9, 0), r"both floats or both Tensors, got \(0.9, 0\)"),
}


@pytest.mark.parametrize("name", BETAS)
@pytest.mark.parametrize("kind", ["Adam", "AdamW"])
def test_betas(kind: str, name: str) -> None:
    value, text = BETAS[name]
    with pytest.raises(ValueError, match=text):
        attempt(kind, "argument", {"betas": value})
    if name not in ("ints", "mixed"):  # torch asks for floats in the constructor only
        for where in ("group", "edited", "loaded"):
            with pytest.raises(ValueError, match="betas"):
                attempt(kind, where, {"betas": value})


TOGETHER: list[tuple[str, dict[str, Any], type[Exception], str]] = [
    ("SGD", {"nesterov": True}, ValueError, "Nesterov momentum requires a momentum"),
    ("SGD", {"nesterov": True, "momentum": 0.9, "dampening": 0.1}, ValueError, "zero dampening"),
    *(
        (kind, {"fused": True, "foreach": True}, RuntimeError, "`fused` and `foreach`")
        for kind in KINDS
    ),
    *((kind, {"differentiable": True}, ValueError, "differentiable=True") for kind in KINDS),
]


@pytest.mark.parametrize(("kind", "options", "error", "text"), TOGETHER)
def test_options_that_exclude_each_other(
    kind: str, options: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        attempt(kind, "argument", options)


@pytest.mark.parametrize("where", ["group", "edited", "loaded"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_no_kernel_has(kind: str, where: str) -> None:
    with pytest.raises(ValueError, match="differentiable=True"):
        attempt(kind, where, {"differentiable": True})
    other = kind == "Adam"
    if kind != "SGD" and (kind, where) != ("AdamW", "loaded"):
        with pytest.raises(ValueError, match=f"decoupled_weight_decay={other}: it is {not other}"):
            attempt(kind, where, {"decoupled_weight_decay": other})


@pytest.mark.parametrize("kind", KINDS)
def test_hints_are_kept_and_change_nothing(kind: str) -> None:
    hints: dict[str, Any] = {"foreach": True, "fused": None}
    if kind != "SGD":
        hints["capturable"] = True
    p, q = np.ones(3, np.float32), np.ones(3, np.float32)
    hinted, plain = KINDS[kind]([p], device="cpu", **hints), KINDS[kind]([q], device="cpu")
    for optimizer in (hinted, plain):
        optimizer.step(gradients=[np.ones(3)])
    np.testing.assert_array_equal(p, q)
    assert hints.items() <= hinted.param_groups[0].items()


@pytest.mark.parametrize("kind", KINDS)
def test_an_argument_is_checked_though_each_group_has_its_own(kind: str) -> None:
    with pytest.raises(ValueError, match="Invalid learning rate: -1"):
        KINDS[kind]([{"params": [np.ones(3, np.float32)], "lr": 0.1}], lr=-1, device="cpu")
