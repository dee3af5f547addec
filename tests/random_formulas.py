"""Random formulas of the whole language, and random constants for them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st
from xfloat_operands import numbers

from grilly import xfloat
from grilly.expr import (
    BOOL,
    LIST,
    LOG,
    NUMBER,
    OPS,
    Expr,
    constant,
    log2_of_base,
    numbers_in_a_list,
)
from grilly.mathfun import pick, reached
from grilly.program import Structure

# A formula as data: an operation and its arguments, "t", "k", or a number.
Tree = Any

# What a user can write: all of the language, a power for its two halves, and lists of numbers.
_LISTS = [pick, reached]
_HALVES = {log2_of_base, numbers_in_a_list, *(op for op, row in OPS.items() if row.of == LOG)}
_PLAIN = [op for op in OPS if op not in _HALVES | {*_LISTS, np.where}]
_NUMBERS = [op for op in _PLAIN if OPS[op].kind == NUMBER]
_COMPARE = [op for op in _PLAIN if OPS[op].kind == BOOL and OPS[op].of == NUMBER]
_LOGIC = [op for op in _PLAIN if OPS[op].of == BOOL]


def arity(op: Callable[..., Any]) -> int:
    """Return how many arguments an operation takes."""
    return len(set(re.findall(r"\{(\d)\}", OPS[op].glsl)))


def _of_arity(count: int) -> list[Any]:
    return [op for op in _NUMBERS if arity(op) == count]


def trees(depth: int, shallow: int = 1) -> st.SearchStrategy[Tree]:
    """Return formulas whose value is a number, nested up to ``depth``.

    One argument of each operation may be that deep, the others ``shallow``: drivers take seconds
    to compile a formula of a hundred operations.
    """
    leaf = st.sampled_from(["t", "t", "k"]) | st.floats(-100, 100)
    if depth == 0:
        return leaf
    deep, side = trees(depth - 1), trees(min(depth - 1, shallow), 0)
    values = st.lists(st.floats(0.01, 10), min_size=3, max_size=3).map(tuple)
    both = st.sampled_from([(deep, side), (side, deep)]).flatmap(lambda two: st.tuples(*two))
    binary = st.tuples(st.sampled_from(_of_arity(2)), both).map(lambda both: (both[0], *both[1]))
    kinds = {
        "unary": st.tuples(st.sampled_from(_of_arity(1)), deep),
        "binary": binary,
        "power": st.tuples(st.just(np.power), side, side),
        "where": st.tuples(st.just(np.where), conditions(min(depth - 1, shallow)), deep, side),
        "list": st.tuples(st.sampled_from(_LISTS), deep, values),
        "leaf": leaf,
    }
    often = ["unary"] * 6 + ["binary"] * 8 + ["where", "where", "list", "power", "leaf"]
    return st.sampled_from(often).flatmap(kinds.__getitem__)


def conditions(depth: int) -> st.SearchStrategy[Tree]:
    """Return formulas whose value is a condition."""
    inner = trees(min(depth, 1), 0)
    compared = st.tuples(st.sampled_from(_COMPARE), inner, inner)
    if depth == 0:
        return compared
    nested = conditions(depth - 1)
    logic = st.sampled_from(_LOGIC).flatmap(
        lambda op: st.tuples(st.just(op), *[nested] * arity(op))
    )
    return compared | logic


def formula(tree: Tree) -> Callable[..., Any]:
    """Return the formula of a tree, to be traced or called."""

    def value(node: Tree, t: Any, k: Any, label: str) -> Any:
        if isinstance(node, str):
            return t if node == "t" else k
        if isinstance(node, float):
            # Traced as a number of a dataclass would be: by where it stands, never by value.
            return constant(node, label) if isinstance(t, Expr) else np.float64(node)
        op, *args = node
        if op in _LISTS:
            return op(value(args[0], t, k, label), args[1])
        return op(*(value(arg, t, k, f"{label}.{i}") for i, arg in enumerate(args)))

    return lambda t, k: value(tree, t, k, "x")


def constants(structure: Structure, count: int, rng: np.random.Generator) -> Any:
    """Return ``count`` random sets of a structure's constants: (count, words) uint32."""
    columns = [_words(kind, count, rng) for kind in structure.slots]
    return np.concatenate([np.empty((count, 0), np.uint32), *columns], axis=1)


def _words(kind: str, count: int, rng: np.random.Generator) -> Any:
    if kind == BOOL:
        return rng.integers(0, 2, (count, 1)).astype(np.uint32)
    if kind.startswith(LIST):
        return np.concatenate([_words(NUMBER, count, rng)] * int(kind.split()[1]), axis=1)
    x = numbers(rng, count, -8, 8)
    return xfloat.to_words(xfloat.log2(xfloat.absolute(x)) if kind == LOG else x)
