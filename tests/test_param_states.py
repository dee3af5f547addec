"""ParamScheduler: conflicts, rules, added groups, states in every order, and bad input."""

from __future__ import annotations

import copy
import gc
import json
import math
from collections.abc import Callable
from itertools import permutations
from typing import Any

import numpy as np
import pytest
import torch
from param_cases import CURVES, Place, made, unchanged, update
from targets import GrillyTarget, HostTarget, TorchTarget
from truth import exact, float32_bits

from grilly.errors import StateError
from grilly.optim import ParamScheduler
from grilly.optim.lr_scheduler import ChainedScheduler, ExponentialLR, SequentialLR, StepLR
from grilly.rules import Multiplicative, Plateau
from grilly.schedules import Constant, Cosine, End, Function, Join, Product, Ramp, Shift

TARGETS = {
    "bare": HostTarget,
    "torch": TorchTarget,
    "grilly": GrillyTarget,
}


# Bare groups hold what is put into them.
GROUPS = [{"lr": 0.1 * i, "eps": 1e-8, "weight_decay": 0.01} for i in (1, 2)]


# --- Two that write -------------------------------------------------------------------------------


def test_two_that_write_one_number_are_refused() -> None:
    optimizer = made("AdamW", groups=3)
    first = ParamScheduler(optimizer, {"lr": [0.1, None, 0.1], "beta1": 0.5})
    before = copy.deepcopy(optimizer.state_dict())
    text = (
        r"^lr of param_groups\[2\] is written by <ParamScheduler of lr, beta1 at step 0> already, "
        r"so <ParamScheduler of eps, lr at step -1> cannot write it: close\(\) the other one"
    )
    with pytest.raises(ValueError, match=text):
        ParamScheduler(optimizer, {"eps": 0.25, "lr": [None, 0.5, 0.5]})
    assert str(optimizer.state_dict()) == str(before)
    # Other numbers, other groups, another optimizer: no conflict.
    others = [
        ParamScheduler(optimizer, {"beta2": 0.5, "lr": [None, 0.5, None]}),
        ParamScheduler(made("AdamW"), {"lr": 0.1}),
    ]
    first.step()
    assert [group["lr"] for group in optimizer.param_groups] == [0.1, 0.5, 0.1]
    del others


def test_one_that_is_gone_or_closed_writes_no_more() -> None:
    optimizer = made("SGD")
    first = ParamScheduler(optimizer, {"lr": Ramp(0.5, 0.0, 1.0, 8)})
    del first
    gc.collect()
    second = ParamScheduler(optimizer, {"lr": Ramp(0.5, 0.0, 1.0, 4)})
    second.step()
    second.close()
    third = ParamScheduler(optimizer, {"lr": 0.25})
    for call in (second.step, lambda: second.load_state_dict(third.state_dict())):
        with pytest.raises(RuntimeError, match="<ParamScheduler of lr at step 1> is closed"):
            call()
    assert second.get_last_lr() == [0.125] * 2
    third.step()
    assert third.get_last_lr() == [0.25] * 2


def test_one_that_failed_is_no_conflict() -> None:
    optimizer = made("SGD")
    with pytest.raises(ValueError, match="finite number, got nan") as error:
        ParamScheduler(optimizer, {"lr": lambda t: math.nan if t < 1 else 0.5, "momentum": 0.5})
    ParamScheduler(optimizer, {"lr": 0.5})
    assert "lr of param_groups[0] at step 0" in str(error.value)


def test_groups_that_two_objects_share_conflict() -> None:
    optimizer = made("SGD")
    wrapped = type("Wrapped", (), {"param_groups": optimizer.param_groups})()
    first = ParamScheduler(optimizer, {"lr": 0.1})
    with pytest.raises(ValueError, match="is written by"):
        ParamScheduler(wrapped, {"lr": 0.1})
    del first


