"""Polynomial and linear decay."""

from __future__ import annotations

from dataclasses import dataclass

import spusk.numpy as snp
from spusk.graph import Tensor
from spusk.optim.hyper import Hyper, Schedule, value


@dataclass(frozen=True)
class Polynomial(Schedule):
    """From one value to another along a power of the time that is left; a line with power 1.

        final + (initial − final)·(1 − min(n/steps, 1))^power,  n = t − 1

    Source: Liu, Rabinovich & Berg, 2015, "ParseNet: Looking wider to see better", §4, the "poly" policy with
    power 0.9; the line is the "budgeted" decay of Li, Yumer & Ramanan, 2020, "Budgeted training".

    Args:
        initial: the value at t = 1.
        steps: after how many steps the final value is reached, > 0; it stays.
        final: default 0.
        power: > 0; default 1.

    >>> import numpy as np
    >>> Polynomial(1.0, steps=4)(np.arange(1, 7)).tolist()
    [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
    """

    initial: Hyper
    steps: Hyper
    final: Hyper = 0.0
    power: Hyper = 1.0

    def at(self, t: Tensor) -> Tensor:
        initial, steps, final = value(self.initial, t), value(self.steps, t), value(self.final, t)
        left = 1 - snp.minimum((t - 1) / steps, 1)
        return final + (initial - final) * left ** value(self.power, t)
