"""Updates that are left out: weights, states, the optimizer's step and the schedule stay.

The oracle is a plain loop with the numbers of tests/cycle.py, from 50 digits; torch with what its
GradScaler does; and for what scheduler steps count, tests/skipping.py (test_skip_machine.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from cycle import MAX_LR, TOTAL, exact_rows
from plain import F, PlainAdamW, hashed_gradient
from skipping import per_step
from torch_twin import ATOL, RTOL

import grilly
from grilly import optim, vk
from grilly.optim import SGD, AdamW, ParamScheduler
from grilly.optim import lr_scheduler as lrs
from grilly.optim.settling import Begun
from grilly.schedules import Ramp

pytestmark = pytest.mark.turns

SIZE = 70
GOOD = hashed_gradient(SIZE, 1)
# Makes a gradient infinite in every third update, from the second on; else it is ``good``.
POISON = grilly.Kernel(
    """#version 450
layout(local_size_x = 1) in;
layout(std430, binding = 0) buffer Count { float count[]; };
layout(std430, binding = 1) readonly buffer Good { float good[]; };
layout(std430, binding = 2) buffer Grad { float grad[]; };
void main() {
  grad[0] = mod(count[0], 3.0) == 1.0 ? uintBitsToFloat(0x7f800000u) : good[0];
  count[0] += 1.0;
}""",
    host=lambda count, good, grad: poisoned(count, good, grad),
)
EVERY_THIRD = 3


def poisoned(count: Any, good: Any, grad: Any) -> None:
    grad[0] = np.inf if count[0] % EVERY_THIRD == 1 else good[0]
    count[0] += 1


class Training:
    """Parameters of ``place`` with an optimizer that skips updates."""

    def __init__(self, place: str | int, kind: Any = AdamW, **options: Any) -> None:
        self.p = grilly.nn.Parameter(hashed_gradient(SIZE, 0), device=place)
        self.count = grilly.zeros(1, place)
        self.good = grilly.device_array(GOOD, place)
        bad = GOOD.copy()
        bad[SIZE - 1] = np.nan
        self.bad = grilly.device_array(bad, place)
        self.p.grad.copy_from(self.good)
        options = {"lr": 0.1, "skip_nonfinite": True, "device": place} | options
        self.optimizer = kind([self.p], **options)

    def step(self, bad: bool = False) -> None:
        self.p.grad.copy_from(self.bad if bad else self.good)
        self.optimizer.step()

    def poisoned_step(self) -> None:
        POISON([self.count, self.good, self.p.grad], 1)
        self.optimizer.step()


def bad_ones(updates: int) -> list[bool]:
    return [n % EVERY_THIRD == 1 for n in range(updates)]


def looping(bad: list[bool]) -> PlainAdamW:
    """Return the weights after updates, of which the bad ones are left out."""
    loop, rows = PlainAdamW(hashed_gradient(SIZE, 0)), exact_rows(len(bad))
    for k in range(bad.count(False)):
        lr, beta1, new1, d1, d2 = rows[k]
        loop.step(GOOD, lr, beta1, new1, F(0.999), F(1 - 0.999), F(1e-8), F(0.01), d1, d2)
    return loop


@pytest.mark.parametrize("way", ["steps", "one replay", "replays"])
def test_bits_of_a_plain_loop(place: str | int, way: str) -> None:
    own = Training(place)
    scheduler = lrs.OneCycleLR(own.optimizer, MAX_LR, total_steps=TOTAL)
    updates = 303
    if way != "steps":
        with grilly.record() as tape:
            own.poisoned_step()
            scheduler.step()
    for _ in range(updates if way == "steps" else 0):
        own.poisoned_step()
        scheduler.step()
    for times in {"one replay": [updates], "replays": [1, 2, 100, 200]}.get(way, []):
        tape.replay(times)
    bad = bad_ones(updates)
    np.testing.assert_array_equal(own.p.data.numpy(), looping(bad).p)
    made = bad.count(False)
    assert scheduler.last_epoch == made
    assert scheduler._step_count == made + 1
    assert own.optimizer.skipped() == updates - made
    assert own.optimizer.state_dict()["state"][0]["step"] == made
    row = own.optimizer.read_hyperparameters()[0]
    want = exact_rows(made + 1)[made]
    assert [row[n] for n in ("lr", "beta1", "one_minus_beta1", "debias1", "debias2")] == [*want]


def sequence(optimizer: Any) -> Any:
    warm_up = lrs.LinearLR(optimizer, 0.25, total_iters=100)
    return lrs.SequentialLR(optimizer, [warm_up, lrs.ExponentialLR(optimizer, 0.9)], [100])


ALONG: dict[str, Any] = {
    "OneCycleLR": lambda o: lrs.OneCycleLR(o, 0.1, total_steps=1000),
    "CosineAnnealingLR": lambda o: lrs.CosineAnnealingLR(o, 50),
    "ExponentialLR": lambda o: lrs.ExponentialLR(o, 0.99),
    "LambdaLR": lambda o: lrs.LambdaLR(o, lambda t: 1 / (t + 1)),
    "LambdaLR, opaque": lambda o: lrs.LambdaLR(o, per_step),
    "MultiplicativeLR": lambda o: lrs.MultiplicativeLR(o, per_step),
    "SequentialLR": sequence,
    "ParamScheduler": lambda o: ParamScheduler(o, {"lr": Ramp(1.0, 0.0, 1.0, steps=99)}),
}


@pytest.mark.parametrize("name", ALONG)
def test_nobody_waits_until_somebody_looks(device: vk.Device, name: str) -> None:
    """Of what is computed on the device, or asked 256 steps ahead."""
    own = Training(device.info.index)
    scheduler = ALONG[name](own.optimizer)
    with grilly.record() as tape:
        own.optimizer.step()
        scheduler.step()
    for _ in range(3):  # makes what is needed
        own.step()
        scheduler.step()
    scheduler.state_dict()
    tape.replay()
    before = device.counters.waits
    for i in range(20):
        own.step(bad=i % 4 == 1)
        scheduler.step()
    tape.replay(20)
    assert device.counters.waits == before
    assert scheduler.last_epoch == 3 + 1 + 15 + 20
    assert device.counters.waits > before
    before = device.counters.waits
    scheduler.get_last_lr(), scheduler.state_dict(), own.optimizer.param_groups
    assert device.counters.waits == before


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("SGD", "OneCycleLR"),
        ("Adam", "CosineAnnealingLR"),
        ("AdamW", "StepLR"),
        ("AdamW", "ExponentialLR"),
    ],
)
def test_torch_with_a_gradient_scaler(place: str | int, kind: str, name: str) -> None:
    """Which leaves an update out that has found a gradient that is not finite."""
    makes = {
        "OneCycleLR": lambda module, o: module.OneCycleLR(o, 0.1, total_steps=60),
        "CosineAnnealingLR": lambda module, o: module.CosineAnnealingLR(o, 7),
        "StepLR": lambda module, o: module.StepLR(o, 3, 0.5),
        "ExponentialLR": lambda module, o: module.ExponentialLR(o, 0.9),
    }
    options = {"lr": 0.1, **({"momentum": 0.9} if kind == "SGD" else {})}
    own = Training(place, getattr(optim, kind), max_norm=2.0, **options)
    tensor = torch.tensor(hashed_gradient(SIZE, 0), requires_grad=True)
    theirs = getattr(torch.optim, kind)([tensor], **options)
    ours = makes[name](lrs, own.optimizer)
    scheduler = makes[name](torch.optim.lr_scheduler, theirs)
    for i in range(40):
        bad = i % 5 in (0, 3)
        own.step(bad)
        ours.step()
        tensor.grad = torch.tensor(GOOD)
        norm = torch.nn.utils.clip_grad_norm_([tensor], 2.0)
        if not bad:
            theirs.step()
            scheduler.step()
            if i == 21:
                assert own.optimizer.grad_norm() == pytest.approx(float(norm), rel=1e-6)
    np.testing.assert_allclose(own.p.data.numpy(), tensor.detach().numpy(), RTOL, ATOL)
    assert ours.last_epoch == scheduler.last_epoch
    assert ours._step_count == scheduler._step_count
    assert ours.get_last_lr() == pytest.approx(scheduler.get_last_lr(), rel=1e-11)
    state = own.optimizer.state_dict()["state"][0]
    assert state.get("step") == (None if isinstance(own.optimizer, SGD) else 24)


def test_rates_at_every_moment(place: str | int) -> None:
    """Whenever somebody looks, between an update and its scheduler's step, too."""
    for looked in range(12):
        own = Training(place)
        scheduler = lrs.ExponentialLR(own.optimizer, 0.5)
        t = 0
        for i, bad in enumerate([True, False, True, True, False, False]):
            own.step(bad)
            if looked == 2 * i:
                assert scheduler.last_epoch == t
            scheduler.step()
            t += not bad
            if looked == 2 * i + 1:
                assert scheduler.last_epoch == t
                assert own.optimizer.param_groups[0]["lr"] == 0.1 * 0.5**t
        assert scheduler.last_epoch == 3
        assert scheduler.get_last_lr() == [0.1 * 0.5**3]
        assert own.optimizer.read_hyperparameters()["lr"][0] == F(0.1 * 0.5**3)


