"""The rates of other libraries' schedules as plain formulas, by their names and arguments.

As in foreign_warm, whose Keras and timm are among them; T is how many steps a training has that is
counted in shares.
"""

# ruff: noqa: N801, N802, N803, N805  (names are theirs; a class is a namespace, without a self)

from __future__ import annotations

import math
from bisect import bisect_right
from itertools import pairwise
from typing import Any

from foreign_warm import BASE, Keras, half, line, timm

T = 100.0


class MLX:
    def linear_schedule(t, init, end, steps):
        return line(min(t / steps, 1), init, end)

    def step_decay(t, init, decay_rate, step_size):
        return init * decay_rate ** (t // step_size)

    def exponential_decay(t, init, decay_rate):
        return init * decay_rate**t

    def cosine_decay(t, init, decay_steps, end):
        return line(half(min(t / decay_steps, 1)), end, init)

    def join_schedules(t, schedules, boundaries):
        i = bisect_right(boundaries, t)
        return schedules[i](t - ([0, *boundaries])[i])


class tinygrad:
    def MultiStepLR(t, milestones, gamma):
        return BASE * gamma ** sum(m <= t for m in milestones)

    def CosineAnnealingLR(t, T_max, eta_min):
        return line(half(t / T_max), eta_min, BASE)

    def OneCycleLR(t, max_lr, div_factor, final_div_factor, total_steps, pct_start):
        turn, start = total_steps * pct_start, max_lr / div_factor
        if t < turn:
            return line(t / turn, start, max_lr)
        return line((t - turn) / (total_steps - turn), max_lr, start / final_div_factor)


class burn:
    def StepLr(t, initial_lr, step_size, gamma):
        return initial_lr * gamma ** (t // step_size)

    def ExponentialLr(t, initial_lr, gamma):
        return initial_lr * gamma**t

    def LinearLr(t, initial_lr, final_lr, num_iters):
        return final_lr - (final_lr - initial_lr) / num_iters * max(num_iters - t, 0)

    def CosineAnnealingLr(t, initial_lr, min_lr, num_iters):
        return line(half(t / num_iters), min_lr, initial_lr)

    def NoamLr(t, factor, warmup_steps, model_size):
        k = t + 1
        return factor * model_size**-0.5 * min(k**-0.5, k * warmup_steps**-1.5)


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


class composer:
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
    """ignite's cycles."""
    while t >= size:
        t, size, start, end = t - size, int(size * mult), start * start_mult, end * end_mult
    return line(shape(t / size), end, start)


class ignite:
    def LinearCyclicalScheduler(
        t, start_value, end_value, cycle_size, cycle_mult, start_value_mult, end_value_mult
    ):
        return cycled(t, lambda x: 2 * abs(x - 0.5), start_value, end_value, cycle_size,
                      cycle_mult, start_value_mult, end_value_mult)  # fmt: skip

    def CosineAnnealingScheduler(
        t, start_value, end_value, cycle_size, cycle_mult, start_value_mult, end_value_mult
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
