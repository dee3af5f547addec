"""Random parameters and steps for each structure, and their row constants, column by column."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from grilly import xfloat
from grilly.expr import OPS
from grilly.program import Program, program
from grilly.schedules import (
    NEVER,
    SHIPPED,
    Constant,
    Cosine,
    Cyclic,
    Debias1,
    Debias2,
    EditedCosine,
    EditedRamp,
    Formula,
    Fresh,
    Held,
    MultiStep,
    OneCycle,
    OneMinus,
    Polynomial,
    Ramp,
    StepDecay,
    WarmRestarts,
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
        value = self._value(label)
        if isinstance(value, (xfloat.X, xfloat.L)):
            return xfloat.to_words(value)
        return np.asarray(value, np.uint32)[:, None]

    def _value(self, label: str) -> Any:
        """Return a constant's values: a number of the formula, or what the host makes of some."""
        if not label.endswith(")"):
            values = self.numbers.get(label)
            return xfloat.from_float64(
                np.full(len(self.t), float(label)) if values is None else values
            )
        name, _, rest = label[:-1].partition("(")
        return MIRRORS[name](*map(self._value, _arguments(rest)))


MIRRORS = {op.__name__: row.mirror for op, row in OPS.items()}


def _arguments(text: str) -> list[str]:
    """Return the parts of "a, f(b, c)" between commas that stand in no parenthesis."""
    parts, depth = [""], 0
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def draw(name: str, count: int, seed: int) -> Samples:
    """Return random samples of the shipped structure ``name``."""
    rng = np.random.default_rng([seed, *name.encode()])
    if "one_cycle" in name:
        return _one_cycles(name, count, rng)
    if "cyclic" in name:
        return _cyclics(name, count, rng)
    if name in BY_FIELD:
        kind, numbers = BY_FIELD[name]
        return _by_field(name, kind, *numbers(count, rng))
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


def _by_field(name: str, kind: type[Formula], numbers: Numbers, t: Any) -> Samples:
    def formula(i: int) -> Formula:
        fields: dict[str, Any] = {}
        for label, values in numbers.items():
            field, is_tuple, _ = label.partition("[")
            value = float(values[i])
            fields[field] = (*fields.get(field, ()), value) if is_tuple else value
        return kind(**fields)

    return Samples(program(SHIPPED[name]), numbers, t, np.ones(len(t), np.int64), formula)


def _step_decays(count: int, rng: np.random.Generator) -> tuple[Numbers, Any]:
    """Decays and growths of both signs, over 0 to thousands of drops, and steps up to 2^53."""
    value, size = _peaks(count, rng), np.floor(10.0 ** rng.uniform(0, 7, count))
    usual = rng.choice([0.1, 0.5, 0.3, 0.9, 0.95, 0.99, 1.0, 1.003, -0.5, 2.0, 0.0], count)
    gamma = np.where(rng.random(count) < 0.5, usual, rng.uniform(0.2, 1.05, count))
    most = np.where(np.abs(np.log2(np.abs(gamma) + 1e-9)) > 0.2, 60, 3000)
    drops = np.floor(rng.random(count) * rng.choice([0, 10, 1000], count))
    t = (drops + np.floor(most * rng.random(count))) * size + np.floor(rng.random(count) * size)
    late = rng.random(count) < 0.05
    size[late], drops[late], gamma[late] = 2.0**51, 0, 0.1
    t[late] = np.floor(2.0 ** rng.uniform(24, 53, late.sum())) - rng.integers(0, 3, late.sum())
    return {"value": value, "step_size": size, "gamma": gamma, "drops": drops}, t


def _cosines(count: int, rng: np.random.Generator) -> tuple[Numbers, Any]:
    high = _peaks(count, rng)
    low = np.where(rng.random(count) < 0.4, 0.0, high * 10.0 ** -rng.uniform(0, 8, count))
    period = np.floor(10.0 ** rng.uniform(0, 9, count))
    period = np.where(rng.random(count) < 0.1, period + 0.5, period)
    t = _steps([period, 2 * period, 3 * period], 4 * period, rng)
    return {"high": high, "low": low, "period": period}, t


def _edited_cosines(count: int, rng: np.random.Generator) -> tuple[Numbers, Any]:
    numbers, _ = _cosines(count, rng)
    high, low, period = numbers.values()
    period = np.floor(period)
    start = np.floor(rng.random(count) * 3 * period)
    at_trough = (start + period) % (2 * period) == 0
    trough = start + np.where(at_trough, 2 * period, (period - start) % (2 * period))
    edit = low + _peaks(count, rng)
    t = start + 1 + np.floor(rng.random(count) * 3 * period)
    edited = {
        "edit": edit,
        "start": start + at_trough,
        "floor": np.where(at_trough, high, low),
        "end": trough,
    }
    return {"high": high, "low": low, "period": period, **edited}, t


def _multi_steps(count: int, rng: np.random.Generator) -> tuple[Numbers, Any]:
    decay, _ = _step_decays(count, rng)
    places = len(SHIPPED["multi_step"].milestones)  # type: ignore[union-attr]
    last = np.floor(10.0 ** rng.uniform(1, 9, count))
    milestones = np.sort(np.floor(rng.random((places, count)) * last), axis=0)
    milestones = np.where(rng.random((places, count)) < 0.2, milestones[2], milestones)
    milestones[rng.integers(0, places + 1, count) <= np.arange(places)[:, None]] = NEVER
    t = _steps(list(milestones[:4]), last, rng)
    numbers = {f"milestones[{i}]": own for i, own in enumerate(milestones)}
    return {"value": decay["value"], "gamma": decay["gamma"], **numbers}, t