def test_a_step_per_epoch_counts_if_an_update_was_made(place: str | int) -> None:
    own = Training(place)
    scheduler = lrs.StepLR(own.optimizer, 1, 0.5)
    epochs = [[False, True, False], [True, True], [True, False], [True], [False]]
    for epoch in epochs:
        for bad in epoch:
            own.step(bad)
        scheduler.step()
    assert scheduler.last_epoch == 3
    own.step(bad=True)
    scheduler.step()
    scheduler.step()  # shares its fate
    assert scheduler.last_epoch == 3
    own.step()
    scheduler.step()
    scheduler.step()
    assert scheduler.last_epoch == 5
    assert scheduler.get_last_lr() == [0.1 * 0.5**5]


def test_two_schedulers_of_different_pace(place: str | int) -> None:
    own = Training(place)
    rate = lrs.ExponentialLR(own.optimizer, 0.9)
    decay = ParamScheduler(own.optimizer, {"weight_decay": Ramp(1.0, 0.0, 1.0, steps=10)})
    t, epochs, wanted = 0, 0, []
    for epoch in range(6):
        made = 0
        for i in range(4):
            bad = (epoch + i) % 3 == 0 or epoch == 2
            wanted.append((F(0.1 * 0.9**t), F(epochs / 10)))
            if (epoch, i) in ((3, 1), (5, 3)):
                row = own.optimizer.read_hyperparameters()[0]
                assert (row["lr"], row["weight_decay"]) == wanted[-1]
            own.step(bad)
            rate.step()
            made += not bad
            t += not bad
        decay.step()
        epochs += made > 0
    assert (rate.last_epoch, decay.last_epoch) == (t, epochs)
    row = own.optimizer.read_hyperparameters()[0]
    assert (row["lr"], row["weight_decay"]) == (F(0.1 * 0.9**t), F(epochs / 10))


