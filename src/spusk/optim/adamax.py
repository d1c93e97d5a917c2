"""AdaMax.

Kingma & Ba, 2015, "Adam: A method for stochastic optimization", §7.1.
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
class AdaMax(Optimizer):
    """AdaMax: Adam with the largest recent gradient in place of the root of the mean square.

        m ← β₁m + (1 − β₁)g
        u ← max(β₂u, |g|)
        w ← w − α/(1 − β₁ᵗ)·m/u

    Source: Kingma & Ba, 2015, "Adam: A method for stochastic optimization", Algorithm 2.

    The paper has no ε; where u is still 0 the step is 0. Torch and optax add ε to |g| inside the maximum,
    keras adds it to u in the denominator.

    Args:
        lr: the learning rate α > 0; default 0.002.
        beta1: the decay β₁ of the mean in [0, 1); default 0.9.
        beta2: the decay β₂ of the norm in [0, 1); default 0.999.
        eps: ε ≥ 0; default None, the paper's formula.
        eps_in_norm: True for u ← max(β₂u, |g| + ε), False for m/(u + ε).

    >>> AdaMax.like("keras")
    AdaMax(lr=0.001, beta1=0.9, beta2=0.999, eps=1e-07, eps_in_norm=False)
    """

    lr: Hyper = 0.002
    beta1: Hyper = 0.9
    beta2: Hyper = 0.999
    eps: Hyper = None
    eps_in_norm: bool = False

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "torch": {"eps": 1e-8, "eps_in_norm": True},
        "optax": {"eps": 1e-8, "eps_in_norm": True},
        "keras": {"lr": 0.001, "eps": 1e-7},
    }
    lr_grid: ClassVar[tuple[float, ...]] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)

    def start(self, w: Tensor) -> State:
        return State(m=snp.zeros_like(w), u=snp.zeros_like(w))

    def update(self, w: Tensor, g: Tensor, s: State, t: Tensor) -> tuple[Tensor, State]:
        eps = 0 if self.eps is None else self.eps
        m = self.beta1 * s.m + (1 - self.beta1) * g
        u = snp.maximum(self.beta2 * s.u, snp.abs(g) + (eps if self.eps_in_norm else 0))
        norm = u if self.eps_in_norm else u + eps
        direction = snp.where(norm > 0, m / norm, 0)
        return w - (self.lr / (1 - self.beta1**t)) * direction, State(m=m, u=u)
