"""Schedules: the value of a hyperparameter as a formula of the step.

A schedule is a frozen dataclass whose call is a numpy formula. Called with a number or an array it
computes in float64; called with a symbol it is traced, printed as GLSL and run on the GPU. Its
fields are the numbers of the formula: on the GPU they are data in a buffer, never text.

To add one: the dataclass in a file here, its row in SHIPPED (shipped.py), its random numbers in
tests/sample_numbers.py, a torch-named class in optim/lr_scheduler/, and
``python tools/print_shaders.py``.
"""

from .base import Constant, Sampled, Schedule
from .compose import (
    Average,
    Clip,
    Difference,
    End,
    Join,
    Product,
    Quotient,
    Shift,
    Stretch,
    Sum,
    join,
)
from .corrections import Counted, Debias1, Debias2, Fresh, OneMinus
from .cosine import Cosine, EditedCosine, WarmRestarts
from .cyclic import Cyclic
from .function import Function, schedule_of
from .one_cycle import OneCycle
from .ramps import EditedRamp, Held, Polynomial, Ramp
from .saving import from_json
from .shipped import SHIPPED, WINDOW, Formula
from .steps import NEVER, MultiStep, StepDecay
from .text import Text, parse

__all__ = [
    "NEVER",
    "SHIPPED",
    "WINDOW",
    "Average",
    "Clip",
    "Constant",
    "Cosine",
    "Counted",
    "Cyclic",
    "Debias1",
    "Debias2",
    "Difference",
    "EditedCosine",
    "EditedRamp",
    "End",
    "Formula",
    "Fresh",
    "Function",
    "Held",
    "Join",
    "MultiStep",
    "OneCycle",
    "OneMinus",
    "Polynomial",
    "Product",
    "Quotient",
    "Ramp",
    "Sampled",
    "Schedule",
    "Shift",
    "StepDecay",
    "Stretch",
    "Sum",
    "Text",
    "WarmRestarts",
    "from_json",
    "join",
    "parse",
    "schedule_of",
]
