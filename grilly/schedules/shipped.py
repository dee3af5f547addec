"""The structures whose shaders are printed to shaders/schedule/ and shipped as SPIR-V."""

from __future__ import annotations

from dataclasses import replace

from . import hugging_face, optax_names
from .anneal import CosineDecay, CosineRestarts, PowerDecay, RatioDecay, SqrtDecay, Tanh, Triangle
from .base import Constant, Sampled, Schedule
from .compose import Product
from .corrections import Counted, Debias1, Debias2, Fresh, OneMinus
from .cosine import Cosine, EditedCosine, WarmRestarts
from .cycles import STARTS, Cycles
from .cyclic import Cyclic
from .decays import Exponential, Geometric, InversePower, InverseSqrt, InverseTime, Noam
from .interpolate import Interpolate
from .linear import Linear, PolynomialDecay, RangeTest
from .one_cycle import OneCycle
from .phase import SHAPES
from .ramps import EditedRamp, Held, Polynomial, Ramp
from .recipes import DECAYS, RISES, warmup_stable_decay
from .steps import PLACES, MultiStep, PiecewiseConstant, StepDecay
from .warm_up import WarmUp

Formula = Schedule | Debias1 | Debias2 | Fresh | Counted

_CYCLES: dict[str, Schedule] = {
    f"one_cycle_{anneal}{phases}": OneCycle(
        tuple(map(float, range(1, phases + 1))), (0.5,) * (phases + 1), anneal
    )
    for anneal in ("cos", "linear")
    for phases in (2, 3)
}
_CYCLES |= {
    f"cyclic_{mode}": Cyclic(0.5, 0.5, 1.0, 1.0, mode, 0.5)
    for mode in ("triangular", "triangular2", "exp_range")
}

_DECAYS: dict[str, Schedule] = {
    "exponential": Exponential(0.5, 0.5, 1.0, 1.0),
    "exponential_stair": Exponential(0.5, 0.5, 1.0, 1.0, staircase=True),
    "exponential_to": Exponential(0.5, 0.5, 1.0, 1.0, end=0.5),
    "exponential_stair_to": Exponential(0.5, 0.5, 1.0, 1.0, staircase=True, end=0.5),
    "geometric": Geometric(0.5, 0.5, 1.0, 1.0),
    "inverse_time": InverseTime(0.5, 0.5, 1.0, begin=1.0),
    "inverse_time_stair": InverseTime(0.5, 0.5, 1.0, staircase=True, begin=1.0),
    "inverse_sqrt": InverseSqrt(0.5, 1.0, 1.0),
    "inverse_power": InversePower(0.5, 1.0, 0.5, 1.0),
    "noam": Noam(0.5, 1.0, 1.0),
    "linear": Linear(0.5, 0.5, 1.0, 1.0),
    "range_test": RangeTest(0.5, 0.5, 1.0),
    "range_test_stair": RangeTest(0.5, 0.5, 1.0, staircase=True),
    "polynomial_decay": PolynomialDecay(0.5, 0.5, 1.0, 1.0, 1.0),
    "polynomial_decay_cycle": PolynomialDecay(0.5, 0.5, 1.0, 1.0, 1.0, cycle=True),
    "polynomial_decay_k": PolynomialDecay(0.5, 0.5, 1.0, 1.0, 1.0, k_decay=1.0),
    "polynomial_decay_cycle_k": PolynomialDecay(0.5, 0.5, 1.0, 1.0, 1.0, True, k_decay=1.0),
}
_DECAYS |= {
    f"warm_up_{shape.replace('1-', 'one_minus_')}": WarmUp(
        Constant(0.5), 1.0, 0.5, shape=shape, first=1.0
    )
    for shape in SHAPES
}

# For each number of places in a list, a structure.
_LISTS: dict[str, Schedule] = {}
for _n in PLACES:
    _steps, _values = tuple(map(float, range(1, _n + 1))), (0.5,) * _n
    _LISTS |= {f"multi_step_{_n}": MultiStep(0.5, _steps, 0.5, 1.0)}
    for _owner in ("new", "old"):
        _piecewise = PiecewiseConstant(_steps[:-1], _values, _owner, 1.0)
        _LISTS[f"piecewise_constant_{_owner}_{_n}"] = _piecewise
    for _how in ("linear", "cosine"):
        _LISTS[f"interpolate_{_how}_{_n}"] = Interpolate(_steps[:-1], _values[:-1], _how)

