"""Parameters and gradients as users give them, checked; every error names the one that is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..nn.parameter import Float32, Parameter, checked
from ..resident.array import DeviceArray

Gradient = npt.ArrayLike | DeviceArray
Gradients = Sequence[Gradient | None] | Mapping[int, Gradient]
Param = Parameter | Float32 | DeviceArray

_ITERABLE = (
    "params argument given to the optimizer should be an iterable of Parameters, float32 arrays "
    "or dicts, but got {}: write [params]"
)


def groups_of(params: Any) -> list[dict[str, Any]]:
    """Return the param groups that an optimizer's ``params`` argument means."""
    _check_no_module(params)
    single = isinstance(params, (np.ndarray, Parameter, DeviceArray, str, Mapping))
    if single or not isinstance(params, Iterable):
        raise TypeError(_ITERABLE.format(type(params).__name__))
    groups = list(params)
    if not groups:
        raise ValueError("optimizer got an empty parameter list")
    return groups if isinstance(groups[0], dict) else [{"params": groups}]


def params_of(group: Any) -> tuple[list[Param], dict[str, list[str]]]:
    """Return a group's parameters, and {"param_names": [...]} if they are (name, parameter)."""
    if not isinstance(group, dict):
        raise TypeError(f"param_group must be a dict, but got {type(group)}")
    if "params" not in group:
        raise KeyError(f"param group has no 'params', only {sorted(group)}")
    params = group["params"]
    if isinstance(params, (set, frozenset)):
        raise TypeError("params must be in an order that stays the same: pass a list, not a set")
    if isinstance(params, (Parameter, DeviceArray, np.ndarray)):
        return [params], {}
    _check_no_module(params)
    if isinstance(params, str) or not isinstance(params, Iterable):
        raise TypeError(_ITERABLE.format(type(params).__name__))
    params = list(params)
    named = [isinstance(p, tuple) and len(p) == 2 for p in params]
    if not any(named):
        return params, {}
    if not all(named):
        raise ValueError(
            "all optimizer params should be with/without names. Some param names are missing"
        )
    return [p for _, p in params], {"param_names": [name for name, _ in params]}


def _check_no_module(params: Any) -> None:
    if callable(getattr(params, "parameters", None)):  # of torch's; some can be iterated
        raise TypeError(
            f"params must be arrays, got a module, {type(params).__name__}: pass "
            "[p.detach().numpy() for p in model.parameters()]"
        )


def check_named(groups: Sequence[dict[str, Any]], new: Sequence[dict[str, Any]]) -> None:
    """Raise if a new group's parameters have names and the others' have none, or reversely."""
    for group in new:
        if any(("param_names" in group) != ("param_names" in g) for g in (*groups, new[0])):
            which = "with" if "param_names" in group else "without"
            raise ValueError(
                "all optimizer param groups should be with/without names. "
                f"cannot add param group {which} names to the optimizer"
            )


def array_of(param: Any, name: str) -> Float32 | DeviceArray:
    """Return the array that a parameter is updated in; one in host memory is a numpy array."""
    data = param.data if isinstance(param, Parameter) else param
    if isinstance(data, DeviceArray):
        return in_host_memory(data)
    return checked(data, name)


def in_host_memory(array: DeviceArray) -> Float32 | DeviceArray:
    """Return the numpy array that a DeviceArray of the numpy device is; others as they are."""
    memory = array._memory
    if isinstance(memory, np.ndarray):
        host: Float32 = memory[: array.size].reshape(array.shape)
        return host
    return array


def check_distinct(params: Sequence[Param], new: Sequence[Param]) -> None:
    """Raise if a new parameter is there already or shares memory with another one."""
    if len({id(p) for p in (*params, *new)}) < len(params) + len(new):
        raise ValueError("some parameters appear in more than one parameter group")
    arrays = [array_of(p, f"params[{i}]") for i, p in enumerate((*params, *new))]
    _check_on_devices([*params, *new], arrays)
    _check_in_host_memory(arrays)