def test_of_a_scheduler_with_torchs_name_the_last_writer_wins(place: Place) -> None:
    """And the other sees a hand edit: StepLR multiplies what the ParamScheduler wrote."""
    optimizer = made("SGD", place)
    half_way = CURVES[5]
    assert bits(half_way(0)) != float32_bits(exact(half_way, 0))  # so the formula is seen
    ours = ParamScheduler(optimizer, {"lr": half_way})
    theirs = StepLR(optimizer, step_size=2, gamma=0.5)
    rates = [float(half_way(0))]
    for t in range(1, 8):
        update(optimizer)
        ours.step()
        assert bits(optimizer.read_hyperparameters()["lr"][0]) == float32_bits(exact(half_way, t))
        theirs.step()
        rates.append(optimizer.param_groups[0]["lr"])
        assert optimizer.read_hyperparameters()["lr"][0] == np.float32(rates[-1])
    want = [float(half_way(t)) * (0.5 if t and t % 2 == 0 else 1.0) for t in range(8)]
    assert rates == pytest.approx(want, rel=1e-12)


def test_a_hand_edit_lasts_until_the_next_step(place: Place) -> None:
    optimizer = made("AdamW", place)
    scheduler = ParamScheduler(optimizer, {"beta1": CURVES[0], "lr": 0.5})
    for t in range(1, 5):
        optimizer.param_groups[0]["betas"] = (0.125, 0.75)
        optimizer.param_groups[1]["lr"] = 0.0625
        rows = optimizer.read_hyperparameters()
        assert rows["beta1"][0] == 0.125 and rows["lr"].tolist() == [0.5, 0.0625]
        assert bits(rows["beta1"][1]) == float32_bits(exact(CURVES[0], t - 1))
        update(optimizer)
        scheduler.step()
        rows = optimizer.read_hyperparameters()
        assert [bits(b) for b in rows["beta1"]] == [float32_bits(exact(CURVES[0], t))] * 2
        assert rows["beta2"][0] == 0.75 and rows["lr"].tolist() == [0.5, 0.5]


def test_sequences_and_chains_refuse_it() -> None:
    optimizer = made("SGD")
    scheduler: Any = ParamScheduler(optimizer, {"momentum": 0.5})
    other = ExponentialLR(optimizer, 0.5)
    with pytest.raises(TypeError, match=r"at index 1: its values are absolute.*join or multiply"):
        SequentialLR(optimizer, [other, scheduler], [3])
    with pytest.raises(TypeError, match="at index 0: its values are absolute"):
        ChainedScheduler([scheduler, other])


def bits(value: Any) -> int:
    return int(np.float32(value).view(np.uint32))


# --- Rules ----------------------------------------------------------------------------------------


def test_a_rule_after_a_warm_up_per_group(place: Place) -> None:
    """The metric of a step counts where the rule has had its say at that step."""
    optimizer = made("AdamW", place)
    plateau = Plateau(0.5, factor=0.5, patience=0)
    trees = [Join((Ramp(0.5, 0.0, 1.0, steps=4), plateau), (4,)), Product((0.5, plateau))]
    scheduler = ParamScheduler(optimizer, {"lr": trees, "eps": 0.25})
    assert json.loads(json.dumps(scheduler.state_dict())) == scheduler.state_dict()
    seen = [scheduler.get_last_lr()]
    losses = [8.0, 9.0, 9.0, 7.0, 7.0, 6.0, 7.0, 5.0]
    for loss in losses:
        update(optimizer)
        scheduler.step(loss)
        seen.append(scheduler.get_last_lr())
        assert optimizer.read_hyperparameters()["lr"].tolist() == seen[-1]
    # The second group's plateau sees all: bad are 9, 9, the second 7 and the third one.
    assert [b for _, b in seen] == [0.25] * 2 + [0.125, 0.0625, 0.0625, 0.03125, 0.03125] + [
        0.015625
    ] * 2
    # The first one's begins with the loss of step 4, a 7.
    assert [a for a, _ in seen] == [0.0, 0.125, 0.25, 0.375, 0.5, 0.5, 0.5, 0.25, 0.25]


