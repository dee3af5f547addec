"""Evaluates a structure in float64, and by the mirror the rows where that may not be enough."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import xfloat
from ..expr import LIST
from ..program import Structure, evaluate, numbers
from . import leaves
from .near import SLACK, UNIT, Array, Near
from .rules import RULES

BLOCK = 1 << 14  # values at once: those of a formula's operations stay in the processor's cache
# Beyond a value's own bound: what the mirror takes for a tie is within 1/16 unit of one, and
# roundings of 2 units stand between the bound and the two float32 that are compared.
MARGIN = 4.0
NORMAL = 2.0**-125  # what float32 has below it some libraries make the processor flush to 0
NOTHING = 2.0**-151  # below it float32 has 0

Steps = dict[str, Array]
Part = tuple[slice, ...]
Constant = tuple[Near, str]  # and its kind


def values(structure: Structure, constants: Array, t: xfloat.X, k: xfloat.X) -> Array:
    """Return xfloat.to_float32(evaluate(structure, constants, t, k)), bit for bit.

    ``constants`` is (..., structure.words) uint32 and broadcasts against ``t`` and ``k``.
    """
    shape = np.broadcast_shapes(constants.shape[:-1], np.shape(t.m), np.shape(k.m))
    given = {op: x for op, x in {"t": t, "k": k}.items() if _has(structure, op)}
    steps = {op: leaves.exact_float64(x) for op, x in given.items()}
    known = {op: step for op, step in steps.items() if step is not None}
    if not known or len(known) < len(steps):
        return np.broadcast_to(xfloat.to_float32(evaluate(structure, constants, t, k)), shape)
    return filled(structure, constants, known, shape)


def filled(structure: Structure, constants: Array, steps: Steps, shape: tuple[int, ...]) -> Array:
    """Return what ``values`` does, at float64 steps: of "t", of "k" or of both, as far as used."""
    result, doubt = np.empty(shape, np.float32), np.ones(shape, np.bool_)
    if _is_known(structure) and result.size:
        slots = numbers(structure, constants)
        own = [*zip(map(leaves.constant, slots), structure.slots, strict=True)]
        with np.errstate(all="ignore"):
            for part in _blocks(shape):
                cut = {op: leaves.leaf(_cut(step, part)) for op, step in steps.items()}
                value = _evaluated(structure, [_part_of(one, part) for one in own], cut)
                result[part], doubt[part] = _rounded(value)
    if doubt.any():
        result[doubt] = _by_mirror(structure, constants, steps, doubt)
    return result


def _has(structure: Structure, op: str) -> bool:
    return (op, ()) in structure.nodes


def _is_known(structure: Structure) -> bool:
    return all(node.op in RULES or isinstance(node.op, str) for node in structure.nodes)


def _blocks(shape: tuple[int, ...]) -> Iterator[Part]:
    """Yield the parts of an array of at most two axes: some rows of one job, or all of some."""
    *jobs, rows = shape
    for at in range(0, rows, BLOCK):
        row = slice(at, at + BLOCK)
        if not jobs:
            yield (row,)
            continue
        count = max(1, BLOCK // rows)
        for job in range(0, jobs[0], count):
            yield slice(job, job + count), row


def _cut(array: Any, part: Part) -> Any:
    """Return a part of what broadcasts against the whole."""
    own = part[len(part) - np.ndim(array) :]
    axes = zip(np.shape(array), own, strict=True)
    return array[tuple(slice(None) if size == 1 else cut for size, cut in axes)]


def _part_of(constant: Constant, part: Part) -> Near:
    """Return a part of a constant, of lists with all of their last axis."""
    number, kind = constant
    if kind.startswith(LIST):
        part = *part, slice(None)
    return number if number.value.ndim < 1 else Near(_cut(number.value, part), number.error)


def _evaluated(structure: Structure, constants: list[Near], steps: dict[str, Near]) -> Near:
    results: list[Near] = []
    for op, args in structure.nodes:
        if op in RULES:
            results.append(RULES[op](*(results[i] for i in args)))
        else:
            results.append(constants[args[0]] if op == "constant" else steps[op])
    return results[-1]


def _rounded(number: Near) -> tuple[Array, Any]:
    """Return the float32 of a value, and where its reach has others too (or it is subnormal)."""
    value = number.value
    width = number.error * (SLACK * UNIT) + MARGIN * UNIT
    low, high = (value * (1 - width)).astype(np.float32), (value * (1 + width)).astype(np.float32)
    doubt = low != high
    least, most = number.span
    if not least >= NORMAL:
        size = np.abs(value)
        doubt |= ~((size >= NORMAL) | (size < NOTHING))
    if not (least > 0 or most < 0):
        high = np.where(value == 0, np.float32(0), high)  # the mirror's 0 has no sign
    return high, doubt


def _by_mirror(structure: Structure, constants: Array, steps: Steps, doubt: Array) -> Array:
    """Return the values of the rows in ``doubt``, one after the other."""
    rows, zero = np.nonzero(doubt), np.zeros(1)
    result = np.empty(len(rows[0]), np.float32)
    for at in range(0, len(result), BLOCK):
        some = tuple(axis[at : at + BLOCK] for axis in rows)
        given = {op: np.broadcast_to(step, doubt.shape)[some] for op, step in steps.items()}
        t, k = (xfloat.from_float64(given.get(op, zero)) for op in ("t", "k"))
        own = _constants_of(constants, doubt.shape, some)
        result[at : at + BLOCK] = xfloat.to_float32(evaluate(structure, own, t, k))
    return result


def _constants_of(constants: Array, shape: tuple[int, ...], rows: Any) -> Array:
    words = constants.shape[-1]
    if constants.size == words:
        return constants.reshape(words)
    own: Array = np.broadcast_to(constants, (*shape, words))[rows]
    return own
