"""Errors: one root, GrillyError, so that a caller can catch all of ours and nothing else.

Where PyTorch raises ValueError, TypeError, KeyError or UserWarning, grilly raises the same classes.
"""

from __future__ import annotations


class GrillyError(Exception):
    """Root of every error that is grilly's own."""


class TraceError(GrillyError, TypeError):
    """A formula did something that cannot be turned into a shader; the text says what to write."""


class TextError(GrillyError, ValueError):
    """A text is no formula; the error shows the place and says what is allowed."""


class ShaderError(GrillyError):
    """A shader could not be compiled, or its SPIR-V is not what was compiled."""


class StateError(GrillyError, ValueError):
    """A state_dict does not fit the object that it was given to; nothing was changed."""


class RecordError(GrillyError):
    """A tape cannot record or replay this; nothing was submitted, and the text says why."""


class DeviceError(GrillyError):
    """Vulkan refused a call, or no device fits what was asked for."""


class DeviceMemoryError(DeviceError, MemoryError):
    """The device or the driver ran out of memory; the device can still be used."""


class DeviceLimitError(DeviceError, ValueError):
    """A size exceeds a limit of the device (drivers do not check these)."""


class NoViewError(DeviceError, ValueError, BufferError):
    """The host cannot see an array's memory, so only a copy can be had; nothing was copied.

    It is the ValueError that numpy's protocol asks for and the BufferError of DLPack's.
    """


class DeviceLostError(DeviceError):
    """The device is lost: every later call on it raises this too; close it and open another."""


class ForkError(DeviceError):
    """A Vulkan object was used in a forked child process, where drivers hang."""
