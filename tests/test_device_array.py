"""DeviceArray: numbers in the memory of a device, as a user reads, writes and shares them."""

from __future__ import annotations

import copy
import dataclasses
import gc
import pickle
from typing import Any

import numpy as np
import pytest
import torch

import grilly
from grilly import DeviceArray, DeviceError, NoViewError, RecordError, device_array, vk
from grilly.vk import buffer as buffer_module

Place = str | int
SHAPES = [(), (0,), (3, 0, 2), (1,), (7,), (3, 5), (2, 3, 4, 5), (70_001,)]


def numbers(shape: tuple[int, ...], seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_what_goes_in_comes_out(place: Place, shape: tuple[int, ...]) -> None:
    want = numbers(shape)
    array = device_array(want, place)
    assert (array.shape, array.size, array.nbytes) == (shape, want.size, want.nbytes)
    assert array.dtype == np.float32 and str(shape) in repr(array)
    got = array.numpy()
    assert got.shape == shape and got.dtype == np.float32
    np.testing.assert_array_equal(got, want)
    got[...] = 9  # a copy
    np.testing.assert_array_equal(array.numpy(), want)
    np.testing.assert_array_equal(grilly.zeros(shape, place).numpy(), np.zeros(shape))


@pytest.mark.parametrize("dtype", ["f2", "f4", ">f4", "f8", "i1", "u2", "i8", "?"])
def test_real_numbers_of_any_type(place: Place, dtype: str) -> None:
    values = np.array([[0, 1, 3], [2, 1, 0]]).astype(dtype)
    for given in (values, values.T, values[:, ::-1], values.tolist()):
        want = np.array(given).astype(np.float32)
        np.testing.assert_array_equal(device_array(given, place).numpy(), want)


def test_float64_is_rounded_once_and_what_is_too_large_is_infinite(place: Place) -> None:
    values = [0.1, 1 + 2**-24, 1 + 2**-24 + 2**-50, 1e300, -1e300, np.nan]
    got = device_array(values, place).numpy()
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(got, np.array(values).astype("f4"))


def test_copy_from_arrays_of_all_kinds(place: Place) -> None:
    array, want = grilly.zeros((3, 5), place), numbers((3, 5))
    other = device_array(want, place)
    elsewhere = device_array(want + 1, "cpu")
    for given, then in [
        (want, want),
        (elsewhere, want + 1),
        (other, want),
        (torch.from_numpy(want * 2), want * 2),
        (np.float64(want).T.copy().T, want),
        (array, want),
    ]:
        array.copy_from(given)
        np.testing.assert_array_equal(array.numpy(), then)
    other.fill_zero()
    assert not other.numpy().any() and array.numpy().all()


def test_copies_between_all_devices() -> None:
    places = ["cpu", *(info.index for info in vk.devices())]
    want = numbers((130,))
    for one in places:
        for two in places:
            target = grilly.zeros(130, two)
            target.copy_from(device_array(want, one))
            np.testing.assert_array_equal(target.numpy(), want)


@pytest.mark.parametrize("scale", [1.0, -0.3, 0.0, 3, np.float64(1 / 3)])
@pytest.mark.parametrize("size", [0, 1, 5, 10_001])
def test_add_rounds_as_numpy_does(place: Place, size: int, scale: Any) -> None:
    x, y = numbers((size,), 1), numbers((size,), 2) * np.float32(1e3)
    array, other = device_array(x, place), device_array(y, place)
    for _ in range(3):
        array.add_(other, scale)
        x = x + np.float32(scale) * y
    np.testing.assert_array_equal(array.numpy().view("u4"), x.view("u4"))
    array.add_(array, scale)
    np.testing.assert_array_equal(array.numpy(), x + np.float32(scale) * x)


@pytest.mark.parametrize("alignment", [None, 256])
@pytest.mark.parametrize("size", [600_001, 3 << 17])
def test_an_array_that_no_binding_holds_is_added_in_parts(
    device: vk.Device, monkeypatch: pytest.MonkeyPatch, size: int, alignment: int | None
) -> None:
    x, y = numbers((size,), 1), numbers((size,), 2)
    array, other = (device_array(values, device.info.index) for values in (x, y))
    limits = {"max_storage_range": (1 << 20) + 12}  # its end is no place for a part to begin
    if alignment:
        limits["offset_alignment"] = alignment
    monkeypatch.setattr(device, "limits", dataclasses.replace(device.limits, **limits))
    before = device.counters.recorded
    array.add_(other, 0.3)
    assert device.counters.recorded - before == -(-4 * size // (1 << 20))
    with grilly.record() as tape:
        array.add_(array, -2.0)
        array.add_(other)
    tape.replay(2)
    x += np.float32(0.3) * y
    for _ in range(2):
        x = -x + y
    np.testing.assert_array_equal(array.numpy(), x)


def test_sums_beyond_float32_are_infinite_and_silent(place: Place) -> None:
    array = device_array([3e38, -3e38, 1.0], place)
    array.add_(array, 2.0)
    np.testing.assert_array_equal(array.numpy(), np.float32([np.inf, -np.inf, 3]))


def test_a_view_is_the_memory(place: Place) -> None:
    array = device_array(numbers((2, 3)), place)
    seen = array.view()
    assert seen.shape == (2, 3) and seen.flags.writeable
    seen[1, 2] = 42
    assert array.numpy()[1, 2] == 42
    array.copy_from(np.ones((2, 3)))
    assert seen[1, 2] == 1
    array.add_(array)
    assert array.wait()
    assert seen[1, 2] == 2
    assert np.shares_memory(np.array(array, copy=False), seen)
    assert not np.shares_memory(np.asarray(array), seen)
    assert grilly.zeros((3, 0), place).view().shape == (3, 0)


def test_array_protocol(place: Place) -> None:
    array = device_array([1.5, 2.5], place)
    assert np.asarray(array, np.float64).tolist() == [1.5, 2.5]
    assert (np.float32(2) * np.asarray(array)).tolist() == [3.0, 5.0]
    assert len(array) == 2 and device_array(3.0, place).item() == 3.0
    with pytest.raises(ValueError, match="copy"):
        np.array(array, np.float64, copy=False)
    with pytest.raises(TypeError, match="no length"):
        len(device_array(3.0, place))
    with pytest.raises(ValueError, match=r"item\(\).*\(2,\)"):
        array.item()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"stream": None},
        {"max_version": (1, 0)},
        {"dl_device": (1, 0)},
        {"copy": False},
        {"stream": None, "max_version": (1, 0), "dl_device": (1, 0), "copy": False},
    ],
    ids=str,
)
def test_dlpack_shares_the_memory(place: Place, options: dict[str, Any]) -> None:
    array = device_array(numbers((2, 3)), place)
    assert array.__dlpack_device__() == (1, 0)
    tensor = torch.utils.dlpack.from_dlpack(array.__dlpack__(**options))
    tensor[0, 1] = 7
    assert array.numpy()[0, 1] == 7
    array.copy_from(np.full((2, 3), 8))
    assert (tensor == 8).all()


