"""AdamW: Adam with decoupled weight decay."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from .adam import Adam


class AdamW(Adam):
    """AdamW with torch.optim.AdamW's arguments and meaning, on a device.

    ``params`` is an iterable of grilly.nn.Parameter or writeable float32 numpy arrays, or of
    dicts (param groups) with a key "params" and any of the options. ``device`` is "auto", "cpu",
    "vulkan", an index, or a part of a device's name (see grilly.backend.on_device).
    ``bias_correction``, ``max_norm`` and ``skip_nonfinite`` are as in Adam.
    ``foreach``, ``capturable`` and ``fused`` are kept in the groups and change nothing.

    Update (arXiv:1711.05101; arXiv:1904.09237 for ``amsgrad``), all in float32:
    m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;  p = p - lr weight_decay p;
    p = p - (lr / (1 - beta1^k)) m / (sqrt(v) / sqrt(1 - beta2^k) + eps)

    Raises TypeError or ValueError, naming the argument, for what cannot be meant, and RuntimeError
    where both ``fused`` and ``foreach`` are asked for.

    >>> import numpy as np
    >>> weights = np.ones(3, np.float32)
    >>> optimizer = AdamW([weights], lr=0.1, weight_decay=0.0, device="cpu")
    >>> optimizer.step(gradients=[np.ones(3)])
    >>> weights.round(6)
    array([0.9, 0.9, 0.9], dtype=float32)
    """

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
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        bias_correction: Literal["torch", "exact"] = "torch",
        max_norm: float | None = None,
        skip_nonfinite: bool = False,
        device: str | int = "auto",
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
            bias_correction=bias_correction,
            max_norm=max_norm,
            skip_nonfinite=skip_nonfinite,
            device=device,
        )

    def adopted(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return a loaded group's options: Adam's state makes AdamW go on as AdamW, as in torch."""
        return {**options, "decoupled_weight_decay": True}
