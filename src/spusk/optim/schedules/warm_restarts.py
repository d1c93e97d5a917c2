"""Cosine annealing with warm restarts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import spusk.numpy as snp
from spusk.graph import Tensor
from spusk.optim.hyper import Hyper, Schedule, value
from spusk.optim.ranges import AT_LEAST_ONE, Range


@dataclass(frozen=True)
class WarmRestarts(Schedule):
    """SGDR: half a cosine wave down, again and again, each `factor` times as long as the one before.

        final + ½(high − final)(1 + cos(π·T_cur/T_i)),  T_i = T₀·factor^i,  n = t − 1

    T_cur counts the steps since the i-th restart, which comes after T₀(1 + factor + … + factor^(i−1)) steps.

    Source: Loshchilov & Hutter, 2017, "SGDR: Stochastic gradient descent with warm restarts", eq. 5.

    Args:
        initial: the value at t = 1.
        steps: T₀ > 0, the length of the first wave.
        factor: how much longer each wave is than the one before, ≥ 1; default 1. The paper's T_mult.
        final: what each wave goes down to; default 0.
        height: what the value at a restart is multiplied by each time, > 0; default 1.

    >>> import numpy as np
    >>> WarmRestarts(1.0, steps=2, factor=2)(np.arange(1, 8)).round(3).tolist()
    [1.0, 0.5, 1.0, 0.854, 0.5, 0.146, 1.0]
    """

    initial: Hyper
    steps: Hyper
    factor: Hyper = 1.0
    final: Hyper = 0.0
    height: Hyper = 1.0

    ranges: ClassVar[Mapping[str, Range]] = {"factor": AT_LEAST_ONE}

    def at(self, t: Tensor) -> Tensor:
        first, factor, final = value(self.steps, t), value(self.factor, t), value(self.final, t)
        grows = factor > 1
        growing = snp.where(grows, factor, 2)  # any number above 1, where it is not used
        passed = (t - 1) / first  # in lengths of the first wave

        def begin(i: Tensor) -> Tensor:
            return snp.where(grows, (growing**i - 1) / (growing - 1), i)

        waves = snp.log(passed * (growing - 1) + 1) / snp.log(growing)
        i = snp.floor(snp.where(grows, waves, passed))
        # The logarithm may be off by a last place just at a restart.
        i = snp.where(passed >= begin(i + 1), i + 1, snp.where(passed < begin(i), i - 1, i))
        share = (passed - begin(i)) / snp.where(grows, growing**i, 1)
        high = final + (value(self.initial, t) - final) * value(self.height, t) ** i
        return final + 0.5 * (high - final) * (1 + snp.cos(math.pi * share))