def test_a_rule_is_equal_to_torchs_plateau() -> None:
    p = torch.ones(1, requires_grad=True)
    theirs = torch.optim.SGD([p], lr=0.5)
    twin = torch.optim.lr_scheduler.ReduceLROnPlateau(theirs, factor=0.3, patience=2, cooldown=1)
    ours = torch.optim.SGD([p], lr=0.1)
    scheduler = ParamScheduler(ours, {"lr": Plateau(0.5, factor=0.3, patience=2, cooldown=1)})
    rng = np.random.default_rng(3)
    for loss in rng.random(60):
        scheduler.step(float(loss))
        twin.step(float(loss))
        assert ours.param_groups[0]["lr"] == theirs.param_groups[0]["lr"]
    assert ours.param_groups[0]["lr"] < 1e-3


def test_a_rule_without_a_metric_moves_at_every_step() -> None:
    scheduler = ParamScheduler(
        made("SGD"), {"lr": Product((0.5, Multiplicative(lambda t: 0.5 if t % 2 else 1.0)))}
    )
    seen = []
    for _ in range(5):
        seen.append(scheduler.get_last_lr()[0])
        scheduler.step()
    assert seen == [0.5, 0.25, 0.25, 0.125, 0.125]
    ahead = scheduler.preview(3)["lr"]
    assert ahead.tolist() == [[0.0625] * 2, [0.0625] * 2, [0.03125] * 2]
    assert scheduler.last_epoch == 5 and scheduler.get_last_lr() == [0.0625] * 2


def test_a_preview_moves_rules_that_need_no_metric_alone() -> None:
    plateau = Plateau(1.0, factor=0.5, patience=0)
    tree = Join((1.0, Product((Multiplicative(0.5), plateau))), (2,))
    scheduler = ParamScheduler(made("SGD"), {"lr": [tree, None], "momentum": CURVES[0]})
    scheduler.step(1.0)
    before = scheduler.state_dict()
    ahead = scheduler.preview(5)
    assert ahead["lr"][:, 0].tolist() == [1.0, 1.0, 0.5, 0.25, 0.125]
    assert scheduler.state_dict() == before
    np.testing.assert_allclose(ahead["momentum"][:, 1], CURVES[0](np.arange(1.0, 6.0)), 1e-14)
    for loss in range(5):  # a metric that gets worse and worse: all cut but the first
        assert scheduler.get_last_lr()[0] == ahead["lr"][loss, 0] * 0.5 ** max(0, loss - 2)
        scheduler.step(float(loss))


def test_a_preview_goes_as_far_as_the_schedule() -> None:
    tree = End(CURVES[0], 12, "error")
    scheduler = ParamScheduler(made("SGD"), {"lr": [0.5, tree]})
    for _ in range(3):
        scheduler.step()
    assert scheduler.preview(9)["lr"].shape == (9, 2)
    text = r"lr of param_groups\[1\]: the schedule ends at step 11, which leaves 9 steps, got 10"
    unchanged(scheduler, ValueError, text, lambda: scheduler.preview(10))


def test_a_rule_beside_a_function_that_cannot_be_traced(place: Place) -> None:
    optimizer = made("SGD", place)
    asked: list[int] = []

    def halves(t: int) -> float:
        asked.append(t)
        return 0.5 if t < 3 else 0.25

    tree = Product((Function(halves), Plateau(1.0, factor=0.5, patience=0)))
    scheduler = ParamScheduler(optimizer, {"lr": tree})
    seen = [scheduler.get_last_lr()[0]]
    for loss in [3.0, 2.0, 2.0, 1.0, 1.0]:
        update(optimizer)
        scheduler.step(loss)
        seen.append(scheduler.get_last_lr()[0])
        assert optimizer.read_hyperparameters()["lr"].tolist() == [seen[-1]] * 2
    assert seen == [0.5, 0.5, 0.5, 0.125, 0.125, 0.0625]
    assert len(asked) < 4 * 256  # anew only where the rule has cut


