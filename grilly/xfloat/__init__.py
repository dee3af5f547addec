"""xfloat: numbers with a 64-bit significand, the numpy mirror of shaders/include/xfloat.glsl.

Every function takes and returns `X` (a sign, an exponent, a significand; `L` for a logarithm) whose
fields are numpy arrays, and broadcasts like numpy. Nothing is ever undefined: what is too small is
zero, what is too large is the largest number, and there is no nan and no infinity.
"""

from __future__ import annotations

from .arithmetic import (
    absolute,
    add,
    div,
    equal,
    floor,
    floor_divide,
    greater,
    greater_equal,
    less,
    less_equal,
    maximum,
    minimum,
    mul,
    negative,
    not_equal,
    remainder,
    sqrt,
    sub,
    where,
)
from .convert import from_float64, from_int, to_float32, to_float64
from .functions import exp2, half_cosine, log2, power, power_from_log
from .lists import pick, reached, stack
from .number import EXPONENT_LIMIT, L, X, from_words, log_from_words, to_words
from .transcendental import cos, cospi, exp, log, log10, rounded_log2, sin, sinpi, tanh

__all__ = [
    "EXPONENT_LIMIT",
    "L",
    "X",
    "absolute",
    "add",
    "cos",
    "cospi",
    "div",
    "equal",
    "exp",
    "exp2",
    "floor",
    "floor_divide",
    "from_float64",
    "from_int",
    "from_words",
    "greater",
    "greater_equal",
    "half_cosine",
    "less",
    "less_equal",
    "log",
    "log2",
    "log10",
    "log_from_words",
    "maximum",
    "minimum",
    "mul",
    "negative",
    "not_equal",
    "pick",
    "power",
    "power_from_log",
    "reached",
    "remainder",
    "rounded_log2",
    "sin",
    "sinpi",
    "sqrt",
    "stack",
    "sub",
    "tanh",
    "to_float32",
    "to_float64",
    "to_words",
    "where",
]
