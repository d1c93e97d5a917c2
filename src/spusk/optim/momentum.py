"""Momentum.

Polyak, 1964, "Some methods of speeding up the convergence of iteration methods", eq. 9.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import spusk.numpy as snp
from spusk.graph import Tensor
from spusk.optim.hyper import Hyper
from spusk.optim.optimizer import Optimizer
from spusk.optim.state import State


@dataclass(frozen=True)
class Momentum(Optimizer):
    """Polyak's heavy ball: a velocity that remembers past gradients.

        v ← μv − α∇L(w)
        w ← w + v

    Source: Polyak, 1964, "Some methods of speeding up the convergence of iteration methods", eq. 9.

    Args:
        lr: the learning rate α > 0; default 0.01.
        mu: the momentum μ in [0, 1); default 0.9.
        dampening: the gradient enters the velocity times (1 − dampening); default 0.
        lr_inside: True if the velocity holds steps (the paper); False if it holds gradients, and the
            learning rate multiplies it when it is applied: w ← w − αv. They differ when α changes.
        dampen_first: False leaves the first gradient undampened.
        average: True makes v an exponential average of gradients: v ← μv + (1 − μ)∇L(w).

    >>> Momentum.like("torch", lr=0.1).lr_inside
    False
    """

    lr: Hyper = 0.01
    mu: Hyper = 0.9
    dampening: Hyper = 0.0
    lr_inside: bool = True
    dampen_first: bool = True
    average: bool = False

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "torch": {"lr": 0.001, "lr_inside": False, "dampen_first": False},
        "optax": {"lr_inside": False},
        "keras": {},
        "ema": {"lr_inside": False, "average": True},
    }
    lr_grid: ClassVar[tuple[float, ...]] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)

    def start(self, w: Tensor) -> State:
        return State(v=snp.zeros_like(w))

    def update(self, w: Tensor, g: Tensor, s: State, t: Tensor) -> tuple[Tensor, State]:
        share = 1 - (self.mu if self.average else self.dampening)
        if not self.dampen_first:
            share = snp.where(t == 1, 1, share)
        if self.lr_inside:
            v = self.mu * s.v - self.lr * share * g
            return w + v, State(v=v)
        v = self.mu * s.v + share * g
        return w - self.lr * v, State(v=v)