def test_metrics_that_are_missing_or_for_nobody() -> None:
    scheduler = ParamScheduler(made("SGD"), {"lr": Join((0.5, Plateau(0.25)), (1,))})
    scheduler.step()
    unchanged(scheduler, TypeError, r"Plateau at phases\[1\] needs a metric", scheduler.step)
    unchanged(scheduler, ValueError, "metrics must be finite", lambda: scheduler.step(math.nan))
    scheduler.step(1.0)
    plain = ParamScheduler(made("SGD"), {"lr": 0.5})
    unchanged(plain, ValueError, "metrics=3 is for a rule, and no schedule", lambda: plain.step(3))


@pytest.mark.parametrize("given", [Plateau(0.5), CURVES[0]], ids=["rule", "none"])
def test_a_metric_is_no_text(given: Any) -> None:
    scheduler = ParamScheduler(made("SGD"), {"lr": given})
    text = "metrics must be a number, got '1'"
    unchanged(scheduler, TypeError, text, lambda: scheduler.step("1"))


def test_a_metric_may_be_part_of_a_graph() -> None:
    scheduler = ParamScheduler(made("SGD"), {"lr": Plateau(0.5, patience=0)})
    loss = torch.ones(1, requires_grad=True) * 2.0
    for _ in range(2):
        scheduler.step(loss)  # a warning would be an error here
    assert scheduler.get_last_lr() == [float(Plateau(0.5).factor) * 0.5] * 2


def test_the_metric_is_judged_once_for_equal_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    update_of = Plateau.update
    monkeypatch.setattr(Plateau, "update", lambda *a: (calls.append(a), update_of(*a))[1])
    optimizer = made("SGD", groups=50)
    scheduler = ParamScheduler(optimizer, {"lr": Plateau(0.5)})
    for _ in range(3):
        scheduler.step(1.0)
    state = json.loads(json.dumps(scheduler.state_dict()))
    scheduler.load_state_dict(state)
    scheduler.step(1.0)
    assert len(calls) == 4


# --- Added groups ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", TARGETS)
def test_an_added_group_follows_what_is_for_all(kind: str) -> None:
    target = TARGETS[kind]("AdamW", [{"lr": 0.1}])
    scheduler = ParamScheduler(
        target.optimizer, {"lr": CURVES[0], "beta1": Plateau(0.5, patience=0)}
    )
    for loss in (1.0, 2.0):
        scheduler.step(loss)
    target.add({"lr": 0.25})
    assert scheduler.get_last_lr() == [float(CURVES[0](2)), 0.25]
    assert scheduler.preview(3)["lr"].shape == (3, 2)
    scheduler.step(1.0)
    assert scheduler.get_last_lr() == [float(CURVES[0](3))] * 2
    assert [round(b, 12) for b in scheduler.get_last()["beta1"]] == [0.005, 0.5]
    held = target.held("lr")
    assert held is None or [*map(bits, held)] == [float32_bits(exact(CURVES[0], 3))] * 2


def test_an_added_group_beside_a_list_is_an_error() -> None:
    target = HostTarget("SGD", [{"lr": 0.1}])
    scheduler = ParamScheduler(target.optimizer, {"lr": [CURVES[0]], "momentum": 0.5})
    target.add({"lr": 0.25})
    text = r"schedules\['lr'\] has 1 schedules, but the optimizer 2 groups: append an added group's"
    with pytest.raises(ValueError, match=text):
        scheduler.step()
    assert scheduler.last_epoch == 0 and target.groups[1]["lr"] == 0.25
    scheduler.schedules["lr"].append(None)
    scheduler.step()
    assert target.groups[1]["lr"] == 0.25 and scheduler.last_epoch == 1
    scheduler.schedules["lr"][1] = 0.75
    scheduler.step()
    assert target.groups[1]["lr"] == 0.75 and scheduler.last_epoch == 2


