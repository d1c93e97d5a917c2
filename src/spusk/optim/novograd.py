"""NovoGrad.

Ginsburg, Castonguay, Hrinchuk, Kuchaiev, Lavrukhin, Leary, Li, Nguyen, Zhang & Cohen, 2019, "Stochastic
gradient methods with layer-wise adaptive moments for training of deep networks".
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
class NovoGrad(Optimizer):
    """NovoGrad: momentum of gradients that are divided by the running norm of their whole layer.

        v ← β₂v + (1 − β₂)‖g‖²,  v = ‖g‖² in the first step
        m ← β₁m + (g/(√v + ε) + dw)
        w ← w − λm

    Source: Ginsburg, Castonguay, Hrinchuk, Kuchaiev, Lavrukhin, Leary, Li, Nguyen, Zhang & Cohen, 2019,
    "Stochastic gradient methods with layer-wise adaptive moments for training of deep networks", Algorithm 1.

    The norm is that of each parameter, so that v is one number a parameter. Timm begins v anew while it
    is 0.

    Args:
        lr: the learning rate λ > 0; default 0.01.
        beta1: the momentum β₁ in [0, 1); default 0.95.
        beta2: the decay β₂ of the squared norm in [0, 1); default 0.98.
        eps: ε ≥ 0; default 1e-8; with 0, a first gradient of 0 gives 0/0.
        weight_decay: d ≥ 0; default 0.

    >>> import spusk as sp
    >>> sp.minimize(lambda x: 1e9 * x, 0.0, NovoGrad(lr=0.5, beta1=0.0), steps=2).path.round(6).tolist()
    [0.0, -0.5, -1.0]
    """

    lr: Hyper = 0.01
    beta1: Hyper = 0.95
    beta2: Hyper = 0.98
    eps: Hyper = 1e-8
    weight_decay: Hyper = 0.0

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "optax": {"beta1": 0.9, "beta2": 0.25, "eps": 1e-6},
        "timm": {"lr": 0.001},
        "pytorch_optimizer": {"lr": 0.001},
    }
    lr_grid: ClassVar[tuple[float, ...]] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)

    def start(self, w: Tensor) -> State:
        return State(m=snp.zeros_like(w), v=snp.sum(snp.zeros_like(w)))

    def update(self, w: Tensor, g: Tensor, s: State, t: Tensor) -> tuple[Tensor, State]:
        square = snp.sum(g * g)
        v = snp.where(t == 1, square, self.beta2 * s.v + (1 - self.beta2) * square)
        m = self.beta1 * s.m + (g / (snp.sqrt(v) + self.eps) + self.weight_decay * w)
        return w - self.lr * m, State(m=m, v=v)
