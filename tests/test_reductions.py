"""Sums and means against math.fsum, moving averages against Python: every bit, every driver."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from grilly import reductions, shaders, vk
from grilly.reductions import PARTIAL_WORDS, RESULT, Ema, exact_mean, exact_sum, plan
from grilly.rules import Plateau, packed
from grilly.rules.on_device import device_plateau, held_of, state_of
from grilly.rules.words import offsets, read, size
from grilly.vk import spirv

pytestmark = pytest.mark.turns

Rng = np.random.Generator


def uploaded(device: vk.Device, array: Any) -> vk.Buffer:
    buffer = device.buffer(array.nbytes)
    buffer.write(array)
    return buffer


def push(*words: int) -> bytes:
    return np.array(words, np.uint32).tobytes()


def record_reduction(
    tape: vk.Tape, values: vk.Buffer, count: int, result: vk.Buffer, most_bytes: int
) -> None:
    """Record the sum and the mean of ``count`` float32."""
    device = tape.device
    parts = plan(count, most_bytes)
    groups = parts[-1].partial + parts[-1].groups
    partials = device.buffer(4 * PARTIAL_WORDS * groups, fill=0xA5)
    partial = device.kernel(shaders.spirv("reduce/partial"), 2, 16)
    total = device.kernel(shaders.spirv("reduce/total"), 2, 8)
    for part in parts:
        span = (values, 4 * part.first, 4 * part.length)
        words = push(0, part.length, part.rounds, part.partial)
        tape.dispatch(partial.bind([span, partials]), part.groups, words)
    tape.barrier()
    tape.dispatch(total.bind([partials, result]), 1, push(groups, count))
    tape.barrier()


def reduced(device: vk.Device, array: Any, most_bytes: int = 1 << 27) -> dict[str, Any]:
    """Return the words of the result, read as what they are."""
    result = device.buffer(4 * size(RESULT), fill=0xA5)
    with vk.Tape(device) as tape:
        record_reduction(tape, uploaded(device, array), len(array), result, most_bytes)
    device.submit(tape)
    device.wait()
    found = read(RESULT, result.read(np.uint32, size(RESULT)))
    singles = np.array([found["sum32"], found["mean32"]], np.uint32).view(np.float32)
    return {**found, "sum32": singles[0], "mean32": singles[1]}


@np.errstate(over="ignore")
def check(got: dict[str, Any], total: float, count: int) -> None:
    """Compare a result with the sum and what follows from it; nan equals nan."""
    mean = total / count
    want = [total, mean, float(np.float32(total)), float(np.float32(mean))]
    have = [float(got[name]) for name in ("sum", "mean", "sum32", "mean32")]
    np.testing.assert_array_equal(have, want)
    assert math.isnan(total) or [math.copysign(1, x) for x in have] == [
        math.copysign(1, x) for x in want
    ]


def any_finite(rng: Rng, count: int) -> Any:
    bits = rng.integers(0, 1 << 32, count, np.uint32)
    return np.where(bits >> 23 & 255 == 255, bits & 0x80FFFFFF, bits).astype(np.uint32)


def cancelling(rng: Rng, count: int) -> Any:
    """Return numbers whose sum is far below the largest of them, or 0."""
    half = any_finite(rng, count // 2).view(np.float32)
    small = rng.integers(0, 3, count - 2 * len(half)).astype(np.float32)
    return rng.permutation(np.concatenate([half, -half, small]))


DATA: dict[str, Callable[[Rng, int], Any]] = {
    "losses": lambda rng, n: rng.normal(2.3, 0.7, n).astype(np.float32),
    "all exponents": lambda rng, n: any_finite(rng, n).view(np.float32),
    "cancelling": cancelling,
    "subnormal": lambda rng, n: any_finite(rng, n) & 0x807FFFFF,
    "largest": lambda rng, n: np.full(n, np.finfo(np.float32).max),
    "largest below zero": lambda rng, n: np.full(n, -np.finfo(np.float32).max),
    "zero": lambda rng, n: np.full(n, -0.0, np.float32),
    # the rest behind 53 bits decides: a tie, more and less than it
    "ties": lambda rng, n: np.array([1.0, 2.0**-53, *[2.0**-149] * (n - 2)][:n], np.float32),
    "below ties": lambda rng, n: np.array([1.0, 2.0**-53, *[-(2.0**-149)] * n][:n], np.float32),
}
LENGTHS = [1, 2, 3, 63, 64, 65, 511, 512, 513, 1000, 70_001, 600_001]


@pytest.mark.parametrize("count", LENGTHS)
@pytest.mark.parametrize("name", DATA)
def test_sums_are_exact(device: vk.Device, name: str, count: int) -> None:
    array = DATA[name](np.random.default_rng(count), count).view(np.float32)
    total = math.fsum(array.tolist()) + 0.0
    assert (exact_sum(array), exact_mean(array)) == (total, total / count)
    check(reduced(device, array), total, count)


def test_no_order_matters(device: vk.Device) -> None:
    rng = np.random.default_rng(1)
    array = any_finite(rng, 5000).view(np.float32)
    first = reduced(device, array)
    for _ in range(3):
        assert reduced(device, rng.permutation(array)) == first


@pytest.mark.parametrize("count", [65_536, 65_537, 300_000])
def test_an_array_in_parts(device: vk.Device, count: int) -> None:
    array = np.random.default_rng(2).normal(size=count).astype(np.float32)
    assert len(plan(count, 300_000)) == -(-count // 65_536)
    check(reduced(device, array, most_bytes=300_000), math.fsum(array.tolist()), count)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("e", [0, 15])
def test_an_invocation_holds_its_most_elements(
    device: vk.Device, monkeypatch: pytest.MonkeyPatch, sign: int, e: int
) -> None:
    """All bits of the lower 20, or of the upper ones, in each of 1,024 elements."""
    monkeypatch.setattr(reductions, "LEAST_ROUNDS", reductions.ROUNDS)
    count = 64 * 1024 + 500
    assert [part.groups for part in plan(count, 1 << 27)] == [2]
    value = sign * np.uint32((1 + 96 + e) << 23 | 0x7FFFFF).view(np.float32)
    array = np.full(count, value, np.float32)
    check(reduced(device, array), float(value) * count, count)
    assert exact_sum(array) == math.fsum(array.tolist())


NAN, INF = math.nan, math.inf
STRANGE = [([NAN], NAN), ([INF], INF), ([-INF], -INF), ([INF, INF], INF), ([INF, -INF], NAN)]


@pytest.mark.parametrize(("strange", "want"), [*STRANGE, ([NAN, INF], NAN), ([-INF, NAN], NAN)])
def test_what_is_not_finite(device: vk.Device, strange: list[float], want: float) -> None:
    array = np.ones(3000, np.float32)
    array[np.random.default_rng(3).choice(3000, len(strange), replace=False)] = strange
    np.testing.assert_equal(exact_sum(array), want)
    check(reduced(device, array), want, 3000)


@pytest.mark.parametrize("groups", [1, 2, 32_768])
@pytest.mark.parametrize("top", [-1, 0])
def test_as_many_parts_as_there_can_be(device: vk.Device, groups: int, top: int) -> None:
    """Digits at their largest in each of the parts of 2**31 numbers."""
    digits = np.random.default_rng(4).integers(0xFFF0, 0x10000, (groups, PARTIAL_WORDS))
    digits[:, -2:] = [top & 0xFFFFFFFF, 0]
    exact = sum((int(column.sum()) << 16 * i) for i, column in enumerate(digits.T[:-2]))
    exact += groups * top << 16 * 19
    result = device.buffer(4 * size(RESULT))
    kernel = device.kernel(shaders.spirv("reduce/total"), 2, 8)
    with vk.Tape(device) as tape:
        binding = kernel.bind([uploaded(device, digits.astype(np.uint32)), result])
        tape.dispatch(binding, 1, push(groups, 1))
    device.submit(tape)
    device.wait()
    assert read(RESULT, result.read(np.uint32, size(RESULT)))["sum"] == exact / 2**149


@pytest.mark.parametrize("count", [1, 64, 2**16, 2**20 + 1, 2**29, 2**31 - 1, 2**31])
@pytest.mark.parametrize("most_bytes", [2**27, 2**32 - 4])
def test_plans_cover_the_array_and_keep_the_limits(count: int, most_bytes: int) -> None:
    parts = plan(count, most_bytes)
    assert [part.first for part in parts] == [
        sum(part.length for part in parts[:i]) for i in range(len(parts))
    ]
    assert sum(part.length for part in parts) == count
    for i, part in enumerate(parts):
        assert 4 * part.length <= most_bytes and part.first % 2**16 == 0
        each = reductions.LOCAL * part.rounds
        assert (part.groups - 1) * each < part.length <= part.groups * each
        assert part.rounds <= 1024 and part.groups <= 65_535
        assert part.partial == sum(before.groups for before in parts[:i])
    # total's loop, and its sums of digits of 16 bits
    assert sum(part.groups for part in parts) + 100 < 65_535


def test_lengths_that_cannot_be() -> None:
    for count in (0, -1, 2**31 + 1):
        with pytest.raises(ValueError, match=f"count must be from 1 to 2\\*\\*31, got {count}"):
            plan(count, 1 << 27)
    with pytest.raises(ValueError, match="at least one element"):
        exact_sum(np.zeros(0, np.float32))


# ---- Moving averages -----------------------------------------------------------------------------


def averaged(device: vk.Device, ema: Ema, metrics: Any) -> list[Any]:
    """Return the words of the state after each metric."""
    given, state = uploaded(device, metrics), uploaded(device, reductions.write_ema(ema.start()))
    history = device.buffer(state.nbytes * len(metrics))
    kernel = device.kernel(shaders.spirv("reduce/ema"), 3, 8)
    binding = kernel.bind([uploaded(device, ema.settings()), state, given])
    words = metrics.itemsize // 4
    with vk.Tape(device) as tape:
        for i in range(len(metrics)):
            tape.dispatch(binding, 1, push(i * words, words))
            tape.barrier()
            tape.copy(state, history, state.nbytes, dst_offset=i * state.nbytes)
            tape.barrier()
    device.submit(tape)
    device.wait()
    return list(history.read(np.uint32, history.nbytes // 4).reshape(len(metrics), -1))


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.9, 0.999, 1 - 2**-53])
@pytest.mark.parametrize("debias", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@np.errstate(over="ignore")
def test_averages_are_pythons(device: vk.Device, decay: float, debias: bool, dtype: Any) -> None:
    rng = np.random.default_rng(9)
    metrics = (rng.normal(size=500) * 10.0 ** rng.integers(-40, 38, 500)).astype(dtype)
    metrics[[0, 7, 90, 91]] = [NAN, INF, -INF, NAN]
    ema = Ema(decay, debias)
    state = ema.start()
    for metric, words in zip(metrics, averaged(device, ema, metrics), strict=True):
        state = ema.update(state, metric)
        np.testing.assert_equal(reductions.read_ema(words), state)
        value32 = words[-1:].view(np.float32)
        np.testing.assert_array_equal(value32, np.float32(state["value"]))


def test_a_debiased_average_is_the_weighted_mean() -> None:
    ema, metrics = Ema(0.9, debias=True), np.random.default_rng(10).normal(size=30)
    state = ema.start()
    for n, metric in enumerate(metrics, 1):
        state = ema.update(state, metric)
        weights = 0.9 ** np.arange(n)[::-1]
        assert state["value"] == pytest.approx(np.average(metrics[:n], weights=weights), rel=1e-12)


def test_an_average_begins_with_the_first_metric() -> None:
    ema, metrics = Ema(0.75), [8.0, 4.0, 0.0]
    state, values = ema.start(), []
    for metric in metrics:
        state = ema.update(state, metric)
        values.append(state["value"])
    assert values == [8.0, 7.0, 5.25]


@pytest.mark.parametrize("decay", [1.0, -0.1, NAN])
def test_decays_that_cannot_be_meant(decay: float) -> None:
    with pytest.raises(ValueError, match="decay"):
        Ema(decay)


# ---- From losses to a rate, without the host -----------------------------------------------------


def test_a_plateau_of_an_average_of_means(device: vk.Device) -> None:
    rng, count, steps = np.random.default_rng(11), 1000, 30
    ema, rule = Ema(0.5), Plateau(0.5, factor=0.5, patience=1, threshold=0.01)
    packing = packed.pack([device_plateau(rule, [5])])
    losses = [rng.normal(3 / (1 + i), 0.5, count).astype(np.float32) for i in range(steps)]
    values, result = device.buffer(4 * count * steps), device.buffer(4 * size(RESULT))
    values.write(np.concatenate(losses))
    state = uploaded(device, packed.write_state(packing, 0, held_of(rule.start())))
    average = uploaded(device, reductions.write_ema(ema.start()))
    jobs, flags = device.buffer(64), device.buffer(4)
    words = [uploaded(device, packing.settings), state, average]
    plateau = device.kernel(shaders.spirv("rule/plateau"), 6, 12).bind(
        [*words, uploaded(device, packing.targets), jobs, flags]
    )
    smooth = device.kernel(shaders.spirv("reduce/ema"), 3, 8).bind(
        [uploaded(device, ema.settings()), average, result]
    )
    mean, smoothed = offsets(RESULT)["mean"], offsets(reductions.EMA_STATE)["value"]
    batch = device.buffer(4 * count)
    with vk.Tape(device) as tape:
        for i in range(steps):
            tape.copy(values, batch, 4 * count, src_offset=4 * count * i)
            tape.barrier()
            record_reduction(tape, batch, count, result, 1 << 27)
            tape.dispatch(smooth, 1, push(mean, 2))
            tape.barrier()
            tape.dispatch(plateau, 1, push(1, smoothed, 2))
            tape.barrier()
    device.submit(tape)
    device.wait()
    want, of_losses = rule.start(), ema.start()
    for loss in losses:
        of_losses = ema.update(of_losses, exact_mean(loss))
        want = rule.update(want, of_losses["value"])
    got = packed.read_state(packing, 0, state.read(np.uint32, packing.state_words))
    assert state_of(got) == want and want["value"] < 0.5


@pytest.mark.parametrize("name", ["partial", "total", "ema"])
def test_the_kernels_have_no_floating_point(name: str) -> None:
    code = shaders.spirv(f"reduce/{name}")
    opcodes = {number for number, _ in spirv._instructions(code)}
    assert 21 in opcodes and 22 not in opcodes  # OpTypeInt, OpTypeFloat
