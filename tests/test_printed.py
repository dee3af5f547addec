"""Printed shaders: what is committed is what Python prints, and it computes with integers only."""

from __future__ import annotations

import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grilly import shaders
from grilly.schedules import SHIPPED
from grilly.vk import spirv

ROOT = Path(__file__).parents[1]


def test_the_committed_shaders_are_what_is_printed() -> None:
    tool = runpy.run_path(str(ROOT / "tools" / "print_shaders.py"))
    assert tool["main"](["--check"]) == 0


def test_a_changed_shader_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    main = runpy.run_path(str(ROOT / "tools" / "print_shaders.py"))["main"]
    monkeypatch.setitem(main.__globals__, "SHADERS", tmp_path / "shaders")
    shutil.copytree(ROOT / "shaders", tmp_path / "shaders")
    assert main(["--check"]) == 0
    changed = tmp_path / "shaders" / "schedule" / "constant.comp"
    changed.write_text(changed.read_text() + " ")
    assert main(["--check"]) == 1
    assert "constant.comp" in capsys.readouterr().out


def disassembled(name: str) -> str:
    if shutil.which("spirv-dis") is None:
        pytest.skip("needs spirv-dis (Debian: spirv-tools)")
    command = ["spirv-dis", "-"]
    run = subprocess.run(command, input=shaders.spirv(name), capture_output=True, check=True)
    return run.stdout.decode()


# The instructions of SPIR-V 1.3 that have to do with floating point, by opcode.
OP_TYPE_INT, OP_TYPE_FLOAT = 21, 22
FLOATING = {
    OP_TYPE_FLOAT,
    *range(109, 113),
    115,
    116,
    127,
    129,
    131,
    133,
    136,
    140,
    141,
    *range(180, 192),
}


@pytest.mark.parametrize("name", SHIPPED)
def test_schedule_shaders_have_no_floating_point(name: str) -> None:
    opcodes = {code for code, _ in spirv._instructions(shaders.spirv(f"schedule/{name}"))}
    assert OP_TYPE_INT in opcodes
    assert opcodes & FLOATING == set()
    kernel = {code for code, _ in spirv._instructions(shaders.spirv("optim/adamw"))}
    assert OP_TYPE_FLOAT in kernel  # the check can fail


# A kernel, and how many operations + - * / it has at least.
KERNELS = {
    "sgd": 6,
    "sgd_momentum": 17,
    "adam": 15,
    "adam_amsgrad": 15,
    "adamw": 15,
    "adamw_amsgrad": 15,
}


@pytest.mark.parametrize("name", KERNELS)
def test_every_operation_of_a_kernel_is_precise(name: str) -> None:
    """Without NoContraction a driver may fuse or reorder, and the bits are no longer numpy's."""
    text = disassembled(f"optim/{name}")
    precise = {line.split()[1] for line in text.splitlines() if "NoContraction" in line}
    computed = {
        line.split()[0]
        for line in text.splitlines()
        if any(f"= OpF{op} " in line for op in ("Add", "Sub", "Mul", "Div"))
    }
    assert len(computed) >= KERNELS[name] and computed <= precise
    assert " Fma " not in text and "Pow" not in text


def test_python_prints_the_same_under_optimization() -> None:
    """-O drops asserts and docstrings stay: the printed text must not depend on either."""
    command = [sys.executable, "-O", str(ROOT / "tools" / "print_shaders.py"), "--check"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
