"""OneCycleLR against recorded trajectories of torch 2.13.0 (tests/golden/, facts about torch)."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grilly.optim.lr_scheduler import OneCycleLR

GOLDEN = Path(__file__).with_name("golden")
PLAIN = sorted(path.stem for path in GOLDEN.glob("torch_onecycle*.json"))
RELATIVE = 1e-12
# torch's cosine form cancels where the rate is far below max_lr: absolute, in units of it.
OF_MAX_LR = 4e-16


class Groups:
    """What a torch optimizer is to a scheduler on the host."""

    def __init__(self, kind: str, groups: list[dict[str, Any]]) -> None:
        own = {"lr": 0.1, "betas": (0.9, 0.999)} if kind == "Adam" else {"lr": 0.1, "momentum": 0.0}
        self.defaults = own
        self.param_groups = [{**own, **group} for group in groups]


def load(name: str) -> dict[str, Any]:
    return json.loads((GOLDEN / f"{name}.json").read_text())  # type: ignore[no-any-return]


def run(case: dict[str, Any]) -> tuple[list[list[float]], list[list[float]], Exception | None]:
    """Return rates and momenta per row, and the error that ended the run."""
    target = Groups(case["optimizer"], case["groups"])
    rates: list[list[float]] = []
    momenta: list[list[float]] = []
    try:
        scheduler = OneCycleLR(target, **case["args"])
        for t in range(10**6):
            rates.append([group["lr"] for group in target.param_groups])
            momenta.append([momentum(group) for group in target.param_groups])
            if not case["error"] and len(rates) == len(case["lr"]):
                return rates, momenta, None
            for event in (e for e in case["events"] if e["t"] == t):
                happen(target, event)
            scheduler.step()
    except (ValueError, KeyError) as error:
        return rates, momenta, error
    raise AssertionError("the run does not end")


def momentum(group: dict[str, Any]) -> float:
    return group["betas"][0] if "betas" in group else group["momentum"]  # type: ignore[no-any-return]


def happen(target: Groups, event: dict[str, Any]) -> None:
    if event["op"] == "set_lr":
        target.param_groups[event["group"]]["lr"] = event["value"]
    elif event["op"] == "set":
        target.param_groups[event["group"]][event["key"]] = event["value"]
    elif event["op"] == "add_group":
        target.param_groups.append({"momentum": 0.0, **event["group"]})
    else:
        raise AssertionError(f"unknown event {event}")


def close(got: list[list[float]], want: list[list[float]], largest: float) -> None:
    assert len(got) == len(want)
    error = np.abs(np.array(got) - np.array(want))
    bound = np.maximum(RELATIVE * np.abs(want), OF_MAX_LR * largest)
    assert (error <= bound).all(), float((error / bound).max())


@pytest.mark.parametrize("name", [*PLAIN, "torch_addgroup20_OneCycleLR"])
def test_rates_and_momenta_are_torchs(name: str) -> None:
    case = load(name)
    rates, momenta, error = run(case)
    close(rates, case["lr"], float(np.max(case["args"]["max_lr"])))
    wanted = case["beta1"] or case["momentum"]
    if wanted:
        close(momenta, wanted, 1.0)
    check_error(error, case["error"])


def check_error(error: Exception | None, wanted: dict[str, Any] | None) -> None:
    if wanted is None:
        assert error is None
    elif wanted["type"] == "ZeroDivisionError":
        # torch stops with a bare "float division by zero"; here the argument is named.
        assert isinstance(error, ValueError) and "pct_start" in str(error)
    else:
        assert type(error).__name__ == wanted["type"]
        assert str(error) == wanted["message"]


@pytest.mark.parametrize("mode", ["last_epoch", "opt_first"])
def test_resume_is_torchs(mode: str) -> None:
    case = load(f"torch_resume60_OneCycleLR_{mode}")
    target = Groups("SGD", case["groups"])
    scheduler = OneCycleLR(target, **case["args"])
    rates = [[group["lr"] for group in target.param_groups]]
    for t in range(len(case["lr"]) - 1):
        if t == 60:
            target, scheduler = resumed(target, scheduler, case, mode)
            after = [group["lr"] for group in target.param_groups]
            close([after], [case["after_resume"][0]["lr"]], 0.5)
        scheduler.step()
        rates.append([group["lr"] for group in target.param_groups])
    close(rates, case["lr"], 0.5)


def resumed(
    target: Groups, scheduler: OneCycleLR, case: dict[str, Any], mode: str
) -> tuple[Groups, OneCycleLR]:
    fresh = Groups("SGD", json.loads(json.dumps(target.param_groups)))
    if mode == "last_epoch":
        return fresh, OneCycleLR(fresh, **case["args"], last_epoch=int(scheduler.last_epoch) - 1)
    new = OneCycleLR(fresh, **case["args"])
    new.load_state_dict(json.loads(json.dumps(scheduler.state_dict())))
    return fresh, new


def test_the_recorded_files_are_all_there() -> None:
    assert len(PLAIN) == 12


def test_no_warning_in_the_usual_order() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(load("torch_onecycle_cos_300"))
