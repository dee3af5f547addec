"""The language: run a numpy formula on symbols and it becomes a graph.

A schedule is an ordinary numpy function of the step. Called with a number it returns a number;
called with ``Expr`` leaves it returns the ``Expr`` graph of the same formula. There are two kinds
of value, number and bool (and, inside a power, the wide logarithm of its base, and lists of
numbers, of which a formula may pick one).
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from . import xfloat
from .composed import COMPOSED
from .errors import TraceError
from .mathfun import cospi, half_cosine, pick, positive_power, reached, sinpi
from .nested import inside, rebuilt
from .powers import power

NUMBER, BOOL, LOG, LIST = "number", "bool", "log", "list"


class Op(NamedTuple):
    """One row of the language: result kind, argument kind, GLSL text, exact numpy mirror."""

    kind: str
    of: str
    glsl: str
    mirror: Callable[..., Any]


def log2_of_base(x: Any) -> Any:
    """Stand for the 128-bit logarithm of a power's base (only ever traced)."""
    raise NotImplementedError


def power_from_log(log: Any, y: Any) -> Any:
    """Stand for 2^(log * y), the other half of a power (only ever traced)."""
    raise NotImplementedError


def numbers_in_a_list(*numbers: Any) -> Any:
    """Stand for the list that ``reached`` and ``pick`` take: no step is in it (only traced)."""
    raise NotImplementedError


# The whole language, and the only list of it. (Its mpmath column is tests/truth.py.)
OPS: dict[Callable[..., Any], Op] = {
    np.add: Op(NUMBER, NUMBER, "x_add({0}, {1})", xfloat.add),
    np.subtract: Op(NUMBER, NUMBER, "x_sub({0}, {1})", xfloat.sub),
    np.multiply: Op(NUMBER, NUMBER, "x_mul({0}, {1})", xfloat.mul),
    np.true_divide: Op(NUMBER, NUMBER, "x_div({0}, {1})", xfloat.div),
    np.negative: Op(NUMBER, NUMBER, "x_negative({0})", xfloat.negative),
    np.absolute: Op(NUMBER, NUMBER, "x_absolute({0})", xfloat.absolute),
    np.minimum: Op(NUMBER, NUMBER, "x_minimum({0}, {1})", xfloat.minimum),
    np.maximum: Op(NUMBER, NUMBER, "x_maximum({0}, {1})", xfloat.maximum),
    np.floor: Op(NUMBER, NUMBER, "x_floor({0})", xfloat.floor),
    np.floor_divide: Op(NUMBER, NUMBER, "x_floor_divide({0}, {1})", xfloat.floor_divide),
    np.remainder: Op(NUMBER, NUMBER, "x_remainder({0}, {1})", xfloat.remainder),
    np.sqrt: Op(NUMBER, NUMBER, "x_sqrt({0})", xfloat.sqrt),
    np.exp2: Op(NUMBER, NUMBER, "x_exp2({0})", xfloat.exp2),
    np.exp: Op(NUMBER, NUMBER, "x_exp({0})", xfloat.exp),
    np.log: Op(NUMBER, NUMBER, "x_log({0})", xfloat.log),
    np.log2: Op(NUMBER, NUMBER, "x_rounded_log2({0})", xfloat.rounded_log2),
    np.log10: Op(NUMBER, NUMBER, "x_log10({0})", xfloat.log10),
    np.sin: Op(NUMBER, NUMBER, "x_sin({0})", xfloat.sin),
    np.cos: Op(NUMBER, NUMBER, "x_cos({0})", xfloat.cos),
    np.tanh: Op(NUMBER, NUMBER, "x_tanh({0})", xfloat.tanh),
    sinpi: Op(NUMBER, NUMBER, "x_sinpi({0})", xfloat.sinpi),
    cospi: Op(NUMBER, NUMBER, "x_cospi({0})", xfloat.cospi),
    half_cosine: Op(NUMBER, NUMBER, "x_half_cosine({0})", xfloat.half_cosine),
    log2_of_base: Op(LOG, NUMBER, "x_log2({0})", xfloat.log2),
    numbers_in_a_list: Op(LIST, NUMBER, "", xfloat.stack),
    reached: Op(NUMBER, NUMBER, "x_reached({0}, {1})", xfloat.reached),
    pick: Op(NUMBER, NUMBER, "x_pick({0}, {1})", xfloat.pick),
    power_from_log: Op(NUMBER, LOG, "x_power_from_log({0}, {1})", xfloat.power_from_log),
    np.less: Op(BOOL, NUMBER, "x_less({0}, {1})", xfloat.less),
    np.less_equal: Op(BOOL, NUMBER, "x_less_equal({0}, {1})", xfloat.less_equal),
    np.greater: Op(BOOL, NUMBER, "x_greater({0}, {1})", xfloat.greater),
    np.greater_equal: Op(BOOL, NUMBER, "x_greater_equal({0}, {1})", xfloat.greater_equal),
    np.equal: Op(BOOL, NUMBER, "x_equal({0}, {1})", xfloat.equal),
    np.not_equal: Op(BOOL, NUMBER, "x_not_equal({0}, {1})", xfloat.not_equal),
    np.logical_and: Op(BOOL, BOOL, "({0} && {1})", np.logical_and),
    np.logical_or: Op(BOOL, BOOL, "({0} || {1})", np.logical_or),
    np.logical_not: Op(BOOL, BOOL, "(!{0})", np.logical_not),
    np.where: Op(NUMBER, BOOL, "x_where({0}, {1}, {2})", xfloat.where),
}
# numpy spells these in more than one way; each is said with the operations above.
_SAME: dict[Callable[..., Any], Callable[..., Any]] = {
    np.power: lambda a, y: power(a, y, power_from_log_of),
    np.float_power: lambda a, y: power(a, y, power_from_log_of),
    positive_power: lambda a, y: power_from_log_of(a, y),
    np.positive: lambda a: a,
    np.bitwise_and: np.logical_and,
    np.bitwise_or: np.logical_or,
    np.invert: np.logical_not,
    **COMPOSED,
}


