"""Random parameters and steps for each structure, and their row constants, column by column."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from sample_anneal import BY_LABEL as ANNEAL_BY_LABEL
from sample_decays import BY_LABEL as DECAY_BY_LABEL
from sample_made import NAMED, Made, named
from sample_numbers import BY_FIELD, Numbers, momenta, peaks, rates, times

from grilly import xfloat
from grilly.expr import OPS, Expr, trace
from grilly.program import Program, _Cut, program
from grilly.schedules import (
    SHIPPED,
    WINDOW,
    Constant,
    Counted,
    Cyclic,
    Debias1,
    Debias2,
    Formula,
    Fresh,
    OneCycle,
    OneMinus,
)


@dataclass
class Samples:
    """``count`` evaluations of one structure: numbers by label, steps t and k, and formulas."""

    program: Program
    numbers: Numbers
    t: np.ndarray[Any, Any]
    k: np.ndarray[Any, Any]
    formula: Callable[[int], Any]

    @cached_property
    def constants(self) -> np.ndarray[Any, Any]:
        """The row constants of every sample, (count, words) uint32."""
        if not self.numbers:
            return np.broadcast_to(
                self.program.constants, (len(self.t), self.program.constants.size)
            )
        # By what it is called, each constant's graph; one formula's serves all.
        graphs = {label: expr for expr, label in _Cut(trace(self.formula(0)))._label.items()}
        known: dict[Expr, Any] = {}
        columns = [self._words(graphs[label], known) for label in self.program.labels]
        return np.concatenate(columns, axis=1)

    def _words(self, expr: Expr, known: dict[Expr, Any]) -> Any:
        value = self._value(expr, known)
        if isinstance(value, (xfloat.X, xfloat.L)):
            return xfloat.to_words(value).reshape(len(self.t), -1)
        return np.asarray(value, np.uint32)[:, None]

    def _value(self, expr: Expr, known: dict[Expr, Any]) -> Any:
        """Return a constant's values: a number of the formula, or what the host makes of some."""
        if expr not in known:
            if expr.op == "constant":
                own = self.numbers.get(expr.label, np.full(len(self.t), expr.value))
                known[expr] = xfloat.from_float64(own)
            else:
                parts = (self._value(arg, known) for arg in expr.args)
                known[expr] = OPS[expr.op].mirror(*parts)
        return known[expr]


BY_LABEL = {**DECAY_BY_LABEL, **ANNEAL_BY_LABEL}


def draw(name: str, count: int, seed: int) -> Samples | Made:
    """Return random samples of the shipped structure ``name``."""
    rng = np.random.default_rng([seed, *name.encode()])
    if "one_cycle" in name:
        return _one_cycles(name, count, rng)
    if "cyclic" in name:
        return _cyclics(name, count, rng)
    if name in BY_FIELD:
        kind, numbers = BY_FIELD[name]
        return _by_field(name, kind, *numbers(count, rng))
    if name in BY_LABEL:
        return _like_shipped(name, *BY_LABEL[name](count, rng))
    if name in NAMED:
        return named(name, count, rng)
    if name == "fresh":
        return _fresh(count, rng)
    if name == "counted":
        return _counted(count, rng)
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


def _like_shipped(name: str, numbers: Numbers, t: Any) -> Samples:
    def formula(i: int) -> Formula:
        own = {label: float(values[i]) for label, values in numbers.items()}
        made: Formula = renumbered(SHIPPED[name], "", own)
        return made

    return Samples(program(SHIPPED[name]), numbers, t, np.ones(len(t), np.int64), formula)


def renumbered(value: Any, label: str, numbers: dict[str, float]) -> Any:
    """Return the schedule ``value`` with other numbers, by the labels of its constants."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {
            field.name: renumbered(
                getattr(value, field.name),
                f"{label}.{field.name}" if label else field.name,
                numbers,
            )
            for field in dataclasses.fields(value)
        }
        return dataclasses.replace(value, **fields)
    if isinstance(value, tuple):
        return tuple(renumbered(one, f"{label}[{i}]", numbers) for i, one in enumerate(value))
    return numbers.get(label, value)


def _by_field(name: str, kind: type[Formula], numbers: Numbers, t: Any) -> Samples:
    def formula(i: int) -> Formula:
        fields: dict[str, Any] = {}
        for label, values in numbers.items():
            field, is_tuple, _ = label.partition("[")
            value = float(values[i])
            fields[field] = (*fields.get(field, ()), value) if is_tuple else value
        return kind(**fields)

    return Samples(program(SHIPPED[name]), numbers, t, np.ones(len(t), np.int64), formula)


def _cyclics(name: str, count: int, rng: np.random.Generator) -> Samples:
    mode, of_beta = name.partition("cyclic_")[2], not name.startswith("cyclic")
    up = np.floor(10.0 ** rng.uniform(0, 6, count))
    down = np.where(rng.random(count) < 0.5, up, np.floor(10.0 ** rng.uniform(0, 6, count)))
    if of_beta:
        high, low = np.sort(momenta(count, 2, rng)[:2], axis=0)
    else:
        high = peaks(count, rng)
        low = high * 10.0 ** -rng.uniform(0, 6, count)
        low = np.where(rng.random(count) < 0.1, 0.0, low)
    numbers = {"low": low, "high": high, "up": up, "down": down}
    if mode == "exp_range":
        usual = rng.choice([1.0, 0.99994, 0.994, 0.9, 0.0], count)
        numbers["gamma"] = np.where(rng.random(count) < 0.5, usual, rng.uniform(0.5, 1, count))
    cycles = rng.choice([1, 3, 100], count) * (up + down)
    t = times([up, up + down, 2 * (up + down), up + 2 * (up + down)], cycles, rng)
    k = _updates(np.maximum(low, high), rng) if of_beta else np.ones(count, np.int64)

    def formula(i: int) -> Formula:
        cycle = Cyclic(**{key: float(own[i]) for key, own in numbers.items()}, mode=mode)
        if name.startswith("debias1"):
            return Debias1(cycle)
        return OneMinus(cycle) if of_beta else cycle

    prefix = "beta." if of_beta else ""
    labelled = {f"{prefix}{key}": own for key, own in numbers.items()}
    return Samples(program(SHIPPED[name]), labelled, t, k, formula)


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


def _counted(count: int, rng: np.random.Generator) -> Samples:
    start = np.floor(10.0 ** rng.uniform(0, 15, count))
    own = 1 + 10.0 ** rng.uniform(-8, 12, (WINDOW, count))
    k = (start + rng.integers(-3, WINDOW + 3, count)).astype(np.int64)
    return Samples(
        program(SHIPPED["counted"]),
        {"start": start, **{f"values[{i}]": values for i, values in enumerate(own)}},
        np.zeros(count),
        k,
        lambda i: Counted(float(start[i]), tuple(own[:, i].tolist())),
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
    values = momenta(count, phases, rng) if of_beta else rates(count, phases, rng)
    t = times(ends, total, rng)
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
