"""Kernel: shaders of the user's over device arrays, with a function that does the same on numpy."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import grilly
from grilly import DeviceError, Kernel, RecordError, ShaderError, device_array, vk
from grilly.errors import DeviceLimitError

Place = str | int
HEAD = "#version 450\nlayout(local_size_x = 64) in;\n"
X = "layout(std430, binding = 0) buffer X { float x[]; };\n"
AXPY = f"""{HEAD}
layout(std430, binding = 0) readonly buffer X {{ float x[]; }};
layout(std430, binding = 1) buffer Y {{ float y[]; }};
layout(push_constant) uniform Push {{ uint count; float a; int shift; }};
void main() {{
  uint i = gl_GlobalInvocationID.x;
  if (i < count) {{
    precise float product = a * x[i];
    precise float sum = y[i] + product;
    y[i] = sum + float(shift);
  }}
}}"""


def axpy_on_host(x: Any, y: Any, count: int, a: Any, shift: int) -> None:
    y[:count] = y[:count] + a * x[:count] + np.float32(shift)


axpy = Kernel(AXPY, host=axpy_on_host)


def numbers(size: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal(size).astype(np.float32)


def all_groups(size: int) -> int:
    return -(-size // 64)


@pytest.mark.parametrize("size", [1, 63, 1000])
def test_runs_at_once_and_in_order(place: Place, size: int) -> None:
    x, y = device_array(numbers(size), place), device_array(numbers(size, 1), place)
    want = numbers(size, 1)
    for k in range(5):
        axpy([x, y], all_groups(size), [size, 0.1 * k, -k])
        want = want + np.float32(0.1 * k) * numbers(size) + np.float32(-k)
    np.testing.assert_array_equal(y.numpy(), want)


def test_spirv_is_the_same(device: vk.Device) -> None:
    x, y = (device_array(numbers(99, i), device.info.index) for i in (0, 1))
    Kernel(vk.compile_glsl(AXPY))([x, y], 2, [99, 2.0, 1])
    np.testing.assert_array_equal(
        y.numpy(), numbers(99, 1) + np.float32(2) * numbers(99) + np.float32(1)
    )


def test_chains_are_a_numpy_loop(place: Place) -> None:
    """Eager and replayed: each dispatch reads what the one before wrote."""
    want = [numbers(777, i) for i in range(4)]
    arrays = [device_array(values, place) for values in want]
    links = [(0, 1), (1, 2), (2, 3), (3, 0), (0, 2), (1, 3)]

    def chain() -> None:
        for k, (i, j) in enumerate(links):
            axpy([arrays[i], arrays[j]], all_groups(777), [777, 0.1 * k - 0.3, k])

    chain()
    with grilly.record() as tape:
        chain()
    tape.replay(3)
    for _ in range(4):
        for k, (i, j) in enumerate(links):
            want[j] = want[j] + np.float32(0.1 * k - 0.3) * want[i] + np.float32(k)
    for array, values in zip(arrays, want, strict=True):
        np.testing.assert_array_equal(array.numpy(), values)


def test_constants_of_each_kind(device: vk.Device) -> None:
    source = f"""#version 450
