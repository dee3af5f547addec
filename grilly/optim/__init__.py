"""Optimizers and learning-rate schedulers with PyTorch's interface."""

from . import lr_scheduler as lr_scheduler
from .adamw import AdamW as AdamW
from .optimizer import Optimizer as Optimizer

__all__ = ["AdamW", "Optimizer", "lr_scheduler"]
