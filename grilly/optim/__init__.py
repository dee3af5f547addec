"""Optimizers and learning-rate schedulers with PyTorch's interface."""

from . import lr_scheduler as lr_scheduler
from .adam import Adam as Adam
from .adamw import AdamW as AdamW
from .lr_scheduler import get_scheduler as get_scheduler
from .optimizer import Optimizer as Optimizer
from .param_scheduler import ParamScheduler as ParamScheduler
from .sgd import SGD as SGD

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "Optimizer",
    "ParamScheduler",
    "get_scheduler",
    "lr_scheduler",
]
