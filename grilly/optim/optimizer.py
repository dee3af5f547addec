"""Optimizer: param groups, gradients and states with PyTorch's contract, on a backend."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from .. import hyper
from ..backend import choose
from ..nn.parameter import Float32, Parameter, checked
from .state import load_state, saved_state
from .timeline import Column, Driven, Key, Source, Timeline, constant

Gradients = Sequence[npt.ArrayLike | None] | Mapping[int, npt.ArrayLike]


class Optimizer:
    """Base of the optimizers. ``param_groups`` are plain dicts of float64 numbers, as in torch.

    What is written into a group, by hand or by a scheduler, takes effect at the next ``step()``.
    """

    kind: ClassVar[str]
    columns: ClassVar[dict[str, Column]]

    def __init__(
        self, params: Iterable[Any], defaults: dict[str, Any], *, device: str | int = "auto"
    ) -> None:
        self.defaults = defaults
        self.param_groups: list[dict[str, Any]] = []
        self._params: list[Any] = []
        self._driven: dict[tuple[int, Key], Driven] = {}
        self._constants: dict[tuple[int, Key], tuple[Any, Source]] = {}
        self._layout: Any = None
        groups = _groups(params)
        self._backend = choose(device, self.kind)
        columns = [self.columns[name] for name in hyper.COLUMNS[self.kind]]
        self._keys = tuple(dict.fromkeys(column.key for column in columns))
        self._timeline = Timeline(self._backend, columns)
        for group in groups:
            self.add_param_group(group)

    @property
    def device(self) -> str:
        """The name of the device that the updates run on; "numpy" without one."""
        return self._backend.name

    @property
    def states(self) -> tuple[str, ...]:
        """The names of a parameter's states, as in a state_dict."""
        raise NotImplementedError

    def _check(self, group: dict[str, Any]) -> None:
        """Raise ValueError if an option of a new group cannot be meant."""

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group: a dict with "params" and any options; the defaults fill in the rest.

        Raises TypeError or ValueError, and adds nothing, if a parameter is not a writeable
        float32 array or Parameter, stands in a group already, or an option is out of range.
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        group = {**self.defaults, **param_group, "params": _listed(param_group["params"])}
        known = {id(p) for p in self._params}
        for i, p in enumerate(group["params"]):
            _data(p, f"params[{i}]")
            if id(p) in known:
                raise ValueError("some parameters appear in more than one parameter group")
            known.add(id(p))
        self._check(group)
        for key in self._keys:
            constant(_get(group, key), _label(key))
        self.param_groups.append(group)
        self._params = [p for g in self.param_groups for p in g["params"]]
        self._timeline.resize([i for i, g in enumerate(self.param_groups) for _ in g["params"]])

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget every Parameter's gradient, or with ``set_to_none=False`` set it to zeros."""
        for p in self._params:
            if isinstance(p, Parameter) and p.grad is not None:
                p.grad = None if set_to_none else np.zeros(p.shape, np.float32)

    def step(
        self, closure: Callable[[], Any] | None = None, *, gradients: Gradients | None = None
    ) -> Any:
        """Update every parameter that has a gradient; return what ``closure()`` returned.

        Gradients are the Parameters' ``grad``, or ``gradients``: a list in the order of the
        parameters (None: no gradient), or a dict {id(parameter): array}. When it returns, the
        user's arrays hold the new values.

        Raises ValueError or TypeError, before anything is changed, for a gradient of the wrong
        shape or type and for a hyperparameter that is not finite; DeviceError if the device fails.
        """
        loss = closure() if closure is not None else None
        grads = self._gradients(gradients)
        active = np.array([grad is not None for grad in grads], np.bool_)
        if active.any():
            self._prepare(active)
            for i, grad in enumerate(grads):
                if grad is not None:
                    self._backend.write("param", i, self._array(i))
                    self._backend.write("grad", i, grad)
            self._timeline.step(active)
            for i in np.flatnonzero(active).tolist():
                self._backend.read("param", i, self._array(i))
        return loss

    def read_hyperparameters(self) -> npt.NDArray[np.void]:
        """Return the hyperparameters that the next ``step()`` will use, as the kernel sees them.

        Waits for the device and copies one row back: a structured array, one element a group,
        float32 fields (hyper.COLUMNS). In a group whose parameters have had different numbers of
        updates it is the row of the most updated.
        """
        self._prepare(np.ones(len(self._params), np.bool_))
        return np.array(self._timeline.rows(), hyper.dtype(self.kind))

    def state_dict(self) -> dict[str, Any]:
        """Return the state in torch's form: {"state": {index: {...}}, "param_groups": [...]}.

        Arrays are copies. A parameter that has had no update has no entry, as in torch.
        """
        self._allocate()
        return saved_state(self)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a state_dict of this class or of torch's; raise StateError if it does not fit.

        The options of the groups are replaced, the parameters stay. Nothing is changed on error.
        """
        load_state(self, state_dict)

    def _prepare(self, active: npt.NDArray[np.bool_]) -> None:
        sources = [self._sources(i, group) for i, group in enumerate(self.param_groups)]
        self._allocate()
        self._timeline.prepare(sources, active)

    def _sources(self, number: int, group: dict[str, Any]) -> dict[Key, Source]:
        return {key: self._source(number, group, key) for key in self._keys}

    def _source(self, number: int, group: dict[str, Any], key: Key) -> Source:
        value = _get(group, key)
        driven = self._driven.get((number, key))
        source = driven.source(value) if driven is not None else None
        if source is not None:
            return source
        known = self._constants.get((number, key))
        if known is None or known[0] is not value:
            known = value, constant(value, f"param_groups[{number}]{_label(key)}")
            self._constants[number, key] = known
        return known[1]

    def _allocate(self) -> None:
        """Make the slabs fit the parameters and states that there are, keeping what they hold."""
        sizes = [self._array(i).size for i in range(len(self._params))]
        layout = (sizes, self.states)
        if layout != self._layout:
            held = self._held_states()
            self._backend.allocate(*layout)
            self._layout = layout
            for i, states in enumerate(held):
                for name, values in states.items():
                    self._backend.write(name, i, values)
            self._timeline.resize([i for i, g in enumerate(self.param_groups) for _ in g["params"]])

    def _held_states(self) -> list[dict[str, Float32]]:
        """Return copies of all states that are on the device, by parameter."""
        sizes, names = self._layout or ([], ())
        held = []
        for i in range(len(sizes)):
            states = {name: np.empty(self._array(i).shape, np.float32) for name in names}
            for name, out in states.items():
                self._backend.read(name, i, out)
            held.append(states)
        return held

    def _group_of(self, i: int) -> dict[str, Any]:
        owners = [group for group in self.param_groups for _ in group["params"]]
        return owners[i]

    def _array(self, i: int) -> Float32:
        return _data(self._params[i], f"parameter {i}")

    def _gradients(self, gradients: Gradients | None) -> list[Float32 | None]:
        """Return one float32 gradient or None per parameter; raise before anything changes."""
        if gradients is None:
            given = [p.grad if isinstance(p, Parameter) else None for p in self._params]
        elif isinstance(gradients, Mapping):
            unknown = set(gradients) - {id(p) for p in self._params}
            if unknown:
                raise ValueError(
                    f"gradients has a key that is no id of a parameter: {unknown.pop()}"
                )
            given = [gradients.get(id(p)) for p in self._params]
        else:
            given = list(gradients)
            if len(given) != len(self._params):
                raise ValueError(
                    f"gradients must have one entry per parameter ({len(self._params)}), "
                    f"got {len(given)}"
                )
        return [self._gradient(i, grad) for i, grad in enumerate(given)]

    def _gradient(self, i: int, grad: Any) -> Float32 | None:
        if grad is None:
            return None
        array = np.asarray(grad)
        if array.dtype.kind not in "fiu":
            raise TypeError(f"the gradient of parameter {i} must be real, got dtype {array.dtype}")
        if array.shape != self._array(i).shape:
            raise ValueError(
                f"the gradient of parameter {i} must have its shape {self._array(i).shape}, "
                f"got {array.shape}"
            )
        return array.astype(np.float32, copy=False)


def _groups(params: Iterable[Any]) -> list[dict[str, Any]]:
    if isinstance(params, (np.ndarray, Parameter, str, Mapping)):
        raise TypeError(
            "params argument given to the optimizer should be an iterable of Parameters, float32 "
            f"arrays or dicts, but got {type(params).__name__}: write [params]"
        )
    groups = list(params)
    if not groups:
        raise ValueError("optimizer got an empty parameter list")
    return groups if isinstance(groups[0], dict) else [{"params": groups}]


def _listed(params: Any) -> list[Any]:
    if isinstance(params, (set, frozenset)):
        raise TypeError("params must be in an order that stays the same: pass a list, not a set")
    return [params] if isinstance(params, (Parameter, np.ndarray)) else list(params)


def _data(p: Any, name: str) -> Float32:
    return checked(p.data if isinstance(p, Parameter) else p, name)


def _get(group: dict[str, Any], key: Key) -> Any:
    value = group[key[0]]
    return value if len(key) == 1 else value[key[1]]


def _label(key: Key) -> str:
    return "".join(f"[{part!r}]" for part in key)
