"""The triangular wave that decays exponentially."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from spusk.graph import Tensor
from spusk.optim.hyper import Hyper, value
from spusk.optim.schedules.cyclical import Cyclical


@dataclass(frozen=True)
class ExpRange(Cyclical):
    """A wave of triangles whose height decays exponentially from step to step.

        n = t − 1,  c = ⌊1 + n/2h⌋,  x = |n/h − 2c + 1|
        low + (high − low)·max(0, 1 − x)·γⁿ

    Source: Smith, 2017, "Cyclical learning rates for training neural networks", §3.1.

    Args:
        low: the value at t = 1 and after every whole cycle.
        high: the value in the middle of the first cycle; it may be below `low`.
        half_cycle: h > 0, in steps, from one to the other.
        gamma: γ in (0, 1]; default 0.9999.

    >>> import numpy as np
    >>> ExpRange(0.0, 1.0, half_cycle=1, gamma=0.5)(np.arange(1, 5)).tolist()
    [0.0, 0.5, 0.0, 0.125]
    """

    gamma: Hyper = 0.9999

    def scale(self, t: Tensor, cycle: Tensor) -> Any:
        return value(self.gamma, t) ** (t - 1)
