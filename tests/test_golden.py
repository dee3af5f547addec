"""Schedulers against recorded trajectories of torch 2.13.0 (tests/golden/, facts about torch).

Each is run on bare groups, on torch's optimizer, and on grilly's on every device, where what the
device holds for each step must be the float32 of what the groups show.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from targets import GrillyTarget, HostTarget, TorchTarget

from grilly.optim import lr_scheduler

GOLDEN = Path(__file__).with_name("golden")
NAMES = sorted(path.stem for path in GOLDEN.glob("torch_*.json"))
RELATIVE = 1e-12
# torch's cosine forms cancel where the rate is far below the largest: absolute, in units of it.
OF_LARGEST = 4e-16

# Where torch stops with an error that names nothing, at a step; here the constructor names it,
# or the step says what is missing. By file: the row of ours, and a word of its text.
NAMED_ERRORS = {
    "torch_onecycle_pct1": (100, "pct_start"),
    "torch_onecycle_pct_times_T_is_1": (0, "pct_start"),
    "torch_cosine_T0": (0, "T_max"),
    "torch_step_zero_size": (0, "step_size"),
    "torch_addgroup20_CosineAnnealingLR": (101, "base_lrs"),
}


class Run:
    """A recorded case, played again on a target."""

    def __init__(self, case: dict[str, Any], target: Any) -> None:
        self.case, self.target = case, target
        self.metrics = [float(metric) for metric in case.get("metrics", ())]
        self.rates: list[list[float]] = []
        self.momenta: list[list[float]] = []

    def play(self) -> Exception | None:
        """Record every row; return the error that ended the run."""
        try:
            self.scheduler = self.make(self.target, self.case["scheduler"], self.case["args"])
            self.record()
            while len(self.rates) < len(self.case["lr"]) or self.case["error"]:
                self.advance(len(self.rates) - 1)
        except (ValueError, KeyError) as error:
            return error
        return None

    def make(self, target: Any, name: str, arguments: dict[str, Any], **more: Any) -> Any:
        return getattr(lr_scheduler, name)(target.optimizer, **arguments, **more)

    def advance(self, t: int) -> None:
        epoch = None
        for event in (event for event in self.case["events"] if event["t"] == t):
            epoch = event.get("epoch")
            self.happen(event)
        self.target.step()
        self.scheduler.step(*([self.metrics[t]] if self.metrics else [epoch] if epoch else []))
        self.record()

    def record(self) -> None:
        groups = self.target.groups
        self.rates.append([float(group["lr"]) for group in groups])
        self.momenta.append([_momentum(group) for group in groups])
        for key, rows in (("lr", self.rates), (self._momentum_key, self.momenta)):
            held = self.target.held(key)
            if held is not None:
                assert held == [np.float32(value) for value in rows[-1]], (key, len(self.rates))

    @property
    def _momentum_key(self) -> str:
        return "beta1" if "betas" in self.target.groups[0] else "momentum"

    def happen(self, event: dict[str, Any]) -> None:
        group = event.get("group", 0)
        if event["op"] == "set_lr":
            self.target.groups[group]["lr"] = event["value"]
        elif event["op"] == "set":
            self.target.groups[group][event["key"]] = event["value"]
        elif event["op"] == "add_group":
            self.target.add(group)
        elif event["op"] == "new_scheduler":
            self.scheduler = self.make(self.target, event["scheduler"], event["args"])
        elif event["op"] == "resume":
            self.resume(event["mode"])
            after = [float(one["lr"]) for one in self.target.groups]
            close([after], [self.case["after_resume"][0]["lr"]])
        else:
            assert event["op"] == "step_epoch", event

    def resume(self, mode: str) -> None:
        """Go on in a fresh optimizer and scheduler, in the order that ``mode`` names."""
        saved = self.target.save(), json.loads(json.dumps(self.scheduler.state_dict()))
        name, arguments = self.case["scheduler"], self.case["args"]
        fresh = self.target.fresh()
        for group, recorded in zip(fresh.groups, self.case["groups"], strict=True):
            group.update(recorded)
        if mode in ("opt_first", "last_epoch"):
            fresh.load(saved[0])
        more = {"last_epoch": int(self.scheduler.last_epoch) - 1} if mode == "last_epoch" else {}
        self.scheduler = self.make(fresh, name, arguments, **more)
        if mode == "full":
            fresh.load(saved[0])
        if mode != "last_epoch":
            self.scheduler.load_state_dict(saved[1])
        self.target = fresh


def _momentum(group: dict[str, Any]) -> float:
    return float(group["betas"][0] if "betas" in group else group["momentum"])


def load(name: str) -> dict[str, Any]:
    case: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text())
    for group in case["groups"]:
        if "betas" in group:
            group["betas"] = tuple(group["betas"])
    return case


def close(got: list[list[float]], want: list[list[float]]) -> None:
    assert [len(row) for row in got] == [len(row) for row in want]
    largest = max((abs(value) for row in want for value in row), default=0.0)
    for t, (row, wanted) in enumerate(zip(got, want, strict=True)):
        error = np.abs(np.array(row) - np.array(wanted))
        bound = np.maximum(RELATIVE * np.abs(wanted), OF_LARGEST * largest)
        assert (error <= bound).all(), (t, row, wanted)


def target_of(case: dict[str, Any], kind: str, place: str | int) -> Any:
    groups = [dict(group) for group in case["groups"]]
    if case["lr_kind"] != "float":
        wrap = torch.tensor if kind == "torch" else np.array
        dtype = torch.float64 if kind == "torch" else np.float64
        for group in groups:
            group["lr"] = wrap(group["lr"], dtype=dtype)
    if kind == "grilly":
        return GrillyTarget(case["optimizer"], groups, place=place)
    return {"host": HostTarget, "torch": TorchTarget}[kind](case["optimizer"], groups)


def judge(name: str, run: Run, error: Exception | None) -> None:
    case = run.case
    rows = NAMED_ERRORS.get(name, (len(case["lr"]), ""))[0]
    close(run.rates[:rows], case["lr"][:rows])
    recorded = case["beta1"] or case["momentum"]
    if recorded and case["scheduler"] == "OneCycleLR":
        close(run.momenta[:rows], recorded[:rows])
    if case["error"] is None:
        assert error is None
    elif name in NAMED_ERRORS:
        row, word = NAMED_ERRORS[name]
        assert isinstance(error, ValueError) and word in str(error) and len(run.rates) == row
    else:
        assert type(error).__name__ == case["error"]["type"]
        assert str(error) == case["error"]["message"]
        assert len(run.rates) == case["error"]["row"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["host", "torch"])
def test_rates_and_momenta_are_torchs(name: str, kind: str) -> None:
    case = load(name)
    run = Run(case, target_of(case, kind, "cpu"))
    judge(name, run, run.play())


@pytest.mark.parametrize("name", NAMES)
def test_every_device_holds_their_float32(name: str, place: str | int) -> None:
    case = load(name)
    run = Run(case, target_of(case, "grilly", place))
    judge(name, run, run.play())


def test_the_recorded_files_are_all_there() -> None:
    """12 of OneCycleLR alone, 6 of StepLR, 5 of CosineAnnealingLR, 4 of ReduceLROnPlateau; 10 of
    resumes, added groups, tensors and second schedulers."""
    kinds = ("torch_onecycle", "torch_step", "torch_cosine", "torch_plateau")
    assert [sum(n.startswith(kind) for n in NAMES) for kind in kinds] == [12, 5, 5, 4]
    assert len(NAMES) == 38


def test_no_warning_in_the_usual_order() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in ("torch_onecycle_cos_300", "torch_step_hand_lr", "torch_cosine_hand_lr"):
            case = load(name)
            Run(case, target_of(case, "torch", "cpu")).play()
