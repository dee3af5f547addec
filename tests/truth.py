"""The truth: the mpmath column of the language, and exact rounding to float32.

Independent of grilly's arithmetic: it walks the traced graph with 400-bit numbers. That the graph
itself is the right formula is checked elsewhere: test_golden has torch's numbers, and test_adamw
writes the cycle and the corrections out in mpmath.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from mpmath import mp, mpf

from grilly.expr import Expr, log2_of_base, numbers_in_a_list, power_from_log, trace
from grilly.mathfun import cospi, half_cosine, pick, reached, sinpi

BITS = 400


def _half_cosine(x: mpf) -> mpf:
    return mp.sinpi(x / 2) ** 2


MPMATH: dict[Callable[..., Any], Callable[..., Any]] = {
    np.add: lambda a, b: a + b,
    np.subtract: lambda a, b: a - b,
    np.multiply: lambda a, b: a * b,
    np.true_divide: lambda a, b: a / b if b else mp.inf,
    np.negative: lambda a: -a,
    np.absolute: abs,
    np.minimum: min,
    np.maximum: max,
    np.floor: mp.floor,
    np.floor_divide: lambda a, b: mp.floor(a / b),
    np.remainder: lambda a, b: a - b * mp.floor(a / b),
    np.sqrt: mp.sqrt,
    np.exp2: lambda a: mp.mpf(2) ** a,
    np.exp: mp.exp,
    np.log: lambda a: mp.log(a) if a > 0 else -mp.inf,
    np.log2: lambda a: mp.log(a, 2) if a > 0 else -mp.inf,
    np.log10: lambda a: mp.log10(a) if a > 0 else -mp.inf,
    np.sin: mp.sin,
    np.cos: mp.cos,
    np.tanh: mp.tanh,
    sinpi: mp.sinpi,
    cospi: mp.cospi,
    half_cosine: _half_cosine,
    numbers_in_a_list: lambda *numbers: numbers,
    reached: lambda t, bounds: mpf(sum(bound <= t for bound in bounds)),
    pick: lambda i, values: values[min(max(int(mp.floor(i)), 0), len(values) - 1)],
    log2_of_base: lambda a: mp.log(a, 2) if a else -mp.inf,
    power_from_log: lambda log, y: mp.mpf(2) ** (log * y) if y else mpf(1),
    np.less: lambda a, b: a < b,
    np.less_equal: lambda a, b: a <= b,
    np.greater: lambda a, b: a > b,
    np.greater_equal: lambda a, b: a >= b,
    np.equal: lambda a, b: a == b,
    np.not_equal: lambda a, b: a != b,
    np.logical_and: lambda a, b: a and b,
    np.logical_or: lambda a, b: a or b,
    np.logical_not: lambda a: not a,
}


def exact(formula: Callable[..., Any], t: Any, k: int = 1) -> mpf:
    """Return the formula's value at step ``t`` (and optimizer step ``k``) to 400 bits."""
    with mp.workprec(BITS):
        return _value(trace(formula), mpf(t), mpf(k), {})


def _value(node: Expr, t: mpf, k: mpf, known: dict[Expr, Any]) -> Any:
    if node not in known:
        known[node] = _compute(node, t, k, known)
    return known[node]


def _compute(node: Expr, t: mpf, k: mpf, known: dict[Expr, Any]) -> Any:
    if node.op == "constant":
        return node.value if isinstance(node.value, bool) else mpf(node.value)
    if node.op in ("t", "k"):
        return t if node.op == "t" else k
    if node.op is np.where:
        condition, a, b = node.args
        return _value(a if _value(condition, t, k, known) else b, t, k, known)
    return MPMATH[node.op](*(_value(arg, t, k, known) for arg in node.args))


def float32_bits(value: mpf) -> int:
    """Return the bits of the float32 nearest to ``value``, ties to even.

    A value within 2^-200 of a midpoint is that midpoint: a rational tie computed to 400 bits.
    """
    sign, mantissa, exponent, _ = value._mpf_
    if not mantissa:
        return 0
    if exponent + mantissa.bit_length() < -200:  # far below half of the smallest subnormal
        return sign << 31
    magnitude = Fraction(int(mantissa)) * Fraction(2) ** int(exponent)
    unit = Fraction(2) ** max(_floor_log2(magnitude) - 23, -149)
    scaled = magnitude / unit
    whole = scaled.numerator // scaled.denominator
    rest = scaled - whole - Fraction(1, 2)
    if abs(rest) < Fraction(1, 2**200):
        rest = Fraction(0)
    nearest = (whole + (rest > 0 or (rest == 0 and whole % 2 == 1))) * unit
    rounded = np.float32(np.inf) if nearest >= 2**128 else np.float32(float(nearest))
    return int(rounded.view(np.uint32)) | (sign << 31)


def _floor_log2(x: Fraction) -> int:
    guess = x.numerator.bit_length() - x.denominator.bit_length()
    return guess if Fraction(2) ** guess <= x else guess - 1
