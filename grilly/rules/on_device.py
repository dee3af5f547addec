"""What a Plateau, a Greedy, and the schedulers that share their recurrences are on a device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import isfinite
from types import SimpleNamespace
from typing import Any, NamedTuple

from .base import Rule, State
from .greedy import Greedy, greedy_step
from .packed import DeviceRule, Held
from .plateau import Cuts, Plateau, plateau_step
from .words import Number

Targets = Sequence[Sequence[int]]
Recurrence = Callable[[Held, float], Held]
# What greedy_step asks of a rule.
GREEDY_SETTINGS = (
    *("mode", "threshold", "threshold_mode", "factor", "patience", "cooldown", "warmup", "eps"),
    *("smooth", "window_size"),
)


class Member(NamedTuple):
    """A rule that runs on a device: the tokens of its values, what it is and holds there.

    ``recurrence`` is what it makes of a metric that it counts, on the numpy device.
    """

    tokens: tuple[str, ...]
    rule: DeviceRule
    held: Held
    recurrence: Recurrence


def counted(held: Held, metric: float, nonfinite: str, recurrence: Recurrence) -> Held:
    """Return what a rule holds after a metric has come: shaders/include/rule.glsl, on the host."""
    if held.waits or held.left == 0:
        return replace(held, waits=max(held.waits, 1) - 1)
    if held.left is not None:
        held = replace(held, left=held.left - 1)
    if not isfinite(metric) and nonfinite != "count":
        first = nonfinite == "raise" and held.refused is None
        return replace(held, refused=metric) if first else held
    return recurrence(replace(held, seen=held.seen + 1), metric)


def recurrence_of(rule: Plateau | Greedy) -> Recurrence:
    """Return the recurrence of a rule, which takes every metric that it is given."""
    taking = replace(rule, accept_nonfinite=True)

    def recurrence(held: Held, metric: float) -> Held:
        new = held_of(taking.update(state_of(held), metric))
        return replace(held, counts=new.counts, values=new.values)

    return recurrence


def device_plateau(rule: Plateau, targets: Sequence[int], nonfinite: str = "raise") -> DeviceRule:
    """Return ``rule`` as the device has it; its value is written at ``targets``.

    Raises ValueError for counts that a device cannot count.
    """
    settings = {**_judging(rule.cuts()), "accumulation": rule.accumulation}
    return DeviceRule("plateau", rule.mode, nonfinite, settings, [(rule.min_value,)], [targets])


def plateau_groups(
    scheduler: Any, min_lrs: Sequence[Number], targets: Targets, nonfinite: str = "raise"
) -> DeviceRule:
    """Return torch's ReduceLROnPlateau as the device has it: one count, a value for each group.

    ``scheduler`` has the settings under torch's names.
    """
    settings = {**_judging(Cuts.of(scheduler)), "accumulation": 0}
    bounds = [(least,) for least in min_lrs]
    return DeviceRule("plateau", scheduler.mode, nonfinite, settings, bounds, targets)


def plateau_groups_held(scheduler: Any, values: Sequence[float]) -> Held:
    """Return the state of torch's ReduceLROnPlateau, with its groups' rates, as the device's."""
    counts = {
        **{"best": scheduler.best, "bad": scheduler.num_bad_epochs},
        **{"cooldown": scheduler.cooldown_counter, "count": 0, "mean": 0.0},
    }
    return Held(counts, list(values), scheduler.last_epoch)


def plateau_recurrence(rule: DeviceRule, scheduler: Any) -> Recurrence:
    """Return the recurrence of torch's ReduceLROnPlateau with the settings that it has now."""
    cuts, bounds = Cuts.of(scheduler), [least for (least,) in rule.bounds]

    def recurrence(held: Held, metric: float) -> Held:
        counts, values = plateau_step(cuts, held.counts, held.values, metric, bounds)
        return replace(held, counts=counts, values=values)

    return recurrence


def greedy_recurrence(rule: DeviceRule, scheduler: Any, reset_start: int) -> Recurrence:
    """Return the recurrence of Hugging Face's GreedyLR with the settings that it has now."""
    settings = SimpleNamespace(**{name: getattr(scheduler, name) for name in GREEDY_SETTINGS})
    bounds = [(least, most) for least, most, _ in rule.bounds]
    firsts = [first for *_, first in rule.bounds]

    def recurrence(held: Held, metric: float) -> Held:
        own = settings, held.counts, held.values, metric, bounds, firsts, reset_start
        counts, values = greedy_step(*own)
        return replace(held, counts=counts, values=values)

    return recurrence


def device_greedy(rule: Greedy, targets: Sequence[int], nonfinite: str = "raise") -> DeviceRule:
    """Return ``rule`` as the device has it; its value is written at ``targets``.

    Raises ValueError for counts that a device cannot count.
    """
    bounds = [(rule.min_value, rule.max_value, rule.value)]
    return greedy_groups(rule, bounds, rule.reset_start, [targets], nonfinite)


def greedy_groups(
    scheduler: Any,
    bounds: Sequence[tuple[Number, Number, Number]],
    reset_start: Number,
    targets: Targets,
    nonfinite: str = "raise",
) -> DeviceRule:
    """Return Hugging Face's GreedyLR as the device has it: one count, a value for each group.

    ``scheduler`` has the settings under its names; ``bounds`` are each group's least and most, and
    what it goes back to.
    """
    window = int(scheduler.window_size) if scheduler.smooth else 0
    settings = {
        **_judging(Cuts.of(scheduler)),
        **{"smooth": scheduler.smooth, "window_size": window, "warmup": scheduler.warmup},
        **{"reset_start": reset_start, "reset_anew": int(reset_start)},
    }
    return DeviceRule("greedy", scheduler.mode, nonfinite, settings, bounds, targets, window)


def _judging(cuts: Cuts) -> dict[str, Number]:
    """Return the settings that all have, for BETTER as best * scale + margin."""
    rtol, atol = cuts.margins
    sign = -1.0 if cuts.mode == "min" else 1.0
    own = {name: getattr(cuts, name) for name in ("factor", "patience", "cooldown", "eps")}
    return {**own, "scale": 1.0 + sign * rtol, "margin": sign * atol}


def held_of(state: State, seen: Number = 0) -> Held:
    """Return the state of a Plateau or a Greedy as the device holds it."""
    counts = {name: number for name, number in state.items() if name != "value"}
    return Held(counts, [state["value"]], seen)


def state_of(held: Held) -> State:
    """Return what the device holds of a Plateau or a Greedy as its state.

    >>> plateau = Plateau(0.5)
    >>> state_of(held_of(plateau.start())) == plateau.start()
    True
    """
    (value,) = held.values
    return {"value": value, **held.counts}


def member_of(rule: Rule, state: State, token: str, nonfinite: str, where: str) -> Member:
    """Return a rule in ``state`` as a device has it; its own ``accept_nonfinite`` is "count".

    Raises ValueError, with ``where``, for a rule that has no kernel.
    """
    policy = "count" if rule.accept_nonfinite else nonfinite
    if isinstance(rule, Plateau):
        own = device_plateau(rule, [], policy)
    elif isinstance(rule, Greedy):
        own = device_greedy(rule, [], policy)
    else:
        raise ValueError(
            f"{where}: {type(rule).__name__} has no form on a device, which knows Plateau and "
            "Greedy: give step() a number, as in scheduler.step(loss.item())"
        )
    return Member((token,), own, held_of(state), recurrence_of(rule))
