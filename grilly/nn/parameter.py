"""Parameter: a float32 array and its gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]


class Parameter:
    """A float32 array of any shape, ``data``, updated in place, and its gradient ``grad``.

    ``data`` is the array that was given, not a copy. Raises TypeError unless it is a writeable
    numpy array of float32.

    >>> weight = Parameter(np.zeros((2, 3), np.float32))
    >>> weight.shape, weight.grad is None
    ((2, 3), True)
    """

    __slots__ = ("__weakref__", "data", "grad")

    def __init__(self, data: Float32) -> None:
        self.data = checked(data, "data")
        self.grad: npt.ArrayLike | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of ``data``."""
        return self.data.shape

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        if dtype is None and not copy:
            return self.data
        return np.array(self.data, dtype=dtype)

    def __repr__(self) -> str:
        return f"Parameter({self.data!r})"


def checked(data: Any, name: str) -> Float32:
    """Return ``data`` if it can be updated in place, else raise TypeError or ValueError."""
    if not isinstance(data, np.ndarray):
        raise TypeError(f"{name} must be a numpy array of float32, got {type(data).__name__}")
    if data.dtype != np.float32:
        raise TypeError(f"{name} must be float32, got {data.dtype}: write x.astype(np.float32)")
    if not data.flags.writeable:
        raise ValueError(f"{name} is read-only and cannot be updated in place: pass a copy")
    return data
