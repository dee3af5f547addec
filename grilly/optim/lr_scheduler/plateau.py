"""ReduceLROnPlateau: the rate is cut when a metric has stopped to improve."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any, ClassVar, Literal

from .base import LR, LRScheduler
from .checks import check_epoch, check_number, check_optimizer, check_rate, per_group
from .texts import EPOCH_DEPRECATION_WARNING
from .touch import copied, plain, unchanged_on_error, write

# Whether metric a is better than the best one, by mode and threshold mode; th is the threshold.
BETTER: dict[tuple[str, str], Callable[[float, float, float], bool]] = {
    ("min", "rel"): lambda a, best, th: a < best * (1.0 - th),
    ("min", "abs"): lambda a, best, th: a < best - th,
    ("max", "rel"): lambda a, best, th: a > best * (th + 1.0),
    ("max", "abs"): lambda a, best, th: a > best + th,
}


class ReduceLROnPlateau(LRScheduler):
    """torch.optim.lr_scheduler.ReduceLROnPlateau: same arguments, numbers and state.

    ``step(metrics)`` counts the metrics that are not better than the best one by ``threshold``;
    after more than ``patience`` of them each group's rate becomes max(lr * factor, min_lr), if that
    is at least ``eps`` less, and for ``cooldown`` steps nothing is counted. The rule runs on the
    host; a rate that it changes is uploaded, like an edit by hand.

    A metric that is nan or infinite is refused. ``accept_nonfinite = True``, on the class or on an
    object, takes it as torch does: nan is never better than the best one.

    Raises ValueError or TypeError as torch does, and for arguments that are no finite numbers.

    >>> import numpy as np
    >>> from grilly.optim import AdamW
    >>> optimizer = AdamW([np.ones(3, np.float32)], lr=0.5, device="cpu")
    >>> scheduler = ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
    >>> for loss in [1.0, 0.9, 0.9, 0.9]:
    ...     scheduler.step(loss)
    >>> scheduler.get_last_lr(), scheduler.best, scheduler.num_bad_epochs
    ([0.25], 0.9, 0)
    """

    accept_nonfinite: bool = False
    best: float
    cooldown_counter: int
    num_bad_epochs: int
    _NUMBERS: ClassVar[tuple[str, ...]] = ("factor", "patience", "cooldown", "eps", "threshold")

    def __init__(
        self,
        optimizer: Any,
        mode: Literal["min", "max"] = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: Literal["rel", "abs"] = "rel",
        cooldown: int = 0,
        min_lr: float | list[float] = 0,
        eps: float = 1e-8,
    ) -> None:
        _check_factor(factor)
        check_optimizer(optimizer)
        groups = optimizer.param_groups
        self.factor = factor
        self.optimizer = optimizer
        self.min_lrs = per_group("min_lr", min_lr, len(groups))
        if len(self.min_lrs) != len(groups):
            raise ValueError(f"expected {len(groups)} min_lrs, got {len(self.min_lrs)}")
        self.default_min_lr = None if isinstance(min_lr, (list, tuple)) else min_lr
        self.patience = patience
        self.cooldown = cooldown
        self.eps = eps
        self.last_epoch: float = 0
        self._last_lr = [copied(group["lr"]) for group in groups]
        self._init_is_better(mode=mode, threshold=threshold, threshold_mode=threshold_mode)
        for name in self._NUMBERS:
            check_number(name, getattr(self, name))
        self._reset()

    def step(  # type: ignore[override]
        self, metrics: Any, epoch: float | None = None
    ) -> None:
        """Take notice of a metric, a number or what ``float()`` takes, and cut the rates if due.

        Raises TypeError or ValueError, and changes nothing, if it is no number or not finite.
        """
        current = self._metric(metrics)
        if epoch is not None:
            warnings.warn(EPOCH_DEPRECATION_WARNING, UserWarning, stacklevel=2)
            check_epoch(epoch)
        before = self._snapshot()
        try:
            with unchanged_on_error(self.optimizer.param_groups):
                self._take(current, self.last_epoch + 1 if epoch is None else epoch)
        except BaseException:
            self._put_back(before)
            raise

    def _take(self, current: float, epoch: float) -> None:
        self.last_epoch = epoch
        if self.is_better(current, self.best):
            self.best = current
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce_lr(epoch)
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
        self._last_lr = [copied(group["lr"]) for group in self.optimizer.param_groups]

    @property
    def in_cooldown(self) -> bool:
        """Whether metrics are not counted after a cut."""
        return self.cooldown_counter > 0

    def is_better(self, a: float, best: float) -> bool:
        """Return whether metric ``a`` is better than ``best`` by more than the threshold."""
        return BETTER[self.mode, self.threshold_mode](a, best, self.threshold)

    _is_better = is_better  # torch's name of it

    def _metric(self, metrics: Any) -> float:
        try:
            value = float(metrics)
        except (TypeError, ValueError, OverflowError):
            raise TypeError(f"metrics must be a number, got {metrics!r}") from None
        if not math.isfinite(value) and not self.accept_nonfinite:
            raise ValueError(
                f"metrics must be finite, got {value}: stop the run, skip this step, or set "
                "accept_nonfinite = True to count it as PyTorch does"
            )
        return value

    def _reduce_lr(self, epoch: float) -> None:
        """Cut the rate of every group."""
        groups = self.optimizer.param_groups
        if len(groups) != len(self.min_lrs):
            if self.default_min_lr is None:
                raise RuntimeError(_GROUPS.format(len(groups), len(self.min_lrs)))
            self.min_lrs = [self.default_min_lr] * len(groups)
        for group, least in zip(groups, self.min_lrs, strict=True):
            old = float(group["lr"])
            new = max(old * self.factor, least)
            if old - new > self.eps:
                write(group, LR, new)

    def _reset(self) -> None:
        """Forget the best metric and all that was counted."""
        self.best = self.mode_worse
        self.cooldown_counter = 0
        self.num_bad_epochs = 0

    def _init_is_better(self, mode: str, threshold: float, threshold_mode: str) -> None:
        """Set what "better" means."""
        if mode not in ("min", "max"):
            raise ValueError(f"mode {mode} is unknown!")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"threshold mode {threshold_mode} is unknown!")
        self.mode_worse = math.inf if mode == "min" else -math.inf
        self.mode = mode
        self.threshold = threshold
        self.threshold_mode = threshold_mode

    def _check_state(self) -> None:
        check_epoch(self.last_epoch)
        for name in (*self._NUMBERS, "num_bad_epochs", "cooldown_counter"):
            check_number(name, getattr(self, name))
        for name in ("best", "mode_worse"):
            if not isinstance(getattr(self, name), (int, float)):
                raise TypeError(f"{name} must be a number, got {getattr(self, name)!r}")
        for name in ("min_lrs", "_last_lr"):
            if not isinstance(getattr(self, name), list):
                raise TypeError(f"{name} must be a list, got {getattr(self, name)!r}")
            for value in getattr(self, name):
                check_rate(name, value)
        if self.default_min_lr is not None:
            check_number("default_min_lr", self.default_min_lr)
        _check_factor(self.factor)
        self._init_is_better(self.mode, self.threshold, self.threshold_mode)

    def _take_up(self, state_dict: dict[str, Any]) -> None:
        """Nothing is kept beside the state."""

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimizer, as plain data, in torch's keys; a copy."""
        return {k: plain(v) for k, v in self.__dict__.items() if k != "optimizer"}


def _check_factor(factor: Any) -> None:
    check_number("factor", factor)
    if factor >= 1.0:
        raise ValueError("Factor should be < 1.0.")


_GROUPS = (
    "The number of param groups in the `optimizer` ({}) differs "
    "from when `ReduceLROnPlateau` was initialized "
    "({}), usually due to a new "
    "param group being added to the optimizer. Please "
    "modify the `min_lrs` field to match the length "
    "of the `optimizer` param groups."
)
