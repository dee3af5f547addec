"""get_scheduler: recorded runs of transformers, and plain functions of the step beside them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from child import says
from sample_named import HUGGING_FACE, arguments
from targets import GrillyTarget, HostTarget, TorchTarget

from grilly import vk, xfloat
from grilly.optim import get_scheduler
from grilly.optim.lr_scheduler import GreedyLR, LambdaLR, ReduceLROnPlateau
from grilly.program import evaluate, program
from grilly.schedules import from_json, hugging_face

RECORDED, PLAIN, TRACED = 1e-9, 1e-12, 1e-13
FILES = sorted(Path(__file__).with_name("golden").glob("hf_*.json"))
GROUPS = [{"lr": 0.1}, {"lr": 0.02}]
WITHOUT_TOTAL = {"constant", "constant_with_warmup", "inverse_sqrt"}
Case = dict[str, Any]


class Run:
    """A recorded run, played again on a target."""

    def __init__(self, case: Case, target: Any) -> None:
        self.case, self.target = case, target
        self.scheduler = get_scheduler(case["scheduler"], target.optimizer, **case["args"])

    def rows(self, count: int) -> list[list[float]]:
        """Return the groups' rates, of which a device must hold the float32."""
        rows = []
        for t in range(count):
            if t:
                self.target.step()
                self.scheduler.step(*self.metric(t - 1))
            rows.append([float(group["lr"]) for group in self.target.groups])
            held = self.target.held("lr")
            assert held is None or held == [np.float32(rate) for rate in rows[-1]], t
        return rows

    def metric(self, t: int) -> list[float]:
        return [float(self.case["metrics"][t])] if "metrics" in self.case else []


def case_of(path: Path) -> Case:
    case: Case = json.loads(path.read_text())
    return case


RUNS = [path for path in FILES if "missing" not in path.name]


def test_all_files_are_read() -> None:
    assert len(FILES) == 18 and len(RUNS) == 17


@pytest.mark.parametrize("path", RUNS, ids=lambda path: path.stem)
@pytest.mark.parametrize("kind", [HostTarget, TorchTarget])
def test_rates_are_hugging_faces(path: Path, kind: Any) -> None:
    case = case_of(path)
    target = kind("AdamW", case["groups"], lr=case["optimizer_default_lr"])
    rows = Run(case, target).rows(301)
    np.testing.assert_allclose(rows[: len(case["lr"])], case["lr"], rtol=RECORDED)
    if case["error"]:  # transformers divides by 0 at its row 100; here the end is reached there
        assert case["error"]["row"] == 100 == len(case["lr"])
        np.testing.assert_allclose(rows[100:], [[1e-7, 1e-8]] * 201, rtol=RECORDED)


@pytest.mark.alike
@pytest.mark.parametrize("path", RUNS, ids=lambda path: path.stem)
def test_every_device_holds_their_float32(path: Path, place: str | int) -> None:
    case = case_of(path)
    target = GrillyTarget("AdamW", case["groups"], case["optimizer_default_lr"], place)
    rows = Run(case, target).rows(len(case["lr"]))
    np.testing.assert_allclose(rows, case["lr"], rtol=RECORDED)


# --- Plain functions, over arguments that no file has ---------------------------------------------


def rising(t: float, warm_up: float) -> float:
    return t / max(1, warm_up)


def wave(t: float, own: Case, ahead: int = 0, least: float = 0.0) -> float:
    warm_up, total = own["num_warmup_steps"], own["num_training_steps"]
    share = Fraction(t - warm_up + ahead) / Fraction(max(1, total - warm_up))
    angle = 2 * Fraction(own["num_cycles"]) * share
    height = 0.5 * (1 + math.cos(math.pi * float(angle % 2)))
    return max(0.0, height * (1 - least) + least)


def least_of(own: Case) -> float:
    rate = own.get("min_lr_rate")
    return float(own["min_lr"] / own["default_lr"] if rate is None else rate)


def linear(t: int, own: Case) -> float:
    total = own["num_training_steps"]
    return max(0.0, (total - t) / max(1, total - own["num_warmup_steps"]))


