"""Residents: parameters that live on a Vulkan device, and what that means for an optimizer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..backend import Backend
from ..nn.parameter import Parameter
from ..planning import Homes
from ..resident.array import DeviceArray
from ..resident.places import VulkanPlace
from .params import params_of


def resident(param: Any) -> DeviceArray | None:
    """Return the array of a parameter that lives on a Vulkan device."""
    data = param.data if isinstance(param, Parameter) else param
    on_vulkan = isinstance(data, DeviceArray) and isinstance(data._place, VulkanPlace)
    return data if on_vulkan else None


def homes_of(params: Sequence[Any]) -> Homes:
    """Return the memory of the parameters that live on a device, by number; not of empty ones."""
    arrays = map(resident, params)
    return {i: a._memory for i, a in enumerate(arrays) if a is not None and a.size}


def choice(device: str | int, groups: Sequence[Any]) -> str | int:
    """Return where an optimizer of these groups works: "auto" is where its parameters live."""
    if not (isinstance(device, str) and device.lower() == "auto"):
        return device
    for group in groups:
        for param in params_of(group)[0]:
            data = param.data if isinstance(param, Parameter) else param
            if isinstance(data, DeviceArray):
                place = data._place
                return place.device.info.index if isinstance(place, VulkanPlace) else "cpu"
    return device


def listed(groups: Sequence[Any]) -> list[Any]:
    """Return the groups with lists for iterators of parameters, which can be gone through once."""
    return [
        {**group, "params": list(group["params"])}
        if isinstance(group, dict) and isinstance(group.get("params"), Iterator)
        else group
        for group in groups
    ]


def check_place(backend: Backend, params: Sequence[Any]) -> None:
    """Raise ValueError if a parameter lives on another device than the optimizer's."""
    for i, param in enumerate(params):
        array = resident(param)
        if array is not None and array._place != backend.place:
            raise ValueError(
                f"params[{i}] lives on {array.device}, the optimizer is on {backend.name}: give "
                'the optimizer device="auto", or make the parameter there'
            )
