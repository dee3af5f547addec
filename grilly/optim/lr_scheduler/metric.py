"""MetricLR: what the schedulers that follow a metric have in common."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Literal

import numpy as np

from ...resident.metrics import lives_on_device
from ...resident.recording import refuse
from ...rules.base import BETTER, metric_of, tolerances
from ...rules.on_device import Member
from ...rules.packed import Held
from ...rules.words import NONFINITE
from ...schedules.checks import check_choice
from ...schedules.live import Live
from ...whole import count_of
from ..options import LR
from ..seats import Seat, device_step, new_owner
from ..track import Track
from .base import LRScheduler
from .checks import check_epoch, check_number, check_rate, per_group
from .texts import EPOCH_DEPRECATION_WARNING, METRIC
from .touch import copied, plain, unchanged_on_error, write


class MetricLR(LRScheduler):
    """A scheduler whose ``step(metrics)`` counts good and bad metrics and edits the rates."""

    accept_nonfinite: bool = False
    # What becomes of a metric on the device that is not finite.
    nonfinite: Literal["raise", "ignore", "count"] = "raise"
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

    _OPTIONAL: ClassVar[frozenset[str]] = frozenset({"accept_nonfinite", "nonfinite"})

    def step(  # type: ignore[override]
        self, metrics: Any, epoch: float | None = None
    ) -> None:
        """Take notice of a metric, a number or what ``float()`` takes, and change the rates if due.

        A DeviceArray of one element or a metric on the device, such as grilly.Mean, stays there:
        the device counts it and the next step of its optimizer has the new rates. The host does
        not wait; the attributes, ``get_last_lr()`` and ``optimizer.param_groups`` are read back
        when they are asked for. Inside ``grilly.record()`` the metric must be such a one.

        Raises TypeError or ValueError, and changes nothing, if it is no number or not finite. What
        a metric on the device that is not finite means says ``nonfinite``: "raise" (when something
        is read back; it does not count), "ignore", or "count" as torch does.
        """
        if lives_on_device(metrics):
            if epoch is not None:
                raise ValueError(f"epoch must be None for a metric on the device, got {epoch}")
            device_step(self, metrics)
            return
        refuse(f"a step of {type(self).__name__} with a number", METRIC)
        self._leave_seat()
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
        return np.tile(np.array(rates, np.float64), (count_of("n", n), 1))

    def _take(self, current: float, epoch: float) -> None:
        """Count a metric and change the rates of the groups if that is due."""
        raise NotImplementedError

    # --- On the device ---------------------------------------------------------------------------

    def _seated(self) -> Seat:
        """Return the seat of the rule on the optimizer's device, a new one after an edit."""
        seat: Seat | None = getattr(self, "_seat", None)
        if seat is not None and self._fits(seat):
            return seat
        self._leave_seat()
        self._check_numbers()
        groups = self.optimizer.param_groups
        owner = new_owner()
        tokens = tuple(f"{owner}:{i}" for i in range(len(groups)))
        member = self._member(tokens, [float(group["lr"]) for group in groups])
        self._track = Track()
        made = Seat(self, owner, self._key(), [member])
        self._seat = made
        self._stand(owner)
        return made

    def _fits(self, seat: Seat) -> bool:
        """Whether nobody has edited the rule or a rate, and no one else drives the rates."""
        holds = self._track.holds(self.optimizer.param_groups)
        return holds and self._driving() and seat.key == self._key()

    def _can_sit(self) -> bool:
        """Whether a seat can be taken before the step is made, and nothing shows it."""
        count = len(self.optimizer.param_groups)
        return all(len(getattr(self, name)) == count for name in self._RATES)

    def _leave_seat(self) -> None:
        """Go on on the host, with what the device has counted."""
        seat: Seat | None = getattr(self, "_seat", None)
        if seat is not None:
            seat.leave()
            self._forget_seat()

    def _edited_count(self) -> None:
        self._leave_seat()

    def _forget_seat(self) -> None:
        del self._seat
        driven = self.optimizer._driven
        for number in [number for number, track in driven.items() if track is self._track]:
            del driven[number]

    def _stand(self, owner: str) -> None:
        """Let the optimizer's rates be those of the rule on the device."""
        rates = [float(group["lr"]) for group in self.optimizer.param_groups]
        lives = [Live(rate, f"{owner}:{i}") for i, rate in enumerate(rates)]
        self._track.stand({LR: lives}, 0, {LR: rates})
        self._drive()

    def _take_held(self, held: list[Held]) -> None:
        """Be what the device has made of its metrics; an edit of a rate meanwhile is kept."""
        seat, track, groups = self._seat, self._track, self.optimizer.param_groups
        own = [track.wrote(i, LR, group) for i, group in enumerate(groups)]
        for group, rate, still in zip(groups, held[0].values, own, strict=False):
            if still:
                write(group, LR, rate)
        self._take_counts(held[0])
        pairs = zip(groups, held[0].values, own, strict=False)
        self._last_lr = [copied(g["lr"]) if still else rate for g, rate, still in pairs]
        if self._driving() and all(own):
            self._stand(seat.owner)

    @contextmanager
    def _counting_on_device(self) -> Iterator[None]:
        """Nothing moves on the host."""
        yield

    def _reach(self) -> tuple[float, str]:
        """Return how long a replay may go on: the rule is the device's."""
        seat: Seat | None = getattr(self, "_seat", None)
        return (np.inf if seat is not None and self._fits(seat) else 0), ""

    def _leap(self, steps: int) -> None:
        self._seat.counted()

    def _tracks(self) -> list[Track]:
        """Return none: the rates do not move with the steps."""
        return []

    def _key(self) -> Any:
        """Return what the rule on the device was made of."""
        numbers = (getattr(self, name) for name in (*self._NUMBERS, "mode", "threshold_mode"))
        bounds = (tuple(getattr(self, name)) for name in self._RATES)
        count = len(self.optimizer.param_groups)
        return (*numbers, *bounds, self._policy, count)

    @property
    def _policy(self) -> str:
        return "count" if self.accept_nonfinite else self.nonfinite

    def _member(self, tokens: tuple[str, ...], rates: list[float]) -> Member:
        """Return the rule as the device has it, with these rates of the groups."""
        raise NotImplementedError

    def _take_counts(self, held: Held) -> None:
        """Have the counts that the device holds."""
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
        self._check_numbers()
        self._check_rates("_last_lr")

    def _check_numbers(self) -> None:
        """Raise TypeError or ValueError for a setting or a count that cannot be one."""
        check_epoch(self.last_epoch)
        for name in (*self._NUMBERS, *self._COUNTS):
            check_number(name, getattr(self, name))
        if not isinstance(self.best, (int, float)) or math.isnan(self.best):
            raise TypeError(f"best must be a number, got {self.best!r}")
        for name in self._RATES:
            self._check_rates(name)
        check_factor(self.factor)
        check_choice("nonfinite", self.nonfinite, NONFINITE)
        self._check_mode()

    def _check_rates(self, name: str) -> None:
        rates = getattr(self, name)
        if not isinstance(rates, list):
            raise TypeError(f"{name} must be a list, got {rates!r}")
        for rate in rates:
            check_rate(name, rate)

    def _take_up(self, state_dict: dict[str, Any]) -> None:
        """Nothing is kept beside the state; what the device has counted is written over."""
        seat: Seat | None = getattr(self, "_seat", None)
        if seat is not None:
            seat.drop()
            self._forget_seat()

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimizer, as plain data, in torch's keys; a copy.

        What the device has counted is read back from it, which waits.
        """
        return {k: plain(v) for k, v in self.__dict__.items() if k != "optimizer"}


def check_factor(factor: Any) -> None:
    """Raise torch's ValueError, or TypeError, unless ``factor`` is a number below 1."""
    check_number("factor", factor)
    if factor >= 1.0:
        raise ValueError("Factor should be < 1.0.")
