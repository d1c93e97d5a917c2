"""The triangular wave that halves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from spusk.graph import Tensor
from spusk.optim.schedules.cyclical import Cyclical


@dataclass(frozen=True)
class Triangular2(Cyclical):
    """A wave of triangles whose height halves after every cycle.

        n = t − 1,  c = ⌊1 + n/2h⌋,  x = |n/h − 2c + 1|
        low + (high − low)·max(0, 1 − x)/2^(c−1)

    Source: Smith, 2017, "Cyclical learning rates for training neural networks", §3.1.

    Args:
        low: the value at t = 1 and after every whole cycle.
        high: the value in the middle of the first cycle; it may be below `low`.
        half_cycle: h > 0, in steps, from one to the other.

    >>> import numpy as np
    >>> Triangular2(0.0, 1.0, half_cycle=2)(np.arange(1, 8)).tolist()
    [0.0, 0.5, 1.0, 0.5, 0.0, 0.25, 0.5]
    """

    def scale(self, t: Tensor, cycle: Tensor) -> Any:
        return 0.5 ** (cycle - 1)