class _Seen(threading.local):
    """What the formula that is traced was refused first, which it may have caught."""

    refusal: str | None = None


_seen = _Seen()


def refused(text: str) -> TraceError:
    """Return the error for what a formula cannot do; a trace ends with it if nobody raises it."""
    _seen.refusal = _seen.refusal or text
    return TraceError(text)


class Expr(NDArrayOperatorsMixin):
    """One node of a graph: an operation on earlier nodes, or a leaf.

    Leaves are the schedule step ("t"), the optimizer step ("k") and constants, which carry their
    ``value`` and a ``label`` that says where they stand in the formula.
    """

    __slots__ = ("args", "kind", "label", "op", "value")

    def __init__(
        self,
        op: Any,
        args: tuple[Expr, ...] = (),
        kind: str = NUMBER,
        value: Any = None,
        label: str = "",
    ) -> None:
        self.op, self.args, self.kind, self.value, self.label = op, args, kind, value, label

    def __array_ufunc__(self, ufunc: Any, method: str, *args: Any, **kwargs: Any) -> Expr:
        if method != "__call__" or kwargs:
            raise refused(
                f"np.{ufunc.__name__} with {method} or keyword arguments cannot run on the GPU"
            )
        return apply(ufunc, args)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Expr:
        if kwargs:
            raise refused(f"np.{func.__name__} takes positional arguments only in a formula")
        return apply(func, args)

    def __grilly_function__(self, func: Any, *args: Any) -> Expr:
        return apply(func, args)

    def as_live(self) -> Expr:
        """Return this constant as one that the device itself may change: nothing is made of it."""
        return Expr("live", value=self.value, label=self.label)

    def __bool__(self) -> bool:
        raise refused(
            "a formula cannot branch on the step: write np.where(condition, a, b) for if and else, "
            "np.minimum and np.maximum for min and max, & and | for and and or"
        )

    def __float__(self) -> float:
        raise refused("math.* needs a number: write np.sqrt, np.cos, ... instead")

    def __int__(self) -> int:
        raise refused("a formula's step is a symbol: write np.floor(x) or x // 1 instead of int(x)")

    __index__ = __int__

    def __hash__(self) -> int:
        refused("a formula cannot look its step up: write np.interp or a list to pick from")
        return object.__hash__(self)

    def __repr__(self) -> str:
        refused("a formula's step is a symbol: nothing can follow from its text")
        return f"<Expr {self.op}>"


