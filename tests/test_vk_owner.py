"""Ownership: every handle dies once, in every order in which a program can end."""

from __future__ import annotations

import gc
import signal
import textwrap
import time

import child
import pytest
import vk_shaders
from vk_shaders import affine_tape, counting

from grilly import vk
from grilly.errors import DeviceError

SET_UP = """
import gc, os, sys, threading
sys.path.insert(0, {tests!r})
import vk_shaders
from grilly import vk
from grilly.errors import DeviceError, ForkError
device = vk.open_device({index})
buffer = vk_shaders.counting(device, 100)
tape = vk_shaders.affine_tape(device, buffer, 3, 1)
device.submit(tape)
"""

# SPIN takes seconds on software drivers; submitted again and again, minutes.
LONG = """
spin = device.kernel(vk.compile_glsl(vk_shaders.SPIN), 1, 0, {0: 1})
with vk.Tape(device) as long:
    long.dispatch(spin.bind([buffer]), 20000)
device.submit(*[long] * 1000)
"""

ENDINGS = {  # name: (what the program does at its end, exit code)
    "normal": ("device.wait()", 0),
    "without waiting": ("", 0),
    "sys.exit": ("sys.exit(5)", 5),
    "exception": ("raise RuntimeError('boom')", 1),
    "cycle": ("buffer.tape, tape.buffer = tape, buffer\ndel buffer, tape\ngc.collect()", 0),
    "cycle at exit": ("buffer.tape, tape.buffer, device.x = tape, buffer, buffer", 0),
    "device name dropped first": ("del device\ngc.collect()\ndel tape, buffer", 0),
    "closed twice": ("device.close()\ndevice.close()\ndel tape, buffer", 0),
    "closed, children later": ("device.close()\ndel device\ngc.collect()\ndel tape, buffer", 0),
    "opened again": (
        "device.close()\nassert vk.open_device(device.info) is not device\n"
        "try: device.submit(tape)\n"
        "except DeviceError as error: assert 'closed' in str(error)\n"
        "else: sys.exit(3)",
        0,
    ),
    "in a thread": ("t = threading.Thread(target=device.close)\nt.start()\nt.join()", 0),
    "dropped in a thread": (
        "import queue\nq = queue.Queue()\nq.put([buffer, tape])\ndel buffer, tape\n"
        "t = threading.Thread(target=lambda: q.get().clear())\nt.start()\nt.join()\n"
        "device.wait()\nassert device.live['tape'] == device.live['buffer'] == 0",
        0,
    ),
    "fork, the child ends": (
        "device.wait()\npid = os.fork()\nif not pid: sys.exit(0)\n"
        "assert os.waitpid(pid, 0)[1] == 0\nbuffer.read('u4', 1)",
        0,
    ),
    "fork, the child drops everything": (
        "device.wait()\npid = os.fork()\n"
        "if not pid:\n    del buffer, tape\n    gc.collect()\n    device.close()\n    sys.exit(0)\n"
        "assert os.waitpid(pid, 0)[1] == 0\nbuffer.read('u4', 1)",
        0,
    ),
}


def set_up(info: vk.DeviceInfo) -> str:
    return SET_UP.format(tests=str(__file__).rsplit("/", 1)[0], index=info.index)


@pytest.mark.turns
@pytest.mark.parametrize("ending", ENDINGS)
def test_the_end_of_a_program(device_info, ending):
    code, want = ENDINGS[ending]
    done = child.run(set_up(device_info) + code)
    assert done.returncode == want, done.stderr
    assert ("Traceback" in done.stderr) == (ending == "exception"), done.stderr


FORKED = {
    "devices": "vk.devices()",
    "open_device": "vk.open_device(0)",
    "buffer": "device.buffer(4)",
    "write": "buffer.write([1])",
    "view": "buffer.view()",
    "tape": "vk.Tape(device)",
    "submit": "device.submit(tape)",
    "wait": "device.wait()",
}


