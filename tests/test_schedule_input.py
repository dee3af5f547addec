"""What a user gives a schedule: arguments, steps and parts, and what an error then says."""

from __future__ import annotations

import inspect
import json
import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from grilly import optim, rules
from grilly.errors import TextError
from grilly.optim import lr_scheduler
from grilly.program import program
from grilly.schedules import (
    SHIPPED,
    Average,
    Clip,
    Constant,
    Cosine,
    Cyclic,
    Difference,
    EditedCosine,
    EditedRamp,
    End,
    Exponential,
    Function,
    Held,
    Interpolate,
    Join,
    Linear,
    MultiStep,
    Noam,
    OneCycle,
    PiecewiseConstant,
    Polynomial,
    Product,
    Quotient,
    Ramp,
    Sampled,
    Schedule,
    Shift,
    StepDecay,
    Stretch,
    Sum,
    WarmRestarts,
    WarmUp,
    join,
    parse,
    restarts,
)
from grilly.schedules.base import unchecked

RAMP = Linear(0.0, 1.0, 10)

# --- Arguments ------------------------------------------------------------------------------------

# A class, its arguments by name, and those of them that must be above 0.
NUMBERS: dict[type[Schedule], tuple[dict[str, Any], str]] = {
    Constant: ({"value": 0.1}, ""),
    StepDecay: ({"value": 0.1, "step_size": 3, "gamma": 0.5, "drops": 0}, "step_size"),
    Cosine: ({"high": 0.1, "low": 0.0, "period": 10}, "period"),
    EditedCosine: (
        {"high": 1, "low": 0, "period": 9, "edit": 0.5, "start": 3, "floor": 0, "end": 9},
        "period",
    ),
    WarmRestarts: ({"high": 0.1, "low": 0.0, "period": 10, "start": 0}, "period"),
    Cyclic: ({"low": 0.0, "high": 0.1, "up": 3, "down": 4, "gamma": 0.5}, "up down"),
    Held: ({"value": 0.1, "factor": 0.5, "end": 3, "over": 1.0}, ""),
    Ramp: ({"value": 0.1, "start": 0.5, "end": 1.0, "steps": 5}, "steps"),
    EditedRamp: ({"value": 0.1, "start": 0.5, "end": 1.0, "steps": 5, "since": 1}, "steps"),
    Polynomial: ({"value": 0.1, "steps": 5, "over": 4, "power": 2.0}, "steps over"),
}
FIELDS = [(kind, name) for kind, (numbers, _) in NUMBERS.items() for name in numbers]
ABOVE = [(kind, name) for kind, (_, names) in NUMBERS.items() for name in names.split()]
NO_NUMBERS = ["0.1", None, True, np.bool_(True), [0.1], np.array([0.1, 0.2]), 1j, np.complex128(1)]
NOT_FINITE = [math.nan, math.inf, -math.inf, np.float32(np.nan), 10**400]


