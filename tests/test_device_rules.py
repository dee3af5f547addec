"""The rule kernels against the rules in Python: every state, value and target, in every bit."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rule_cases import KINDS, RULES, Case
from rule_runner import run

from grilly import shaders, vk
from grilly.rules import Plateau, packed, words
from grilly.rules.base import metric_of
from grilly.rules.on_device import device_plateau, held_of
from grilly.vk import spirv as vk_spirv

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("nonfinite", words.NONFINITE)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("seed", [1, 2])
@np.errstate(over="ignore")
def test_a_kernel_does_what_the_rules_do(
    device: vk.Device, kind: str, nonfinite: str, dtype: Any, seed: int
) -> None:
    case = Case(kind, nonfinite, dtype, seed)
    moved = [len({row[i]["value"] for row in case.states}) for i in range(RULES)]
    assert sum(count > 2 for count in moved) > RULES // 5
    assert case.differing(device) == 0


@pytest.mark.heavy
@pytest.mark.parametrize("kind", KINDS)
@np.errstate(over="ignore")
def test_a_kernel_does_what_the_rules_do_for_many_more(device: vk.Device, kind: str) -> None:
    for seed in range(100, 120):
        for nonfinite in words.NONFINITE:
            assert Case(kind, nonfinite, np.float64, seed).differing(device) == 0


def test_a_refused_metric_is_told_as_on_the_host(device: vk.Device) -> None:
    rule = Plateau(0.5)
    metrics = np.array([1.0, math.inf, 2.0, math.nan], np.float32)
    packing, course = run(device, [device_plateau(rule, [])], [held_of(rule.start())], metrics, 1)
    held = packed.read_state(packing, 0, course.states[-1])
    assert (held.seen, held.refused, held.counts["best"]) == (2, math.inf, 1.0)
    with pytest.raises(ValueError, match="metrics must be finite, got inf"):
        metric_of(held.refused)


# (kernel, policy, text, what it becomes): each must show
MUTANTS = [
    ("plateau", "count", "f64_less(setting(at + SETTING_PATIENCE), bad)", "false"),
    ("plateau", "count", "better || waits", "better"),
    ("plateau", "count", "f64_mul(before, held(counts + STATE_MEAN))", "F64_ONE"),
    ("plateau", "count", "!f64_less(count, wanted)", "f64_less(wanted, count)"),
    ("plateau", "count", "setting(at + SETTING_COOLDOWN), waiting", "F64_ZERO, waiting"),
    ("greedy", "count", "many == places", "many + 1u == places"),
    ("greedy", "count", "(oldest + many) % places", "many % places"),
    ("greedy", "count", "hold(better ? bad : good, F64_ZERO);", ""),
    ("greedy", "count", "anew = !f64_less(F64_ONE, left)", "anew = false"),
    ("greedy", "count", "if (anew) forget(at, counts);\n  else ", ""),
    ("greedy", "count", "u64_select(over, limit, number)", "number"),
    ("greedy", "count", "if (k == many && at_least)", "if (k == many)"),
    ("greedy", "count", "setting(at + SETTING_RESET_START)", "F64_ONE"),
    ("greedy", "raise", "if (!admitted(at, counts, metric)) return;", ""),
]


@pytest.mark.gpu
@pytest.mark.skipif(not vk.devices(), reason="no Vulkan device")
@pytest.mark.parametrize(("kind", "nonfinite", "text", "planted"), MUTANTS)
@np.errstate(over="ignore")
def test_planted_errors_are_seen(kind: str, nonfinite: str, text: str, planted: str) -> None:
    device = vk.open_device(vk.devices()[-1])  # one: it is the comparison that is tested here
    original = (ROOT / "shaders" / "rule" / f"{kind}.comp").read_text()
    assert original.count(text) == 1
    spirv = vk.compile_glsl(original.replace(text, planted))
    assert Case(kind, nonfinite, np.float64, 1).differing(device, spirv) > 0


@pytest.mark.parametrize("kind", KINDS)
def test_the_kernels_have_no_floating_point(kind: str) -> None:
    code = shaders.spirv(f"rule/{kind}")
    opcodes = {number for number, _ in vk_spirv._instructions(code)}
    assert 21 in opcodes and 22 not in opcodes  # OpTypeInt, OpTypeFloat