def test_a_forked_child_is_told_to_spawn(device_info):
    tries = "".join(
        f"    try: {act}\n    except ForkError as error: ok = 'spawn' in str(error)\n"
        f"    else: ok = False\n    told[{name!r}] = ok\n"
        for name, act in FORKED.items()
    )
    code = (
        "device.wait()\nprint(end='', flush=True)\ntold = {}\npid = os.fork()\n"
        f"if not pid:\n{tries}    print(told, flush=True)\n    os._exit(0)\nos.waitpid(pid, 0)\n"
    )
    assert child.says(set_up(device_info) + code).strip() == str(dict.fromkeys(FORKED, True))


def test_the_process_ends_while_the_device_computes(device_info):
    begin = time.monotonic()
    done = child.run(set_up(device_info) + LONG)
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - begin < 30


@pytest.mark.turns
@pytest.mark.parametrize("wait", ["device.wait()", "buffer.read('u4', 1)", "device.close()"])
def test_ctrl_c_ends_a_long_wait(device_info, wait):
    waiting = f"print('waiting', flush=True)\ntry: {wait}\nexcept KeyboardInterrupt: pass\n"
    process = child.start(set_up(device_info) + LONG + waiting + "print('out', flush=True)")
    assert process.stdout is not None
    assert process.stdout.readline() == "waiting\n"
    time.sleep(0.5)
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "out\n"
    assert time.monotonic() - begin < 2
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors


def test_ctrl_c_at_any_moment_leaves_a_working_device(device_info):
    """A signal every 0.3 ms, wherever it falls: no wait then hangs, nothing in flight is freed."""
    code = """
        import signal, time
        import numpy as np
        end, hits, armed = time.monotonic() + 2, 0, False
        def interrupt(*_):
            global armed
            if armed:
                armed = False
                raise KeyboardInterrupt
        signal.signal(signal.SIGALRM, interrupt)
        signal.setitimer(signal.ITIMER_REAL, 0.0003, 0.0003)
        while time.monotonic() < end:
            try:
                armed = True
                while time.monotonic() < end:
                    device.submit(vk_shaders.affine_tape(device, buffer, 3, 1), tape)
                    device.wait()
            except KeyboardInterrupt:
                hits += 1
        armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        assert hits > 100, hits
        gc.collect()
        buffer.write(np.arange(100, dtype=np.uint32))
        device.submit(tape, tape)
        want = vk_shaders.affine_after(100, (3, 1), (3, 1))
        np.testing.assert_array_equal(buffer.read(np.uint32, 100), want)
    """
    child.says(set_up(device_info) + textwrap.dedent(code))


def test_what_is_dropped_is_freed(private_device):
    device = private_device
    for _ in range(20):
        buffers = [counting(device, 100), device.buffer(400, "host")]
        tapes = [affine_tape(device, buffer, 3, 1) for buffer in buffers]
        device.submit(*tapes)
    assert device.live["tape"] >= 2
    del buffers, tapes
    device.wait()
    assert device.live == {"buffer": 0, "kernel": 1, "binding": 0, "tape": 0}
    device.close()
    assert device.live == dict.fromkeys(["buffer", "kernel", "binding", "tape"], 0)
    assert not device.owner.live()


def test_a_tape_holds_what_it_recorded(private_device):
    device = private_device
    tape = affine_tape(device, counting(device, 100), 3, 1)
    gc.collect()
    assert device.live == {"buffer": 1, "kernel": 1, "binding": 1, "tape": 1}
    del tape
    assert device.live["buffer"] == device.live["binding"] == 0


def test_a_closed_device_says_so(private_device):
    device = private_device
    buffer = counting(device, 100)
    tape = affine_tape(device, buffer, 3, 1)
    device.close()
    assert device.closed
    assert not device.lost
    for act in (
        lambda: device.submit(tape),
        lambda: device.wait(),
        lambda: device.buffer(4),
        lambda: buffer.read("u4", 1),
        lambda: buffer.view(),
        lambda: vk.Tape(device),
        lambda: vk_shaders.affine(device),
    ):
        with pytest.raises(DeviceError, match="closed"):
            act()


@pytest.mark.parametrize("index", [99, -1])
def test_no_device_has_this_index(device, index):
    with pytest.raises(DeviceError, match=f"index {index}"):
        vk.open_device(index)
