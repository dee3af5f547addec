"""The norm of all gradients and what follows from it: the bits of a plain loop, everywhere.

The plain loop sums as hyper.py says; float64 says how far that is from the truth.
"""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import numpy as np
import pytest
import torch
from plain_norm import INF, LANES, PARTS, SHARE, F, Tensors, stream, wanted

from grilly import chunks, cpu_norm, gpu_norm, hyper, shaders, slabs, vk
from grilly.slabs import Slabs

pytestmark = pytest.mark.turns


def normal(*sizes: int, scale: float = 1.0, seed: int = 0) -> Tensors:
    rng = np.random.default_rng(seed)
    return [F(scale) * rng.standard_normal(size, F) for size in sizes]


def with_value(tensors: Tensors, tensor: int, place: int, value: float) -> Tensors:
    tensors[tensor][place] = value
    return tensors


# Name -> gradients; None is a tensor without one.
CASES: dict[str, Tensors] = {
    "one": normal(1),
    "none": [],
    "no gradient": [None, None],
    "empty": normal(0, 0),
    "a lane, odd": normal(63),
    "small, odd, empty": normal(3, 0, 5, 1, 0, 1001, 2, 64, 7),
    "a share": normal(4 * SHARE),
    "a share and one": normal(4 * SHARE + 1),
    "missing": [None, *normal(9), None, *normal(5000, 4, 30_001), None, *normal(77)],
    "many": normal(*range(1, 400)),
    "a block and more": normal(16 * 4 * SHARE + 3, 5, 2 * 16 * 4 * SHARE),
    "large": normal(10**6, 12, 123_457),
    "zeros": [np.zeros(5000, F), np.zeros(3, F)],
    "equal": [np.full(1_000_000, 0.1, F)],
    "tiny": normal(20_000, 50, scale=1e-19),
    "subnormal": normal(3000, scale=1e-40),
    "tiny and not": [*normal(20_000, scale=3e-19), *normal(20_000, scale=1e-14)],
    "wide": [F(10) ** np.random.default_rng(3).uniform(-25, 18, 30_000).astype(F)],
    "overflow": normal(10_000, scale=1e19),
    "inf": with_value(normal(20_000, 9), 0, 19_999, INF),
    "-inf in the last": with_value(normal(20_000, 9), 1, 8, -INF),
    "nan": with_value(normal(20_000, 9), 0, 8192, np.nan),
    "nan and inf": with_value(with_value(normal(9000, 9), 0, 0, INF), 1, 1, np.nan),
}
# (max_norm, whether updates that are not finite are skipped)
SETTINGS = [(INF, False), (1.0, True), (1e-3, False), (1e6, True), (0.0, False), (1e-40, False)]


def on_numpy(tensors: Tensors, control: Any, threads: int = 1) -> Any:
    grads = [g for g in tensors if g is not None]
    before = [g.copy() for g in grads]
    scratch = [np.full(cpu_norm.scratch_floats(grads), np.nan, F) for _ in range(threads)]
    cpu_norm.decide(cpu_norm.examine(grads, scratch), control)
    for g, was in zip(grads, before, strict=True):
        np.testing.assert_array_equal(g, was)
    return control


def on_device(device: vk.Device, tensors: Tensors, control: Any, local_size: int = 8) -> Any:
    """Return the control after an examination; a tensor without a gradient has an old one."""
    sizes = [7 if g is None else g.size for g in tensors]
    made = Slabs(device, sizes, ("param", "grad"))
    for i, g in enumerate(tensors):
        made.write("grad", i, np.full(7, np.nan, F) if g is None else g)
    buffer = device.buffer(control.nbytes)
    buffer.write(control)
    shares = made.share_out([g is not None for g in tensors])
    norm = gpu_norm.GpuNorm(shares, buffer, local_size)
    with vk.Tape(device) as tape:
        norm.record(tape)
    device.submit(tape)
    device.wait()
    return buffer.read(hyper.control_dtype(), 1)


def words(control: Any) -> list[int]:
    return control.view(np.uint32)[:6].tolist()


def run(place: str | int, tensors: Tensors, max_norm: float, skip: bool) -> list[int]:
    control = hyper.control(max_norm, skip)
    if place == "cpu":
        return words(on_numpy(tensors, control))
    return words(on_device(vk.open_device(place), tensors, control))


@pytest.mark.parametrize("name", CASES)
def test_bits_of_a_plain_loop(place: str | int, name: str) -> None:
    for max_norm, skip in SETTINGS[:2]:
        got = run(place, CASES[name], max_norm, skip)
        assert got == wanted(CASES[name], max_norm, skip), (max_norm, skip)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_settings(place: str | int, settings: tuple[float, bool]) -> None:
    for name in ("one", "zeros", "missing", "overflow", "inf", "nan and inf"):
        assert run(place, CASES[name], *settings) == wanted(CASES[name], *settings), name


@pytest.mark.parametrize("max_groups", [2, 65535])
@pytest.mark.parametrize("local_size", [1, 4, 8, 64, 128])
def test_the_layout_changes_no_bit(
    device: vk.Device, monkeypatch: pytest.MonkeyPatch, local_size: int, max_groups: int
) -> None:
    limits = dataclasses.replace(device.limits, max_groups=max_groups)
    monkeypatch.setattr(device, "limits", limits)
    monkeypatch.setattr(slabs, "_most", lambda device: 1 << 22)
    for decide in (8, 64, 128):
        monkeypatch.setattr(gpu_norm, "DECIDE_LOCAL_SIZE", decide)
        for name in ("small, odd, empty", "missing", "many", "a share and one", "nan"):
            got = words(on_device(device, CASES[name], hyper.control(1.0, True), local_size))
            assert got == wanted(CASES[name], 1.0, True), name


