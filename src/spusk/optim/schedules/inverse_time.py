"""Inverse time decay."""

from __future__ import annotations

from dataclasses import dataclass

from spusk.graph import Tensor, as_tensor
from spusk.optim.hyper import Hyper, Schedule, value


@dataclass(frozen=True)
class InverseTime(Schedule):
    """A value that falls with time itself: Σ value = ∞ and Σ value² < ∞, as Robbins and Monro ask.

        initial / (1 + decay·n),  n = t − 1

    Source: Robbins & Monro, 1951, "A stochastic approximation method"; in this form Bottou, 2012,
    "Stochastic gradient descent tricks", where decay is lr·λ.

    Args:
        initial: the value at t = 1.
        decay: ≥ 0; after 1/decay steps the value is halved.

    >>> import numpy as np
    >>> InverseTime(1.0, decay=0.5)(np.array([1, 3, 7])).tolist()
    [1.0, 0.5, 0.25]
    """

    initial: Hyper
    decay: Hyper

    def at(self, t: Tensor) -> Tensor:
        t = as_tensor(t)
        return value(self.initial, t) / (1 + value(self.decay, t) * (t - 1))