# --- States ---------------------------------------------------------------------------------------

SCHEDULES: dict[str, Callable[[], dict[str, Any]]] = {
    "closed": lambda: {"lr": CURVES[0], "beta1": [CURVES[1], None], "weight_decay": CURVES[3]},
    "rules": lambda: {
        "lr": [Product((CURVES[0], Plateau(1.0, factor=0.5, patience=0))), CURVES[2]],
        "beta2": Plateau(0.5, factor=0.5, patience=1),
    },
    "functions": lambda: {"lr": lambda t: 0.5 / (t + 1) if t < 6 else 0.01 * t, "eps": CURVES[2]},
}
AT = 9


def run(target: Any, scheduler: ParamScheduler, steps: range) -> list[Any]:
    seen = []
    for t in steps:
        held = {name: target.held(name) for name in ("lr", "beta1", "beta2", "eps")}
        groups = [{k: v for k, v in g.items() if k != "params"} for g in target.groups]
        seen.append((groups, scheduler.get_last(), str(held)))
        target.step()
        scheduler.step(*([float(t % 3)] if "rules" in scheduler.state_dict() else []))
    return seen


# What a program does to go on: it makes and loads an optimizer and a scheduler in any order.
ORDERS = [
    order
    for order in permutations(["load optimizer", "make scheduler", "load scheduler"])
    if order.index("make scheduler") < order.index("load scheduler")
]


@pytest.mark.parametrize("order", ORDERS, ids=[", ".join(order) for order in ORDERS])
@pytest.mark.parametrize("schedules", SCHEDULES)
@pytest.mark.parametrize("kind", TARGETS)
def test_a_resumed_run_goes_on_exactly(kind: str, schedules: str, order: tuple[str, ...]) -> None:
    first = TARGETS[kind]("AdamW", GROUPS)
    scheduler = ParamScheduler(first.optimizer, SCHEDULES[schedules]())
    run(first, scheduler, range(AT))
    saved = first.save(), json.dumps(scheduler.state_dict())
    want = run(first, scheduler, range(AT, AT + 12))
    if schedules == "closed":
        assert len(saved[1]) < 300
    target = TARGETS[kind]("AdamW", GROUPS)
    for action in order:
        if action == "load optimizer":
            target.load(saved[0])
        elif action == "make scheduler":
            new = ParamScheduler(target.optimizer, SCHEDULES[schedules]())
        else:
            new.load_state_dict(json.loads(saved[1]))
    assert run(target, new, range(AT, AT + 12)) == want


def test_a_state_is_loaded_on_every_device(place: Place) -> None:
    optimizer = made("AdamW", place)
    scheduler = ParamScheduler(optimizer, {"lr": CURVES[0], "beta1": CURVES[4]})
    state = {**scheduler.state_dict(), "last_epoch": 2**40 + 7}
    scheduler.load_state_dict(state)
    for t in range(2**40 + 7, 2**40 + 10):
        rows = optimizer.read_hyperparameters()
        for name, curve in (("lr", CURVES[0]), ("beta1", CURVES[4])):
            assert [*map(bits, rows[name])] == [float32_bits(exact(curve, t))] * 2
        update(optimizer)
        scheduler.step()


def test_last_epoch_begins_in_the_middle() -> None:
    scheduler = ParamScheduler(made("SGD"), {"lr": Ramp(0.5, 0.0, 1.0, 8)}, last_epoch=3)
    assert scheduler.last_epoch == 4 and scheduler.get_last_lr() == [0.25] * 2
    assert scheduler.preview(2)["lr"].tolist() == [[0.25] * 2, [0.3125] * 2]
    assert scheduler.preview(0)["lr"].shape == (0, 2)


