"""Optimizer: param groups, gradients and states with PyTorch's contract, on a backend."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import lru_cache
from itertools import chain
from operator import is_
from typing import Any, ClassVar, NamedTuple, NoReturn

import numpy as np
import numpy.typing as npt

from .. import hyper
from ..backend import Pace, choose
from ..errors import DeviceError, RecordError
from ..interrupt import Uninterrupted
from ..nn.parameter import Float32, Parameter
from ..resident import recording
from ..resident.array import DeviceArray
from .applied import Ledger, skipping
from .control import NO_NORM, check_control, control_of
from .entry import entry
from .memory import Memory
from .options import Key, Limit, check_arguments, check_hints, check_number, label, option
from .params import (
    Gradients,
    array_of,
    check_distinct,
    check_named,
    given_gradients,
    gradients_of,
    groups_of,
    params_of,
    zeroed,
)
from .progress import Progress
from .recorded import RecordedStep
from .residents import check_place, choice, homes_of, listed
from .sources import Sources
from .state import load_state, saved_state
from .timeline import Column, Timeline

# Seconds that an update which Ctrl-C cut short may take to end.
PATIENCE = 1.0


@lru_cache(maxsize=256)
def _repeated(flags: tuple[Any, ...], members: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """Return ``flags``, each as often as ``members`` says; kept, because each step asks for it."""
    array = np.repeat(np.array(flags, np.bool_), members, axis=0)
    array.flags.writeable = False
    return array


class Begun(NamedTuple):
    """An update from its submission to its end, with all that it changes on the host."""

    arrays: dict[int, Float32]
    progress: Progress
    has: npt.NDArray[np.bool_]


class Optimizer:
    """Base of the optimizers. ``param_groups`` are plain dicts of float64 numbers, as in torch.

    What is written into a group, by hand or by a scheduler, takes effect at the next ``step()``.
    """

    # The kernels' name, the states that a parameter may have (in the order of their slabs), and
    # what each parameter's entry in a state_dict must have.
    kind: str
    all_states: ClassVar[tuple[str, ...]]
    required: ClassVar[tuple[str, ...]] = ()
    # What an entry may have beside: the products of the betas that were used.
    products: ClassVar[tuple[str, ...]] = ()
    columns: ClassVar[dict[str, Column]]
    # Whether bias corrections are those of the betas that were used.
    exact: bool = False
    limits: ClassVar[dict[Key, Limit]]

    def __init__(
        self,
        params: Iterable[Any],
        defaults: dict[str, Any],
        *,
        max_norm: float | None = None,
        skip_nonfinite: bool = False,
        device: str | int = "auto",
    ) -> None:
        check_control(max_norm, skip_nonfinite)
        self.max_norm = max_norm
        # What is known of the updates that may be left out; None: none are.
        self._ledger = Ledger() if skip_nonfinite else None
        self.defaults = defaults
        self.param_groups: list[dict[str, Any]] = []
        self._params: list[Any] = []
        self._members: list[int] = []
        # An update of which it is not known whether the device has made it.
        self._begun: Begun | None = None
        self._lock = threading.RLock()
        columns = [self.columns[name] for name in hyper.COLUMNS[self.kind]]
        keys = tuple(dict.fromkeys(column.key for column in columns))
        self._sources = Sources(keys, self.limits)
        self._driven = self._sources.driven  # where schedulers leave their tracks
        self._check(defaults, argument=True)
        check_arguments(defaults)
        self.check_defaults()
        groups = listed(groups_of(params))
        self._backend = choose(choice(device, groups), self.kind)
        self._memory = Memory(self._backend, self.all_states)
        self._timeline = Timeline(self._backend, columns, self.exact)
        self._add(groups)
        if skip_nonfinite:
            kind: Any = type(self)
            self.__class__ = skipping(kind)

    # Whether updates were attempted of which it is not known whether they were made.
    _unsure: bool = False

    @property
    def skip_nonfinite(self) -> bool:
        """Whether an update is left out whose gradients have a value that is not finite."""
        return self._ledger is not None

    @property
    def device(self) -> str:
        """The name of the device that the updates run on; "numpy" without one."""
        return self._backend.name

    def states_of(self, group: dict[str, Any]) -> tuple[str, ...]:
        """Return the names of the states that an update in ``group`` makes, as in a state_dict."""
        raise NotImplementedError

    def counts(self, group: dict[str, Any]) -> bool:
        """Whether an update in ``group`` counts for its parameters' k."""
        return True

    def check_defaults(self) -> None:
        """Raise ValueError for defaults that are good one by one, but not together."""

    def check_group(self, group: dict[str, Any], where: str = "") -> None:
        """Raise ValueError for an option, no number of a column, that cannot be done."""
        check_hints(group, where)

    def adopted(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return what a loaded group's options mean in this class."""
        return options

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} (on {self.device}"]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}: {len(group['params'])} parameters")
            lines += [f"    {k}: {v!r}" for k, v in sorted(group.items()) if k != "params"]
        return "\n".join(lines) + "\n)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("an optimizer holds a device: copy or save its state_dict() instead")

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

    def _add(self, new: Sequence[Any]) -> None:
        """Add groups, all or none. They are checked together: each by itself takes n^2 time."""
        groups = [self._completed(group) for group in new]
        params = [p for group in groups for p in group["params"]]
        check_distinct(self._params, params)
        check_named(self.param_groups, groups)
        for group in groups:
            self._check(group)
        check_place(self._backend, params)
        members = [len(group["params"]) for group in groups]
        first = len(self.param_groups)
        self.param_groups += groups
        self._params += params
        self._members += members
        self._memory.take_in([array_of(p, "params").shape for p in params])
        self._timeline.take_in([i for i, n in enumerate(members, first) for _ in range(n)])

    def _completed(self, group: Any) -> dict[str, Any]:
        params, names = params_of(group)
        return {**self.defaults, **group, "params": params, **names}

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget every Parameter's gradient, or with ``set_to_none=False`` set it to zeros.

        An array that can be written is set to zeros in place, as in torch: it stays the ``grad``. A
        DeviceArray is set to zeros either way, on the device: kernels write into it.
        """
        for p in self._params:
            if isinstance(p, Parameter) and isinstance(p.grad, DeviceArray):
                p.grad.fill_zero()
            elif isinstance(p, Parameter) and p.grad is not None:
                p.grad = None if set_to_none else zeroed(p.grad, p.shape)

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
        if tape is not None:
            tape.append(RecordedStep(self, given_gradients(self._params, gradients)))
            return None
        grads = gradients_of(self._params, self._memory.shapes, gradients)
        active = np.array([grad is not None for grad in grads], np.bool_)
        if active.any():
            arrays = {i: self._array(i) for i in np.flatnonzero(active).tolist()}
            self._prepare(active)
            host = {i: array for i, array in arrays.items() if not isinstance(array, DeviceArray)}
            for i, array in host.items():
                self._backend.write("param", i, array)
            for i in arrays:
                self._give_gradient(i, grads[i])
            self._update(host, active)
        return loss

    def _give_gradient(self, i: int, grad: Any) -> None:
        if isinstance(grad, DeviceArray) and grad._place == self._backend.place:
            self._backend.give_gradient(i, grad._memory)
        else:
            self._backend.write("grad", i, np.asarray(grad))

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

    @entry
    def skipped(self) -> int:
        """Return how many updates were left out, for a gradient was not finite; waits."""
        self._settle()
        return 0 if self._ledger is None else self._ledger.skipped

    @entry
    def state_dict(self) -> dict[str, Any]:
        """Return the state in torch's form: {"state": {index: {...}}, "param_groups": [...]}.

        Arrays are copies. A parameter without a state has no entry, as in torch. torch takes
        tensors only; this is the state for an optimizer of torch's of the same kind::

            as_tensor = functools.partial(torch.as_tensor, dtype=torch.float32)
            state = {i: {k: as_tensor(v) for k, v in s.items()} for i, s in ours["state"].items()}
            theirs.load_state_dict({**ours, "state": state})
        """
        self._settle()
        self._check_members()
        return saved_state(self)

    @entry
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a state_dict of this class or of torch's; raise StateError if it does not fit.

        The options of the groups are replaced, the parameters stay. Nothing is changed by a
        StateError; after any other error, load again.
        """
        self._check_members()
        load_state(self, state_dict)

    def _check(self, group: dict[str, Any], argument: bool = False) -> None:
        """Raise ValueError or TypeError if an option of a group cannot be meant.

        torch checks the constructor's arguments (``argument``) more strictly than a group.
        """
        for key in self._sources.keys:
            check_number(self.limits, key, option(group, key), label(key), argument)
        self.check_group(group)

    def _check_members(self) -> None:
        """Raise ValueError unless the groups hold the very parameters that were added."""
        lists = [group.get("params", ()) for group in self.param_groups]
        same = self._members == [len(params) for params in lists]
        # By identity: equal arrays are others, and == of two arrays is no answer.
        if not same or not all(map(is_, chain.from_iterable(lists), self._params)):
            raise ValueError(
                "param_groups or a group's params were changed by hand: add with "
                "add_param_group, and to remove or replace make a new optimizer"
            )

    def _prepare(
        self, active: npt.NDArray[np.bool_], tracks: dict[int, Pace] | None = None, period: int = 1
    ) -> None:
        """Have memory and table for an update, or for a replay in which tracks have these paces."""
        sources = [self._sources.of(i, group) for i, group in enumerate(self.param_groups)]
        for i, group in enumerate(self.param_groups):
            self.check_group(group, f"param_groups[{i}] ")
        self._make_room()
        counted = self._per_parameter([self.counts(group) for group in self.param_groups])
        paces = None if tracks is None else self._sources.paces(sources, tracks, period)
        timeline = self._timeline
        timeline.control = control_of(self.max_norm, self.skip_nonfinite)
        if timeline.fits(sources, active, counted, paces):
            return
        if self._ask_applied():
            self._prepare(active, tracks, period)  # the groups have other numbers now
            return
        try:
            timeline.plan(sources, active, counted, paces)
        finally:
            if self._ledger is not None:
                self._ledger.planned(self)

    @entry
    def _get_ready(
        self, active: npt.NDArray[np.bool_], tracks: dict[int, Pace], period: int
    ) -> float:
        """Have all that a replay needs; return the number of updates that it may have."""
        self._settle()
        self._check_members()
        arrays = {i: self._array(i) for i in np.flatnonzero(active).tolist()}
        self._prepare(active, tracks, period)
        for i, array in arrays.items():
            if not isinstance(array, DeviceArray):  # of the numpy device
                self._backend.write("param", i, array)
        return self._timeline.updates_left

    @entry
    def _replayed(self, active: npt.NDArray[np.bool_], updates: int) -> None:
        """Count updates that a tape has made; 0: it failed, and nothing is known."""
        if updates:
            if self._ledger is not None:
                self._ledger.attempts(self)
            self._memory.has = self._memory.has | (active[:, None] & self._made())
            self._timeline.progress = self._timeline.after(updates)
        else:
            self._timeline.forget()

    def _update(self, arrays: dict[int, Float32], active: npt.NDArray[np.bool_]) -> None:
        """Make the update that was prepared: wholly, or not at all."""
        has = self._memory.has | (active[:, None] & self._made())
        self._begun = Begun(arrays, self._timeline.after(), has)
        try:
            self._timeline.step()
            self._finish(self._begun)
        except BaseException:
            # At once, so that nobody sees or saves half of it, but Ctrl-C must not take for ever.
            with suppress(DeviceError):
                self._settle(PATIENCE)
            raise

    def _settle(self, patience: float | None = None) -> None:
        """Finish an update that was cut short if the device has made it; forget it if not."""
        if self._begun is not None:
            applied = self._backend.applied(patience)
            if applied is not None and self._ledger is not None:
                applied += self._backend.examined().skipped - self._ledger.left_out
            if applied == self._begun.progress.row:
                self._finish(self._begun)
            elif applied is not None:
                self._begun = None
        if self._unsure and self._begun is None:
            self._settle_applied()

    def _finish(self, begun: Begun) -> None:
        if self._ledger is not None:
            self._ledger.attempts(self)
        self._timeline.progress, self._memory.has = begun.progress, begun.has
        for i, array in begun.arrays.items():
            self._backend.read("param", i, array)
        self._begun = None

    def _settle_applied(self) -> None:
        """Learn which updates the device has made, where that is not known; waits then."""
        if self._unsure:
            self._backend.check()  # as in entry.py
            with self._lock:
                self._ask_applied()

    def _ask_applied(self) -> int:
        """Ask the device which updates were made; return how many of the unknown were skipped."""
        ledger = self._ledger
        if ledger is None or not ledger.unknown(self):
            return 0
        applied, examined = self._backend.applied(), self._backend.examined()
        assert applied is not None
        with Uninterrupted(), self._as_if_made():
            skipped = ledger.learn(self, applied, examined)
            if skipped and self._begun is not None:  # it comes after what is known now
                has = self._memory.has | (self._timeline.active[:, None] & self._made())
                self._begun = Begun(self._begun.arrays, self._timeline.after(), has)
        return skipped

    def _as_if_made(self) -> AbstractContextManager[None]:
        """Return a context in which unknown updates are taken for made."""
        return nullcontext()

    def _per_parameter(self, flags: Iterable[Any]) -> npt.NDArray[np.bool_]:
        """Return a flag, or some, of each group as those of each parameter."""
        return _repeated(tuple(flags), tuple(self._members))

    def _made(self) -> npt.NDArray[np.bool_]:
        """Return which states an update of each parameter makes: (parameters, all_states)."""
        made = (self.states_of(group) for group in self.param_groups)
        return self._per_parameter(tuple(s in states for s in self.all_states) for states in made)

    def _make_room(self, also: Iterable[str] = ()) -> None:
        """Have slabs for all parameters, what updates of them make, and ``also`` these states."""
        wanted = set(also).union(*map(self.states_of, self.param_groups))
        homes = homes_of(self._params)
        if not self._memory.fits(wanted, homes):
            self._timeline.forget()
            self._memory.move(wanted, homes)

    def _array(self, i: int) -> Float32 | DeviceArray:
        array, shape = array_of(self._params[i], f"parameter {i}"), self._memory.shapes[i]
        if array.shape != shape:
            raise ValueError(
                f"parameter {i} has shape {array.shape}, but had {shape} when it was "
                "added: give it an array of that shape, or make a new optimizer"
            )
        return array
