"""Programs: a traced formula cut into its structure and its row constants.

What does not depend on the step is computed once on the host, with the same arithmetic and so to
the same bits, and travels to the GPU as data. What is left is the structure: a short list of
operations without a single number in it, shared by all formulas that differ in numbers only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from . import xfloat
from .errors import TraceError
from .expr import BOOL, LIST, LOG, NUMBER, OPS, Expr, numbers_in_a_list, trace
from .loops import check_loops

MOST_DEPTH = 100
MOST_LABEL = 1000
# What is not computed on the host: a step, and a constant that the device may change.
LEAVES = ("t", "k", "live")

# m and e of the number m * 2**e.
Number = tuple[int, int]
WORDS = {NUMBER: 3, LOG: 5, BOOL: 1}


def words_of(kind: str) -> int:
    """Return the uint32 words of a constant: of a number, a bool, a logarithm, or a "list 8"."""
    name, _, count = kind.partition(" ")
    return WORDS[NUMBER] * int(count) if name == LIST else WORDS[name]


class Node(NamedTuple):
    """One statement: ``op`` is a row of OPS with node numbers as ``args``, or a leaf.

    Leaves are "t", "k" and "constant", whose one argument is its slot.
    """

    op: Any
    args: tuple[int, ...] = ()


@dataclass(frozen=True)
class Structure:
    """A formula without its numbers: statements, the last one its value, and kinds of constants."""

    nodes: tuple[Node, ...]
    slots: tuple[str, ...]

    @property
    def words(self) -> int:
        """Number of uint32 words that the row constants take."""
        return sum(map(words_of, self.slots))

    def kind(self, node: Node) -> str:
        """Return the kind of value that ``node`` gives."""
        if node.op is np.where:
            return self.kind(self.nodes[node.args[1]])
        if node.op in OPS:
            return OPS[node.op].kind
        return self.slots[node.args[0]] if node.op == "constant" else NUMBER

    def offsets(self) -> list[int]:
        """Return where each constant begins, in words."""
        sizes = [words_of(kind) for kind in self.slots]
        return [sum(sizes[:slot]) for slot in range(len(sizes))]


@dataclass(frozen=True)
class Program:
    """A structure and one set of its constants: (structure.words,) uint32."""

    structure: Structure
    constants: np.ndarray[Any, np.dtype[np.uint32]] = field(compare=False)
    labels: tuple[str, ...] = field(compare=False)


def program(formula: Callable[..., Any]) -> Program:
    """Return the program of ``formula(t)`` or ``formula(t, k)``; it must be hashable.

    Raises TraceError where the formula cannot run on the GPU, or has more to do than a shader can.
    """
    try:
        return _program(formula)
    except RecursionError:
        raise TraceError(
            f"the formula is nested too deep: schedules may be {MOST_DEPTH} deep one in another"
        ) from None


@lru_cache(maxsize=16384)
def _program(formula: Callable[..., Any]) -> Program:
    cut = _Cut(trace(formula))
    check_loops([node.op for node in cut.nodes], cut.kinds)
    values = [_words(kind, value) for kind, value in zip(cut.kinds, cut.values, strict=True)]
    constants = np.concatenate([*values, np.empty(0, np.uint32)])
    structure = Structure(tuple(cut.nodes), tuple(cut.kinds))
    return Program(structure, constants, tuple(cut.labels))


def evaluate(structure: Structure, constants: Any, t: xfloat.X, k: xfloat.X) -> xfloat.X:
    """Return the exact arithmetic's value, bit for bit what the shader computes.

    ``constants`` is (..., structure.words) uint32 and broadcasts against ``t`` and ``k``.
    """
    slots = numbers(structure, constants)
    results: list[Any] = []
    for op, args in structure.nodes:
        if op in OPS:
            results.append(OPS[op].mirror(*(results[i] for i in args)))
        else:
            results.append(slots[args[0]] if op == "constant" else {"t": t, "k": k}[op])
    value: xfloat.X = results[-1]
    return value


def numbers(structure: Structure, constants: Any) -> list[Any]:
    """Return what the words of the row constants say, slot by slot: X, L, bools or lists of X."""
    return [
        _value(kind, constants[..., at : at + words_of(kind)])
        for kind, at in zip(structure.slots, structure.offsets(), strict=True)
    ]


def significands(
    formula: Callable[..., Any], t: float, moved: np.ndarray[Any, np.dtype[np.int64]]
) -> list[Number]:
    """Return the exact arithmetic's values at steps t + moved: m and e of m * 2**e."""
    own, rows = program(formula), len(moved)
    steps = xfloat.add(xfloat.from_int(moved), xfloat.from_float64(t))
    exact = evaluate(own.structure, own.constants, steps, xfloat.from_int(1))
    sizes, exponents, signs = (np.broadcast_to(field, rows).tolist() for field in exact)
    triples = zip(sizes, exponents, signs, strict=True)
    return [(-m if negative else m, e - 64) for m, e, negative in triples]


