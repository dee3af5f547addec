"""Texts as schedules: Python's own eval is the oracle; what is not allowed is refused at its place.

tests/test_lambdas_on_device.py runs texts on the devices.
"""

from __future__ import annotations

import math
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grilly import GrillyError, TextError, xfloat
from grilly.mathfun import half_cosine
from grilly.program import evaluate, exact, program
from grilly.schedules import Product, Text, parse
from grilly.schedules.words import FUNCTIONS

NAMES: dict[str, Any] = {
    **{name: getattr(math, name) for name in ("ceil", "cos", "exp", "floor", "log")},
    **{name: getattr(math, name) for name in ("sin", "sqrt", "tanh", "pi")},
    **{"abs": abs, "min": min, "max": max, "half_cosine": lambda x: float(half_cosine(x))},
    "exp2": lambda x: 2.0**x,
    "sinpi": lambda x: math.sin(math.pi * x),
    "cospi": lambda x: math.cos(math.pi * x),
    "clip": lambda x, low, high: min(max(x, low), high),
    "where": lambda c, a, b: a if c else b,
    "__builtins__": {},
}

TEXTS = [
    "t",
    "0.1",
    " 0.95**t * min(1, t / 100) ",
    "1 - t / 200 if t < 100 else 0.5 * 0.99 ** (t - 100)",
    "0.5 * (t % 7) + t // 7",
    "-t + +2.5e-3",
    "max(0.1, 1 - t / 50, 0.3, 0.25)",
    "min(t, 3) / max(t, 1)",
    "where(t >= 5, 0.5, 1) * clip(t / 10, 0.1, 0.9)",
    "1 if 2 < t <= 9 and not t == 5 or t != t else 0.25",
    "0.5 if 3 > t >= 1 else 1",
    "abs(t - 20) + ceil(t / 3) + floor(t / 3)",
    "(t - 5) ** 2 + (t - 5) ** 3 + (0 - 2) ** t + (5 - t) ** -2.0 if t != 5 else 1",
    "(t + 1) ** 0.5 + sqrt(t) + exp2(-t)",
    "half_cosine((100 - t) / 100)",
    "2 ** 3 ** 2 - 2 ** -1",
    "0x10 + 1e3 + .5 + 1.",
    "1 / t if t > 0 else 2",
    "sqrt(t - 5) if t >= 5 else 0",
    "t if 1 < 2 else 3",
    "exp(-t / 10) + log(t + 1) + tanh(t / 10)",
    "sin(pi * t / 7) + cos(2 * pi * t / 50)",
    "sinpi(t / 7) + cospi(t / 50) + 2",
]
STEPS = np.array([0.0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 20, 50, 99, 100, 101, 1000])


def truth(text: str, t: float) -> float:
    return float(eval(text.strip(), dict(NAMES), {"t": t}))


