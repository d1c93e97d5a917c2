"""Nesterov's accelerated gradient.

Nesterov, 1983, "A method for solving the convex programming problem with convergence rate O(1/k²)"; in the
form of Sutskever, Martens, Dahl & Hinton, 2013.
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
class Nesterov(Optimizer):
    """Nesterov's momentum: the gradient is taken where the velocity is about to lead.

        v ← μv − α∇L(w + μv)
        w ← w + v

    Source: Sutskever, Martens, Dahl & Hinton, 2013, "On the importance of initialization and momentum in
    deep learning", eq. 3–4, after Nesterov, 1983.

    Libraries keep the look-ahead point w + μv as their parameter, and take the gradient there: their weights
    are the paper's weights plus μv, and when μ changes between steps the two are no longer the same method.
    Torch and optax moreover hold gradients in the velocity, which differs when α changes.

    Args:
        lr: the learning rate α > 0; default 0.01.
        mu: the momentum μ in [0, 1); default 0.9.
        ahead: True if the parameter is the look-ahead point itself: w ← w + μv − αg (keras),
            w ← w − α(g + μv) (torch, optax).
        lr_inside: True if the velocity holds steps (the paper); False if it holds gradients, v ← μv + g, and
            the learning rate multiplies it when it is applied.

    >>> import spusk as sp
    >>> r = sp.minimize(lambda x: x * x, 1.0, Nesterov(lr=0.25, mu=0.5), steps=2)
    >>> r.path.tolist()  # the second gradient is taken at 0.5 − 0.5 · 0.5 = 0.25
    [1.0, 0.5, 0.125]
    """

    lr: Hyper = 0.01
    mu: Hyper = 0.9
    ahead: bool = False
    lr_inside: bool = True

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "torch": {"lr": 0.001, "ahead": True, "lr_inside": False},
        "optax": {"ahead": True, "lr_inside": False},
        "keras": {"ahead": True},
    }
    lr_grid: ClassVar[tuple[float, ...]] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)

    def start(self, w: Tensor) -> State:
        return State(v=snp.zeros_like(w))

    def point(self, w: Tensor, s: State) -> Tensor:
        if self.ahead:
            return w
        return w + self.mu * s.v if self.lr_inside else w - (self.lr * self.mu) * s.v

    def update(self, w: Tensor, g: Tensor, s: State, t: Tensor) -> tuple[Tensor, State]:
        if self.lr_inside:
            v = self.mu * s.v - self.lr * g
            return w + (self.mu * v - self.lr * g if self.ahead else v), State(v=v)
        v = self.mu * s.v + g
        return w - self.lr * (g + self.mu * v if self.ahead else v), State(v=v)
