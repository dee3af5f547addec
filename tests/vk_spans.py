"""What the tests of the arena share: holders, what spans hold, and both kinds of memory."""

from __future__ import annotations

import numpy as np
import pytest

from grilly import vk

MIB = 1 << 20


@pytest.fixture(params=["plain", "staging"], autouse=True)
def path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to reach a buffer."""
    if request.param == "staging":
        monkeypatch.setenv("GRILLY_STAGING", "1")


class Holder:
    """What holds a span: an object that can be garbage."""


def contents(span: vk.Span) -> np.ndarray:
    return span.buffer.read(np.uint8, span.nbytes, span.offset)


def write(span: vk.Span, byte: int) -> None:
    span.buffer.write(np.full(span.nbytes, byte, np.uint8), span.offset)
