"""CyclicLR: the rate up and down between two bounds, the momentum the other way."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from operator import attrgetter
from typing import Any, ClassVar, Literal

from ...errors import StateError
from ...schedules import Cyclic
from ...schedules.base import unchecked
from ..options import LR, Key
from ..track import Formulas
from .base import LRScheduler
from .checks import (
    check_beta1,
    check_number,
    check_optimizer,
    cycles_beta1,
    formatted,
    per_group,
    power,
)
from .functions import check_saved, number, restore_functions, saved_function
from .touch import unchanged_on_error, write

# The scale of a cycle's height, by its number, in the modes that do not need gamma.
SCALES: dict[str, Callable[[float], float]] = {
    "triangular": lambda cycle: 1.0,
    "triangular2": lambda cycle: power("the scale's base, 2", 2.0, 1 - cycle),
}


class CyclicLR(LRScheduler):
    """torch.optim.lr_scheduler.CyclicLR: same arguments, numbers, group keys and errors.

    The rate goes from ``base_lr`` up to ``max_lr`` in ``step_size_up`` steps and down again in
    ``step_size_down``; momentum (or beta1) from max to base and back. The height of cycle c,
    counted from 1, is scaled: "triangular" by 1, "triangular2" by 2^(1 - c), "exp_range" by
    gamma^t, or by your own ``scale_fn`` of c or, with scale_mode "iterations", of t. What stands in
    a group is written over. Source: L. N. Smith, arXiv:1506.01186.
    Formula: grilly.schedules.Cyclic; a ``scale_fn`` of your own is computed on the host.

    Raises ValueError as torch does, and where torch stops with a bare ZeroDivisionError
    (``step_size_up=0``); TypeError or ValueError, naming the argument, for what is no finite
    number.

    >>> import numpy as np
    >>> from grilly.optim import SGD
    >>> optimizer = SGD([np.ones(3, np.float32)], device="cpu")
    >>> scheduler = CyclicLR(optimizer, base_lr=0.25, max_lr=0.75, step_size_up=2)
    >>> rates = []
    >>> for step in range(6):
    ...     rates.append(scheduler.get_last_lr()[0])
    ...     optimizer.step(gradients=[np.ones(3)])
    ...     scheduler.step()
    >>> rates
    [0.25, 0.5, 0.75, 0.5, 0.25, 0.5]
    """

    __slots__ = ("_curves", "_momenta")
    _HIDDEN: ClassVar[frozenset[str]] = LRScheduler._HIDDEN | {"_scale_fn_custom"}
    _formulas_agree = True
    _settings: ClassVar[Any] = attrgetter(
        "base_lrs",
        "max_lrs",
        "base_momentums",
        "max_momentums",
        "cycle_momentum",
        "total_size",
        "step_ratio",
        "mode",
        "gamma",
        "scale_mode",
    )
    _curves: Formulas
    # Without cycle_momentum there are none, in the state neither.
    base_momentums: Sequence[Any] = ()
    max_momentums: Sequence[Any] = ()

    def __init__(
        self,
        optimizer: Any,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: Literal["triangular", "triangular2", "exp_range"] = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[Any], float] | None = None,
        scale_mode: Literal["cycle", "iterations"] = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(optimizer)
        self.optimizer = optimizer
        count = len(optimizer.param_groups)
        base_lrs = formatted("base_lr", base_lr, count)
        self.max_lrs = formatted("max_lr", max_lr, count)
        up, down = step_size_up, step_size_up if step_size_down is None else step_size_down
        check_number("step_size_up", up, zero=False)
        check_number("step_size_down", down)
        self.total_size = float(up) + float(down)
        check_number("step_size_up + step_size_down", self.total_size, zero=False)
        self.step_ratio = float(up) / self.total_size
        if mode not in (*SCALES, "exp_range") and scale_fn is None:
            raise ValueError("mode is invalid and scale_fn is None")
        self.mode = mode
        self.gamma = gamma
        self._scale_fn_custom = scale_fn
        self.scale_mode = scale_mode
        self._init_scale_fn()
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.use_beta1 = cycles_beta1(optimizer)
            self.base_momentums = formatted("base_momentum", base_momentum, count)
            self.max_momentums = formatted("max_momentum", max_momentum, count)
        self._check_arguments()
        with unchanged_on_error(optimizer.param_groups):
            if last_epoch == -1:
                self._start(base_lrs)
            super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def _start(self, base_lrs: list[Any]) -> None:
        """Write what torch puts into the groups before the first step."""
        for i, group in enumerate(self.optimizer.param_groups):
            write(group, LR, base_lrs[i])
            if self.cycle_momentum:
                write(group, self._momentum, self.max_momentums[i])
                group["max_momentum"] = self.max_momentums[i]
                group["base_momentum"] = self.base_momentums[i]

    @property
    def _momentum(self) -> Key:
        return ("betas", 0) if self.use_beta1 else ("momentum",)

    def _init_scale_fn(self) -> None:
        """Set what the scale of a mode of ours is a function of."""
        if self._scale_fn_custom is None:
            self.scale_mode = "iterations" if self.mode == "exp_range" else "cycle"

    def scale_fn(self, x: Any) -> float:
        """Return the scale of the height, of cycle or step ``x``."""
        if self._scale_fn_custom is not None:
            return number(self._scale_fn_custom(x), "scale_fn(%s)", x)
        return self._scale_fn_ref(x)

    @property
    def _scale_fn_ref(self) -> Callable[[float], float]:  # torch's name
        """The scale that the mode has by itself."""
        if self.mode == "exp_range":
            return partial(power, "gamma", self.gamma)
        return SCALES[self.mode]

    def get_lr(self) -> list[float]:
        """Return the rates at last_epoch."""
        self._warn_get_lr()
        self._check_groups()
        height = self._height()
        pairs = zip(self.base_lrs, self.max_lrs, strict=True)
        return [base + (most - base) * height for base, most in pairs]

    def _height(self) -> float:
        """Return the part of the way from the lower bound to the upper one, at last_epoch."""
        done = self.last_epoch / self.total_size
        if not math.isfinite(done):
            raise ValueError(
                f"step_size_up + step_size_down must not be so small at step {self.last_epoch}, "
                f"got {self.total_size}"
            )
        cycle = math.floor(1 + done)
        x = 1.0 + done - cycle
        up = x <= self.step_ratio
        height = x / self.step_ratio if up else (x - 1) / (self.step_ratio - 1)
        return height * self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)

    def _formulas(self, t: float, jump: bool) -> Formulas:
        sizes = self._sizes()
        if sizes is None or not self._whole() or (t < 0 and self.mode == "exp_range"):
            return {}  # get_lr() tells, or says what is missing
        if self._curves and self._settings(self) == self._used:
            return self._curves
        self._curves = {LR: self._cycles(self.base_lrs, self.max_lrs, sizes)}
        if self.cycle_momentum:
            numbers = self.max_momentums, self.base_momentums
            self._curves[self._momentum] = self._cycles(*numbers, sizes)
        return self._curves

    def _cycles(self, lows: Any, highs: Any, sizes: tuple[float, float]) -> list[Cyclic]:
        numbers = *sizes, self.mode, self.gamma
        pairs = zip(lows, highs, strict=True)
        return [unchecked(Cyclic, float(a), float(b), *numbers) for a, b in pairs]

    def _sizes(self) -> tuple[float, float] | None:
        """Return the steps up and down; None where there is no formula: a scale of your own, ..."""
        up = self.total_size * self.step_ratio
        if round(up) / self.total_size == self.step_ratio:
            up = float(round(up))
        scaled = self.mode == "exp_range"
        ours = self._scale_fn_custom is None and (not scaled or 0 <= self.gamma <= 1)
        ours = ours and self.scale_mode == ("iterations" if scaled else "cycle")
        return (up, self.total_size - up) if ours and 0 < up < self.total_size else None

    def _put(self, groups: list[dict[str, Any]], at: int) -> None:
        super()._put(groups, at)
        if self.cycle_momentum:
            for group, momentum in zip(groups, self._track.rows[self._momentum][at], strict=True):
                write(group, self._momentum, momentum)

    def _start_track(self) -> None:
        super()._start_track()
        self._curves = {}

    def _take_up(self, state_dict: dict[str, Any]) -> None:
        super()._take_up(state_dict)
        self._go_on()

    def _python_rates(self, jump: bool) -> list[Any]:
        rates = super()._python_rates(jump)
        self._momenta = []
        if self.cycle_momentum:
            height = self._height()
            pairs = zip(self.base_momentums, self.max_momentums, strict=True)
            self._momenta = [most - (most - base) * height for base, most in pairs]
        return rates

    def _write(self, rates: list[Any] | None) -> None:
        super()._write(rates)
        if rates is not None and not self._track.rows:
            for group, momentum in zip(self.optimizer.param_groups, self._momenta, strict=False):
                write(group, self._momentum, momentum)

    def _whole(self) -> bool:
        """Whether there is a rate and a momentum for each of the groups."""
        momenta = (self.base_momentums, self.max_momentums) if self.cycle_momentum else ()
        count = len(self.optimizer.param_groups)
        return all(len(own) == count for own in (self.base_lrs, self.max_lrs, *momenta))

    def _check_groups(self) -> None:
        count = len(self.optimizer.param_groups)
        if not self._whole():
            raise ValueError(
                f"CyclicLR has {len(self.max_lrs)} rates, but the optimizer {count} groups: append "
                "an added group's to scheduler.base_lrs, max_lrs, base_momentums and max_momentums"
            )

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimizer and the function, in torch's keys; a copy."""
        return {**super().state_dict(), "_scale_fn_custom": saved_function(self._scale_fn_custom)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a state_dict, as LRScheduler does, and the attributes of a callable object."""
        own = dict(state_dict) if isinstance(state_dict, dict) else state_dict
        state = own.pop("_scale_fn_custom", None) if isinstance(own, dict) else None
        try:
            check_saved("_scale_fn_custom", [self._scale_fn_custom], [state])
        except (TypeError, ValueError) as error:
            raise StateError(f"state_dict does not fit {type(self).__name__}: {error}") from error
        super().load_state_dict(own)
        restore_functions([self._scale_fn_custom], [state])
        self._init_scale_fn()

    def _check_arguments(self) -> None:
        check_number("gamma", self.gamma)
        check_number("total_size", self.total_size, zero=False)
        check_number("step_ratio", self.step_ratio, zero=False)
        if self.cycle_momentum and self.use_beta1:
            check_beta1(self.optimizer, (*self.base_momentums, *self.max_momentums))

    def _check_state(self) -> None:
        super()._check_state()
        self._check_arguments()
        names = ["max_lrs", *(["base_momentums", "max_momentums"] if self.cycle_momentum else [])]
        for name in names:
            per_group(name, getattr(self, name), 0)