def _helds(count: int, rng: np.random.Generator) -> tuple[Numbers, Any]:
    end = np.floor(10.0 ** rng.uniform(0, 9, count))
    share = np.where(rng.random(count) < 0.4, 1 / 3, rng.uniform(0.001, 1, count))
    edited = rng.random(count) < 0.5
    factor, over = np.where(edited, 1.0, share), np.where(edited, share, 1.0)
    factor = np.where(rng.random(count) < 0.05, 0.0, factor)
    t = _steps([end - 1, end], 2 * end, rng)
    return {"value": _peaks(count, rng), "factor": factor, "end": end, "over": over}, t


def _ramps(count: int, rng: np.random.Generator) -> tuple[Numbers, Any]:
    steps = np.floor(10.0 ** rng.uniform(0, 9, count))
    usual = rng.choice([1.0, 1 / 3, 0.1, 0.01, 1e-3, 1e-12], (2, count))
    start, end = np.where(rng.random((2, count)) < 0.5, usual, rng.random((2, count)))
    end = np.where(rng.random(count) < 0.3, rng.choice([0.0, 1.0], count), end)
    t = _steps([0 * steps, steps], 2 * steps, rng)
    return {"value": _peaks(count, rng), "start": start, "end": end, "steps": steps}, t


def _edited_ramps(count: int, rng: np.random.Generator) -> tuple[Numbers, Any]:
    numbers, t = _ramps(count, rng)
    since = np.floor(rng.random(count) * numbers["steps"])
    return {**numbers, "since": since}, np.maximum(t, since)


def _polynomials(count: int, rng: np.random.Generator) -> tuple[Numbers, Any]:
    steps = np.floor(10.0 ** rng.uniform(0, 9, count))
    edited = rng.random(count) < 0.5
    since = np.where(edited, np.floor(rng.random(count) * steps), 0.0)
    usual = rng.choice([1.0, 2.0, 0.5, 0.9, 1.5, 3.0, 0.0], count)
    power = np.where(rng.random(count) < 0.6, usual, rng.uniform(0.01, 10, count))
    t = np.maximum(_steps([since, steps], 2 * steps, rng), since)
    over = steps - since
    return {"value": _peaks(count, rng), "steps": steps, "over": over, "power": power}, t


def _warm_restarts(count: int, rng: np.random.Generator) -> tuple[Numbers, Any]:
    numbers, _ = _cosines(count, rng)
    period = np.floor(numbers["period"])
    start = np.floor(period * rng.random(count) * rng.choice([0, 1, 100], count))
    start = np.where(rng.random(count) < 0.1, start + 0.5, start)
    t = np.ceil(start) + _steps([period, 2 * period, 3 * period], 4 * period, rng)
    return {**numbers, "period": period, "start": start}, t


def _cyclics(name: str, count: int, rng: np.random.Generator) -> Samples:
    mode, of_beta = name.partition("cyclic_")[2], not name.startswith("cyclic")
    up = np.floor(10.0 ** rng.uniform(0, 6, count))
    down = np.where(rng.random(count) < 0.5, up, np.floor(10.0 ** rng.uniform(0, 6, count)))
    if of_beta:
        high, low = np.sort(_momenta(count, 2, rng)[:2], axis=0)
    else:
        high = _peaks(count, rng)
        low = high * 10.0 ** -rng.uniform(0, 6, count)
        low = np.where(rng.random(count) < 0.1, 0.0, low)
    numbers = {"low": low, "high": high, "up": up, "down": down}
    if mode == "exp_range":
        usual = rng.choice([1.0, 0.99994, 0.994, 0.9, 0.0], count)
        numbers["gamma"] = np.where(rng.random(count) < 0.5, usual, rng.uniform(0.5, 1, count))
    cycles = rng.choice([1, 3, 100], count) * (up + down)
    t = _steps([up, up + down, 2 * (up + down), up + 2 * (up + down)], cycles, rng)
    k = _updates(np.maximum(low, high), rng) if of_beta else np.ones(count, np.int64)

    def formula(i: int) -> Formula:
        cycle = Cyclic(**{key: float(own[i]) for key, own in numbers.items()}, mode=mode)
        if name.startswith("debias1"):
            return Debias1(cycle)
        return OneMinus(cycle) if of_beta else cycle

    prefix = "beta." if of_beta else ""
    labelled = {f"{prefix}{key}": own for key, own in numbers.items()}
    return Samples(program(SHIPPED[name]), labelled, t, k, formula)


def _peaks(count: int, rng: np.random.Generator) -> Any:
    usual = rng.choice([1.0, 0.5, 0.1, 0.05, 0.01, 1e-3, 3e-4, 0.25, 3.0], count)
    return np.where(rng.random(count) < 0.4, usual, 10.0 ** rng.uniform(-6, 0.5, count))


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
    peak = _peaks(count, rng)
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


# Structures of which each field is a number, or a tuple of them.
BY_FIELD: dict[str, tuple[type[Any], Callable[..., tuple[Numbers, Any]]]] = {
    "step_decay": (StepDecay, _step_decays),
    "multi_step": (MultiStep, _multi_steps),
    "cosine": (Cosine, _cosines),
    "edited_cosine": (EditedCosine, _edited_cosines),
    "warm_restarts": (WarmRestarts, _warm_restarts),
    "held": (Held, _helds),
    "ramp": (Ramp, _ramps),
    "edited_ramp": (EditedRamp, _edited_ramps),
    "polynomial": (Polynomial, _polynomials),
}
