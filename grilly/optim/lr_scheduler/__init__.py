"""Learning-rate schedulers with PyTorch's interface. Formulas are in grilly.schedules."""

from .base import LRScheduler as LRScheduler
from .cosine import CosineAnnealingLR as CosineAnnealingLR
from .one_cycle import OneCycleLR as OneCycleLR
from .plateau import ReduceLROnPlateau as ReduceLROnPlateau
from .step import StepLR as StepLR

__all__ = ["CosineAnnealingLR", "LRScheduler", "OneCycleLR", "ReduceLROnPlateau", "StepLR"]
