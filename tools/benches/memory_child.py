"""A process that updates SIZE parameters on DEVICE: ``python memory_child.py DEVICE SIZE WARM``.

Prints two numbers of bytes: what it held with everything imported and the device open (WARM 1: and
a small optimizer has made steps, so that the driver has compiled), and the most after that.
"""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from pathlib import Path

import grilly
from grilly.errors import DeviceError
from grilly.optim import AdamW
from grilly.optim.lr_scheduler import OneCycleLR

STEPS = 3
CHUNK = 1 << 16


def resident_bytes(name: str) -> int:
    """Return VmRSS, what the process holds in memory, or VmHWM, the most that it has held."""
    found = re.search(rf"^{name}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.M)
    if found is None:
        raise RuntimeError(f"/proc/self/status has no {name}: this needs Linux")
    return 1024 * int(found[1])


def train(device: str, size: int) -> object:
    """Update ``size`` parameters that live on the device, eagerly and replayed; keep what it made.

    No array of theirs is ever on the host.
    """
    param = grilly.nn.Parameter(grilly.zeros(size, device))
    with suppress(DeviceError):  # a card's memory is not the host's
        param.grad.view()[...] = 0.1  # written, so that it is in memory
    optimizer = AdamW([param], device=device)
    scheduler = OneCycleLR(optimizer, 0.1, total_steps=1000)
    optimizer.step()
    scheduler.step()
    with grilly.record() as tape:
        optimizer.step()
        scheduler.step()
    tape.replay(STEPS)
    tape.wait()
    return param, optimizer, tape


def main() -> None:
    """Print what was held before, and the most while training."""
    device, size, warm = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "1"
    kept = [grilly.zeros(4, device), train(device, CHUNK) if warm else None]
    Path("/proc/self/clear_refs").write_text("5")  # forgets the most there was before
    base = resident_bytes("VmRSS")
    kept.append(train(device, size))
    print(base, resident_bytes("VmHWM"))


if __name__ == "__main__":
    main()
