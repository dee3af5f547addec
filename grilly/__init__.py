"""grilly: learning-rate schedules that live on the GPU. Importing it loads no Vulkan."""

from . import nn as nn
from . import optim as optim
from . import rules as rules
from . import schedules as schedules
from .counting import Counters as Counters
from .counting import counters as counters
from .errors import DeviceError as DeviceError
from .errors import GrillyError as GrillyError
from .errors import NoViewError as NoViewError
from .errors import RecordError as RecordError
from .errors import ShaderError as ShaderError
from .errors import StateError as StateError
from .errors import TextError as TextError
from .errors import TraceError as TraceError
from .lint_values import Finding as Finding
from .linter import lint as lint
from .resident.array import DeviceArray as DeviceArray
from .resident.array import device_array as device_array
from .resident.array import zeros as zeros
from .resident.averages import Ema as Ema
from .resident.kernel import Kernel as Kernel
from .resident.metrics import Mean as Mean
from .resident.tape import Tape as Tape
from .resident.tape import record as record

__all__ = [
    "Counters",
    "DeviceArray",
    "DeviceError",
    "Ema",
    "Finding",
    "GrillyError",
    "Kernel",
    "Mean",
    "NoViewError",
    "RecordError",
    "ShaderError",
    "StateError",
    "Tape",
    "TextError",
    "TraceError",
    "counters",
    "device_array",
    "lint",
    "nn",
    "optim",
    "record",
    "rules",
    "schedules",
    "zeros",
]
__version__ = "2.0.0.dev0"
