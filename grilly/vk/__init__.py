"""Vulkan compute: devices, buffers, kernels, tapes, and GLSL compiled at run time.

Importing this loads no Vulkan; ``devices()`` and ``open_device()`` do.
"""

from .arena import Arena as Arena
from .arena import Span as Span
from .buffer import Buffer as Buffer
from .compile import compile_glsl as compile_glsl
from .compile import find_compiler as find_compiler
from .constants import checked_constants as checked_constants
from .constants import fit_constants as fit_constants
from .counters import Counters as Counters
from .descriptors import Binding as Binding
from .device import Device as Device
from .device import open_device as open_device
from .instance import DeviceInfo as DeviceInfo
from .instance import devices as devices
from .instance import devices_problem as devices_problem
from .kernel import Kernel as Kernel
from .refusals import accept as accept
from .spirv import Shader as Shader
from .spirv import inspect as inspect
from .submission import Submission as Submission
from .tape import Tape as Tape
from .validate import messages as messages
from .validate import validating as validating
