"""Random parameters and steps for each structure, and their row constants, column by column."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from grilly import xfloat
from grilly.program import Program, program
from grilly.schedules import (
    SHIPPED,
    Constant,
    Debias1,
    Debias2,
    Formula,
    Fresh,
    OneCycle,
    OneMinus,
)

Numbers = dict[str, np.ndarray[Any, Any]]


@dataclass
class Samples:
    """``count`` evaluations of one structure: numbers by label, steps t and k, and formulas."""

    program: Program
    numbers: Numbers
    t: np.ndarray[Any, Any]
    k: np.ndarray[Any, Any]
    formula: Callable[[int], Any]

    @property
    def constants(self) -> np.ndarray[Any, Any]:
        """The row constants of every sample, (count, words) uint32."""
        if not self.numbers:
            return np.broadcast_to(
                self.program.constants, (len(self.t), self.program.constants.size)
            )
        columns = [self._words(label) for label in self.program.labels]
        return np.concatenate(columns, axis=1)

    def _words(self, label: str) -> Any:
        if label.startswith("log2_of_base("):
            return xfloat.to_words(xfloat.log2(self._number(label[13:-1])))
        if label.startswith("subtract("):
            one, other = label[9:-1].split(", ")
            return xfloat.to_words(xfloat.sub(self._number(one), self._number(other)))
        return xfloat.to_words(self._number(label))

    def _number(self, label: str) -> xfloat.X:
        values = self.numbers.get(label)
        return xfloat.from_float64(np.full(len(self.t), float(label)) if values is None else values)


def draw(name: str, count: int, seed: int) -> Samples:
    """Return random samples of the shipped structure ``name``."""
    rng = np.random.default_rng([seed, *name.encode()])
    if "one_cycle" in name:
        return _one_cycles(name, count, rng)
    if name == "fresh":
        return _fresh(count, rng)
    beta = name != "constant"
    value = (
        _betas(count, rng)
        if beta
        else rng.choice([-1, 1], count) * 10.0 ** rng.uniform(-50, 40, count)
    )
    label = "beta.value" if beta else "value"
    wrap = {"constant": Constant, "debias1": _debias(Debias1), "debias2": _debias(Debias2)}[name]
    return Samples(
        program(SHIPPED[name]),
        {label: value},
        np.zeros(count),
        _updates(value, rng),
        lambda i: wrap(float(value[i])),
    )


def _fresh(count: int, rng: np.random.Generator) -> Samples:
    usual = rng.choice([0.0, 0.1, 0.5, 0.9, 0.99, 1.0], count)
    wild = rng.choice([-1, 1], count) * 10.0 ** rng.uniform(-30, 30, count)
    value = np.where(rng.random(count) < 0.5, usual, wild)
    k = np.where(rng.random(count) < 0.5, 1, rng.integers(1, 1 << 40, count))
    return Samples(
        program(SHIPPED["fresh"]),
        {"dampening.value": value},
        np.zeros(count),
        k,
        lambda i: Fresh(Constant(float(value[i]))),
    )


def _debias(kind: Any) -> Callable[[float], Formula]:
    return lambda beta: kind(Constant(beta))


def _betas(count: int, rng: np.random.Generator) -> Any:
    usual = rng.choice([0.0, 0.5, 0.75, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9999], count)
    return np.where(rng.random(count) < 0.4, usual, 1 - 10.0 ** -rng.uniform(0.05, 6, count))


def _updates(beta: Any, rng: np.random.Generator) -> Any:
    """Return optimizer steps from 1 to where the correction has long ended."""
    most = 60.0 / np.maximum(1 - np.abs(beta), 1e-9)
    return np.floor(np.clip(most, 2, 2.0**40) ** rng.random(len(beta))).astype(np.int64)


def _one_cycles(name: str, count: int, rng: np.random.Generator) -> Samples:
    phases, anneal = int(name[-1]), "cos" if "cos" in name else "linear"
    total = np.floor(10.0 ** rng.uniform(0.7, 9, count))
    usual = rng.random(count) < 0.3
    total[usual] = rng.choice([10, 100, 1000, 300, 90, 1e4, 1e5, 1e6, 1 << 20], usual.sum())
    most = 0.9 if phases == 2 else 0.49
    share = np.where(rng.random(count) < 0.5, 0.3, rng.uniform(0.01, most, count))
    first = share * total - 1
    first = np.where(np.abs(first) < 1e-3, 0.5, first)
    ends = [first, *([2 * share * total - 2] if phases == 3 else []), total - 1]
    of_beta = not name.startswith("one_cycle")
    values = _momenta(count, phases, rng) if of_beta else _rates(count, phases, rng)
    t = _steps(ends, total, rng)
    prefix = "beta." if of_beta else ""
    numbers = {f"{prefix}ends[{i}]": end for i, end in enumerate(ends)}
    numbers |= {f"{prefix}values[{i}]": value for i, value in enumerate(values)}
    k = _updates(np.min(values, axis=0), rng) if of_beta else np.ones(count, np.int64)

    def formula(i: int) -> Formula:
        cycle = OneCycle(
            tuple(float(end[i]) for end in ends), tuple(float(v[i]) for v in values), anneal
        )
        if name.startswith("debias1"):
            return Debias1(cycle)
        return OneMinus(cycle) if of_beta else cycle

    return Samples(program(SHIPPED[name]), numbers, t, k, formula)


def _rates(count: int, phases: int, rng: np.random.Generator) -> list[Any]:
    peak = np.where(
        rng.random(count) < 0.4,
        rng.choice([1.0, 0.5, 0.1, 0.05, 0.01, 1e-3, 3e-4, 0.25, 3.0], count),
        10.0 ** rng.uniform(-6, 0.5, count),
    )
    start = peak / np.where(rng.random(count) < 0.5, 25.0, 10.0 ** rng.uniform(0, 3, count))
    end = start / np.where(rng.random(count) < 0.5, 1e4, 10.0 ** rng.uniform(0, 6, count))
    return [start, peak, *([start] if phases == 3 else []), end]


def _momenta(count: int, phases: int, rng: np.random.Generator) -> list[Any]:
    top = np.where(rng.random(count) < 0.5, 0.95, rng.uniform(0.5, 0.999, count))
    base = np.where(rng.random(count) < 0.5, 0.85, top * rng.uniform(0.5, 1, count))
    return [top, base, top, *([top] if phases == 3 else [])]


def _steps(ends: list[Any], total: Any, rng: np.random.Generator) -> Any:
    """Return steps of the cycle: anywhere, close to the ends of its phases, fractional, past it."""
    count = len(total)
    anywhere = np.floor(rng.random(count) * total)
    end = np.choose(rng.integers(0, len(ends), count), ends)
    near = np.round(end + rng.choice([-1, 1], count) * total ** rng.random(count))
    t = np.where(rng.random(count) < 0.5, anywhere, near)
    t = np.clip(t, 0, total - 1)
    t = np.where(rng.random(count) < 0.05, t * rng.random(count), t)
    return np.where(rng.random(count) < 0.02, total, t)
