"""Schedulers against recorded trajectories of torch 2.13.0 (tests/golden/, facts about torch).

Each is run on bare groups, on torch's optimizer, and on grilly's on every device, where what the
device holds for each step must be the float32 of what the groups show.
"""

from __future__ import annotations

import json
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from targets import GrillyTarget, HostTarget, TorchTarget

from grilly import optim
from grilly.optim import lr_scheduler

GOLDEN = Path(__file__).with_name("golden")
NAMES = sorted(path.stem for path in GOLDEN.glob("torch_*.json"))
PEERS = {"GreedyLR", "get_scheduler"}  # Hugging Face's
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
    "torch_addgroup20_CosineAnnealingWarmRestarts": (21, "base_lrs"),
    "torch_addgroup20_MultiplicativeLR": (21, "lr_lambdas"),
    "torch_seq_nested_second": (20, "milestone"),
    "torch_seq_chained_second": (20, "milestone"),
}
# Where ours goes on and torch stops. By file: the rates of ours after it.
NO_ERROR: dict[str, Any] = {
    # torch divides by factor=0 to come back from 0: ours takes the base rates.
    "torch_constant_factor_0": [0.1],
}
# Where torch's rates are farther from the exact ones. By file: how far, relative or in units of the
# largest rate.
LOOSER = {
    # Its recurrence in float32 drifts; ours is the float32 of the formula at every step.
    "torch_lr_tensor_f32_LinearLR": (2e-6, 0.0),
    # Its formula in float32; ours is the float32 of the formula.
    "torch_lr_tensor_f32_CosineAnnealingWarmRestarts": (0.0, 2.0**-23),
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
        with warnings.catch_warnings(record=True) as self.warnings:
            warnings.simplefilter("always")
            return self.play_on()

    def play_on(self) -> Exception | None:
        try:
            self.scheduler = self.make(self.target, self.case["scheduler"], self.case["args"])
            self.record()
            while len(self.rates) < self.count:
                self.advance(len(self.rates) - 1)
        except (ValueError, KeyError, NotImplementedError) as error:
            return error
        return None

    @property
    def count(self) -> int:
        """The rows to play: one more than were recorded where the last step was an error."""
        return len(self.case["lr"]) + (self.case["error"] is not None)

    def make(self, target: Any, name: str, arguments: dict[str, Any], **more: Any) -> Any:
        own = {key: self.argument(target, value) for key, value in arguments.items()}
        if name == "ChainedScheduler":
            return lr_scheduler.ChainedScheduler(**own)
        return getattr(lr_scheduler, name)(target.optimizer, **own, **more)

    def argument(self, target: Any, value: Any) -> Any:
        """Return an argument as it was: a function, schedulers, or the recorded value itself."""
        if isinstance(value, list):
            return [self.argument(target, one) for one in value]
        if isinstance(value, dict) and "$lambda" in value:
            return eval(f"lambda e: {value['$lambda']}", {"math": math})
        if isinstance(value, dict) and "scheduler" in value:
            return self.make(target, value["scheduler"], value["args"])
        return value

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


def close(
    got: list[list[float]],
    want: list[list[float]],
    tolerance: tuple[float, float] = (RELATIVE, OF_LARGEST),
) -> None:
    assert [len(row) for row in got] == [len(row) for row in want]
    largest = max((abs(value) for row in want for value in row), default=0.0)
    for t, (row, wanted) in enumerate(zip(got, want, strict=True)):
        error = np.abs(np.array(row) - np.array(wanted))
        bound = np.maximum(tolerance[0] * np.abs(wanted), tolerance[1] * largest)
        assert (error <= bound).all(), (t, row, wanted)


def target_of(case: dict[str, Any], kind: str, place: str | int) -> Any:
    groups = [dict(group) for group in case["groups"]]
    if case["lr_kind"] != "float":
        wrap = torch.tensor if kind == "torch" else np.array
        name = {"tensor_f32": "float32", "tensor_f64": "float64"}[case["lr_kind"]]
        dtype = getattr(torch if kind == "torch" else np, name)
        for group in groups:
            group["lr"] = wrap(group["lr"], dtype=dtype)
    if kind == "grilly":
        return GrillyTarget(case["optimizer"], groups, place=place)
    return {"host": HostTarget, "torch": TorchTarget}[kind](case["optimizer"], groups)


def judge(name: str, run: Run, error: Exception | None) -> None:
    case = run.case
    rows = NAMED_ERRORS.get(name, (len(case["lr"]), ""))[0]
    close(run.rates[:rows], case["lr"][:rows], LOOSER.get(name, (RELATIVE, OF_LARGEST)))
    if hasattr(run.target.optimizer, "step"):
        texts = [str(warning.message)[:60] for warning in run.warnings]
        assert texts == [text for _, _, text in case["warnings"]]
    recorded = case["beta1"] or case["momentum"]
    if recorded:
        close(run.momenta[:rows], recorded[:rows])
    if name in NO_ERROR:
        assert error is None and run.rates[rows:] == [NO_ERROR[name]]
    elif case["error"] is None:
        assert error is None
    elif name in NAMED_ERRORS:
        row, word = NAMED_ERRORS[name]
        assert type(error).__name__ in (case["error"]["type"], "ValueError"), error
        assert word in str(error) and len(run.rates) == row
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


@pytest.mark.alike
@pytest.mark.parametrize("name", [n for n in NAMES if hasattr(optim, load(n)["optimizer"])])
def test_every_device_holds_their_float32(name: str, place: str | int) -> None:
    case = load(name)
    run = Run(case, target_of(case, "grilly", place))
    judge(name, run, run.play())


def test_the_recorded_files_are_all_there() -> None:
    """Some of every scheduler there is, and of resumes, added groups, tensors and hand edits."""
    scheduled = {load(name)["scheduler"] for name in NAMES}
    assert scheduled == set(lr_scheduler.__all__) - {"LRScheduler", *PEERS}
    assert len(NAMES) == 116
