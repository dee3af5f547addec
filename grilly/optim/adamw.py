"""AdamW: Adam with decoupled weight decay."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from ..schedules import Debias1, Debias2, OneMinus
from .optimizer import Optimizer
from .options import Key, Limit
from .timeline import Column


class AdamW(Optimizer):
    """AdamW with torch.optim.AdamW's arguments and meaning, on a device.

    ``params`` is an iterable of grilly.nn.Parameter or writeable float32 numpy arrays, or of
    dicts (param groups) with a key "params" and any of the options. ``device`` is "auto", "cpu",
    "vulkan", an index, or a part of a device's name (see grilly.backend.choose).

    Update (arXiv:1711.05101; arXiv:1904.09237 for ``amsgrad``), all in float32:
    m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;  p = p - lr weight_decay p;
    p = p - (lr / (1 - beta1^k)) m / (sqrt(v) / sqrt(1 - beta2^k) + eps)

    Raises TypeError or ValueError, naming the argument, for what cannot be meant.

    >>> import numpy as np
    >>> weights = np.ones(3, np.float32)
    >>> optimizer = AdamW([weights], lr=0.1, weight_decay=0.0, device="cpu")
    >>> optimizer.step(gradients=[np.ones(3)])
    >>> weights.round(6)
    array([0.9, 0.9, 0.9], dtype=float32)
    """

    kind = "AdamW"
    columns: ClassVar[dict[str, Column]] = {
        "lr": Column(("lr",)),
        "beta1": Column(("betas", 0)),
        "beta2": Column(("betas", 1)),
        "one_minus_beta1": Column(("betas", 0), OneMinus),
        "one_minus_beta2": Column(("betas", 1), OneMinus),
        "eps": Column(("eps",)),
        "weight_decay": Column(("weight_decay",)),
        "debias1": Column(("betas", 0), Debias1),
        "debias2": Column(("betas", 1), Debias2),
        "maximize": Column(("maximize",)),
        "amsgrad": Column(("amsgrad",)),
    }

    limits: ClassVar[dict[Key, Limit]] = {
        ("lr",): Limit("Invalid learning rate: {}"),
        ("betas", 0): Limit("Invalid beta parameter at index 0: {}", below=1.0),
        ("betas", 1): Limit("Invalid beta parameter at index 1: {}", below=1.0),
        ("eps",): Limit("Invalid epsilon value: {}"),
        ("weight_decay",): Limit("Invalid weight_decay value: {}"),
    }

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        device: str | int = "auto",
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
        }
        super().__init__(params, defaults, device=device)

    def states_of(self, group: dict[str, Any]) -> tuple[str, ...]:
        """Return the names of the states of a group's parameters, as in a state_dict."""
        return ("exp_avg", "exp_avg_sq", *(("max_exp_avg_sq",) if group["amsgrad"] else ()))