def test_a_dlpack_copy_shares_nothing(place: Place) -> None:
    array = device_array([1.0, 2.0], place)
    tensor = torch.utils.dlpack.from_dlpack(array.__dlpack__(copy=True, max_version=(1, 0)))
    tensor[0] = 7
    assert array.numpy()[0] == 1
    with pytest.raises(BufferError):
        array.__dlpack__(dl_device=(2, 0))


@pytest.mark.parametrize("look", [torch.from_dlpack, np.from_dlpack, DeviceArray.view])
def test_what_shares_the_memory_keeps_it(place: Place, look: Any) -> None:
    array = device_array(np.full(1000, 5), place)
    shared = look(array)
    del array
    # The next arrays of this size must not get that memory.
    others = [device_array(np.full(1000, 6), place) for _ in range(3)]
    assert (np.asarray(shared) == 5).all()
    assert all((other.numpy() == 6).all() for other in others)


@pytest.fixture
def hidden(device: vk.Device, monkeypatch: pytest.MonkeyPatch) -> DeviceArray:
    """An array of ones whose memory the host cannot see; it is large: it has its own buffer."""
    monkeypatch.setattr(buffer_module, "staging_forced", lambda: True)
    return device_array(np.ones(600_000), device.info.index)


SHARING: dict[str, Any] = {
    "view": DeviceArray.view,
    "dlpack": lambda x: x.__dlpack__(),
    "numpy": lambda x: np.array(x, copy=False),
    "numpy's dlpack": np.from_dlpack,
    "numpy's dlpack, no copy": lambda x: np.from_dlpack(x, copy=False),
    "torch's dlpack": torch.from_dlpack,
}


@pytest.mark.parametrize("act", SHARING)
@pytest.mark.parametrize("error", [NoViewError, DeviceError, ValueError, BufferError])
def test_a_memory_that_the_host_cannot_see(
    hidden: DeviceArray, act: str, error: type[Exception]
) -> None:
    """The error is grilly's, numpy's and DLPack's: whoever asks knows one of them."""
    with pytest.raises(error, match=r"cannot see.*numpy\(\) and copy_from\(\).*copy=True"):
        SHARING[act](hidden)
    hidden.add_(hidden)
    assert (hidden.numpy() == 2).all()


@pytest.mark.parametrize(
    "copied",
    [
        lambda x: np.asarray(x),
        lambda x: np.from_dlpack(x, copy=True),
        lambda x: torch.from_dlpack(x, copy=True).numpy(),
        lambda x: torch.utils.dlpack.from_dlpack(x.__dlpack__(copy=True)).numpy(),
    ],
)
def test_a_copy_of_a_memory_that_the_host_cannot_see(hidden: DeviceArray, copied: Any) -> None:
    got = copied(hidden)
    hidden.fill_zero()
    assert got.shape == (600_000,) and (got == 1).all()
    assert not hidden.numpy().any()
    with pytest.raises(RecordError, match="reading a device array"), grilly.record():
        hidden.__dlpack__(copy=True)