@pytest.mark.parametrize(
    ("per_round", "between"),
    [(2, "looks"), (3, "looks"), *[(4, w) for w in ("nothing", "edits", "other tapes", "steps")]],
)
def test_a_step_after_m_updates_of_a_tape(place: str | int, per_round: int, between: str) -> None:
    """It takes effect after m that were made, over all replays of the tape."""
    own = Training(place, SGD, lr=1.0)
    scheduler = lrs.StepLR(own.optimizer, 1, 0.5)
    own.p.data.fill_zero()
    ones = grilly.device_array(np.ones(SIZE, F), place)
    own.good.copy_from(ones)
    with grilly.record() as tape:
        for _ in range(per_round):
            own.poisoned_step()
        scheduler.step()
    with grilly.record() as other:
        own.optimizer.step()
        own.optimizer.step()
    own.p.grad.copy_from(ones)
    weight, made, ticks, updates = F(0), 0, 0, 0
    for replay in range(7):
        times = 1 + replay % 3
        tape.replay(times)
        for _ in range(times * per_round):
            if updates % EVERY_THIRD != 1:
                weight -= F(0.5**ticks)
                made += 1
                ticks += made % per_round == 0
            updates += 1
        if between == "looks":
            assert scheduler.last_epoch == ticks
            assert own.optimizer.read_hyperparameters()["lr"][0] == F(0.5**ticks)
        if between == "edits":
            own.optimizer.param_groups[0]["maximize"] = replay % 2 == 0
            own.optimizer.param_groups[0]["maximize"] = False
            own.optimizer.param_groups[0]["dampening"] = replay / 10
        if between in ("other tapes", "steps"):
            own.p.grad.copy_from(ones)
            if between == "other tapes":
                other.replay()
            for _ in range(2 if between == "steps" else 0):
                own.optimizer.step()
            weight -= 2 * F(0.5**ticks)
    assert own.p.data.numpy()[0] == weight
    assert scheduler.last_epoch == ticks
    assert scheduler.get_last_lr() == [0.5**ticks]


