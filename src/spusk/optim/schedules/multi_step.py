"""Decay at given steps."""

from __future__ import annotations

from dataclasses import dataclass

import spusk.numpy as snp
from spusk.graph import Tensor
from spusk.optim.hyper import Hyper, Schedule, value
from spusk.optim.schedules.milestones import check_ascending


@dataclass(frozen=True)
class MultiStep(Schedule):
    """A value that is multiplied by a factor at each of some steps.

        initial · factor^#{m ∈ milestones : m ≤ n},  n = t − 1

    Source: He, Zhang, Ren & Sun, 2016, "Deep residual learning for image recognition", §4.2: the rate is
    divided by 10 at 32,000 and 48,000 iterations.

    Args:
        initial: the value at t = 1.
        milestones: after how many steps it falls each time, ascending, > 0.
        factor: what it is multiplied by, > 0; default 0.1.

    >>> import numpy as np
    >>> MultiStep(1.0, milestones=(2, 3), factor=0.5)(np.arange(1, 6)).tolist()
    [1.0, 1.0, 0.5, 0.25, 0.25]
    """

    initial: Hyper
    milestones: tuple[Hyper, ...]
    factor: Hyper = 0.1

    def __post_init__(self) -> None:
        check_ascending(self, "milestones")
        super().__post_init__()

    def at(self, t: Tensor) -> Tensor:
        factor, result = value(self.factor, t), value(self.initial, t) + 0 * t
        for milestone in self.milestones:
            result = snp.where(t - 1 >= value(milestone, t), result * factor, result)
        return result
