"""float64.glsl against numpy's float64, bit for bit (a nan is a nan), on every driver."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from xfloat_harness import Function, on_gpu, shader

from grilly import vk
from grilly.shaders import include_dir
from grilly.vk import spirv

pytestmark = pytest.mark.numbers

COUNT = 20_000  # pairs of each of the kinds below: more than 1e5 in all
OF_TWO: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
}
BINARY = {name: Function(f"f64_{name}", ("u64", "u64"), "u64") for name in OF_TWO}
OTHERS = {
    "less": Function("f64_less", ("u64", "u64"), "bool"),
    "is_finite": Function("f64_is_finite", ("u64",), "bool"),
    "to_float32": Function("f64_to_float32", ("u64",), "float32"),
    "from_float32": Function("f64_from_float32", ("float32",), "u64"),
    "from_uint": Function("f64_from_uint", ("float32",), "u64"),
}
SPECIAL = np.array(
    [
        *(0.0, 1.0, 1.5, 3.0, 1 / 3, np.inf, np.nan, 2.0**53, 2.0**53 - 1, 1 + 2**-52, 1 - 2**-53),
        # the largest and its half, the least normal and what is below, the least
        *(1.7976931348623157e308, 8.98846567431158e307, 2.0**1023, 2.0**-537, 2.0**-538),
        *(2.2250738585072014e-308, 2.225073858507201e-308, 2.0**-1022 * 1.5, 1.5e-323, 5e-324),
        # float32: largest, the tie above it, least normal, least, half of it, ties, and near them
        *(3.4028234663852886e38, 3.4028235677973366e38, 2.0**-126, 2.0**-149, 2.0**-150),
        *(2.0**-150 * (1 + 2**-52), 1 + 2**-24, 1 + 3 * 2**-24, 2.0**-126 * (1 - 2**-24)),
    ],
    np.float64,
)


def random_bits(rng: np.random.Generator, count: int) -> Any:
    return rng.integers(0, 1 << 64, count, np.uint64).view(np.float64)


def shaped(rng: np.random.Generator, count: int, low: int, high: int) -> Any:
    """Return numbers with fractions of few set bits or few clear ones, and exponents in a range."""
    fraction = rng.integers(0, 1 << 52, count, np.uint64)
    mask = (np.uint64(1) << rng.integers(0, 53, count).astype(np.uint64)) - np.uint64(1)
    how = rng.integers(0, 4, count)
    fraction = np.select(
        [how == 0, how == 1, how == 2], [fraction & ~mask, fraction | mask, mask], fraction
    )
    exponent = rng.integers(low, high, count).astype(np.uint64) << np.uint64(52)
    sign = rng.integers(0, 2, count).astype(np.uint64) << np.uint64(63)
    return ((fraction & np.uint64((1 << 52) - 1)) | exponent | sign).view(np.float64)


def special_pairs() -> tuple[Any, Any]:
    signed = np.concatenate([SPECIAL, -SPECIAL])
    a, b = np.meshgrid(signed, signed)
    return a.ravel(), b.ravel()


def near(a: Any, rng: np.random.Generator) -> Any:
    """Return -a, some units in the last place away: what cancels."""
    bits = a.view(np.uint64) + rng.integers(0, 5, len(a)).astype(np.uint64) - np.uint64(2)
    return -bits.view(np.float64)


def ties(rng: np.random.Generator, count: int) -> tuple[Any, Any]:
    """Return numbers and half a unit of their last place, or a unit of its last place beside it."""
    a = shaped(rng, count, 60, 2000)
    half = np.ldexp(1.0, np.frexp(a)[1] - 54) * rng.choice([-1.0, 1.0], count)
    bits = half.view(np.uint64) + rng.integers(0, 3, count).astype(np.uint64) - np.uint64(1)
    return a, bits.view(np.float64)


def exact_quotients(rng: np.random.Generator, count: int) -> tuple[Any, Any]:
    """Return products of 53 and fewer bits and one factor: quotients that end, or nearly."""
    b, q = shaped(rng, count, 900, 1100), rng.integers(1, 1 << 27, count).astype(np.float64)
    return b * q, b


def operands(seed: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    a = shaped(rng, COUNT, 0, 2047)
    alike = shaped(rng, COUNT, 1000, 1060)
    small, other = shaped(rng, COUNT, 0, 60), shaped(rng, COUNT, 960, 1086)
    pairs = [
        special_pairs(),
        (random_bits(rng, COUNT), random_bits(rng, COUNT)),
        (alike, shaped(rng, COUNT, 1000, 1060)),
        (a, near(a, rng)),
        ties(rng, COUNT),
        (small, other),
        (other, small),
        (small, shaped(rng, COUNT, 0, 60)),
        (shaped(rng, COUNT, 480, 560), shaped(rng, COUNT, 480, 560)),  # products become subnormal
        (shaped(rng, COUNT, 0, 300), shaped(rng, COUNT, 1250, 1400)),  # and quotients
        exact_quotients(rng, COUNT),
    ]
    return tuple(np.concatenate(side) for side in zip(*pairs, strict=True))


def same(got: Any, want: Any) -> Any:
    """Return where two arrays of floats have the same bits, or nan both."""
    words = f"u{want.itemsize}"
    return (got.view(words) == want.view(words)) | (np.isnan(got) & np.isnan(want))


@np.errstate(all="ignore")
def wrong(device: vk.Device, name: str, seed: int = 1, include: Path | None = None) -> int:
    """Return for how many pairs the GPU's bits are not numpy's."""
    a, b = operands(seed)
    got = on_gpu(device, BINARY[name], a.view(np.uint64), b.view(np.uint64), include=include)
    return int((~same(got.view(np.float64).ravel(), OF_TWO[name](a, b))).sum())


@pytest.mark.parametrize("name", OF_TWO)
def test_every_operation_is_numpys(device: vk.Device, name: str) -> None:
    assert wrong(device, name) == 0


@pytest.mark.heavy
@pytest.mark.parametrize("name", OF_TWO)
def test_every_operation_is_numpys_on_many_more(device: vk.Device, name: str) -> None:
    for seed in range(100, 110):
        assert wrong(device, name, seed) == 0


@np.errstate(all="ignore")
def test_comparisons_are_numpys(device: vk.Device) -> None:
    a, b = operands(2)
    a, b = np.concatenate([a, a]), np.concatenate([b, a])
    got = on_gpu(device, OTHERS["less"], a.view(np.uint64), b.view(np.uint64))
    assert np.array_equal(got[:, 0] != 0, a < b)
    got = on_gpu(device, OTHERS["is_finite"], a.view(np.uint64))
    assert np.array_equal(got[:, 0] != 0, np.isfinite(a))


@np.errstate(all="ignore")
def test_float32_is_rounded_as_by_numpy(device: vk.Device) -> None:
    rng = np.random.default_rng(3)
    singles = rng.integers(0, 1 << 32, COUNT, np.uint32).view(np.float32).astype(np.float64)
    # float32's ties, and what is one float64 beside them
    ends = (singles.view(np.uint64) & ~np.uint64((1 << 29) - 1)) + np.uint64(1 << 28)
    beside = (ends + rng.integers(0, 3, COUNT).astype(np.uint64) - np.uint64(1)).view(np.float64)
    small = shaped(rng, COUNT, 860, 900)
    values = np.concatenate([*operands(4), singles, beside, small, shaped(rng, COUNT, 1140, 1160)])
    got = on_gpu(device, OTHERS["to_float32"], values.view(np.uint64)).view(np.float32).ravel()
    assert same(got, values.astype(np.float32)).all()


@np.errstate(all="ignore")
def test_float32_becomes_float64_exactly(device: vk.Device) -> None:
    rng = np.random.default_rng(5)
    small = rng.integers(0, 1 << 24, COUNT, np.uint32)
    bits = np.concatenate([rng.integers(0, 1 << 32, 5 * COUNT, np.uint32), small])
    bits = np.concatenate([bits, SPECIAL.astype(np.float32).view(np.uint32)])
    got = on_gpu(device, OTHERS["from_float32"], bits).view(np.float64).ravel()
    assert same(got, bits.view(np.float32).astype(np.float64)).all()


def test_integers_become_float64_exactly(device: vk.Device) -> None:
    rng = np.random.default_rng(6)
    values = rng.integers(0, 1 << 32, COUNT, np.uint32) >> rng.integers(0, 32, COUNT, np.uint32)
    values = np.concatenate([values, np.array([0, 1, 2**32 - 1], np.uint32)])
    got = on_gpu(device, OTHERS["from_uint"], values).view(np.float64).ravel()
    assert np.array_equal(got, values.astype(np.float64))


def test_no_float_type_is_used() -> None:
    text = shader(*BINARY.values(), *OTHERS.values())
    opcodes = {code for code, _ in spirv._instructions(vk.compile_glsl(text))}
    assert 21 in opcodes and 22 not in opcodes  # OpTypeInt, OpTypeFloat


# (text, what it becomes, operation in whose comparison it must show)
MUTANTS = [
    ("uint(rest == half_unit) & kept.x & 1u", "uint(rest == half_unit)", "add"),
    ("up & uint(lost < 65)", "up", "mul"),
    ("part.x |= uint(u64_shift_left(part, shift) != addend);", "", "add"),
    ("mix(large.s, large.s & small.s, sum == uvec2(0u))", "large.s", "sub"),
    ("uint(!f64_is_finite(less)) & opposite", "0u", "sub"),
    ("product.z |= uint(product.xy != uvec2(0u));", "", "mul"),
    ("division.x |= uint(division.zw != uvec2(0u));", "", "div"),
    ("a.e > 2046", "a.e > 2047", "mul"),
    ("11 + max(1 - a.e, 0)", "11", "div"),
    ("F64(m, int(max(field, 1u))", "F64(m, int(field)", "mul"),
    ("(uint(f64_is_zero(a)) | uint(f64_is_zero(b))) & ~finite", "0u", "mul"),
    ("uint invalid = uint(f64_is_zero(a)) & uint(f64_is_zero(b));", "uint invalid = 0u;", "div"),
]


@pytest.mark.parametrize(("text", "planted", "name"), MUTANTS)
def test_planted_errors_are_seen(
    device: vk.Device, tmp_path: Path, text: str, planted: str, name: str
) -> None:
    include = shutil.copytree(include_dir(), tmp_path / "include")
    original = (include / "float64.glsl").read_text()
    assert original.count(text) == 1
    (include / "float64.glsl").write_text(original.replace(text, planted))
    assert wrong(device, name, include=include) > 0