def power_from_log_of(base: Any, exponent: Any) -> Expr:
    """Record base ** exponent as 2 ** (exponent * log2(base)), for a base >= 0.

    Two nodes, so that the logarithm of a constant base is taken once, on the host.
    """
    return apply(power_from_log, (apply(log2_of_base, (base,)), exponent))


def apply(func: Callable[..., Any], args: tuple[Any, ...]) -> Expr:
    """Return the node ``func(*args)``; raise TraceError if the language has no such operation."""
    if func in _SAME:
        same: Expr = _SAME[func](*args)
        return same
    if func not in OPS:
        raise refused(f"{_name(func)} has no GPU counterpart; a formula can use: {_names()}")
    nodes = tuple(_node(arg) for arg in args)
    kind = nodes[1].kind if func is np.where else OPS[func].kind
    _check_kinds(func, nodes)
    return Expr(func, nodes, kind)


def _node(value: Any) -> Expr:
    if isinstance(value, Expr):
        return value
    if isinstance(value, tuple):
        return Expr(numbers_in_a_list, tuple(map(_node, value)), LIST)
    return constant(value, repr(value))


def _check_kinds(func: Callable[..., Any], nodes: tuple[Expr, ...]) -> None:
    if nodes[0].kind != OPS[func].of:
        raise refused(
            f"{_name(func)} takes a {OPS[func].of} first, got a {nodes[0].kind}: "
            "write np.where(condition, 1, 0) to count a condition"
        )
    rest = {node.kind for node in nodes[1:]}
    allowed = {BOOL} if OPS[func].of == BOOL and func is not np.where else {NUMBER}
    if func is np.where:
        allowed = {nodes[1].kind}
    if func in (reached, pick):
        allowed = {LIST}
    if not rest <= allowed:
        raise refused(
            f"{_name(func)} mixes numbers and conditions: write np.where(condition, 1, 0)"
        )


def constant(value: Any, label: str = "") -> Expr:
    """Return a constant leaf; ``value`` is a bool or a finite real number.

    Raises TraceError for anything else: a formula's constants are numbers.
    """
    if isinstance(value, (bool, np.bool_)):
        return Expr("constant", kind=BOOL, value=bool(value), label=label)
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return constant(value[()], label)
    if isinstance(value, (int, float, np.integer, np.floating)):
        if not np.isfinite(value):
            raise refused(f"a formula's constants are finite numbers, got {value!r}")
        number = value.item() if isinstance(value, np.generic) else value
        return Expr("constant", value=number, label=label)
    raise refused(f"a formula's constants are numbers, got {value!r}")


def trace(formula: Callable[..., Any]) -> Expr:
    """Return the graph of ``formula(t)`` or ``formula(t, k)``.

    The fields of a dataclass become constants. Raises TraceError, which says what to write, where
    the formula does something that cannot run on the GPU.
    """
    leaves = (Expr("t"), Expr("k"))[: _arity(formula)]
    before, _seen.refusal = _seen.refusal, None
    try:
        result = symbolic(formula, "")(*leaves)
        if _seen.refusal is not None:  # and the function has caught it: its result tells nothing
            raise TraceError(_seen.refusal)
    finally:
        _seen.refusal = before
    root = result if isinstance(result, Expr) else constant(result, repr(result))
    if root.kind != NUMBER:
        raise TraceError(f"a formula returns a number, got a {root.kind}")
    return root


def _arity(formula: Callable[..., Any]) -> int:
    return min(2, len(inspect.signature(formula).parameters))


def symbolic(value: Any, label: str) -> Any:
    """Return ``value`` with every number in it, nested dataclasses and tuples too, as a leaf."""
    if parts := inside(value, label):
        return rebuilt(value, [symbolic(part, inner) for inner, part in parts])
    if isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool):
        return constant(value, label)
    return value


def _name(func: Callable[..., Any]) -> str:
    name = func.__name__
    return f"np.{name}" if getattr(np, name, None) is func else name


def _names() -> str:
    inner = (log2_of_base, power_from_log, numbers_in_a_list)
    public: list[Any] = [op for op in OPS if op not in inner]
    return ", ".join(sorted(_name(op) for op in (*public, *COMPOSED, np.power)))
