"""Which structures start a compiler: never those of built-in classes, others once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from child import says

from grilly import vk

# Every class of torch's that has formulas, on an optimizer whose momentum or beta1 it may cycle.
BUILT_IN = """
import numpy as np
from grilly import gpu_record
from grilly.optim import SGD, AdamW, lr_scheduler as s
from grilly.program import program
from grilly.schedules import SHIPPED

makes = [
    lambda o: s.StepLR(o, 2), lambda o: s.MultiStepLR(o, range(1, 30)), s.ConstantLR, s.LinearLR,
    lambda o: s.ExponentialLR(o, 0.9), s.PolynomialLR, lambda o: s.CosineAnnealingLR(o, 5),
    lambda o: s.CosineAnnealingWarmRestarts(o, 2, 2), lambda o: s.OneCycleLR(o, 0.1, 9),
    lambda o: s.OneCycleLR(o, 0.1, 9, anneal_strategy="linear", three_phase=True),
    *(lambda o, m=m: s.CyclicLR(o, 0.1, 0.2, 3, mode=m) for m in ("triangular", "triangular2")),
    lambda o: s.CyclicLR(o, 0.1, 0.2, 3, mode="exp_range", gamma=0.9),
    lambda o: s.MultiplicativeLR(o, lambda t: 0.9), s.ReduceLROnPlateau,
    lambda o: s.SequentialLR(o, [s.LinearLR(o), s.ExponentialLR(o, 0.9)], [2]),
]
for i, make in enumerate(makes):
    weights = np.ones(4, np.float32)
    own = AdamW([weights], device=DEVICE) if i % 2 else SGD([weights], momentum=0.9, device=DEVICE)
    scheduler = make(own)
    metric = [1.0] if isinstance(scheduler, s.ReduceLROnPlateau) else []
    for step in range(5):
        own.step(gradients=[weights])
        if step == 3:  # an edit by hand has formulas of its own
            own.param_groups[0]["lr"] *= 2
        scheduler.step(*metric)
# A schedule that is given to a ParamScheduler is one of these structures.
for formula in SHIPPED.values():
    gpu_record.spirv(program(formula).structure)
print(len(makes))
"""


def test_built_in_classes_start_no_compiler(any_device: vk.Device, tmp_path: Path) -> None:
    """There is none that could be started, and nothing in the cache."""
    code = BUILT_IN.replace("DEVICE", str(any_device.info.index))
    cache, none = str(tmp_path / "cache"), str(tmp_path / "no-compiler")
    done = says(code, timeout=300, GRILLY_CACHE=cache, GRILLY_GLSLANG=none)
    assert int(done) == 16


COMPOSED = """
import numpy as np
from grilly.optim import AdamW, ParamScheduler
from grilly.schedules import Cosine, Ramp, join, parse
weights = np.ones(4, np.float32)
optimizer = AdamW([weights], device=DEVICE)
later = 0.5 * Cosine(0.2, 0.0, 100) + parse("0.01 * sqrt(t + 1)")
rate = join([Ramp(0.1, 0.0, 1.0, 5), later], [5])
scheduler = ParamScheduler(optimizer, {"lr": rate, "beta1": Cosine(0.95, 0.85, 100)})
for _ in range(3):
    optimizer.step(gradients=[weights])
    scheduler.step()
print(weights.tolist())
"""


@pytest.mark.skipif(shutil.which("glslangValidator") is None, reason="no glslangValidator on PATH")
def test_a_composition_is_compiled_once(any_device: vk.Device, tmp_path: Path) -> None:
    """The next process finds it in the cache: its compiler is not even probed."""
    log, compiler = tmp_path / "log", tmp_path / "glslangValidator"
    real = shutil.which("glslangValidator")
    compiler.write_text(f'#!/bin/sh\necho run >>"{log}"\nexec "{real}" "$@"\n')
    compiler.chmod(0o755)
    code = COMPOSED.replace("DEVICE", str(any_device.info.index))
    places = {"GRILLY_CACHE": str(tmp_path / "cache"), "GRILLY_GLSLANG": str(compiler)}
    first = says(code, **places)
    runs = log.read_text().count("run")
    assert runs >= 3  # the rate, 1 - beta1 and its bias correction
    assert says(code, **places) == first
    assert log.read_text().count("run") == runs
