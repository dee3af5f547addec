"""Specialization constants: numbers that are given, as the shader declares them."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

import numpy as np

Constant = int | float | bool

# What a shader declares -> the least and the most that it takes.
RANGES = {"int": (-(2**31), 2**31 - 1), "uint": (0, 2**32 - 1)}


def checked_constants(given: object) -> dict[int, Any]:
    """Return constants by number; TypeError unless ``given`` is a Mapping of ints to numbers."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise TypeError(
            f"constants must be a Mapping of ints to numbers, such as {{0: 0.5}}, got {given!r}"
        )
    for number, value in given.items():
        if not _is_int(number):
            raise TypeError(f"constants must have ints as keys (the constant_id), got {number!r}")
        if not isinstance(value, (int, float, np.integer, np.floating, np.bool_)):
            raise TypeError(f"constants[{number}] must be a number or a bool, got {value!r}")
    return {operator.index(number): value for number, value in given.items()}


def fit_constants(kinds: Mapping[int, str], given: Mapping[int, Any]) -> dict[int, bytes]:
    """Return the 4 bytes of each constant; ``kinds`` are what the shader declares, by number.

    Raises ValueError or TypeError, with the constant's number, for what does not fit.
    """
    return {number: _word(kinds, number, value) for number, value in given.items()}


def _word(kinds: Mapping[int, str], number: int, value: Any) -> bytes:
    if number not in kinds:
        has = ", ".join(f"{known} ({kinds[known]})" for known in sorted(kinds)) or "none"
        raise ValueError(
            f"constants[{number}] is {value!r}, but the shader has no specialization constant "
            f"{number}: it has {has}"
        )
    kind = kinds[number]
    if kind == "bool":
        return _bool(number, value)
    return _float(number, value) if kind == "float" else _int(number, value, kind)


def _bool(number: int, value: Any) -> bytes:
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"constants[{number}] is a bool of the shader, got {value!r}: give a bool")
    return int(value).to_bytes(4, "little")  # VkBool32


def _float(number: int, value: Any) -> bytes:
    if isinstance(value, (bool, np.bool_)):
        raise TypeError(
            f"constants[{number}] is a float of the shader, got {value!r}: give a number"
        )
    try:
        with np.errstate(over="ignore"):
            rounded = np.float32(value)
            made_inf = np.isinf(rounded) and not np.isinf(value)
    except (OverflowError, TypeError):  # an int beyond float64
        made_inf = True
    if made_inf:
        raise ValueError(
            f"constants[{number}] is a float of the shader, and {value!r} is beyond float32: "
            "give at most 3.4e38, or inf itself"
        )
    return bytes(rounded.astype("<f4").tobytes())


def _int(number: int, value: Any, kind: str) -> bytes:
    if not _is_int(value):
        raise TypeError(
            f"constants[{number}] is {_a(kind)} of the shader, got {value!r}: give an int"
        )
    least, most = RANGES[kind]
    if not least <= operator.index(value) <= most:
        raise ValueError(
            f"constants[{number}] is {_a(kind)} of the shader, of 32 bits, got {value!r}: "
            f"give {least} to {most}"
        )
    return (operator.index(value) & 0xFFFFFFFF).to_bytes(4, "little")


def _is_int(value: object) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _a(kind: str) -> str:
    return "an int" if kind == "int" else "a uint"
