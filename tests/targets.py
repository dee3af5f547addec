"""What a scheduler may drive: groups alone, torch's optimizers, and grilly's on every device."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from torch.optim.swa_utils import SWALR

from grilly import optim

SIZE = 3
Group = dict[str, Any]


class TorchSchedulers:
    """torch's classes, in one place as ours are."""

    def __getattr__(self, name: str) -> Any:
        return SWALR if name == "SWALR" else getattr(torch.optim.lr_scheduler, name)


THEIRS: Any = TorchSchedulers()


class HostTarget:
    """Param groups and nothing else: what any optimizer is to a scheduler on the host."""

    def __init__(self, kind: str, groups: list[Group], lr: float = 0.1) -> None:
        self.kind = kind
        self.optimizer = self.make([dict(group) for group in groups], lr)

    def make(self, groups: list[Group], lr: float) -> Any:
        own = {"SGD": {"momentum": 0.0}, "Adagrad": {}}.get(self.kind, {"betas": (0.9, 0.999)})
        bare = type("Bare", (), {})()
        bare.defaults = {"lr": lr, **own}
        bare.param_groups = [{**bare.defaults, **group} for group in groups]
        return bare

    @property
    def groups(self) -> list[Group]:
        return self.optimizer.param_groups  # type: ignore[no-any-return]

    def step(self) -> None:
        """Take one optimizer step."""

    def add(self, group: Group) -> None:
        self.groups.append({**self.optimizer.defaults, **group})

    def fresh(self) -> Any:
        """Return a new target of this kind, with as many groups, at their default options."""
        return type(self)(self.kind, [{} for _ in self.groups])

    def save(self) -> Any:
        return copy.deepcopy(self.groups)

    def load(self, state: Any) -> None:
        self.optimizer.param_groups = copy.deepcopy(state)

    def held(self, key: str) -> list[np.float32] | None:
        """Return what the device, if there is one, holds of each group for the next step."""
        return None


class TorchTarget(HostTarget):
    """An optimizer of torch's."""

    def make(self, groups: list[Group], lr: float) -> Any:
        own = [{**group, "params": [self._param()]} for group in groups]
        return getattr(torch.optim, self.kind)(own, lr=lr)

    def _param(self) -> Any:
        return torch.ones(SIZE, requires_grad=True)

    def step(self) -> None:
        for group in self.groups:
            for p in group["params"]:
                p.grad = torch.ones(SIZE)
        self.optimizer.step()

    def add(self, group: Group) -> None:
        self.optimizer.add_param_group({**group, "params": [self._param()]})

    def save(self) -> Any:
        return copy.deepcopy(self.optimizer.state_dict())

    def load(self, state: Any) -> None:
        self.optimizer.load_state_dict(copy.deepcopy(state))


class GrillyTarget(HostTarget):
    """An optimizer of grilly's, on ``place``."""

    def __init__(
        self, kind: str, groups: list[Group], lr: float = 0.1, place: str | int = "cpu"
    ) -> None:
        self.place = place
        super().__init__(kind, groups, lr)

    def make(self, groups: list[Group], lr: float) -> Any:
        own = [{**group, "params": [self._param()]} for group in groups]
        return getattr(optim, self.kind)(own, lr=lr, device=self.place)

    def _param(self) -> Any:
        return np.ones(SIZE, np.float32)

    def fresh(self) -> Any:
        return type(self)(self.kind, [{} for _ in self.groups], place=self.place)

    def step(self) -> None:
        params = [p for group in self.groups for p in group["params"]]
        self.optimizer.step(gradients=[np.ones(SIZE, np.float32)] * len(params))

    def add(self, group: Group) -> None:
        self.optimizer.add_param_group({**group, "params": [self._param()]})

    def save(self) -> Any:
        return self.optimizer.state_dict()

    def load(self, state: Any) -> None:
        self.optimizer.load_state_dict(state)

    def held(self, key: str) -> list[np.float32] | None:
        return list(self.optimizer.read_hyperparameters()[key])
