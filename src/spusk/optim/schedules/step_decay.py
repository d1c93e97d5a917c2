"""Decay in steps."""

from __future__ import annotations

from dataclasses import dataclass

import spusk.numpy as snp
from spusk.graph import Tensor
from spusk.optim.hyper import Hyper, Schedule, value


@dataclass(frozen=True)
class StepDecay(Schedule):
    """A value that is multiplied by a factor after every so many steps.

        initial · factor^⌊n/every⌋,  n = t − 1

    Source: Ge, Kakade, Kidambi & Netrapalli, 2019, "The step decay schedule: a near optimal, geometrically
    decaying learning rate procedure for least squares", Algorithm 1.

    Args:
        initial: the value at t = 1.
        every: after how many steps it falls, > 0.
        factor: what it is multiplied by, > 0; default 0.1.

    >>> import numpy as np
    >>> StepDecay(1.0, every=2, factor=0.5)(np.arange(1, 7)).tolist()
    [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]
    """

    initial: Hyper
    every: Hyper
    factor: Hyper = 0.1

    def at(self, t: Tensor) -> Tensor:
        initial, every, factor = value(self.initial, t), value(self.every, t), value(self.factor, t)
        return initial * factor ** snp.floor((t - 1) / every)