@pytest.mark.parametrize("text", TEXTS)
def test_values_are_pythons(text: str) -> None:
    schedule = parse(text)
    want = [truth(text, t) for t in STEPS.tolist()]
    alone = [float(schedule(t)) for t in STEPS.tolist()]
    np.testing.assert_allclose(alone, want, rtol=1e-14, atol=1e-15)
    assert [float(schedule(int(t))) for t in STEPS] == alone
    together = np.broadcast_to(schedule(STEPS), STEPS.shape)
    np.testing.assert_allclose(together, want, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("text", TEXTS)
def test_every_text_traces(text: str) -> None:
    """What the device computes, to all bits its mirror, is the float64 value but for roundings."""
    made = program(parse(text))
    t = xfloat.from_float64(STEPS)
    got = xfloat.to_float64(evaluate(made.structure, made.constants, t, t))
    want = [truth(text, t) for t in STEPS.tolist()]
    np.testing.assert_allclose(np.broadcast_to(got, STEPS.shape), want, rtol=1e-12, atol=1e-13)


ATOMS = st.sampled_from(["t", "0", "1", "2.5", "0.1", "7", "(0 - 3)", "1e-3", "100"])


def _grown(part: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    two = st.tuples(part, part)
    condition = st.tuples(part, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), part, part)
    conditions = condition.map(lambda c: f"({c[0]} {c[1]} {c[2]} {c[1]} {c[3]})")
    joined = st.tuples(conditions, st.sampled_from(["and", "or", "and not"]), conditions)
    return st.one_of(
        st.tuples(part, st.sampled_from("+-*/%"), part).map(lambda p: f"({' '.join(p)})"),
        two.map(lambda p: f"({p[0]} // {p[1]})"),
        st.tuples(part, st.sampled_from(["2", "3", "-1", "0.5", "t", "(-2.0)"])).map("**".join),
        st.tuples(st.sampled_from(["min", "max"]), part, part).map(
            lambda p: "{}({}, {})".format(*p)
        ),
        st.tuples(st.sampled_from(["-", "+", "abs", "floor", "ceil"]), part).map(
            lambda p: "{}({})".format(*p)
        ),
        st.tuples(part, joined, part).map(lambda p: f"({p[0]} if {' '.join(p[1])} else {p[2]})"),
    )


@settings(max_examples=300, deadline=None)
@given(st.recursive(ATOMS, _grown, max_leaves=12), st.sampled_from([0.0, 1.0, 2.0, 5.0, 7.5]))
def test_random_texts_are_pythons(text: str, t: float) -> None:
    try:
        want = truth(text, t)
    except (ZeroDivisionError, OverflowError, TypeError, ValueError):
        want = math.nan  # Python has no value there, or a complex one
    try:
        got = float(parse(text)(t))
    except TextError as error:  # too long, or a part without a step is not finite
        assert "1000 characters" in str(error) or "the value of this is" in str(error)
        return
    if math.isfinite(want):
        assert got == want


def test_texts_that_differ_in_numbers_share_a_structure() -> None:
    one = program(parse("0.5 * 0.5**t + min(0.5, t / 0.5)"))
    other = program(parse("0.1 * 0.2**t + min(0.3, t / 0.4)"))
    assert one.structure == other.structure
    assert one.labels == other.labels
    assert one.constants.tolist() != other.constants.tolist()
    assert program(parse("0.5 * 0.5**t")).structure != one.structure


def test_a_text_is_a_value() -> None:
    assert parse("t + 1") == Text(" t + 1\n") != parse("1 + t")
    assert len({parse("t + 1"), parse("t + 1"), parse("t + 2")}) == 2
    assert repr(parse("t+1")) == "Text(source='t+1')"
    assert float((parse("t+1") * 2.0)(3)) == 8.0
    assert program(Product((0.1, parse("t"))))


# What is refused, and the place in the text that is shown.
REFUSED = {
    "q + 1": 0,
    "t + t.real": 4,
    "t + os": 4,
    "().__class__": 3,
    "1 + __import__('os')": 4,
    "1_000": 1,
    "half_cosin(t)": 4,
    "'t'": 0,
    "b't'": 0,
    "f'{t}'": 0,
    "t + True": 4,
    "None": 0,
    "...": 0,
    "1j": 0,
    "nan": 0,
    "t + inf": 4,
    "1e999": 0,
    "t*" + "9" * 400: 2,
    "9**9**9": 0,
    "t + 9.**9.**9.": 4,
    "1/0": 0,
    "t + 5 % 0": 4,
    "sqrt(-1)": 0,
    "(-8) ** 0.5": 0,
    "log(0) if t < 0 else 1": 0,
    "t if t else 1": 5,
    "t and 5": 0,
    "not t": 4,
    "(t > 5) * 0.1": 1,
    "t > 5": 0,
    "min(t > 5, 2)": 4,
    "where(t, 1, 2)": 6,
    "where(t > 1, 1 < 2, 2)": 13,
    "min(t)": 0,
    "min()": 0,
    "abs(t, t)": 0,
    "clip(t, 1)": 0,
    "clip(t, low=0, high=1)": 0,
    "max(*t)": 0,
    "max(t, *t)": 7,
    "max(t, **t)": 0,
    "max(" + "t," * 101 + ")": 0,
    "int(t)": 0,
    "t()": 0,
    "(lambda: 1)()": 0,
    "lambda t: t": 0,
    "[t for t in t]": 0,
    "[t]": 0,
    "(t, 1)": 0,
    "{t: 1}": 0,
    "t[0]": 0,
    "(y := 3)": 1,
    "t @ t": 2,
    "t << 1": 2,
    "((t) ) & 1": 7,
    "2 ** t()": 5,
    "sqrt(t) + np.qqq(t)": 10,
    "~t": 0,
    "t is t": 0,
    "t in t": 0,
    "await t": 0,
    "yield t": 0,
    "t = 1": None,
    "t; t": None,
    "t # 5": 2,
    "import os": None,
    "": None,
    "t +": None,
    "1if t > 1 else 2": None,
    "t\nt": 1,
    "t\0": 1,
    "\N{FULLWIDTH LATIN SMALL LETTER T}": 0,
    "t" * 1001: 1000,
    "(" * 250 + "t" + ")" * 250: None,
    "-" * 900 + "t": 100,
    "t**" * 150 + "t": 300,
    "t if t<(" * 60 + "min(t,(" * 45 + "t" + "))" * 45 + ") else 2" * 60: None,
}


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: repr(text[:20]))
def test_what_is_not_allowed_is_refused_at_its_place(text: str) -> None:
    before = time.process_time()
    with pytest.raises(TextError, match=r"a text may use: t \(the step\), numbers, pi") as caught:
        parse(text)
    assert time.process_time() - before < 1
    assert isinstance(caught.value, (GrillyError, ValueError)) and len(str(caught.value)) < 700
    place = REFUSED[text]
    if place is not None and text.isprintable() and text.isascii():
        _, shown, caret, *_ = str(caught.value).split("\n")
        at = caret.index("^") - 2
        assert shown[2 : 2 + at] == text[:place][-60:]