def restarts(t: int, own: Case) -> float:
    warm_up = own["num_warmup_steps"]
    # Exactly: in float64 a restart can be missed.
    share = Fraction(t - warm_up) / Fraction(max(1, own["num_training_steps"] - warm_up))
    if share >= 1:
        return 0.0
    return 0.5 * (1 + math.cos(math.pi * float(Fraction(own["num_cycles"]) * share % 1)))


def polynomial(t: int, own: Case) -> float:
    warm_up, total, start = own["num_warmup_steps"], own["num_training_steps"], own["default_lr"]
    if t > total or warm_up == total:
        return float(own["lr_end"] / start)
    left = 1 - (t - warm_up) / (total - warm_up)
    return float(((start - own["lr_end"]) * left ** own["power"] + own["lr_end"]) / start)


def inverse_sqrt(t: int, own: Case) -> float:
    scale = own["timescale"] if own["timescale"] is not None else own["num_warmup_steps"] or 10000
    return 1 / math.sqrt((t + scale - own["num_warmup_steps"]) / scale)


def one_step_ahead(t: int, own: Case) -> float:
    warm_up, first = own["num_warmup_steps"], own["warmup_lr_rate"]
    if t >= warm_up:
        return wave(t, own, 1, least_of(own))
    if first is None:
        return (t + 1) / max(1, warm_up)
    return float(first + (1 - first) * t / max(1, warm_up - 1))


def stable(t: int, own: Case) -> float:
    warm_up, down = own["num_warmup_steps"], own["num_decay_steps"]
    level = own.get("num_stable_steps")
    if level is None:
        level = own["num_training_steps"] - warm_up - down
    if t < warm_up:
        p = t / max(1, warm_up)
        cosine = 0.5 * (1 - math.cos(math.pi * p))
        factor = {"linear": p, "cosine": cosine, "1-sqrt": 1 - math.sqrt(1 - p)}[own["warmup_type"]]
    elif t < warm_up + level:
        return 1.0
    elif t < warm_up + level + down:
        p = (t - warm_up - level) / max(1, down)
        cosine = 0.5 * (1 + math.cos(2 * math.pi * own["num_cycles"] * p))
        shapes = {"linear": 1 - p, "cosine": cosine, "1-sqrt": 1 - math.sqrt(p)}
        factor = shapes[own["decay_type"]]
    else:
        factor = 0.0
    return float(factor * (1 - own["min_lr_ratio"]) + own["min_lr_ratio"])


AFTER: dict[str, Callable[[int, Case], float]] = {
    "constant": lambda t, own: 1.0,
    "constant_with_warmup": lambda t, own: 1.0,
    "linear": linear,
    "cosine": wave,
    "cosine_with_restarts": restarts,
    "polynomial": polynomial,
    "inverse_sqrt": inverse_sqrt,
    "cosine_with_min_lr": lambda t, own: wave(t, own, 0, least_of(own)),
}


def plain(name: str, t: int, own: Case) -> float:
    if name == "warmup_stable_decay":
        return stable(t, own)
    if name == "cosine_warmup_with_min_lr":
        return one_step_ahead(t, own)
    warm_up = own.get("num_warmup_steps", 0)
    return rising(t, warm_up) if t < warm_up else AFTER[name](t, own)


@pytest.mark.parametrize("name", HUGGING_FACE)
def test_factors_are_those_of_a_plain_function(name: str) -> None:
    rng = np.random.default_rng(list(name.encode()))
    steps = np.arange(150.0)
    for _ in range(80):
        own = arguments(name, rng)
        factor = hugging_face.FACTORS[name](**own)
        want = [plain(name, t, own) for t in range(150)]
        got = np.broadcast_to(factor(steps), 150)
        np.testing.assert_allclose(got, want, PLAIN, 4e-15, err_msg=str(own))
        # A wave's zero is one of 64 bits, while float64 rounds the angle.
        np.testing.assert_allclose(traced(factor, steps), got, TRACED, 4e-15, err_msg=str(own))


