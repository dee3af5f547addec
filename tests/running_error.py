"""Running error analysis: how far the mirror of a traced formula may be from its exact value.

The exact value of every node is computed beside a bound on the error that its arguments bring and
its own rounding adds, the bounds of docs/xfloat.md. No bound (None) where an argument's error could
choose another branch, or where a value leaves the range.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from mpmath import mp, mpf
from truth import MPMATH

from grilly.expr import BOOL, LOG, OPS, Expr, log2_of_base, numbers_in_a_list, power_from_log
from grilly.mathfun import cospi, half_cosine, pick, reached, sinpi

UNIT = mpf(2) ** -64
LARGEST = mpf(2) ** 8000  # far inside the range, which ends at 2^(2^24)


class Bounded(NamedTuple):
    """An exact value, and how far the computed one may be from it."""

    value: Any
    error: Any


class NoBoundError(Exception):
    """The computed value may be anything."""


def bounded(root: Expr, t: float, k: int) -> Bounded | None:
    """Return the value and the bound of a traced formula at steps ``t`` and ``k``."""
    known: dict[Expr, Bounded] = {}
    try:
        with mp.workprec(600):
            return _of(root, mpf(t), mpf(k), known)
    except NoBoundError:
        return None


def _of(node: Expr, t: mpf, k: mpf, known: dict[Expr, Bounded]) -> Bounded:
    if node not in known:
        known[node] = _compute(node, t, k, known)
    return known[node]


def _compute(node: Expr, t: mpf, k: mpf, known: dict[Expr, Bounded]) -> Bounded:
    if node.op in ("t", "k"):
        return Bounded(t if node.op == "t" else k, mpf(0))
    if node.op == "constant":
        return Bounded(node.value if node.kind == BOOL else mpf(node.value), mpf(0))
    args = [_of(arg, t, k, known) for arg in node.args]
    if node.op is np.where:
        return args[1] if args[0].value else args[2]
    if node.op is numbers_in_a_list:
        return Bounded([arg.value for arg in args], max(arg.error for arg in args))
    if OPS[node.op].kind == BOOL:
        return Bounded(_decided(node.op, args), mpf(0))
    return _number(node.op, args)


def _decided(op: Callable[..., Any], args: list[Bounded]) -> bool:
    if OPS[op].of != BOOL:
        a, b = args
        _demand(a.error + b.error < abs(a.value - b.value) or a.error == b.error == 0)
    return bool(MPMATH[op](*(arg.value for arg in args)))


def _number(op: Callable[..., Any], args: list[Bounded]) -> Bounded:
    _demand(_defined(op, args))
    value = MPMATH[op](*(arg.value for arg in args))
    _demand(isinstance(value, mpf) and mp.isfinite(value) and abs(value) < LARGEST)
    _demand(value == 0 or abs(value) > 1 / LARGEST)
    brought = BROUGHT[op](value, *args)
    own = mpf(2) ** -100 if OPS[op].kind == LOG else OWN.get(op, 0) * UNIT
    return Bounded(value, brought + own * (abs(value) + brought))


def _demand(condition: Any) -> None:
    if not condition:
        raise NoBoundError


def _defined(op: Callable[..., Any], args: list[Bounded]) -> bool:
    """Whether the exact function is defined there, and the arguments are surely inside."""
    least = [abs(arg.value) - arg.error for arg in args if isinstance(arg.value, mpf)]
    if op in (np.floor_divide, np.remainder):  # whole quotients end at 2^64
        return bool(least[1] > 0 and abs(args[0].value) < abs(args[1].value) * 2**63)
    if op is np.true_divide:
        return bool(least[1] > 0)
    if op in (log2_of_base, np.sqrt, np.log, np.log2, np.log10):
        return bool(args[0].value > 0 and least[0] > 0)
    if op in (np.exp2, np.exp):
        return bool(abs(args[0].value) < 8000)
    if op is power_from_log:
        return bool(abs(args[0].value * args[1].value) < 8000)
    return True


def _product(value: mpf, a: Bounded, b: Bounded) -> mpf:
    return abs(a.value) * b.error + abs(b.value) * a.error + a.error * b.error


def _whole(value: mpf, *args: Bounded) -> mpf:
    """Without an error of the arguments floor, // and % have none."""
    _demand(all(arg.error == 0 for arg in args))
    return mpf(0)


def _picked(value: mpf, i: Bounded, values: Bounded) -> mpf:
    _demand(i.error == 0 or mp.floor(i.value - i.error) == mp.floor(i.value + i.error))
    return values.error


def _counted(value: mpf, t: Bounded, bounds: Bounded) -> mpf:
    _demand(all(abs(t.value - b) > t.error + bounds.error or t.error == 0 for b in bounds.value))
    return mpf(0)


def _logarithm(base: Any) -> Callable[..., mpf]:
    return lambda value, a: a.error / (a.value - a.error) / mp.log(base)


def _slope(most: Any) -> Callable[..., mpf]:
    """The function is nowhere steeper."""
    return lambda value, a: most * a.error


def _exponential(base: Any) -> Callable[..., mpf]:
    return lambda value, a: value * (mpf(base) ** a.error - 1)


# What the errors of the arguments bring, by operation.
BROUGHT: dict[Callable[..., Any], Callable[..., mpf]] = {
    np.add: lambda value, a, b: a.error + b.error,
    np.subtract: lambda value, a, b: a.error + b.error,
    np.multiply: _product,
    np.true_divide: lambda value, a, b: (a.error + abs(value) * b.error) / (abs(b.value) - b.error),
    np.negative: lambda value, a: a.error,
    np.absolute: lambda value, a: a.error,
    np.minimum: lambda value, a, b: max(a.error, b.error),
    np.maximum: lambda value, a, b: max(a.error, b.error),
    np.floor: _whole,
    np.floor_divide: _whole,
    np.remainder: _whole,
    np.sqrt: lambda value, a: value - mp.sqrt(a.value - a.error),
    np.exp2: _exponential(2),
    half_cosine: _slope(mp.pi / 2),
    reached: _counted,
    pick: _picked,
    **{op: _logarithm(mpf(2)) for op in (log2_of_base, np.log2)},
    np.log: _logarithm(mp.e),
    np.log10: _logarithm(mpf(10)),
    **{op: _slope(1) for op in (np.sin, np.cos, np.tanh)},
    **{op: _slope(mp.pi) for op in (sinpi, cospi)},
    np.exp: _exponential(mp.e),
    power_from_log: lambda value, log, y: value * (mpf(2) ** _product(value, log, y) - 1),
}
# What an operation's own rounding adds, in units of 2^-64 of its result.
OWN: dict[Callable[..., Any], float] = {
    np.add: 1,
    np.subtract: 1,
    np.multiply: 1,
    np.true_divide: 1,
    np.floor_divide: 1,
    np.remainder: 1,
    np.sqrt: 1,
    np.exp2: 2.5,
    np.exp: 2.5,
    **dict.fromkeys((np.log, np.log2, np.log10), 1.1),
    **dict.fromkeys((np.sin, np.cos, sinpi, cospi), 3),
    np.tanh: 4.5,
    half_cosine: 3.5,
    power_from_log: 2.5,
}
