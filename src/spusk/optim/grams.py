"""Grams.

Cao, Li & Song, 2024, "Grams: Gradient descent with adaptive momentum scaling".
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
class Grams(Optimizer):
    """Grams: how far a weight goes is Adam's, which way is the gradient's.

        m ← β₁m + (1 − β₁)g
        v ← β₂v + (1 − β₂)g²
        u = m̂/(√v̂ + ε),  m̂ = m/(1 − β₁ᵗ),  v̂ = v/(1 − β₂ᵗ)
        w ← w − η·(sign(g)·|u| + λw)

    Source: Cao, Li & Song, 2024, "Grams: Gradient descent with adaptive momentum scaling", direction
    from the gradient, size from Adam's momentum.

    A weight whose gradient is 0 stays, however large its momentum.

    Args:
        lr: the learning rate η > 0; default 0.001.
        beta1: the decay β₁ of the mean in [0, 1); default 0.9.
        beta2: the decay β₂ of the mean square in [0, 1); default 0.999.
        eps: ε ≥ 0; default 1e-6.
        weight_decay: λ ≥ 0; default 0.

    >>> import spusk as sp
    >>> round(float(sp.minimize(lambda x: x, 0.0, Grams(lr=0.5, eps=0.0), steps=2).x), 12)
    -1.0
    """

    lr: Hyper = 0.001
    beta1: Hyper = 0.9
    beta2: Hyper = 0.999
    eps: Hyper = 1e-6
    weight_decay: Hyper = 0.0

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"pytorch_optimizer": {}}
    lr_grid: ClassVar[tuple[float, ...]] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)

    def start(self, w: Tensor) -> State:
        return State(m=snp.zeros_like(w), v=snp.zeros_like(w))

    def update(self, w: Tensor, g: Tensor, s: State, t: Tensor) -> tuple[Tensor, State]:
        m = self.beta1 * s.m + (1 - self.beta1) * g
        v = self.beta2 * s.v + (1 - self.beta2) * g * g
        u = (m / (1 - self.beta1**t)) / (snp.sqrt(v / (1 - self.beta2**t)) + self.eps)
        return w - self.lr * (snp.sign(g) * snp.abs(u) + self.weight_decay * w), State(m=m, v=v)
