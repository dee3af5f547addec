"""Copies of functions with the state that is theirs, to be called in place of them."""

from __future__ import annotations

import functools
import types
from collections.abc import Iterable
from typing import Any

import numpy as np

from ...schedules import Schedule
from ..course import fingerprint

# So many numbers and the like are copied with a function, once a window.
MOST_COPIED = 10_000
# What cannot change, and what belongs to everybody: a module, a class.
_SHARED = (int, float, complex, str, bytes, np.generic, types.ModuleType, type)
_REDUCE = ("__reduce__", "__reduce_ex__")
_CONTAINERS = (list, tuple, set, frozenset)


def detached(function: Any) -> Any:
    """Return what may be called in place of ``function``; None if nothing can.

    Of a callable object the attributes are its state, of a method those of its object, of a
    functools.partial the arguments, of a function the variables around it and its defaults. They
    are copied if they are plain and few: then no call of the copy changes what the function itself
    gives. What it reads and writes elsewhere, as global variables, is not known.
    """
    try:
        return _Copier().copied(function)
    except Exception:  # more than that, an object that is not plain, or one that raises
        return None


class _Copier:
    """Copies a value; one that is met again is the same in the copy."""

    def __init__(self) -> None:
        self._left = MOST_COPIED
        self._made: dict[int, Any] = {}
        self._kept: list[Any] = []  # so that no id is used twice

    def copied(self, value: Any) -> Any:
        """Return a copy; raise an error if there is none."""
        if value is None or isinstance(value, _SHARED):
            self._count(1)
            return value
        if id(value) not in self._made:
            self._count(value.size if isinstance(value, np.ndarray) else 1)
            self._kept.append(value)
            self._made[id(value)] = self._made.get(id(value), self._new(value))
        return self._made[id(value)]

    def _count(self, numbers: int) -> None:
        self._left -= numbers
        if self._left < 0:
            raise ValueError(f"more than {MOST_COPIED} numbers")

    def _new(self, value: Any) -> Any:
        if isinstance(value, types.FunctionType):
            return self._function(value)
        if isinstance(value, types.MethodType):
            return types.MethodType(self.copied(value.__func__), self.copied(value.__self__))
        if isinstance(value, types.BuiltinMethodType):  # a builtin function's is its module
            own = value.__self__
            shared = own is None or isinstance(own, _SHARED)
            return value if shared else getattr(self.copied(own), value.__name__)
        if type(value) is functools.partial:
            args, words = self.copied(value.args), self.copied(value.keywords)
            return functools.partial(self.copied(value.func), *args, **words)
        if isinstance(value, np.ufunc):
            return value
        if type(value) is np.ndarray and not value.dtype.hasobject:
            return value.copy()
        if type(value) in _CONTAINERS:
            return type(value)(self._all(value))
        if type(value) is dict:
            return dict(zip(self._all(value), self._all(value.values()), strict=True))
        if isinstance(value, Schedule) and fingerprint(value) is not None:
            return value  # there is no function in it
        return self._object(value)

    def _all(self, values: Iterable[Any]) -> list[Any]:
        return [self.copied(value) for value in values]

    def _function(self, own: types.FunctionType) -> types.FunctionType:
        """Return the function with cells, defaults and attributes of its own."""
        cells = own.__closure__
        if cells is None and not (own.__defaults__ or own.__kwdefaults__ or own.__dict__):
            return own
        new_cells = None if cells is None else tuple(types.CellType() for _ in cells)
        new = types.FunctionType(own.__code__, own.__globals__, own.__name__, None, new_cells)
        self._made[id(own)] = new  # it may be in a cell of its own
        for cell, old in zip(new_cells or (), cells or (), strict=True):
            cell.cell_contents = self.copied(old.cell_contents)
        new.__defaults__ = self.copied(own.__defaults__)
        new.__kwdefaults__ = self.copied(own.__kwdefaults__)
        new.__dict__.update(self.copied(own.__dict__))
        return new

    def _object(self, own: Any) -> Any:
        """Return an object with copied attributes; raise if it may be more than these."""
        kind = type(own)
        plain = all(getattr(kind, name) is getattr(object, name) for name in _REDUCE)
        own_way = any(hasattr(kind, name) for name in ("__deepcopy__", "__copy__", "__setstate__"))
        slots = any(vars(c).get("__slots__") for c in kind.__mro__)
        if not plain or own_way or slots or not hasattr(own, "__dict__"):
            raise TypeError(f"a {kind.__name__} is not copied")
        new = self._made[id(own)] = object.__new__(kind)
        vars(new).update(self.copied(vars(own)))
        return new