layout(local_size_x_id = 0) in;
{X}
layout(constant_id = 1) const float scale = 0.0;
layout(constant_id = 2) const bool up = false;
layout(constant_id = 3) const int shift = 0;
void main() {{ x[gl_GlobalInvocationID.x] = scale + (up ? 100.0 : 0.0) + float(shift); }}"""
    x = grilly.zeros(8, device.info.index)
    Kernel(source, constants={0: 4, 1: 0.5, 2: True, 3: -7})([x], 2)
    assert x.numpy().tolist() == [93.5] * 8
    Kernel(source, constants={0: 2, 1: 0.25})([x], 2)
    assert x.numpy().tolist() == [0.25] * 4 + [93.5] * 4
    with pytest.raises(ValueError, match=r"constants\[9\].*no specialization constant 9"):
        Kernel(source, constants={0: 4, 9: 1})([x], 2)


def test_includes(device: vk.Device, tmp_path: Path) -> None:
    (tmp_path / "three.glsl").write_text("const float three = 3.0;\n")
    first = "#version 450\n#extension GL_GOOGLE_include_directive : require\n"
    source = f'{first}#include "three.glsl"\n{X}void main() {{ x[0] = three; }}'
    x = grilly.zeros(1, device.info.index)
    Kernel(source, include=tmp_path)([x], 1)
    assert x.item() == 3
    with pytest.raises(ShaderError, match=r"three\.glsl"):
        Kernel(source)([x], 1)


# What is given as push constants, the types that the shader declares, what it sees there, and what
# a function is given.
PUSHES: list[tuple[Sequence[Any], str, list[Any], list[Any]]] = [
    ([1, -1, 2**32 - 1], "IiI", [1, -1, 2**32 - 1], [1, -1, 2**32 - 1]),
    ([-(2**31), True, 0.1], "iif", [-(2**31), 1, 0.1], [-(2**31), 1, np.float32(0.1)]),
    (
        [np.uint8(3), np.int64(-3), np.float64(1 / 3)],
        "iif",
        [3, -3, 1 / 3],
        [3, -3, np.float32(1 / 3)],
    ),
    (
        [float("inf"), np.float16(0.5), -0.0],
        "fff",
        [float("inf"), 0.5, -0.0],
        [np.float32(np.inf), np.float32(0.5), np.float32(-0.0)],
    ),
    (np.array([5, 6, 7]), "iii", [5, 6, 7], [5, 6, 7]),
    ([2, 0.5, -(2**24) - 1], "fff", [2.0, 0.5, -(2.0**24)], [2, np.float32(0.5), -(2**24) - 1]),
    ([1, 2, np.int8(-3)], "F.i", [1.0, 2.0, -3], [1, 2, -3]),
]
# F is a vector, whose second number is where the point is.
TYPES = {"I": "uint {};", "i": "int {};", "f": "float {};", "F": "vec2 {};", ".": ""}
BITS = {"I": "{}", "i": "uint({})", "f": "floatBitsToUint({})", "F": "floatBitsToUint({}.x)"}
BITS["."] = "floatBitsToUint(a.y)"


def words_shader(types: str) -> str:
    members = " ".join(TYPES[t].format(n) for n, t in zip("abc", types, strict=True))
    stores = " ".join(
        f"x[{i}] = {BITS[t].format(n)};" for i, (n, t) in enumerate(zip("abc", types, strict=True))
    )
    return f"""#version 450
