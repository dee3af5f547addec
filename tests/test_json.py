"""Schedules as JSON: a round trip keeps every bit, and nothing else is accepted."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import re
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from grilly import StateError, rules, schedules
from grilly.schedules import (
    SHIPPED,
    Clip,
    Constant,
    Cosine,
    Function,
    Join,
    Product,
    Ramp,
    Sampled,
    Schedule,
    Text,
    from_json,
    parse,
)
from grilly.schedules.saving import MOST_DEPTH, classes


def test_every_public_schedule_has_a_json() -> None:
    public = {
        name
        for module in (schedules, rules)
        for name, one in vars(module).items()
        if isinstance(one, type) and issubclass(one, Schedule) and dataclasses.is_dataclass(one)
    }
    assert public == set(classes())
    assert {"Cosine", "Join", "Text", "Plateau"} <= public


# --- Round trips ----------------------------------------------------------------------------------

NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(0.01, 100.0),
    st.integers(0, 100),
    st.just(2.0**60),
)
TEXTS = st.sampled_from(["0.95**t * min(1, t/100)", "t", "1 if t < 5 else 0.5"])


def of_type(hint: Any, schedule: st.SearchStrategy[Schedule]) -> st.SearchStrategy[Any]:
    """Return values of a field's type."""
    kind, inside = get_origin(hint) or hint, get_args(hint)
    if kind is Literal:
        return st.sampled_from(inside)
    if kind is tuple and inside[1:] == (...,):
        return st.lists(of_type(inside[0], schedule), min_size=1, max_size=4).map(tuple)
    if kind is tuple:
        return st.tuples(*(of_type(one, schedule) for one in inside))
    if kind is Union or inside:
        kept = [one for one in inside if get_origin(one) is None]
        return st.one_of(*(of_type(one, schedule) for one in kept))
    if kind is Any or (isinstance(kind, type) and issubclass(kind, Schedule)):
        return schedule
    plain: dict[Any, st.SearchStrategy[Any]] = {
        float: NUMBERS,
        int: st.integers(0, 50),
        bool: st.booleans(),
        str: st.one_of(st.sampled_from(["cos", "linear", "hold", "triangular2"]), TEXTS),
        type(None): st.none(),
    }
    return plain[kind]


@st.composite
def schedule_of_class(draw: Any, cls: Any, inside: st.SearchStrategy[Schedule]) -> Any:
    hints = get_type_hints(cls)
    fields = [field for field in dataclasses.fields(cls) if field.init]
    values = {field.name: draw(of_type(hints[field.name], inside)) for field in fields}
    if cls is Join:
        count = len(values["phases"]) - 1
        values["boundaries"] = tuple(sorted(draw(st.tuples(*[st.integers(0, 100)] * count))))
    defaults = {f.name: f.default for f in fields if f.default is not dataclasses.MISSING}
    kept = draw(st.sets(st.sampled_from(sorted(defaults)))) if defaults else ()
    some = {name: values[name] for name in values if name not in kept}
    for arguments in (values, some, {n: v for n, v in values.items() if n not in defaults}):
        with contextlib.suppress(TypeError, ValueError, ArithmeticError):
            return cls(**arguments)
    # This class takes no such numbers: as it is shipped, or another one.
    return next((one for one in SHIPPED.values() if type(one) is cls), Cosine(0.5, 0.25, 1e-300))


LEAVES = st.one_of(st.builds(Constant, NUMBERS), TEXTS.map(parse))
NAMES = sorted(set(classes()) - {"Function"})


def grown(inside: st.SearchStrategy[Schedule]) -> st.SearchStrategy[Schedule]:
    return st.sampled_from(NAMES).flatmap(lambda n: schedule_of_class(classes()[n], inside))


TREES = st.recursive(LEAVES, grown, max_leaves=10)


def same_bits(one: Any, other: Any) -> bool:
    """Whether two values are equal, and also of one type, with -0.0 unlike 0.0."""
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(same_bits, one, other))
    if isinstance(one, Schedule):
        fields = [field.name for field in dataclasses.fields(one)]  # type: ignore[arg-type]
        pairs = [(getattr(one, name), getattr(other, name)) for name in fields]
        return type(one) is type(other) and all(same_bits(a, b) for a, b in pairs)
    return type(one) is type(other) and repr(one) == repr(other)


@settings(max_examples=300, deadline=None)
@given(TREES)
@example(Constant(-0.0))
@example(Constant(5e-324))
@example(Constant(2**53 + 1))
@example(Sampled(0.0, (0.1,) * 256))
def test_a_round_trip_keeps_every_bit(tree: Schedule) -> None:
    text = tree.to_json()
    again = from_json(text)
    assert again == tree and same_bits(again, tree)
    assert again.to_json() == text


@pytest.mark.parametrize("name", NAMES)
def test_each_class_makes_a_round_trip(name: str) -> None:
    found = []

    @settings(max_examples=30, deadline=None)
    @given(schedule_of_class(classes()[name], LEAVES))
    def each(schedule: Schedule) -> None:
        assert from_json(schedule.to_json()) == schedule
        found.append(type(schedule).__name__)

    each()
    assert name in found