@pytest.mark.parametrize("name", sorted(set(HUGGING_FACE) - WITHOUT_TOTAL))
@pytest.mark.parametrize("total", [3.25, 9.5])
def test_steps_need_not_be_whole(name: str, total: float) -> None:
    own = arguments(name, np.random.default_rng(0), odd=False)
    own |= {"num_warmup_steps": 3, "num_training_steps": total}
    own.pop("num_stable_steps", None)
    got = np.broadcast_to(hugging_face.FACTORS[name](**own)(np.arange(20.0)), 20)
    np.testing.assert_allclose(got, [plain(name, t, own) for t in range(20)], PLAIN, 4e-15)


def traced(formula: Any, steps: Any) -> Any:
    """Return the values of the traced formula, all 64 bits, as float64."""
    own = program(formula)
    constants = np.broadcast_to(own.constants, (len(steps), own.constants.size))
    t, k = xfloat.from_float64(steps), xfloat.from_int(np.ones(1, int))
    return xfloat.to_float64(evaluate(own.structure, constants, t, k))


@pytest.mark.parametrize("name", HUGGING_FACE)
def test_a_scheduler_multiplies_each_groups_rate(name: str) -> None:
    rng = np.random.default_rng(list(name.encode()))
    for _ in range(5):
        own = arguments(name, rng, most=20)
        target = GrillyTarget("SGD", GROUPS, lr=own.get("default_lr", 0.02))
        given = {key: value for key, value in own.items() if key != "default_lr"}
        scheduler = get_scheduler(name, target.optimizer, **given)
        assert type(scheduler) is LambdaLR
        for t in range(45):
            rates = [float(group["lr"]) for group in target.groups]
            factor = plain(name, t, own)
            np.testing.assert_allclose(rates, [0.1 * factor, 0.02 * factor], PLAIN, 1e-17)
            # Next to a wave's zero the device is right and float64 has roundings of the angle.
            held = np.array(target.held("lr"))
            near = np.abs(held - rates) <= 4e-16 * 0.1
            assert (near | (held == np.float32(rates))).all()
            target.step()
            scheduler.step()


NO_COMPILER = """
import numpy as np
from grilly.optim import SGD, get_scheduler
weights = np.ones(4, np.float32)
types = "linear", "cosine", "1-sqrt"
calls = [
    ("constant", {}), ("constant_with_warmup", {}), ("linear", {}), ("cosine", {}),
    ("cosine_with_restarts", {}), ("polynomial", {}), ("inverse_sqrt", {}),
    ("cosine_with_min_lr", {"min_lr": 0.01}), ("cosine_warmup_with_min_lr", {"min_lr": 0.01}),
    *(
        ("warmup_stable_decay", {"num_decay_steps": 2, "warmup_type": rise, "decay_type": fall})
        for rise in types for fall in types
    ),
]
for name, more in calls:
    own = SGD([{"params": [weights]}, {"params": [weights + 1], "lr": 0.02}], 0.1, device=DEVICE)
    scheduler = get_scheduler(name, own, 2, 6, more)
    for step in range(9):
        rates = [np.float32(group["lr"]) for group in own.param_groups]
        assert list(own.read_hyperparameters()["lr"]) == rates, (name, step)
        own.step(gradients=[weights, weights])
        scheduler.step()
print(len(calls))
"""


def test_no_name_starts_a_compiler(any_device: vk.Device, tmp_path: Path) -> None:
    code = NO_COMPILER.replace("DEVICE", str(any_device.info.index))
    places = {"GRILLY_CACHE": str(tmp_path / "cache"), "GRILLY_GLSLANG": str(tmp_path / "none")}
    assert says(code, timeout=300, **places).split() == ["18"]


@pytest.mark.parametrize("name", HUGGING_FACE)
def test_a_state_is_plain_and_small_and_gone_on_from(name: str) -> None:
    rng = np.random.default_rng(list(name.encode()))
    own = arguments(name, rng, most=20, odd=False)
    lr = own.pop("default_lr", 0.02)
    target, other = (HostTarget("SGD", GROUPS, lr) for _ in range(2))
    scheduler = get_scheduler(name, target.optimizer, **own)
    for _ in range(7):
        scheduler.step()
    text = json.dumps(scheduler.state_dict())
    assert len(text) < 400
    resumed = get_scheduler(name, other.optimizer, **own)
    resumed.load_state_dict(json.loads(text))
    for _ in range(20):
        scheduler.step()
        resumed.step()
        assert resumed.get_last_lr() == scheduler.get_last_lr()


