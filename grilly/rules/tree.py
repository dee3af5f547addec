"""Rules inside a schedule: their states by where they stand, and the formula that is left.

A rule's path is the one that a traced formula's constants have: "members[1].phases[0]", and "" for
a rule that is the whole schedule.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..errors import StateError
from ..nested import inside, rebuilt
from ..schedules import Constant, Schedule
from ..schedules.base import unchecked
from ..schedules.depth import check_depth
from ..schedules.live import Live
from .base import Rule, State

States = Mapping[str, State]


def rules_in(node: Any, path: str = "") -> Iterator[tuple[str, Rule]]:
    """Yield the path and the rule for each rule in ``node``."""
    if isinstance(node, Rule):
        yield path, node
        return
    for inner, value in inside(node, path):
        yield from rules_in(value, inner)


def _swapped(node: Any, path: str, swap: Callable[[str, Rule], Any]) -> Any:
    """Return ``node`` with ``swap(path, rule)`` for each rule; itself if there is none in it."""
    if isinstance(node, Rule):
        return swap(path, node)
    parts = inside(node, path)
    return rebuilt(node, [_swapped(value, inner, swap) for inner, value in parts])


def starts(tree: Any) -> dict[str, State]:
    """Return the first state of each rule in ``tree``, by its path; {} if there is none.

    Raises TraceError for more than 100 schedules one in another.

    >>> from grilly.rules import Multiplicative
    >>> starts(Multiplicative(0.9))
    {'': {'t': 0, 'product': 1.0}}
    """
    check_depth(tree)
    return {path: rule.start() for path, rule in rules_in(tree)}


def bind(tree: Any, states: States) -> Any:
    """Return ``tree`` with each rule's value in ``states`` as a Constant in its place: a formula.

    Its structure does not depend on the states. A tree without rules is returned as it is.

    >>> from grilly.rules import Plateau
    >>> plateau = Plateau(0.5)
    >>> bind(plateau, {"": plateau.start()})
    Constant(value=0.5)
    """
    return _swapped(tree, "", lambda path, rule: unchecked(Constant, rule.value_of(states[path])))


def bind_live(tree: Any, states: States, owner: str) -> Any:
    """Return ``tree`` with each rule's value as a Live, which the device may change: a formula.

    The token of one is ``owner`` and its path.
    """

    def swap(path: str, rule: Rule) -> Live:
        return Live(rule.value_of(states[path]), f"{owner}:{path}")

    return _swapped(tree, "", swap)


def looks(tree: Any, path: str, t: float) -> bool:
    """Whether the rule at ``path`` takes notice of the metric of step ``t``."""
    marked = _swapped(tree, "", _Mark)
    own = dict(_clocks(marked, t)).get(path, math.inf)
    following = dict(_clocks(marked, t + 1)).get(path, math.inf)
    return following >= 1 and _ticks(own, following)


def _ticks(own: float, following: float) -> bool:
    return 0 <= own < math.inf and (following == math.inf or following // 1 > own // 1)


def advance(tree: Any, states: States, t: float, metric: Any = None) -> dict[str, State]:
    """Return the states at step ``t + 1``, from those at step ``t``, whose metric is ``metric``.

    A rule counts where its own clock goes on to its next step: not before a Join has come to it,
    once per tick of a Stretch, no more where an End clamps it. Up to its own step 0 it is in its
    first state: in an End that cycles it begins anew each time.

    Raises TypeError, which names the rule, if one that counts needs a metric and there is none;
    and TypeError or ValueError for a metric that is no finite number. Nothing is changed.

    >>> from grilly.rules import Plateau
    >>> plateau = Plateau(0.5, patience=0)
    >>> states = advance(plateau, starts(plateau), 0, metric=2.0)
    >>> states[""]["best"]
    2.0
    """
    return _advanced(tree, states, t, lambda path, rule: _updated(rule, path, states[path], metric))


def coasts(tree: Any) -> bool:
    """Return whether a rule in ``tree`` moves on without a metric."""
    return not all(rule.needs_metric for _, rule in rules_in(tree))


def coast(tree: Any, states: States, t: float) -> dict[str, State]:
    """Return the states at step ``t + 1`` if no metric comes: rules that need one stay.

    Raises what ``advance`` raises of the others.
    """

    def update(path: str, rule: Rule) -> State:
        return states[path] if rule.needs_metric else rule.update(states[path], None)

    return _advanced(tree, states, t, update)


def _advanced(
    tree: Any, states: States, t: float, update: Callable[[str, Rule], State]
) -> dict[str, State]:
    if not states:
        return {}
    marked = _swapped(tree, "", _Mark)
    now, after = dict(_clocks(marked, t)), dict(_clocks(marked, t + 1))
    result = dict(states)
    for path, rule in rules_in(tree):
        own, following = now.get(path, math.inf), after.get(path, math.inf)
        if following < 1:
            result[path] = rule.start()
        elif _ticks(own, following):
            result[path] = update(path, rule)
    return result


def _updated(rule: Rule, path: str, state: State, metric: Any) -> State:
    if rule.needs_metric and metric is None:
        where = f"{type(rule).__name__} at {path}" if path else type(rule).__name__
        raise TypeError(
            f"{where} needs a metric, got None: pass it to step(), as in scheduler.step(loss)"
        )
    return rule.update(state, metric)


class _Mark(Schedule):
    """Stands for a rule and knows its path: one rule may stand in more than one place."""

    def __init__(self, path: str, rule: Rule) -> None:
        self.path = path


def _clocks(node: Any, t: float) -> Iterator[tuple[str, float]]:
    """Yield the path and the own step of each mark that has a say in ``node`` at step ``t``."""
    if isinstance(node, _Mark):
        yield node.path, float(t)
    elif dataclasses.is_dataclass(node) and isinstance(node, Schedule):
        for part, own in node.parts(t):
            yield from _clocks(part, own)


def check_states(tree: Any, states: Any) -> None:
    """Raise StateError unless ``states``, loaded from somewhere, fit the rules in ``tree``."""
    rules = dict(rules_in(tree))
    if not isinstance(states, dict) or set(states) != set(rules):
        raise StateError(f"states must be a dict with the keys {sorted(rules)}, got {states!r}")
    for path, rule in rules.items():
        rule.check(states[path], f"states[{path!r}]")