LONG_LISTS = re.compile("sampled|stretched|_64|_512")
CLOSED = [
    name
    for name, one in SHIPPED.items()
    if isinstance(one, Schedule) and not LONG_LISTS.search(name)
]


@pytest.mark.parametrize("name", CLOSED)
def test_closed_forms_take_a_few_hundred_bytes(name: str) -> None:
    assert len(SHIPPED[name].to_json()) < 500  # type: ignore[union-attr]


def test_numbers_of_numpy_are_saved_as_they_are() -> None:
    text = Cosine(np.float32(0.1), np.int64(3), np.array(2.5)).to_json()  # type: ignore[arg-type]
    assert from_json(text) == Cosine(float(np.float32(0.1)), 3, 2.5)


def test_what_is_written() -> None:
    tree = Join((Ramp(1.0, 0.0, 1.0, 10), parse("0.5")), (10,))
    assert json.loads(tree.to_json()) == {
        "grilly": 1,
        "schedule": {
            "type": "Join",
            "phases": [
                {"type": "Ramp", "value": 1.0, "start": 0.0, "end": 1.0, "steps": 10},
                {"type": "Text", "source": "0.5"},
            ],
            "boundaries": [10],
        },
    }


# --- What cannot be saved -------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Own(Schedule):
    """A class of a user's."""

    value: float


class Cosine2(Cosine):
    """A class of a user's that inherits from ours."""


@pytest.mark.parametrize(
    "schedule", [Function(math.sqrt), Own(1.0), Cosine2(1.0, 0.0, 10), rules.Multiplicative(abs)]
)
def test_functions_and_classes_of_others_cannot_be_saved(schedule: Schedule) -> None:
    for tree, path in ((schedule, "schedule"), (0.5 * schedule, r"schedule.members\[1\]")):
        with pytest.raises(TypeError, match=rf"^{path} cannot be saved .* written as a text"):
            tree.to_json()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_cannot_be_saved(value: float) -> None:
    with pytest.raises(ValueError, match=r"^schedule.members\[0\].values\[0\] is -?(nan|inf)"):
        Product((Sampled(0.0, (value,)), 1.0)).to_json()


def test_a_field_of_a_wrong_type_cannot_be_saved() -> None:
    with pytest.raises(ValueError, match=r"schedule.start must be a finite number, got True"):
        Sampled(True, (0.5,)).to_json()


def test_a_tree_may_be_100_deep() -> None:
    tree: Schedule = Constant(0.5)
    for _ in range(MOST_DEPTH - 1):
        tree = Clip(tree, 0.0, 1.0)
    assert from_json(tree.to_json()) == tree
    deeper = Clip(tree, 0.0, 1.0)
    with pytest.raises(ValueError, match=r"^schedule.schedule.* nested more than 100 deep"):
        deeper.to_json()
    text = tree.to_json()
    start = text.index('{"type"')
    inner = f'{{"type": "Clip", "schedule": {text[start:-1]}, "low": 0.0, "high": 1.0}}'
    with pytest.raises(StateError, match=r"^schedule.schedule.* nested more than 100 deep"):
        from_json(f"{text[:start]}{inner}}}")


# --- What is refused ------------------------------------------------------------------------------

COSINE = '{"type": "Cosine", "high": 1.0, "low": 0.0, "period": %s}'


def wrapped(inner: str) -> str:
    return f'{{"grilly": 1, "schedule": {inner}}}'