@pytest.mark.parametrize("name", HUGGING_FACE)
def test_a_factor_is_saved_as_json(name: str) -> None:
    rng = np.random.default_rng(list(name.encode()))
    for _ in range(20):
        factor = hugging_face.FACTORS[name](**arguments(name, rng))
        assert from_json(factor.to_json()) == factor


# --- Arguments ------------------------------------------------------------------------------------


def test_metrics_have_their_classes() -> None:
    target = HostTarget("SGD", GROUPS)
    cut = get_scheduler("reduce_lr_on_plateau", target.optimizer, patience=3)
    assert type(cut) is ReduceLROnPlateau and cut.patience == 3
    greedy = get_scheduler("greedy", target.optimizer, 5, 50, {"patience": 4}, factor=0.5)
    assert type(greedy) is GreedyLR and (greedy.patience, greedy.factor) == (4, 0.5)


def test_the_name_may_be_an_enums() -> None:
    name: Any = SimpleNamespace(value="linear")
    scheduler = get_scheduler(name, HostTarget("SGD", GROUPS).optimizer, 2, 4)
    assert scheduler.get_last_lr() == [0.0, 0.0]


def test_arguments_go_by_name_or_in_the_dict() -> None:
    rates = []
    for own in ({"scheduler_specific_kwargs": {"num_cycles": 2}}, {"num_cycles": 2}):
        scheduler = get_scheduler("cosine", HostTarget("SGD", GROUPS).optimizer, 0, 8, **own)
        scheduler.step()
        rates.append(scheduler.get_last_lr())
    assert rates[0] == rates[1] != [0.1, 0.02]


def test_a_run_is_gone_on_from_last_epoch() -> None:
    groups = [{**group, "initial_lr": group["lr"]} for group in GROUPS]
    scheduler = get_scheduler("linear", HostTarget("SGD", groups).optimizer, 2, 6, last_epoch=3)
    assert scheduler.get_last_lr() == [0.1 * 0.5, 0.02 * 0.5]


def test_stable_steps_come_before_the_number_of_all() -> None:
    with pytest.warns(UserWarning, match="num_stable_steps=3 is given: num_training_steps"):
        both = hugging_face.warmup_stable_decay(2, 2, 100, 3)
    assert both == hugging_face.warmup_stable_decay(2, 2, num_stable_steps=3)


