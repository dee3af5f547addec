"""torch.optim.swa_utils's place of SWALR."""

from .lr_scheduler import SWALR as SWALR

__all__ = ["SWALR"]