def _check_on_devices(params: Sequence[Param], arrays: Sequence[Any]) -> None:
    grads = [getattr(p, "grad", None) for p in params]
    gradients = {id(g._memory): i for i, g in enumerate(grads) if isinstance(g, DeviceArray)}
    homes: dict[int, int] = {}
    for i, (p, a) in enumerate(zip(params, arrays, strict=True)):
        held = p.data if isinstance(p, Parameter) else p
        of = gradients.get(id(held._memory)) if isinstance(held, DeviceArray) else None
        if of is not None:
            raise ValueError(
                f"parameter {i} is the gradient of parameter {of}, so the order of their updates "
                "would matter: copy.copy(array) is an array of its own"
            )
        first = homes.setdefault(id(a._memory), i) if isinstance(a, DeviceArray) else i
        if first != i:
            raise ValueError(
                f"parameters {first} and {i} are the same DeviceArray, so the order of their "
                "updates would matter: pass it once, or copy.copy(array) for the other"
            )


def _check_in_host_memory(arrays: Sequence[Any]) -> None:
    of = {i: a for i, a in enumerate(arrays) if not isinstance(a, DeviceArray)}
    spans = sorted((*_span(a), i) for i, a in of.items() if a.size)
    for place, (_, end, i) in enumerate(spans):
        for start, _, j in spans[place + 1 :]:
            if start >= end:
                break
            if np.shares_memory(of[i], of[j]):
                raise ValueError(
                    f"parameters {min(i, j)} and {max(i, j)} share memory, so the order of their "
                    "updates would matter: pass copies"
                )


def _span(array: Float32) -> tuple[int, int]:
    return np.lib.array_utils.byte_bounds(array)


def gradients_of(
    given: Sequence[Any], shapes: Sequence[tuple[int, ...]]
) -> list[Float32 | DeviceArray | None]:
    """Return what was given as gradients in float32, one or None per parameter."""
    return [
        None if grad is None else _gradient(grad, shape, f"the gradient of parameter {i}")
        for i, (grad, shape) in enumerate(zip(given, shapes, strict=True))
    ]


def _gradient(grad: Any, shape: tuple[int, ...], name: str) -> Float32 | DeviceArray:
    if not isinstance(grad, DeviceArray):
        return real_array(grad, shape, name)
    if grad.shape != shape:
        raise ValueError(f"{name} must have the parameter's shape {shape}, got {grad.shape}")
    return in_host_memory(grad)


def given_gradients(params: Sequence[Param], gradients: Gradients | None) -> list[Any]:
    """Return what was given as gradients, unchecked, one per parameter; None: no gradient."""
    if gradients is None:
        if params and not any(isinstance(p, Parameter) for p in params):
            raise ValueError(
                "step() has no gradients: pass gradients=[...], one per parameter, or wrap the "
                "arrays in grilly.nn.Parameter and set their .grad"
            )
        return [p.grad if isinstance(p, Parameter) else None for p in params]
    if isinstance(gradients, Mapping):
        unknown = set(gradients) - {id(p) for p in params}
        if unknown:
            raise ValueError(f"gradients has a key that is no id of a parameter: {unknown.pop()}")
        return [gradients.get(id(p)) for p in params]
    if not isinstance(gradients, Iterable):
        raise TypeError(f"gradients must be a list or a dict, got {gradients!r}")
    given = list(gradients)
    if len(given) != len(params):
        raise ValueError(
            f"gradients must have one entry per parameter ({len(params)}), got {len(given)}"
        )
    return given


def zeroed(grad: Any, shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """Return a gradient's zeros: in its own array if that is one of ``shape`` to write into."""
    if isinstance(grad, np.ndarray) and grad.shape == shape and grad.flags.writeable:
        grad[...] = 0
        return grad
    return np.zeros(shape, np.float32)


def real_array(value: Any, shape: tuple[int, ...], name: str) -> Float32:
    """Return ``value`` as a float32 array of a parameter's ``shape``."""
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, RuntimeError) as error:  # a tensor's, from a GPU or a graph
        short = "bfloat16" in str(getattr(value, "dtype", ""))
        hint = ": numpy has no bfloat16, pass g.float()" if short else ""
        raise ValueError(f"{name} is no array: {error}{hint}") from error
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{name} must be real, got dtype {array.dtype}")
    if array.shape != shape:
        raise ValueError(f"{name} must have the parameter's shape {shape}, got {array.shape}")
    return array.astype(np.float32, copy=False)