@pytest.mark.parametrize(("kind", "name"), FIELDS)
def test_each_number_is_checked(kind: Any, name: str) -> None:
    numbers = NUMBERS[kind][0]
    assert math.isfinite(kind(**numbers)(1))
    for value in NO_NUMBERS:
        with pytest.raises(TypeError, match=rf"^{name} must be a number, got "):
            kind(**{**numbers, name: value})
    for value in NOT_FINITE:
        with pytest.raises(ValueError, match=rf"^{name} must be finite, got "):
            kind(**{**numbers, name: value})
    wanted = kind(**{**numbers, name: 2.0})(1)
    for value in (np.float32(2.0), np.int64(2), np.array(2.0), 2):  # float32 rounds
        assert kind(**{**numbers, name: value})(1) == pytest.approx(wanted, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize(("kind", "name"), ABOVE)
def test_steps_are_above_0(kind: Any, name: str) -> None:
    for value in (0, -1, -0.5):
        with pytest.raises(ValueError, match=rf"^{name} must be above 0, got {value}"):
            kind(**{**NUMBERS[kind][0], name: value})


WRONG: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "cosine": (lambda: OneCycle((1, 2), (1, 2, 3), "cosine"), ValueError, "^anneal .* cos, linear"),
    "Linear": (lambda: OneCycle((1, 2), (1, 2, 3), "Linear"), ValueError, "got 'Linear'"),
    "mode": (lambda: Cyclic(0, 1, 2, 2, "triangular_2"), ValueError, "^mode .* triangular2"),
    "gamma": (lambda: Cyclic(0, 1, 2, 2, gamma=-1), ValueError, "^gamma must be at least 0"),
    "over": (lambda: Held(1.0, 1.0, 3, over=0.0), ValueError, "^over .* must not be 0"),
    "fall": (lambda: OneCycle((5, 3), (1, 2, 3)), ValueError, r"^ends must not fall, got \(5, 3\)"),
    "no ends": (lambda: OneCycle((), (1,)), ValueError, "^ends must have at least 1"),
    "start": (lambda: OneCycle((0, 3), (1, 2, 3)), ValueError, r"^ends\[0\] must not be 0"),
    "few values": (lambda: OneCycle((1, 2), (1, 2)), ValueError, "^values .* 2 values and 2 ends"),
    "end": (lambda: OneCycle((1, "2"), (1, 2, 3)), TypeError, r"^ends\[1\] must be a number"),
    "value": (lambda: OneCycle((1, 2), (1, 2, math.nan)), ValueError, r"^values\[2\] .* finite"),
    "ends": (lambda: OneCycle(3, (1, 2)), TypeError, "^ends must be a list"),
    "a text": (lambda: OneCycle("12", (1, 2, 3)), TypeError, "^ends must be a list"),
    "join": (lambda: join([1, 2], [-1]), ValueError, r"^boundaries\[0\] must be at least 0"),
    "Join": (lambda: Join((1, 2), (-1,)), ValueError, r"^boundaries\[0\] must be at least 0"),
    "a row": (lambda: Linear(np.ones(2), 0.0, 5), TypeError, "^start must be a number"),
    "None": (lambda: Function(None), TypeError, "^call must be a function .*, got None$"),
    "a formula": (lambda: Function("0.1"), TypeError, r"^call .* got '0.1': write parse\(...\)"),
    "number": (lambda: Function(3), TypeError, "^call must be a function"),
    # Parts
    "member": (lambda: Sum((RAMP, None)), TypeError, r"^members\[1\] must be a schedule, .* None"),
    "phase": (lambda: Join((RAMP, True), (3,)), TypeError, r"^phases\[1\] must be a schedule"),
    "schedules": (lambda: join([RAMP, {}], [3]), TypeError, r"^schedules\[1\] must be a schedule"),
    "class": (lambda: join([RAMP, Cosine], [3]), TypeError, r"^schedules\[1\] must be a schedule"),
    "nan": (lambda: join([RAMP, math.nan], [3]), ValueError, r"^schedules\[1\] must be finite"),
    "one text": (lambda: Sum("t"), TypeError, "^members must be a list of schedules, got 't'"),
    "one": (lambda: join(RAMP, [3]), TypeError, "^schedules must be a list of schedules"),
    "no formula": (lambda: WarmUp("cosine", 5), TextError, "'cosine' is no name"),
    "shift": (lambda: Shift([], 1), TypeError, r"^schedule must be a schedule, .* got \[\]"),
    # Operators
    "times None": (lambda: RAMP * None, TypeError, "unsupported operand"),
    "None less": (lambda: None - RAMP, TypeError, "unsupported operand"),
    "array": (lambda: np.ones(3) * RAMP, TypeError, "operand"),
    "minimum": (lambda: np.minimum(RAMP, 0.5), TypeError, "np.minimum .*Clip"),
    "maximum": (lambda: np.maximum(0.5, RAMP), TypeError, "np.maximum .*Clip"),
    "clip": (lambda: np.clip(RAMP, 0, 0.5), TypeError, "Clip"),  # type: ignore[call-overload]
    "min": (lambda: min(RAMP, 0.5), TypeError, "Clip"),
    "max": (lambda: max(0.5, RAMP), TypeError, "Clip"),
    # Steps
    "step": (lambda: RAMP("a"), TypeError, "^t must be a number or an array .*, got 'a'"),
    "step of a number": (lambda: Constant(0.1)("a"), TypeError, "^t must be a number"),
    "step None": (lambda: Cosine(1.0, 0.0, 3)(None), TypeError, "^t must be .*, got None"),
    "named step": (lambda: RAMP(t="a"), TypeError, "^t must be a number"),
    "no step": (lambda: RAMP(), TypeError, "argument"),  # type: ignore[call-arg]
}


