"""xfloat's conversions: integers, float64, float32 with its ties, words, and the printed tables."""

from __future__ import annotations

import importlib.util
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from xfloat_operands import fractions, numbers

from grilly import xfloat
from grilly.xfloat import L, X

ROOT = Path(__file__).resolve().parent.parent
SNAP = 64  # units of 2**-64 of the significand


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(40)


# ---- Integers and float64 ------------------------------------------------------------------------

INTEGERS = [0, 1, -1, 2**53 + 1, 2**63 - 1, -(2**63), 2**63, 2**64 - 1, 1 - 2**64]


@pytest.mark.parametrize("value", INTEGERS)
def test_python_integers_are_exact(value: int) -> None:
    assert fractions(xfloat.from_int(value)) == [value]
    assert fractions(xfloat.from_int([value])) == [value]


@pytest.mark.parametrize("dtype", [np.uint64, np.int64, np.uint32, np.int32, np.int8, np.bool_])
def test_integer_arrays_are_exact(dtype: type, rng: np.random.Generator) -> None:
    bits = rng.integers(0, 1 << 64, 1000, np.uint64) >> rng.integers(0, 64, 1000).astype(np.uint64)
    values = np.concatenate([bits.astype(dtype), ~bits.astype(dtype)])
    assert fractions(xfloat.from_int(values)) == [int(value) for value in values]


@pytest.mark.parametrize(
    ("value", "error", "seen"),
    [
        (2**64, OverflowError, "18446744073709551616"),
        ([1, -(2**64)], OverflowError, "-18446744073709551616"),
        (1.5, TypeError, "float64"),
        ([2**64 - 1, None], TypeError, "None"),
        ("7", TypeError, "<U1"),
    ],
)
def test_what_is_no_64_bit_integer_is_refused(
    value: object, error: type[Exception], seen: str
) -> None:
    with pytest.raises(error, match=seen):
        xfloat.from_int(value)  # type: ignore[arg-type]


def random_float64(rng: np.random.Generator) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    values = rng.integers(0, 1 << 64, 4000, np.uint64).view(np.float64)
    edges = [0.0, -0.0, 5e-324, -5e-324, 2.2e-308, 1.7976931348623157e308, 1.0, -1.0, 0.1]
    return np.concatenate([values[np.isfinite(values)], edges])


def test_float64_is_exact_both_ways(rng: np.random.Generator) -> None:
    values = random_float64(rng)
    x = xfloat.from_float64(values)
    assert fractions(x) == [Fraction(value) for value in values.tolist()]
    np.testing.assert_array_equal(xfloat.to_float64(x), values)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match=f"got {value}"):
        xfloat.from_float64([1.0, value])


def test_to_float64_is_nearest(rng: np.random.Generator) -> None:
    """Python divides integers with correct rounding, and fails where the result overflows."""
    for low, high in ((-1090, -1010), (-60, 60), (1000, 1030)):
        x = numbers(rng, 2000, low, high)
        for value, got in zip(fractions(x), xfloat.to_float64(x), strict=True):
            try:
                assert got == float(value)
            except OverflowError:
                assert got == (np.inf if value > 0 else -np.inf)


# ---- float32 -------------------------------------------------------------------------------------


def nearest_float32(value: Fraction) -> float:
    """Return the float32 nearest to ``value``, ties to even, infinity from 2**128 - 2**103 on."""
    size = abs(value)
    if size >= 2**128 - 2**103:
        return float("inf") if value > 0 else float("-inf")
    bits = size.numerator.bit_length() - size.denominator.bit_length()
    spacing = Fraction(2) ** max(bits + (size >= Fraction(2) ** bits) - 24, -149)
    return float(round(value / spacing) * spacing)


def near_a_tie(value: Fraction, unit: Fraction) -> bool:
    """Whether the snap may move ``value``; ``unit`` is the last place of its significand."""
    moved = {nearest_float32(value + step * (SNAP + 1) * unit) for step in (-1, 0, 1)}
    return len(moved) > 1