def test_a_preview_is_what_comes_and_changes_nothing() -> None:
    scheduler = ParamScheduler(made("AdamW"), SCHEDULES["functions"]() | {"beta1": CURVES[1]})
    scheduler.step()
    before = scheduler.state_dict(), scheduler.get_last()
    ahead = scheduler.preview(700)
    assert (scheduler.state_dict(), scheduler.get_last()) == before
    assert all(v.dtype == np.float64 and v.shape == (700, 2) for v in ahead.values())
    for t in range(700):
        assert scheduler.get_last() == {name: v[t].tolist() for name, v in ahead.items()}
        scheduler.step()


BAD_STATES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "none": (lambda s: None, "must be a dict"),
    "empty": (lambda s: {}, 'must be a dict with "last_epoch"'),
    "unknown": (lambda s: {**s, "base_lrs": [1]}, r"not ParamScheduler's: \['base_lrs'\]"),
    "epoch": (lambda s: {**s, "last_epoch": "3"}, "epoch must be a number, got '3'"),
    "far": (lambda s: {**s, "last_epoch": 2.0**54}, r"epoch must be within 2\^53"),
    "nan": (lambda s: {**s, "last_epoch": math.nan}, "epoch must be finite"),
    "below": (lambda s: {**s, "last_epoch": -1}, "last_epoch must be at least 0, got -1"),
    "past": (lambda s: {**s, "last_epoch": 50}, "schedule ends at step 39, step 50 is past it"),
    "other": (
        lambda s: {**s, "schedules": {"lr": "0" * 16}},
        "the schedule of 'lr' is not the one that was saved; to go on with the new one remove",
    ),
    "names": (lambda s: {**s, "schedules": {"eps": None}}, r"schedules are of \['beta1', 'lr'\]"),
    "bare": (lambda s: {"last_epoch": 6}, r'"rules" must have .* rules of \[.lr.\], which are'),
    "no rules": (lambda s: {**s, "rules": {}}, r"the rules of \['lr'\], which are missing"),
    "no groups": (lambda s: {**s, "rules": {"lr": []}}, r"rules of \['lr'\], which are missing"),
    "range": (
        lambda s: {
            **s,
            "rules": {
                "lr": [{"members[1]": {**x["members[1]"], "value": -5.0}} for x in s["rules"]["lr"]]
            },
        },
        "does not fit Plateau: the value must be from 0 to inf, got -5.0",
    ),
    "rules": (lambda s: {**s, "rules": []}, r"rules are of \['beta1', 'lr'\], got \[\]"),
    "rule": (lambda s: {**s, "rules": {"lr": [{}, {}]}}, r"keys \['members\[1\]'\], got {}"),
    "count": (
        lambda s: {**s, "rules": {"lr": [*s["rules"]["lr"], {}]}},
        r"rules\['lr'\] must be 2 states",
    ),
    "value": (
        lambda s: {
            **s,
            "rules": {
                "lr": [{"members[1]": {**x["members[1]"], "value": "1"}} for x in s["rules"]["lr"]]
            },
        },
        "does not fit Plateau: '1'",
    ),
}


@pytest.mark.parametrize("name", BAD_STATES)
def test_a_bad_state_changes_nothing(name: str) -> None:
    spoil, match = BAD_STATES[name]
    tree = Product((End(CURVES[0], 40, "error"), Plateau(1.0)))
    scheduler = ParamScheduler(made("AdamW"), {"lr": tree, "beta1": CURVES[1]})
    scheduler.step(1.0)
    state = scheduler.state_dict()
    unchanged(scheduler, StateError, match, lambda: scheduler.load_state_dict(spoil(state)))
    scheduler.step(1.0)


@pytest.mark.parametrize("names", [("text", "function"), ("function", "text")])
def test_a_function_is_no_text(names: tuple[str, str]) -> None:
    given: dict[str, Any] = {"text": "0.5**t", "function": lambda t: 0.5**t}
    old, new = (ParamScheduler(made("SGD"), {"lr": given[name]}) for name in names)
    state = old.state_dict()
    unchanged(new, StateError, "the schedule of 'lr' is not", lambda: new.load_state_dict(state))
    old.load_state_dict(state)
    del state["schedules"]
    new.load_state_dict(state)


