"""Optimizers to their end: every exit order, forks, threads, processes, and nothing left behind."""

from __future__ import annotations

import gc
import hashlib
import signal
import textwrap
import threading
import time
import weakref
from pathlib import Path

import child
import numpy as np
import pytest
from plain import hashed_gradient

from grilly import vk
from grilly.optim import AdamW
from grilly.optim.lr_scheduler import OneCycleLR
from grilly.vk import binding
from grilly.vk import device as device_module
from grilly.vk.device import KEPT_SUBMITS, Device

SET_UP = """
import atexit, gc, os, sys, threading, time
at_the_very_end = []
atexit.register(lambda: [print(act(), flush=True) for act in at_the_very_end])
sys.path.insert(0, {tests!r})
import numpy as np
from grilly import vk
from grilly.errors import DeviceError, ForkError
from grilly.optim import AdamW
from grilly.optim.lr_scheduler import LRScheduler
from grilly.vk import binding
class Falling(LRScheduler):  # on the host: SwiftShader takes a second to compile a cosine
    def get_lr(self): return [1 / (10 + self.last_epoch)]
p = np.ones(1000, np.float32)
optimizer = AdamW([p], device={index})
scheduler = Falling(optimizer)
device = vk.open_device({index})
def step():
    optimizer.step(gradients=[p.copy()])
    scheduler.step()
def told(act):
    try: act()
    except DeviceError as error: return f"{{type(error).__name__}}: {{error}}"
for _ in range(20): step()
"""

CLOSED = "DeviceError: the device is closed"
ENDINGS = {  # name: (what the program does at its end, exit code, what it prints)
    "normal": ("", 0, ""),
    "without waiting": ("optimizer._backend.replay(500)", 0, ""),
    "sys.exit": ("sys.exit(5)", 5, ""),
    "exception": ("raise RuntimeError('boom')", 1, ""),
    "sys.exit in a thread": (
        "def work():\n    step()\n    sys.exit(5)\n"
        "t = threading.Thread(target=work)\nt.start()\nt.join()\nstep()",
        0,
        "",
    ),
    "a thread goes on after the program's last line": (
        "threading.Thread(target=lambda: [step() for _ in range(200)]).start()",
        0,
        "",
    ),
    "a daemon thread is at work": (
        "def work():\n    while True: step()\n"
        "threading.Thread(target=work, daemon=True).start()\ntime.sleep(0.1)\n"
        "log = []\nbinding.fault = lambda name: log.append(name) or 0\n"
        "at_the_very_end.append(lambda: any('Destroy' in name for name in log))",
        0,
        "False",  # what the thread may be using was left to the system
    ),
    "cycle": (
        "optimizer.me = optimizer\nscheduler.me = scheduler\ndel optimizer, scheduler\n"
        "gc.collect()\nprint(device.live['tape'])",
        0,
        "0",
    ),
    "cycle at exit": (
        "optimizer.me, scheduler.me, device.x = scheduler, optimizer, optimizer",
        0,
        "",
    ),
    "dropped in a thread": (
        "held = [optimizer, scheduler]\ndel optimizer, scheduler\n"
        "t = threading.Thread(target=held.clear)\nt.start()\nt.join()\nprint(device.live['tape'])",
        0,
        "0",
    ),
    "device closed first": (
        "device.close()\nprint(told(step))",
        0,
        "DeviceError: the device is closed",
    ),
    "device name dropped first": ("del device\ngc.collect()\nstep()\ndel optimizer", 0, ""),
    "a step at exit": ("atexit.register(lambda: print(step()))", 0, "None"),
    "a step after all": (
        "at_the_very_end.append(lambda: told(step))",
        0,
        CLOSED,
    ),
    "fork, the child ends": (
        "pid = os.fork()\nif not pid: sys.exit(0)\nassert os.waitpid(pid, 0)[1] == 0\nstep()",
        0,
        "",
    ),
    "fork, the child drops all": (
        "pid = os.fork()\nif not pid:\n    del optimizer, scheduler, step\n    gc.collect()\n"
        "    device.close()\n    sys.exit(0)\nassert os.waitpid(pid, 0)[1] == 0\nstep()",
        0,
        "",
    ),
}


def set_up(info: vk.DeviceInfo) -> str:
    return SET_UP.format(tests=str(Path(__file__).parent), index=info.index)


@pytest.mark.turns
@pytest.mark.parametrize("ending", ENDINGS)
def test_the_end_of_a_program(device_info, ending):
    code, want, printed = ENDINGS[ending]
    done = child.run(set_up(device_info) + code, timeout=30)
    assert done.returncode == want, done.stderr
    assert ("Traceback" in done.stderr) == (ending == "exception"), done.stderr
    assert done.stdout.startswith(printed), done.stdout
    assert bool(done.stdout) == bool(printed)


FORKED = {  # each must raise ForkError in a child, and at once
    "step": "optimizer.step(gradients=[p])",
    "step without gradients": "optimizer.step(gradients=[None])",
    "state_dict": "optimizer.state_dict()",
    "load_state_dict": "optimizer.load_state_dict({})",
    "add_param_group": "optimizer.add_param_group({'params': []})",
    "read_hyperparameters": "optimizer.read_hyperparameters()",
    "another": "AdamW([p], device='vulkan')",
}