@pytest.mark.parametrize("span", [(-155, -120), (-2, 3), (120, 135)])
def test_float32_is_nearest(span: tuple[int, int], rng: np.random.Generator) -> None:
    x = numbers(rng, 6000, *span)
    got = xfloat.to_float32(x)
    units = [Fraction(2) ** (int(e) - 64) for e in x.e]
    rows = list(zip(fractions(x), units, got.tolist(), strict=True))
    clear = [(value, g) for value, unit, g in rows if not near_a_tie(value, unit)]
    assert len(clear) > 2000
    assert [g for _, g in clear] == [nearest_float32(value) for value, _ in clear]
    np.testing.assert_array_equal(np.signbit(got), x.s)


# Exponents whose float32 are normal, subnormal of fewer and fewer bits, and on the brink of zero.
@pytest.mark.parametrize("e", [0, 100, 128, -125, -126, -127, -135, -147, -148, -149])
def test_what_lies_near_a_tie_counts_as_the_tie(e: int, rng: np.random.Generator) -> None:
    lost = 40 + max(-125 - e, 0)
    odd = rng.integers(0, 1 << 24, 300, np.uint64) | np.uint64(1 << 23)
    tie = (odd << np.uint64(40)) >> np.uint64(lost) << np.uint64(lost)
    tie = tie + np.uint64(1 << (lost - 1))
    tie = tie[tie >= 1 << 63]
    for distance in (-65, -64, -1, 0, 1, 64, 65):
        m = tie + np.uint64(distance % (1 << 64))
        full = [np.full(len(m), value) for value in (e, False)]
        snapped = tie if abs(distance) <= SNAP else m
        want = [nearest_float32(value) for value in fractions(X(snapped, *full))]
        assert xfloat.to_float32(X(m, *full)).tolist() == want, distance
    assert len(tie) > 10


def test_float32_of_zero_and_of_what_underflows() -> None:
    tiny = xfloat.from_float64([0.0, 1e-300, -1e-300, -(2.0**-150), 2.0**-150 * 1.01])
    words = xfloat.to_float32(tiny).view(np.uint32).tolist()
    assert words == [0, 0, 0x80000000, 0x80000000, 1]


# ---- Words ---------------------------------------------------------------------------------------


def test_words_come_back(rng: np.random.Generator) -> None:
    x = numbers(rng, 1000, -(1 << 24), (1 << 24) + 1)
    words = xfloat.to_words(x)
    assert (words.dtype, words.shape) == (np.uint32, (1000, 3))
    assert all(np.array_equal(a, b) for a, b in zip(xfloat.from_words(words), x, strict=True))
    log = xfloat.log2(xfloat.absolute(x))
    words = xfloat.to_words(log)
    assert (words.dtype, words.shape) == (np.uint32, (1000, 5))
    assert all(np.array_equal(a, b) for a, b in zip(xfloat.log_from_words(words), log, strict=True))


def test_words_are_in_the_documented_order() -> None:
    x = xfloat.from_int(-(2**63) - 5)
    assert xfloat.to_words(x).tolist() == [5, 0x80000000, 64 << 1 | 1]
    log = L(*(np.array(part) for part in (np.uint64(1 << 63 | 2), np.uint64(3), -1, True)))
    assert xfloat.to_words(log).tolist() == [3, 0, 2, 0x80000000, 0xFFFFFFFF]


@pytest.mark.parametrize("words", [np.zeros(4, np.uint32), np.zeros(3), np.uint32(0)])
def test_words_of_another_shape_or_type_are_refused(words: object) -> None:
    with pytest.raises(ValueError, match="words must be uint32 with 3 of them"):
        xfloat.from_words(words)  # type: ignore[arg-type]


# ---- Printed tables ------------------------------------------------------------------------------


@pytest.fixture
def tool() -> ModuleType:
    path = ROOT / "tools/print_xfloat_tables.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_tables_are_what_the_tool_prints(tool: ModuleType) -> None:
    assert tool.main(["--check"]) == 0


def test_the_check_sees_one_digit(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    altered = tmp_path / "tables.py"
    altered.write_text(tool.PYTHON.read_text().replace("0x8B95C1E3EA8BD6E7", "0x8B95C1E3EA8BD6E6"))
    monkeypatch.setattr(tool, "PYTHON", altered)
    assert tool.main(["--check"]) == 1
