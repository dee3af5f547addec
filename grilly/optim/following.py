"""Following: which course each group's numbers follow, for the groups that are there now."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from ..rules import check_states
from ..rules.on_device import Member, state_of
from ..rules.packed import Held
from ..schedules import Schedule
from .columns import columns_of
from .course import Course, States
from .given import schedule_at
from .options import Key
from .rows import Values
from .track import SomeFormulas, Track

# By name and group, the states of the rules in what the group follows.
AllStates = dict[str, list[States]]
T = TypeVar("T")


class Following:
    """By name and group the course that a number follows; None: it is left alone.

    ``schedules`` are by name, one for all groups or a list; what is no Schedule in them is made
    one. Raises TypeError or ValueError for names and lists that do not fit the optimizer.
    """

    def __init__(self, optimizer: Any, schedules: dict[str, Any], before: Following | None) -> None:
        self._groups = len(optimizer.param_groups)
        self._known: dict[int, Course] = before._known if before else {}
        self.columns = _checked_columns(optimizer, schedules)
        self.courses = {name: self._taken_in(name, schedules) for name in schedules}
        self._given = {
            name: list(given) if isinstance(given, list) else given
            for name, given in schedules.items()
        }
        self._watched = [one for one in self.scheduled() if one[2].watched]
        self.has_rules = any(course.starts for _, _, course in self.scheduled())
        # Group and key of each number that follows something, and the first one of each name.
        self.numbers = [(i, self.columns[name]) for name, i, _ in self.scheduled()]
        self.firsts = [*{key: (i, key) for i, key in reversed(self.numbers)}.values()]

    def fits(self, optimizer: Any, schedules: dict[str, Any]) -> bool:
        """Whether these are still the optimizer's groups, and these the schedules."""
        return len(optimizer.param_groups) == self._groups and schedules == self._given

    def scheduled(self) -> Iterator[tuple[str, int, Course]]:
        """Yield name, group and course of each number that follows one."""
        for name, courses in self.courses.items():
            for i, course in enumerate(courses):
                if course is not None:
                    yield name, i, course

    def written(self, optimizer: Any) -> dict[tuple[int, Key], str]:
        """Return how each number that follows something is called, by its group's identity."""
        # As they are: of another's optimizer nothing is asked.
        groups = getattr(optimizer, "__dict__", {}).get("param_groups") or optimizer.param_groups
        return {
            (id(groups[i]), self.columns[name]): f"{name} of param_groups[{i}]"
            for name, i, _ in self.scheduled()
            if i < len(groups)
        }

    def states(self, before: Following | None, states: AllStates) -> AllStates:
        """Return the rules' states after a change: where the course is another, the first ones."""
        old = before.courses if before else {}
        return {
            name: [
                states[name][i]
                if i < len(old.get(name, ())) and old[name][i] is course
                else _first(course)
                for i, course in enumerate(courses)
            ]
            for name, courses in self.courses.items()
        }

    def after(self, states: AllStates, t: float, metrics: Any) -> AllStates:
        """Return the rules' states after step ``t``; raise if ``metrics`` cannot be meant."""
        if isinstance(metrics, (str, bytes)):  # which float() would take
            raise TypeError(f"metrics must be a number, got {metrics!r}")
        if self.has_rules:
            return self._each(states, lambda _, course, own: course.advanced(own, t, metrics), {})
        if metrics is None:
            return states
        raise ValueError(
            f"metrics={metrics!r} is for a rule, and no schedule has one: call step(), which takes "
            "no epoch"
        )

    def formulas(
        self, states: AllStates, t: float, owner: str | None = None
    ) -> tuple[SomeFormulas, float]:
        """Return the formulas from step ``t`` on, and the last step that they all hold for.

        The values of rules are the device's to change if they have an ``owner``.
        """
        nothing: tuple[Schedule | None, float] = None, np.inf

        def make(where: str, course: Course, own: States) -> tuple[Schedule | None, float]:
            return course.formula(own, t, where, _token(owner, where))

        found = self._each(states, make, nothing)
        last = min((last for own in found.values() for _, last in own), default=np.inf)
        return {self.columns[name]: [f for f, _ in own] for name, own in found.items()}, last

    def members(self, states: AllStates, t: float, owner: str, nonfinite: str) -> list[Member]:
        """Return all rules as a device has them from step ``t`` on, in one order.

        One for all groups whose rules are the same and in the same state. Raises ValueError for a
        rule that a device cannot count, and for a function with rules.
        """
        found: list[Member] = []

        def make(where: str, course: Course, own: States) -> None:
            found.extend(course.members(own, t, _token(owner, where), nonfinite, where))

        self._each(states, make, None)
        return found

    def with_held(self, states: AllStates, held: Sequence[Held]) -> AllStates:
        """Return the states with what a device holds of ``members``, which were made of them."""
        rest = iter(held)

        def make(where: str, course: Course, own: States) -> States:
            return {path: state_of(next(rest)) for path in course.starts}

        return self._each(states, make, {})

    def agree(self, track: Track) -> bool:
        """Return whether the formulas in ``track`` have its rows' values on a device too.

        If not, other formulas are to be asked for.
        """
        seen: dict[tuple[int, int], bool] = {}
        for name, i, course in self._watched:
            key = self.columns[name]
            formula = track.formulas[key][i] if course.watched else None
            if formula is not None and (id(course), id(formula)) not in seen:
                values = np.array([row[i] for row in track.rows[key][: track.end]], np.float64)
                steps = track.t + np.arange(track.end, dtype=np.float64)
                seen[id(course), id(formula)] = course.agrees(formula, values, steps)
        return all(seen.values())

    def values(
        self, states: AllStates, steps: Values, now: Mapping[str, list[float]]
    ) -> dict[str, Values]:
        """Return the values at ``steps`` by name, (steps, groups), if no metric comes.

        Of a group that is left alone it is ``now``.
        """
        found = self._each(
            states, lambda where, course, own: course.values(own, steps, where), None
        )
        return {
            name: np.stack(
                [np.full(len(steps), now[name][i]) if v is None else v for i, v in enumerate(own)],
                axis=1,
            )
            for name, own in found.items()
        }

    def saved(self, states: AllStates) -> dict[str, AllStates]:
        """Return the rules' states for a state_dict: nothing where there are no rules."""
        return {"rules": copy.deepcopy(states)} if self.has_rules else {}

    def loaded(self, rules: Any) -> AllStates:
        """Return saved states of the rules; those of groups that were not there are the first.

        Raises StateError or ValueError if they do not fit, or a name's that has rules are missing.
        """
        if not isinstance(rules, dict) or not set(rules) <= set(self.courses):
            raise ValueError(f"rules are of {sorted(self.courses)}, got {rules!r}")
        having = {name for name, _, course in self.scheduled() if course.starts}
        missing = sorted(name for name in having if rules.get(name, []) == [])
        if missing:
            raise ValueError(
                f'"rules" must have the states of the rules of {missing}, which are missing'
            )
        states = {}
        for name, courses in self.courses.items():
            own = rules.get(name, [])
            if not isinstance(own, list) or len(own) > len(courses):
                raise ValueError(f"rules[{name!r}] must be {len(courses)} states, got {own!r}")
            for course, state in zip(courses, own, strict=False):
                check_states(None if course is None else course.tree, state)
            states[name] = _shared(own) + [_first(c) for c in courses[len(own) :]]
        return states

    def _taken_in(self, name: str, schedules: dict[str, Any]) -> list[Course | None]:
        given, where = schedules[name], f"schedules[{name!r}]"
        if not isinstance(given, list):
            schedules[name] = given = schedule_at(given, where)
            return [self._course(given)] * self._groups
        if len(given) != self._groups:
            raise ValueError(
                f"{where} has {len(given)} schedules, but the optimizer {self._groups} groups: "
                f"append an added group's (or None) to scheduler.{where}, or give one schedule "
                "for all groups"
            )
        if given and all(one is None for one in given):
            raise ValueError(f"{where} is None for all groups: leave {name!r} out")
        for i, one in enumerate(given):
            given[i] = None if one is None else schedule_at(one, f"{where}[{i}]")
        return [None if one is None else self._course(one) for one in given]

    def _course(self, tree: Schedule) -> Course:
        # One for the same object, so that it is traced and sampled once for all groups.
        if id(tree) not in self._known:
            self._known[id(tree)] = Course(tree)
        return self._known[id(tree)]

    def _each(
        self, states: AllStates, make: Callable[[str, Course, States], T], nothing: T
    ) -> dict[str, list[T]]:
        """Return what ``make`` gives by name and group: once for all of one course and state."""
        made: dict[tuple[int, int], T] = {}
        for name, i, course in self.scheduled():
            own = states[name][i]
            if (id(course), id(own)) not in made:
                made[id(course), id(own)] = make(f"{name} of param_groups[{i}]", course, own)
        return {
            name: [
                made.get((id(course), id(own)), nothing)
                for course, own in zip(courses, states[name], strict=True)
            ]
            for name, courses in self.courses.items()
        }


def _checked_columns(optimizer: Any, schedules: Mapping[str, Any]) -> dict[str, Key]:
    known = columns_of(optimizer)
    for name in schedules:
        if name not in known:
            raise ValueError(
                f"{name!r} is no number of this optimizer that can be scheduled; there are: "
                f"{', '.join(known) or 'none'}"
            )
    return {name: known[name] for name in schedules}


def _token(owner: str | None, where: str) -> str:
    return "" if owner is None else f"{owner}:{where}"


def _first(course: Course | None) -> States:
    return {} if course is None else course.starts


def _shared(states: list[States]) -> list[States]:
    """Return a copy in which equal states are one, so that they are moved on once."""
    kept: list[States] = []
    for state in states:
        same = [one for one in kept if one == state]
        kept.append(same[0] if same else copy.deepcopy(state))
    return kept
