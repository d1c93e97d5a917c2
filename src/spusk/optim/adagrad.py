"""Adagrad.

Duchi, Hazan & Singer, 2011, "Adaptive subgradient methods for online learning and stochastic optimization".
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
class Adagrad(Optimizer):
    """Adagrad: each weight's rate shrinks with the sum of its squared gradients.

        s ← s + g²
        w ← w − αg/√(s + ε)

    Source: Duchi, Hazan & Singer, 2011, "Adaptive subgradient methods for online learning and stochastic
    optimization", Fig. 1, with diagonal matrices.

    Torch adds ε to the root and can let α decay. Optax and keras begin with s = 0.1; optax makes the step
    exactly 0 where s = 0.

    Args:
        lr: the learning rate α > 0; default 0.01.
        eps: ε ≥ 0, default 1e-8; with 0, a gradient that is still 0 gives 0/0.
        s0: the sum s before the first step, ≥ 0; default 0.
        lr_decay: d ≥ 0 in α/(1 + (t − 1)d); default 0.
        eps_inside: True for √(s + ε), False for √s + ε.
        still_at_zero: True makes the step exactly 0 where s = 0.

    >>> Adagrad.like("optax").s0
    0.1
    """

    lr: Hyper = 0.01
    eps: Hyper = 1e-8
    s0: Hyper = 0.0
    lr_decay: Hyper = 0.0
    eps_inside: bool = True
    still_at_zero: bool = False

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "torch": {"eps": 1e-10, "eps_inside": False},
        "optax": {"s0": 0.1, "eps": 1e-7, "still_at_zero": True},
        "keras": {"lr": 0.001, "s0": 0.1, "eps": 1e-7},
    }
    lr_grid: ClassVar[tuple[float, ...]] = (1e-3, 1e-2, 1e-1, 1.0, 10.0)

    def start(self, w: Tensor) -> State:
        return State(s=snp.zeros_like(w) + self.s0)

    def update(self, w: Tensor, g: Tensor, s: State, t: Tensor) -> tuple[Tensor, State]:
        total = s.s + g * g
        root = snp.sqrt(total + self.eps) if self.eps_inside else snp.sqrt(total) + self.eps
        direction = snp.where(total > 0, g / root, 0) if self.still_at_zero else g / root
        return w - (self.lr / (1 + (t - 1) * self.lr_decay)) * direction, State(s=total)