ANNEALED: dict[str, Schedule] = {
    "triangle": Triangle(0.5, 0.5, 1.0),
    "sqrt_decay": SqrtDecay(0.5, 0.5, 1.0),
    "power_decay": PowerDecay(0.5, 0.5, 1.0),
    "ratio_decay": RatioDecay(0.5, 0.5, 1.0),
    "tanh": Tanh(0.5, 0.5, 1.0),
    "cosine_decay": CosineDecay(0.5, 0.5, 1.0),
    "cosine_decay_exponent": CosineDecay(0.5, 0.5, 1.0, exponent=2.0),
    "cosine_decay_k": CosineDecay(0.5, 0.5, 1.0, k_decay=2.0),
    "cosine_decay_exponent_k": CosineDecay(0.5, 0.5, 1.0, exponent=2.0, k_decay=2.0),
    "cosine_waves": CosineDecay(0.5, 0.5, 1.0, clamped=False),
    "cosine_waves_exponent": CosineDecay(0.5, 0.5, 1.0, exponent=2.0, clamped=False),
    "cosine_restarts": CosineRestarts(0.5, 0.5, 1.0),
}
# The usual ones after a linear warm-up.
_WARMED: dict[str, WarmUp] = {
    f"warm_up_of_{name}": WarmUp(schedule, 1.0, 0.5, first=1.0)
    for name, schedule in (
        ("linear", _DECAYS["linear"]),
        ("exponential", _DECAYS["exponential"]),
        ("polynomial_decay", _DECAYS["polynomial_decay"]),
        ("inverse_sqrt", _DECAYS["inverse_sqrt"]),
        ("multi_step", _LISTS[f"multi_step_{PLACES[0]}"]),
        ("cosine", Cosine(0.5, 0.5, 1.0)),
        ("cosine_decay", ANNEALED["cosine_decay"]),
        ("step_decay", StepDecay(0.5, 1.0, 0.5, 1.0)),
    )
}
# As by default in timm.
_WARMED |= {
    f"{name}_unshifted": replace(_WARMED[name], shifted=False)
    for name in ("warm_up_of_cosine_decay", "warm_up_of_step_decay")
}
_CYCLED: dict[str, Schedule] = {
    "linear": Linear(0.5, 0.5, 1.0),
    "polynomial_decay": PolynomialDecay(0.5, 0.5, 1.0),
    "polynomial_decay_k": PolynomialDecay(0.5, 0.5, 1.0, k_decay=2.0),
    **{name: ANNEALED[name] for name in ("triangle", "tanh", "cosine_decay", "cosine_decay_k")},
}
CYCLES: dict[str, Schedule] = {
    f"cycles_{name}_{kind}": Cycles(cycle, starts)
    for name, cycle in _CYCLED.items()
    for kind, starts in (("equal", ()), ("stretched", (0.0,) * STARTS))
}
WARM_UPS: dict[str, Schedule] = {
    f"stable_{rise}_{decay}".replace("1-sqrt", "sqrt"): warmup_stable_decay(
        0.5, 1.0, 1.0, 1.0, warmup_shape=rise, decay_shape=decay
    )
    for rise in RISES
    for decay in DECAYS
}

# Hugging Face's, as LambdaLR has them: times a group's rate.
HUGGING_FACE: dict[str, Schedule] = {
    "constant_with_warmup": hugging_face.constant_with_warmup(1),
    "linear": hugging_face.linear(1, 2),
    "cosine": hugging_face.cosine(1, 2),
    "cosine_with_restarts": hugging_face.cosine_with_restarts(1, 2),
    "polynomial": hugging_face.polynomial(1, 2, default_lr=0.5),
    "inverse_sqrt": hugging_face.inverse_sqrt(1),
    "cosine_warmup_with_min_lr": hugging_face.cosine_warmup_with_min_lr(1, 2, min_lr_rate=0.5),
}
HUGGING_FACE |= {
    f"warmup_stable_decay_{rise}_{fall}".replace("1-sqrt", "sqrt"): (
        hugging_face.warmup_stable_decay(1, 1, 3, warmup_type=rise, decay_type=fall)
    )
    for rise in RISES
    for fall in RISES
}
HUGGING_FACE = {f"hf_{name}": Product((Constant(0.5), own)) for name, own in HUGGING_FACE.items()}
OPTAX: dict[str, Schedule] = {
    "optax_cosine": optax_names.warmup_cosine_decay_schedule(0.5, 0.5, 1, 2),
    "optax_cosine_exponent": optax_names.warmup_cosine_decay_schedule(0.5, 0.5, 1, 2, exponent=2.0),
}
OPTAX |= {
    "optax_exponential" + "_stair" * stair + "_to" * (end is not None): (
        optax_names.warmup_exponential_decay_schedule(0.5, 0.5, 1, 1, 0.5, 1, stair, end)
    )
    for stair in (False, True)
    for end in (None, 0.5)
}

# Steps of the host's values that go to the device at once.
WINDOW = 256

# Numbers are no part of a structure, so any will do here.
SHIPPED: dict[str, Formula] = {
    "constant": Constant(0.5),
    "debias1": Debias1(Constant(0.5)),
    "debias2": Debias2(Constant(0.5)),
    "step_decay": StepDecay(0.5, 1.0, 0.5, 1.0),
    "cosine": Cosine(0.5, 0.5, 1.0),
    "edited_cosine": EditedCosine(0.5, 0.5, 1.0, 0.5, 1.0, 0.5, 1.0),
    "held": Held(0.5, 0.5, 1.0, 0.5),
    "ramp": Ramp(0.5, 0.5, 0.5, 1.0),
    "edited_ramp": EditedRamp(0.5, 0.5, 0.5, 1.0, 1.0),
    "polynomial": Polynomial(0.5, 1.0, 1.0, 1.0),
    "warm_restarts": WarmRestarts(0.5, 0.5, 1.0, 1.0),
    "fresh": Fresh(Constant(0.5)),
    "sampled": Sampled(0.0, (0.5,) * WINDOW),
    **_DECAYS,
    **_LISTS,
    **_WARMED,
    **ANNEALED,
    **CYCLES,
    **WARM_UPS,
    **HUGGING_FACE,
    **OPTAX,
    "counted": Counted(0.0, (0.5,) * WINDOW),
    **_CYCLES,
    **{f"one_minus_{name}": OneMinus(cycle) for name, cycle in _CYCLES.items()},
    **{f"debias1_{name}": Debias1(cycle) for name, cycle in _CYCLES.items()},
}
