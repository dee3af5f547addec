"""The structures whose shaders are printed to shaders/schedule/ and shipped as SPIR-V."""

from __future__ import annotations

from .base import Constant, Sampled, Schedule
from .corrections import Counted, Debias1, Debias2, Fresh, OneMinus
from .cosine import Cosine, EditedCosine, WarmRestarts
from .cyclic import Cyclic
from .one_cycle import OneCycle
from .ramps import EditedRamp, Held, Polynomial, Ramp
from .steps import MultiStep, StepDecay

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
    "multi_step": MultiStep(0.5, tuple(map(float, range(1, 9))), 0.5),
    "held": Held(0.5, 0.5, 1.0, 0.5),
    "ramp": Ramp(0.5, 0.5, 0.5, 1.0),
    "edited_ramp": EditedRamp(0.5, 0.5, 0.5, 1.0, 1.0),
    "polynomial": Polynomial(0.5, 1.0, 1.0, 1.0),
    "warm_restarts": WarmRestarts(0.5, 0.5, 1.0, 1.0),
    "fresh": Fresh(Constant(0.5)),
    "sampled": Sampled(0.0, (0.5,) * WINDOW),
    "counted": Counted(0.0, (0.5,) * WINDOW),
    **_CYCLES,
    **{f"one_minus_{name}": OneMinus(cycle) for name, cycle in _CYCLES.items()},
    **{f"debias1_{name}": Debias1(cycle) for name, cycle in _CYCLES.items()},
}
