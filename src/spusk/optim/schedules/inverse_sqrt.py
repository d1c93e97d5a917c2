"""Inverse square root decay after a warm-up."""

from __future__ import annotations

from dataclasses import dataclass

import spusk.numpy as snp
from spusk.graph import Tensor
from spusk.optim.hyper import Hyper, Schedule, value


@dataclass(frozen=True)
class InverseSqrt(Schedule):
    """A linear climb to a peak, then a fall with the square root of time.

        peak · min(t/w, √(w/t))

    Source: Vaswani, Shazeer, Parmar, Uszkoreit, Jones, Gomez, Kaiser & Polosukhin, 2017, "Attention is all
    you need", eq. 3, whose peak is 1/√(d_model·w).

    Args:
        peak: the highest value, at t = w.
        warm_up: w > 0, in steps; default 1, which falls from the beginning.

    >>> import numpy as np
    >>> InverseSqrt(1.0, warm_up=2)(np.array([1, 2, 8, 32])).tolist()
    [0.5, 1.0, 0.5, 0.25]
    """

    peak: Hyper
    warm_up: Hyper = 1.0

    def at(self, t: Tensor) -> Tensor:
        share = t / value(self.warm_up, t)
        return value(self.peak, t) * snp.minimum(share, 1 / snp.sqrt(share))
