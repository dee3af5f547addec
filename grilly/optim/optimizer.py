"""Optimizer: what all optimizers do for their user, with PyTorch's contract, on a backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import hyper
from ..errors import RecordError
from ..nn.parameter import Parameter
from ..resident import recording
from ..resident.array import DeviceArray
from ..resident.ops import Fill, perform
from ..resident.recording import outside
from .control import NO_NORM
from .entry import entry
from .history import history
from .params import Gradients, given_gradients, gradients_of, zeroed
from .ready import ready
from .recorded import RecordedStep
from .settling import Begun
from .state import load_state, saved_state
from .stepping import Stepping


class Optimizer(Stepping):
    """Base of the optimizers. ``param_groups`` are plain dicts of float64 numbers, as in torch.

    What is written into a group, by hand or by a scheduler, takes effect at the next ``step()``.

    With ``skip_nonfinite``, or a scheduler whose rules count metrics on the device, the host does
    not know at once which updates were made and what the rates are: ``param_groups``,
    ``state_dict()`` and ``repr()`` are then read back when they are asked for, which may wait for
    the device. What asks it or changes a state, as ``state_dict()`` or ``history()``, raises
    RecordError inside ``grilly.record()``.
    """

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} (on {self.device}"]
        if self.max_norm is not None:
            lines.append(f"max_norm: {self.max_norm!r}")
        if self.skip_nonfinite:
            lines.append("skip_nonfinite: True")
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}: {len(group['params'])} parameters")
            lines += [f"    {k}: {v!r}" for k, v in sorted(group.items()) if k != "params"]
        return "\n".join(lines) + "\n)"

    @outside
    @entry
    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group: a dict with "params" and any options; the defaults fill in the rest.

        Parameters may be (name, parameter), in all groups or in none: the names are kept in the
        group as "param_names".

        Raises TypeError or ValueError, and adds nothing, if a parameter is not a writeable
        float32 array or Parameter, stands in a group already or shares memory with one that does,
        or an option is out of range.
        """
        self._settle()
        self._add([param_group])

    @entry
    def step(
        self, closure: Callable[[], Any] | None = None, *, gradients: Gradients | None = None
    ) -> Any:
        """Update every parameter that has a gradient; return what ``closure()`` returned.

        Gradients are the Parameters' ``grad``, or ``gradients``: a list in the order of the
        parameters (None: no gradient), or a dict {id(parameter): array}. When it returns, the
        user's arrays hold the new values.

        Raises ValueError or TypeError, before anything is changed, for a gradient of the wrong
        shape or type and for a hyperparameter that is not finite; DeviceError if the device fails.

        An update is made wholly or not at all, also when DeviceMemoryError or Ctrl-C ends it:
        ``state_dict()`` counts what was made. What could not be brought back at once (a second
        Ctrl-C) is brought back by the next call, before anything else, except that
        ``load_state_dict`` drops it. After DeviceLostError every call raises that: the update may
        be lost, so make a new optimizer, and load weights and state_dict from a checkpoint.
        """
        last = self._ready
        if last is not None and closure is None and not recording.anywhere():
            grads = last.gradients(self, gradients)
            if grads is not None:
                last.write(self._backend, grads)
                self._update(Begun(last.host, self._timeline.again(last.missed), last.has))
                return None
        return self._step(closure, gradients)

    def _step(self, closure: Callable[[], Any] | None, gradients: Gradients | None) -> Any:
        """Make a step of which nothing is known."""
        self._settle()
        if closure is not None and not callable(closure):
            raise TypeError("closure must be callable: write step(gradients=...) to pass gradients")
        tape = recording.current()
        if tape is not None and closure is not None:
            raise RecordError(
                "step(closure) cannot be recorded: record what closure() does, then step()"
            )
        loss = closure() if closure is not None else None
        self._check_members()
        given = given_gradients(self._params, gradients)
        if tape is not None:
            tape.append(RecordedStep(self, given, own=gradients is None))
            return None
        grads = gradients_of(given, self._memory.shapes)
        active = np.array([grad is not None for grad in grads], np.bool_)
        if active.any():
            arrays = {i: self._array(i) for i in np.flatnonzero(active).tolist()}
            sources = self._prepare(active)
            host = {i: array for i, array in arrays.items() if not isinstance(array, DeviceArray)}
            for i, array in host.items():
                self._backend.write("param", i, array)
            self._backend.give_gradients({i: self._memory_of(grads[i]) for i in arrays})
            has = self._memory.has | (active[:, None] & self._made())
            self._update(Begun(host, self._timeline.after(), has))
            if sources is not None:
                self._ready = ready(self, sources, given, active)
        return loss

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget every Parameter's gradient, or with ``set_to_none=False`` set it to zeros.

        An array that can be written is set to zeros in place, as in torch: it stays the ``grad``. A
        DeviceArray is set to zeros either way, on the device: kernels write into it.
        """
        on_devices: dict[Any, list[DeviceArray]] = {}
        for p in self._params:
            if isinstance(p, Parameter) and isinstance(p.grad, DeviceArray):
                on_devices.setdefault(p.grad._place, []).append(p.grad)
            elif isinstance(p, Parameter) and p.grad is not None:
                p.grad = None if set_to_none else zeroed(p.grad, p.shape)
        for arrays in on_devices.values():
            perform(Fill(tuple(arrays)))

    def _memory_of(self, grad: Any) -> Any:
        """Return a gradient's memory on the optimizer's device, or the array of one elsewhere."""
        here = isinstance(grad, DeviceArray) and grad._place == self._backend.place
        return grad._memory if here else np.asarray(grad)

    @outside
    @entry
    def read_hyperparameters(self) -> npt.NDArray[np.void]:
        """Return the hyperparameters that the next ``step()`` will use, as the kernel sees them.

        Waits for the device and copies one row back: a structured array, one element a group,
        float32 fields (hyper.COLUMNS). The next step is taken to update the parameters that the
        last one did; where those of a group have had different numbers of updates it is the row of
        the most updated, and a group without any gets the row of its own next update.
        """
        self._settle()
        self._check_members()
        active = self._timeline.active
        if not active.all():
            # The rows of a group at rest count on as if it were updated: make them anew.
            self._timeline.forget()
        self._prepare(active)
        return np.array(self._timeline.rows(), hyper.dtype(self.kind))

    @outside
    @entry
    def history(self, n: int) -> npt.NDArray[np.void]:
        """Return the hyperparameters that the last ``n`` updates have used: (n, groups).

        Oldest first. Each row is what ``read_hyperparameters()`` returns, for an update that was
        made, in a replay too; those left out by ``skip_nonfinite`` have none. All fields are nan
        for a group in an update that changed none of its parameters, or before the group was
        added. The updates are those that this object has made, whatever was loaded.

        There are fewer than ``n`` if there were fewer updates, and no more than 1024. Where 1024
        rows take more than 8 MB, those that fit there are kept (the last 190 of 1000 groups of
        AdamW that are each updated as a whole), and before a window of the table ends its rows
        come on top of them. The rows lie on the device until they are asked for, so that a step is
        no slower. Waits for the device.

        Raises ValueError for a negative ``n``, TypeError for what is no integer.

        >>> import numpy as np
        >>> from grilly.optim import SGD
        >>> from grilly.optim.lr_scheduler import StepLR
        >>> p = np.ones(2, np.float32)
        >>> optimizer = SGD([p], lr=0.5, device="cpu")
        >>> scheduler = StepLR(optimizer, step_size=2, gamma=0.5)
        >>> for _ in range(5):
        ...     optimizer.step(gradients=[p])
        ...     scheduler.step()
        >>> optimizer.history(3)["lr"]
        array([[0.25 ],
               [0.25 ],
               [0.125]], dtype=float32)
        """
        self._settle()
        return history(self, n)

    @outside
    @entry
    def grad_norm(self) -> float:
        """Return the norm of all gradients of the last step together, before clipping; waits.

        nan or infinite if a gradient is. Raises ValueError for an optimizer that neither clips
        (``max_norm``) nor skips (``skip_nonfinite``), and before the first step.
        """
        self._settle()
        norm = -1.0 if self._timeline.control is None else self._backend.examined().norm
        if norm < 0:
            raise ValueError(NO_NORM)
        return norm

    @outside
    @entry
    def skipped(self) -> int:
        """Return how many updates were left out, for a gradient was not finite; waits."""
        self._settle()
        return 0 if self._ledger is None else self._ledger.skipped

    @outside
    @entry
    def state_dict(self) -> dict[str, Any]:
        """Return the state in torch's form: {"state": {index: {...}}, "param_groups": [...]}.

        Waits for the device. Arrays are copies. A parameter without a state has no entry, as in
        torch. torch takes
        tensors only; this is the state for an optimizer of torch's of the same kind::

            as_tensor = functools.partial(torch.as_tensor, dtype=torch.float32)
            state = {i: {k: as_tensor(v) for k, v in s.items()} for i, s in ours["state"].items()}
            theirs.load_state_dict({**ours, "state": state})
        """
        self._settle()
        self._check_members()
        return saved_state(self)

    @outside
    @entry
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a state_dict of this class or of torch's; raise StateError if it does not fit.

        The options of the groups are replaced, the parameters stay. Nothing is changed by a
        StateError; after any other error, load again.
        """
        self._check_members()
        load_state(self, state_dict)