layout(std430, binding = 0) writeonly buffer X {{ uint x[]; }};
layout(push_constant) uniform Push {{ {members} }};
void main() {{ {stores} }}"""


@pytest.mark.parametrize(("push", "types", "sees", "given"), PUSHES, ids=str)
def test_push_constants(
    place: Place, push: Any, types: str, sees: list[Any], given: list[Any]
) -> None:
    seen: list[Any] = []
    words = struct.pack("<" + types.replace("F", "f").replace(".", "f"), *sees)
    kernel = Kernel(words_shader(types), host=lambda x, *numbers: seen.append(numbers))
    for own, host in ((push, given), (words, [words]), (bytearray(words), [words])):
        x = grilly.zeros(3, place)
        kernel([x], 1, own)
        if place == "cpu":
            (got,) = [seen.pop()]
            assert list(map(repr, got)) == list(map(repr, host))
        else:
            assert x.numpy().tobytes() == words


BOX = """#version 450
layout(local_size_x = 2, local_size_y = 1, local_size_z = 2) in;
layout(std430, binding = 0) buffer X { float x[]; };
void main() {
  uvec3 all_of_it = gl_NumWorkGroups * gl_WorkGroupSize, i = gl_GlobalInvocationID;
  x[(i.z * all_of_it.y + i.y) * all_of_it.x + i.x] += 1.0 + float(i.x + 10 * i.y + 100 * i.z);
}"""


@pytest.mark.parametrize("groups", [1, (3,), (3, 2), [2, 3, 2], (np.int64(1), 1, 4)], ids=str)
def test_groups_have_up_to_three_dimensions(device: vk.Device, groups: Any) -> None:
    own = tuple(groups) if isinstance(groups, (tuple, list)) else (groups,)
    x, y, z = np.multiply((*own, 1, 1)[:3], (2, 1, 2))
    array = grilly.zeros((z, y, x), device.info.index)
    kernel = Kernel(BOX)
    kernel([array], groups)
    with grilly.record() as tape:
        tape.dispatch(kernel, [array], groups)
    tape.replay(2)
    k, j, i = np.indices((z, y, x))
    np.testing.assert_array_equal(array.numpy(), 3.0 * (1 + i + 10 * j + 100 * k))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_each_dimension_has_its_limit(device: vk.Device, axis: int) -> None:
    limit = (device.limits.max_groups, *device.limits.max_groups_beyond)[axis]
    groups = [1, 1, 1]
    groups[axis] = limit + 1
    array = grilly.zeros(4, device.info.index)
    with pytest.raises(DeviceLimitError, match=f"groups in {'xyz'[axis]} {limit + 1} exceeds"):
        Kernel(BOX)([array], tuple(groups))


def test_a_shader_only_is_for_vulkan() -> None:
    kernel = Kernel(AXPY)
    x = device_array([1.0], "cpu")
    with pytest.raises(DeviceError, match="host="):
        kernel([x, x], 1, [1, 1.0, 0])
    with pytest.raises(DeviceError, match="host="), grilly.record() as tape:
        kernel([x, x], 1, [1, 1.0, 0])
    with pytest.raises(RecordError, match="broken"):
        tape.replay()


def test_one_kernel_serves_all_devices() -> None:
    for _ in range(2):
        for place in ("cpu", *(info.index for info in vk.devices())):
            x, y = device_array([1.0, 2.0], place), device_array([0.5, 0.5], place)
            axpy([x, y], 1, [2, 2.0, 1])
            assert y.numpy().tolist() == [3.5, 5.5]


def test_arrays_of_two_devices(device: vk.Device) -> None:
    here, there = grilly.zeros(2, device.info.index), grilly.zeros(2, "cpu")
    for arrays, name in (([here, there], "numpy"), ([there, here], device.name[:4])):
        with pytest.raises(ValueError, match=rf"arrays\[1\] is on {name}"):
            axpy(arrays, 1, [2, 1.0, 0])


def test_an_array_without_elements_can_be_bound(place: Place) -> None:
    empty, y = grilly.zeros(0, place), device_array([1.0], place)
    axpy([empty, y], 1, [0, 1.0, 0])
    axpy([y, empty], 1, [0, 1.0, 0])
    assert y.numpy().tolist() == [1.0] and empty.numpy().tolist() == []


def reading(*qualifiers: str) -> Kernel:
    buffers = "".join(
        f"layout(std430, binding = {i}) {kind} buffer B{i} {{ float b{i}[]; }};\n"
        for i, kind in enumerate(qualifiers)
    )
    uses = "".join(
        f"b{i}[0] = 1.0; " if kind == "writeonly" else f"sum += b{i}[0]; "
        for i, kind in enumerate(qualifiers)
    )
    last = next(i for i, kind in enumerate(qualifiers) if kind != "readonly")
    return Kernel(f"{HEAD}{buffers}void main() {{ float sum = 0.0; {uses} b{last}[0] = sum; }}")


@pytest.mark.parametrize(
    ("qualifiers", "program", "barriers"),
    [
        (("readonly", "writeonly"), ["ab", "ac", "ad"], 0),  # all read a
        (("readonly", "writeonly"), ["ab", "bc", "cd"], 2),
        (("readonly", "writeonly"), ["ab", "cb"], 1),  # both write b
        (("", "writeonly"), ["ab", "ac"], 1),  # a is taken to be written
        (("readonly", ""), ["ab", "cd", "ab"], 1),
        (("readonly", "readonly", "writeonly"), ["abc", "abd", "cda"], 1),
    ],
)
def test_barriers_are_where_qualifiers_ask_for_them(
    device: vk.Device, qualifiers: tuple[str, ...], program: list[str], barriers: int
) -> None:
    arrays = {name: grilly.zeros(5, device.info.index) for name in "abcd"}
    kernel = reading(*qualifiers)
    with grilly.record() as tape:
        for names in program:
            kernel([arrays[name] for name in names], 1)
    body = tape._player._bodies[(), 1]  # type: ignore[attr-defined]
    assert (body.barriers, body.dispatches) == (barriers, len(program))


def test_prepared_dispatches_do_not_keep_arrays(device: vk.Device) -> None:
    kernel = Kernel(f"{HEAD}{X}void main() {{ x[gl_GlobalInvocationID.x] += 1.0; }}")
    kernel([grilly.zeros(600_000, device.info.index)], 1)
    device.wait()
    before = device.live
    for _ in range(5):
        array = grilly.zeros(600_000, device.info.index)
        for _ in range(3):
            kernel([array], 1)
        assert array.numpy()[:65].tolist() == [3.0] * 64 + [0.0]
    del array
    device.wait()
    assert device.live == before
    assert not kernel._tapes


BAD_CALLS: list[tuple[Any, type[Exception], str]] = [
    (lambda k, x: k([x], 1, [1, 1.0, 0]), (ShaderError, TypeError), "binding|argument"),
    (lambda k, x: k(x, 1, [1, 1.0, 0]), TypeError, r"arrays must be a list.*write \[x\]"),
    (lambda k, x: k([], 1, [1, 1.0, 0]), ValueError, "arrays must have at least one"),
    (lambda k, x: k([x, np.ones(1)], 1, []), TypeError, r"arrays\[1\].*ndarray.*device_array"),
    (lambda k, x: k([x, x], 0, [1, 1.0, 0]), ValueError, "groups must.*got 0"),
    (lambda k, x: k([x, x], 1.0, [1, 1.0, 0]), ValueError, r"groups must.*got 1\.0"),
    (lambda k, x: k([x, x], (1, 1, 1, 1), [1, 1.0, 0]), ValueError, "groups must be one to three"),
    (lambda k, x: k([x, x], (), [1, 1.0, 0]), ValueError, "groups must be one to three"),
    (lambda k, x: k([x, x], True, [1, 1.0, 0]), ValueError, "groups must.*got True"),
    (lambda k, x: k([x, x], 1, 3), TypeError, r"push must be a list.*got 3"),
    (lambda k, x: k([x, x], 1, "abc"), TypeError, r"push must be a list.*got 'abc'"),
    (lambda k, x: k([x, x], 1, [2**32, 1.0, 0]), ValueError, r"push\[0\] has 32 bits.*4294967296"),
    (lambda k, x: k([x, x], 1, [1, 1e39, 0]), ValueError, r"push\[1\].*1e\+39"),
    (lambda k, x: k([x, x], 1, [1, None, 0]), TypeError, r"push\[1\] must be.*None"),
    (lambda k, x: k([x, x], 1, [1, 1.0]), (ShaderError, TypeError), "12 bytes|'shift'"),
]


@pytest.mark.parametrize("recorded", [False, True], ids=["at once", "recorded"])
@pytest.mark.parametrize(("act", "error", "words"), BAD_CALLS, ids=[w for *_, w in BAD_CALLS])
def test_bad_calls_raise_where_they_are_made(
    place: Place, act: Any, error: Any, words: str, recorded: bool
) -> None:
    x = device_array([1.0], place)
    # The arguments of a function on the host are known when it is called.
    recorded = recorded and not (isinstance(error, tuple) and place == "cpu")
    if recorded:
        with grilly.record() as tape:
            axpy([x, x], 1, [1, 1.0, 0])
            with pytest.raises(error, match=words):
                act(axpy, x)
        tape.replay()
    else:
        with pytest.raises(error, match=words):
            act(axpy, x)
    assert x.numpy().tolist() == [2.0 if recorded else 1.0]


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: Kernel(3), TypeError, "source must be GLSL text or SPIR-V bytes, got int"),
        (lambda: Kernel(AXPY, host=3), TypeError, "host must be a function, got 3"),
        (lambda: Kernel(b"abc"), ShaderError, "not SPIR-V"),
        (lambda: Kernel(vk.compile_glsl(AXPY)[:100]), ShaderError, "damaged"),
    ],
)
def test_bad_sources(make: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make()


def test_the_compilers_words(device: vk.Device) -> None:
    x = grilly.zeros(1, device.info.index)
    with pytest.raises(ShaderError, match="frobnicate"):
        Kernel(f"{HEAD}{X}void main() {{ frobnicate(); }}")([x], 1)
    large = f"#version 450\nlayout(local_size_x_id = 0) in;\n{X}void main() {{ x[0]++; }}"
    with pytest.raises(DeviceLimitError, match="local size"):
        Kernel(large, constants={0: 1 << 20})([x], 1)


def test_push_constants_of_the_same_bytes_are_not_the_same_call(device: vk.Device) -> None:
    kernel = Kernel("#version 450\n" + kernel_text(X, "float"))
    x = grilly.zeros(1, device.info.index)
    one_as_int = 0x3F800000
    calls: list[tuple[Any, float]] = [
        ([1.0], 1.0),
        ([one_as_int], float(one_as_int)),
        ([1], 1.0),
        (b"\1\0\0\0", 2.0**-149),
        ([1], 1.0),
    ]
    for push, want in calls:
        kernel([x], 1, push)
        assert x.numpy()[0] == np.float32(want)
    whole = Kernel("#version 450\n" + kernel_text(X, "int"))
    whole([x], 1, [one_as_int])
    with pytest.raises(TypeError, match="write an int"):
        whole([x], 1, [1.0])


def kernel_text(buffers: str, kind: str) -> str:
    push = f"layout(push_constant) uniform P {{ {kind} v; }};\n"
    return f"{buffers}{push}void main() {{ x[0] = float(v); }}"


def patched(code: bytes, at: int, word: int) -> bytes:
    return code[:at] + word.to_bytes(4, "little") + code[at + 4 :]


def test_spirv_that_is_not_read_is_refused() -> None:
    text = HEAD.replace("local_size_x", "local_size_x_id").replace("= 64", "= 0") + X
    code = vk.compile_glsl(text + "void main() { x[0] = 1.0; }")
    with pytest.raises(ShaderError, match=r"SPIR-V 1\.6.*--target-env vulkan1\.1"):
        Kernel(patched(code, 4, 0x00010600))
    words = np.frombuffer(code, "<u4").tolist()
    composite = next(i for i, word in enumerate(words) if word == 6 << 16 | 51)  # of the local size
    unknown = Kernel(patched(code, 4 * (composite + 3), words[composite + 1]), constants={})
    with pytest.raises(ShaderError, match="the local size is computed"):
        unknown._shader._read[1].local_size({})


def test_a_path_is_no_source() -> None:
    with pytest.raises(ValueError, match=r"'kernels/axpy.comp'.*read_text"):
        Kernel("kernels/axpy.comp")