ERRORS: list[tuple[str, tuple[Any, ...], dict[str, Any], str]] = [
    ("linaer", (), {}, "name must be one of constant, .*, got 'linaer'"),
    *(
        (name, (None, 10), {}, f"{name} requires `num_warmup_steps`")
        for name in HUGGING_FACE
        if name != "constant"
    ),
    *(
        (name, (10,), {}, f"{name} requires `num_training_steps`")
        for name in ("linear", "cosine", "polynomial", "cosine_with_restarts", "cosine_with_min_lr")
    ),
    ("linear", (-1, 10), {}, "num_warmup_steps must be at least 0, got -1"),
    ("linear", ("2", 10), {}, "num_warmup_steps must be a number"),
    ("linear", (2, math.inf), {}, "num_training_steps must be finite"),
    ("linear", (2, 10), {"power": 2}, "power"),
    ("constant", (), {"num_cycles": 2}, "num_cycles"),
    ("cosine", (2, 10), {"num_cycles": -1}, "num_cycles must be at least 0"),
    ("cosine_with_restarts", (2, 10), {"num_cycles": 0}, "num_cycles must be above 0"),
    ("polynomial", (2, 10), {"lr_end": 0.1}, "lr_end must be below the default lr, 0.1, got 0.1"),
    ("polynomial", (2, 10), {"power": -1}, "power must be at least 0"),
    ("polynomial", (2, 10), {"lr_end": None}, "lr_end must be a number"),
    ("inverse_sqrt", (2,), {"timescale": 0}, "timescale must be above 0"),
    ("cosine_with_min_lr", (2, 10), {}, "give min_lr or min_lr_rate"),
    ("cosine_with_min_lr", (2, 10), {"min_lr": 0.1, "min_lr_rate": 0.1}, "only one of min_lr"),
    ("cosine_with_min_lr", (2, 10), {"min_lr": -0.1}, "min_lr must be at least 0"),
    ("cosine_with_min_lr", (2, 10), {"min_lr_rate": -0.1}, "min_lr_rate must be at least 0"),
    (
        "cosine_warmup_with_min_lr",
        (2, 10),
        {"min_lr_rate": 0, "warmup_lr_rate": "x"},
        "warmup_lr_rate must be a number",
    ),
    ("warmup_stable_decay", (2, 10), {}, "num_decay_steps"),
    ("warmup_stable_decay", (2,), {"num_decay_steps": 2}, "num_training_steps or num_stable_steps"),
    ("warmup_stable_decay", (2, 9), {"num_decay_steps": -2}, "num_decay_steps must be at least 0"),
    (
        "warmup_stable_decay",
        (2, 9),
        {"num_decay_steps": 2, "warmup_type": "log"},
        "warmup_type must be one of linear, cosine, 1-sqrt, got 'log'",
    ),
    (
        "warmup_stable_decay",
        (2, 9),
        {"num_decay_steps": 2, "decay_type": "power"},
        "decay_type must be one of linear, cosine, 1-sqrt, got 'power'",
    ),
    ("warmup_stable_decay", (2, 9), {"num_decay_steps": 2, "min_lr_ratio": -1}, "min_lr_ratio"),
    (
        "warmup_stable_decay",
        (2, 9),
        {},
        "^warmup_stable_decay requires `num_decay_steps`: give get_scheduler "
        r'scheduler_specific_kwargs=\{"num_decay_steps": \.\.\.\}$',
    ),
    (
        "cosine_with_min_lr",
        (2, 9),
        {},
        "give min_lr or min_lr_rate, got None for both: to get_scheduler as "
        r'scheduler_specific_kwargs=\{"min_lr_rate": \.\.\.\}$',
    ),
    (
        "cosine",
        (2, 9),
        {"cycles": 2, "power": 1},
        "^cosine takes no cycles, power; its scheduler_specific_kwargs are: num_cycles$",
    ),
    ("constant", (), {"power": 1}, "takes no power; its scheduler_specific_kwargs are: none$"),
    ("reduce_lr_on_plateau", (), {"num_cycles": 2}, "num_cycles"),
    ("greedy", (), {"factor": 2}, "(?i)factor"),
    ("inverse_sqrt", ("x",), {}, "num_warmup_steps must be a number"),
    ("linear", (2, 10), {"scheduler_specific_kwargs": [1]}, r"scheduler_specific_kwargs .*\[1\]"),
]


@pytest.mark.parametrize(("name", "steps", "more", "text"), ERRORS)
def test_an_argument_that_cannot_be_meant(name: str, steps: Any, more: Any, text: str) -> None:
    target = HostTarget("SGD", GROUPS)
    before = repr(target.groups)
    with pytest.raises((ValueError, TypeError), match=text):
        get_scheduler(name, target.optimizer, *steps, **more)
    assert repr(target.groups) == before


def test_an_optimizer_without_a_default_rate() -> None:
    bare = SimpleNamespace(param_groups=[dict(group) for group in GROUPS])
    get_scheduler("cosine_with_min_lr", bare, 2, 10, min_lr_rate=0.1)
    with pytest.raises(ValueError, match=r"min_lr=0.1 is a share of default_lr"):
        get_scheduler("cosine_with_min_lr", bare, 2, 10, min_lr=0.1)
    with pytest.raises(TypeError, match="default_lr must be a number, got None"):
        get_scheduler("polynomial", bare, 2, 10)
    with pytest.raises(TypeError, match="str is not an Optimizer"):
        get_scheduler("linear", "optimizer", 2, 10)
