"""Specialization constants of a Kernel: what a shader sees of a number, and what it cannot take."""

from __future__ import annotations

import math
import struct
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

import grilly
from grilly import Kernel, vk

SOURCE = """#version 450
layout(local_size_x_id = 0) in;
layout(constant_id = 1) const float a = 1.0;
layout(constant_id = 2) const int b = 2;
layout(constant_id = 3) const uint c = 3u;
layout(constant_id = 7) const bool d = true;
layout(std430, binding = 0) buffer X { uint x[]; };
void main() {
  if (gl_GlobalInvocationID.x > 0) return;
  x[0] = gl_WorkGroupSize.x; x[1] = floatBitsToUint(a); x[2] = uint(b); x[3] = c; x[4] = uint(d);
}"""

# What is given for one constant, and the word that the shader sees.
TAKEN: list[tuple[int, Any, bytes]] = [
    (0, 64, struct.pack("<I", 64)),
    (0, np.uint8(5), struct.pack("<I", 5)),
    (1, np.float32(0.5), struct.pack("<f", 0.5)),
    (1, np.float64(0.1), struct.pack("<f", 0.1)),
    (1, np.float16(0.1), struct.pack("<f", 0.0999755859375)),
    (1, 2, struct.pack("<f", 2.0)),
    (1, -0.0, struct.pack("<f", -0.0)),
    (1, np.int64(-7), struct.pack("<f", -7.0)),
    (1, 10**30, struct.pack("<f", 1e30)),
    (1, 2**24 + 1, struct.pack("<f", 2.0**24)),
    (1, 1e-50, struct.pack("<f", 0.0)),
    (1, math.inf, struct.pack("<f", math.inf)),
    (1, np.float64(-np.inf), struct.pack("<f", -math.inf)),
    (1, 3.4028235e38, struct.pack("<f", 3.4028234663852886e38)),
    (2, -(2**31), struct.pack("<i", -(2**31))),
    (2, np.int8(-1), struct.pack("<i", -1)),
    (2, 2**31 - 1, struct.pack("<i", 2**31 - 1)),
    (3, 2**32 - 1, struct.pack("<I", 2**32 - 1)),
    (3, 0, struct.pack("<I", 0)),
    (7, False, struct.pack("<I", 0)),
    (7, np.True_, struct.pack("<I", 1)),
]


@pytest.mark.parametrize(("number", "value", "word"), TAKEN, ids=repr)
def test_a_constant_is_of_the_shaders_type(
    device: vk.Device, number: int, value: Any, word: bytes
) -> None:
    place = {0: 0, 1: 1, 2: 2, 3: 3, 7: 4}[number]
    want = [struct.pack("<I", 1), struct.pack("<f", 1), *(struct.pack("<I", n) for n in (2, 3, 1))]
    want[place] = word
    for source in (SOURCE, vk.compile_glsl(SOURCE)):
        x = grilly.zeros(5, device.info.index)
        Kernel(source, constants=MappingProxyType({0: 1, number: value}))([x], 1)
        assert x.numpy().tobytes() == b"".join(want)


def test_nan_stays_nan(device: vk.Device) -> None:
    x = grilly.zeros(5, device.info.index)
    Kernel(SOURCE, constants={0: 1, 1: np.nan})([x], 1)
    assert math.isnan(x.numpy()[1])


def test_constants_that_look_alike_are_kept_apart(device: vk.Device) -> None:
    """numpy before 2 writes both as 0.1."""
    for value in (0.1, np.float16(0.1), np.float32(0.1), 1, 1.5, np.float32(0.25)):
        x = grilly.zeros(5, device.info.index)
        Kernel(SOURCE, constants={0: 1, 1: value})([x], 1)
        assert x.numpy()[1] == np.float32(value)


