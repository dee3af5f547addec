"""GreedyLR: rates that rise while a metric improves and fall while it does not."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from ...rules.base import WORST, State
from ...rules.greedy import greedy_step
from ...rules.on_device import Member, greedy_groups, greedy_recurrence
from ...rules.packed import Held
from ..options import LR
from .checks import check_number, check_optimizer, check_rate
from .metric import MetricLR, check_factor
from .touch import copied, unchanged_on_error, write


class GreedyLR(MetricLR):
    """Hugging Face's GreedyLR (transformers 5): same arguments, numbers and state.

    ``step(metrics)`` counts the metrics that are better than the best one by ``threshold``, and
    those that are not. More than ``patience`` good ones in a row: each group's rate becomes
    min(lr / factor, max_lr), and ``warmup`` steps are not counted. More than ``patience`` bad ones:
    max(lr * factor, min_lr), and ``cooldown`` steps are not counted. A change of ``eps`` or less is
    not made. ``min_lr`` and ``max_lr`` are numbers or lists of one per group; mind that the default
    ``min_lr`` is above many usual rates, which are then never cut.

    ``smooth`` compares the mean of the last ``window_size`` metrics. When all rates have stood at
    their ``min_lr`` for ``reset_start`` reductions, all begins anew from the rates at construction.
    ``verbose`` prints each change. With a number as the metric the rule runs on the host, and a
    rate that it changes is uploaded, like an edit by hand; with one on the device it runs there,
    and prints nothing. (grilly.rules.Greedy is the same rule as a part of a schedule.)

    ``load_state_dict`` writes the saved rates into the groups.

    A number that is nan or infinite is refused; ``accept_nonfinite = True``, on the class or on an
    object, takes it as Hugging Face does. What becomes of a metric on the device that is not finite
    says the attribute ``nonfinite``: with "raise", as it is at first, it is not counted, and the
    next call that reads something back raises ValueError, once; with "ignore" it is not counted;
    with "count" it is, as ``accept_nonfinite`` has it too.

    Raises TypeError if ``optimizer`` has no param groups, and ValueError or TypeError for arguments
    that cannot be meant: 0 < factor < 1, min_lr <= max_lr, and counts of at least 1 for
    ``window_size`` and ``reset_start``.

    >>> import numpy as np
    >>> from grilly.optim import AdamW
    >>> optimizer = AdamW([np.ones(3, np.float32)], lr=0.25, device="cpu")
    >>> scheduler = GreedyLR(optimizer, factor=0.5, patience=1)
    >>> rates = []
    >>> for loss in [1.0, 0.9, 0.9, 0.9]:
    ...     scheduler.step(loss)
    ...     rates += scheduler.get_last_lr()
    >>> rates
    [0.25, 0.5, 0.5, 0.25]
    """

    _NUMBERS: ClassVar[tuple[str, ...]] = (
        *("factor", "patience", "cooldown", "warmup", "eps", "threshold"),
        *("window_size", "reset_start_original"),
    )
    _COUNTS: ClassVar[tuple[str, ...]] = (
        *("num_good_epochs", "num_bad_epochs", "cooldown_counter", "warmup_counter", "reset_start"),
    )
    _RATES: ClassVar[tuple[str, ...]] = ("min_lrs", "max_lrs", "_init_lrs")

    def __init__(
        self,
        optimizer: Any,
        mode: Literal["min", "max"] = "min",
        factor: float = 0.95,
        patience: int = 10,
        threshold: float = 1e-6,
        threshold_mode: Literal["rel", "abs"] = "abs",
        cooldown: int = 0,
        warmup: int = 0,
        min_lr: float | list[float] = 1e-3,
        max_lr: float | list[float] = 1.0,
        eps: float = 1e-8,
        verbose: bool = False,
        smooth: bool = False,
        window_size: int = 50,
        reset_start: int = 500,
    ) -> None:
        check_factor(factor)
        check_optimizer(optimizer)
        self.optimizer = optimizer
        self.mode, self.threshold, self.threshold_mode = mode, threshold, threshold_mode
        self.factor, self.patience, self.eps = factor, patience, eps
        self.cooldown, self.warmup = cooldown, warmup
        self.verbose, self.smooth, self.window_size = verbose, smooth, window_size
        self.reset_start_original = reset_start
        self.min_lrs = self._bounds("min_lr", min_lr)
        self.max_lrs = self._bounds("max_lr", max_lr)
        self.default_min_lr = None if isinstance(min_lr, (list, tuple)) else min_lr
        self.default_max_lr = None if isinstance(max_lr, (list, tuple)) else max_lr
        self.last_epoch = 0
        self._init_lrs = [float(group["lr"]) for group in optimizer.param_groups]
        self._last_lr = [copied(group["lr"]) for group in optimizer.param_groups]
        self._check_settings()
        self.best = WORST[mode]
        self.num_good_epochs = self.num_bad_epochs = 0
        self.cooldown_counter = self.warmup_counter = 0
        self.reset_start = reset_start
        self._streaming_avg = _average(window_size) if smooth else None

    def _take(self, current: float, epoch: float) -> None:
        self.last_epoch = epoch
        groups = self.optimizer.param_groups
        self._take_in(groups)
        old = [float(group["lr"]) for group in groups]
        bounds = list(zip(self.min_lrs, self.max_lrs, strict=True))
        counts, new = greedy_step(
            self, self._counts(), old, current, bounds, self._init_lrs, self.reset_start_original
        )
        self._set_counts(counts)
        for i, group in enumerate(groups):
            if new[i] != old[i]:
                write(group, LR, new[i])
                if self.verbose:
                    print(f"Epoch {epoch}: learning rate of group {i} set to {new[i]:.4e}.")

    def _counts(self) -> State:
        average = self._streaming_avg or _average(self.window_size)
        return {
            "best": self.best,
            "good": self.num_good_epochs,
            "bad": self.num_bad_epochs,
            "cooldown": self.cooldown_counter,
            "warmup": self.warmup_counter,
            "resets_in": self.reset_start,
            "window": average["values"],
            "total": average["sum"],
        }

    def _set_counts(self, counts: State) -> None:
        self.best = WORST[self.mode] if counts["best"] is None else counts["best"]
        self.num_good_epochs, self.num_bad_epochs = counts["good"], counts["bad"]
        self.cooldown_counter, self.warmup_counter = counts["cooldown"], counts["warmup"]
        self.reset_start = counts["resets_in"]
        if self.smooth:
            self._streaming_avg = _average(self.window_size, counts["window"], counts["total"])

    _READ_BACK = ("best", "_streaming_avg", *_COUNTS)

    def _member(self, tokens: tuple[str, ...], rates: list[float]) -> Member:
        self._take_in(self.optimizer.param_groups)
        bounds = list(zip(self.min_lrs, self.max_lrs, self._init_lrs, strict=True))
        reset = self.reset_start_original
        rule = greedy_groups(self, bounds, reset, [[] for _ in tokens], self._policy)
        held = Held(self._counts(), rates, self.last_epoch)
        return Member(tokens, rule, held, greedy_recurrence(rule, self, reset))

    def _take_counts(self, held: Held) -> None:
        self._set_counts(held.counts)
        self.last_epoch = held.seen

    def _take_in(self, groups: list[dict[str, Any]]) -> None:
        """Give groups that were added the bounds of the others, if those were one number."""
        added = groups[len(self._init_lrs) :]
        if not added and len(self.min_lrs) == len(self.max_lrs) == len(groups):
            return
        for name, default in (("min_lrs", self.default_min_lr), ("max_lrs", self.default_max_lr)):
            values = getattr(self, name)
            if len(values) != len(groups):
                if default is None:
                    raise RuntimeError(
                        f"{name} has {len(values)} rates, but the optimizer {len(groups)} groups: "
                        f"append an added group's to scheduler.{name}"
                    )
                setattr(self, name, [default] * len(groups))
        self._init_lrs = [*self._init_lrs, *(float(group["lr"]) for group in added)]

    def _check_settings(self) -> None:
        for name in self._NUMBERS:
            check_number(name, getattr(self, name))
        if self.factor <= 0:  # a rise divides by it
            raise ValueError(f"factor must be above 0 and below 1, got {self.factor}")
        if self.reset_start_original < 1:
            raise ValueError(f"reset_start must be at least 1, got {self.reset_start_original}")
        for least, most in zip(self.min_lrs, self.max_lrs, strict=False):
            if least > most:
                raise ValueError(f"min_lr must not be above max_lr={most}, got {least}")
        if self.window_size < 1:
            raise ValueError(f"window_size must be at least 1, got {self.window_size}")
        self._check_mode()

    def _check_state(self) -> None:
        super()._check_state()
        self._check_settings()
        count = len(self.optimizer.param_groups)
        for name in (*self._RATES, "_last_lr"):
            if len(getattr(self, name)) > count:
                raise ValueError(f"{name} must have {count} rates, got {getattr(self, name)}")
        for name in ("default_min_lr", "default_max_lr"):
            if getattr(self, name) is not None:
                check_number(name, getattr(self, name))
        if self._streaming_avg is not None:
            if set(self._streaming_avg) != set(_average(1)):
                raise ValueError(f"_streaming_avg has other keys: {sorted(self._streaming_avg)}")
            for value in (*self._streaming_avg["values"], self._streaming_avg["sum"]):
                check_rate("_streaming_avg", value)

    def _take_up(self, state_dict: dict[str, Any]) -> None:
        """Write the rates of a state that was loaded."""
        groups = self.optimizer.param_groups
        with unchanged_on_error(groups):
            for group, rate in zip(groups, state_dict.get("_last_lr", ()), strict=False):
                write(group, LR, rate)
        super()._take_up(state_dict)

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimizer, as plain data, in Hugging Face's keys; a copy.

        What the device has counted is read back from it, which waits.
        """
        state = super().state_dict()
        return {k: v for k, v in state.items() if k != "_streaming_avg" or v is not None}


def _average(size: int, values: Any = (), total: float = 0.0) -> dict[str, Any]:
    """Return the window of the metrics to smooth, in the form in which it is saved."""
    return {"window_size": size, "values": list(values), "sum": total}