@pytest.mark.parametrize("nbytes", [1 << 12, (1 << 15) + 16, 1 << 17])
def test_parts_of_a_slab_change_no_bit(
    device: vk.Device, monkeypatch: pytest.MonkeyPatch, nbytes: int
) -> None:
    limits = dataclasses.replace(device.limits, max_storage_range=nbytes)
    monkeypatch.setattr(device, "limits", limits)
    for name in ("small, odd, empty", "missing", "a share and one", "no gradient", "tiny"):
        got = words(on_device(device, CASES[name], hyper.control(1.0, True)))
        assert got == wanted(CASES[name], 1.0, True), name


def test_threads_change_no_bit() -> None:
    for name in ("a block and more", "large", "missing", "inf", "none"):
        for threads in (2, 3):
            got = words(on_numpy(CASES[name], hyper.control(1.0, True), threads))
            assert got == wanted(CASES[name], 1.0, True), name


def test_more_lanes_than_one_invocation_has_turns(device: vk.Device) -> None:
    """lavapipe ends an invocation's loops after 65535 turns; eight would take 75000."""
    lanes = 600_000
    sums = np.random.default_rng(1).random((lanes, 4), F)
    most = np.zeros(lanes, np.uint32)
    most[-1] = F(2.5).view(np.uint32)
    control = hyper.control(1.0, True)
    buffers = [device.buffer(array.nbytes) for array in (control, sums, most)]
    for buffer, array in zip(buffers, (control, sums, most), strict=True):
        buffer.write(array)
    code, constants = shaders.spirv("optim/decide"), {0: gpu_norm.DECIDE_LOCAL_SIZE}
    kernel = device.kernel(code, 3, 4, constants)
    with vk.Tape(device) as tape:
        tape.dispatch(kernel.bind(buffers), 1, np.array([lanes], np.uint32).tobytes())
    device.submit(tape)
    device.wait()
    examined = cpu_norm.Examined(sums.reshape(-1, LANES, 4), most[-1])
    cpu_norm.decide(examined, control)
    assert words(buffers[0].read(hyper.control_dtype(), 1)) == words(control)
    assert control["norm"][0] == pytest.approx(np.sqrt(sums.sum(dtype=np.float64)), rel=1e-5)


def test_skipped_updates_are_counted_in_64_bits(place: str | int) -> None:
    control = hyper.control(1.0, True)
    control["skipped_lo"] = 2**32 - 2
    for tensors, skipped in (
        (CASES["inf"], 2**32 - 1),
        (CASES["one"], 2**32 - 1),
        (CASES["nan"], 2**32),
        (CASES["nan"], 2**32 + 1),
    ):
        if place == "cpu":
            on_numpy(tensors, control)
        else:
            control = on_device(vk.open_device(place), tensors, control)
        assert int(control["skipped_lo"][0]) + (int(control["skipped_hi"][0]) << 32) == skipped


@pytest.mark.parametrize("name", ["equal", "large", "many", "missing", "a block and more", "1e7"])
def test_the_error_is_within_its_bound(name: str) -> None:
    """Against float64: each float32 sum on a square's way is off by 2^-24, the root halves it."""
    tensors = normal(10**7) if name == "1e7" else CASES[name]
    x = stream(tensors).astype(np.float64)
    lanes = -(-x.size // (4 * SHARE)) * LANES
    sums = SHARE // LANES + -(-lanes // PARTS) + 8 + 2
    norm = on_numpy(tensors, hyper.control())["norm"][0]
    error = abs(float(norm) / np.sqrt((x * x).sum()) - 1)
    assert error < ((sums + 1) / 2 + 1) * 2.0**-24
    assert error < 1e-6  # what is seen: errors of roundings cancel


@pytest.mark.parametrize("max_norm", [0.5, 1e9])
def test_torch_clips_by_the_same(place: str | int, max_norm: float) -> None:
    tensors = CASES["small, odd, empty"]
    params = [torch.nn.Parameter(torch.zeros(g.size)) for g in tensors]
    for p, g in zip(params, tensors, strict=True):
        p.grad = torch.tensor(g)
    norm = torch.nn.utils.clip_grad_norm_(params, max_norm)
    got = np.array(run(place, tensors, max_norm, False), np.uint32).view(F)
    assert got[2] == pytest.approx(float(norm), rel=1e-6)
    clipped = got[0] * tensors[5]
    np.testing.assert_allclose(clipped, params[5].grad.numpy(), rtol=1e-6)


@pytest.mark.parametrize("active", [[True] * 5, [True, False, True, True, False]])
def test_each_active_float4_is_in_one_share(active: list[bool]) -> None:
    starts = chunks.offsets([9000, 3, 0, 40_001, 20_000])
    cuts = [0, 1, 2049, 9000, starts[-1]]
    segments = []
    for a, b in itertools.pairwise(cuts):
        own = (np.clip(starts, a, b) - a).tolist()
        runs = zip(own, itertools.pairwise(own), active, strict=False)
        segments.append([(start, end - start) for _, (start, end), on in runs if on])
    seen = []
    for part, cut in zip(chunks.share_out(segments), cuts, strict=False):
        for share in range(part.number):
            runs = part.table[part.ranges[share] : part.ranges[share + 1]].tolist()
            for start, count, place in runs:
                first = (part.first + share) * SHARE + place
                seen += zip(
                    range(first, first + count),
                    range(cut + start, cut + start + count),
                    strict=False,
                )
    places = [n for i, on in enumerate(active) if on for n in range(starts[i], starts[i + 1])]
    assert seen == list(enumerate(places))