# What does not fit: given, error, words of its text.
MISFITS: list[tuple[dict[Any, Any], type[Exception], str]] = [
    ({1: True}, TypeError, r"constants\[1\] is a float.*got True"),
    ({1: np.False_}, TypeError, r"constants\[1\] is a float.*False"),
    ({1: 1e39}, ValueError, r"constants\[1\] is a float.*1e\+39 is beyond float32"),
    ({1: -(10**39)}, ValueError, r"constants\[1\] is a float.*beyond float32"),
    ({1: 10**400}, ValueError, r"constants\[1\] is a float.*beyond float32"),
    ({2: 1.0}, TypeError, r"constants\[2\] is an int.*got 1\.0: give an int"),
    ({2: np.float32(2)}, TypeError, r"constants\[2\] is an int"),
    ({2: True}, TypeError, r"constants\[2\] is an int.*got True"),
    ({2: 2**31}, ValueError, r"constants\[2\] is an int.*got 2147483648.*to 2147483647"),
    ({2: -(2**31) - 1}, ValueError, r"constants\[2\] is an int.*-2147483649"),
    ({3: -1}, ValueError, r"constants\[3\] is a uint.*got -1: give 0 to 4294967295"),
    ({3: 2**32}, ValueError, r"constants\[3\] is a uint.*32 bits.*4294967296"),
    ({0: 8.0}, TypeError, r"constants\[0\] is a uint.*got 8\.0"),
    ({7: 1}, TypeError, r"constants\[7\] is a bool.*got 1: give a bool"),
    ({7: 0.0}, TypeError, r"constants\[7\] is a bool.*got 0\.0"),
    (
        {4: 2.5},
        ValueError,
        r"constants\[4\] is 2\.5.*no specialization constant 4.*0 \(uint\), 1 \(float\), "
        r"2 \(int\), 3 \(uint\), 7 \(bool\)",
    ),
    ({-1: 2}, ValueError, r"constants\[-1\] is 2"),
]


@pytest.mark.parametrize(("given", "error", "words"), MISFITS, ids=[w for *_, w in MISFITS])
def test_misfits_are_refused_with_spirv(
    given: dict[Any, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        Kernel(vk.compile_glsl(SOURCE), constants=given)


@pytest.mark.parametrize(("given", "error", "words"), MISFITS, ids=[w for *_, w in MISFITS])
def test_misfits_are_refused_at_a_call(
    any_device: vk.Device, given: dict[Any, Any], error: type[Exception], words: str
) -> None:
    kernel, x = Kernel(SOURCE, constants=given), grilly.zeros(5, any_device.info.index)
    for _ in range(2):
        with pytest.raises(error, match=words):
            kernel([x], 1)
    with grilly.record() as tape:
        Kernel(SOURCE, constants={0: 1})([x], 1)
        with pytest.raises(error, match=words):
            kernel([x], 1)
    assert x.numpy().tolist() == [0.0] * 5
    tape.replay()
    assert x.numpy().tobytes() == struct.pack("<IfiII", 1, 1, 2, 3, 1)


def test_a_shader_without_constants_says_so() -> None:
    plain = "#version 450\nlayout(std430, binding = 0) buffer X { float x[]; };\n"
    with pytest.raises(ValueError, match=r"constants\[0\] is 64.*it has none"):
        Kernel(vk.compile_glsl(f"{plain}void main() {{ x[0] = 1.0; }}"), constants={0: 64})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (0, "constants must be a Mapping of ints to numbers.*got 0"),
        ([], r"constants must be a Mapping.*got \[\]"),
        ([(1, 0.5)], "constants must be a Mapping"),
        ("", "constants must be a Mapping"),
        ({"1": 0.5}, "constants must have ints as keys.*got '1'"),
        ({True: 0.5}, "constants must have ints as keys.*got True"),
        ({1.0: 0.5}, r"constants must have ints as keys.*got 1\.0"),
        ({1: "0.5"}, r"constants\[1\] must be a number or a bool, got '0\.5'"),
        ({1: None}, r"constants\[1\] must be a number.*None"),
        ({1: 1j}, r"constants\[1\] must be a number.*1j"),
        ({1: Fraction(1, 2)}, r"constants\[1\] must be a number.*Fraction"),
        ({1: np.ones(1)}, r"constants\[1\] must be a number.*array"),
    ],
)
@pytest.mark.parametrize("source", [SOURCE, b""], ids=["GLSL", "SPIR-V"])
def test_what_constants_are_is_seen_at_once(source: Any, given: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        Kernel(source or vk.compile_glsl(SOURCE), constants=given)


def test_later_changes_of_the_mapping_are_not_seen(any_device: vk.Device) -> None:
    given: dict[int, Any] = {0: 1, 1: 0.5}
    kernel, x = Kernel(SOURCE, constants=given), grilly.zeros(5, any_device.info.index)
    given[1] = "no number"
    kernel([x], 1)
    assert x.numpy()[1] == 0.5
