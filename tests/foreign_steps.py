"""The rates of schedules that count steps as plain formulas, by their names and arguments.

They are written from the libraries' rules (versions: tests/golden), for one step at a time, with
a base rate of 0.1.
"""

# ruff: noqa: N801, N802, N803, N805  (names are theirs; a class is a namespace, without a self)

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right

BASE = 0.1


def half(x: float) -> float:
    return (1.0 + math.cos(math.pi * x)) / 2.0


def line(x: float, start: float, end: float) -> float:
    return start + (end - start) * x


class Keras:
    def ExponentialDecay(t, initial_learning_rate, decay_steps, decay_rate, staircase=False):
        p = t / decay_steps
        return initial_learning_rate * decay_rate ** (math.floor(p) if staircase else p)

    def InverseTimeDecay(t, initial_learning_rate, decay_steps, decay_rate, staircase=False):
        p = t / decay_steps
        return initial_learning_rate / (1 + decay_rate * (math.floor(p) if staircase else p))

    def PiecewiseConstantDecay(t, boundaries, values):
        return values[bisect_left(boundaries, t)]

    def PolynomialDecay(
        t, initial_learning_rate, decay_steps, end_learning_rate=1e-4, power=1.0, cycle=False
    ):
        if cycle:
            decay_steps *= max(math.ceil(t / decay_steps), 1)
        left = (1 - min(t, decay_steps) / decay_steps) ** power
        return (initial_learning_rate - end_learning_rate) * left + end_learning_rate

    def CosineDecay(
        t, initial_learning_rate, decay_steps, alpha=0.0, warmup_target=None, warmup_steps=0
    ):
        if t < warmup_steps:
            return line(t / warmup_steps, initial_learning_rate, warmup_target)
        peak = warmup_target or initial_learning_rate
        return peak * line(half(min((t - warmup_steps) / decay_steps, 1)), alpha, 1.0)

    def CosineDecayRestarts(t, initial_learning_rate, first_decay_steps, t_mul, m_mul, alpha=0.0):
        length, height = first_decay_steps, 1.0
        while t >= length:
            t, length, height = t - length, length * t_mul, height * m_mul
        return initial_learning_rate * ((1 - alpha) * height * half(t / length) + alpha)


def warmed(t, curve, warmup_t=0, warmup_lr_init=0.0, warmup_prefix=False, target=BASE):
    """timm's warm-up of a curve."""
    if t < warmup_t:
        return line(t / warmup_t, warmup_lr_init, target)
    return curve(t - warmup_t if warmup_prefix else t)


class timm:
    def CosineLRScheduler(
        t, t_initial, lr_min=0.0, cycle_mul=1, cycle_decay=1.0, cycle_limit=1, **warm_up
    ):
        def curve(t):
            length, high = t_initial, BASE
            for _ in range(cycle_limit):
                if t < length:
                    return line(half(t / length), lr_min, high)
                t, length, high = t - length, length * cycle_mul, high * cycle_decay
            return lr_min

        return warmed(t, curve, **warm_up)

    def StepLRScheduler(t, decay_t, decay_rate, steps_per_epoch=1, warmup_t=0):
        t //= steps_per_epoch
        return warmed(t, lambda t: BASE * decay_rate ** (t // decay_t), warmup_t, 0.0, True)

    def MultiStepLRScheduler(t, decay_t, decay_rate, warmup_t):
        def curve(t):
            return BASE * decay_rate ** bisect_right(decay_t, t + 1)

        return warmed(t, curve, warmup_t, 0.0, True)

    def PolyLRScheduler(t, t_initial, power, lr_min, k_decay):
        left = 1 - t**k_decay / t_initial**k_decay
        return lr_min + (BASE - lr_min) * left**power if t < t_initial else lr_min

    def TanhLRScheduler(t, t_initial, lr_min, warmup_t, warmup_prefix=False):
        def curve(t):
            x = line(t / t_initial, -7.0, 3.0)
            return lr_min + (BASE - lr_min) * (1 - math.tanh(x)) / 2 if t < t_initial else lr_min

        target = BASE if warmup_prefix else curve(warmup_t)
        return warmed(t, curve, warmup_t, 0.0, warmup_prefix, target)

    def WSDLRScheduler(t, t_initial, decay_t, warmup_t, lr_min=0.0, stable_fn="constant"):
        def curve(t):
            stable = BASE * (1 + t / warmup_t) ** (-0.5 if stable_fn == "rsqrt" else 0)
            gone = min(max(t - (t_initial - decay_t), 0) / decay_t, 1)
            return line(1 - math.sqrt(gone), lr_min, max(stable, lr_min))

        return warmed(t, curve, warmup_t, 0.0, True)


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
