"""LambdaLR and MultiplicativeLR: the rate is a user's function of the step, or its product."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from ...errors import StateError
from .base import LRScheduler
from .checks import check_optimizer
from .functions import check_saved, number, restore_functions, saved_function

Function = Callable[[Any], Any]


class _Lambdas(LRScheduler):
    """A function per group, of which callable objects keep their attributes in the state."""

    _HIDDEN: ClassVar[frozenset[str]] = LRScheduler._HIDDEN | {"lr_lambdas"}

    def __init__(
        self, optimizer: Any, lr_lambda: Function | Sequence[Function], last_epoch: int = -1
    ) -> None:
        check_optimizer(optimizer)
        count = len(optimizer.param_groups)
        functions: list[Any] = (
            list(lr_lambda) if isinstance(lr_lambda, (list, tuple)) else [lr_lambda] * count
        )
        if len(functions) != count:
            raise ValueError(f"Expected {count} lr_lambdas, but got {len(functions)}")
        for function in functions:
            if not callable(function):
                kind = type(function).__name__
                raise TypeError(f"lr_lambda should be a function, but got {kind}")
        self.lr_lambdas: list[Function] = functions
        super().__init__(optimizer, last_epoch)

    def _factors(self) -> list[float]:
        """Return each function's value at last_epoch."""
        count = len(self.optimizer.param_groups)
        if len(self.lr_lambdas) != count:
            raise ValueError(
                f"lr_lambdas has {len(self.lr_lambdas)} functions, but the optimizer {count} "
                "groups: append an added group's function to scheduler.lr_lambdas"
            )
        t = self.last_epoch
        results = [function(t) for function in self.lr_lambdas]
        return [number(result, "lr_lambda[%d](%s)", i, t) for i, result in enumerate(results)]

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimizer and the functions, in torch's keys; a copy.

        Of a function nothing is kept (None), of a callable object its attributes.
        """
        functions = [saved_function(function) for function in self.lr_lambdas]
        return {**super().state_dict(), "lr_lambdas": functions}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a state_dict, as LRScheduler does, and the attributes of callable objects."""
        own = dict(state_dict) if isinstance(state_dict, dict) else state_dict
        states = own.pop("lr_lambdas", []) if isinstance(own, dict) else []
        try:
            check_saved("lr_lambdas", self.lr_lambdas, states)
        except (TypeError, ValueError) as error:
            raise StateError(f"state_dict does not fit {type(self).__name__}: {error}") from error
        super().load_state_dict(own)
        restore_functions(self.lr_lambdas, states)


class LambdaLR(_Lambdas):
    """torch.optim.lr_scheduler.LambdaLR: same arguments, numbers and state.

    lr(t) = initial_lr f(t), with ``lr_lambda`` one function f for all groups or a list of one for
    each. What stands in a group's "lr" is written over. The functions run on the host: each rate
    that changes is uploaded.

    Raises ValueError as torch does for a list of another length, and at a step whose value is no
    finite number; TypeError for what is no function.

    >>> import numpy as np
    >>> from grilly.optim import AdamW
    >>> optimizer = AdamW([np.ones(3, np.float32)], lr=0.5, device="cpu")
    >>> scheduler = LambdaLR(optimizer, lambda t: 1 / (t + 1))
    >>> rates = []
    >>> for step in range(3):
    ...     rates.append(round(scheduler.get_last_lr()[0], 6))
    ...     optimizer.step(gradients=[np.ones(3)])
    ...     scheduler.step()
    >>> rates
    [0.5, 0.25, 0.166667]
    """

    def get_lr(self) -> list[float]:
        """Return the rates at last_epoch."""
        self._warn_get_lr()
        factors = self._factors()
        if len(self.base_lrs) != len(factors):
            raise ValueError(
                f"base_lrs has {len(self.base_lrs)} rates, but the optimizer {len(factors)} "
                "groups: append an added group's rate to scheduler.base_lrs"
            )
        return [base * factor for base, factor in zip(self.base_lrs, factors, strict=True)]


class MultiplicativeLR(_Lambdas):
    """torch.optim.lr_scheduler.MultiplicativeLR: same arguments, numbers and state.

    lr(t) = lr(t - 1) f(t), from initial_lr at t = 0, with ``lr_lambda`` one function f for all
    groups or a list of one for each. An edit of a group's "lr" is kept and gone on from. The
    functions run on the host: each rate that changes is uploaded.

    Raises ValueError and TypeError as LambdaLR does.

    >>> import numpy as np
    >>> from grilly.optim import AdamW
    >>> optimizer = AdamW([np.ones(3, np.float32)], lr=0.5, device="cpu")
    >>> scheduler = MultiplicativeLR(optimizer, lambda t: 0.5 if t % 2 == 0 else 1.0)
    >>> rates = []
    >>> for step in range(5):
    ...     rates.append(scheduler.get_last_lr()[0])
    ...     optimizer.step(gradients=[np.ones(3)])
    ...     scheduler.step()
    >>> rates
    [0.5, 0.5, 0.25, 0.25, 0.125]
    """

    def get_lr(self) -> list[float]:
        """Return the rates at last_epoch, from those that the groups hold of the step before."""
        self._warn_get_lr()
        rates = [group["lr"] for group in self.optimizer.param_groups]
        if self._is_initial:
            return rates
        return [rate * factor for rate, factor in zip(rates, self._factors(), strict=True)]