def test_memory_returns(private_device: vk.Device) -> None:
    from grilly.resident.places import VulkanPlace

    place = VulkanPlace(private_device)

    def made(size: int) -> DeviceArray:
        return DeviceArray(place, place.new(size), (size,))

    keeper = made(10)
    before, free = private_device.live, private_device.counters.allocations
    for size in (10, 1000, 700_000):
        for _ in range(20):
            array = made(size)
            grad = array.twin()
            grad.add_(array)
            del array, grad
    private_device.wait()
    gc.collect()
    private_device._submits.clear()
    made(1)
    live = private_device.live
    assert live["buffer"] <= before["buffer"] + 1  # the twin of the shared one
    assert private_device.counters.allocations - free <= 2 + 2 * 20
    assert (keeper.numpy() == 0).all()
    again = [made(1000) for _ in range(5)]
    assert all(not one.numpy().any() for one in again)


def test_deep_copies_are_arrays_of_their_own(place: Place) -> None:
    param = grilly.nn.Parameter([1.0, 2.0], device=place)
    param.grad.copy_from([3.0, 4.0])
    other = copy.deepcopy(param.data)
    shallow = copy.copy(param.grad)
    param.data.fill_zero()
    param.grad.fill_zero()
    assert other.numpy().tolist() == [1, 2] and shallow.numpy().tolist() == [3, 4]
    with pytest.raises(TypeError, match=r"numpy\(\)"):
        pickle.dumps(other)


BAD: list[tuple[Any, type[Exception], str]] = [
    (lambda x: x.copy_from([1.0, 2.0]), ValueError, r"values.*\(3,\).*\(2,\)"),
    (lambda x: x.copy_from([1j, 2, 3]), TypeError, "values must be real.*complex"),
    (lambda x: x.copy_from(["a", "b", "c"]), TypeError, "values must be real"),
    (lambda x: x.copy_from([[1], [2, 3]]), ValueError, "values is no array"),
    (lambda x: x.copy_from(torch.ones(3, requires_grad=True)), ValueError, "values is no array"),
    (lambda x: x.copy_from(grilly.zeros(4, "cpu")), ValueError, r"values.*\(3,\).*\(4,\)"),
    (lambda x: x.add_([1, 2, 3]), TypeError, "other must be a DeviceArray, got list"),
    (lambda x: x.add_(x, np.inf), ValueError, "scale must be a finite float32, got inf"),
    (lambda x: x.add_(x, 1e39), ValueError, r"scale .*1e\+39"),
    (lambda x: x.add_(x, "1"), TypeError, "scale must be a number, got '1'"),
    (lambda x: x.add_(grilly.zeros(2, "cpu")), ValueError, r"other.*\(3,\).*\(2,\)"),
]


@pytest.mark.parametrize(("act", "error", "words"), BAD, ids=[words for *_, words in BAD])
def test_errors_say_what_is_wrong_and_change_nothing(
    place: Place, act: Any, error: type[Exception], words: str
) -> None:
    array = device_array([1.0, 2.0, 3.0], place)
    with pytest.raises(error, match=words):
        act(array)
    assert array.numpy().tolist() == [1, 2, 3]


def test_arrays_of_two_devices_do_not_add(device: vk.Device) -> None:
    here, there = grilly.zeros(2, device.info.index), grilly.zeros(2, "cpu")
    with pytest.raises(ValueError, match=f"other is on numpy, not on {device.name[:4]}"):
        here.add_(there)


@pytest.mark.parametrize(
    ("shape", "error"),
    [
        (-1, ValueError),
        ((2, -3), ValueError),
        (2.5, TypeError),
        ((2, 1.0), TypeError),
        ("3", TypeError),
    ],
)
def test_shapes_that_cannot_be(shape: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="shape must"):
        grilly.zeros(shape, "cpu")


@pytest.mark.parametrize(
    "act",
    [
        lambda x: x.numpy(),
        lambda x: x.item(),
        lambda x: x.view(),
        lambda x: np.asarray(x),
        lambda x: x.copy_from([1.0]),
        lambda x: x.copy_from(grilly.nn.Parameter(np.ones(1, "f4")).data),
    ],
)
def test_what_needs_the_host_cannot_be_recorded(place: Place, act: Any) -> None:
    array = device_array([1.0], place)
    with pytest.raises(RecordError, match="cannot be recorded"), grilly.record():
        act(array)
    assert array.numpy().tolist() == [1.0]


def test_an_array_has_one_twin(place: str | int) -> None:
    array = grilly.zeros(5, place)
    first = array.twin()
    first.copy_from([1, 2, 3, 4, 5])
    second = array.twin()  # set to zeros
    assert not first.numpy().any()
    second.copy_from(np.ones(5))
    second.copy_from(first)  # the same memory
    assert first.numpy().tolist() == [1] * 5
