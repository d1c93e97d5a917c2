"""A constant."""

from __future__ import annotations

from dataclasses import dataclass

import spusk.numpy as snp
from spusk.graph import Tensor, as_tensor
from spusk.optim.hyper import Hyper, Schedule, value


@dataclass(frozen=True)
class Constant(Schedule):
    """The same value in every step.

        value

    Source: Bottou, Curtis & Nocedal, 2018, "Optimization methods for large-scale machine learning", §4.2.

    Args:
        value: the value.

    >>> Constant(0.1)(1000)
    0.1
    """

    value: Hyper

    def at(self, t: Tensor) -> Tensor:
        t = as_tensor(t)
        return snp.broadcast_to(as_tensor(value(self.value, t)), t.shape)
