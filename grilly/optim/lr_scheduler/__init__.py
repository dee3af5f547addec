"""Learning-rate schedulers with PyTorch's interface. Formulas are in grilly.schedules."""

from .base import LRScheduler
from .chained import ChainedScheduler
from .cosine import CosineAnnealingLR
from .cyclic import CyclicLR
from .exponential import ExponentialLR
from .greedy import GreedyLR
from .hugging_face import get_scheduler
from .lambda_lr import LambdaLR
from .multiplicative import MultiplicativeLR
from .multistep import MultiStepLR
from .one_cycle import OneCycleLR
from .plateau import ReduceLROnPlateau
from .polynomial import PolynomialLR
from .ramps import ConstantLR, LinearLR
from .restarts import CosineAnnealingWarmRestarts
from .sequential import SequentialLR
from .step import StepLR
from .swa import SWALR
from .texts import EPOCH_DEPRECATION_WARNING as EPOCH_DEPRECATION_WARNING

_LRScheduler = LRScheduler  # torch's old name, which many users' classes still have

__all__ = [
    "SWALR",
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "GreedyLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
    "get_scheduler",
]
