"""No shader loops so often that llvmpipe, after 65,535 rounds in all, ends its loops in silence."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import vk_shaders

from grilly import TraceError, chunks, glsl, loops, planning, vk
from grilly.expr import OPS
from grilly.mathfun import reached
from grilly.optim import SGD, ParamScheduler
from grilly.program import program
from grilly.schedules import Constant, Function

SHADERS = Path(__file__).parents[1] / "shaders"
CAP = 65_535

COUNT = (
    vk_shaders.HEAD
    + """
layout(std430, binding = 0) buffer X { uint x[]; };
void main() {
  for (uint i = 0u; i < x[0]; i++) { x[1] += 1u; }
  for (uint i = 0u; i < x[0]; i++) { x[1] += 1u; }
}
"""
)


@cache
def text() -> str:
    """Return the arithmetic's includes without comments."""
    files = sorted((SHADERS / "include").glob("xfloat*.glsl"))
    return re.sub(r"//.*", "", "".join(path.read_text() for path in files))


@cache
def functions() -> dict[str, str]:
    """Return the bodies of the functions; those of one name, which differ in types, as one."""
    found: dict[str, str] = {}
    _, *parts = re.split(r"^\w+ (\w+)\(", text(), flags=re.MULTILINE)
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        found[name] = found.get(name, "") + body
    return found


@cache
def rounds(name: str) -> int:
    """Return the rounds of all loops in a function and what it calls; loops are not nested."""
    body = functions()[name]
    called = [n for n in re.findall(r"\b(\w+)\(", body) if n in functions() and n != name]
    # A loop's body calls nothing that loops, so that no product is needed.
    return sum(map(loop_rounds, re.findall(r"for \((.*?)\)", body))) + sum(map(rounds, called))


def loop_rounds(head: str) -> int:
    """Return how often a loop goes round whose bounds are constants."""
    constants = dict(re.findall(r"const int (\w+) = (\d+);", text()))
    down = re.fullmatch(r"int (\w) = (\w+)(?: - (\d))?; \1 >= 0; \1--", head)
    up = re.fullmatch(r"int (\w) = 0; \1 < (\d+); \1\+\+", head)
    assert down or up, f"for ({head}): its bounds must be constants"
    if up:
        return int(up[2])
    return int(constants.get(down[2], down[2])) - int(down[3] or 0) + 1


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.__name__)
def test_no_operation_loops_more_than_the_printer_thinks(op: object) -> None:
    called = OPS[op].glsl.split("(")[0]
    most = rounds(called) if called in functions() else 0
    assert most <= (CAP // loops.MOST_LOOPING if called in loops.LOOPING else 0)


# Shaders whose loops have bounds of their own: over a workgroup's chunks, a list and a job's lanes
# (see below), 64 rounds (resident/ops.py), 32 of a full window (gpu_history.py), MAX_ROUNDS
# (rules/words.py, test_device_rules.py), ROUNDS (reductions.py, test_reductions.py), a share's
# (test_norm.py).
BOUNDED = {"step", "lists", "add", "roll", "rule", "plateau", "greedy"}
BOUNDED |= {"partial", "total", "examine", "decide", "fill"}


def test_loops_stand_nowhere_else() -> None:
    for path in SHADERS.rglob("*"):
        if path.is_file() and path.stem not in BOUNDED and not path.stem.startswith("xfloat"):
            assert not re.search(r"\b(for|while|do)\b *[({]", path.read_text()), path


@pytest.mark.parametrize("size", [1, 4, 4 * chunks.MOST * 3])
def test_a_workgroup_has_few_chunks(size: int) -> None:
    """Even one invocation alone goes round once a chunk and once a float4."""
    tensors = min(20_000, 10**6 // size)
    dealt = chunks.deal(chunks.offsets([size] * tensors), [0] * tensors, 1)
    counts = dealt.table[:, 1].astype(int)
    rounds_of = [
        int((1 + counts[a:b]).sum()) for a, b in zip(dealt.ranges, dealt.ranges[1:], strict=False)
    ]
    assert max(rounds_of) <= 2 * chunks.MOST <= CAP


def test_a_job_has_few_lanes() -> None:
    """Beside the loops of the formula that loops most, in the same invocation."""
    lanes = 10_000
    jobs = [planning.Job(i, 0, Constant(0.5), 0, 0.0) for i in range(lanes)]
    (together,) = planning.batches(jobs).values()
    assert [lane for job in together for lane in range(job.lane, job.lane + job.lanes)] == [
        *range(lanes)
    ]
    most = max(job.lanes for job in together)
    assert len(together) == -(-lanes // most)
    assert loops.MOST_LOOPING * loops.MOST_ROUNDS + most <= CAP


def test_a_formula_that_would_loop_too_often_is_the_hosts(place: str | int) -> None:
    def roots(t: Any, first: int, count: int) -> Any:
        if count == 1:
            return np.sqrt(t + float(first))
        return roots(t, first, count // 2) + roots(t, first + count // 2, count - count // 2)

    program(lambda t: roots(t, 1, loops.MOST_LOOPING))
    too_many = Function(lambda t: roots(t, 1, loops.MOST_LOOPING + 1))
    with pytest.raises(TraceError, match=r"has 1024 .* can do 1023"):
        program(too_many)
    with pytest.raises(TraceError, match=r"has 1024 .* Leave device out: the host computes"):
        too_many.table(0, 3, device="cpu")
    assert too_many.table(0, 3).tolist() == [float(too_many(t)) for t in range(3)]
    weights = np.zeros(3, np.float32)
    optimizer = SGD([weights], device=place)
    scheduler = ParamScheduler(optimizer, {"lr": too_many})
    want = np.float32(0)
    for t in range(3):
        optimizer.step(gradients=[np.ones(3, np.float32)])
        scheduler.step()
        want -= np.float32(too_many(t))
    assert weights.tolist() == [want] * 3


def test_a_list_counts_by_its_length() -> None:
    def searched(count: int) -> str:
        return glsl.shader(program(lambda t: reached(t, tuple(map(float, range(count))))).structure)

    longest = loops.MOST_LOOPING * loops.MOST_ROUNDS
    assert "x_reached" in searched(longest)
    with pytest.raises(TraceError, match=f"lists of up to {longest + 1} numbers"):
        searched(longest + 1)


def test_llvmpipe_has_this_limit(device: vk.Device) -> None:
    """Else the guard could go."""
    buffer = device.buffer(8)
    buffer.write(np.array([40_000, 0], np.uint32))
    kernel = device.kernel(vk.compile_glsl(COUNT), 1, constants={0: 1})
    with vk.Tape(device) as tape:
        tape.dispatch(kernel.bind([buffer]), 1)
    device.submit(tape)
    done = int(buffer.read(np.uint32, 2)[1])
    assert done <= CAP if device.name.startswith("llvmpipe") else done == 80_000
