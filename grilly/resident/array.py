"""DeviceArray: float32 numbers that live on a device."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from ..errors import NoViewError
from .ops import Add, Copy, Fill, perform
from .places import Float32, Place, place_of
from .recording import refuse


class DeviceArray:
    """A float32 array of fixed shape in the memory of a device; ``device_array`` makes one.

    ``shape`` is a tuple, ``size`` the number of elements, ``device`` the device's name ("numpy" for
    host memory). The elements lie in C order. What was submitted to the device before, a step of an
    optimizer or a kernel of the user's, comes before what is read here: reading waits for it.

    Raises RecordError where the host would read or write inside ``grilly.record()``.
    """

    __slots__ = ("__weakref__", "_memory", "_place", "shape")

    def __init__(self, place: Place, memory: Any, shape: tuple[int, ...]) -> None:
        self._place = place
        self._memory = memory
        self.shape = shape

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """The bytes that the elements take."""
        return 4 * self.size

    @property
    def dtype(self) -> np.dtype[np.float32]:
        """numpy's float32."""
        return np.dtype(np.float32)

    @property
    def device(self) -> str:
        """The name of the device; "numpy" for host memory."""
        return self._place.name

    def __repr__(self) -> str:
        return f"<DeviceArray {self.shape} on {self.device}>"

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a DeviceArray without dimensions has no length")
        return self.shape[0]

    def numpy(self, out: Float32 | None = None) -> Float32:
        """Return a copy of the elements as a numpy array; waits for the device.

        The copy is in ``out`` if that is given, a float32 array of the same shape: a new array of
        several megabytes takes the system longer to hand out than the copy itself takes. Raises
        TypeError or ValueError, and waits for nothing, if ``out`` cannot take it.

        >>> kept = np.empty(2, np.float32)
        >>> device_array([1.0, 2.0], device="cpu").numpy(out=kept) is kept
        True
        """
        refuse("reading a device array", "nothing has run yet inside grilly.record()")
        if out is None:
            out = np.empty(self.shape, np.float32)
        else:
            _check_out(out, self.shape)
        flat = out.reshape(-1) if out.flags.c_contiguous else np.empty(self.size, np.float32)
        self._place.read(self._memory, flat)
        if not out.flags.c_contiguous:
            out[...] = flat.reshape(self.shape)
        return out

    def item(self) -> float:
        """Return the one element as a float; waits for the device."""
        if self.size != 1:
            raise ValueError(f"item() is for one element, and the shape is {self.shape}")
        return float(self.numpy().reshape(()))

    def view(self) -> Float32:
        """Return the memory itself as a numpy array, after waiting for the device.

        Nothing is copied, and what is written into it is the array's; it may outlive the array.
        Wait again (``wait()``) after something was submitted that uses the array, before touching
        the view. Raises NoViewError, a DeviceError, ValueError and BufferError, if the host cannot
        see the device's memory (a discrete GPU without a mapped window): use ``numpy()`` and
        ``copy_from()``.
        """
        refuse("a view of a device array", "the host has no part in what is replayed")
        seen = self._place.view(self._memory)
        if seen is None:
            raise NoViewError(
                f"the host cannot see the memory of {self.device}, to share it: use numpy() and "
                "copy_from(), or ask for a copy (copy=True)"
            )
        self._place.wait()
        return seen[: self.size].reshape(self.shape)

    def copy_from(self, values: npt.ArrayLike | DeviceArray) -> None:
        """Overwrite the elements by those of an array of the same shape.

        A DeviceArray of the same device is copied there, without waiting, and can be recorded;
        anything else is uploaded after waiting for the device. Raises ValueError or TypeError, and
        changes nothing, for another shape or what is not real.
        """
        if isinstance(values, DeviceArray):
            _check_shape("values", values.shape, self.shape)
            if values._place == self._place:
                if values._memory is not self._memory:
                    perform(Copy(values, self))
                return
            values = values.numpy()
        refuse("an upload to a device array", "put what changes onto the device before recording")
        flat = _real("values", values, self.shape).reshape(-1)
        if flat.size:
            self._place.write(self._memory, flat)

    def fill_zero(self) -> None:
        """Set all elements to 0, on the device, without waiting; can be recorded."""
        perform(Fill((self,)))

    def add_(self, other: DeviceArray, scale: float = 1.0) -> None:
        """Add ``scale`` times another array of the device, element by element, in float32.

        The product is rounded, then the sum, the same on every device but for subnormal numbers,
        which SwiftShader takes for 0. Does not wait; can be recorded. Raises ValueError for another
        shape or device, or a scale beyond float32.
        """
        if not isinstance(other, DeviceArray):
            raise TypeError(f"other must be a DeviceArray, got {type(other).__name__}")
        _check_shape("other", other.shape, self.shape)
        perform(Add(self, other, scale))

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for all that was submitted to the device; False if ``timeout`` s were not enough."""
        return self._place.wait(timeout)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        if copy is False:
            return np.array(self.view(), dtype=dtype, copy=False)
        return self.numpy().astype(dtype or np.float32, copy=False)

    def __dlpack__(self, **options: Any) -> Any:
        """Return a DLPack capsule of the memory itself, or with ``copy=True`` of a copy of it.

        Raises NoViewError if the host cannot see the memory and no copy is asked for, BufferError
        for a ``dl_device`` that is not the host.
        """
        hidden = self._place.view(self._memory) is None
        seen = self.numpy() if hidden and options.get("copy") else self.view()
        return seen.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        """Return DLPack's device of the capsule, the host: (1, 0)."""
        return 1, 0

    def __deepcopy__(self, memo: dict[int, Any]) -> DeviceArray:
        made = DeviceArray(self._place, self._place.new(self.size), self.shape)
        made.copy_from(self)
        return made

    def __copy__(self) -> DeviceArray:
        return self.__deepcopy__({})

    def __reduce__(self) -> NoReturn:
        raise TypeError("a DeviceArray holds a device: save its numpy() instead")

    def twin(self) -> DeviceArray:
        """Return an array of zeros of this shape, where an optimizer finds the gradient.

        There is one such place for each array: a second call gives the same memory, set to zeros.
        """
        made = DeviceArray(self._place, self._place.twin(self._memory), self.shape)
        self._place.run(Fill((made,)))
        return made


