"""What torch's schedulers do beside the numbers, class by class: ours on a twin optimizer does it.

Warnings, attributes, copies, life, functions, old states and names, and what is refused.
"""

from __future__ import annotations

import copy
import functools
import gc
import inspect
import math
import pickle
import types
import warnings
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from targets import THEIRS, GrillyTarget, TorchTarget
from test_torch_schedulers import MAKES, OWN_KEYS, Halving, advance, keys, numbers, target

from grilly import optim
from grilly.optim import lr_scheduler as ours

BOTH = (THEIRS, ours)
PLATEAU = "ReduceLROnPlateau"
CLOSED = ("StepLR", "MultiStepLR", "ConstantLR", "LinearLR", "ExponentialLR", "PolynomialLR")


def metric(name: str) -> list[float]:
    return [1.0] if name == PLATEAU else []


# --- Warnings ------------------------------------------------------------------------------------


def right_order(own: Any, scheduler: Any, values: list[float]) -> None:
    for _ in range(3):
        own.step()
        scheduler.step(*values)


def wrong_order(own: Any, scheduler: Any, values: list[float]) -> None:
    for _ in range(3):
        scheduler.step(*values)
        own.step()


def another_step(own: Any, scheduler: Any, values: list[float]) -> None:
    old = own.optimizer.step
    own.optimizer.step = types.MethodType(lambda o: old(), own.optimizer)
    right_order(own, scheduler, values)


def to_an_epoch(own: Any, scheduler: Any, values: list[float]) -> None:
    own.step()
    scheduler.step(*values, 2)
    scheduler.step(*values, epoch=2)


def outside(own: Any, scheduler: Any, values: list[float]) -> None:
    own.step()
    scheduler.step(*values)
    scheduler.get_lr()
    scheduler.get_last_lr()


def warned(make: Any, moves: Any, module: Any, values: list[float]) -> list[Any]:
    """Return what the moves warn of: kind, text, and whether it points to the user's line."""
    own = target()
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        scheduler = make(module, own.optimizer)
        try:
            moves(own, scheduler, values)
        except (TypeError, NotImplementedError) as error:  # step(epoch), get_lr() of composites
            seen.append(type(error))  # type: ignore[arg-type]
    here = Path(__file__).name
    return [
        (w.category, str(w.message), Path(w.filename).name == here)
        if isinstance(w, warnings.WarningMessage)
        else w
        for w in seen
    ]


@pytest.mark.parametrize("moves", [right_order, wrong_order, another_step, to_an_epoch, outside])
@pytest.mark.parametrize("name", MAKES)
def test_warnings_are_torchs(name: str, moves: Any) -> None:
    theirs, mine = (warned(MAKES[name], moves, module, metric(name)) for module in BOTH)
    if moves is outside:  # torch's points into torch, ours to the user's line
        theirs = [(*one[:2], True) if isinstance(one, tuple) else one for one in theirs]
    assert mine == theirs


@pytest.mark.parametrize("moves", [right_order, wrong_order, another_step])
def test_warnings_of_a_resumed_scheduler_are_torchs(moves: Any) -> None:
    def resumed(module: Any, optimizer: Any) -> Any:
        for group in optimizer.param_groups:
            group["initial_lr"] = 0.1
        return module.StepLR(optimizer, 3, last_epoch=10)

    theirs, mine = (warned(resumed, moves, module, []) for module in BOTH)
    assert mine == theirs


# --- Attributes, copies and life -----------------------------------------------------------------


@pytest.mark.parametrize("name", MAKES)
def test_attributes_are_torchs_and_the_state_is_what_they_are(name: str) -> None:
    """Users write state_dict() as torch does: all of vars() but the optimizer."""
    pairs = [(own := target(), MAKES[name](module, own.optimizer)) for module in BOTH]
    for own, scheduler in pairs:
        advance(own, scheduler, 5)
    theirs, mine = (set(vars(scheduler)) for _, scheduler in pairs)
    assert mine - OWN_KEYS == theirs - {"_scale_fn_ref", "anneal_func"}  # functions
    state = pairs[1][1].state_dict()
    assert set(state) == mine - {"optimizer"}
    same = {k for k, v in vars(pairs[1][1]).items() if k != "optimizer" and v == state[k]}
    assert set(state) - same <= {"lr_lambdas", "_scale_fn_custom", "_schedulers"}


@pytest.mark.parametrize("name", sorted(set(MAKES) - {"LambdaLR"}))
def test_a_loaded_scheduler_has_the_same_attributes(name: str) -> None:
    own = target()
    scheduler = MAKES[name](ours, own.optimizer)
    advance(own, scheduler, 7)
    again = target()
    again.load(own.save())
    fresh = MAKES[name](ours, again.optimizer)
    fresh.load_state_dict(scheduler.state_dict())
    assert fresh.state_dict() == scheduler.state_dict()
    assert set(vars(fresh)) == set(vars(scheduler))


