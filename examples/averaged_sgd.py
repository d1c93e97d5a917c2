"""SGD that trains one set of weights and hands out another: a running average of them."""

from __future__ import annotations

from dataclasses import dataclass

import spusk.numpy as snp
from spusk.optim import Hyper, Optimizer, State


@dataclass(frozen=True)
class AveragedSGD(Optimizer):
    """Gradient descent whose result is a running average of the weights.

        w ← w − αg
        a ← a + (w − a)/min(t + 1, h)

    Measured, kept and returned is a; the next step goes on from w.

    Args:
        lr: the learning rate α > 0; default 0.1.
        horizon: h ≥ 1, how many steps the average looks back; default 100.
    """

    lr: Hyper = 0.1
    horizon: Hyper = 100.0

    def start(self, w):
        return State(a=w)

    def evaluated(self, w, s):
        return s.a

    def update(self, w, g, s, t):
        w = w - self.lr * g
        return w, State(a=s.a + (w - s.a) / snp.minimum(t + 1, self.horizon))