def test_a_changed_schedule_is_noticed_unless_that_is_wanted() -> None:
    old = ParamScheduler(made("SGD"), {"lr": Cosine(0.5, 0.0, 10), "momentum": Shift(CURVES[0], 2)})
    old.step()
    state = old.state_dict()
    new = ParamScheduler(made("SGD"), {"lr": Cosine(0.5, 0.0, 20), "momentum": Shift(CURVES[0], 2)})
    unchanged(new, StateError, "the schedule of 'lr'", lambda: new.load_state_dict(state))
    del state["schedules"]
    new.load_state_dict(state)
    assert new.get_last_lr() == [float(Cosine(0.5, 0.0, 20)(1))] * 2


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (CURVES[0], [CURVES[0], CURVES[0]], True),
        ([CURVES[0], CURVES[0]], CURVES[0], True),
        ([CURVES[0], CURVES[1]], CURVES[0], False),
        ([CURVES[0], None], CURVES[0], False),
        ([CURVES[0], CURVES[1]], [CURVES[1], CURVES[0]], False),
    ],
)
def test_one_for_all_groups_is_the_same_as_a_list_of_it(one: Any, other: Any, same: bool) -> None:
    state = ParamScheduler(made("SGD"), {"lr": one}).state_dict()
    new = ParamScheduler(made("SGD"), {"lr": other})
    if same:
        new.load_state_dict(state)
        assert new.state_dict() == state
    else:
        unchanged(new, StateError, "the schedule of 'lr'", lambda: new.load_state_dict(state))


@pytest.mark.parametrize(
    ("given", "want"),
    [(np.int64(3), 4), (np.int8(127), 128), (np.float32(2.5), 3.5), (np.float64(3), 4.0)],
)
def test_a_step_of_numpys_becomes_a_plain_number(given: Any, want: float) -> None:
    scheduler = ParamScheduler(made("SGD"), {"lr": CURVES[0]}, last_epoch=given)
    assert scheduler.last_epoch == want and type(scheduler.last_epoch) is type(want)
    scheduler.load_state_dict({"last_epoch": given})
    for t in (want - 1, want, want + 1):
        assert json.loads(json.dumps(scheduler.state_dict()))["last_epoch"] == t
        assert type(scheduler.last_epoch) is type(want)
        scheduler.step()


# --- Bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schedules", "kind", "match"),
    [
        ({}, TypeError, "schedules must be a dict"),
        ([0.1], TypeError, "schedules must be a dict"),
        ({"lr": None}, TypeError, r"schedules\['lr'\] must be a schedule, a number, a text or"),
        ({"lr": "x"}, ValueError, "'x' is no name of a number"),
        ({"lr": [0.1, b"1"]}, TypeError, r"schedules\['lr'\]\[1\] must be a schedule"),
        ({"lr": [0.1]}, ValueError, r"schedules\['lr'\] has 1 schedules, but the optimizer 2"),
        ({"lr": [None, None]}, ValueError, r"schedules\['lr'\] is None for all groups: leave"),
        ({3: 0.1}, ValueError, "3 is no number of this optimizer"),
        ({"lr": math.nan}, ValueError, r"schedules\['lr'\] must be finite"),
        ({"beta1": 1.0}, ValueError, "Invalid beta parameter at index 0: 1.0"),
        ({"beta2": [0.5, -0.5]}, ValueError, "Invalid beta parameter at index 1: -0.5"),
        ({"eps": -1.0}, ValueError, "Invalid epsilon value: -1.0"),
        ({"lr": Ramp(1e39, 1.0, 1.0, 3)}, ValueError, "lr of param_groups.0. at step 0"),
    ],
)
def test_bad_schedules_change_nothing(schedules: Any, kind: Any, match: str) -> None:
    optimizer = made("AdamW")
    before = str(optimizer.state_dict())
    with pytest.raises(kind, match=match):
        ParamScheduler(optimizer, schedules)
    assert str(optimizer.state_dict()) == before
    ParamScheduler(optimizer, {"lr": 0.1, "beta1": 0.1, "beta2": 0.1, "eps": 0.1})


