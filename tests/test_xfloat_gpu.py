"""xfloat.glsl against its numpy mirror, bit for bit, on every driver; planted errors are seen."""

from __future__ import annotations

import importlib.util
import shutil
import struct
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from xfloat_harness import Function, on_gpu, shader, to_words
from xfloat_operands import RANGES, near_right_angles, numbers, pairs

from grilly import vk, xfloat
from grilly.shaders import include_dir

pytestmark = pytest.mark.numbers

TABLES = Path(__file__).resolve().parent.parent / "tools/print_xfloat_tables.py"
COUNT = 20_000  # operands for each of five ranges of exponents: 1e5 in all

TRANSCENDENTAL = ["exp", "log", "log10", "rounded_log2", "sin", "cos", "sinpi", "cospi", "tanh"]
OF_TWO = ["add", "sub", "mul", "div", "minimum", "maximum", "floor_divide", "remainder"]
OF_ONE = ["negative", "absolute", "floor", "sqrt", "exp2", "half_cosine", *TRANSCENDENTAL]
COMPARISONS = ["less", "less_equal", "greater", "greater_equal", "equal", "not_equal"]
FUNCTIONS = {
    "x_log2": Function("x_log2", ("X",), "L"),
    "x_power_from_log": Function("x_power_from_log", ("L", "X"), "X"),
    "x_float32": Function("x_float32", ("X",), "float32"),
    "x_from_uint64": Function("x_from_uint64", ("u64",), "X"),
    "x_from_int64": Function("x_from_int64", ("u64",), "X"),
    "x_where": Function("x_where", ("bool", "X", "X"), "X"),
    "x_where of bool": Function("x_where", ("bool", "bool", "bool"), "bool"),
    **{f"x_{name}": Function(f"x_{name}", ("X", "X"), "X") for name in OF_TWO},
    **{f"x_{name}": Function(f"x_{name}", ("X",), "X") for name in OF_ONE},
    **{f"x_{name}": Function(f"x_{name}", ("X", "X"), "bool") for name in COMPARISONS},
}
MIRRORS: dict[str, Callable[..., Any]] = {
    "x_float32": xfloat.to_float32,
    "x_from_uint64": xfloat.from_int,
    "x_from_int64": lambda a: xfloat.from_int(a.view(np.int64)),
    "x_where of bool": np.where,
}
# Instead of exponents of the whole range, at which these are 0, 1 or the largest number.
IN_RANGE = {"x_exp": (-20, 30), "x_tanh": (-10, 8), "x_sin": (0, 1060), "x_cos": (0, 1060)}


def mirror(name: str) -> Callable[..., Any]:
    """Return the function on numpy arrays that ``name`` mirrors."""
    return MIRRORS[name] if name in MIRRORS else getattr(xfloat, name.removeprefix("x_"))


def operands(name: str, rng: np.random.Generator, span: str, count: int) -> tuple[Any, ...]:
    """Return arrays of operands for the function ``name``, with exponents of the named range."""
    exponents = RANGES[span] if span != "all" else IN_RANGE.get(name, RANGES[span])
    a, b = pairs(rng, count, *exponents)
    if name in ("x_sin", "x_cos") and span == "large":
        return (near_right_angles(),)
    if name == "x_power_from_log":  # exponents such that many powers are in range
        return xfloat.log2(xfloat.absolute(a)), numbers(rng, count, -20, 20)
    drawn = {"X": iter((a, b)), "u64": _integers(rng, count), "bool": _bools(rng, count)}
    return tuple(next(drawn[kind]) for kind in FUNCTIONS[name].arguments)


def _integers(rng: np.random.Generator, count: int) -> Iterator[Any]:
    yield rng.integers(0, 1 << 64, count, np.uint64) >> rng.integers(0, 65, count).astype(np.uint64)


def _bools(rng: np.random.Generator, count: int) -> Iterator[Any]:
    while True:
        yield rng.random(count) < 0.5


def differing(
    device: vk.Device, name: str, count: int, seed: int, include: Path | None = None
) -> int:
    """Return for how many operands the GPU's words are not the mirror's."""
    wrong = 0
    for given, want in mirrored(name, count, seed):
        got = on_gpu(device, FUNCTIONS[name], *given, include=include)
        wrong += int((got != want).any(axis=1).sum())
    return wrong


@lru_cache(maxsize=24)  # what one device after the other and many mutants share
def mirrored(name: str, count: int, seed: int) -> list[tuple[tuple[Any, ...], Any]]:
    """Return operands of each range, and the words of the mirror at them."""
    rng = np.random.default_rng([seed, *name.encode()])
    found = []
    for span in RANGES:
        given = operands(name, rng, span, count)
        found.append((given, to_words(mirror(name)(*given))))
    return found


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gpu_equals_mirror(device: vk.Device, name: str) -> None:
    assert differing(device, name, COUNT, seed=1) == 0


@pytest.mark.heavy
@pytest.mark.parametrize("name", FUNCTIONS)
def test_gpu_equals_mirror_on_many_more(device: vk.Device, name: str) -> None:
    for seed in range(100, 112):
        assert differing(device, name, COUNT, seed) == 0


