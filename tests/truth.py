"""The truth: the mpmath column of the language, and exact rounding to float32.

Independent of grilly's arithmetic: it walks the traced graph with 400-bit numbers. That the graph
itself is the right formula is checked elsewhere: test_golden has torch's numbers, and test_adamw
writes the cycle and the corrections out in mpmath.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from mpmath import mp, mpf

from grilly.expr import Expr, log2_of_base, numbers_in_a_list, power_from_log, trace
from grilly.mathfun import cospi, half_cosine, pick, reached, sinpi

BITS = 400
INFINITY = 0x7F800000


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
    return at_numbers(graph(formula), {}, t, k)


@lru_cache(maxsize=64)
def graph(formula: Callable[..., Any]) -> Expr:
    """Return the traced formula; of one that is asked for again and again, traced once."""
    return trace(formula)


def at_numbers(root: Expr, numbers: dict[Expr, float], t: Any, k: int) -> mpf:
    """Return the value of a graph to 400 bits, with other ``numbers`` for some constants in it."""
    with mp.workprec(BITS):
        return _value(root, mpf(t), mpf(k), {leaf: mpf(own) for leaf, own in numbers.items()})


def leaves(root: Expr) -> dict[str, list[Expr]]:
    """Return the constants in a graph by their labels."""
    found: dict[str, list[Expr]] = {}
    seen, rest = {root}, [root]
    while rest:
        node = rest.pop()
        if node.op == "constant":
            found.setdefault(node.label, []).append(node)
        new = set(node.args) - seen
        seen |= new
        rest.extend(new)
    return found


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
    sign, mantissa, exponent = sign << 31, int(mantissa), int(exponent)
    top = exponent + mantissa.bit_length() - 1  # floor(log2(|value|))
    if top > 127:
        return sign | INFINITY
    if top < -199:  # far below half of the smallest subnormal
        return sign
    unit = max(top - 23, -149)
    whole = _halves_to_even(mantissa, exponent - unit)
    # The exponent's field counts from where a normal number's hidden bit is worth 1, so that a
    # carry out of the significand counts it up, to infinity if need be.
    return sign | ((unit + 149 << 23) + whole)


def _halves_to_even(mantissa: int, shift: int) -> int:
    """Return the whole number nearest to mantissa * 2^shift; what is close to a half is one."""
    if shift >= 0:
        return mantissa << shift
    half = 1 << -shift - 1
    whole, rest = mantissa >> -shift, (mantissa & 2 * half - 1) - half
    if abs(rest) << 200 < 2 * half:
        rest = 0
    return whole + (rest > 0 or (rest == 0 and whole & 1))
