"""Rules inside a schedule: their states by where they stand, and the formula that is left.

A rule's path is the one that a traced formula's constants have: "parts[1].parts[0]", and "" for a
rule that is the whole schedule.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..errors import StateError
from ..schedules import Constant, Schedule
from .base import Rule, State

States = Mapping[str, State]


def _inside(node: Any, path: str) -> list[tuple[str, str | int, Any]]:
    """Return (path, field or index, value) of what is in a dataclass or a tuple."""
    if isinstance(node, tuple):
        return [(f"{path}[{i}]", i, item) for i, item in enumerate(node)]
    if dataclasses.is_dataclass(node) and not isinstance(node, type):
        names = [field.name for field in dataclasses.fields(node)]
        return [(f"{path}.{n}" if path else n, n, getattr(node, n)) for n in names]
    return []


def rules_in(node: Any, path: str = "") -> Iterator[tuple[str, Rule]]:
    """Yield the path and the rule for each rule in ``node``."""
    if isinstance(node, Rule):
        yield path, node
        return
    for inner, _, value in _inside(node, path):
        yield from rules_in(value, inner)


def _swapped(node: Any, path: str, swap: Callable[[str, Rule], Any]) -> Any:
    """Return ``node`` with ``swap(path, rule)`` for each rule; itself if there is none in it."""
    if isinstance(node, Rule):
        return swap(path, node)
    old = _inside(node, path)
    new = {key: _swapped(value, inner, swap) for inner, key, value in old}
    if all(new[key] is value for _, key, value in old):
        return node
    if isinstance(node, tuple):
        return tuple(new.values())
    # What the constructor made of its arguments and has checked is kept as it is.
    copy = object.__new__(type(node))
    for key, value in new.items():
        object.__setattr__(copy, str(key), value)
    return copy


def starts(tree: Any) -> dict[str, State]:
    """Return the first state of each rule in ``tree``, by its path; {} if there is none.

    >>> from grilly.rules import Multiplicative
    >>> starts(Multiplicative(0.9))
    {'': {'t': 0, 'product': 1.0}}
    """
    return {path: rule.start() for path, rule in rules_in(tree)}


def bind(tree: Any, states: States) -> Any:
    """Return ``tree`` with each rule's value in ``states`` as a Constant in its place: a formula.

    Its structure does not depend on the states. A tree without rules is returned as it is.

    >>> from grilly.rules import Plateau
    >>> plateau = Plateau(0.5)
    >>> bind(plateau, {"": plateau.start()})
    Constant(value=0.5)
    """
    return _swapped(tree, "", lambda path, rule: Constant(rule.value_of(states[path])))


def advance(tree: Any, states: States, t: Any, metric: Any = None) -> dict[str, State]:
    """Return the states after step ``t``, whose metric is ``metric``: new ones where rules count.

    ``t`` is the step that has been taken, with the values bound before. Only the rules that have a
    say at step ``t`` count it: one that a Join has not reached yet stays at its start.

    Raises TypeError, which names the rule, if one of them needs a metric and there is none; and
    TypeError or ValueError for a metric that is no finite number.

    >>> from grilly.rules import Plateau
    >>> plateau = Plateau(0.5, patience=0)
    >>> states = advance(plateau, starts(plateau), 0, metric=2.0)
    >>> states[""]["best"]
    2.0
    """
    result = dict(states)
    if states:
        for path, rule in _active(_swapped(tree, "", _Mark), t):
            if rule.needs_metric and metric is None:
                raise TypeError(
                    f"{type(rule).__name__}{f' at {path}' if path else ''} needs a metric, got "
                    "None: pass it to step(), as in scheduler.step(loss)"
                )
            result[path] = rule.update(states[path], metric)
    return result


class _Mark(Schedule):
    """Stands for a rule and knows its path: one rule may stand in more than one place."""

    def __init__(self, path: str, rule: Rule) -> None:
        self.path, self.rule = path, rule


def _active(node: Any, t: Any) -> Iterator[tuple[str, Rule]]:
    """Yield the path and the rule for each mark that has a say in ``node`` at step ``t``."""
    if isinstance(node, _Mark):
        yield node.path, node.rule
        return
    for child, own in node.parts(t):
        yield from _active(child, own)


def check_states(tree: Any, states: Any) -> None:
    """Raise StateError unless ``states``, loaded from somewhere, fit the rules in ``tree``."""
    rules = dict(rules_in(tree))
    if not isinstance(states, dict) or set(states) != set(rules):
        raise StateError(f"states must be a dict with the keys {sorted(rules)}, got {states!r}")
    for path, rule in rules.items():
        rule.check(states[path], f"states[{path!r}]")