# A text, and what the error says.
REFUSED = {
    "": r"this is no JSON",
    "[": r"this is no JSON",
    "3": r"the JSON must be an object, got 3",
    "[]": r"the JSON must be an object",
    "{}": (
        r"the JSON lacks \['grilly', 'schedule'\]: "
        r"its keys must be \['grilly', 'schedule'\], got \[\]$"
    ),
    '{"schedule": 3}': r"the JSON lacks \['grilly'\]",
    '{"grilly": 1, "schedule": 3, "more": 1}': r"the JSON has unknown keys \['more'\]",
    '{"grilly": 1, "grilly": 1, "schedule": 3}': r"the JSON has twice \['grilly'\]",
    '{"grilly": 2, "schedule": {}}': r"grilly must be 1, .* got 2",
    '{"grilly": true, "schedule": {}}': r"grilly must be 1, .* got True",
    '{"grilly": 1.0, "schedule": {}}': r"grilly must be 1, .* got 1.0",
    wrapped("0.5"): r"schedule must be a schedule, got 0.5",
    wrapped("null"): r"schedule must be a schedule, got None",
    wrapped("{}"): r"schedule.type must be the name of a schedule, got None",
    wrapped('{"type": "Cosin"}'): r"schedule.type must be .* got 'Cosin'",
    wrapped('{"type": "_Combination", "members": []}'): r"schedule.type must be",
    wrapped('{"type": "Schedule"}'): r"schedule.type must be",
    wrapped('{"type": ["Cosine"]}'): r"schedule.type must be",
    wrapped('{"type": "Function", "call": "abs"}'): r"schedule.call must be what JSON cannot hold",
    wrapped(COSINE % '1, "more": 2'): r"schedule has unknown keys \['more'\]",
    wrapped(COSINE % '1, "low": 2'): r"schedule has twice \['low'\]",
    wrapped('{"type": "Constant"}'): r"schedule lacks \['value'\]",
    wrapped(COSINE % "true"): r"schedule.period must be a finite number, got True",
    wrapped(COSINE % '"10"'): r"schedule.period must be a finite number, got '10'",
    wrapped(COSINE % "null"): r"schedule.period must be a finite number, got None",
    wrapped(COSINE % "[1]"): r"schedule.period must be a finite number, got a list",
    wrapped(COSINE % "NaN"): r"schedule.period must be a finite number, got nan",
    wrapped(COSINE % "-Infinity"): r"schedule.period must be a finite number, got -inf",
    wrapped(COSINE % "1e999"): r"schedule.period must be a finite number, got inf",
    wrapped(COSINE % ("9" * 400)): r"schedule.period must be a finite number, got 999",
    wrapped(COSINE % ("9" * 5000)): r"this is no JSON",
    wrapped('{"type": "Sum", "members": {}}'): r"schedule.members must be a list, got an object",
    wrapped('{"type": "Sum", "members": [1.0]}'): r"schedule.members\[0\] must be a schedule",
    wrapped('{"type": "Sum", "members": []}'): r"schedule is refused by Sum: .* got none",
    wrapped('{"type": "Text", "source": "os"}'): r"schedule is refused by Text: 'os' is no name",
    wrapped('{"type": "Text", "source": 3}'): r"schedule.source must be a text, got 3",
    wrapped(f'{{"type": "Join", "phases": [{COSINE % 1}, {COSINE % "[]"}], "boundaries": [3]}}'): (
        r"schedule.phases\[1\].period must be a finite number, got \[\]"
    ),
    wrapped(f'{{"type": "Join", "phases": [{COSINE % 1}], "boundaries": [3]}}'): (
        r"schedule is refused by Join: .* one boundary less"
    ),
    wrapped(
        f'{{"type": "Stretch", "schedule": {COSINE % 1}, "by": 2.0, "whole": 1}}'
    ): r"schedule.whole must be true or false, got 1",
    "[" * 100_000: r"is nested more than 100 deep|this is no JSON",
    wrapped('{"type": "Sum", "members": [' * 5000): r"is nested more than 100 deep|this is no JSON",
}


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:50])
def test_what_is_not_right_is_refused(text: str) -> None:
    with pytest.raises(StateError, match=f"^(the JSON )?({REFUSED[text]})") as caught:
        from_json(text)
    assert len(str(caught.value)) < 1500


@pytest.mark.parametrize("value", [b"{}", None, {}])
def test_what_is_no_text_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="from_json takes a str"):
        from_json(value)


PIECES = [
    "null",
    "true",
    "1e999",
    "NaN",
    "-1",
    '"x"',
    "{}",
    "[]",
    '"type"',
    "0",
    ",",
    ":",
    "}",
    "]",
]


@settings(max_examples=500, deadline=None)
@given(TREES, st.data())
def test_of_changed_json_there_are_schedules_or_state_errors(tree: Schedule, data: Any) -> None:
    text = tree.to_json()
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        end = min(len(text), at + data.draw(st.integers(0, 12)))
        text = text[:at] + data.draw(st.sampled_from(["", *PIECES])) + text[end:]
    with contextlib.suppress(StateError):
        again = from_json(text)
        assert from_json(again.to_json()) == again


@settings(max_examples=500, deadline=None)
@given(TREES, st.data())
def test_of_changed_values_there_are_schedules_or_state_errors(tree: Schedule, data: Any) -> None:
    """As before, but the text stays JSON: one value or key in it is another."""
    values: list[Any] = [None, True, -1, 0, 1e300, math.nan, "x", "t", {}, [], [0.5], 10**400]
    loaded = json.loads(tree.to_json())
    node, key = loaded, "schedule"
    while isinstance(node[key], (dict, list)) and node[key] and data.draw(st.booleans()):
        node = node[key]
        key = data.draw(st.sampled_from([*(node if isinstance(node, dict) else range(len(node)))]))
    change = data.draw(st.sampled_from(["value", "key", "gone"]))
    if change == "value":
        node[key] = data.draw(st.sampled_from(values))
    elif isinstance(node, dict):
        old = node.pop(key)
        if change == "key":
            node[key + "_"] = old
    with contextlib.suppress(StateError):
        again = from_json(json.dumps(loaded))
        assert change != "key" or isinstance(node, list)
        assert from_json(again.to_json()) == again


def test_text_nodes_are_what_was_parsed() -> None:
    again = from_json(Text("0.95**t * min(1, t/100)").to_json())
    assert float(again(50)) == float(parse("0.95**t * min(1, t/100)")(50))
