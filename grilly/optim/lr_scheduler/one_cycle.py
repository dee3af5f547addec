"""OneCycleLR: the rate up and down again in one cycle, the momentum the other way."""

from __future__ import annotations

from operator import attrgetter, itemgetter
from typing import Any, ClassVar, Literal

import numpy as np

from ...resident.recording import outside
from ...schedules import OneCycle
from ...schedules.base import unchecked
from ..options import LR, Key
from ..track import Formulas
from .base import LRScheduler
from .checks import check_beta1, check_number, check_optimizer, cycles_beta1, formatted
from .touch import write

Phase = dict[str, Any]
BETA1: Key = ("betas", 0)
STRATEGIES = ("cos", "linear")


class OneCycleLR(LRScheduler):
    """torch.optim.lr_scheduler.OneCycleLR: same arguments, numbers, group keys and errors.

    The rate goes from max_lr / div_factor up to max_lr in ``pct_start`` of ``total_steps``, then
    down to that first rate / final_div_factor; momentum (or beta1) from max to base and back.
    Step it once per optimizer step. Formula: grilly.schedules.OneCycle.

    Raises ValueError as torch does, and where torch stops with a bare ZeroDivisionError (a phase
    without length), naming pct_start.

    >>> import numpy as np
    >>> from grilly.optim import AdamW
    >>> optimizer = AdamW([np.ones(3, np.float32)], device="cpu")
    >>> scheduler = OneCycleLR(optimizer, max_lr=0.1, total_steps=100)
    >>> scheduler.get_last_lr(), optimizer.param_groups[0]["betas"]
    ([0.004], (0.95, 0.999))
    """

    __slots__ = ("_cycles", "_momentum", "_reads")
    use_beta1: bool = False
    _formulas_agree = True
    _settings: ClassVar[Any] = attrgetter("total_steps", "_anneal_func_type", "cycle_momentum")
    _cycles: dict[Key, list[OneCycle]]

    def __init__(
        self,
        optimizer: Any,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(optimizer)
        self.optimizer = optimizer
        self.total_steps = _total_steps(total_steps, epochs, steps_per_epoch)
        if not isinstance(pct_start, float) or not 0 <= pct_start <= 1:
            raise ValueError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        self._schedule_phases = _phases(
            float(pct_start * self.total_steps), self.total_steps, three_phase
        )
        _check_strategy(anneal_strategy)
        self._anneal_func_type = anneal_strategy
        self.cycle_momentum = cycle_momentum
        max_lrs = self._format_param("max_lr", optimizer, max_lr)
        bases = (
            self._format_param("base_momentum", optimizer, base_momentum) if cycle_momentum else []
        )
        tops = self._format_param("max_momentum", optimizer, max_momentum) if cycle_momentum else []
        if cycle_momentum:
            self.use_beta1 = cycles_beta1(optimizer)
            check_beta1(optimizer, (*bases, *tops) if self.use_beta1 else ())
        check_number("div_factor", div_factor, zero=False)
        check_number("final_div_factor", final_div_factor, zero=False)
        self._check_phase(max(last_epoch + 1, 0))
        if last_epoch == -1:
            for i, group in enumerate(optimizer.param_groups):
                start = max_lrs[i] / div_factor
                group.update(initial_lr=start, max_lr=max_lrs[i], min_lr=start / final_div_factor)
                if cycle_momentum:
                    group.update(max_momentum=tops[i], base_momentum=bases[i])
        super().__init__(optimizer, last_epoch)

    def _format_param(self, name: str, optimizer: Any, param: Any) -> list[Any]:
        """Return ``param`` as one value per group."""
        return formatted(name, param, len(optimizer.param_groups))

    @staticmethod
    def _annealing_cos(start: float, end: float, pct: float) -> float:
        """Return the value ``pct`` (0 to 1) of the way from ``start`` to ``end`` along a cosine."""
        return float(unchecked(OneCycle, (1.0,), (start, end), "cos")(np.float64(pct)))

    @staticmethod
    def _annealing_linear(start: float, end: float, pct: float) -> float:
        """Return the value ``pct`` (0 to 1) of the way from ``start`` to ``end`` along a line."""
        return float(unchecked(OneCycle, (1.0,), (start, end), "linear")(np.float64(pct)))

    def get_lr(self) -> list[float]:
        """Return the rates at last_epoch, from the numbers that the groups hold."""
        self._warn_get_lr()
        t = np.float64(self.last_epoch)
        return [float(self._cycle(group, "lr")(t)) for group in self.optimizer.param_groups]

    def _formulas(self, t: float, jump: bool) -> Formulas:
        if t > self.total_steps:
            raise ValueError(
                f"Tried to step {t} times. "
                f"The specified number of total steps is {self.total_steps}"
            )
        self._check_phase(t)
        groups = self.optimizer.param_groups
        same = self._settings(self) == self._used and list(map(self._reads, groups)) == self._held
        if not same or not self._cycles:
            self._cycles = {LR: [self._cycle(group, "lr") for group in groups]}
            if self.cycle_momentum:
                self._cycles[self._momentum] = [self._cycle(group, "momentum") for group in groups]
        return self._cycles

    def _goes_on(self) -> bool:
        # _formulas() without what is known: the settings and the groups are as they were.
        self._check_phase(self.last_epoch + 1)
        return self._cycles is self._track.formulas

    def _left(self) -> float:
        return self.total_steps - self.last_epoch

    def _last_step(self) -> float:
        ends = [0.0, *[float(phase["end_step"]) for phase in self._schedule_phases]]
        # With an empty phase somewhere, each step is looked at.
        return self.last_epoch if len(set(ends)) < len(ends) else self.total_steps

    def _start_track(self) -> None:
        super()._start_track()
        self._cycles = {}
        self._momentum: Key = BETA1 if self.use_beta1 else ("momentum",)
        momenta = ("max_momentum", "base_momentum") if self.cycle_momentum else ()
        self._reads = itemgetter("initial_lr", "max_lr", "min_lr", *momenta)

    def _put(self, groups: list[dict[str, Any]], at: int) -> None:
        if not (self.cycle_momentum and self.use_beta1):
            super()._put(groups, at)
            for group, momentum in zip(groups, self._momenta(at)):  # noqa: B905 - as in the base
                group["momentum"] = momentum
            return
        # In one loop: with super()._put() a step took a quarter longer.
        self._last_lr = rates = self._track.rows[LR][at]
        for group, rate, beta1 in zip(groups, rates, self._track.rows[BETA1][at]):  # noqa: B905
            if type(group["lr"]) is float:
                group["lr"] = rate
            else:
                write(group, LR, rate)
            betas = group["betas"]
            group["betas"] = (beta1, betas[1]) if len(betas) == 2 else (beta1, *betas[1:])

    def _momenta(self, at: int) -> list[float]:
        return self._track.rows[self._momentum][at] if self.cycle_momentum else []

    def _cycle(self, group: dict[str, Any], what: str) -> OneCycle:
        """Return the formula of the numbers that are in the group now, as torch reads them."""
        phases = self._schedule_phases
        names = [phases[0][f"start_{what}"], *(phase[f"end_{what}"] for phase in phases)]
        ends = tuple(float(phase["end_step"]) for phase in phases)
        values = tuple(float(group[name]) for name in names)
        return unchecked(OneCycle, ends, values, self._anneal_func_type)

    def _take_up(self, state_dict: dict[str, Any]) -> None:
        super()._take_up(state_dict)
        self._go_on()

    @outside
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a state_dict, as LRScheduler does; one of an older torch, too."""
        own = dict(state_dict) if isinstance(state_dict, dict) else state_dict
        anneal = own.get("anneal_func") if isinstance(own, dict) else None
        strategy = getattr(anneal, "__name__", "").removeprefix("_annealing_")
        if strategy in STRATEGIES:  # the state held the function itself
            del own["anneal_func"]
            own.setdefault("_anneal_func_type", strategy)
            self.__dict__.setdefault("_anneal_func_type", strategy)
        super().load_state_dict(own)

    def _check_state(self) -> None:
        super()._check_state()
        _positive("total_steps", self.total_steps)
        _check_strategy(self._anneal_func_type)
        if not self._schedule_phases:
            raise ValueError("_schedule_phases is empty")
        for phase in self._schedule_phases:
            check_number("end_step", phase["end_step"])
        if self.cycle_momentum and self.use_beta1 != cycles_beta1(self.optimizer):
            raise ValueError(f"use_beta1 is {self.use_beta1!r}, which is not this optimizer's")

    def _check_phase(self, t: float) -> None:
        ends = [float(phase["end_step"]) for phase in self._schedule_phases]
        i = [*[i for i, end in enumerate(ends) if t <= end], len(ends) - 1][0]
        if ends[i] == (ends[i - 1] if i else 0.0):
            pct_start = (ends[0] + 1) / self.total_steps
            raise ValueError(
                f"pct_start={pct_start:.6g} with total_steps={self.total_steps} makes phase {i} of "
                f"the cycle empty at step {t}: choose pct_start so that the phases end at "
                "different steps after the first"
            )


def _check_strategy(value: Any) -> None:
    if value not in STRATEGIES:
        raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {value}")


def _total_steps(total_steps: Any, epochs: Any, steps_per_epoch: Any) -> int:
    if total_steps is not None:
        return _positive("total_steps", total_steps)
    if epochs is not None and steps_per_epoch is not None:
        steps = _positive("epochs", epochs) * _positive("steps_per_epoch", steps_per_epoch)
        return _positive("epochs * steps_per_epoch", steps)
    raise ValueError("You must define either total_steps OR (epochs AND steps_per_epoch)")


def _positive(name: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ValueError(f"Expected positive integer {name}, but got {value}")
    check_number(name, value)
    return value


def _phases(warm_up: float, total_steps: int, three_phase: bool) -> list[Phase]:
    """Return torch's table of phases; ends are in steps and need not be whole."""
    up = _phase(warm_up - 1, "initial_lr", "max_lr", "max_momentum", "base_momentum")
    last = total_steps - 1
    if not three_phase:
        return [up, _phase(last, "max_lr", "min_lr", "base_momentum", "max_momentum")]
    down = _phase(2 * warm_up - 2, "max_lr", "initial_lr", "base_momentum", "max_momentum")
    return [up, down, _phase(last, "initial_lr", "min_lr", "max_momentum", "max_momentum")]


def _phase(end: float, start_lr: str, end_lr: str, start_momentum: str, end_momentum: str) -> Phase:
    return {
        "end_step": end,
        "start_lr": start_lr,
        "end_lr": end_lr,
        "start_momentum": start_momentum,
        "end_momentum": end_momentum,
    }