def device_array(values: npt.ArrayLike, device: str | int = "auto") -> DeviceArray:
    """Return a copy of ``values``, of any shape, as float32 on a device.

    ``device`` is "auto", "cpu" (host memory), "vulkan", an index, or a part of a device's name: see
    grilly.backend.on_device. Raises TypeError for what is not real, DeviceError if the device
    cannot be used or has no room.

    >>> x = device_array([[1.0, 2.0], [3.0, 4.0]], device="cpu")
    >>> x.shape, x.numpy().sum()
    ((2, 2), np.float32(10.0))
    """
    array = _real("values", values, None)
    made = zeros(array.shape, device)
    made.copy_from(array)
    return made


def zeros(shape: int | Sequence[int], device: str | int = "auto") -> DeviceArray:
    """Return a new DeviceArray of zeros, float32; ``shape`` is a number or a sequence of numbers.

    ``device`` is as in ``device_array``. Raises TypeError or ValueError for what is no shape,
    DeviceError if the device is not there or has no room.

    >>> zeros((2, 3), device="cpu").numpy().sum()
    np.float32(0.0)
    """
    sizes = _lengths(shape)
    place = place_of(device)
    return DeviceArray(place, place.new(math.prod(sizes)), sizes)


def _lengths(shape: Any) -> tuple[int, ...]:
    try:
        sizes = tuple(map(operator.index, shape if isinstance(shape, Sequence) else [shape]))
    except TypeError:
        raise TypeError(f"shape must be a whole number or some of them, got {shape!r}") from None
    if any(size < 0 for size in sizes):
        raise ValueError(f"shape must have no negative length, got {sizes}")
    return sizes


def _check_out(out: Any, shape: tuple[int, ...]) -> None:
    if not isinstance(out, np.ndarray) or out.dtype != np.float32:
        kind = getattr(out, "dtype", type(out).__name__)
        raise TypeError(f"out must be a numpy array of float32, got {kind}")
    _check_shape("out", out.shape, shape)
    if not out.flags.writeable:
        raise ValueError("out is read-only: pass an array that can be written")


def _check_shape(name: str, shape: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    if shape != wanted:
        raise ValueError(f"{name} must have the shape {wanted}, got {shape}")


def _real(name: str, values: Any, shape: tuple[int, ...] | None) -> Float32:
    try:
        array = np.asarray(values)
    except (ValueError, TypeError, RuntimeError) as error:  # lists of lists, or a graph's tensor
        raise ValueError(f"{name} is no array: {error}") from error
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must be real, got dtype {array.dtype}")
    if shape is not None:
        _check_shape(name, array.shape, shape)
    with np.errstate(over="ignore"):  # infinite then, as on a device
        return np.ascontiguousarray(array, np.float32).reshape(array.shape)
