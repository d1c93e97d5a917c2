"""Sign momentum: a step of one size along the sign of the velocity. Five lines of formula."""

from __future__ import annotations

from dataclasses import dataclass

import spusk.numpy as snp
from spusk.optim import Hyper, Optimizer, State


@dataclass(frozen=True)
class SignMomentum(Optimizer):
    """The sign of a running mean of gradients.

        v ← μv + (1 − μ)g
        w ← w − α·sign(v)

    Args:
        lr: the learning rate α > 0; default 0.001.
        mu: the decay μ in [0, 1); default 0.9.
    """

    lr: Hyper = 0.001
    mu: Hyper = 0.9

    def start(self, w):
        return State(v=snp.zeros_like(w))

    def update(self, w, g, s, t):
        v = self.mu * s.v + (1 - self.mu) * g
        return w - self.lr * snp.sign(v), State(v=v)
