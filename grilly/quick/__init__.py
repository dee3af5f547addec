"""The mirror's float32 values of many steps, by float64 where it is surely good enough.

Each operation is computed in float64 beside a bound on its distance from the mirror (``near``).
Where the whole reach of a value rounds to one float32, that is the mirror's too (A. Ziv's test);
the rows that are left, of usual schedules one in ten million, are computed by the mirror itself.
"""

from .rows import filled, values

__all__ = ["filled", "values"]
