"""Parameter: a float32 array, on the host or on a device, and its gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..resident.array import DeviceArray, device_array

Float32 = npt.NDArray[np.float32]


class Parameter:
    """A float32 array of any shape, ``data``, updated in place, and its gradient ``grad``.

    ``data`` is the array that was given, not a copy: of numpy, or a DeviceArray. With ``device`` it
    is a DeviceArray with a copy of what was given. The gradient of a DeviceArray is there from the
    start, a DeviceArray of zeros for kernels to write into: an optimizer moves nothing then. Set it
    to None, and the parameter is left alone.

    Raises TypeError unless ``data`` is a numpy array of float32 or a DeviceArray (with ``device``:
    unless it is real), ValueError if it is read-only or its elements share memory with each other,
    DeviceError if the device cannot be used.

    Another array may be put into ``data``. It must share no memory with another parameter's: that
    is looked for when a group is added to an optimizer, but not at each step, which would update
    the shared elements once for each of the parameters.

    >>> weight = Parameter(np.zeros((2, 3), np.float32))
    >>> weight.shape, weight.grad is None
    ((2, 3), True)
    """

    __slots__ = ("__weakref__", "_data", "grad")

    def __init__(self, data: Any, device: str | int | None = None) -> None:
        self.data = data if device is None else device_array(data, device)
        self.grad: Any = self._data.twin() if isinstance(self._data, DeviceArray) else None

    @property
    def data(self) -> Any:
        """The array that is updated, of numpy or a DeviceArray."""
        return self._data

    @data.setter
    def data(self, data: Float32 | DeviceArray) -> None:
        self._data = data if isinstance(data, DeviceArray) else checked(data, "data")

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of ``data``."""
        shape: tuple[int, ...] = self.data.shape
        return shape

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        if isinstance(self.data, DeviceArray):
            return self.data.__array__(dtype, copy)
        if dtype is None and not copy:
            return self.data  # type: ignore[no-any-return]
        return np.array(self.data, dtype=dtype)

    def __repr__(self) -> str:
        return f"Parameter({self.data!r})"


def checked(data: Any, name: str) -> Float32:
    """Return ``data`` if it can be updated in place, else raise TypeError or ValueError."""
    if not isinstance(data, np.ndarray):
        kind = f"{type(data).__module__}.{type(data).__qualname__}"
        raise TypeError(
            f"{name} must be a numpy array of float32, got {kind}: of a torch tensor pass "
            "t.detach().numpy(), which shares its memory"
        )
    if data.dtype != np.float32:
        raise TypeError(f"{name} must be float32, got {data.dtype}: write x.astype(np.float32)")
    flags = data.flags
    if not flags.writeable:
        raise ValueError(f"{name} is read-only and cannot be updated in place: pass a copy")
    if not flags.c_contiguous and _folded(data):
        raise ValueError(
            f"{name} has elements that may share memory (shape {data.shape}, strides "
            f"{data.strides}) and cannot be updated one by one: pass a copy"
        )
    return data


def _folded(data: Float32) -> bool:
    """Whether an axis is shorter in memory than what lies within it, as only as_strided makes."""
    extent = data.itemsize
    axes = zip(map(abs, data.strides), data.shape, strict=True)
    for stride, length in sorted(axis for axis in axes if axis[1] > 1):
        if stride < extent:
            return data.size > 0
        extent += stride * (length - 1)
    return False
