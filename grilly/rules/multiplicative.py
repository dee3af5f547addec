"""Multiplicative: the running product of a factor."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from ..schedules import Constant, Schedule
from ..schedules.checks import check_number
from .base import Rule, State
from .tree import rules_in


@dataclass(frozen=True)
class Multiplicative(Rule):
    """factor(1) factor(2) ... factor(t) at step t of its own clock: 1 at its step 0.

    As torch.optim.lr_scheduler.MultiplicativeLR, divided by the initial rate. ``factor`` is a
    Schedule, a number, or any function of the step; it is asked once per step, on the host. No
    metric is needed.

    Raises TypeError if ``factor`` is none of these or has a rule in it, and from ``update`` if it
    gives what is no number; ValueError if the product is no longer finite.

    >>> product = Multiplicative(lambda t: 0.5 if t % 2 == 0 else 1.0)
    >>> state, values = product.start(), []
    >>> for step in range(5):
    ...     values.append(product.value_of(state))
    ...     state = product.update(state, None)
    >>> values
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    factor: Schedule | Callable[[int], Any] | float

    needs_metric: ClassVar[bool] = False

    def check_settings(self) -> None:
        """Raise TypeError or ValueError if the fields are no settings of this rule."""
        if not callable(self.factor):
            check_number("factor", self.factor)
            object.__setattr__(self, "factor", Constant(self.factor))
        inside = next(iter(rules_in(self.factor)), None)
        if inside is not None:
            raise TypeError(f"factor must be a function of the step, got a rule: {inside[1]!r}")

    def start(self) -> State:
        """Return the state at step 0: the empty product."""
        return {"t": 0, "product": 1.0}

    def update(self, state: State, metric: Any = None) -> State:
        """Return the state one step on; ``metric`` is not looked at."""
        t = state["t"] + 1
        factor = self.factor(t)  # type: ignore[operator]
        try:
            product = state["product"] * float(factor)
        except (TypeError, ValueError):
            raise TypeError(f"factor({t}) must be a number, got {factor!r}") from None
        if not math.isfinite(product):
            raise ValueError(f"factor({t}) = {factor} makes the product {product}, from step 1 on")
        return {"t": t, "product": product}

    def value_of(self, state: State) -> float:
        """Return the product in ``state``."""
        product: float = state["product"]
        return product
