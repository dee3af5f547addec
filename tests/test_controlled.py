"""Kernels under a control buffer: gradients times a coefficient, and updates that do not count."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cycle import rounded
from mpmath import mp, mpf
from plain import F, PlainAdam, PlainAdamW, PlainSGD, hashed_gradient

from grilly import cpu_kernels, gpu_record, hyper, optim, vk

SIZES = (1003, 1, 0, 4097)  # of the tensors of each group
COEFFICIENTS = (1.0, 0.3, 1e-3, 0.0)
# Name -> options of the two groups of an optimizer; each name is a kernel of its own.
CASES: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "SGD": ("SGD", [{}, {"weight_decay": 0.1, "maximize": True}]),
    "SGD momentum": (
        "SGD",
        [{"momentum": 0.9}, {"momentum": 0.5, "nesterov": True, "weight_decay": 0.1}],
    ),
    "Adam": ("Adam", [{}, {"weight_decay": 0.1, "maximize": True}]),
    "Adam amsgrad": ("Adam", [{"amsgrad": True}, {"weight_decay": 0.1}]),
    "AdamW": ("AdamW", [{}, {"weight_decay": 0.1, "maximize": True}]),
    "AdamW amsgrad": ("AdamW", [{"amsgrad": True}, {"weight_decay": 0.1}]),
}
LR = 1e-2
# The columns that ``numbers`` returns.
SGD = ("lr", "momentum", "fresh", "weight_decay")
ADAM = (
    *("lr", "beta1", "one_minus_beta1", "beta2", "one_minus_beta2"),
    *("eps", "weight_decay", "debias1", "debias2"),
)


class Silent:
    """In place of what examines the gradients: the test writes the control itself."""

    def __init__(self, *arguments: Any) -> None:
        """Take what GpuNorm takes."""

    def record(self, tape: vk.Tape) -> None:
        """Record nothing."""


def controlled(coefficient: float, applied: bool = True) -> Any:
    words = hyper.control()
    words["coefficient"], words["applied"] = coefficient, applied
    return words


def weights() -> list[Any]:
    rng = np.random.default_rng(5)
    return [rng.standard_normal(size).astype(F) for size in SIZES * 2]


def gradients(step: int) -> list[Any]:
    return [hashed_gradient(size, 8 * step + i) for i, size in enumerate(SIZES * 2)]


def made(name: str, place: int, max_norm: float | None = np.inf) -> tuple[Any, list[Any]]:
    kind, options = CASES[name]
    params, n = weights(), len(SIZES)
    groups = [{"params": params[n * i : n * i + n], **given} for i, given in enumerate(options)]
    filled = [{"weight_decay": 0.0, **group} for group in groups]
    return getattr(optim, kind)(filled, lr=LR, max_norm=max_norm, device=place), params


def plain_loops(name: str) -> list[Any]:
    kind, options = CASES[name]
    loops: list[Any] = []
    for i, p in enumerate(weights()):
        given = options[i // len(SIZES)]
        flags = {k: v for k, v in given.items() if isinstance(v, bool)}
        loops.append({"SGD": PlainSGD, "Adam": PlainAdam, "AdamW": PlainAdamW}[kind](p, **flags))
    return loops


def numbers(name: str, group: int, k: int) -> tuple[F, ...]:
    """Return what a plain loop's update ``k`` (from 1) takes after the gradient."""
    kind, options = CASES[name]
    decay = F(options[group].get("weight_decay", 0))
    if kind == "SGD":
        return F(LR), F(options[group].get("momentum", 0)), F(1), decay
    with mp.workdps(50):
        one, two = 1 - mpf(0.9), 1 - mpf(0.999)
        d1, d2 = 1 / (1 - mpf(0.9) ** k), 1 / mp.sqrt(1 - mpf(0.999) ** k)
        new1, new2, debias1, debias2 = map(rounded, (one, two, d1, d2))
    return F(LR), F(0.9), new1, F(0.999), new2, F(1e-8), decay, debias1, debias2


@pytest.mark.parametrize("name", CASES)
def test_bits_of_a_plain_loop(
    device: vk.Device, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Every third update is not applied: neither weights, states nor the cursor see it."""
    monkeypatch.setattr(gpu_record, "GpuNorm", Silent)
    optimizer, params = made(name, device.info.index)
    optimizer.read_hyperparameters()  # makes the control
    loops, k = plain_loops(name), 0
    for step in range(24):
        coefficient, applied = F(COEFFICIENTS[step // 6]), step % 3 != 1
        grads = gradients(step)
        optimizer._backend._control.write(controlled(coefficient, applied))
        if not applied:
            grads[0] = np.full_like(grads[0], np.nan)
        optimizer.step(gradients=grads)
        k += applied
        for i, loop in enumerate(loops):
            if applied:
                loop.step(coefficient * grads[i], *numbers(name, i // len(SIZES), k))
            np.testing.assert_array_equal(params[i], loop.p, f"step {step}, tensor {i}")
        assert optimizer._backend.applied() == k


@pytest.mark.parametrize("name", CASES)
def test_clipping_nothing_is_the_plain_kernel(device: vk.Device, name: str) -> None:
    plain, wanted = made(name, device.info.index, None)
    optimizer, params = made(name, device.info.index, np.inf)
    for step in range(300):  # past a refill
        grads = gradients(step)
        optimizer.step(gradients=grads)
        plain.step(gradients=grads)
    assert optimizer._timeline.control is not None
    assert plain._timeline.control is None
    for p, want in zip(params, wanted, strict=True):
        np.testing.assert_array_equal(p, want)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("coefficient", COEFFICIENTS)
def test_numpy_updates_by_the_product(name: str, coefficient: float) -> None:
    kind = CASES[name][0]
    kernel = cpu_kernels.KERNELS[kind]
    loops = plain_loops(name)
    loop, p = loops[4], weights()[4]
    states = numpy_states(loop, p)
    scratch = np.full((kernel.scratch + 1, p.size), np.nan, F)
    for k in range(1, 5):
        grad = gradients(k)[4]
        before = grad.copy()
        h = kernel.numbers(numpy_row(name, numbers(name, 1, k)))
        cpu_kernels.controlled(kernel, F(coefficient), h, scratch, p, grad, *states)
        np.testing.assert_array_equal(grad, before)
        loop.step(F(coefficient) * grad, *numbers(name, 1, k))
        np.testing.assert_array_equal(p, loop.p)
    for state, want in zip(states, states_of(loop), strict=False):
        np.testing.assert_array_equal(state, want)


def states_of(loop: Any) -> list[Any]:
    """Return the states that its options use."""
    if isinstance(loop, PlainSGD):
        return [] if loop.buffer is None else [loop.buffer]
    return [loop.m, loop.v, loop.largest][: 2 + loop.amsgrad]


def numpy_states(loop: Any, p: Any) -> list[Any]:
    if isinstance(loop, PlainSGD):
        return [np.zeros_like(p)]
    return [np.zeros_like(p) for _ in range(3)]


def numpy_row(name: str, given: tuple[F, ...]) -> Any:
    """Return the table's lane of the second group."""
    kind, options = CASES[name]
    row = np.zeros(1, hyper.dtype(kind))
    for column, value in zip(SGD if kind == "SGD" else ADAM, given, strict=True):
        row[column] = value
    for flag in {"nesterov", "maximize", "amsgrad"} & set(hyper.COLUMNS[kind]):
        row[flag] = options[1].get(flag, False)
    return row[0]
