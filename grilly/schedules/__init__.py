"""Schedules: the value of a hyperparameter as a formula of the step.

A schedule is a frozen dataclass whose call is a numpy formula. Called with a number or an array it
computes in float64; called with a symbol it is traced, printed as GLSL and run on the GPU. Its
fields are the numbers of the formula: on the GPU they are data in a buffer, never text.

To add one: the dataclass in a file here, its row in SHIPPED (shipped.py), its random numbers in
tests/sample_numbers.py, a torch-named class in optim/lr_scheduler/, and
``python tools/print_shaders.py``.
"""

from . import hugging_face
from .anneal import CosineDecay, CosineRestarts, PowerDecay, RatioDecay, SqrtDecay, Tanh, Triangle
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
from .cycles import Cycles, restarts
from .cyclic import Cyclic
from .decays import Exponential, Geometric, InversePower, InverseSqrt, InverseTime, Noam
from .function import Function, schedule_of
from .interpolate import Interpolate
from .linear import Linear, PolynomialDecay, RangeTest
from .one_cycle import OneCycle
from .optax_names import (
    constant_schedule,
    cosine_decay_schedule,
    exponential_decay,
    join_schedules,
    linear_schedule,
    polynomial_schedule,
    sgdr_schedule,
    warmup_constant_schedule,
    warmup_cosine_decay_schedule,
    warmup_exponential_decay_schedule,
)
from .optax_pieces import (
    cosine_onecycle_schedule,
    linear_onecycle_schedule,
    piecewise_constant_schedule,
    piecewise_interpolate_schedule,
)
from .ramps import EditedRamp, Held, Polynomial, Ramp
from .recipes import one_cycle, scaled_cyclic, swa_anneal, warmup_stable_decay
from .saving import from_json
from .shipped import SHIPPED, WINDOW, Formula
from .steps import NEVER, MultiStep, PiecewiseConstant, StepDecay
from .text import Text, parse
from .warm_up import WarmUp

__all__ = [
    "NEVER",
    "SHIPPED",
    "WINDOW",
    "Average",
    "Clip",
    "Constant",
    "Cosine",
    "CosineDecay",
    "CosineRestarts",
    "Counted",
    "Cycles",
    "Cyclic",
    "Debias1",
    "Debias2",
    "Difference",
    "EditedCosine",
    "EditedRamp",
    "End",
    "Exponential",
    "Formula",
    "Fresh",
    "Function",
    "Geometric",
    "Held",
    "Interpolate",
    "InversePower",
    "InverseSqrt",
    "InverseTime",
    "Join",
    "Linear",
    "MultiStep",
    "Noam",
    "OneCycle",
    "OneMinus",
    "PiecewiseConstant",
    "Polynomial",
    "PolynomialDecay",
    "PowerDecay",
    "Product",
    "Quotient",
    "Ramp",
    "RangeTest",
    "RatioDecay",
    "Sampled",
    "Schedule",
    "Shift",
    "SqrtDecay",
    "StepDecay",
    "Stretch",
    "Sum",
    "Tanh",
    "Text",
    "Triangle",
    "WarmRestarts",
    "WarmUp",
    "constant_schedule",
    "cosine_decay_schedule",
    "cosine_onecycle_schedule",
    "exponential_decay",
    "from_json",
    "hugging_face",
    "join",
    "join_schedules",
    "linear_onecycle_schedule",
    "linear_schedule",
    "one_cycle",
    "parse",
    "piecewise_constant_schedule",
    "piecewise_interpolate_schedule",
    "polynomial_schedule",
    "restarts",
    "scaled_cyclic",
    "schedule_of",
    "sgdr_schedule",
    "swa_anneal",
    "warmup_constant_schedule",
    "warmup_cosine_decay_schedule",
    "warmup_exponential_decay_schedule",
    "warmup_stable_decay",
]