@pytest.mark.parametrize("name", ALONG)
def test_an_edit_of_a_group_that_was_taken_before(place: str | int, name: str) -> None:
    """It stands at the next update, however many of those before it turn out to be left out."""
    own = Training(place)
    scheduler = ALONG[name](own.optimizer)
    group = own.optimizer.param_groups[0]
    for bad in (False, False, True, True):
        own.step(bad)
        scheduler.step()
    group["lr"] = 0.025
    group["weight_decay"] = 0.5
    row = own.optimizer.read_hyperparameters()[0]
    assert (row["lr"], row["weight_decay"]) == (F(0.025), F(0.5))
    assert scheduler.last_epoch == 2
    assert group["lr"] == 0.025
    own.step(bad=True)
    scheduler.step()  # does not count: nothing is written over the edit
    own.step(bad=True)
    assert own.optimizer.read_hyperparameters()["lr"][0] == F(0.025)
    own.step()
    scheduler.step()
    assert scheduler.last_epoch == 3


def test_a_setting_that_is_edited_meanwhile(place: str | int) -> None:
    own = Training(place)
    scheduler = lrs.ExponentialLR(own.optimizer, 0.5)
    for bad in (False, True, True):
        own.step(bad)
        scheduler.step()
    scheduler.gamma = 0.25
    own.step()
    scheduler.step()
    assert scheduler.get_last_lr() == [0.1 * 0.5 * 0.25]
    own = Training(place)
    cycle = lrs.OneCycleLR(own.optimizer, 0.1, total_steps=10, anneal_strategy="linear")
    group = own.optimizer.param_groups[0]
    for bad in (False, True, True):
        own.step(bad)
        cycle.step()
    group["max_lr"] = 0.7
    own.step()
    cycle.step()
    assert cycle.get_last_lr() == pytest.approx([0.7])


def test_plateau_on_the_host(place: str | int) -> None:
    own = Training(place)
    scheduler = lrs.ReduceLROnPlateau(own.optimizer, factor=0.5, patience=0)
    for _ in range(3):
        own.step()
        own.step(bad=True)
        scheduler.step(1.0)  # every metric is one
    assert scheduler.last_epoch == 3
    assert own.optimizer.param_groups[0]["lr"] == 0.025
    assert own.optimizer.read_hyperparameters()["lr"][0] == F(0.025)
    assert own.optimizer.state_dict()["state"][0]["step"] == 3


@pytest.mark.parametrize("name", ALONG)
def test_steps_taken_back(name: str) -> None:
    """However far, what follows is what follows without them."""
    for back in (1, 4, 9):
        own, twin = Training("cpu"), Training("cpu")
        scheduler, wanted = ALONG[name](own.optimizer), ALONG[name](twin.optimizer)
        for training, one, steps in ((own, scheduler, 12), (twin, wanted, 12 - back)):
            for _ in range(steps):
                training.step()
                one.step()
        scheduler._leap(-back)
        for _ in range(4):
            assert scheduler.last_epoch == wanted.last_epoch
            assert scheduler.get_last_lr() == pytest.approx(wanted.get_last_lr(), rel=1e-13)
            for training, one in ((own, scheduler), (twin, wanted)):
                training.step()
                one.step()