# ---- No floating-point instruction ---------------------------------------------------------------

OP_TYPE_FLOAT = 22
CONTROL = Function("twice", ("X",), "X", "X twice(X a) { a.lo = uint(float(a.lo)); return a; }\n")


def opcodes(spirv: bytes) -> set[int]:
    """Return the instructions that occur in a SPIR-V module (five words of header come first)."""
    words = struct.unpack(f"<{len(spirv) // 4}I", spirv)
    found, at = set(), 5
    while at < len(words):
        found.add(words[at] & 0xFFFF)
        at += words[at] >> 16
    return found


def test_no_float_type_is_used() -> None:
    """Without the type there is no instruction: every one names its type."""
    assert OP_TYPE_FLOAT not in opcodes(vk.compile_glsl(shader(*FUNCTIONS.values())))
    assert OP_TYPE_FLOAT in opcodes(vk.compile_glsl(shader(CONTROL)))


# ---- Planted errors ------------------------------------------------------------------------------

WIDE, CORE, MORE = "xfloat_wide.glsl", "xfloat.glsl", "xfloat_functions.glsl"
LAST, BITS = "xfloat_transcendental.glsl", "xfloat_transcendental_tables.glsl"
# (file, text, what it becomes, function in whose comparison it must show)
MUTANTS = [
    (WIDE, "a.y + b.y + carry)", "a.y + b.y)", "x_add"),
    (WIDE, "a.y - b.y - uint(a.x < b.x)", "a.y - b.y", "x_div"),
    (WIDE, "cross.y + carry1", "cross.y", "x_mul"),
    (WIDE, "other.y + carry2", "other.y", "x_mul"),
    (WIDE, "high.y + carry3 + carry4", "high.y + carry4", "x_mul"),
    (WIDE, "high.y + carry3 + carry4", "high.y + carry3", "x_mul"),
    (WIDE, "uvec2(product.y >> 31, 0u)", "uvec2(0u)", "x_exp2"),
    (WIDE, "uvec2(product.y >> 31, 0u)", "uvec2(0u)", "x_half_cosine"),
    (WIDE, "uint(u64_less(low, a.xy))", "0u", "x_power_from_log"),
    (WIDE, "uint(u64_less(a.xy, b.xy))", "0u", "x_sqrt"),
    (WIDE, "uint(!u64_less(rest, uvec2(d, 0u)))", "0u", "x_div"),
    (WIDE, "uint over = uint(product < d.x);", "uint over = 0u;", "x_div"),
    (WIDE, "  over = uint(product < high);", "  over = 0u;", "x_div"),
    (WIDE, "uint large = uint(rest.y >= guess.x);", "uint large = 0u;", "x_div"),
    (WIDE, "uint(!u64_less(rest, divisor))", "0u", "x_div"),
    (WIDE, "uint twice = over & uint(product >= d.y);", "uint twice = 0u;", "x_div"),
    (WIDE, "(over & uint(!u64_less(uvec2(low, product), d)))", "0u", "x_div"),
    (CORE, "| uvec2(part.x & 1u, 0u);", ";", "x_add"),
    (CORE, "uint(shift < 66)", "uint(shift < 65)", "x_sub"),
    (CORE, "u64_shift_left(sum, zeros), up, e", "u64_shift_left(sum, zeros), 0u, e", "x_add"),
    (CORE, "(behind.y << missing) >> 31", "behind.y >> 31", "x_add"),
    (CORE, "opposite & uint(behind == uvec2(0u))", "opposite", "x_add"),
    (CORE, "uint(u64_less(sum, whole))", "0u", "x_add"),
    (CORE, "(product.y << missing) >> 31, a.e", "0u, a.e", "x_mul"),
    (CORE, "uint carry = up & uint(m.y == 0u)", "uint carry = 0u", "x_mul"),
    (CORE, "up & nonzero, e", "0u, e", "x_div"),
    (CORE, "root, up & real", "root, 0u", "x_sqrt"),
    (CORE, "uvec2(down, 0u)) & -real", "uvec2(0u)) & -real", "x_sqrt"),
    (CORE, "mix(~above_tie.y >> 31, kept.x & 1u, tie)", "~above_tie.y >> 31", "x_float32"),
    (CORE, "uvec2(129u, 0u)", "uvec2(65u, 0u)", "x_float32"),
    (CORE, "min(e, X_EXPONENT_LIMIT)", "e", "x_mul"),
    (MORE, "away.y |= carry << 31;", "", "x_floor"),
    (MORE, "(a.s ^ b.s) & uint(rest.hi != 0u)", "uint(rest.hi != 0u)", "x_remainder"),
    (MORE, "opposite & uint(rest.hi != 0u)", "opposite", "x_floor_divide"),
    (MORE, "uvec2(8u, 0u)", "uvec2(0u)", "x_exp2"),
    (MORE, "u128_add(twice, uvec4(1u, 0u, 0u, 0u))", "twice", "x_exp2"),
    (MORE, "int(fraction != uvec2(0u))", "1", "x_exp2"),
    (MORE, "uvec4(u64_multiply(log.m.xy, m).zw, 0u, 0u)", "uvec4(0u)", "x_power_from_log"),
    (MORE, "u64_subtract(reciprocal, uvec2(3u, 0u))", "reciprocal", "x_log2"),
    (MORE, "uvec2(second.y >> 28, 0u)", "uvec2(0u)", "x_log2"),
    (MORE, "u64_shift_left(second, 4)", "uvec2(0u)", "x_log2"),
    (MORE, "uvec2(up, 0u)", "uvec2(0u)", "x_half_cosine"),
    (MORE, "uint(places <= 64)", "1u", "x_half_cosine"),
    (MORE, "u64_add(excess, uvec2(2u, 0u))", "excess", "x_half_cosine"),
    (LAST, "x_rounded(m.zw, m.y >> 31, e - n, s)", "x_rounded(m.zw, 0u, e - n, s)", "x_log"),
    (LAST, "uvec4(carry, 0u, 0u)", "uvec4(0u)", "x_sin"),
    (LAST, "u64_shift_right(X_TURNS[word + k + 1], 64 - offset)", "uvec2(0u)", "x_sin"),
    (LAST, "x.e <= X_TURNS_EXPONENT)", "x.e < 2000)", "x_cos"),
    (LAST, "(words[0].y >> 30) + below", "words[0].y >> 30", "x_cos"),
    (LAST, "uvec4(words[1], words[0]) ^ -below", "uvec4(words[1], words[0])", "x_sin"),
    (LAST, "words[2] ^ -below", "words[2]", "x_cos"),
    (LAST, "uvec4(u64_shift_right(behind, 64 - zeros), 0u, 0u)", "uvec4(0u)", "x_sin"),
    (LAST, "distance.w &= ~0u >> 2;", "", "x_sin"),
    (LAST, "(words[0].y >> 30) + below & -uint(x.e >= 0)", "(words[0].y >> 30) + below", "x_cos"),
    (LAST, "quadrant >> 1 & uint(value.hi != 0u)", "quadrant >> 1 & 1u", "x_sinpi"),
    (LAST, "a.s ^ x.s & uint(a.hi != 0u)", "a.s ^ x.s", "x_sin"),
    (LAST, "twice.y >> 31 & uint(e >= 0)", "twice.y >> 31", "x_sinpi"),
    (LAST, "quadrant = twice.z + below", "quadrant = twice.z", "x_cospi"),
    (LAST, "u64_shift_left(distance, zeros)", "distance", "x_cospi"),
    (LAST, "int(whole), 0u", "0, 0u", "x_tanh"),
    (LAST, "x_where(x.e < 0, near, far)", "x_where(x.e < 1, near, far)", "x_tanh"),
    (BITS, "uvec2(0x9391054Au, 0x28BE60DBu)", "uvec2(0x9391054Au, 0x28BE60DCu)", "x_sin"),
    (BITS, "uvec2(0xFAF97C5Eu, 0x5D49EEB1u)", "uvec2(0xFAF97C5Eu, 0x5D49EEB2u)", "x_sin"),
]
USERS = {  # of each table; but SQRT_HALF, a limit, and TURNS, whose last bits decide nothing
    "HALF_COSINE_FIRST": "x_half_cosine",
    "HALF_COSINE": "x_half_cosine",
    "ROOTS": "x_exp2",
    "EXP2": "x_exp2",
    "LOG2_WIDE": "x_log2",
    "LOG2": "x_log2",
    "LOG2_E": "x_exp",
    "LN2": "x_log",
    "LOG10_2": "x_log10",
    "HALF_PI": "x_sin",
    "SIN": "x_sin",
    "COS": "x_cos",
    "TANH": "x_tanh",
}


def coefficients() -> list[Any]:
    """Return as mutants: each table's first and last number, too large by 2**-32."""
    spec = importlib.util.spec_from_file_location(TABLES.stem, TABLES)
    assert spec and spec.loader
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    rows = []
    for file, table in [(file, table) for file, group in tool.tables().items() for table in group]:
        text = tool.glsl_table(table)
        values = table.integers() if table.name in USERS else []
        for value in dict.fromkeys(values[:1] + values[-1:]):
            changed = value + (1 << (table.fraction - 32))
            words, planted = (tool.glsl_value(number, table.bits) for number in (value, changed))
            row = file, text, text.replace(words, planted), USERS[table.name]
            rows.append(pytest.param(*row, id=f"{table.name} {value:x}"))
    return rows


@pytest.mark.parametrize(("file", "text", "planted", "name"), MUTANTS + coefficients())
def test_planted_errors_are_seen(
    any_device: vk.Device, tmp_path: Path, file: str, text: str, planted: str, name: str
) -> None:
    include = shutil.copytree(include_dir(), tmp_path / "include")
    original = (include / file).read_text()
    assert original.count(text) == 1
    (include / file).write_text(original.replace(text, planted))
    assert differing(any_device, name, COUNT, seed=1, include=include) > 0