def test_a_forked_child_is_told_to_spawn(device_info):
    """Even while another thread of the parent is in the middle of a step."""
    tries = "".join(f"told(lambda: {act})," for act in FORKED.values())
    code = f"""
holding = threading.Event()
def hold():
    with optimizer._lock:
        holding.set()
        time.sleep(5)
threading.Thread(target=hold, daemon=True).start()
holding.wait()
pid = os.fork()
if not pid:
    words = [{tries}]
    optimizer.zero_grad()
    scheduler.step()
    numpy = AdamW([p]).device
    print([str(w).startswith("ForkError") and "spawn" in w for w in words], numpy, flush=True)
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
"""
    output = child.says(set_up(device_info) + code, timeout=30, GRILLY_DEVICE="")
    assert output.strip() == f"{[True] * len(FORKED)} numpy"


@pytest.mark.turns
@pytest.mark.parametrize("after", [False, True])
def test_ctrl_c_ends_a_step_whose_device_is_busy(device_info, after):
    """It takes minutes, before the step's own work or after; PATIENCE seconds end that too."""
    code = """
    import vk_shaders
    spin = device.kernel(vk.compile_glsl(vk_shaders.SPIN), 1, 0, {{0: 1}})
    with vk.Tape(device) as long:
        long.dispatch(spin.bind([device.buffer(64)]), 20000)
    update = optimizer._backend.step
    if {after}:
        optimizer._backend.step = lambda: (update(), device.submit(*[long] * 1000))
    else:
        device.submit(*[long] * 1000)
    print("waiting", flush=True)
    try: step()
    except KeyboardInterrupt: print("out", flush=True)
    """
    process = child.start(set_up(device_info) + textwrap.dedent(code).format(after=after))
    watchdog = threading.Timer(40, process.kill)
    watchdog.start()
    assert process.stdout is not None
    assert process.stdout.readline() == "waiting\n"
    time.sleep(0.5)
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "out\n"
    assert time.monotonic() - begin < 3
    _, errors = process.communicate(timeout=30)
    watchdog.cancel()
    assert process.returncode == 0, errors


def train(place: str | int, seed: int, steps: int = 60) -> bytes:
    """Train on numbers of ``seed``; return the weights."""
    p = hashed_gradient(300, seed)
    optimizer = AdamW([p], device=place)
    scheduler = OneCycleLR(optimizer, max_lr=0.1, total_steps=steps, cycle_momentum=False)
    for step in range(steps - 1):
        optimizer.step(gradients=[hashed_gradient(300, 1000 * seed + step)])
        scheduler.step()
    return p.tobytes()


def test_each_thread_has_an_optimizer(device: vk.Device) -> None:
    found: dict[int, bytes] = {}
    threads = [
        threading.Thread(target=lambda i=i: found.update({i: train(device.info.index, i)}))
        for i in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {i: train("cpu", i) for i in range(4)}


def test_two_processes_share_a_device(device_info: vk.DeviceInfo) -> None:
    code = """
        import hashlib, sys
        sys.path.insert(0, {tests!r})
        from test_optimizer_life import train
        print(hashlib.sha256(train({place}, {seed}, 200)).hexdigest())
    """
    tests, place = str(Path(__file__).parent), device_info.index
    both = [child.start(code.format(tests=tests, place=place, seed=seed)) for seed in (1, 2)]
    for seed, process in zip((1, 2), both, strict=True):
        output, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
        assert output.strip() == hashlib.sha256(train("cpu", seed, 200)).hexdigest()


def use_one(place: int, number: int) -> None:
    """Make an optimizer, use it in one of three ways, and drop it."""
    params = [np.ones(size, np.float32) for size in (50, 3)]
    optimizer = AdamW(params[:1], device=place)
    scheduler = OneCycleLR(optimizer, max_lr=0.1, total_steps=50, cycle_momentum=False)
    for _ in range(3):
        optimizer.step(gradients=[np.ones(50)])
        scheduler.step()
    if number % 3 == 1:
        optimizer.add_param_group({"params": params[1:]})
        optimizer.step(gradients=[np.ones(50), None])
    if number % 3 == 2:
        optimizer.load_state_dict(optimizer.state_dict())
        optimizer.step(gradients=[np.ones(50)])
    if number % 5 == 0:  # a cycle, which only the collector finds
        optimizer.me = optimizer


def registered(device: Device) -> dict[str, int]:
    """Return the sizes of all that could grow with the number of objects made."""
    gc.collect()
    device.wait()
    owner, queue = device.owner, device.queue
    return {
        **owner.live(),
        "handles": len(owner._handles),
        "gone": len(owner._gone),
        "due": len(owner._due),
        "views": len(owner._views),
        "flights": len(queue._flights),
        "finalizers": len(weakref.finalize._registry),
    }


def test_a_hundred_optimizers_leave_nothing(
    private_device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The device keeps its kernels and fences, and those are as many as after the first three."""
    place = private_device.info.index
    monkeypatch.setitem(device_module._open, place, private_device)
    for number in range(30):
        use_one(place, number)
    before, pinned = registered(private_device), len(binding._pinned)
    assert {k: n for k, n in private_device.live.items() if n} == {"kernel": before["kernel"]}
    for number in range(100):
        use_one(place, number)
    assert registered(private_device) == before
    assert len(private_device._submits) <= KEPT_SUBMITS
    assert len(binding._pinned) <= pinned + 2 * KEPT_SUBMITS
    private_device.close()
    assert not private_device.owner.live()
