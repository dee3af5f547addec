"""Checks of what a recipe is given, before it is handed on under other names."""

from __future__ import annotations

from typing import Any

from .checks import check_number


def check_numbers(**arguments: Any) -> None:
    """Raise TypeError or ValueError, naming the argument, unless all are finite numbers."""
    for name, value in arguments.items():
        check_number(name, value)
