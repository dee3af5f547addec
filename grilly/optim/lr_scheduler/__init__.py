"""Learning-rate schedulers with PyTorch's interface. Formulas are in grilly.schedules."""

from .base import LRScheduler as LRScheduler
from .one_cycle import OneCycleLR as OneCycleLR

__all__ = ["LRScheduler", "OneCycleLR"]