def halved(t: float) -> float:
    return 0.5**t


COPIED: dict[str, Any] = {
    **{k: v for k, v in MAKES.items() if k != "LambdaLR"},
    "LambdaLR": lambda m, o: m.LambdaLR(o, [halved, Halving(0.9)]),
}


@pytest.mark.parametrize("way", [copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
@pytest.mark.parametrize("name", COPIED)
def test_a_copy_goes_on_by_itself(name: str, way: Any) -> None:
    """With its own optimizer, as torch's: neither sees the other's steps."""
    warnings.simplefilter("ignore")  # the copied optimizer's step() is not wrapped, as in torch
    own = target()
    scheduler = COPIED[name](ours, own.optimizer)
    advance(own, scheduler, 4)
    other = way(scheduler)
    assert type(other) is type(scheduler) and other.optimizer is not own.optimizer
    seen = []
    for one in (scheduler, other):
        rates = []
        for _ in range(8):
            one.step(*metric(name))
            rates.append([group["lr"] for group in one.optimizer.param_groups])
        seen.append(rates)
    assert seen[0] == seen[1]


@pytest.mark.parametrize("kind", [TorchTarget, GrillyTarget])
@pytest.mark.parametrize("name", MAKES)
def test_it_is_freed_without_the_collector(name: str, kind: type[TorchTarget]) -> None:
    gc.collect()
    gc.disable()
    try:
        own = kind("SGD", [{"lr": 0.1}, {"lr": 0.5}])
        scheduler = MAKES[name](ours, own.optimizer)
        advance(own, scheduler, 3)
        scheduler.load_state_dict(scheduler.state_dict())
        gone, optimizer = weakref.ref(scheduler), weakref.ref(own.optimizer)
        del scheduler
        assert gone() is None
        del own
        assert optimizer() is None
    finally:
        gc.enable()


# --- Closed form and recurrence ------------------------------------------------------------------


@pytest.mark.parametrize("name", [*CLOSED, "CosineAnnealingLR", "restarts", "LambdaLR"])
def test_moved_to_each_step_or_walked_it_is_the_same(name: str) -> None:
    own, moved = target(), target()
    walked, jumping = MAKES[name](ours, own.optimizer), MAKES[name](ours, moved.optimizer)
    for t in range(1, 25):
        advance(own, walked, 1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            jumping.step(t)
            jumping.step(t)  # the second time it is there already
        np.testing.assert_allclose(numbers(moved), numbers(own), rtol=1e-12, atol=1e-15)
        assert jumping.last_epoch == walked.last_epoch == t


# --- Functions, old states and old names ---------------------------------------------------------


class Growing:
    def __init__(self) -> None:
        self.base = 1.25

    def at(self, cycle: float) -> float:
        return float(self.base**cycle)

    __call__ = at


FUNCTIONS = {
    "function": halved,
    "lambda": lambda cycle: 1 / (1 + cycle),
    "method": Growing().at,
    "object": Growing(),
    "partial": functools.partial(math.pow, 0.5),
    "class": np.float64,
}


@pytest.mark.parametrize("scale_mode", ["cycle", "iterations"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_scale_function_of_any_kind(name: str, scale_mode: Any) -> None:
    pairs = []
    for module in BOTH:
        own, function = target(), copy.deepcopy(FUNCTIONS[name])
        make: dict[str, Any] = {"scale_fn": function, "scale_mode": scale_mode, "mode": "square"}
        scheduler = module.CyclicLR(own.optimizer, 0.125, 0.5, 2, 3, **make)
        assert scheduler._scale_fn_custom is function
        pairs.append((own, scheduler))
    for _ in range(14):
        for own, scheduler in pairs:
            advance(own, scheduler, 1)
        np.testing.assert_allclose(numbers(pairs[1][0]), numbers(pairs[0][0]), rtol=1e-12)
    if name != "class":  # torch keeps a class's namespace, which cannot be saved
        states = [scheduler.state_dict()["_scale_fn_custom"] for _, scheduler in pairs]
        assert states[0] == states[1]
        pickle.dumps(pairs[1][1].state_dict())


@pytest.mark.parametrize("mode", ["triangular", "triangular2", "exp_range"])
def test_the_scale_of_a_mode_has_torchs_names(mode: Any) -> None:
    theirs, mine = (m.CyclicLR(target().optimizer, 0.1, 0.5, mode=mode, gamma=0.75) for m in BOTH)
    for x in (1, 2, 5):
        assert mine._scale_fn_ref(x) == mine.scale_fn(x) == theirs._scale_fn_ref(x)
    assert mine._scale_fn_custom is None


@pytest.mark.parametrize("strategy", ["cos", "linear"])
def test_one_cycles_state_of_an_old_torch(strategy: Any) -> None:
    """It held the annealing function itself, or a method bound to the scheduler."""
    saved = []
    for module in BOTH:
        own = target()
        scheduler = module.OneCycleLR(own.optimizer, 0.5, 20, anneal_strategy=strategy)
        advance(own, scheduler, 4)
        state = scheduler.state_dict()
        del state["_anneal_func_type"]
        function = getattr(module.OneCycleLR, f"_annealing_{strategy}")
        saved.append({**state, "anneal_func": function})
    bound = types.MethodType(saved[0]["anneal_func"], object())
    for state in (*saved, {**saved[0], "anneal_func": bound}):
        own, other = target(), target()
        fresh = ours.OneCycleLR(own.optimizer, 0.5, 20)
        theirs = THEIRS.OneCycleLR(other.optimizer, 0.5, 20, anneal_strategy=strategy)
        before = copy.copy(state)
        fresh.load_state_dict(state)
        assert state == before and "anneal_func" not in vars(fresh)
        advance(other, theirs, 4)
        for _ in range(10):
            advance(own, fresh, 1)
            advance(other, theirs, 1)
            np.testing.assert_allclose(numbers(own), numbers(other), rtol=1e-12)


@pytest.mark.parametrize("name", torch.optim.lr_scheduler.__all__)
def test_signatures_are_torchs(name: str) -> None:
    for method in ("__init__", "step", "get_lr", "get_last_lr", "state_dict", "load_state_dict"):
        seen = []
        for module in BOTH:
            own = inspect.signature(getattr(getattr(module, name), method)).parameters.values()
            seen.append([(p.name, p.default, p.kind) for p in own])
        assert seen[0] == seen[1], method


def test_torchs_other_names_are_there() -> None:
    theirs = torch.optim.lr_scheduler
    assert theirs.EPOCH_DEPRECATION_WARNING == ours.EPOCH_DEPRECATION_WARNING
    assert issubclass(ours.StepLR, ours._LRScheduler)
    assert set(theirs.__all__) <= set(ours.__all__)


def of_a_user(base: Any) -> Any:
    """Return a user's class on ``base`` that reads groups, has a closed form and a state_dict."""

    class Warmed(base):  # type: ignore[misc]
        def __init__(self, optimizer: Any, steps: int, last_epoch: int = -1) -> None:
            self.steps, self.seen = steps, [0]
            super().__init__(optimizer, last_epoch)

        def get_lr(self) -> list[Any]:
            self.seen[0] += 1
            groups = self.optimizer.param_groups
            if self.last_epoch == 0 or self.last_epoch > self.steps:
                return [group["lr"] for group in groups]
            return [group["lr"] + group["initial_lr"] / self.steps for group in groups]

        def _get_closed_form_lr(self) -> list[Any]:
            return [base * (1 + self.last_epoch / self.steps) for base in self.base_lrs]

        def state_dict(self) -> dict[str, Any]:
            return {k: v for k, v in self.__dict__.items() if k != "optimizer"}

    return Warmed


@pytest.mark.parametrize("name", ["LRScheduler", "_LRScheduler", "StepLR"])
def test_a_users_class(name: str) -> None:
    own: Any
    if name == "StepLR":  # of another class, whose own attributes it has, too
        kinds = [of_a_user(getattr(module, name)) for module in BOTH]
        pairs = [(own := target(), kind.__new__(kind)) for kind in kinds]
        for (own, scheduler), module in zip(pairs, BOTH, strict=True):
            scheduler.steps, scheduler.seen = 4, [0]
            module.StepLR.__init__(scheduler, own.optimizer, 3)
    else:
        kinds = [of_a_user(getattr(torch.optim.lr_scheduler, name)), of_a_user(getattr(ours, name))]
        pairs = [(own := target(), kind(own.optimizer, 4)) for kind in kinds]
    for t in range(9):
        for own, scheduler in pairs:
            own.step()
            if t == 5:
                with pytest.warns(UserWarning, match="The epoch parameter"):
                    scheduler.step(2)
            else:
                scheduler.step()
        np.testing.assert_allclose(numbers(pairs[1][0]), numbers(pairs[0][0]), rtol=1e-15)
    states = [copy.deepcopy(scheduler.state_dict()) for _, scheduler in pairs]
    assert keys(states[0]) == keys(states[1])
    for (_, scheduler), state in zip(pairs, states[::-1], strict=True):
        scheduler.load_state_dict(state)
        assert scheduler.seen == states[0]["seen"]


def test_a_get_lr_with_an_argument_is_torchs_type_error() -> None:
    texts = []
    for base in (torch.optim.lr_scheduler.LRScheduler, ours.LRScheduler):
        kind = type("Odd", (base,), {"get_lr": lambda self, step: [0.1]})
        with pytest.raises(TypeError, match="missing 1 required positional argument") as caught:
            kind(target().optimizer)
        texts.append(str(caught.value).split("missing")[1])
    assert texts[0] == texts[1]


# --- What torch lets through, and what it refuses ------------------------------------------------


@pytest.mark.parametrize("name", ["OneCycleLR", "CyclicLR"])
def test_beta1_of_torchs_adam_may_be_anything(name: str) -> None:
    """torch's Adam does not look at it before it steps; grilly's does."""
    values: dict[str, Any] = {"base_momentum": 1.0, "max_momentum": 22.0}
    steps = {"total_steps": 30} if name == "OneCycleLR" else {"base_lr": 0.1, "step_size_up": 4}
    pairs = [
        (
            own := TorchTarget("Adam", [{}, {}]),
            getattr(m, name)(own.optimizer, max_lr=0.5, **steps, **values),
        )
        for m in BOTH
    ]
    for _ in range(12):
        got, want = ([group["betas"][0] for group in own.groups] for own, _ in pairs)
        assert got == pytest.approx(want, rel=1e-12)
        for _, scheduler in pairs:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the optimizer makes no step
                scheduler.step()
    assert max(want) > 1
    with pytest.raises(ValueError, match="momenta must be in"):
        getattr(ours, name)(
            optim.Adam([np.ones(3, np.float32)], device="cpu"), max_lr=0.5, **steps, **values
        )


RESUMED: dict[str, Any] = {
    "LambdaLR": (halved,),
    "MultiplicativeLR": (halved,),
    "StepLR": (3,),
    "CosineAnnealingLR": (3,),
    "CosineAnnealingWarmRestarts": (3,),
    "OneCycleLR": (0.1, 10),
    "CyclicLR": (0.1, 0.5),
}
REFUSED: dict[str, Any] = {
    "total steps": lambda m, o: m.OneCycleLR(o, 0.1),
    "epochs alone": lambda m, o: m.OneCycleLR(o, 0.1, epochs=3),
    "pct_start": lambda m, o: m.OneCycleLR(o, 0.1, 10, pct_start=1.1),
    "anneal_strategy": lambda m, o: m.OneCycleLR(o, 0.1, 10, anneal_strategy="x"),
    "no momentum": lambda m, o: m.CyclicLR(torch.optim.Rprop([torch.ones(1)]), 0.1, 0.5),
    "no momentum to cycle": lambda m, o: m.OneCycleLR(torch.optim.Rprop([torch.ones(1)]), 0.1, 10),
    "strategy of swa": lambda m, o: m.SWALR(o, 0.1, anneal_strategy="exponential"),
    "epochs of swa": lambda m, o: m.SWALR(o, 0.1, anneal_epochs=1.7),
    "rates of swa": lambda m, o: m.SWALR(o, [1.0, 0.1, 0.01]),
    "numbers for functions": lambda m, o: m.MultiplicativeLR(o, [0.95, 0.95]),
    "start too high": lambda m, o: m.LinearLR(o, start_factor=1.1),
    "epoch of a sequence": lambda m, o: m.SequentialLR(o, [m.LinearLR(o)], []).step(3),
    "epoch of a chain": lambda m, o: m.ChainedScheduler([m.LinearLR(o)]).step(3),
    "plateau's get_lr": lambda m, o: m.ReduceLROnPlateau(o).get_lr(),
    "the base class": lambda m, o: m.LRScheduler(o),
    "no optimizer": lambda m, o: m.StepLR(3, 3),
    "mode": lambda m, o: m.ReduceLROnPlateau(o, mode="x"),
    "threshold_mode": lambda m, o: m.ReduceLROnPlateau(o, threshold_mode="x"),
    "factor": lambda m, o: m.ReduceLROnPlateau(o, factor=1.0),
    "min_lrs": lambda m, o: m.ReduceLROnPlateau(o, min_lr=[0.1]),
    **{
        f"{name} resumed": lambda m, o, name=name: getattr(m, name)(o, *RESUMED[name], last_epoch=2)
        for name in RESUMED
    },
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_torch_refuses_is_refused_in_its_words(name: str) -> None:
    caught = []
    for module in BOTH:
        with pytest.raises((ValueError, TypeError, KeyError, NotImplementedError)) as error:
            REFUSED[name](module, target().optimizer)
        caught.append((type(error.value), str(error.value).replace("Composite.", "")))
    if caught[0][0] is not NotImplementedError:  # torch says nothing there
        assert caught[0][1].split("() ")[-1] == caught[1][1].split("() ")[-1]
    assert caught[0][0] == caught[1][0]