def exact(formula: Callable[..., Any], t: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return ``formula(t)`` as the device computes it, rounded to float64; ``t`` is an array."""
    made, steps = program(formula), xfloat.from_float64(t)
    values = xfloat.to_float64(evaluate(made.structure, made.constants, steps, steps))
    return np.broadcast_to(values, np.shape(t))


def _words(kind: str, value: Any) -> np.ndarray[Any, np.dtype[np.uint32]]:
    return np.atleast_1d(np.uint32(value) if kind == BOOL else xfloat.to_words(value)).reshape(-1)


def _value(kind: str, words: Any) -> Any:
    if kind == BOOL:
        return words[..., 0] != 0
    if kind.startswith(LIST):
        words = words.reshape(*words.shape[:-1], -1, WORDS[NUMBER])
    return xfloat.log_from_words(words) if kind == LOG else xfloat.from_words(words)


class _Cut:
    """Numbers the statements of a graph; each maximal part without a step becomes a constant.

    Node by node, each once and without recursion: a graph may be deep, and share what is in it.
    """

    def __init__(self, root: Expr) -> None:
        self.nodes: list[Node] = []
        self.kinds: list[str] = []
        self.values: list[Any] = []
        self.labels: list[str] = []
        self._seen: dict[Node, int] = {}
        self._slots: dict[str, int] = {}
        order = _ordered(root, lambda expr: expr.args)
        self._varies: dict[Expr, bool] = {}
        self._label: dict[Expr, str] = {}
        self._mirror: dict[Expr, Any] = {}
        for expr in order:
            self._look(expr)
        number: dict[Expr, int] = {}
        for expr in _ordered(root, lambda expr: expr.args if self._varies[expr] else ()):
            number[expr] = self._number(expr, number)

    def _look(self, expr: Expr) -> None:
        """Tell whether ``expr`` depends on a step; if not, its value and what it is called."""
        self._varies[expr] = expr.op in LEAVES or any(self._varies[arg] for arg in expr.args)
        if expr.op == "live":
            self._label[expr], self._mirror[expr] = expr.label, _exact(expr.value)
        if self._varies[expr]:
            if expr.kind == LIST:
                raise TraceError(
                    "the numbers that reached() and pick() take must not depend on a step"
                )
            return
        self._label[expr] = _label(expr, [self._label[arg] for arg in expr.args])
        self._mirror[expr] = (
            _exact(expr.value)
            if expr.op == "constant"
            else OPS[expr.op].mirror(*(self._mirror[arg] for arg in expr.args))
        )

    def _number(self, expr: Expr, number: dict[Expr, int]) -> int:
        """Return the number of the statement that gives ``expr``, adding it if it is new."""
        node = (
            Node(expr.op, tuple(number[arg] for arg in expr.args))
            if self._varies[expr] and expr.op != "live"
            else Node("constant", (self._slot(expr),))
        )
        if node not in self._seen:
            self._seen[node] = len(self.nodes)
            self.nodes.append(node)
        return self._seen[node]

    def _slot(self, expr: Expr) -> int:
        # By where a number stands, not by its value: the structure must not depend on values.
        label = self._label[expr]
        if label not in self._slots:
            self._slots[label] = len(self.kinds)
            self.kinds.append(f"{LIST} {len(expr.args)}" if expr.kind == LIST else expr.kind)
            self.values.append(self._mirror[expr])
            self.labels.append(label)
        return self._slots[label]


def _ordered(root: Expr, args: Callable[[Expr], Sequence[Expr]]) -> list[Expr]:
    """Return ``root`` and all beneath it, each once, after its ``args``."""
    found: dict[Expr, None] = {}
    stack = [(root, iter(args(root)))]
    while stack:
        expr, rest = stack[-1]
        new = next((arg for arg in rest if arg not in found), None)
        if new is None:
            found[expr] = None
            stack.pop()
        else:
            stack.append((new, iter(args(new))))
    return list(found)


def _label(expr: Expr, labels: list[str]) -> str:
    """Return what a constant is called whose parts are called ``labels``."""
    if expr.op == "constant":
        return expr.label
    if expr.op is numbers_in_a_list:
        name = labels[0].removesuffix("[0]")
        if labels == [f"{name}[{i}]" for i in range(len(labels))]:
            return f"{name}[]"
    label = f"{expr.op.__name__}({', '.join(labels)})"
    # Parts that share parts would make it grow without end.
    digest = hashlib.sha256(label.encode()).hexdigest()
    return label if len(label) < MOST_LABEL else f"{expr.op.__name__}#{digest}"


def _exact(value: Any) -> Any:
    if isinstance(value, bool):
        return np.bool_(value)
    return (
        xfloat.from_int(value)
        if isinstance(value, (int, np.integer))
        else xfloat.from_float64(value)
    )