@pytest.mark.parametrize(
    ("name", "curve", "match"),
    [
        ("beta1", Ramp(0.5, 0.0, 4.0, steps=8), "beta1 of param_groups.1. at step 4: .*0: 1.0"),
        ("eps", Ramp(1.0, 1.0, -1.0, 6), "eps of param_groups.1. at step 4: .*epsilon value: -0.3"),
        ("lr", Product((Constant(1e30), Ramp(1e10, 0.0, 1.0, 100))), "param_groups.1. at step 4"),
        ("lr", lambda t: 0.5 if t < 4 else math.inf, "lr of param_groups.1. at step 4 must"),
        ("lr", End(CURVES[0], 4, "error"), "lr of param_groups.1.: the schedule ends at step 3"),
    ],
)
@pytest.mark.parametrize("kind", TARGETS)
def test_a_value_that_cannot_be_is_an_error_at_its_step(
    kind: str, name: str, curve: Any, match: str
) -> None:
    target = TARGETS[kind]("AdamW", GROUPS)
    scheduler = ParamScheduler(target.optimizer, {name: [0.5, curve], "weight_decay": CURVES[2]})
    for _ in range(3):
        scheduler.step()
    unchanged(scheduler, ValueError, match, scheduler.step)
    assert scheduler.last_epoch == 3


def test_negative_rates_are_as_in_a_group() -> None:
    scheduler = ParamScheduler(made("SGD"), {"lr": Ramp(1.0, 1.0, -1.0, 4)})
    for _ in range(4):
        scheduler.step()
    assert scheduler.get_last_lr() == [-1.0] * 2


@pytest.mark.parametrize("rule", [(), (Multiplicative(0.5),)])
@pytest.mark.parametrize("kind", TARGETS)
def test_a_group_that_lost_a_number(kind: str, rule: Any) -> None:
    target = TARGETS[kind]("AdamW", GROUPS)
    curve = Product((CURVES[0], *rule))
    scheduler = ParamScheduler(target.optimizer, {"lr": curve, "beta1": [0.5, None]})
    for _ in range(3):
        scheduler.step()
    betas = target.groups[0].pop("betas")
    target.groups[1].pop("betas")
    rates = [group["lr"] for group in target.groups]
    with pytest.raises(ValueError, match=r"param_groups\[0\] must have betas\[0\], got None"):
        scheduler.step()
    assert [group["lr"] for group in target.groups] == rates and scheduler.last_epoch == 3
    assert scheduler.get_last_lr() == rates
    target.groups[0]["betas"] = betas
    scheduler.step()
    assert "betas" not in target.groups[1] and scheduler.last_epoch == 4


def test_what_is_no_optimizer() -> None:
    with pytest.raises(TypeError, match="str is not an Optimizer"):
        ParamScheduler("x", {"lr": 0.1})
    with pytest.raises(ValueError, match="epoch must be finite"):
        ParamScheduler(made("SGD"), {"lr": 0.1}, last_epoch=math.inf)
    with pytest.raises(ValueError, match="last_epoch must be at least -1, got -2"):
        ParamScheduler(made("SGD"), {"lr": 0.1}, last_epoch=-2)
    with pytest.raises(TypeError, match="holds its optimizer: save its state_dict"):
        copy.deepcopy(ParamScheduler(made("SGD"), {"lr": 0.1}))
    with pytest.raises(ValueError, match="n must be at least 0, got -1"):
        ParamScheduler(made("SGD"), {"lr": 0.1}).preview(-1)
    for n in (2.5, True, "3"):
        with pytest.raises(TypeError, match="n must be an int, got "):
            ParamScheduler(made("SGD"), {"lr": 0.1}).preview(n)  # type: ignore[arg-type]