def test_a_parameter_without_an_update_has_no_state(place: str | int) -> None:
    own = Training(place)
    own.step(bad=True)
    assert own.optimizer.state_dict()["state"] == {}
    own.step(bad=True)
    own.step()
    own.step(bad=True)
    assert own.optimizer.state_dict()["state"][0]["step"] == 1


def test_each_parameter_has_its_own_count(place: str | int) -> None:
    params = [grilly.nn.Parameter(hashed_gradient(5, i), device=place) for i in range(3)]
    good = grilly.device_array(hashed_gradient(5, 9), place)
    bad = grilly.device_array([np.inf] * 5, place)
    optimizer = AdamW(params, skip_nonfinite=True, device=place)
    # A bad gradient of one leaves out the update of all that have one, and of nobody else.
    for grads in ([good, good, None], [good, bad, None], [None, good, good], [None, None, bad]):
        optimizer.step(gradients=grads)
    steps = {i: entry["step"] for i, entry in optimizer.state_dict()["state"].items()}
    assert steps == {0: 1, 1: 2, 2: 1}


def test_preview_names_and_settings(place: str | int) -> None:
    own = Training(place)
    scheduler = lrs.ExponentialLR(own.optimizer, 0.5)
    own.step(bad=True)
    scheduler.step()
    assert scheduler.preview(3)[:, 0].tolist() == [0.1, 0.05, 0.025]
    assert repr(own.optimizer).startswith("AdamW (on ")
    assert type(scheduler).__name__ == "ExponentialLR"
    assert isinstance(own.optimizer, AdamW)
    assert isinstance(scheduler, lrs.ExponentialLR)
    with pytest.raises(AttributeError):
        own.optimizer.skip_nonfinite = False
    assert own.optimizer.skip_nonfinite is True


def test_a_scheduler_that_goes_is_set_right_before(place: str | int) -> None:
    own = Training(place)
    scheduler = lrs.ExponentialLR(own.optimizer, 0.5)
    for bad in (False, True, True):
        own.step(bad)
        scheduler.step()
    del scheduler
    assert own.optimizer.param_groups[0]["lr"] == 0.05
    ramp = ParamScheduler(own.optimizer, {"lr": Ramp(0.1, 0.0, 1.0, steps=10)})
    for bad in (False, True):
        own.step(bad)
        ramp.step()
    ramp.close()
    assert own.optimizer.param_groups[0]["lr"] == pytest.approx(0.01)


def test_products_of_scheduled_betas(place: str | int) -> None:
    """With bias_correction="exact": those of the updates that were made."""
    own = Training(place, bias_correction="exact")
    scheduler = lrs.OneCycleLR(own.optimizer, MAX_LR, total_steps=TOTAL)
    with grilly.record() as tape:
        own.poisoned_step()
        scheduler.step()
    for _ in range(5):
        own.poisoned_step()
        scheduler.step()
    tape.replay(600)
    made = bad_ones(605).count(False)
    assert scheduler.last_epoch == made
    state = own.optimizer.state_dict()["state"][0]
    wanted = np.sum(np.log([float(row[1]) for row in exact_rows(made)]))
    assert np.log(sum(state["beta1_product"])) == pytest.approx(wanted, rel=1e-6)


@pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step")
@pytest.mark.parametrize("pattern", ["uus", "uuus", "usu", "su"])
@pytest.mark.parametrize("skips", [False, True])
def test_products_of_a_tape_with_another_rhythm(
    place: str | int, pattern: str, skips: bool
) -> None:
    """Against the steps by hand, of updates (u) and of the scheduler (s), none of them left out."""
    found = []
    for by_tape in (True, False):
        own = Training(place, bias_correction="exact", skip_nonfinite=skips)
        scheduler = lrs.OneCycleLR(own.optimizer, 0.1, total_steps=50)
        acts = {"u": own.optimizer.step, "s": scheduler.step}
        if by_tape:
            with grilly.record() as tape:
                for act in pattern:
                    acts[act]()
            tape.replay(7)
            tape.replay(2)
        for act in () if by_tape else pattern * 9:
            acts[act]()
        state = own.optimizer.state_dict()["state"][0]
        found.append((own.p.data.numpy(), state["beta1_product"], scheduler.last_epoch))
    np.testing.assert_array_equal(found[0][0], found[1][0])
    assert found[0][1:] == found[1][1:]


@pytest.mark.parametrize("cut", ["before", "after"])
@pytest.mark.parametrize("memory", ["host", "device"])
@pytest.mark.parametrize("bad", [False, True])
def test_ctrl_c_in_an_update(place: str | int, cut: str, memory: str, bad: bool) -> None:
    """It is made or not, and left out or not, whatever was left out before unasked."""
    for interrupted in (True, False):
        own = Training(place)
        if memory == "host":
            own.weights = hashed_gradient(SIZE, 0)
            own.optimizer = AdamW([own.weights], lr=0.1, skip_nonfinite=True, device=place)
        scheduler = lrs.ExponentialLR(own.optimizer, 0.9)
        plan = [False, True, False, True, bad, True, False, False]
        for i, one in enumerate(plan):
            grads = [own.bad if one else own.good]
            if interrupted and i == 4:
                with interrupting(own.optimizer, cut), pytest.raises(KeyboardInterrupt):
                    own.optimizer.step(gradients=grads)
                if cut == "before":
                    own.optimizer.step(gradients=grads)
            else:
                own.optimizer.step(gradients=grads)
            scheduler.step()
        made = plan.count(False)
        assert own.optimizer.skipped() == len(plan) - made
        assert scheduler.last_epoch == made
        assert own.optimizer.state_dict()["state"][0]["step"] == made
        found = own.weights.copy() if memory == "host" else own.p.data.numpy()
        if interrupted:
            first = found
    np.testing.assert_array_equal(first, found)


@contextmanager
def interrupting(optimizer: Any, cut: str) -> Iterator[None]:
    """Let Ctrl-C come before or after the update reaches the device."""
    backend, real = optimizer._backend, optimizer._backend.step

    def step() -> None:
        if cut == "after":
            real()
        raise KeyboardInterrupt

    backend.step = step
    try:
        yield
    finally:
        del backend.step


def again(*_: Any) -> None:
    """Ctrl-C once more; out of exec() of a text Python would end by SIGINT, when all is done."""
    raise KeyboardInterrupt


def test_a_second_ctrl_c_and_then_a_load(place: str | int) -> None:
    """What was not brought back is dropped by a load, and by nothing else."""
    own = Training(place)
    own.weights = hashed_gradient(SIZE, 0)
    own.optimizer = AdamW([own.weights], lr=0.1, skip_nonfinite=True, device=place)
    scheduler = lrs.ExponentialLR(own.optimizer, 0.5)
    saved = own.optimizer.state_dict()
    for one in (False, True):
        own.optimizer.step(gradients=[own.bad if one else own.good])
        scheduler.step()
    optimizer = own.optimizer
    optimizer._settle = again
    with interrupting(optimizer, "after"), pytest.raises(KeyboardInterrupt):
        has = np.ones((1, len(optimizer.all_states)), np.bool_)
        optimizer._update(Begun({0: own.weights}, optimizer._timeline.after(), has))
    del optimizer._settle
    assert optimizer._begun is not None
    assert scheduler.last_epoch == 1
    own.weights[:] = hashed_gradient(SIZE, 0)
    optimizer.load_state_dict(saved)
    np.testing.assert_array_equal(own.weights, hashed_gradient(SIZE, 0))
    assert optimizer.state_dict()["state"] == {}
    optimizer.step(gradients=[own.good])
    scheduler.step()
    assert optimizer.state_dict()["state"][0]["step"] == 1
    assert scheduler.last_epoch == 2
