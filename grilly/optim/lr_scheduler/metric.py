"""MetricLR: what the schedulers that follow a metric have in common."""

from __future__ import annotations

import math
import warnings
from typing import Any, ClassVar

import numpy as np

from ...resident import recording
from ...rules.base import BETTER, metric_of, tolerances
from .base import LRScheduler
from .checks import check_epoch, check_number, check_rate, per_group
from .preview import steps_of
from .texts import EPOCH_DEPRECATION_WARNING, METRIC
from .touch import copied, plain, unchanged_on_error


class MetricLR(LRScheduler):
    """A scheduler whose ``step(metrics)`` counts good and bad metrics and edits the rates."""

    accept_nonfinite: bool = False
    optimizer: Any
    mode: str
    threshold: float
    threshold_mode: str
    factor: float
    best: float
    last_epoch: float
    # The settings and the counts that are numbers, and the lists of one rate per group.
    _NUMBERS: ClassVar[tuple[str, ...]] = ()
    _COUNTS: ClassVar[tuple[str, ...]] = ()
    _RATES: ClassVar[tuple[str, ...]] = ()

    def step(  # type: ignore[override]
        self, metrics: Any, epoch: float | None = None
    ) -> None:
        """Take notice of a metric, a number or what ``float()`` takes, and change the rates if due.

        Raises TypeError or ValueError, and changes nothing, if it is no number or not finite.
        """
        recording.refuse(f"a step of {type(self).__name__}", METRIC)
        current = metric_of(metrics, self.accept_nonfinite)
        if epoch is not None:
            warnings.warn(EPOCH_DEPRECATION_WARNING, UserWarning, stacklevel=2)
            check_epoch(epoch)
        before = self._snapshot()
        try:
            with unchanged_on_error(self.optimizer.param_groups):
                self._take(current, self.last_epoch + 1 if epoch is None else epoch)
                self._last_lr = [copied(group["lr"]) for group in self.optimizer.param_groups]
        except BaseException:
            self._put_back(before)
            raise

    def preview(self, n: int) -> Any:
        """Return the rates of the next ``n`` steps, (n, groups) float64: those of now, in each row.

        No one knows the metrics to come: it is as if none of them changed the rates.
        """
        rates = [float(group["lr"]) for group in self.optimizer.param_groups]
        return np.tile(np.array(rates, np.float64), (steps_of("n", n), 1))

    def _take(self, current: float, epoch: float) -> None:
        """Count a metric and change the rates of the groups if that is due."""
        raise NotImplementedError

    def is_better(self, a: float, best: float) -> bool:
        """Return whether metric ``a`` is better than ``best`` by more than the threshold."""
        return BETTER[self.mode](a, best, *tolerances(self.threshold, self.threshold_mode))

    _is_better = is_better  # torch's name of it

    def _check_mode(self) -> None:
        """Raise torch's ValueError unless it is known what "better" means."""
        if self.mode not in ("min", "max"):
            raise ValueError(f"mode {self.mode} is unknown!")
        if self.threshold_mode not in ("rel", "abs"):
            raise ValueError(f"threshold mode {self.threshold_mode} is unknown!")

    def _bounds(self, name: str, value: Any) -> list[Any]:
        """Return a bound of the rates, a number or a list or tuple, as one per group."""
        count = len(self.optimizer.param_groups)
        values = per_group(name, value, count)
        if len(values) != count:
            raise ValueError(f"expected {count} {name}s, got {len(values)}")
        return values

    def _check_state(self) -> None:
        check_epoch(self.last_epoch)
        for name in (*self._NUMBERS, *self._COUNTS):
            check_number(name, getattr(self, name))
        if not isinstance(self.best, (int, float)) or math.isnan(self.best):
            raise TypeError(f"best must be a number, got {self.best!r}")
        for name in (*self._RATES, "_last_lr"):
            if not isinstance(getattr(self, name), list):
                raise TypeError(f"{name} must be a list, got {getattr(self, name)!r}")
            for value in getattr(self, name):
                check_rate(name, value)
        check_factor(self.factor)
        self._check_mode()

    def _take_up(self, state_dict: dict[str, Any]) -> None:
        """Nothing is kept beside the state."""

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimizer, as plain data, in torch's keys; a copy."""
        return {k: plain(v) for k, v in self.__dict__.items() if k != "optimizer"}


def check_factor(factor: Any) -> None:
    """Raise torch's ValueError, or TypeError, unless ``factor`` is a number below 1."""
    check_number("factor", factor)
    if factor >= 1.0:
        raise ValueError("Factor should be < 1.0.")
