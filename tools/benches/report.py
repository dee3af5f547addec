"""Report: what was measured, as Markdown; printed as it comes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .goals import GOALS
from .scale import Scale
from .timing import markdown


class Figure(NamedTuple):
    """A figure that has a goal (its name in GOALS), and the same thing against itself."""

    goal: str
    device: str
    value: float
    noise: float | None = None

    @property
    def met(self) -> bool:
        """Whether it is as it should be."""
        return GOALS[self.goal].met(self.device, self.value)

    @property
    def used(self) -> float:
        """How much of its limit it takes: up to 1 the goal is met."""
        goal = GOALS[self.goal]
        limit = goal.limit_on(self.device)
        if goal.least:
            return limit / self.value
        return self.value / limit if limit else float(self.value > 0) + 1.0


class Report:
    """Tables and figures, in the order in which they came."""

    def __init__(self, scale: Scale) -> None:
        self.scale = scale
        self.figures: list[Figure] = []
        # By label: time per step by window, relative to that of the default.
        self.curves: dict[str, dict[int, float]] = {}
        self._texts: list[str] = []

    def say(self, text: str) -> None:
        """Add a paragraph."""
        print(f"\n{text}", flush=True)
        self._texts.append(text)

    def section(self, title: str) -> None:
        """Begin a section."""
        self.say(f"## {title}")

    def table(self, title: str, head: list[str], rows: Iterable[list[str]]) -> None:
        """Add a table, if it has a row: a part may have no device."""
        if found := list(rows):
            self.say(f"{title}\n\n{markdown(head, found)}")

    def figure(self, goal: str, device: str, value: float, noise: float | None = None) -> None:
        """Add a figure that has a goal."""
        assert goal in GOALS
        self.figures.append(Figure(goal, device, value, noise))

    def goals(self) -> str:
        """Return the table of the figures with goals."""
        ordered = sorted(self.figures, key=lambda figure: list(GOALS).index(figure.goal))
        head = ["figure", "device", "measured", "self", "goal", "met"]
        return markdown(head, [self._row(figure) for figure in ordered])

    def markdown(self, notes: Sequence[str], picture: str = "") -> str:
        """Return the whole page; ``picture`` is its path from there."""
        parts = ["# Figures", *notes]
        if picture:
            parts.append(f"![figures as shares of their goals, and time by window]({picture})")
        if self.figures:
            parts += ["## Goals", self.goals()]
        return "\n\n".join([*parts, *self._texts]) + "\n"

    def _row(self, figure: Figure) -> list[str]:
        goal = GOALS[figure.goal]
        unit = f" {goal.unit}" if goal.unit else ""
        sign, limit = ">=" if goal.least else "<=", goal.limit_on(figure.device)
        return [
            goal.named(self.scale),
            figure.device,
            f"{number(figure.value)}{unit}",
            "" if figure.noise is None else number(figure.noise),
            f"{sign} {limit:g}{unit}",
            "yes" if figure.met else "no",
        ]


def number(value: float) -> str:
    """Return a figure with three digits, or a whole number as it is."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.2f}" if 1 <= abs(value) < 100 else f"{value:.3g}"