@pytest.mark.parametrize("name", WRONG)
def test_errors_name_what_was_seen(name: str) -> None:
    make, kind, text = WRONG[name]
    with pytest.raises(kind, match=text):
        make()


def test_what_is_at_the_edge_is_taken() -> None:
    assert OneCycle([1, 4], [0.0, 1.0, 0.5], "linear") == OneCycle(
        (1, 4), (0.0, 1.0, 0.5), "linear"
    )
    # Ends before the first step, as torch's OneCycleLR has them with a small pct_start.
    assert OneCycle((-0.6, -1.2, 9.0), (1.0, 2.0, 3.0, 4.0), "linear")(9) == 4.0
    assert OneCycle((4, 4), (0.0, 1.0, 0.5), "linear")(4) == 1.0
    assert join([1.0, 2.0], [0])(0) == 2.0
    assert Noam(1.0, warmup_steps=0, model_size=1)(0) == 1.0
    assert StepDecay(1.0, 1, gamma=-0.5)(1) == -0.5 and StepDecay(1.0, 1, gamma=0)(1) == 0.0
    assert Held(1.0, 0.5, end=0)(0) == 1.0
    assert Ramp(1.0, 1.0, -1.0, 4)(4) == -1.0


TORCHS: dict[str, Callable[[Any, Any], Any]] = {
    "three phases, the last before": lambda m, o: m.OneCycleLR(
        o, 0.1, 10, pct_start=0.9, three_phase=True, cycle_momentum=False
    ),
    "three phases, none at first": lambda m, o: m.OneCycleLR(
        o, 0.1, 10, pct_start=0.05, three_phase=True, cycle_momentum=False
    ),
    "negative step_size": lambda m, o: m.StepLR(o, -3, gamma=-0.5),
    "negative T_max": lambda m, o: m.CosineAnnealingLR(o, -4.5),
    "no line": lambda m, o: m.LinearLR(o, total_iters=0),
    "negative total_iters": lambda m, o: m.PolynomialLR(o, total_iters=-2),
    "gamma": lambda m, o: m.ExponentialLR(o, 0),
    "no hold": lambda m, o: m.ConstantLR(o, factor=0, total_iters=0),
    "exp_range": lambda m, o: m.CyclicLR(
        o, 0.1, 0.5, 3, 0, "exp_range", -0.5, cycle_momentum=False
    ),
}


def walked(module: Any, make: Callable[[Any, Any], Any]) -> list[float]:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    scheduler = make(module, optimizer)
    rates = [optimizer.param_groups[0]["lr"]]
    for t in range(9):
        if t == 4:
            optimizer.param_groups[0]["lr"] = 0.7
        optimizer.step()
        scheduler.step()
        rates.append(optimizer.param_groups[0]["lr"])
    return [float(rate) for rate in rates]


@pytest.mark.parametrize("name", TORCHS)
def test_no_check_refuses_what_torchs_numbers_need(name: str) -> None:
    ours, torchs = (walked(m, TORCHS[name]) for m in (lr_scheduler, torch.optim.lr_scheduler))
    np.testing.assert_allclose(ours, torchs, rtol=1e-12)


def test_a_schedule_without_checks_has_the_same_fields() -> None:
    assert unchecked(Held, 1.0, 0.5, 3) == Held(1.0, 0.5, 3)
    assert math.isnan(unchecked(Constant, math.nan)(0))


