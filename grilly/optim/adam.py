"""Adam: a step of the size of the rate, by the moments of the gradient."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Literal

from ..schedules import Debias1, Debias2, OneMinus
from .lanes import Column
from .optimizer import Optimizer
from .options import Key, Limit


class Adam(Optimizer):
    """Adam with torch.optim.Adam's arguments and meaning, on a device.

    ``params`` and ``device`` are as in AdamW. Any of the options may stand in a group, too, but
    ``decoupled_weight_decay`` (which makes it AdamW) must be the same in all of them.
    ``foreach``, ``capturable`` and ``fused`` are kept in the groups and change nothing.

    Update (arXiv:1412.6980; arXiv:1904.09237 for ``amsgrad``), all in float32:
    g = g + weight_decay p;  m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
    p = p - (lr / (1 - beta1^k)) m / (sqrt(v) / sqrt(1 - beta2^k) + eps)
    With ``maximize`` the given gradient's sign changes first.

    The powers beta^k are right for betas that stay as they are. ``bias_correction="exact"`` takes
    the product of the betas that the parameter's updates have used instead, which makes a
    difference where they are scheduled or edited; "torch" takes the power of today's beta, as torch
    does. The products are in the state_dict, as two float64 whose sum each is, "beta1_product" and
    "beta2_product"; a state without them, as torch's, is taken to have used the group's betas.

    ``max_norm`` multiplies all gradients of an update by min(1, max_norm / (their norm + 1e-6)), as
    torch.nn.utils.clip_grad_norm_ does; ``grad_norm()`` tells the norm. ``skip_nonfinite`` leaves
    an update out whose gradients have an inf or nan: weights, states, k and schedulers stay, as
    with torch's GradScaler; ``skipped()`` counts them. Both are done on the device, without the
    host. What advances when says docs/device-training.md.

    Raises TypeError or ValueError, naming the argument, for what cannot be meant, and RuntimeError
    where both ``fused`` and ``foreach`` are asked for.

    >>> import numpy as np
    >>> weights = np.ones(3, np.float32)
    >>> optimizer = Adam([weights], lr=0.1, device="cpu")
    >>> optimizer.step(gradients=[np.ones(3)])
    >>> weights.round(6)
    array([0.9, 0.9, 0.9], dtype=float32)
    """

    all_states = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")
    required = ("step", "exp_avg", "exp_avg_sq")
    products: ClassVar[tuple[str, ...]] = ("beta1_product", "beta2_product")
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
        ("lr",): Limit("Invalid learning rate: {}", argument=True),
        ("betas", 0): Limit("Invalid beta parameter at index 0: {}", below=1.0),
        ("betas", 1): Limit("Invalid beta parameter at index 1: {}", below=1.0),
        ("eps",): Limit("Invalid epsilon value: {}"),
        ("weight_decay",): Limit("Invalid weight_decay value: {}", argument=True),
    }

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
        bias_correction: Literal["torch", "exact"] = "torch",
        max_norm: float | None = None,
        skip_nonfinite: bool = False,
        device: str | int = "auto",
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        if bias_correction not in ("torch", "exact"):
            raise ValueError(f'bias_correction must be "torch" or "exact", got {bias_correction!r}')
        self.exact = bias_correction == "exact"
        self.kind = "AdamW" if decoupled_weight_decay else "Adam"
        super().__init__(
            params, defaults, max_norm=max_norm, skip_nonfinite=skip_nonfinite, device=device
        )

    def check_defaults(self) -> None:
        """Raise ValueError, as torch does, for betas that are of different types or ints."""
        floats = [isinstance(beta, float) for beta in self.defaults["betas"]]
        ints = [isinstance(beta, int) for beta in self.defaults["betas"]]
        if not all(floats) and any((*floats, *ints)):
            raise ValueError(
                "betas must be either both floats or both Tensors, "
                f"got {self.defaults['betas']!r}: write 0.0 for 0"
            )

    def check_group(self, group: dict[str, Any], where: str = "") -> None:
        """Raise ValueError for an option that no kernel has."""
        super().check_group(group, where)
        if len(group["betas"]) != 2:
            raise ValueError(f"{where}betas must be two numbers, got {group['betas']!r}")
        mine, got = self.defaults["decoupled_weight_decay"], group["decoupled_weight_decay"]
        if bool(got) != bool(mine):
            raise ValueError(
                f"{where}decoupled_weight_decay={got!r}: it is {mine!r} in this optimizer and must "
                "be the same in all its groups; use a second optimizer"
            )

    def states_of(self, group: dict[str, Any]) -> tuple[str, ...]:
        """Return the names of the states that an update in ``group`` makes, as in a state_dict."""
        return self.all_states if group["amsgrad"] else self.all_states[:2]
