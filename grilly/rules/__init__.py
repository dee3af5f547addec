"""Rules: values that follow a metric or their own past, for what no formula of the step can say.

A rule is a frozen dataclass of settings and a pure recurrence over a small state. It is a Schedule,
so it sits anywhere in a composition: after a warm-up, in a product, one per group. A ParamScheduler
keeps the states; ``bind`` puts each rule's present value in its place and leaves a formula.
"""

from .base import Rule, State, metric_of
from .greedy import Greedy
from .multiplicative import Multiplicative
from .plateau import Plateau, reduce_on_plateau
from .tree import advance, bind, check_states, starts

__all__ = [
    "Greedy",
    "Multiplicative",
    "Plateau",
    "Rule",
    "State",
    "advance",
    "bind",
    "check_states",
    "metric_of",
    "reduce_on_plateau",
    "starts",
]
