"""ParamScheduler: what the device and the groups hold, of every number and any function."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from param_cases import CURVES, STEPS, Place, made, unchanged, update
from targets import HostTarget
from truth import exact, float32_bits

from grilly import planning, vk
from grilly.optim import ParamScheduler
from grilly.schedules import (
    Constant,
    Cosine,
    Cyclic,
    Debias1,
    Debias2,
    Fresh,
    Function,
    Join,
    MultiStep,
    OneCycle,
    OneMinus,
    Product,
    Ramp,
    Schedule,
    parse,
)

# By optimizer and name, what a lane's columns are made of it.
MADE: dict[str, dict[str, dict[str, Callable[[Schedule], Any]]]] = {
    "SGD": {
        "lr": {"lr": lambda s: s},
        "momentum": {"momentum": lambda s: s},
        "dampening": {"fresh": Fresh},
        "weight_decay": {"weight_decay": lambda s: s},
    },
    "Adam": {
        "lr": {"lr": lambda s: s},
        "beta1": {"beta1": lambda s: s, "one_minus_beta1": OneMinus, "debias1": Debias1},
        "beta2": {"beta2": lambda s: s, "one_minus_beta2": OneMinus, "debias2": Debias2},
        "eps": {"eps": lambda s: s},
        "weight_decay": {"weight_decay": lambda s: s},
    },
}
MADE["AdamW"] = MADE["Adam"]
CASES = [(kind, name) for kind, names in MADE.items() for name in names]


def bits(value: Any) -> int:
    return int(np.float32(value).view(np.uint32))


def number(group: dict[str, Any], name: str) -> float:
    if name in ("beta1", "beta2"):
        return group["betas"][int(name[-1]) - 1]  # type: ignore[no-any-return]
    return group[name]  # type: ignore[no-any-return]


@pytest.mark.numbers
@pytest.mark.parametrize(("kind", "name"), CASES)
def test_the_kernel_reads_the_rounded_truth(kind: str, name: str, place: Place) -> None:
    """Of each number of each optimizer, one curve a group; and of what is made of it."""
    optimizer = made(kind, place, len(CURVES))
    scheduler = ParamScheduler(optimizer, {name: CURVES})
    for t in range(STEPS):
        rows = optimizer.read_hyperparameters()
        for column, formula in MADE[kind][name].items():
            for i, curve in enumerate(CURVES):
                want = float32_bits(exact(formula(curve), t, t + 1))
                assert bits(rows[column][i]) == want, (column, i, t)
        update(optimizer)
        scheduler.step()
    assert scheduler.last_epoch == STEPS


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_the_groups_hold_the_float64_values(kind: str, name: str) -> None:
    optimizer = made(kind, groups=len(CURVES))
    scheduler = ParamScheduler(optimizer, {name: CURVES})
    for t in range(STEPS):
        got = [number(group, name) for group in optimizer.param_groups]
        assert got == pytest.approx([float(curve(t)) for curve in CURVES], rel=1e-15)
        assert all(type(value) is float for value in got)
        assert scheduler.get_last() == {name: got}
        scheduler.step()


def test_schedules_of_one_class_and_different_structure() -> None:
    """They are computed together where they differ in numbers only."""
    a, b = CURVES[0], CURVES[1]
    curves = [
        Product((a, Ramp(0.5, 0.0, 1.0, 9))),
        Product((Ramp(0.5, 0.0, 1.0, 9), a)),
        Product((Ramp(0.25, 0.5, 1.0, 5), b)),
        Product((b, Ramp(0.25, 0.5, 1.0, 5))),
        Product((Ramp(0.75, 0.5, 1.0, 7), OneCycle((4.0, 11.0), (0.1, 0.9, 0.3), "linear"))),
        Product((a, b, 0.5)),
        MultiStep(0.5, (2.0, 4.0), 0.5),
        MultiStep(0.75, (1.0, 3.0, 6.0), 0.5),
        Cyclic(0.1, 0.9, 3.0, 4.0, "triangular"),
        Cyclic(0.2, 0.8, 4.0, 3.0, "exp_range", 0.75),
        Cyclic(0.3, 0.7, 4.0, 3.0, "exp_range", 0.5),
        Join((a, 0.5), (3,)),
        Join((0.25, a, b), (2, 5)),
        parse("0.5 ** t"),
        parse("0.25 ** (t + 1)"),
    ]
    scheduler = ParamScheduler(made("AdamW", groups=len(curves)), {"lr": curves})
    for t in range(STEPS):
        want = [float(np.ravel(curve(np.array([float(t)])))[0]) for curve in curves]
        assert scheduler.get_last_lr() == pytest.approx(want, rel=1e-15)
        scheduler.step()


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("SGD", ["lr", "momentum", "dampening", "weight_decay"]),
        ("Adam", ["lr", "beta1", "beta2", "eps", "weight_decay"]),
        ("AdamW", ["lr", "beta1", "beta2", "eps", "weight_decay"]),
    ],
)
def test_the_names_are_those_of_the_options(kind: str, names: list[str]) -> None:
    # Neither flags (nesterov, maximize, amsgrad) nor what is made of a number (debias1, fresh).
    with pytest.raises(ValueError, match="'rate' is no number of this optimizer") as error:
        ParamScheduler(made(kind), {"rate": 0.1})
    assert str(error.value).endswith("there are: " + ", ".join(names))
    for other in ("nesterov", "maximize", "amsgrad", "debias1", "fresh", "params", "betas"):
        with pytest.raises(ValueError, match=f"'{other}' is no number"):
            ParamScheduler(made(kind), {other: 0.1})


@pytest.mark.parametrize(
    ("kind", "options", "names"),
    [
        ("SGD", {"momentum": 0.9}, ["lr", "momentum", "dampening", "weight_decay"]),
        ("AdamW", {}, ["lr", "beta1", "beta2", "eps", "weight_decay"]),
        ("RMSprop", {"momentum": 0.5}, ["lr", "momentum", "alpha", "eps", "weight_decay"]),
        ("Rprop", {}, ["lr", "eta1", "eta2", "step_size1", "step_size2"]),
    ],
)
def test_an_optimizer_of_torch_has_the_same_numbers(
    kind: str, options: Any, names: list[str]
) -> None:
    make = getattr(torch.optim, kind)
    twins = [torch.ones(3, requires_grad=True), torch.ones(3, requires_grad=True)]
    ours, theirs = (make([p], **options) for p in twins)
    curves = dict(zip(names, [Product((0.5, curve)) for curve in CURVES], strict=False))
    scheduler = ParamScheduler(ours, curves)
    for t in range(STEPS):
        group = theirs.param_groups[0]
        for name, curve in curves.items():
            # Of an array: the power of one number may differ in the last place.
            value, key = float(np.ravel(curve(np.array([float(t)])))[0]), name
            if name[-1] in "12":
                key, i = name[:-1] + "s", int(name[-1]) - 1
                value = tuple(value if j == i else v for j, v in enumerate(group[key]))  # type: ignore[assignment]
            group[key] = value
        assert ours.param_groups[0] == {**group, "params": ours.param_groups[0]["params"]}
        for p, optimizer in zip(twins, (ours, theirs), strict=True):
            p.grad = torch.full((3,), 0.1)
            optimizer.step()
        scheduler.step()
    assert torch.equal(*twins)


def test_tensors_are_written_in_place() -> None:
    p = torch.ones(3, requires_grad=True)
    options: dict[str, Any] = {"lr": torch.tensor(0.1), "capturable": False}
    optimizer = torch.optim.Adam([p], **options, foreach=False)
    group = optimizer.param_groups[0]
    group["betas"] = (torch.tensor(0.5), torch.tensor(0.6))
    rate, beta = group["lr"], group["betas"][1]
    scheduler = ParamScheduler(optimizer, {"lr": CURVES[0], "beta2": CURVES[1]})
    scheduler.step()
    assert group["lr"] is rate and group["betas"][1] is beta
    assert (float(rate), float(beta)) == pytest.approx((CURVES[0](1), CURVES[1](1)), rel=1e-6)


def test_bare_groups_have_the_names_of_their_numbers() -> None:
    target = HostTarget("Adam", [{"lr": 0.1, "depth": 3, "initial_lr": 0.1, "name": "x"}])
    scheduler = ParamScheduler(target.optimizer, {"depth": Ramp(4.0, 0.0, 1.0, 4), "beta1": 0.25})
    scheduler.step()
    assert target.groups[0]["depth"] == 1.0 and target.groups[0]["betas"] == (0.25, 0.999)
    with pytest.raises(ValueError, match=r"there are: lr, beta1, beta2, depth$"):
        ParamScheduler(target.optimizer, {"initial_lr": 0.1})


def test_none_leaves_a_group_alone(place: Place) -> None:
    optimizer = made("AdamW", place, 3, weight_decay=0.125)
    scheduler = ParamScheduler(
        optimizer, {"weight_decay": [CURVES[0], None, CURVES[3]], "beta1": [None, None, CURVES[1]]}
    )
    for t in range(4):
        rows = optimizer.read_hyperparameters()
        assert bits(rows["weight_decay"][0]) == float32_bits(exact(CURVES[0], t))
        assert rows["weight_decay"][1] == 0.125 + t
        assert rows["beta1"].tolist()[:2] == [np.float32(0.9)] * 2
        assert bits(rows["beta1"][2]) == float32_bits(exact(CURVES[1], t))
        update(optimizer)
        scheduler.step()
        optimizer.param_groups[1]["weight_decay"] += 1.0
        assert scheduler.get_last()["weight_decay"][1] == 1.125 + t
    assert (scheduler.preview(2)["weight_decay"][:, 1] == 4.125).all()


def counted(scheduler_of: Any, groups: int, steps: int) -> tuple[list[int], list[int]]:
    """Return the structures of each plan, and how many there were until each step."""
    optimizer = made("AdamW", "cpu", groups)
    plans: list[int] = []
    plan = optimizer._backend.plan

    def planned(new: planning.Plan) -> None:
        plans.append(len(planning.batches(new.jobs)))
        plan(new)

    optimizer._backend.plan = planned
    scheduler, made_by = scheduler_of(optimizer), []
    for _ in range(steps):
        update(optimizer)
        made_by.append(len(plans))
        scheduler.step()
    return plans, made_by


def test_one_dispatch_per_structure() -> None:
    """A refill dispatches once per batch of jobs: 40 groups of two structures add two batches."""
    plain, _ = counted(lambda o: ParamScheduler(o, {"lr": 0.1}), 40, 1)
    curves = [
        Cosine(0.9, 0.1, 10.0 + i) if i % 2 else Ramp(0.5, 0.1 + i, 1.0, 9) for i in range(40)
    ]
    plans, made_by = counted(lambda o: ParamScheduler(o, {"lr": curves}), 40, 60)
    assert plans == [plain[0] + 2] * len(plans)
    assert len(plans) <= 3 and made_by[3:] == [made_by[3]] * len(made_by[3:])


def test_a_step_uploads_nothing(device: vk.Device) -> None:
    optimizer = made("AdamW", device.info.index, len(CURVES))
    scheduler = ParamScheduler(optimizer, {"lr": CURVES, "beta1": CURVES, "weight_decay": 0.1})
    up = []
    for _ in range(STEPS):
        before = device.counters.bytes_up
        update(optimizer)
        up.append(device.counters.bytes_up - before)
        scheduler.step()
    assert set(up[3:]) == {min(up)}, up


# --- Functions that cannot be traced --------------------------------------------------------------


def test_a_function_is_asked_a_window_ahead(place: Place) -> None:
    """Any Python; one upload per 256 steps, and every value is exactly what it gave."""
    asked: list[Any] = []

    def rate(t: int) -> float:
        asked.append(t)
        return 0.1 if t < 3 else math.sin(t) ** 2 / 7

    optimizer = made("SGD", place)
    scheduler = ParamScheduler(
        optimizer, {"lr": Product((Constant(0.5), Join((Function(rate), 0.25), (400,))))}
    )
    plans = []
    plan = optimizer._backend.plan
    optimizer._backend.plan = lambda new: (plans.append(scheduler.last_epoch), plan(new))[1]
    asked.clear()
    for t in range(600):
        want = 0.5 * (0.25 if t >= 400 else 0.1 if t < 3 else math.sin(t) ** 2 / 7)
        assert scheduler.get_last_lr() == [want, want]
        if t < 20 or 250 < t < 270 or 390 < t < 520:
            assert (optimizer.read_hyperparameters()["lr"] == np.float32(want)).all(), t
        update(optimizer)
        scheduler.step()
    assert sorted({t for t in plans if t > 2}) == [256, 512]
    assert max(asked) < 768 and all(type(t) is int for t in asked)


@pytest.mark.alike
@pytest.mark.parametrize(
    "function",
    [
        "0.5 * 0.5**t if t < 2 else 0.5 ** (t + 1)",
        lambda t: [0.5, 0.25, 0.125, 0.0625][t],
        lambda t: {0: 0.5, 1: 0.25, 2: 0.125, 3: 0.0625}[t],
        lambda t: 0.5 if t in {0} else 0.25 if t in {1} else 0.125 if t == 2 else 0.0625,
        lambda t: {0: 0.5, 1: 0.25, 2: 0.125}.get(t, 0.0625),
        lambda t: np.float32(0.5) * 2.0 ** -int(t),
        lambda t: torch.tensor(0.5) * 2.0**-t,
        lambda t: 0.5**t * np.where(t > 1, 0.5, 0.5),
    ],
)
def test_functions_of_all_kinds(function: Any, place: Place) -> None:
    optimizer = made("AdamW", place)
    scheduler = ParamScheduler(optimizer, {"lr": function})
    for t in range(4):
        assert scheduler.get_last_lr() == [2.0 ** (-1 - t)] * 2
        assert optimizer.read_hyperparameters()["lr"].tolist() == [2.0 ** (-1 - t)] * 2
        update(optimizer)
        if t < 3:
            assert scheduler.preview(4 - t)["lr"][:, 0].tolist() == [
                2.0 ** (-1 - s) for s in range(t, 4)
            ]
            scheduler.step()


def test_a_function_is_asked_at_fractional_steps_too() -> None:
    scheduler = ParamScheduler(made("SGD"), {"lr": lambda t: math.sin(t) ** 2})
    state = scheduler.state_dict()
    for t in (2.5, 3, 0.25, 17.25, 300):
        scheduler.load_state_dict({**state, "last_epoch": t})
        for step in (t, t + 1):
            assert scheduler.get_last_lr() == [math.sin(step) ** 2] * 2
            scheduler.step()


def test_an_error_of_a_function_comes_at_its_own_step() -> None:
    optimizer = made("SGD")
    table = [0.5, 0.25, 0.125]
    scheduler = ParamScheduler(optimizer, {"lr": lambda t: table[t], "momentum": CURVES[0]})
    scheduler.step()
    scheduler.step()
    unchanged(scheduler, IndexError, "list index out of range", scheduler.step)
    table.append(0.0625)
    scheduler.step()
    assert scheduler.get_last_lr() == [0.0625] * 2


@pytest.mark.parametrize("value", [math.nan, math.inf, "x", None, 1j, 1e39])
def test_a_function_must_give_a_number(value: Any) -> None:
    scheduler = ParamScheduler(made("SGD"), {"lr": lambda t: 0.5 if t < 2 else value})
    scheduler.step()
    kind = ValueError if isinstance(value, float) else TypeError
    unchanged(scheduler, kind, "lr of param_groups.0. at step 2", scheduler.step)
