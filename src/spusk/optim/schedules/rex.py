"""REX."""

from __future__ import annotations

from dataclasses import dataclass

import spusk.numpy as snp
from spusk.graph import Tensor
from spusk.optim.hyper import Hyper, Schedule, value


@dataclass(frozen=True)
class REX(Schedule):
    """A decay between a line and a step: it stays high for longer than a line, and falls steeper at the end.

        initial · (1 − p)/(½ + ½(1 − p)),  p = min(n/steps, 1),  n = t − 1

    Source: Chen, Wolfe & Kyrillidis, 2022, "REX: Revisiting budgeted training with an improved schedule",
    the reflected exponential.

    Args:
        initial: the value at t = 1.
        steps: the budget, after which the value is 0; > 0.

    >>> import numpy as np
    >>> REX(1.0, steps=4)(np.arange(1, 7)).round(3).tolist()
    [1.0, 0.857, 0.667, 0.4, 0.0, 0.0]
    """

    initial: Hyper
    steps: Hyper

    def at(self, t: Tensor) -> Tensor:
        left = 1 - snp.minimum((t - 1) / value(self.steps, t), 1)
        return value(self.initial, t) * left / (0.5 + 0.5 * left)
