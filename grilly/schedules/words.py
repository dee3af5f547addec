"""Words: the operators and functions that a formula's text may use, and no others."""

from __future__ import annotations

import ast
import difflib
import operator
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from ..mathfun import cospi, half_cosine, sinpi

Operation = Callable[..., Any]


def folded(call: Operation) -> Operation:
    """Return an associative ``call`` of two as one of many, by halves: a tree of little depth."""

    def fold(*many: Any) -> Any:
        half = len(many) // 2
        return call(fold(*many[:half]), fold(*many[half:])) if half else many[0]

    return fold


class Function(NamedTuple):
    """What a name calls, and how many arguments it takes; ``condition``: the first is one."""

    call: Operation
    least: int = 1
    most: int = 1
    condition: bool = False


MOST_ARGUMENTS = 100
# All that a text may call; ``a if c else b`` is where(c, a, b).
FUNCTIONS = {
    "abs": Function(np.abs),
    "ceil": Function(lambda x: -np.floor(-x)),
    "clip": Function(lambda x, low, high: np.minimum(np.maximum(x, low), high), 3, 3),
    "cos": Function(np.cos),
    "cospi": Function(cospi),
    "exp": Function(np.exp),
    "exp2": Function(np.exp2),
    "floor": Function(np.floor),
    "half_cosine": Function(half_cosine),
    "log": Function(np.log),
    "max": Function(folded(np.maximum), 2, MOST_ARGUMENTS),
    "min": Function(folded(np.minimum), 2, MOST_ARGUMENTS),
    "sin": Function(np.sin),
    "sinpi": Function(sinpi),
    "sqrt": Function(np.sqrt),
    "tanh": Function(np.tanh),
    "where": Function(np.where, 3, 3, condition=True),
}
ARITHMETIC: dict[type, Operation] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
SIGNS: dict[type, Operation] = {ast.USub: operator.neg, ast.UAdd: operator.pos}
COMPARISONS: dict[type, Operation] = {
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}
JOINS = {ast.And: folded(np.logical_and), ast.Or: folded(np.logical_or)}


def compared(calls: Sequence[Operation]) -> Operation:
    """Return the chain a < b <= c of such ``calls`` as one operation of all its terms."""

    def chain(*terms: Any) -> Any:
        pairs = zip(calls, pairwise(terms), strict=True)
        return JOINS[ast.And](*(call(*pair) for call, pair in pairs))

    return chain


# What others write, and what says the same here: of numbers, and of what is called.
_STEPS = ("epoch", "i", "iter", "iteration", "n", "step", "steps", "time", "x")
_NUMBERS = {**dict.fromkeys(_STEPS, "t"), "e": "exp(1)"}
_CALLS = {
    "cosine": "cos",
    "fabs": "abs",
    "ln": "log",
    "log10": "log(x) / log(10)",
    "log2": "log(x) / log(2)",
    "maximum": "max",
    "minimum": "min",
    "pow": "a ** b",
    "power": "a ** b",
    "sine": "sin",
}
_CLOSE = 0.7  # of 1: how many letters two words have in common


def near(word: str, called: bool) -> str:
    """Return what of the closed list ``word`` is likely to mean; "" if nothing is near.

    >>> near("cosine", called=True), near("epoch", called=False), near("warmup", called=False)
    ('cos(...)', 't', '')
    """
    instead, known = (_CALLS, [*FUNCTIONS]) if called else (_NUMBERS, ["t", "pi"])
    own = word.lower()
    close = difflib.get_close_matches(own, known, 1, _CLOSE)
    found = instead.get(own) or "".join(close)
    return f"{found}(...)" if found in FUNCTIONS else found


ALLOWED = (
    "a text may use: t (the step), numbers, pi, + - * / // % **, < <= > >= == !=, and, or, not, "
    f"a if c else b, {', '.join(f'{name}()' for name in FUNCTIONS)}"
)
