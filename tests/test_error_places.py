"""Errors of what a user gave name the place of it: the schedule, the function and step."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from param_cases import made

from grilly.errors import TextError
from grilly.optim import ParamScheduler
from grilly.optim.lr_scheduler import LambdaLR, MultiplicativeLR
from grilly.schedules import Function


@pytest.mark.parametrize(
    ("make", "where"),
    [
        (lambda o: ParamScheduler(o, {"weight_decay": "2 * q"}), "schedules['weight_decay']"),
        (lambda o: ParamScheduler(o, {"lr": [0.1, "2 * q"]}), "schedules['lr'][1]"),
        (lambda o: LambdaLR(o, "2 * q"), "lr_lambda"),
        (lambda o: LambdaLR(o, ["t", "2 * q"]), "lr_lambda[1]"),
        (lambda o: MultiplicativeLR(o, ["t", "2 * q"]), "lr_lambda[1]"),
    ],
)
def test_a_text_that_is_no_formula(make: Callable[[Any], Any], where: str) -> None:
    with pytest.raises(TextError) as caught:
        make(made("AdamW"))
    assert str(caught.value).startswith(f"{where}: 'q' is no name of a number")


def two(t: float, cycle: float) -> float:
    return t / cycle


class Two:
    def __call__(self, t: float, cycle: float) -> float:
        return t / cycle


@pytest.mark.parametrize("kind", ["ParamScheduler", "LambdaLR", "MultiplicativeLR"])
@pytest.mark.parametrize(
    ("function", "name"),
    [
        (two, "two(t: 'float', cycle: 'float')"),
        (Two(), "Two(t: 'float', cycle: 'float')"),
        (lambda: 0.1, "<lambda>()"),
        (Function(lambda t, *, k: 0.1), "<lambda>(t, *, k)"),
    ],
)
def test_a_function_of_more_than_the_step(kind: str, function: Any, name: str) -> None:
    optimizer, place = made("SGD"), "lr_lambda[1]"
    with pytest.raises(TypeError) as caught:
        if kind == "ParamScheduler":
            place = "schedules['lr'][1]"
            ParamScheduler(optimizer, {"lr": [0.1, function]})
        else:
            # As in torch, what MultiplicativeLR does not call it takes.
            functions = [lambda t: 1.0, function]
            makes = {"LambdaLR": LambdaLR, "MultiplicativeLR": MultiplicativeLR}
            scheduler = makes[kind](optimizer, functions)
            assert kind == "MultiplicativeLR"
            scheduler.load_state_dict(scheduler.state_dict())
            optimizer.step(
                gradients=[p for group in optimizer.param_groups for p in group["params"]]
            )
            scheduler.step()
    expected = f"{place} must be a function that takes the step alone, got {name}"
    assert str(caught.value).startswith(expected)


@pytest.mark.parametrize(
    "function",
    [partial(two, cycle=2.0), lambda *t: 0.5, lambda t, k=2: 0.5, float, abs],
)
def test_functions_of_the_step(function: Any) -> None:
    ParamScheduler(made("SGD"), {"momentum": function, "lr": function})
    LambdaLR(made("SGD"), function)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 has no notes")
@pytest.mark.parametrize("kind", ["ParamScheduler", "LambdaLR", "MultiplicativeLR"])
def test_what_a_function_raises_gets_a_note_of_group_and_step(kind: str) -> None:
    error = LookupError("mine")

    def late(t: Any) -> float:
        if t >= 2:
            raise error
        return 0.5

    optimizer = made("SGD")
    functions = [lambda t: 0.5, late]
    if kind == "ParamScheduler":
        scheduler: Any = ParamScheduler(optimizer, {"lr": functions})
    else:
        classes: dict[str, Any] = {"LambdaLR": LambdaLR, "MultiplicativeLR": MultiplicativeLR}
        scheduler = classes[kind](optimizer, functions)
        optimizer.step(gradients=[None] * sum(len(g["params"]) for g in optimizer.param_groups))
    scheduler.step()
    for _ in range(2):
        with pytest.raises(LookupError, match="mine") as caught:
            scheduler.step()
    assert caught.value is error and str(error) == "mine"
    assert error.__notes__ == ["lr of param_groups[1] at step 2"]
