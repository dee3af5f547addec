"""Reads a formula's text with Python's ``ast``, which executes nothing: a list of operations.

What is not in the tables of words.py is refused.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ..errors import TextError
from .words import (
    ALLOWED,
    ARITHMETIC,
    COMPARISONS,
    FUNCTIONS,
    JOINS,
    SIGNS,
    Operation,
    compared,
    near,
)

MOST_CHARACTERS, MOST_DEPTH = 1000, 100
NUMBER, CONDITION = "number", "condition"


class Node(NamedTuple):
    """One operation: ``call`` of the last ``arity`` values; of a leaf the step or a number's place.

    Of an operation without a step ``value`` is its float64 value.
    """

    call: Operation | None
    arity: int = 0
    kind: str = NUMBER
    place: int | None = None
    value: Any = None


class Formula(NamedTuple):
    """Operations, each after those whose values it takes, and the numbers in order of reading."""

    nodes: tuple[Node, ...]
    numbers: tuple[float, ...]

    def at(self, t: Any, numbers: Any) -> Any:
        """Return the value at step ``t``: each operation is done once, and none in another."""
        values: list[Any] = []
        for call, arity, _, place, _ in self.nodes:
            if call is None:
                values.append(t if place is None else numbers[place])
            else:
                values[-arity:] = [call(*values[-arity:])]
        return values[-1]


@lru_cache(maxsize=1024)
def read(source: str) -> Formula:
    """Return the formula that a text says; raise TextError if it says none."""
    reader = _Reader(source)
    reader.read()
    return Formula(tuple(reader.nodes), tuple(reader.numbers))


class _Reader:
    """Makes nodes of a text."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.nodes: list[Node] = []
        self.numbers: list[float] = []

    def read(self) -> None:
        """Read the whole text."""
        self._check_characters()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # of a number that runs into a word
                tree = ast.parse(self.source, mode="eval")
        except SyntaxError as error:
            raise self._error("this is no formula", (error.offset or 1) - 1) from None
        except (ValueError, RecursionError, MemoryError):
            raise self._error("this is no formula, or nested too deep", 0) from None
        self._number(tree.body, 1)

    def _check_characters(self) -> None:
        if len(self.source) > MOST_CHARACTERS:
            raise self._error(f"a text has at most {MOST_CHARACTERS} characters", MOST_CHARACTERS)
        for at, character in enumerate(self.source):
            word = character != "_" or self._named(at)
            if not " " <= character <= "~" or character == "#" or not word:
                raise self._error(f"{character!r} is not allowed", at)

    def _named(self, at: int) -> bool:
        """Whether the underscore there is one of half_cosine."""
        return self.source[max(0, at - 4) : at + 7] == "half_cosine"

    def _error(self, problem: str, at: int, hint: str = "") -> TextError:
        """Return the error, which shows the place; without a ``hint`` it says all that there is."""
        first = max(0, at - 60)
        shown = "".join(c if " " <= c <= "~" else "?" for c in self.source[first : at + 20])
        place = f"  {shown}\n  {' ' * (at - first)}^"
        if hint:
            return TextError(f"{problem}, {hint}\n{place}")
        return TextError(f"{problem}:\n{place}\n{ALLOWED}")

    def _number(self, tree: ast.expr, depth: int) -> Node:
        node = self._node(tree, depth)
        if node.kind != NUMBER:
            problem = "a number is needed, write 1 if c else 0 for a condition c"
            raise self._error(problem, _at(tree))
        return node

    def _condition(self, tree: ast.expr, depth: int) -> Node:
        node = self._node(tree, depth)
        if node.kind != CONDITION:
            raise self._error("a condition is needed, write x != 0 for a number x", _at(tree))
        return node

    def _node(self, tree: ast.expr, depth: int) -> Node:
        if depth > MOST_DEPTH:
            raise self._error(f"a text is nested at most {MOST_DEPTH} deep", _at(tree))
        reading = self._READS.get(type(tree))
        if reading is None:
            raise self._error("this is not allowed", _at(tree))
        return reading(self, tree, depth + 1)

    def _operation(self, tree: ast.expr, call: Operation, *args: Node, kind: str = NUMBER) -> Node:
        value = None
        if all(arg.value is not None for arg in args):
            with np.errstate(all="ignore"):
                value = call(*(arg.value for arg in args))
            if not np.isfinite(value):
                raise self._error(f"the value of this is {value}", _at(tree))
        return self._add(Node(call, len(args), kind, None, value))

    def _add(self, node: Node) -> Node:
        self.nodes.append(node)
        return node

    def _literal(self, tree: ast.Constant, depth: int) -> Node:
        if isinstance(tree.value, bool) or not isinstance(tree.value, (int, float)):
            raise self._error("this is no number", _at(tree))
        try:
            return self._leaf(tree, float(tree.value))
        except OverflowError:
            return self._leaf(tree, np.inf)

    def _leaf(self, tree: ast.expr, value: float) -> Node:
        if not np.isfinite(value):
            raise self._error("a number must be below 1.8e308", _at(tree))
        self.numbers.append(value)
        return self._add(Node(None, place=len(self.numbers) - 1, value=np.float64(value)))

    def _name(self, tree: ast.Name, depth: int) -> Node:
        if tree.id == "pi":
            return self._leaf(tree, np.pi)
        if tree.id != "t":
            called = tree.id in FUNCTIONS
            hint = f"call it: {tree.id}(...)" if called else _meant(near(tree.id, called=False))
            raise self._error(f"{tree.id!r} is no name of a number", _at(tree), hint)
        return self._add(Node(None))

    def _arithmetic(self, tree: ast.BinOp, depth: int) -> Node:
        # The tree of a + b + c is (a + b) + c: a long sum is no deep one.
        steps, first = [tree], tree.left
        while isinstance(first, ast.BinOp):
            steps, first = [*steps, first], first.left
        node = self._number(first, depth)
        for step in reversed(steps):
            right = self._number(step.right, depth)
            call = ARITHMETIC.get(type(step.op))
            if call is None:
                hint = "write ** for a power" if isinstance(step.op, ast.BitXor) else ""
                raise self._error("this operator is not allowed", self._between(step), hint)
            node = self._operation(step, call, node, right)
        return node

    def _between(self, tree: ast.BinOp) -> int:
        """Return where the operator stands: behind the left side and the brackets around it."""
        at = tree.left.end_col_offset or 0
        return at + len(self.source[at:]) - len(self.source[at:].lstrip(" )"))

    def _attribute(self, tree: ast.Attribute, depth: int) -> Node:
        known = near(tree.attr, called=False)
        raise self._error("this is not allowed", _at(tree), f"write {known}" if known else "")

    def _unary(self, tree: ast.UnaryOp, depth: int) -> Node:
        if isinstance(tree.op, ast.Not):
            condition = self._condition(tree.operand, depth)
            return self._operation(tree, np.logical_not, condition, kind=CONDITION)
        call = SIGNS.get(type(tree.op))
        if call is None:
            raise self._error("this operator is not allowed", _at(tree))
        return self._operation(tree, call, self._number(tree.operand, depth))

    def _logic(self, tree: ast.BoolOp, depth: int) -> Node:
        parts = [self._condition(value, depth) for value in tree.values]
        return self._operation(tree, JOINS[type(tree.op)], *parts, kind=CONDITION)

    def _comparison(self, tree: ast.Compare, depth: int) -> Node:
        terms = [self._number(one, depth) for one in (tree.left, *tree.comparators)]
        if not all(type(op) in COMPARISONS for op in tree.ops):
            raise self._error("this comparison is not allowed", _at(tree))
        calls = [COMPARISONS[type(op)] for op in tree.ops]
        return self._operation(tree, compared(calls), *terms, kind=CONDITION)

    def _choice(self, tree: ast.IfExp, depth: int) -> Node:
        condition = self._condition(tree.test, depth)
        sides = self._number(tree.body, depth), self._number(tree.orelse, depth)
        return self._operation(tree, np.where, condition, *sides)

    def _call(self, tree: ast.Call, depth: int) -> Node:
        name = tree.func.id if isinstance(tree.func, ast.Name) else None
        if name not in FUNCTIONS:
            raise self._error("this cannot be called", _at(tree), _callable(tree.func))
        call, least, most, condition = FUNCTIONS[name]
        if tree.keywords or not least <= len(tree.args) <= most:
            count = f"{least}" if least == most else f"{least} to {most}"
            raise self._error(f"{name}() takes {count} arguments, without names", _at(tree))
        first = self._condition if condition else self._number
        args = [first(tree.args[0], depth), *(self._number(arg, depth) for arg in tree.args[1:])]
        return self._operation(tree, call, *args)

    _READS: ClassVar[dict[type, Callable[..., Node]]] = {
        ast.Constant: _literal,
        ast.Name: _name,
        ast.Attribute: _attribute,
        ast.BinOp: _arithmetic,
        ast.UnaryOp: _unary,
        ast.BoolOp: _logic,
        ast.Compare: _comparison,
        ast.IfExp: _choice,
        ast.Call: _call,
    }


def _meant(known: str) -> str:
    return f"did you mean {known}?" if known else ""


def _callable(function: ast.expr) -> str:
    """Return a hint at what to call in place of ``function``; "" if nothing is near."""
    if isinstance(function, ast.Attribute):
        if function.attr in FUNCTIONS:  # np.exp
            return f"write {function.attr}(...)"
        return _meant(near(function.attr, called=True))
    return _meant(near(function.id, called=True)) if isinstance(function, ast.Name) else ""


def _at(tree: ast.expr) -> int:
    """Return where in the text it begins."""
    return tree.col_offset
