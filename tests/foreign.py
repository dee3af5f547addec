"""The rates of other libraries' schedules as plain formulas, by their names and arguments.

These are the libraries that count shares of a training, which has T steps, cycles or samples; those
that count steps are in foreign_steps.
"""

# ruff: noqa: N801, N802, N805  (names are theirs; a class is a namespace, without a self)

from __future__ import annotations

import math
from bisect import bisect_right
from itertools import pairwise
from typing import Any

from foreign_steps import BASE, MLX, Keras, burn, half, line, timm, tinygrad

T = 100.0


class fastai:
    def SchedLin(t, start, end):
        return line(min(t / T, 1), start, end)

    def SchedCos(t, start, end):
        return line(half(min(t / T, 1)), end, start)

    def SchedExp(t, start, end):
        return start * (end / start) ** min(t / T, 1)

    def SchedPoly(t, start, end, power):
        return start + (end - start) * min(t / T, 1) ** power

    def combined_cos(t, pct, start, middle, end):
        pos = min(t / T, 1)
        if pos < pct:
            return line(half(pos / pct), middle, start)
        return line(half((pos - pct) / (1 - pct)), end, middle)

    def fit_flat_cos(t, lr, div_final, pct_start):
        gone = max(min(t / T, 1) - pct_start, 0) / (1 - pct_start)
        return line(half(gone), lr / div_final, lr)

    def fit_sgdr(t, n_cycles, cycle_len, lr_max, cycle_mult):
        for i in range(n_cycles):
            length = cycle_len * cycle_mult**i
            if t < length:
                return lr_max * half(t / length)
            t -= length
        return 0.0

    def LRFinder(t, start_lr, end_lr, num_it):
        return start_lr * (end_lr / start_lr) ** min(t / num_it, 1)


