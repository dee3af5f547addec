"""What the figures are meant to be."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from .scale import Scale
from .timing import short

NO_OTHERS: Mapping[str, float] = MappingProxyType({})


class Goal(NamedTuple):
    """At most ``limit`` (``least``: at least), or what ``others`` has for a device by its name.

    ``what`` may name numbers of the Scale in braces.
    """

    what: str
    limit: float
    unit: str = ""
    least: bool = False
    others: Mapping[str, float] = NO_OTHERS

    def limit_on(self, device: str) -> float:
        """Return the limit for a device."""
        return next((x for name, x in self.others.items() if name in device), self.limit)

    def met(self, device: str, value: float) -> bool:
        """Whether the figure is as it should be; nan is not."""
        limit = self.limit_on(device)
        return value >= limit if self.least else value <= limit

    def named(self, scale: Scale) -> str:
        """Return what it is, with numbers."""
        numbers = {k: short(v) for k, v in scale._asdict().items() if isinstance(v, int)}
        return self.what.format(**numbers)


GOALS: dict[str, Goal] = {
    "up": Goal("bytes up in a replay of {steps} steps", 0),
    "down": Goal("bytes down in it", 0),
    "allocations": Goal("allocations in it", 0),
    "submissions": Goal("submissions in it", 1),
    "host": Goal("the host's time of a replayed step, outside waiting", 0.2, unit="us"),
    "eager to replayed": Goal("eager step / replayed step, {small}", 1.5, least=True),
    "share": Goal("roll and fill / (window x step), {large}", 0.005),
    "schedule, large": Goal("replayed with a schedule / without, {large}", 1.05),
    "schedule, small": Goal(
        "replayed with a schedule / without, {small}", 1.10, others={"SwiftShader": 1.15}
    ),
    "eager": Goal("eager step, resident / submit and wait, {large}", 1.10),
    "eager, moved": Goal("eager step, gradients in, parameters out / the same, {large}", 1.3),
    "tensors": Goal("{members} tensors / one, {large} in all", 1.10),
    "groups": Goal("{members} groups with rates of their own / one, {large} in all", 1.2),
    "AdamW, large": Goal(
        "copy shader / AdamW, {large}", 0.92, least=True, others={"SwiftShader": 0.85}
    ),
    "AdamW, huge": Goal(
        "copy shader / AdamW, {huge}", 0.92, least=True, others={"SwiftShader": 0.85}
    ),
    "AdamW, best": Goal(
        "the best layout's copy shader / AdamW, {large}",
        0.9,
        least=True,
        others={"SwiftShader": 0.8},
    ),
    "SGD, momentum, large": Goal("copy shader / SGD with momentum, {large}", 0.95, least=True),
    "SGD, momentum, huge": Goal("copy shader / SGD with momentum, {huge}", 0.95, least=True),
    "table": Goal(
        "stepping torch's scheduler / a table of {table} cosine steps",
        20,
        least=True,
        others={"SwiftShader": 2.5, "numpy": 30},
    ),
    "foreach": Goal("torch foreach / AdamW on numpy, {huge}", 1.8, least=True),
    "memory": Goal("peak memory / 16 bytes a parameter, kernels compiled before, {huge}", 1.15),
}
