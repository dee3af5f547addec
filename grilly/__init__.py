"""grilly: learning-rate schedules that live on the GPU. Importing it loads no Vulkan."""

from . import nn as nn
from . import optim as optim
from . import rules as rules
from . import schedules as schedules
from .errors import DeviceError as DeviceError
from .errors import GrillyError as GrillyError
from .errors import ShaderError as ShaderError
from .errors import StateError as StateError
from .errors import TextError as TextError
from .errors import TraceError as TraceError
from .lint_values import Finding as Finding
from .linter import lint as lint

__all__ = [
    "DeviceError",
    "Finding",
    "GrillyError",
    "ShaderError",
    "StateError",
    "TextError",
    "TraceError",
    "lint",
    "nn",
    "optim",
    "rules",
    "schedules",
]
__version__ = "2.0.0.dev0"
