"""SGD: stochastic gradient descent with momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from ..schedules import Fresh
from .lanes import Column
from .optimizer import Optimizer
from .options import Key, Limit


class SGD(Optimizer):
    """SGD with torch.optim.SGD's arguments and meaning, on a device.

    ``params`` and ``device`` are as in AdamW, ``max_norm`` and ``skip_nonfinite`` as in Adam. Any
    of the other options may stand in a group, too.
    ``foreach`` and ``fused`` are kept in the groups and change nothing.

    Update, all in float32 (the momentum of I. Sutskever et al., ICML 2013, in torch's form):
    g = g + weight_decay p;  b = g at a parameter's first update with a momentum, afterwards
    b = momentum b + (1 - dampening) g;  p = p - lr b, with ``nesterov`` p - lr (g + momentum b),
    without momentum p - lr g. With ``maximize`` the given gradient's sign changes first.

    A momentum below 2**-150 is none: it is 0 in float32.

    Raises TypeError or ValueError, naming the argument, for what cannot be meant, and RuntimeError
    where both ``fused`` and ``foreach`` are asked for.

    >>> import numpy as np
    >>> weights = np.ones(3, np.float32)
    >>> optimizer = SGD([weights], lr=0.5, momentum=0.5, device="cpu")
    >>> for _ in range(2):
    ...     optimizer.step(gradients=[np.full(3, 0.25)])
    >>> weights
    array([0.6875, 0.6875, 0.6875], dtype=float32)
    """

    kind = "SGD"
    all_states = ("momentum_buffer",)
    columns: ClassVar[dict[str, Column]] = {
        "lr": Column(("lr",)),
        "momentum": Column(("momentum",)),
        "fresh": Column(("dampening",), Fresh),
        "weight_decay": Column(("weight_decay",)),
        "nesterov": Column(("nesterov",)),
        "maximize": Column(("maximize",)),
    }
    limits: ClassVar[dict[Key, Limit]] = {
        ("lr",): Limit("Invalid learning rate: {}", argument=True),
        ("momentum",): Limit("Invalid momentum value: {}", argument=True),
        ("weight_decay",): Limit("Invalid weight_decay value: {}", argument=True),
    }

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
        max_norm: float | None = None,
        skip_nonfinite: bool = False,
        device: str | int = "auto",
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(
            params, defaults, max_norm=max_norm, skip_nonfinite=skip_nonfinite, device=device
        )

    def check_defaults(self) -> None:
        """Raise ValueError, as torch does, for arguments that do not go together."""
        options = self.defaults
        if options["nesterov"] and (options["momentum"] <= 0 or options["dampening"] != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")

    def states_of(self, group: dict[str, Any]) -> tuple[str, ...]:
        """Return the names of the states that an update in ``group`` makes, as in a state_dict."""
        return self.all_states if self.counts(group) else ()

    def counts(self, group: dict[str, Any]) -> bool:
        """Whether an update in ``group`` counts: those with a momentum do."""
        return bool(abs(group["momentum"]) > 2.0**-150)
