"""get_scheduler: Hugging Face's schedulers by name."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import Parameter, signature
from typing import Any

from ...schedules import hugging_face
from ..options import number_of
from .base import LRScheduler
from .checks import check_optimizer
from .greedy import GreedyLR
from .lambda_lr import LambdaLR
from .plateau import ReduceLROnPlateau

BY_METRIC: dict[str, Any] = {"reduce_lr_on_plateau": ReduceLROnPlateau, "greedy": GreedyLR}
NAMES = (*hugging_face.FACTORS, *BY_METRIC)


def get_scheduler(
    name: str,
    optimizer: Any,
    num_warmup_steps: float | None = None,
    num_training_steps: float | None = None,
    scheduler_specific_kwargs: Mapping[str, Any] | None = None,
    **kwargs: Any,
) -> LRScheduler:
    """transformers.get_scheduler: same names, arguments and numbers.

    ``name`` is "constant", "constant_with_warmup", "linear", "cosine", "cosine_with_restarts",
    "polynomial", "inverse_sqrt", "cosine_with_min_lr", "cosine_warmup_with_min_lr" or
    "warmup_stable_decay": a LambdaLR, whose factor is the function of that name in
    grilly.schedules.hugging_face, where its arguments and defaults stand. They are given in
    ``scheduler_specific_kwargs`` or, which is the same, by name; ``last_epoch`` too. Or it is
    "reduce_lr_on_plateau" or "greedy": a ReduceLROnPlateau or GreedyLR with these arguments.

    ``lr_end`` and ``min_lr`` are a share of ``optimizer.defaults["lr"]``, as in transformers: a
    group with another rate ends at its own share of it.

    Raises ValueError for another name, for steps that are missing, and for numbers out of range;
    TypeError for an argument of its own that is missing, and for one that it does not have.

    >>> import numpy as np
    >>> from grilly.optim import AdamW
    >>> optimizer = AdamW([np.ones(3, np.float32)], lr=0.5, device="cpu")
    >>> scheduler = get_scheduler("linear", optimizer, num_warmup_steps=2, num_training_steps=4)
    >>> rates = []
    >>> for step in range(5):
    ...     rates += scheduler.get_last_lr()
    ...     optimizer.step(gradients=[np.ones(3)])
    ...     scheduler.step()
    >>> rates
    [0.0, 0.25, 0.5, 0.25, 0.0]
    """
    name = getattr(name, "value", name)  # of an enum
    if name not in NAMES:
        raise ValueError(f"name must be one of {', '.join(NAMES)}, got {name!r}")
    check_optimizer(optimizer)
    if not isinstance(scheduler_specific_kwargs, (Mapping, type(None))):
        raise TypeError(
            "scheduler_specific_kwargs must be a dict of arguments by name, got "
            f"{scheduler_specific_kwargs!r}"
        )
    options = {**(scheduler_specific_kwargs or {}), **kwargs}
    if name in BY_METRIC:
        by_metric: LRScheduler = BY_METRIC[name](optimizer, **options)
        return by_metric
    last_epoch = options.pop("last_epoch", -1)
    steps = {"num_warmup_steps": num_warmup_steps, "num_training_steps": num_training_steps}
    options |= _known(name, optimizer, steps)
    _check_own(name, options)
    return LambdaLR(optimizer, hugging_face.FACTORS[name](**options), last_epoch)


def _check_own(name: str, options: dict[str, Any]) -> None:
    """Raise TypeError unless ``options`` has what the factor ``name`` needs, and no more."""
    takes = signature(hugging_face.FACTORS[name]).parameters
    for key in takes:
        if key not in options and takes[key].default is Parameter.empty:
            own = f'scheduler_specific_kwargs={{"{key}": ...}}'
            raise TypeError(f"{name} requires `{key}`: give get_scheduler {own}")
    unknown = ", ".join(key for key in options if key not in takes)
    if unknown:
        filled = {"num_warmup_steps", "num_training_steps", "default_lr"}
        own = ", ".join(key for key in takes if key not in filled) or "none"
        raise TypeError(f"{name} takes no {unknown}; its scheduler_specific_kwargs are: {own}")


def _known(name: str, optimizer: Any, steps: dict[str, Any]) -> dict[str, Any]:
    """Return what the factor ``name`` takes of ``steps``, and the default rate if it takes that."""
    takes = signature(hugging_face.FACTORS[name]).parameters
    for key, value in steps.items():
        if value is None and key in takes and takes[key].default is Parameter.empty:
            raise ValueError(f"{name} requires `{key}`: give a number of steps, got None")
    known = {key: value for key, value in steps.items() if key in takes}
    if "default_lr" in takes:
        rate = getattr(optimizer, "defaults", {}).get("lr")
        known["default_lr"] = None if rate is None else number_of(rate, 'optimizer.defaults["lr"]')
    return known
