"""Kernel: a compute shader of the user's, over device arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DeviceError
from . import ops
from .array import DeviceArray
from .kept_tapes import KeptTapes
from .ops import perform
from .places import VulkanPlace

if TYPE_CHECKING:
    from .. import vk
    from .places import Place

Groups = int | tuple[int, ...]
KEPT_TAPES = 256


class Kernel:
    """A compute shader: ``source`` is GLSL text, or SPIR-V as bytes.

    Its arrays are storage buffers of float at bindings 0, 1, ... of set 0. Which of them it reads
    and writes it says itself, by ``readonly`` and ``writeonly``: barriers are placed from that. A
    buffer without either is taken to be read and written. Other descriptors (images, samplers,
    uniform blocks) and what a device has only as an option (64-bit and 16-bit numbers, for one)
    are refused. ``constants`` are specialization constants by number, each of the type that the
    shader declares: a float takes any number, an int ints, a bool bools. ``include`` is the folder
    of its #include files.

    ``host`` does the same on the numpy device: it is called with the arrays, numpy arrays of their
    shapes to be changed in place, and then the push constants.

    Raises ShaderError with the compiler's words, or for SPIR-V that cannot be read or asks for
    what grilly refuses, ValueError or TypeError for ``constants`` that the shader does not take:
    here for SPIR-V, at the first call for GLSL.

    >>> import numpy as np
    >>> from grilly import Kernel, device_array
    >>> double = Kernel('''#version 450
    ... layout(local_size_x = 64) in;
    ... layout(std430, binding = 0) buffer X { float x[]; };
    ... layout(push_constant) uniform Push { uint count; };
    ... void main() {
    ...   uint i = gl_GlobalInvocationID.x;
    ...   if (i < count) x[i] *= 2.0;
    ... }''', host=lambda x, count: np.multiply(x, 2, out=x))
    >>> x = device_array([1.0, 2.0, 3.0], device="cpu")
    >>> double([x], groups=1, push=[3])
    >>> x.numpy()
    array([2., 4., 6.], dtype=float32)
    """

    def __init__(
        self,
        source: str | bytes,
        *,
        host: Callable[..., object] | None = None,
        constants: Mapping[int, int | float | bool] | None = None,
        include: str | Path | None = None,
    ) -> None:
        from .source import Source

        if host is not None and not callable(host):
            raise TypeError(f"host must be a function, got {host!r}")
        self._host = host
        self._shader = Source(source, constants, include)
        self._tapes = KeptTapes(KEPT_TAPES)

    def __call__(
        self,
        arrays: Sequence[DeviceArray],
        groups: Groups,
        push: Sequence[int | float] | bytes = (),
    ) -> None:
        """Run ``groups`` workgroups over ``arrays``, or record that inside ``grilly.record()``.

        ``groups`` is a number, or up to three (x, y, z). ``push`` are the push constants in
        their order, as 32-bit numbers of the types that the shader declares (an int is a float
        where it has one); or bytes. Returns when it is submitted. An array without elements is one
        float of which nothing is seen.

        Raises ValueError or TypeError for arrays of different devices, groups and push constants
        that cannot be, and for more arrays or push constants than the shader has, ShaderError for
        too few and for what it does not take, DeviceLimitError for more groups than the device
        has, DeviceError on the numpy device if there is no ``host``. What it raises it raises
        here, and then nothing is run or recorded. (Of SPIR-V it is not known how many arrays it
        was written for, for its compiler may have dropped those that it does not use.)
        """
        perform(Dispatch.of(self, arrays, groups, push))

    def on(self, device: vk.Device, count: int, push: int) -> vk.Kernel:
        """Return the pipeline for so many arrays and bytes of push constants."""
        return self._shader.on(device, count, push)

    def words(self, op: Dispatch) -> bytes:
        """Return the push constants of a dispatch, for which ``on`` was called."""
        return self._shader.words(op.pushed)

    def host(self, op: Dispatch) -> None:
        """Do a dispatch on numpy arrays."""
        self.check_host()
        assert self._host is not None
        self._host(*(array.view() for array in op.arrays), *op.numbers)

    def check_host(self) -> None:
        """Raise DeviceError if it cannot be done on numpy arrays."""
        if self._host is None:
            raise DeviceError(
                "this Kernel is a shader only, and its arrays are on the numpy device: give it "
                "host=, a function that does the same on numpy arrays, or a Vulkan device"
            )

    def kept(self, op: Dispatch, device: vk.Device) -> vk.Tape:
        """Return a tape of ``op`` alone; from the second time on one that is kept."""
        return self._tapes.of(op, op.arrays, (op.groups, *op.pushed), device)


@dataclass(frozen=True)
class Dispatch(ops.Recorded):
    """``groups`` workgroups of a kernel over its arrays; ``pushed`` are bytes and their numbers."""

    kernel: Kernel
    arrays: tuple[DeviceArray, ...]
    groups: tuple[int, ...]
    pushed: tuple[bytes, tuple[Any, ...]]

    def __post_init__(self) -> None:
        if not self.arrays:
            raise ValueError("arrays must have at least one DeviceArray: what else could it change")
        for i, array in enumerate(self.arrays):
            if not isinstance(array, DeviceArray):
                raise TypeError(
                    f"arrays[{i}] must be a DeviceArray, got {type(array).__name__}: "
                    "make one by grilly.device_array"
                )
            if array._place != self.place:
                raise ValueError(f"arrays[{i}] is on {array.device}, not on {self.place.name}")

    @staticmethod
    def of(
        kernel: Kernel,
        arrays: Sequence[DeviceArray],
        groups: Groups,
        push: Sequence[int | float] | bytes,
    ) -> Dispatch:
        """Return the dispatch that these arguments of a call mean."""
        if not isinstance(kernel, Kernel):
            raise TypeError(f"kernel must be a grilly.Kernel, got {type(kernel).__name__}")
        if isinstance(arrays, DeviceArray) or not isinstance(arrays, Iterable):
            raise TypeError(f"arrays must be a list of DeviceArrays, got {arrays!r}: write [x]")
        return Dispatch(kernel, tuple(arrays), _groups(groups), _pushed(push))

    @property
    def place(self) -> Place:
        return self.arrays[0]._place

    @property
    def numbers(self) -> tuple[Any, ...]:
        return self.pushed[1]

    def check(self) -> None:
        if isinstance(self.place, VulkanPlace):
            self.tape(self.place.device)
        else:
            self.kernel.check_host()

    def on_host(self) -> None:
        self.kernel.host(self)

    def record(self, tape: vk.Tape) -> None:
        data = self.pushed[0]
        kernel = self.kernel.on(tape.device, len(self.arrays), len(data))
        spans = [array._memory.span for array in self.arrays]
        tape.dispatch(kernel.bind(spans), self.groups, self.kernel.words(self))

    def tape(self, device: vk.Device) -> vk.Tape:
        return self.kernel.kept(self, device)


def _groups(groups: Groups) -> tuple[int, ...]:
    given = tuple(groups) if isinstance(groups, (tuple, list)) else (groups,)
    whole = all(isinstance(n, (int, np.integer)) and not isinstance(n, bool) for n in given)
    if not 1 <= len(given) <= 3 or not whole or min(given) < 1:
        raise ValueError(f"groups must be one to three whole numbers of at least 1, got {groups!r}")
    return tuple(map(int, given))


def _pushed(push: Any) -> tuple[bytes, tuple[Any, ...]]:
    """Return the bytes of push constants, and what a function on the host is given for them."""
    if isinstance(push, (bytes, bytearray, memoryview)):
        return bytes(push), (bytes(push),)
    if isinstance(push, str) or not isinstance(push, Iterable):
        raise TypeError(f"push must be a list of numbers or bytes, got {push!r}: write [x]")
    numbers = ops.numbers(push)
    return ops.push(*numbers), numbers