class composer:
    def ConstantScheduler(t, alpha, t_max):
        return BASE * (alpha if t < t_max else 1)

    def MultiStepScheduler(t, milestones, gamma):
        return BASE * gamma ** bisect_right(milestones, t)

    def ExponentialScheduler(t, gamma, decay_period):
        return BASE * gamma ** (t / decay_period)

    def PolynomialScheduler(t, power, t_max, alpha_f):
        return BASE * line((1 - t / t_max) ** power, alpha_f, 1)

    def CosineAnnealingWarmRestartsScheduler(t, t_0, t_mult, alpha_f):
        return BASE * cycled(t, half, 1, alpha_f, t_0, t_mult, 1, 1)

    def ConstantWithWarmupScheduler(t, t_warmup):
        return BASE * min(t / t_warmup, 1)

    def StepScheduler(t, step_size, gamma):
        return BASE * gamma ** (t // step_size)

    def LinearScheduler(t, alpha_i, alpha_f, t_max):
        return BASE * line(min(t / t_max, 1), alpha_i, alpha_f)

    def CosineAnnealingScheduler(t, t_max, alpha_f):
        return BASE * line(half(min(t / t_max, 1)), alpha_f, 1)

    def LinearWithWarmupScheduler(t, t_warmup, t_max):
        return BASE * min(t / t_warmup, max(1 - (t - t_warmup) / (t_max - t_warmup), 0))

    def CosineAnnealingWithWarmupScheduler(t, t_warmup, t_max, alpha_f):
        if t < t_warmup:
            return BASE * t / t_warmup
        return BASE * line(half(min((t - t_warmup) / (t_max - t_warmup), 1)), alpha_f, 1)

    def MultiStepWithWarmupScheduler(t, t_warmup, milestones, gamma):
        return BASE * (t / t_warmup if t < t_warmup else gamma ** bisect_right(milestones, t))


def cycled(t, shape, start, end, size, mult, start_mult, end_mult):
    """Cycles whose length is whole, as ignite's."""
    while t >= size:
        t, size, start, end = t - size, int(size * mult), start * start_mult, end * end_mult
    return line(shape(t / size), end, start)


class ignite:
    def LinearCyclicalScheduler(
        t, start_value, end_value, cycle_size, cycle_mult=1, start_value_mult=1, end_value_mult=1
    ):
        return cycled(t, lambda x: 2 * abs(x - 0.5), start_value, end_value, cycle_size,
                      cycle_mult, start_value_mult, end_value_mult)  # fmt: skip

    def CosineAnnealingScheduler(
        t, start_value, end_value, cycle_size, cycle_mult=1, start_value_mult=1, end_value_mult=1
    ):
        return cycled(t, half, start_value, end_value, cycle_size,
                      cycle_mult, start_value_mult, end_value_mult)  # fmt: skip

    def PiecewiseLinear(t, milestones_values):
        first, last = milestones_values[0], milestones_values[-1]
        for left, right in pairwise(milestones_values):
            if left[0] <= t < right[0]:
                return line((t - left[0]) / (right[0] - left[0]), left[1], right[1])
        return first[1] if t < first[0] else last[1]


class fvcore:
    def LinearParamScheduler(t, start_value, end_value):
        return line(min(t / T, 1), start_value, end_value)

    def CosineParamScheduler(t, start_value, end_value):
        return line(half(min(t / T, 1)), end_value, start_value)

    def ExponentialParamScheduler(t, start_value, decay):
        return start_value * decay ** (t / T)

    def PolynomialDecayParamScheduler(t, base_value, power):
        return base_value * (1 - min(t / T, 1)) ** power

    def MultiStepParamScheduler(t, values, milestones, num_updates):
        return values[bisect_right(milestones, int((t / T + 1e-6) * num_updates))]


class DeepSpeed:
    def LRRangeTest(t, lr_range_test_min_lr, lr_range_test_step_size, lr_range_test_step_rate):
        return lr_range_test_min_lr * (1 + lr_range_test_step_rate * t / lr_range_test_step_size)

    def WarmupLR(t, warmup_min_lr, warmup_max_lr, warmup_num_steps):
        gone = math.log(t + 1) / math.log(warmup_num_steps) if t < warmup_num_steps else 1
        return line(gone, warmup_min_lr, warmup_max_lr)

    def WarmupDecayLR(t, total_num_steps, warmup_min_lr, warmup_max_lr, warmup_num_steps):
        if t < warmup_num_steps:
            return DeepSpeed.WarmupLR(t, warmup_min_lr, warmup_max_lr, warmup_num_steps)
        left = max(0, (total_num_steps - t) / (total_num_steps - warmup_num_steps))
        return line(left, warmup_min_lr, warmup_max_lr)

    def WarmupCosineLR(t, total_num_steps, warmup_min_ratio, warmup_num_steps, cos_min_ratio):
        if t < warmup_num_steps:
            return DeepSpeed.WarmupLR(t, BASE * warmup_min_ratio, BASE, warmup_num_steps)
        gone = (t - warmup_num_steps + 1) / (total_num_steps - warmup_num_steps)
        return BASE * line(half(min(gone, 1)), cos_min_ratio, 1)

    def OneCycle(
        t, cycle_min_lr, cycle_max_lr, cycle_first_step_size, cycle_second_step_size,
        decay_step_size, decay_lr_rate,
    ):  # fmt: skip
        end = cycle_first_step_size + cycle_second_step_size
        if t > end:
            return cycle_min_lr / (1 + decay_lr_rate * (t - end) / decay_step_size)
        up, down = t / cycle_first_step_size, (end - t) / cycle_second_step_size
        return line(min(up, down), cycle_min_lr, cycle_max_lr)


def megatron(t, decayed, max_lr, min_lr, init_lr, lr_warmup_steps, lr_decay_steps):
    if t <= lr_warmup_steps:
        return line(t / lr_warmup_steps, init_lr, max_lr)
    return decayed(t) if t <= lr_decay_steps else min_lr


class Megatron:
    def constant(t, **a):
        return megatron(t, lambda t: a["max_lr"], **a)

    def linear(t, **a):
        gone = (t - a["lr_warmup_steps"]) / (a["lr_decay_steps"] - a["lr_warmup_steps"])
        return megatron(t, lambda t: line(gone, a["max_lr"], a["min_lr"]), **a)

    def cosine(t, **a):
        gone = (t - a["lr_warmup_steps"]) / (a["lr_decay_steps"] - a["lr_warmup_steps"])
        return megatron(t, lambda t: line(half(gone), a["min_lr"], a["max_lr"]), **a)

    def inverse_square_root(t, **a):
        def decayed(t):
            return max(a["min_lr"], a["max_lr"] * math.sqrt(a["lr_warmup_steps"] / t))

        return megatron(t, decayed, **a)

    def WSD(t, wsd_decay_steps, **a):
        def decayed(t):
            gone = max(t - (a["lr_decay_steps"] - wsd_decay_steps), 0) / wsd_decay_steps
            return line(2 * 0.5**gone - 1, a["min_lr"], a["max_lr"])

        return megatron(t, decayed, **a)

    def get_wd(t, start_wd, end_wd, wd_incr_steps):
        return line(min(t / wd_incr_steps, 1), start_wd, end_wd)


_ALL = (Keras, timm, MLX, tinygrad, burn, fastai, composer, ignite, fvcore, DeepSpeed, Megatron)
LIBRARIES: dict[str, Any] = {made.__name__: made for made in _ALL}
