"""Rules whose step depends on all parameters at once, through a few numbers such as a global norm."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

import spusk.numpy as snp
from spusk.graph import Tensor
from spusk.optim.optimizer import Optimizer, Parameters
from spusk.optim.state import State


@dataclass(frozen=True)
class Together(Optimizer):
    """Base of rules that override `update_all`: their state is that of each parameter, and one of all."""

    def start_shared(self, parameters: Parameters) -> State:
        """What is kept once for all parameters: scalars, made from `nothing(parameters)` for their dtype."""
        return State()

    def start_all(self, parameters: Parameters) -> dict[str, Any]:
        return {"each": super().start_all(parameters), "all": self.start_shared(parameters)}

    def point_all(self, parameters: Parameters, state: Mapping[str, Any]) -> dict[str, Tensor]:
        return super().point_all(parameters, state["each"])

    def evaluated_all(self, parameters: Parameters, state: Mapping[str, Any]) -> dict[str, Tensor]:
        return super().evaluated_all(parameters, state["each"])


def total(parts: Iterable[Tensor]) -> Tensor:
    """The sum of all elements of all parts, a scalar."""
    return reduce(add, map(snp.sum, parts))


def nothing(parameters: Parameters) -> Tensor:
    """The scalar 0 in the dtype that sums over all parameters have."""
    return total(snp.zeros_like(w) for w in parameters.values())
