"""What else the machine does meanwhile, which decides whether a figure says anything."""

from __future__ import annotations

import math
import os
import time
from pathlib import Path

QUIET = 0.05  # the others' share of the cores up to which figures are worth keeping


class Watch:
    """How much of the cores others than this process and its children have taken since it began."""

    def __init__(self) -> None:
        self._start, self._before = time.perf_counter(), _others()

    def share(self) -> float:
        """Return the share, 0 to 1; nan where /proc/stat is not there to tell."""
        cores = os.cpu_count() or 1
        seconds = time.perf_counter() - self._start
        return max(0.0, (_others() - self._before) / (seconds * cores))


def _others() -> float:
    """Return the seconds for which cores have worked for others, from some time on."""
    try:
        words = Path("/proc/stat").read_text().split(maxsplit=9)[1:9]
    except OSError:
        return math.nan
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, words)
    all_ = (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
    return all_ - sum(os.times()[:4])


def words(share: float) -> str:
    """Return what is to be said of the others' share."""
    if math.isnan(share):
        return "What else the machine did is unknown."
    found = f"Others took {share:.0%} of the cores meanwhile"
    if share <= QUIET:
        return f"{found}."
    return f"**On a busy machine**: {found[0].lower()}{found[1:]}, and the figures say little."
