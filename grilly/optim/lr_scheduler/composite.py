"""Composite: a scheduler that drives others: what SequentialLR and ChainedScheduler share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from ...errors import StateError
from ...resident.recording import outside
from .base import LRScheduler
from .checks import check_number
from .metric import MetricLR
from .noted import settles
from .touch import unchanged_on_error


class Composite(LRScheduler):
    """Drives other schedulers of one optimizer, which write the rates."""

    _HIDDEN: ClassVar[frozenset[str]] = LRScheduler._HIDDEN | {"_schedulers"}
    _schedulers: Sequence[Any]

    def get_lr(self) -> list[float]:
        """Raise NotImplementedError, as torch's does: the schedulers inside know the rates."""
        raise NotImplementedError(
            f"{type(self).__name__} has no rates of its own and cannot start at a milestone of a "
            "SequentialLR: put its schedulers into the SequentialLR, or let it be the first"
        )

    def _advance(self, epoch: float | None) -> None:
        self.get_lr()  # what a milestone of a SequentialLR asks for

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimizer, with a state for each scheduler; a copy."""
        return {**super().state_dict(), "_schedulers": [s.state_dict() for s in self._schedulers]}

    @outside
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a state_dict of this class or of torch's; the groups stay as they are.

        Raises StateError, and changes nothing, if a part of it does not fit.
        """
        if not isinstance(state_dict, dict):
            raise StateError(f"state_dict must be a dict, got {type(state_dict).__name__}")
        own = dict(state_dict)
        states, count = own.pop("_schedulers", None), len(self._schedulers)
        if not isinstance(states, (list, tuple)) or len(states) != count:
            got = len(states) if isinstance(states, (list, tuple)) else type(states).__name__
            raise StateError(f"state_dict: _schedulers must be a list of {count} states, got {got}")
        with all_unchanged_on_error(self.optimizer, everything_in(self)):
            for name in {"_step_count"} & set(own):  # of one that another composite has started
                self.__dict__.setdefault(name, 0)
            super().load_state_dict(own)
            for scheduler, state in zip(self._schedulers, states, strict=False):
                scheduler.load_state_dict(state)

    def _check_state(self) -> None:
        for rate in self._last_lr:
            check_number("_last_lr", float(rate))

    def _take_up(self, state_dict: dict[str, Any]) -> None:
        """Nothing is kept beside the state."""

    def _take_inside(self) -> None:
        """Let the schedulers know that another one steps them."""
        for scheduler in self._schedulers:
            scheduler._inside = True
        settles(self)

    def _check_schedulers(self, optimizer: Any, schedulers: Sequence[Any]) -> None:
        name = type(self).__name__
        for i, scheduler in enumerate(schedulers):
            if not hasattr(scheduler, "optimizer"):
                raise TypeError(f"{name} at index {i} should have `optimizer` as its attribute.")
            if not isinstance(scheduler, LRScheduler):
                kind = f"{type(scheduler).__module__}.{type(scheduler).__qualname__}"
                instead = getattr(scheduler, "_instead", "use the one of that name there")
                raise TypeError(
                    f"{name} drives schedulers of grilly.optim.lr_scheduler, got {kind} at "
                    f"index {i}: {instead}"
                )
            if isinstance(scheduler, MetricLR):
                raise ValueError(
                    f"{name} does not support `{type(scheduler).__name__}` scheduler as it "
                    "requires additional kwargs to be specified when calling `step`, "
                    f"but got one at index {i} in the given schedulers sequence."
                )
            if optimizer is not scheduler.optimizer:
                raise ValueError(
                    f"{name} expects all schedulers to belong to the same optimizer, but "
                    f"got scheduler {type(scheduler).__name__} at index {i} has "
                    f"{scheduler.optimizer}, which is different from {type(optimizer).__name__}."
                )


def everything_in(scheduler: Any) -> list[Any]:
    """Return a scheduler and all that are inside it."""
    inside = getattr(scheduler, "_schedulers", ())
    return [scheduler, *(one for child in inside for one in everything_in(child))]


@contextmanager
def all_unchanged_on_error(optimizer: Any, schedulers: list[Any]) -> Iterator[None]:
    """Put the groups and the schedulers back to what they are now if there is an error."""
    before = [scheduler._snapshot() for scheduler in schedulers]
    try:
        with unchanged_on_error(optimizer.param_groups):
            yield
    except BaseException:
        for scheduler, snapshot in zip(schedulers, before, strict=True):
            scheduler._put_back(snapshot)
            if hasattr(scheduler, "_track"):
                scheduler._drive()
        raise