# --- Values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", [name for name, own in SHIPPED.items() if isinstance(own, Schedule)]
)
def test_a_value_at_a_plain_step_is_a_float(name: str) -> None:
    schedule = SHIPPED[name]
    with np.errstate(all="ignore"):  # SHIPPED's numbers stand for any: some divide by 0
        many = np.broadcast_to(schedule(np.array([3.0, 4.0])), 2)  # type: ignore[call-arg]
        for t in (3, 3.0, np.float64(3.0), np.float32(3.0), np.int64(3)):
            value = schedule(t)  # type: ignore[call-arg]
            assert type(value) is float, t
            assert json.loads(json.dumps(value)) == pytest.approx(many[0], 1e-6, nan_ok=True)


OTHERS: dict[str, Schedule] = {
    "an int": Constant(1),
    "a function": Function(lambda t: np.float32(0.5)),
    "a function's array": Function(lambda t: np.where(t > 2, 0.5, 1)),
    "a function's int": Function(lambda t: 2),
    "a text": parse("1 if t < 2 else 0.5"),
    "a composition": Clip(2 * join([RAMP, 0.5], [2]), 0.0, 0.5),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_value_is_a_float_whatever_computes_it(name: str) -> None:
    schedule = OTHERS[name]
    assert [type(schedule(t)) for t in (3, 3.5, np.int32(3))] == [float] * 3
    assert type(schedule(t=3)) is float


def test_arrays_and_symbols_and_columns_pass() -> None:
    assert RAMP(np.array([0.0, 5.0])).tolist() == [0.0, 0.5]
    assert isinstance(RAMP(np.array(5.0)), np.ndarray | np.float64)
    column = unchecked(Linear, np.array([[0.0], [1.0]]), 1.0, 10.0, 0)
    assert column(5).tolist() == [[0.5], [1.0]]
    assert program(RAMP).structure == program(Linear(0.5, 0.25, 3)).structure
    assert Function(lambda t: "0.1")(3) == "0.1"  # those who use it refuse it


def test_the_step_is_still_seen_in_the_signature() -> None:
    @dataclass(frozen=True, slots=True)
    class Twice(Schedule):
        """Made twice, as slots=True does."""

        def __call__(self, step: Any) -> Any:
            return np.add(step, step)

    assert list(inspect.signature(Twice()).parameters) == ["step"]
    assert list(inspect.signature(RAMP).parameters) == ["t"]
    inner = Twice.__call__.__wrapped__  # type: ignore[attr-defined]
    assert not hasattr(inner, "__wrapped__")
    assert Twice()(3) == 6.0 and type(Twice()(step=3)) is float


def test_a_quotient_by_0_is_no_error_of_pythons() -> None:
    with np.errstate(divide="ignore"):
        assert Quotient((1.0, Linear(0.0, 1.0, 10)))(0) == math.inf
        assert Quotient((1.0, 0.0))(0) == math.inf


def test_a_rule_still_has_no_value_at_a_step() -> None:
    with pytest.raises(TypeError, match="is a rule"):
        rules.Multiplicative(0.5)(3)


# --- Texts and functions inside -------------------------------------------------------------------

INSIDE: dict[str, Callable[[Any], Schedule]] = {
    "warm up": lambda part: WarmUp(part, 10),
    "join": lambda part: join([0.1, part], [5]),
    "sum": lambda part: Sum((RAMP, part)),
    "difference": lambda part: Difference((part, RAMP)),
    "average": lambda part: Average([RAMP, part]),  # type: ignore[arg-type]
    "clip": lambda part: Clip(part, 0, 1),
    "end": lambda part: End(part, 5),
    "shift": lambda part: Shift(part, 2),
    "stretch": lambda part: Stretch(part, 2),
    "times": lambda part: RAMP * part,
    "on the right": lambda part: part / RAMP,
    "plus": lambda part: part + (RAMP + part),
}


@pytest.mark.parametrize("name", INSIDE)
def test_texts_and_functions_are_schedules_inside_others(name: str) -> None:
    make, t = INSIDE[name], np.arange(3.0, 12.0)
    wanted = make(Linear(0.0, 50.0, 100))(t)  # t / 2
    for part in ("0.5*t", lambda t: 0.5 * t, parse("t/2")):
        np.testing.assert_allclose(make(part)(t), wanted, rtol=1e-15)
    assert make("0.5*t") == make(parse("0.5*t"))


@pytest.mark.parametrize("of", [operator.add, operator.sub, operator.mul, operator.truediv])
def test_numpys_numbers_and_a_schedule_make_a_schedule(of: Any) -> None:
    for number in (np.float64(0.5), np.float32(0.5), np.int64(2), np.array(0.5)[()]):
        for made, values in (
            (of(number, RAMP), of(number, 0.5)),
            (of(RAMP, number), of(0.5, number)),
        ):
            assert isinstance(made, Schedule) and made(5) == values
    assert np.multiply(RAMP, 2.0) == RAMP * 2.0  # type: ignore[call-overload]


def test_a_number_of_numpys_is_no_schedule() -> None:
    assert not np.float64(0.5) == RAMP and np.float64(0.5) != RAMP
    assert not RAMP == np.float64(0.5) and RAMP != np.float64(0.5)


# --- What functions return ------------------------------------------------------------------------


def stepped(scheduler: Any) -> None:
    scheduler.optimizer.step(gradients=[np.ones(3)])
    scheduler.step()


USES: dict[str, Callable[[Any, Any], Any]] = {
    "LambdaLR": lr_scheduler.LambdaLR,
    "MultiplicativeLR": lambda o, f: stepped(lr_scheduler.MultiplicativeLR(o, f)),
    "ParamScheduler": lambda o, f: optim.ParamScheduler(o, {"lr": f}),
    "CyclicLR": lambda o, f: lr_scheduler.CyclicLR(
        o, 0.1, 0.5, 3, scale_fn=f, cycle_momentum=False
    ).get_lr(),
}


@pytest.mark.parametrize("value", ["0.1", b"1", True, np.bool_(True), np.str_("1"), None, [1.0]])
@pytest.mark.parametrize("name", USES)
def test_a_function_must_return_a_number(name: str, value: Any) -> None:
    optimizer = optim.SGD([np.ones(3, np.float32)], lr=0.5, device="cpu")
    with pytest.raises(TypeError, match="must return a number, got "):
        USES[name](optimizer, lambda t: value)


# --- Reprs ----------------------------------------------------------------------------------------

LONG = tuple(map(float, range(1, 50)))
REPRS: dict[str, tuple[Schedule, str]] = {
    "restarts": (
        restarts(Linear(1.0, 0.0, 2), stretch=2.0),
        r"Cycles\(cycle=Linear\(.*\), starts=\(0.0, 2.0, 6.0, \.\.\., .*: 54 numbers\), decay=.*",
    ),
    "sampled": (
        Sampled(1.0, LONG),
        r"Sampled\(start=1.0, values=\(1.0, 2.0, 3.0, \.\.\., 49.0: 49 numbers\)\)",
    ),
    "piecewise": (
        PiecewiseConstant(LONG[1:], LONG, "old"),
        r"PiecewiseConstant\(boundaries=\(2.0, .*48 numbers\), values=\(.*, owner='old', ahead=0\)",
    ),
    "milestones": (MultiStep(1.0, LONG), r"MultiStep\(value=1.0, milestones=\(1.0, .*49 numbers.*"),
    "points": (Interpolate(LONG, LONG), r"Interpolate\(steps=\(1.0, .*, how='linear'\)"),
    "short": (Sampled(1.0, (0.5, 0.25)), r"Sampled\(start=1.0, values=\(0.5, 0.25\)\)"),
    "another": (Exponential(1.0, 0.5), r"Exponential\(value=1.0, rate=0.5, steps=1, .*\)"),
}


@pytest.mark.parametrize("name", REPRS)
def test_reprs_are_short(name: str) -> None:
    schedule, text = REPRS[name]
    assert re.fullmatch(text, repr(schedule))
    assert len(repr(schedule)) < 250


def test_a_product_of_texts_is_seen_whole() -> None:
    assert repr(Product(("t", 2))) == "Product(members=(Text(source='t'), Constant(value=2.0)))"


@pytest.mark.parametrize("shape", [(1,), (1, 1), (2, 1)])
def test_an_array_is_no_number_whatever_its_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(TypeError, match="end must be a number"):
        Linear(0.0, np.ones(shape), 10)  # type: ignore[arg-type]
