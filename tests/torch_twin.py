"""One optimizer of grilly's and one of torch's that make the same moves."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import torch

from grilly import optim

# Of float32 after some tens of steps on numbers around 1.
RTOL, ATOL = 2e-5, 2e-6


class Twin:
    """``kind`` of both libraries over equal parameters of ``shapes``, dealt to ``groups``."""

    def __init__(
        self, kind: str, place: str, shapes: list[Any], groups: int = 1, **options: Any
    ) -> None:
        rng = np.random.default_rng(7)
        self.kind, self.place, self.groups, self.options = kind, place, groups, options
        self.params = [np.asarray(rng.standard_normal(s), np.float32) for s in shapes]
        self.tensors = [torch.tensor(p, requires_grad=True) for p in self.params]
        self.start()

    def start(self) -> None:
        """Make both optimizers anew over the parameters as they are."""
        ours, theirs = (
            [{"params": all_[i :: self.groups]} for i in range(self.groups)]
            for all_ in (self.params, self.tensors)
        )
        self.ours = getattr(optim, self.kind)(ours, device=self.place, **self.options)
        self.theirs = getattr(torch.optim, self.kind)(theirs, **self.options)

    def step(self, rng: np.random.Generator, missing: float = 0.0) -> None:
        """Make one step with random gradients, some of which may be missing."""
        grads = {}
        for p, tensor in zip(self.params, self.tensors, strict=True):
            grad = None if rng.random() < missing else rng.standard_normal(p.shape)
            grads[id(p)] = grad
            tensor.grad = None if grad is None else torch.tensor(grad, dtype=torch.float32)
        self.ours.step(gradients=grads)
        self.theirs.step()

    def edit(self, group: int, **options: Any) -> None:
        """Set options of a group in both."""
        for optimizer in (self.ours, self.theirs):
            optimizer.param_groups[group].update(options)

    def cross(self) -> None:
        """Let each optimizer go on from the other's state, over the other's parameters."""
        ours, theirs = self.ours.state_dict(), self.theirs.state_dict()
        for p, tensor in zip(self.params, self.tensors, strict=True):
            old = p.copy()
            p[...] = tensor.detach().numpy()
            with torch.no_grad():
                tensor.copy_(torch.tensor(old))
        self.start()
        self.ours.load_state_dict(theirs)
        self.theirs.load_state_dict(as_torch(ours))

    def check(self) -> None:
        """Assert that parameters and states are equal but for rounding."""
        for p, tensor in zip(self.params, self.tensors, strict=True):
            np.testing.assert_allclose(p, tensor.detach().numpy(), RTOL, ATOL)
        ours, theirs = self.ours.state_dict(), self.theirs.state_dict()
        assert [set(g) for g in ours["param_groups"]] == [set(g) for g in theirs["param_groups"]]
        assert ours["param_groups"] == theirs["param_groups"]
        assert set(ours["state"]) == set(theirs["state"])
        for i, entry in theirs["state"].items():
            assert set(ours["state"][i]) == set(entry)
            for name, tensor in entry.items():
                np.testing.assert_allclose(ours["state"][i][name], tensor, RTOL, ATOL)


def as_torch(ours: dict[str, Any]) -> dict[str, Any]:
    """Return a state_dict of grilly's for torch, as the docstring of state_dict says."""
    as_tensor = functools.partial(torch.as_tensor, dtype=torch.float32)
    state = {i: {k: as_tensor(v) for k, v in s.items()} for i, s in ours["state"].items()}
    return {**ours, "state": state}
