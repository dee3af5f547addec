"""Saving: any schedule as JSON, and back, by the fields of its dataclass and their types."""

from __future__ import annotations

import dataclasses
import json
import math
import types
from collections import Counter
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

from ..errors import StateError
from .base import Schedule
from .depth import MOST_DEPTH

VERSION = 1
_TOO_DEEP = f"is nested more than {MOST_DEPTH} deep"


def classes() -> dict[str, type[Schedule]]:
    """Return all schedules of grilly by name, those of the rules too."""
    found: dict[str, type[Schedule]] = {}
    for one in _subclasses(Schedule):
        ours = one.__module__.startswith("grilly.") and not one.__name__.startswith("_")
        if ours and one.lasting and dataclasses.is_dataclass(one):
            found[one.__name__] = one
    return found


def _subclasses(cls: type[Schedule]) -> Iterator[type[Schedule]]:
    for one in cls.__subclasses__():
        yield one
        yield from _subclasses(one)


@lru_cache(maxsize=256)
def _types(cls: Any) -> dict[str, Any]:
    """Return the types of what the dataclass ``cls`` is made of, by name."""
    hints = get_type_hints(cls)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls) if field.init}


# --- To JSON --------------------------------------------------------------------------------------


def to_json(schedule: Schedule) -> str:
    """Return ``schedule`` as JSON: see Schedule.to_json."""
    text = json.dumps({"grilly": VERSION, "schedule": _plain(schedule, "schedule", 1)})
    try:
        from_json(text)
    except StateError as error:  # of a wrong type, which nobody has noticed before
        raise ValueError(f"this schedule could not be loaded again: {error}") from None
    return text


def _plain(value: Any, path: str, depth: int) -> Any:
    if isinstance(value, Schedule):
        if depth > MOST_DEPTH:
            raise ValueError(f"{path[:60]}... {_TOO_DEEP}")
        cls: Any = type(value)
        if cls not in classes().values() or _holds_a_function(value):
            raise _no_json(value, path)
        parts = {n: _plain(getattr(value, n), f"{path}.{n}", depth + 1) for n in _types(cls)}
        return {"type": cls.__name__, **parts}
    if isinstance(value, (tuple, list)):
        return [_plain(item, f"{path}[{i}]", depth) for i, item in enumerate(value)]
    if isinstance(value, (np.generic, np.ndarray)) and value.ndim == 0:
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{path} is {value}, which JSON has not: only finite numbers can be saved")
    if value is not None and not isinstance(value, (bool, int, float, str)):
        raise _no_json(value, path)
    return value


def _holds_a_function(schedule: Schedule) -> bool:
    cls: Any = type(schedule)
    values = (getattr(schedule, name) for name in _types(cls))
    return any(callable(value) and not isinstance(value, Schedule) for value in values)


def _no_json(value: Any, path: str) -> TypeError:
    return TypeError(
        f"{path} cannot be saved as JSON, got {value!r}: a function of the step can if it is "
        'written as a text, such as "0.95**t", and a schedule if its class is one of grilly\'s'
    )


# --- From JSON ------------------------------------------------------------------------------------


