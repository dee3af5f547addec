"""ReduceLROnPlateau: the rate is cut when a metric has stopped to improve."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from ...rules.base import WORST, reduced
from ...rules.on_device import Member, plateau_groups, plateau_groups_held, plateau_recurrence
from ...rules.packed import Held
from ...rules.plateau import count_bad
from ..options import LR
from .checks import check_number, check_optimizer
from .metric import MetricLR, check_factor
from .touch import copied, write


class ReduceLROnPlateau(MetricLR):
    """torch.optim.lr_scheduler.ReduceLROnPlateau: same arguments, numbers and state.

    ``step(metrics)`` counts the metrics that are not better than the best one by ``threshold``;
    after more than ``patience`` of them each group's rate becomes max(lr * factor, min_lr), if that
    is at least ``eps`` less, and for ``cooldown`` steps nothing is counted. With a number as the
    metric the rule runs on the host, and a rate that it changes is uploaded, like an edit by hand;
    with one on the device it runs there.

    A number that is nan or infinite is refused. ``accept_nonfinite = True``, on the class or on an
    object, takes it as torch does: nan is never better than the best one. What becomes of a metric
    on the device that is not finite says the attribute ``nonfinite``: with "raise", as it is at
    first, it is not counted, and the next call that reads something back raises ValueError, once;
    with "ignore" it is not counted; with "count" it is, as ``accept_nonfinite`` has it too.

    Raises ValueError or TypeError as torch does, and for arguments that are no finite numbers.
    (grilly.rules.Plateau is the same rule as a part of a schedule.)

    >>> import numpy as np
    >>> from grilly.optim import AdamW
    >>> optimizer = AdamW([np.ones(3, np.float32)], lr=0.5, device="cpu")
    >>> scheduler = ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
    >>> for loss in [1.0, 0.9, 0.9, 0.9]:
    ...     scheduler.step(loss)
    >>> scheduler.get_last_lr(), scheduler.best, scheduler.num_bad_epochs
    ([0.25], 0.9, 0)
    """

    cooldown_counter: float
    num_bad_epochs: float
    _NUMBERS: ClassVar[tuple[str, ...]] = ("factor", "patience", "cooldown", "eps", "threshold")
    _COUNTS: ClassVar[tuple[str, ...]] = ("num_bad_epochs", "cooldown_counter")
    _RATES: ClassVar[tuple[str, ...]] = ("min_lrs",)

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
        check_factor(factor)
        check_optimizer(optimizer)
        self.factor = factor
        self.optimizer = optimizer
        self.min_lrs = self._bounds("min_lr", min_lr)
        self.default_min_lr = None if isinstance(min_lr, (list, tuple)) else min_lr
        self.patience = patience
        self.cooldown = cooldown
        self.eps = eps
        self.last_epoch: float = 0
        self._last_lr = [copied(group["lr"]) for group in optimizer.param_groups]
        self._init_is_better(mode=mode, threshold=threshold, threshold_mode=threshold_mode)
        for name in self._NUMBERS:
            check_number(name, getattr(self, name))
        self._reset()

    def _take(self, current: float, epoch: float) -> None:
        self.last_epoch = epoch
        better = self.is_better(current, self.best)
        if better:
            self.best = current
        self.num_bad_epochs, self.cooldown_counter, cut = count_bad(
            better, self.num_bad_epochs, self.cooldown_counter, self.patience, self.cooldown
        )
        if cut:
            self._reduce_lr(epoch)

    _READ_BACK = ("best", *_COUNTS)

    def _member(self, tokens: tuple[str, ...], rates: list[float]) -> Member:
        self._take_in(self.optimizer.param_groups)
        rule = plateau_groups(self, self.min_lrs, [[] for _ in tokens], self._policy)
        return Member(
            tokens, rule, plateau_groups_held(self, rates), plateau_recurrence(rule, self)
        )

    def _take_counts(self, held: Held) -> None:
        best = held.counts["best"]
        self.best = WORST[self.mode] if best is None else best
        self.num_bad_epochs, self.cooldown_counter = held.counts["bad"], held.counts["cooldown"]
        self.last_epoch = held.seen

    @property
    def in_cooldown(self) -> bool:
        """Whether metrics are not counted after a cut."""
        return self.cooldown_counter > 0

    def _take_in(self, groups: list[dict[str, Any]]) -> None:
        """Give groups that were added the bound of the others, if that was one number."""
        if len(groups) != len(self.min_lrs):
            if self.default_min_lr is None:
                raise RuntimeError(_GROUPS.format(len(groups), len(self.min_lrs)))
            self.min_lrs = [self.default_min_lr] * len(groups)

    def _reduce_lr(self, epoch: float) -> None:
        """Cut the rate of every group."""
        groups = self.optimizer.param_groups
        self._take_in(groups)
        for group, least in zip(groups, self.min_lrs, strict=True):
            old = float(group["lr"])
            new = reduced(old, self.factor, least, self.eps)
            if new != old:
                write(group, LR, new)

    def _reset(self) -> None:
        """Forget the best metric and all that was counted."""
        self.best = self.mode_worse
        self.cooldown_counter = 0
        self.num_bad_epochs = 0

    def _init_is_better(self, mode: str, threshold: float, threshold_mode: str) -> None:
        """Set what "better" means."""
        self.mode, self.threshold, self.threshold_mode = mode, threshold, threshold_mode
        self._check_mode()
        self.mode_worse = WORST[mode]

    def _check_state(self) -> None:
        super()._check_state()
        if not isinstance(self.mode_worse, (int, float)):
            raise TypeError(f"mode_worse must be a number, got {self.mode_worse!r}")
        if self.default_min_lr is not None:
            check_number("default_min_lr", self.default_min_lr)
        self.mode_worse = WORST[self.mode]


_GROUPS = (
    "The number of param groups in the `optimizer` ({}) differs "
    "from when `ReduceLROnPlateau` was initialized "
    "({}), usually due to a new "
    "param group being added to the optimizer. Please "
    "modify the `min_lrs` field to match the length "
    "of the `optimizer` param groups."
)
