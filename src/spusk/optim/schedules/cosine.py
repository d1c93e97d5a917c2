"""Cosine annealing."""

from __future__ import annotations

import math
from dataclasses import dataclass

import spusk.numpy as snp
from spusk.graph import Tensor
from spusk.optim.hyper import Hyper, Schedule, value


@dataclass(frozen=True)
class Cosine(Schedule):
    """Half a cosine wave from one value down to another, which then stays.

        final + ½(initial − final)(1 + cos(π·min(n/steps, 1))),  n = t − 1

    Source: Loshchilov & Hutter, 2017, "SGDR: Stochastic gradient descent with warm restarts", eq. 5.

    Args:
        initial: the value at t = 1.
        steps: after how many steps the final value is reached, > 0.
        final: default 0.

    >>> import numpy as np
    >>> Cosine(1.0, steps=4)(np.arange(1, 7)).round(3).tolist()
    [1.0, 0.854, 0.5, 0.146, 0.0, 0.0]
    """

    initial: Hyper
    steps: Hyper
    final: Hyper = 0.0

    def at(self, t: Tensor) -> Tensor:
        initial, steps, final = value(self.initial, t), value(self.steps, t), value(self.final, t)
        share = snp.minimum((t - 1) / steps, 1)
        return final + 0.5 * (initial - final) * (1 + snp.cos(math.pi * share))