# What is near to a word of the list, the place that is shown, and what is said instead of the list.
HINTS = {
    "2^t": (1, "this operator is not allowed, write ** for a power"),
    "1 + (t / 2) ^ (2)": (12, "this operator is not allowed, write ** for a power"),
    "1 + np.exp(-t)": (4, "this cannot be called, write exp(...)"),
    "math.exp(-t)": (0, "this cannot be called, write exp(...)"),
    "np.minimum(1, t)": (0, "this cannot be called, did you mean min(...)?"),
    "math.pow(t, 2)": (0, "this cannot be called, did you mean a ** b?"),
    "pow(t, 2)": (0, "this cannot be called, did you mean a ** b?"),
    "cosine(t)": (0, "this cannot be called, did you mean cos(...)?"),
    "Sqrt(t)": (0, "this cannot be called, did you mean sqrt(...)?"),
    "2 * np.pi": (4, "this is not allowed, write pi"),
    "1 - step / 100": (4, "'step' is no name of a number, did you mean t?"),
    "epoch": (0, "'epoch' is no name of a number, did you mean t?"),
    "x + 1": (0, "'x' is no name of a number, did you mean t?"),
    "T": (0, "'T' is no name of a number, did you mean t?"),
    "e ** -t": (0, "'e' is no name of a number, did you mean exp(1)?"),
    "2 * Pi": (4, "'Pi' is no name of a number, did you mean pi?"),
    "t + half_cosine": (4, "'half_cosine' is no name of a number, call it: half_cosine(...)"),
}


@pytest.mark.parametrize("text", HINTS)
def test_what_is_near_is_told(text: str) -> None:
    place, told = HINTS[text]
    with pytest.raises(TextError) as caught:
        parse(text)
    assert str(caught.value) == f"{told}\n  {text}\n  {' ' * place}^"


@pytest.mark.parametrize("value", [None, 0.1, b"t", ["t"]])
def test_what_is_no_text_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="must be a text, got"):
        parse(value)


@pytest.mark.parametrize(
    "text",
    [
        "-" * 98 + "t",
        "+".join(["t"] * 500),
        "(" * 90 + "t" + "+1)*t" * 90 + "-1/t" * 20,
        "(" * 98 + "t" + ")**2" * 98,
        "(" * 97 + "0 - 1" + ")**3" * 97 + "*t",
        "t if t<1 else " * 70 + "2",
        "1 if " + " or ".join(f"t=={i}" for i in range(100)) + " else 2",
    ],
    ids=lambda text: text[:8],
)
def test_the_deepest_texts_work(text: str) -> None:
    before = time.process_time()
    schedule = parse(text)
    assert math.isfinite(schedule(0.5)) and hash(schedule)
    program(schedule)
    assert time.process_time() - before < 10


def test_each_part_is_computed_once() -> None:
    """The middle term of a < b < c is in two comparisons."""
    text = "t"
    for _ in range(24):
        text = f"(1 if 0<{text}<2 else 0)"
    before = time.process_time()
    assert [float(parse(text)(t)) for t in (0.0, 1.0, 5.0)] == [truth(text, t) for t in (0, 1, 5)]
    assert len(program(parse(text)).structure.nodes) < 200
    assert time.process_time() - before < 1


@pytest.mark.parametrize("text", ["(t - 5) ** (t / 2)", "(t - 5) ** 0.5", "(0.5 - 1) ** (t / 2)"])
def test_a_power_that_python_has_not_is_invented_nowhere(text: str) -> None:
    """Of -2 ** 1.5 Python makes a complex number; numpy has nan, the device 0."""
    assert isinstance(eval(text, {"t": 3.0}), complex)
    assert math.isnan(parse(text)(3.0))
    assert exact(parse(text), np.array([3.0])).tolist() == [0.0]
    assert float(parse("(t - 5) ** (t - 1)")(2)) == -3.0


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_a_text_may_call_is_told(name: str) -> None:
    docs = (Path(__file__).parents[1] / "docs" / "schedules.md").read_text("utf-8")
    [told] = re.findall(r"^abs, ceil, .*? where\.", docs, re.MULTILINE)
    for text in (told, str(parse.__doc__)):
        assert re.search(rf"\b{name}\b", text)
