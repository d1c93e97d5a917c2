"""RMSprop.

Tieleman & Hinton, 2012, "Lecture 6.5: RMSProp"; centered: Graves, 2013.
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
class RMSprop(Optimizer):
    """RMSprop: each weight's gradient is divided by the root of its recent mean square.

        s ← ρs + (1 − ρ)g²
        w ← w − αg/√(s + ε)

    Source: Tieleman & Hinton, 2012, "Lecture 6.5: RMSProp", COURSERA: Neural Networks for Machine Learning.

    Centered (Graves, 2013, "Generating sequences with recurrent neural networks", eq. 38–41) divides by the
    standard deviation instead: s − m² for s, m the running mean of the gradient. Where rounding makes s − m²
    negative, it counts as 0 here; torch and optax give NaN there if ε does not lift it.
    Libraries differ in ρ, in the place of ε and in what the momentum buffer holds; TensorFlow 1 begins with
    s = 1.

    Args:
        lr: the learning rate α > 0; default 0.001.
        rho: the decay ρ in [0, 1); default 0.9.
        eps: ε ≥ 0; default 1e-8.
        s0: the mean square s before the first step, ≥ 0; default 0.
        momentum: in [0, 1): the steps are collected in v ← momentum·v + αg/√(s + ε), w ← w − v; default
            None, no such buffer.
        centered: True for s − m² instead of s, with m ← ρm + (1 − ρ)g.
        eps_inside: True for √(s + ε), False for √s + ε.
        lr_inside: True if the momentum buffer holds steps; False if α multiplies it when it is applied.

    >>> torch = RMSprop.like("torch", centered=True)
    >>> torch.rho, torch.eps_inside, torch.lr_inside
    (0.99, False, False)
    """

    lr: Hyper = 0.001
    rho: Hyper = 0.9
    eps: Hyper = 1e-8
    s0: Hyper = 0.0
    momentum: Hyper = None
    centered: bool = False
    eps_inside: bool = True
    lr_inside: bool = True

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "torch": {"lr": 0.01, "rho": 0.99, "eps_inside": False, "lr_inside": False},
        "optax": {},
        "keras": {"eps": 1e-7},
        "tf1": {"s0": 1.0, "eps": 1e-10},
    }
    lr_grid: ClassVar[tuple[float, ...]] = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)

    def start(self, w: Tensor) -> State:
        slots = {"s": snp.zeros_like(w) + self.s0}
        if self.centered:
            slots["m"] = snp.zeros_like(w)
        if self.momentum is not None:
            slots["v"] = snp.zeros_like(w)
        return State(**slots)

    def update(self, w: Tensor, g: Tensor, s: State, t: Tensor) -> tuple[Tensor, State]:
        square = self.rho * s.s + (1 - self.rho) * g * g
        slots = {"s": square}
        if self.centered:
            slots["m"] = self.rho * s.m + (1 - self.rho) * g
            square = snp.maximum(square - slots["m"] * slots["m"], 0)
        root = snp.sqrt(square + self.eps) if self.eps_inside else snp.sqrt(square) + self.eps
        if self.momentum is None:
            return w - self.lr * g / root, State(**slots)
        if self.lr_inside:
            slots["v"] = self.momentum * s.v + self.lr * g / root
            return w - slots["v"], State(**slots)
        slots["v"] = self.momentum * s.v + g / root
        return w - self.lr * slots["v"], State(**slots)
