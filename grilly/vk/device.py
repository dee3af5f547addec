"""Device: a GPU (or its software stand-in) that makes buffers and kernels and runs tapes."""

from __future__ import annotations

import os
import threading
import weakref
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from types import MappingProxyType

from ..errors import DeviceError, DeviceLostError
from . import binding
from .arena import Arena
from .buffer import Buffer
from .constants import Constant
from .counters import Counters
from .instance import DeviceInfo, Instance, Physical, devices_problem, instance
from .kernel import Kernel, content_key
from .limits import limits_of
from .owner import Owner
from .queue import Queue
from .staging import Staging
from .submission import Prepared, Run, Submission, submission
from .tape import LastTape, Tape

# Seconds that a process which ends waits for its last submissions. After that nothing is freed:
# freeing what is in use hangs or corrupts, and the system takes it all back anyway.
EXIT_PATIENCE = 2.0
KEPT_SUBMITS = 64  # prebuilt VkSubmitInfo, newest first
KINDS = ("buffer", "kernel", "binding", "tape")
PORTABILITY = "VK_KHR_portability_subset"  # must be enabled where it is offered (MoltenVK)


class Device:
    """One physical device, opened by ``open_device``; shared by all of the process."""

    def __init__(self, physical: Physical, home: Instance) -> None:
        self.info = physical.info
        self.family = physical.family
        self.counters = Counters()
        self.limits, self.memory = limits_of(physical.handle)
        self.owner = _make_owner(physical, home)
        self.staging = Staging(self)
        self.arena = Arena(self)
        self._kernels: dict[tuple[object, ...], Kernel] = {}
        self._kernel_lock = threading.RLock()
        self._submits: OrderedDict[tuple[int, ...], Prepared] = OrderedDict()
        self._submit_lock = threading.RLock()
        try:
            self._start()
        except BaseException:
            self.owner.destroy()
            raise
        self._finalizer = weakref.finalize(self, _end, weakref.ref(self), self.owner, self.queue)

    def _start(self) -> None:
        handle = self.owner.call("vkGetDeviceQueue", self.owner.device, self.family, 0)
        self.queue = Queue(self.owner, handle, self.counters)
        with LastTape(self, kind="last") as self._last:
            pass

    @property
    def name(self) -> str:
        """The device's name, as its driver gives it."""
        return self.info.name

    @property
    def lost(self) -> bool:
        """Whether the device is lost; it then only can be closed."""
        return self.owner.lost

    @property
    def closed(self) -> bool:
        """Whether ``close`` was called."""
        return self.owner.closed

    def check(self) -> None:
        """Raise ForkError, DeviceLostError or DeviceError unless the device can be used."""
        self.owner.check()

    @property
    def live(self) -> dict[str, int]:
        """The number of buffers, kernels, bindings and tapes that exist."""
        self.arena.sweep()
        counts = self.owner.live()
        return {kind: counts[kind] for kind in KINDS}

    def buffer(self, nbytes: int, memory: str = "device", fill: int = 0) -> Buffer:
        """Return a new Buffer of ``nbytes``, each byte of which is ``fill``."""
        self.arena.sweep()
        return Buffer(self, nbytes, memory, fill)

    def kernel(
        self,
        spirv: bytes,
        buffers: int,
        push: int = 0,
        constants: Mapping[int, Constant] = MappingProxyType({}),
    ) -> Kernel:
        """Return the Kernel of this SPIR-V; the same content gives the same Kernel."""
        self.owner.check()
        key = content_key(spirv, buffers, push, constants)
        with self._kernel_lock:
            if key not in self._kernels:
                self._kernels[key] = Kernel(self, spirv, buffers, push, constants)
            return self._kernels[key]

    def submit(self, *tapes: Tape) -> None:
        """Run ``tapes`` in order as one submission; returns when it is submitted."""
        self.owner.check()
        found = tapes[0].prepared if len(tapes) == 1 and tapes[0].device is self else None
        self._run(found or self._prepared(tapes), tapes)

    def submission(self, tapes: Sequence[Tape], times: int = 1) -> Submission:
        """Return ``tapes`` in order, the whole ``times`` over, ready to be run again and again.

        ``submission([even, odd], times=500)`` is a thousand steps, and is made as quickly as one.
        Raises DeviceError for a tape that is not recorded to its end, ValueError for one of
        another device.
        """
        return self.submission_of([(tapes, times)])

    def submission_of(self, runs: Sequence[Run]) -> Submission:
        """Return a ``submission`` of several runs in order: tapes, and how many times over."""
        self.owner.check()
        return submission(self, runs, self._last)

    def run(self, submission: Submission) -> None:
        """Run a submission; returns at once. That costs no more than to submit one tape."""
        self.owner.check()
        if submission.device is not self:
            raise ValueError(f"the submission is for {submission.device.name}, not {self.name}")
        self._run(submission.prepared, submission)

    def _run(self, prepared: Prepared, held: object) -> None:
        self.queue.submit(prepared.info, held, prepared.dispatches)
        self.arena.sweep()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for everything submitted so far. Ctrl-C works.

        Returns False if ``timeout`` seconds were not enough. Raises DeviceLostError.
        """
        done = self.queue.wait(timeout)
        self.arena.sweep()
        return done

    def close(self) -> None:
        """Wait for the device, then free all that it holds. Harmless twice, or when lost.

        No other thread may be using the device.
        If waiting fails, what the device may still use is left to the end of the process.
        """
        _close(self.owner, self.queue, None)
        if self.closed:
            self._finalizer.detach()
            self._kernels.clear()
            self._submits.clear()
            self.arena.forget()

    def _prepared(self, tapes: tuple[Tape, ...]) -> Prepared:
        """Return what the queue needs for these tapes, built once."""
        key = tuple([tape.serial for tape in tapes])
        with self._submit_lock:
            found = self._submits.get(key)
            if found is None:
                found = self._submits[key] = submission(self, [(tapes, 1)], self._last).prepared
                if len(self._submits) > KEPT_SUBMITS:
                    self._submits.popitem(last=False)
            self._submits.move_to_end(key)
            if len(tapes) == 1:
                tapes[0].prepared = found
            return found


_open: dict[int, Device] = {}
_open_lock = threading.Lock()


def open_device(which: DeviceInfo | int) -> Device:
    """Return the Device for an info of ``devices()`` or its index; one per process until closed.

    One that is lost is closed and opened anew.

    Raises DeviceError when there is no such device, ForkError in a forked child.
    """
    index = which.index if isinstance(which, DeviceInfo) else which
    home = instance()
    if not 0 <= index < len(home.physical):
        problem = devices_problem() or f"there are {len(home.physical)}, counted from 0"
        raise DeviceError(f"no Vulkan device with index {index}: {problem}")
    with _open_lock:
        device = _open.get(index)
        if device is not None and device.lost:
            device.close()
        if device is None or device.closed:
            device = _open[index] = Device(home.physical[index], home)
        return device


def _end(device: weakref.ref[Device], owner: Owner, queue: Queue) -> None:
    """Close a device that is garbage, or at exit."""
    # At exit a daemon thread may be inside a call: nothing is freed then.
    if device() is None or threading.active_count() == 1:
        _close(owner, queue, EXIT_PATIENCE)


def _close(owner: Owner, queue: Queue, patience: float | None) -> None:
    if owner.closed or os.getpid() != owner.pid:
        return
    queue.check_outside()
    try:
        # A device that is really lost answers at once; one that still works must end first.
        settled = queue.settle(EXIT_PATIENCE if owner.lost else patience)
    except DeviceLostError:
        settled = True
    except DeviceError:
        settled = False
    if settled:
        owner.destroy()
    else:
        owner.abandon()
    queue.forget()


def _make_owner(physical: Physical, home: Instance) -> Owner:
    """Create the VkDevice with one queue and robustBufferAccess; its Owner holds it."""
    queue = binding.struct(
        "VkDeviceQueueCreateInfo",
        queueFamilyIndex=physical.family,
        queueCount=1,
        pQueuePriorities=[1.0],
    )
    found = binding.call("vkEnumerateDeviceExtensionProperties", physical.handle, None)
    extensions = [PORTABILITY] if PORTABILITY in {str(one.extensionName) for one in found} else []
    info = binding.struct(
        "VkDeviceCreateInfo",
        queueCreateInfoCount=1,
        pQueueCreateInfos=[queue],
        enabledExtensionCount=len(extensions),
        ppEnabledExtensionNames=extensions,
        # An access out of bounds then does no harm; without it SwiftShader segfaults.
        pEnabledFeatures=binding.struct("VkPhysicalDeviceFeatures", robustBufferAccess=1),
    )
    with ExitStack() as undo:
        device = binding.call("vkCreateDevice", physical.handle, info, None)
        home.open_devices += 1
        undo.callback(home.device_gone)
        undo.callback(binding.call, "vkDestroyDevice", device, None)
        owner = Owner(device)
        owner.adopt("device", undo)
    return owner