class _Object(dict[str, Any]):
    """A JSON object that knows which of its keys stood there twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.twice = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]


def from_json(text: str) -> Schedule:
    """Return the schedule that ``to_json`` wrote: an equal one.

    Nothing but what it writes is accepted. Raises StateError, a ValueError that names the place
    ("schedule.phases[1].period"), for an unknown version, type or key, a key that is missing or
    there twice, a value of the wrong type, a number that is not finite, what the schedule itself
    refuses, more than 100 schedules one in another, and what is no JSON; TypeError if ``text`` is
    no str.

    >>> from grilly.schedules import Cosine
    >>> from_json(Cosine(1.0, 0.0, 10).to_json())
    Cosine(high=1.0, low=0.0, period=10)
    """
    if not isinstance(text, str):
        raise TypeError(f"from_json takes a str, got {type(text).__name__}")
    try:
        data = json.loads(text, object_pairs_hook=_Object)
    except RecursionError:
        raise StateError(f"the JSON {_TOO_DEEP}") from None
    except ValueError as error:  # an int of too many digits, too
        raise StateError(f"this is no JSON: {error}") from None
    try:
        return _loaded(data)
    except RecursionError:
        raise StateError(f"the JSON {_TOO_DEEP}") from None


def _loaded(data: Any) -> Schedule:
    _check_keys(data, {"grilly", "schedule"}, "the JSON")
    version = data["grilly"]
    if type(version) is not int or version != VERSION:
        raise StateError(f"grilly must be {VERSION}, the version of this format, got {version!r}")
    made: Schedule = _made(Schedule, data["schedule"], "schedule", 1)
    return made


def _check_keys(data: Any, wanted: set[str], path: str) -> None:
    if not isinstance(data, _Object):
        raise StateError(f"{path} must be an object, got {_shown(data)}")
    wrong = {
        "has unknown keys": set(data) - wanted,
        "lacks": wanted - set(data),
        "has twice": set(data.twice),
    }
    for problem, keys in wrong.items():
        if keys:
            must = f"its keys must be {sorted(wanted)}, got {_shown(sorted(data))}"
            raise StateError(f"{path} {problem} {_shown(sorted(keys))}: {must}")


def _made(hint: Any, value: Any, path: str, depth: int) -> Any:
    """Return what ``value`` means where the type is ``hint``."""
    for one in _alternatives(hint):
        kind = get_origin(one) or one
        if kind is tuple and isinstance(value, list):
            return _tuple(get_args(one), value, path, depth)
        if isinstance(kind, type) and issubclass(kind, Schedule) and isinstance(value, _Object):
            return _schedule(kind, value, path, depth)
        if kind is Literal and any(value == a and type(value) is type(a) for a in get_args(one)):
            return value
        if _PLAIN.get(kind, _never)(value):
            return value
    raise StateError(f"{path} must be {_named(hint)}, got {_shown(value)}")


def _schedule(base: type[Schedule], data: _Object, path: str, depth: int) -> Schedule:
    if depth > MOST_DEPTH:
        raise StateError(f"{path[:60]}... {_TOO_DEEP}")
    name = data.get("type")
    cls: Any = classes().get(name) if isinstance(name, str) else None
    if cls is None or not issubclass(cls, base):
        raise StateError(f"{path}.type must be the name of a schedule, got {_shown(name)}")
    hints = _types(cls)
    _check_keys(data, {"type", *hints}, path)
    fields = {n: _made(hints[n], data[n], f"{path}.{n}", depth + 1) for n in hints}
    try:
        made: Schedule = cls(**fields)
    except (TypeError, ValueError, ArithmeticError, LookupError) as error:
        raise StateError(f"{path} is refused by {name}: {error}") from error
    return made


def _tuple(hints: tuple[Any, ...], values: list[Any], path: str, depth: int) -> tuple[Any, ...]:
    if hints[1:] == (...,):
        hints = hints[:1] * len(values)
    if len(hints) != len(values):
        raise StateError(f"{path} must have {len(hints)} items, got {len(values)}")
    pairs = enumerate(zip(hints, values, strict=True))
    return tuple(_made(hint, value, f"{path}[{i}]", depth) for i, (hint, value) in pairs)


def _is_number(value: Any) -> bool:
    try:
        return type(value) in (int, float) and math.isfinite(value)
    except OverflowError:  # an int that no float holds
        return False


def _never(value: Any) -> bool:
    return False


_PLAIN: dict[Any, Callable[[Any], bool]] = {
    float: _is_number,
    int: lambda value: type(value) is int and _is_number(value),
    bool: lambda value: type(value) is bool,
    str: lambda value: type(value) is str,
    type(None): lambda value: value is None,
}
_ANY = (float, bool, str, type(None), Schedule, tuple[Any, ...])


def _alternatives(hint: Any) -> tuple[Any, ...]:
    if hint is Any:
        return _ANY
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def _named(hint: Any) -> str:
    names = {float: "a finite number", int: "a whole number", bool: "true or false", str: "a text"}
    names |= {type(None): "null", Schedule: "a schedule"}
    words = []
    for one in _alternatives(hint):
        if get_origin(one) is tuple:
            words.append("a list")
        elif get_origin(one) is Literal:
            words += map(repr, get_args(one))
        elif one in names:
            words.append(names[one])
    return " or ".join(words) or "what JSON cannot hold"


def _shown(value: Any) -> str:
    """Return the start of ``value``, which may be long or deep."""
    if isinstance(value, (dict, list)) and not all(isinstance(v, str) for v in value):
        return "an object" if isinstance(value, dict) else "a list"
    text = repr(value) if not isinstance(value, dict) else "an object"
    return text if len(text) <= 60 else f"{text[:60]}..."
